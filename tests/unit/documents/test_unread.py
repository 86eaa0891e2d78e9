from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format_finder import find_overlooked
from imagelock.documents.unread import find_unread_kind


@pytest.mark.parametrize(
    ("path", "content", "title"),
    [
        ("Jenkinsfile", "agent { docker { image 'maven:3' } }", "Jenkinsfile"),
        ("ci/deploy.groovy", "docker.image('a:1').inside {", "Jenkinsfile"),
        ("Jenkinsfile", "sh 'make'", None),
        ("Earthfile", "build:\n  FROM golang:1.22\n", "Earthfile"),
        ("Earthfile", "build:\n  FROM +base\n", None),
        ("Makefile", "run:\n\tdocker run --rm alpine:3\n", "Makefile"),
        ("x.mk", "GO_IMAGE ?= golang:1.22\n", "Makefile"),
        ("Makefile", "all: docker\n", None),
        ("a/b.sh", "podman  pull alpine\n", "shell script"),
        ("a/b.sh", "echo docker\n", None),
        ("x.service", "ExecStart=/usr/bin/docker run a:1\n", "systemd unit"),
        (".travis.yml", "script: docker run a\n", "Travis file"),
        ("MODULE.bazel", 'oci.pull(name = "a", image = "b")\n', "Bazel file"),
        ("Tiltfile", "k8s_yaml(image = 'a')\n", "Tilt, Starlark or Jsonnet file"),
        ("x.yaml.j2", "containers:\n  - image: {{ x }}\n", "template"),
        ("Dockerfile.tmpl", "FROM {{ base }}\n", "template"),
        ("x.conf.in", "a = 1\n", None),
        ("group_vars/all.yml", "app_image: registry/a:1\n", "YAML file"),
        ("x.yml", "image: yes\n", None),
        ("task.json", '{"containerDefinitions": [{"image": "a/b:1"}]}', "JSON file"),
        ("fly.toml", '[build]\nimage = "a/b:1"\n', "TOML or properties file"),
        ("src/test/java/A.java", 'new PostgreSQLContainer<>("postgres:16")', "container test"),
        ("a_test.go", 'Container("x")', None),
        ("main.py", 'Container("postgres:16")', None),
        ("a\nb/Makefile", "run:\n\tdocker run --rm alpine:3\n", "Makefile"),
        ("README.md", "image: a:1", None),
    ],
)
def test_files_that_look_as_if_they_held_images_are_told_by_kind(path: str, content: str, title: str | None) -> None:
    found = find_unread_kind(path, content.encode())
    assert (found and found.title) == title


def test_a_value_at_an_unknown_path_of_a_resource_is_overlooked_and_known_ones_are_not() -> None:
    document = (
        "apiVersion: x/v1\nkind: Backup\nspec:\n  toolImage: a/b:1\n  imageName: c\n  image: d:1\n  logoImageUrl: https://x/y\n"
        "  containers: [{image: 'e:1'}]\nstatus: {imageRef: 'f:1'}\n"
    )
    assert [each.text for each in find_overlooked(document.encode(), table.KUBERNETES)] == ["a/b:1"]
    assert find_overlooked(b"apiVersion: v1\nkind: Pod\n", table.KUBERNETES) == ()
    assert find_overlooked(b"toolImage: a:1\n", table.HELM_VALUES) == ()
