"""What files around a document, and rules of images.toml, decide about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import basename, dirname

import pytest

from imagelock.documents.context import DocumentContext, DocumentRules, KindRule, PlacesRule
from imagelock.documents.formats.format_finder import find_references
from imagelock.documents.formats.place_rules import Parts, Text
from imagelock.documents.references import Image, NotEditable
from tests.support.documents import DIGEST, describe, pin_all


@dataclass(frozen=True, slots=True)
class _Tree:
    files: Mapping[str, str]

    def read(self, path: str) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(basename(path) for path in self.files if dirname(path) == folder)

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.files))


def _found(files: Mapping[str, str], path: str, rules: DocumentRules | None = None) -> list[str] | None:
    """Describe the references of one of the files, with the reasons of those that can't be edited."""
    content = files[path].encode()
    kind = DocumentContext(_Tree(files), rules).find_kind(path, content)
    if kind is None:
        return None
    found = []
    for reference in find_references(content, kind).references:
        editing = reference.target.editing if isinstance(reference.target, Image) else None
        found.append(describe(reference) + (f" ! {editing.reason}" if isinstance(editing, NotEditable) else ""))
    return found


def _services(**services: str) -> str:
    return "services:\n" + "".join(f"  {name}: {{{text}}}\n" for name, text in services.items())


_BUILT = _services(app="build: .")
_APP = _services(app="image: 'acme/app:1'", db="image: 'redis:7'")
_DB_ONLY = ["image redis:7"]


@pytest.mark.parametrize(
    "files",
    [
        {"compose.yaml": _APP, "compose.override.yaml": _BUILT},
        {"docker-compose.yml": _APP, "docker-compose.dev.yml": _BUILT},
        {"compose.yaml": _APP, "compose-dev.yaml": _services(other="build: ., image: 'acme/app:1'")},
        {"compose.yaml": _APP, ".env": "COMPOSE_FILE=compose.yaml:dev/x.yml", "dev/x.yml": _BUILT},
        {"compose.yaml": _APP, ".env": "COMPOSE_PATH_SEPARATOR=;\nCOMPOSE_FILE=dev/x.yml;y.yml", "y.yml": _BUILT},
        {"compose.yaml": f"include: [sub/x.yml]\n{_APP}", "sub/x.yml": _services(a="build: ., image: 'acme/app:1'")},
        {
            "compose.yaml": f"include: [{{path: [a.yml, b.yml]}}]\n{_APP}",
            "b.yml": _services(a="build: ., image: 'acme/app:1'"),
        },
        {
            "compose.yaml": _services(
                web="build: ., image: 'acme/app:1'", app="image: 'acme/app:1'", db="image: 'redis:7'"
            )
        },
        {
            "compose.yaml": _services(
                app="image: 'acme/app:1', extends: {file: b.yml, service: base}", db="image: 'redis:7'"
            ),
            "b.yml": _services(base="build: ."),
        },
        {
            "compose.yaml": _services(
                app="image: 'acme/app:1', extends: {file: d/b.yml, service: base}", db="image: 'redis:7'"
            ),
            "d/b.yml": _services(base="extends: {file: c.yml, service: x}"),
            "d/c.yml": _services(x="build: ."),
        },
    ],
)
def test_what_any_file_of_a_compose_project_builds_is_an_output(files: dict[str, str]) -> None:
    assert _found(files, "compose.yaml" if "compose.yaml" in files else "docker-compose.yml") == _DB_ONLY


def test_what_a_service_of_another_file_extends_and_builds_is_an_output_where_it_is_named() -> None:
    files = {
        "compose.yaml": _services(web="extends: {file: common/base.yml, service: base}, build: ."),
        "common/base.yml": _services(base="image: 'acme/base:1'", db="image: 'redis:7'"),
    }
    assert _found(files, "common/base.yml") == _DB_ONLY


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (
            {
                "compose.yaml": _services(
                    app="image: 'acme/app:1'", worker="image: 'acme/app:1'", db="image: 'redis:7'"
                ),
                "compose.override.yaml": _services(app="build: ."),
            },
            _DB_ONLY,
        ),
        (
            {
                "compose.yaml": _services(app="image: 'acme/app:1'")
                + "---\n"
                + _services(app="build: .", worker="image: 'acme/app:1'", db="image: 'redis:7'")
            },
            _DB_ONLY,
        ),
        (
            {
                "compose.yaml": _services(app="build: {context: ., tags: ['acme/app:1']}", worker="image: 'acme/app:1'")
                + "  db: {image: 'redis:7'}\n"
            },
            _DB_ONLY,
        ),
    ],
)
def test_the_name_of_what_a_service_builds_is_an_output_wherever_it_is(files: dict[str, str], found: list[str]) -> None:
    assert _found(files, "compose.yaml") == found


def test_files_that_one_include_merges_are_one_project() -> None:
    files = {
        "compose.yaml": "include: [{path: [a/one.yml, a/two.yml]}]\n",
        "a/one.yml": _services(app="image: 'acme/app:1'", db="image: 'redis:7'"),
        "a/two.yml": _services(app="build: ."),
    }
    assert _found(files, "a/one.yml") == _DB_ONLY


def test_a_build_that_is_reset_makes_no_output() -> None:
    files = {
        "compose.yaml": _services(
            app="build: ., image: 'acme/app:1'",
            db="extends: app, build: !reset null, image: 'redis:7'",
            copy="extends: {service: db}",
        )
    }
    assert _found(files, "compose.yaml") == _DB_ONLY


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"compose.yaml": _APP, "other/compose.yaml": _BUILT}, ["image acme/app:1", "image redis:7"]),
        (
            {"compose.yaml": _APP, "compose.override.yaml": _services(app="build: null")},
            ["image acme/app:1", "image redis:7"],
        ),
        (
            {"compose.yaml": _APP, "compose.override.yaml": _services(app="build: !reset null")},
            ["image acme/app:1", "image redis:7"],
        ),
        (
            {"compose.yaml": _services(app="build: !reset null, image: 'a:1'"), "compose.dev.yaml": _BUILT},
            ["image a:1"],
        ),
        ({"compose.yaml": _services(app="image: !reset null", x="image: !override 'a:1'")}, ["image a:1"]),
        ({"compose.yaml": "services:\n  app: !reset {image: 'a:1'}\n  b: !override {image: 'b:1'}\n"}, ["image b:1"]),
        ({"compose.yaml": "web: {image: 'a:1'}\napp: {build: ., image: 'b:1'}\nc: {image: 'b:1'}\n"}, ["image a:1"]),
        ({"compose.yaml": "x-web: {image: 'a:1'}\nvolumes: {}\n"}, []),
        (
            {"compose.yaml": _services(a="image: true", b="image: 5", c="image: https://x/y", d=f"image: '{DIGEST}'")},
            [],
        ),
        (
            {"compose.yaml": _services(a="image: 'a:1', extends: {file: missing.yml, service: x}")},
            ["image a:1 ! it may be the name of what the extended service builds"],
        ),
        (
            {
                "compose.yaml": _services(a="image: 'a:1', extends: {file: b.yml, service: x}"),
                "b.yml": _services(x="image: 'b:1'"),
            },
            ["image a:1"],
        ),
        (
            {"compose.yaml": "services:\n  a: {image: &i 'a:1', environment: {IMAGE: *i}}\n  b: {image: 'b:1'}\n"},
            ["image a:1 ! an alias uses it for something else, too", "image b:1"],
        ),
        (
            {"compose.yaml": _services(db="image: 'a:1'", app="extends: db, image: 'acme/app:1', build: .")},
            ["image a:1"],
        ),
        (
            {
                "compose.yaml": "x-a: &a {image: 'a:1'}\nservices:\n  w: {<<: *a, build: .}\n  b: *a\n"
                "  c: {image: 'b:1'}\n"
            },
            ["image b:1"],
        ),
    ],
)
def test_what_no_file_builds_is_an_input(files: dict[str, str], found: list[str]) -> None:
    assert _found(files, "compose.yaml") == found


_HINTED = "! `IMG` has its value in `.env`"


@pytest.mark.parametrize(
    ("image", "env", "found"),
    [
        ("$IMG", "IMG=redis:7\n", [f"image $IMG = redis:7 {_HINTED}"]),
        ("${IMG:-nginx:1}", "IMG=redis:7\n", [f"image ${{IMG:-nginx:1}} = redis:7 {_HINTED}"]),
        ("${IMG:-nginx:1}", "IMG=\n", ["image ${IMG:-nginx:1} = nginx:1"]),
        ("${IMG:-nginx:1}", "OTHER=x\n", ["image ${IMG:-nginx:1} = nginx:1"]),
        ("${IMG:-nginx:1}", "B=redis\nIMG=${B}:7\n", [f"image ${{IMG:-nginx:1}} = redis:7 {_HINTED}"]),
        ("redis:$TAG", "TAG='7'\n", ["image redis:$TAG = redis:7 ! a variable decides the tag"]),
        ("$REG/app:1", "REG=r.io\n", ["image $REG/app:1 = r.io/app:1"]),
        ("$IMG", "IMG='a\n", ["image $IMG: `IMG` has no default"]),
    ],
)
def test_the_file_of_variables_beside_a_compose_file_supplies_them(image: str, env: str, found: list[str]) -> None:
    files = {"compose.yaml": _services(a=f"image: '{image}'"), ".env": env}
    assert _found(files, "compose.yaml") == found


def test_a_variable_that_holds_a_whole_image_is_pinned_where_its_value_is() -> None:
    files = {
        "compose.yaml": _services(
            a="image: $WEB",
            b="image: '${DB:-x:1}'",
            c="image: 'redis:$TAG'",
            d="image: $OUT, build: .",
            e="image: $BOTH, command: $BOTH",
        ),
        ".env": "WEB=nginx:1\nDB=postgres:16\nTAG=7\nOUT=acme/app:1\nBOTH=busybox:1\nBUILT_IMAGE=a:1\nELSE=redis:7\n",
    }
    assert _found(files, ".env") == ["image nginx:1", "image postgres:16", "image a:1"]


def test_a_built_name_in_a_variable_is_no_image_whatever_the_variable_is_called() -> None:
    files = {
        "compose.yaml": _services(a="image: $APP_IMAGE, build: ."),
        ".env": "APP_IMAGE=acme/app:1\nDB_IMAGE=redis:7\n",
    }
    assert _found(files, ".env") == ["image redis:7"]


def test_gitlab_files_are_those_that_the_pipeline_includes() -> None:
    job = "job: {image: 'ruby:3'}\n"
    files = {
        ".gitlab-ci.yml": "include:\n- local: /ci/a.yml\n- ci/deep/*.yml\n- {project: x, file: b.yml}\n- https://x/y.yml\n",
        "ci/a.yml": f"include: ci/c.yml\n{job}",
        "ci/c.yml": job,
        "ci/deep/d.yml": job,
        "b.yml": job,
    }
    assert {path: _found(files, path) for path in files if path != ".gitlab-ci.yml"} == {
        "ci/a.yml": ["image ruby:3"],
        "ci/c.yml": ["image ruby:3"],
        "ci/deep/d.yml": ["image ruby:3"],
        "b.yml": None,
    }


def test_parts_that_a_rule_lists_are_nothing_else() -> None:
    resource = (
        "apiVersion: x/v1\nkind: Policy\nspec: {driver: {repository: q.io/x, image: d, version: '5', digest: ''}}\n"
    )
    files = {
        "policy.yaml": resource,
        "values.yaml": "a: {baseImage: q/a, version: v1, digest: ''}\nb: {baseImage: q/b, version: v1}\n",
    }
    rules = DocumentRules(
        places=(
            PlacesRule(
                "policy.yaml", (Parts("spec.driver", name=("image",), registry=("repository",), tag=("version",)),)
            ),
            PlacesRule("values.yaml", (Parts("a", name=("baseImage",), tag=("version",), digest=("digest",)),)),
        )
    )
    assert {path: _found(files, path, rules) for path in files} == {
        "policy.yaml": ["image 5 = q.io/x/d:5 ! only the chart knows where its digest goes"],
        "values.yaml": ["image v1 = q/a:v1", "image q/b: only the chart knows whether `version` beside it is its tag"],
    }


def test_rules_say_what_a_file_is_and_where_else_its_images_are() -> None:
    files = {
        "env/prod.yaml": "image: {repository: redis, tag: '7'}\n",
        "x.yml.dist": _APP,
        "none.yaml": "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'a:1'}]}\n",
        "clusters/a.yaml": "apiVersion: x/v1\nkind: Cluster\nspec: {imageName: 'pg:16', image: 'b:1'}\n",
        "app/config.yaml": "app: {repo: r.io/a, tag: v1, digest: ''}\nlegacy: {repo: b, tag: v2}\n",
        "values.yaml": "a: {image: 'a:1'}\nlegacy: {image: 'b:1'}\n",
        "x.properties": "tc.image=a:1\n",
    }
    rules = DocumentRules(
        (KindRule("env/*.yaml", "helm-values"), KindRule("*.yml.dist", "compose"), KindRule("none.yaml", "none")),
        (
            PlacesRule("clusters/**/*.yaml", (Text("Cluster:spec.imageName"),), ("spec.image",)),
            PlacesRule("app/config.yaml", (Parts("app", name=("repo",), tag=("tag",), digest=("digest",)),)),
            PlacesRule("values.yaml", (), ("legacy.**",)),
            PlacesRule("*.properties", (Text('"tc.image"'),)),
        ),
    )
    assert {path: _found(files, path, rules) for path in files} == {
        "env/prod.yaml": ["image 7 = redis:7 ! only the chart knows where its digest goes"],
        "x.yml.dist": ["image acme/app:1", "image redis:7"],
        "none.yaml": None,
        "clusters/a.yaml": ["image pg:16"],
        "app/config.yaml": ["image v1 = r.io/a:v1"],
        "values.yaml": ["image a:1"],
        "x.properties": ["image a:1"],
    }


def test_a_pinned_output_of_a_project_stays_one() -> None:
    files = {
        "compose.yaml": _services(app=f"image: 'acme/app:1@{DIGEST}'", db="image: 'redis:7'"),
        "compose.dev.yaml": _BUILT,
    }
    content = files["compose.yaml"].encode()
    kind = DocumentContext(_Tree(files)).find_kind("compose.yaml", content)
    assert kind is not None
    assert pin_all(content, kind).content == content.replace(b"redis:7", f"redis:7@{DIGEST}".encode())


_MANIFEST = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'controller:latest'}, {image: 'b:1'}]}\n"
_TAGGED = "resources: [pod.yaml]\nimages: [{name: controller, newName: acme/ctl, newTag: v1}]\n"
_ALL = ["image controller:latest", "image b:1"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"config/kustomization.yaml": _TAGGED}, ["image b:1"]),
        ({"Kustomization": _TAGGED.replace("pod.yaml", "config/pod.yaml")}, ["image b:1"]),
        ({"config/kustomization.yaml": _TAGGED.replace("pod.yaml", "other.yaml")}, _ALL),
        ({"config/kustomization.yaml": "resources: [pod.yaml]\nimages: [{name: controller, newName: x}]\n"}, _ALL),
        (
            {
                "config/kustomization.yaml": "resources: [pod.yaml]\n",
                "prod/kustomization.yaml": _TAGGED.replace("pod.yaml", "../config"),
            },
            ["image b:1"],
        ),
        (
            {
                "config/kustomization.yaml": "resources: [pod.yaml]\n",
                "prod/kustomization.yaml": _TAGGED.replace("pod.yaml", "../config"),
                "dev/kustomization.yaml": "resources: [../config]\n",
            },
            _ALL,
        ),
        ({"config/kustomization.yaml": "resources: [., pod.yaml]\nimages: [\n"}, _ALL),
        (
            {
                "config/kustomization.yaml": "resources: [pod.yaml, ../prod]\n",
                "prod/kustomization.yaml": "resources: [../config]",
            },
            _ALL,
        ),
    ],
)
def test_a_name_that_every_kustomization_of_a_manifest_replaces_is_no_input(
    files: dict[str, str], found: list[str]
) -> None:
    assert _found({"config/pod.yaml": _MANIFEST, **files}, "config/pod.yaml") == found


def test_gitlab_follows_patterns_child_pipelines_and_every_pipeline() -> None:
    job = "a: {image: 'a:1'}\n"
    files = {
        ".gitlab-ci.yml": "include: /deep/**.yml\nb: {trigger: {include: [{local: child.yml}]}}\n",
        "deep/x/y.yml": job,
        "child.yml": f"include: grandchild.yml\n{job}",
        "grandchild.yml": job,
        "tools/x.gitlab-ci.yml": "include: {local: /tools/more.yml}\n",
        "tools/more.yml": job,
    }
    found = {path for path in files if _found(files, path) == ["image a:1"]}
    assert found == {"deep/x/y.yml", "child.yml", "grandchild.yml", "tools/more.yml"}


@pytest.mark.parametrize(
    "files",
    [
        {
            "kustomization.yaml": "resources: [d.yaml]\ncomponents: [c]\n",
            "c/kustomization.yaml": "kind: Component\nimages: [{name: a, newTag: '2'}]\n",
        },
        {"kustomization.yaml": "patches: [{path: d.yaml}]\nimages: [{name: a, newTag: '2'}]\n"},
        {"kustomization.yaml": "resources: [d.yaml]\nimages: [{name: a, tagSuffix: -x}]\n"},
    ],
)
def test_images_that_a_component_or_the_patched_kustomization_replaces_are_no_inputs(files: dict[str, str]) -> None:
    pod = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'a:1'}]}\n"
    assert _found({**files, "d.yaml": pod}, "d.yaml") == []
    assert _found({**files, "other.yaml": pod}, "other.yaml") == ["image a:1"]
