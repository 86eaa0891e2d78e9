from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.oci_images import DOCKER, Content, multi_platform_image
from tests.support.oci_layout import write_layout
from tests.support.project import Outcome, Project

_BOTH = ("linux/amd64", "linux/arm64")
_NAMES = ["golang:1.22", "node:20"]


def _bytes(*images: Content) -> int:
    return sum(map(len, {content.digest: content.body for image in images for content in image.walk()}.values()))


def _entries(folder: Path) -> dict[str, str]:
    index = json.loads((folder / "index.json").read_text())
    return {entry["annotations"]["org.opencontainers.image.ref.name"]: entry["digest"] for entry in index["manifests"]}


def _files(folder: Path) -> set[str]:
    return {f"sha256:{path.name}" for path in folder.glob("blobs/*/*")}


def _digests(*images: Content) -> set[str]:
    return {content.digest for image in images for content in image.walk()}


def test_a_layout_is_made_of_the_lock(locked: Project) -> None:
    outcome = locked.run("mirror", "oci:out/layout")
    assert (outcome.exit_code, outcome.stdout) == (0, "")
    assert outcome.stderr.startswith("Mirrored 2 images to out/layout in ")
    folder = locked.folder / "out/layout"
    assert _entries(folder) == {name: locked.images[name].digest for name in _NAMES}
    assert _files(folder) == _digests(*locked.images.values())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert "0 B fetched" in locked.run("mirror", "oci:out/layout").stderr
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_only_named_images_are_copied_and_others_stay(locked: Project) -> None:
    assert locked.run("mirror", "oci:out", "go").exit_code == 0
    assert list(_entries(locked.folder / "out")) == ["golang:1.22"]
    assert locked.run("mirror", "oci:out", "node").exit_code == 0
    assert list(_entries(locked.folder / "out")) == _NAMES


def test_scripts_get_names_and_sizes(locked: Project) -> None:
    document = json.loads(locked.run("mirror", "oci:out", "--format", "json", "--prune").stdout)
    assert document == {
        "schema": 1,
        "folder": "out",
        "images": [{"name": name, "digest": locked.images[name].digest, "signature": False} for name in _NAMES],
        "size_bytes": _bytes(*locked.images.values()),
        "fetched_bytes": document["fetched_bytes"],
        "skipped": [],
        "pruned": {"count": 0, "size_bytes": 0},
    }
    assert 0 < document["fetched_bytes"] < document["size_bytes"]


def test_after_an_update_the_old_content_stays_until_it_is_pruned(locked: Project) -> None:
    assert locked.run("mirror", "oci:out").exit_code == 0
    old, new = locked.images["node:20"], multi_platform_image(*_BOTH, note="new")
    locked.push("node:20", new)
    assert locked.run("update").exit_code == locked.run("mirror", "oci:out").exit_code == 0
    folder = locked.folder / "out"
    go = locked.images["golang:1.22"]
    assert _entries(folder) == {"golang:1.22": go.digest, "node:20": new.digest, f"node@{old.digest}": old.digest}
    assert _files(folder) == _digests(go, new, old)
    outcome = locked.run("mirror", "oci:out", "go", "--prune")
    assert outcome.exit_code == 0
    assert outcome.stderr.splitlines()[1].startswith("Removed ")
    assert _entries(folder) == {"golang:1.22": go.digest, "node:20": new.digest}
    assert _files(folder) == _digests(go, new)


def test_pruning_is_refused_where_a_locked_image_is_incomplete(locked: Project) -> None:
    assert locked.run("mirror", "oci:out").exit_code == 0
    folder = locked.folder / "out"
    child = locked.images["node:20"].children[0].digest.removeprefix("sha256:")
    (folder / "blobs/sha256" / child).unlink()
    before = _files(folder)
    assert locked.run("mirror", "oci:out", "go", "--prune").exit_code == 2
    assert _files(folder) == before


def test_a_changed_byte_in_the_layout_is_found_by_every_reader(locked: Project) -> None:
    assert locked.run("mirror", "oci:out").exit_code == 0
    layer = locked.images["node:20"].children[0].children[1]
    path = locked.folder / "out/blobs/sha256" / layer.digest.removeprefix("sha256:")
    path.write_bytes(layer.body[:-1] + bytes([layer.body[-1] ^ 1]))
    text = locked.read("images.toml").replace("oci:vendor", "oci:out")
    locked.write("images.toml", text)
    assert locked.run("lock").exit_code == 0
    outcome = locked.run("verify", "--blobs")
    assert outcome.exit_code == 1
    assert layer.digest in outcome.stderr
    locked.write("images.toml", text.replace("oci:out", "oci:vendor"))
    assert locked.run("lock").exit_code == 0
    document = json.loads(locked.run("mirror", "oci:out", "--format", "json").stdout)
    assert document["fetched_bytes"] == len(layer.body)
    assert path.read_bytes() == layer.body


def test_a_missing_layer_is_an_error_and_index_json_stays(locked: Project) -> None:
    assert locked.run("mirror", "oci:out", "go").exit_code == 0
    before = (locked.folder / "out/index.json").read_bytes()
    layer = locked.images["node:20"].children[0].children[1].digest
    (locked.folder / "vendor/blobs/sha256" / layer.removeprefix("sha256:")).unlink()
    outcome = locked.run("mirror", "oci:out")
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith("error: cannot fetch 1 of ")
    assert f"oci:vendor@{layer}: oci:vendor lacks {layer}" in outcome.stderr
    assert (locked.folder / "out/index.json").read_bytes() == before


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("out", "`out` is not a layout"),
        ("oci:", "`oci:` is not a directory"),
        ("oci:out:go", "`oci:out:go` is not a directory"),
        ("oci:vendor/blobs", "vendor/blobs is neither empty nor an OCI layout"),
        ("oci:images.toml", "cannot read images.toml: Not a directory"),
    ],
)
def test_targets_that_are_no_layouts_are_refused(locked: Project, target: str, message: str) -> None:
    before = sorted(locked.folder.rglob("*"))
    outcome = locked.run("mirror", target)
    assert (outcome.exit_code, outcome.stderr.splitlines()[0]) == (2, f"error: {message}")
    assert sorted(locked.folder.rglob("*")) == before


def test_names_are_checked(locked: Project) -> None:
    outcome = locked.run("mirror", "oci:out", "god")
    assert outcome.exit_code == 2
    assert "images.toml has no image `god`; did you mean `go`?" in outcome.stderr
    assert not (locked.folder / "out").exists()


def test_a_stale_lock_is_refused(locked: Project) -> None:
    locked.write("images.toml", locked.read("images.toml").replace("node:20", "node:21"))
    assert locked.run("mirror", "oci:out").exit_code == 2
    assert not (locked.folder / "out").exists()


def test_commands_are_printed_without_network(workshop: Project) -> None:
    workshop.declare_locked()
    locked = {name: image["digest"] for name, image in workshop.locked.items()}
    assert workshop.run("mirror", "--offline", "--print", "crane", "r.example:5000/hub") == Outcome(
        0,
        f"crane copy docker.io/library/golang@{locked['go']} r.example:5000/hub/library/golang:1.22\n"
        f"crane copy docker.io/library/nginx@{locked['nginx']} r.example:5000/hub/library/nginx:1.25\n",
        "note: crane copies no signatures by itself: `imagelock mirror oci:DIR` takes them along\n",
    )
    outcome = workshop.run("mirror", "--print", "skopeo", "localhost:5000/hub", "go")
    assert outcome.stdout == (
        "skopeo copy --all --preserve-digests --dest-tls-verify=false "
        f"docker://docker.io/library/golang@{locked['go']} docker://localhost:5000/hub/library/golang:1.22\n"
    )


@pytest.mark.parametrize("target", ["oci:out", "https://r.example", "r.example/UPPER", ""])
def test_commands_need_a_registry(workshop: Project, target: str) -> None:
    workshop.declare_locked()
    outcome = workshop.run("mirror", "--print", "skopeo", target)
    assert (outcome.exit_code, outcome.stdout) == (2, "")


@pytest.mark.parametrize("option", [["--prune"], ["--no-signatures"], ["--format", "json"]])
def test_printing_takes_no_option_of_copying(workshop: Project, option: list[str]) -> None:
    workshop.declare_locked()
    outcome = workshop.run("mirror", "--print", "skopeo", "r.example/hub", *option)
    assert outcome.exit_code == 2
    message = "--print only prints commands: leave out --prune, --no-signatures and --format"
    assert outcome.stderr == f"error: {message}\n\nhint: run `imagelock mirror --help`\n"


def test_images_in_dockers_format_are_named(locked: Project) -> None:
    locked.push("node:20", multi_platform_image(*_BOTH, family=DOCKER))
    assert locked.run("update").exit_code == 0
    assert locked.run("mirror", "oci:out", "go").stderr.count("\n") == 1
    assert locked.run("mirror", "oci:out").stderr.splitlines()[1] == (
        "note: 1 image in Docker's older format (node:20): BuildKit and imagelock read that in a layout, "
        "skopeo and podman do not"
    )


def test_a_layout_does_not_answer_for_itself(workshop: Project) -> None:
    workshop.declare_locked('[registries."docker.io"]\nmirrors = ["oci:out"]\nmirrors-resolve-tags = true\n')
    images = {f"docker.io/library/{name}:1": multi_platform_image(*_BOTH, note=name) for name in ("golang", "nginx")}
    write_layout(workshop.folder / "out", images)
    outcome = workshop.run("mirror", "oci:./out", "--offline")
    assert outcome.exit_code == 2
    assert "offline mode is on" in outcome.stderr
