from __future__ import annotations

import pytest

from imagelock.documents.formats import table
from imagelock.documents.formats.format import Format
from imagelock.documents.formats.overlooked import find_overlooked
from imagelock.documents.unread import find_unread_kind, find_unread_places


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
        ("a/b.sh", "docker build - <<EOF\nfRom busybox AS a\n\nRUN true\nEOF\n", "shell script"),
        ("a/b.sh", "select x\nfrom users\nwhere id = 1\n", None),
        ("hack/test", "#!/usr/bin/env bash\ndocker run alpine:3\n", "shell script"),
        ("hack/test", "#!/bin/sh -e\nskopeo copy docker://alpine:3 oci:x\n", "shell script"),
        ("hack/test", "docker run alpine:3\n", None),
        ("a/b.sh", "kubectl run x --restart=Never --image=alpine:3\n", "shell script"),
        ("a/b.sh", 'curl -d \'{"image": "alpine:3"}\' x\n', "shell script"),
        ("a/b.sh", "convert --image x.png\n", None),
        ("hack/test", "#!/usr/bin/env python3\n# docker run alpine:3\n", None),
        ("x.service", "ExecStart=/usr/bin/docker run a:1\n", "systemd unit"),
        (".travis.yml", "script: docker run a\n", "Travis file"),
        ("MODULE.bazel", 'oci.pull(name = "a", image = "b")\n', "Bazel file"),
        ("Tiltfile", "k8s_yaml(image = 'a')\n", "Tilt, Starlark or Jsonnet file"),
        ("x.yaml.j2", "containers:\n  - image: {{ x }}\n", "template"),
        ("Dockerfile.tmpl", "FROM {{ base }}\n", "template"),
        ("templates/ci.yml.tt", "      - image: mysql\n", "template"),
        ("compose.yaml.hbs", "services:\n  a:\n    image: {{a}}\n", "template"),
        ("x.conf.in", "a = 1\n", None),
        ("group_vars/all.yml", "app_image: registry/a:1\n", "YAML file"),
        ("x.yml", "image: yes\n", None),
        ("x.yml", "a:\n  image: redis\n  command: [x]\n", "YAML file"),
        ("x.yml", "- image: 'redis' # x\r\n  ports: [1]\r\n", "YAML file"),
        (".ci/test.yml", "test:\n  image: ruby\n  script: [rake]\n", "YAML file"),
        ("appveyor.yml", "image: Ubuntu\nenvironment: {}\nfor: [{x:\n  image: Ubuntu\n}]\n", None),
        ("pool.yml", "pool:\n  image: windows-2025\n  os: windows\n", None),
        ("_data/a.yml", "- title: a\n  image: cover\n  text: b\n", None),
        ("x.yml", "thing:\n  image: redis\n", "YAML file"),
        ("x.yml", 'a: {x: 1, image: "postgres"}\n', "YAML file"),
        ("x.yml", "image: node", "YAML file"),
        ("x.yml", "image: noderedis\n", None),
        ("x.yml", "a:\n  ports: [1]\n  image: word\n", "YAML file"),
        ("x.yml", "a:\n  image: word\n  name: x\n  command: [y]\n", "YAML file"),
        ("x.yml", "img: a:1\n", "YAML file"),
        ("x.yml", "img: /a/b:c\n", None),
        ("x.yml", "imageUri: r.io/a\n", "YAML file"),
        ("x.json", '{"image": "redis"}', "JSON file"),
        ("x.json", '{"image": "logo"}', None),
        ("x.toml", 'image = "redis"\n', "TOML or properties file"),
        ("prod.tfvars", 'image = "redis"\n', "HCL file"),
        ("x.yml", "a: {b: {image: 'a:1'}}\n", "YAML file"),
        ("x.yml", "image: &a a:1\n", "YAML file"),
        ("values/prod.yaml", "image:\n  repository: nginx\n  pullPolicy: x\n  tag: '1'\n", "YAML file"),
        ("values/prod.yaml", "image:\n  tag: '1'\n  repository: nginx\n", "YAML file"),
        ("values/prod.yaml", "image: {repository: nginx, tag: '1'}\n", "YAML file"),
        ("x.yaml", "git:\n  repository: https://x/y\n  tag: v1\n", None),
        ("x.yaml", "steps: [{uses: docker://a:1}]\n", "YAML file"),
        ("patch.yaml", "- op: replace\n  path: /spec/containers/0/image\n  value: a:1\n", "YAML file"),
        ("prod.tfvars", 'app_image = "a/b:1"\n', "HCL file"),
        ("dockerfiles/base", "# x\nARG A\nFROM a:1 AS b\n", "renamed Dockerfile"),
        ("dockerfiles/notes", "FROM here on\n", None),
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


@pytest.mark.parametrize(
    ("kind", "document", "texts"),
    [
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {images: ['a:1', b]}\n", ["a:1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nenv: [{name: RELATED_IMAGE_X, value: 'a:1'}]\n", ["a:1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nparams: [{name: image, default: 'a:1'}]\n", ["a:1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nenv: [{name: IMAGE_TAG, value: latest}]\n", []),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {agent: {repository: a, tag: '1'}}\n", ["1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {image: {name: a, tag: '1'}}\n", ["1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {image: {repository: 'a:1'}}\n", ["a:1"]),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {image: {repository: a, tag: '1'}}\n", []),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {repository: 'https://x/y', tag: '1'}\n", []),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {repository: 'git@x:y', tag: '1'}\n", []),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {repository: x/y, ref: {tag: '1'}}\n", []),
        (
            table.KUBERNETES,
            "apiVersion: v1\nkind: A\nargs: [--proxy-image=a:1, --image-tag=v1, --image, --x=y:1]\n",
            ["a:1"],
        ),
        (table.KUBERNETES, "apiVersion: v1\nkind: A\ncommand: [x, '--image=$(X):1', '--images-url=https://x:1']\n", []),
        (table.HELM_VALUES, "image: {repository: 'a:1'}\nweb: {container: 'b:2', containers: 'x:3'}\n", ["a:1", "b:2"]),
        (table.HELM_VALUES, "images: {a: {name: b, tag: '1', digest: ''}, c: {repository: d, tag: '1'}}\n", ["1"]),
        (table.HELM_VALUES, "image: {repository: a, tag: '1'}\ngit: {repository: 'git@x:y'}\n", []),
        (table.CIRCLECI, "jobs: {a: {environment: {IMAGE: 'a:1'}, docker: [{image: 'b:1'}]}}\n", ["a:1"]),
        (table.COMPOSE, "services: {a: {image: 'a:1'}}\nmodels: {m: {model: 'ai/b:1'}}\n", ["ai/b:1"]),
        (
            table.COMPOSE,
            "services: {a: {build: {context: ., args: {BASE_IMAGE: 'a:1', HOST: 'x:80', BASE: $B, IMAGE: b}}}}\n",
            ["a:1"],
        ),
        (table.BAKE, 'target "a" { args = { BASE = "a:1", VERSION = "1" } }\n', ["a:1"]),
        (
            table.COMPOSE,
            (
                "services: {a: {environment: [AGENT_IMAGE=a:1, 'DATABASE_HOST=db:5432', 'IMAGE_SERVER=x:1'],"
                " build: {args: [BASE=a:2, 'DATABASE=db:1']}},"
                " b: {image: 'c:1', environment: {MY_IMAGE: 'a:3', IMAGE_HOST: 'h:1', HOST: 'x:1'}}}\n"
            ),
            ["a:1", "a:2", "a:3"],
        ),
        (
            table.COMPOSE,
            (
                "services: {a: {image: 'c:1', environment: [IMAGE_GHOST=ghost:5, IMAGE_DB_HOST=db:1, IMAGEPORT=a:80]},"
                " b: {image: 'c:1', environment: {IMAGE_EXPORT: 'a:1', IMAGE_DB_HOST: 'db:1', IMAGEPORT: 'a:80'}}}\n"
            ),
            ["ghost:5", "a:1"],
        ),
        (table.COMPOSE, "services: {a: {image: 'c:1', environment: {IMAGE: 'a:1'}}}\n", ["a:1"]),
        (
            table.DOTENV,
            "IMAGE_GHOST=ghost:5\nIMG_SUPPORT=b:1\nIMAGE_DB_HOST=d:1\nIMAGEREGISTRY=r:5000\nX_IMAGE_PORT=a:80\n",
            ["ghost:5", "b:1"],
        ),
        (table.BAKE, 'variable "IMG" {\n default = "a:1"\n}\nvariable "V" {\n default = "b:1"\n}\n', ["a:1"]),
        (table.GITHUB, "jobs: {a: {strategy: {matrix: {image: ['a:1', b], images: ['c:1']}}}}\n", ["a:1", "c:1"]),
        (
            table.GITHUB,
            (
                "jobs:\n  a:\n    steps:\n    - with:\n"
                "        build-args: |\n          BASE_IMAGE=a:1\n          V=b:1\n          FROM='c:1'\n"
            ),
            ["a:1", "c:1"],
        ),
        (table.GITHUB, "inputs: {base-image: {default: 'a:1'}}\nruns: {using: composite}\n", ["a:1"]),
        (table.DEVCONTAINER, '{"build": {"args": {"BASE_IMAGE": "a:1", "V": "b:2"}}}', ["a:1"]),
        (
            table.DOTENV,
            "IMAGE=a:1\nB_IMAGE=bb\nIMAGE_TAG=1\nX_IMG=c:1\nIMAGE_PULL=always\nP_IMAGE=d:1\n",
            ["a:1", "bb", "c:1"],
        ),
        (table.ANSIBLE, "- hosts: x\n  tasks: [docker_container: name=x image=a:1 state=y]\n", ["a:1"]),
        (table.HELMFILE, "releases: [{set: [{name: web.image.tag, value: v2}, {name: x, value: y}]}]\n", ["v2"]),
        (table.SKAFFOLD, "build: {artifacts: [{image: x, docker: {buildArgs: {BASE: 'a:1', V: 'b:1'}}}]}\n", ["a:1"]),
        (
            table.KUBERNETES,
            (
                "apiVersion: x/v1\nkind: A\n"
                "spec: {imageSpec: 'a:1', image2: 'b:1', imageRegistry: 'h:5000', webImages: {w: 'c:1'}}\n"
            ),
            ["a:1", "b:1", "c:1"],
        ),
        (
            table.KUBERNETES,
            (
                "apiVersion: x/v1\nkind: A\n"
                "spec: {taskRef: {bundle: 'a:1'}, params: [{name: bundle, value: 'b:1'}], package: 'c:1'}\n"
            ),
            ["a:1", "b:1", "c:1"],
        ),
        (
            table.KUBERNETES,
            (
                "apiVersion: x/v1\nkind: A\n"
                "args: [--side-image, 'a:1', --image-tag, v1, --x, 'y:1', b, '--listen-from=x:80', '--database=db:1']\n"
            ),
            ["a:1"],
        ),
        (
            table.KUBERNETES,
            (
                "apiVersion: x/v1\nkind: Application\n"
                "spec: {source: {helm: {parameters: [{name: image.tag, value: '1.2'}]}}}\n"
            ),
            ["1.2"],
        ),
        (table.DRONE, "kind: pipeline\nsteps: [{settings: {image: 'a:1'}}]\n", []),
        (table.TERRAFORM, 'resource "x" "y" { containers { image = "a/b:1" } }\n', ["a/b:1"]),
        (table.TERRAFORM, 'resource "x" "y" { c = jsonencode([{ image = "a/b:1" }]) }\n', ["a/b:1"]),
        (table.TERRAFORM, 'resource "x" "y" { c = jsonencode(concat([{ "image" : "a/b:1" }], [])) }\n', ["a/b:1"]),
        (table.TERRAFORM, 'locals { app_image = coalesce(var.x, "a/b:1", "${var.y}:2") }\n', ["a/b:1"]),
        (table.TERRAFORM, 'locals { images = { a = "a:1", b = "c" }, img = "d:1" }\n', ["a:1", "d:1"]),
        (table.TERRAFORM, 'variable "app_image" { default = "a:1" }\nvariable "x" { default = "b:1" }\n', ["a:1"]),
        (table.TERRAFORM, 'resource "x" "y" { yaml_body = <<-EOT\n  - image: a:1\n  EOT\n}\n', ["a:1"]),
        (table.TERRAFORM, 'resource "x" "y" { m = yamldecode(<<EOT\nimage: "a:1"\nEOT\n) }\n', ["a:1"]),
        (
            table.TERRAFORM,
            'resource "x" "y" { image = "gcr.io/a/b" }\nresource "x" "z" { image = "ubuntu-os/u22" }\n',
            ["gcr.io/a/b"],
        ),
        (table.TERRAFORM, 'resource "helm_release" "y" { set { name = "image.tag", value = "1.25" } }\n', ["1.25"]),
        (table.TERRAFORM, 'resource "helm_release" "y" { set = [{ name = "web.image", value = "a:1" }] }\n', ["a:1"]),
        (table.TERRAFORM, 'resource "docker_container" "y" { image = "a:1" }\nlocals { a = f(image("b")) }\n', []),
        (table.KUBERNETES, "apiVersion: x/v1\nkind: A\nspec: {baseImage: quay.io/a/b, version: v1}\n", ["quay.io/a/b"]),
        (
            table.KUBERNETES,
            "apiVersion: x/v1\nkind: A\nspec: {containerImage: 'a:1', imageUri: 'b:1', img: 'c:1'}\n",
            ["a:1", "b:1", "c:1"],
        ),
        (table.HELM_VALUES, "initImage: busybox\npullImage: Always\nuseImage: true\nsignImage: enabled\n", ["busybox"]),
        (
            table.HELM_VALUES,
            "a: {repo: x/y, tag: v1}\nb: {image: {path: x/z, tag: v2}}\nimg: 'c:1'\n",
            ["v1", "v2", "c:1"],
        ),
    ],
)
def test_what_no_rule_of_a_kind_knows_is_overlooked(kind: Format, document: str, texts: list[str]) -> None:
    assert [each.text for each in find_overlooked(document.encode(), kind)] == texts


def test_a_marker_decides_about_a_place_that_no_rule_knows() -> None:
    document = (
        "apiVersion: x/v1\nkind: A\n# imagelock: a\ntoolImage: a:1\notherImage: b:1  # imagelock: ignore\n"
        "lastImage: c:1\nscript: |\n  # imagelock: a\n  docker run a:1\n  docker run b:1\n"
    )
    places = find_unread_places(document.encode(), table.KUBERNETES)
    assert [(each.position.line, each.text) for each in places] == [(6, "c:1"), (10, "docker run b:1")]
