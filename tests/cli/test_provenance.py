"""``imagelock provenance`` on images that BuildKit 0.32 has built, in every form in which it attests them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.project import Outcome, Project
from tests.support.provenance_vectors import GOLANG, IMAGES, write_built_images

_PAGE = Path(__file__).parents[2] / "docs" / "provenance.md"
_TRANSCRIPT = re.compile(r"```console\n(\$ imagelock provenance .*\n(?:(?!```).*\n)*)```")
_MOVED = "sha256:55e921f7f5b86300b27a7bd3485f26a6cf98b52ff6d055b24582defb37e5a537"
_CLAIM = "note: this is the builder's own statement, which carries no signature that imagelock has verified\n"


@pytest.fixture
def built(workshop: Project) -> Project:
    """A project whose lock holds the images that the vectors were built from, and the vectors."""
    write_built_images(workshop.folder)
    return workshop


@pytest.mark.parametrize(
    ("image", "exit_code"),
    [
        ("prov-v1-max-multi:1", 0),
        ("prov-v1-min-tag:2", 0),
        ("prov-v02-max-tag:3", 0),
        ("prov-v1-min-legacy:4", 0),
        ("prov-v1-min-moved:6", 1),
        ("no-prov-single:5", 2),
    ],
)
def test_each_form_has_its_verdict(built: Project, image: str, exit_code: int) -> None:
    assert built.run("provenance", f"oci:built/{image}").exit_code == exit_code
    assert built.run("provenance", f"oci:built/{image.partition(':')[0]}").exit_code == exit_code


@pytest.mark.parametrize(
    ("images", "exit_code"),
    [
        (("prov-v1-min-tag:2", "prov-v1-max-multi:1"), 0),
        (("prov-v1-min-tag:2", "no-prov-single:5"), 2),
        (("no-prov-single:5", "prov-v1-min-moved:6", "prov-v1-min-tag:2"), 1),
        (("prov-v1-min-moved:6", "prov-v1-min-tag:nope"), 1),
        (("prov-v1-min-tag:2", "prov-v1-min-tag:nope"), 2),
    ],
)
def test_of_several_images_any_no_counts_before_any_doubt(
    built: Project, images: tuple[str, ...], exit_code: int
) -> None:
    assert built.run("provenance", *(f"oci:built/{image}" for image in images)).exit_code == exit_code


def test_a_yes_names_every_base_and_says_whose_claim_it_is(built: Project) -> None:
    assert built.run("provenance", "oci:built/prov-v1-max-multi:1") == Outcome(
        0,
        "oci:built/prov-v1-max-multi:1  a8d4f7a6b927  yes\n"
        "  linux/amd64  yes\n"
        "    docker.io/library/golang:1.22  fba9cd9a3a17  yes: the locked index of go\n"
        "    docker.io/library/tiny:1       b8381d52597b  yes: the locked index of tiny\n"
        "  linux/arm64  yes\n"
        "    docker.io/library/golang:1.22  fba9cd9a3a17  yes: the locked index of go\n"
        "    docker.io/library/tiny:1       b8381d52597b  yes: the locked index of tiny\n",
        _CLAIM,
    )


def test_a_no_names_both_digests(built: Project) -> None:
    image = "oci:built/prov-v1-min-moved:6"
    assert built.run("provenance", image) == Outcome(
        1,
        f"{image}  0a7b2b9725c3  no\n"
        "  linux/amd64  no\n"
        "    docker.io/library/golang:moved  55e921f7f5b8  no: go is locked at fba9cd9a3a17 (1.22.9)\n"
        "    docker.io/library/tiny:1        b8381d52597b  yes: the locked index of tiny\n",
        f"{_CLAIM}error: not built from the lock: 1 of 1 image\n  {image}\n\n"
        "hint: run `imagelock render`, then build again: builds must start from the locked digests\n",
    )


def test_an_image_that_is_not_locked_is_named_with_the_command_that_locks_it(built: Project) -> None:
    built.write("images.toml", '[images]\ngo = "golang:1.22"\n')
    lock = built.read("images.lock")
    built.write("images.lock", lock[: lock.index("\n[images.tiny]")])
    outcome = built.run("provenance", "oci:built/prov-v1-min-tag:2")
    assert outcome.exit_code == 1
    assert "    docker.io/library/tiny:1       b8381d52597b  no: not in images.lock\n" in outcome.stdout
    assert outcome.stderr.endswith(
        "hint: run `imagelock add docker.io/library/tiny:1`, then build again from the locked digest\n"
    )


def test_without_attestation_nothing_is_said(built: Project) -> None:
    image = "oci:built/no-prov-single:5"
    assert built.run("provenance", image) == Outcome(
        2,
        f"{image}  94ea89ae6402  cannot say\n  linux/amd64  cannot say: it has no attestation\n",
        f"error: cannot say what 1 of 1 image was built from\n  {image}\n\n"
        "hint: build with `docker buildx build --provenance=mode=max --push`, and name the tag or the index\n",
    )


def test_scripts_get_whole_digests(built: Project) -> None:
    outcome = built.run("provenance", "--format", "json", "oci:built/prov-v1-min-moved:6", "oci:built/nope:1")
    document = json.loads(outcome.stdout)
    assert (outcome.exit_code, document["signed"]) == (1, False)
    assert document["failures"] == [
        {"name": "oci:built/nope:1", "error": f"oci:{built.folder}/built/nope is not an OCI layout"}
    ]
    [image] = document["images"]
    assert (image["reference"], image["verdict"]) == ("oci:built/prov-v1-min-moved:6", "no")
    [platform] = image["platforms"]
    assert (platform["platform"], platform["verdict"], platform["problem"]) == ("linux/amd64", "no", None)
    assert platform["bases"][0] == {
        "repository": "docker.io/library/golang",
        "tag": "moved",
        "digest": _MOVED,
        "version": None,
        "role": "base",
        "origin": "other-digest",
        "locked": [{"name": "go", "digest": GOLANG, "version": "1.22.9"}],
    }


def test_a_layout_without_a_name_needs_no_name(built: Project) -> None:
    index = json.loads(built.read("built/prov-v1-min-tag/index.json"))
    del index["manifests"][0]["annotations"]
    built.write("built/prov-v1-min-tag/index.json", json.dumps(index))
    outcome = built.run("provenance", "oci:built/prov-v1-min-tag")
    assert outcome.exit_code == 0
    assert outcome.stdout.startswith(f"oci:built/prov-v1-min-tag@{index['manifests'][0]['digest']}  ")


def test_a_name_in_a_layout_writes_no_line_of_ours(built: Project) -> None:
    text = built.read("built/prov-v1-min-moved/index.json")
    built.write(
        "built/prov-v1-min-moved/index.json", text.replace('ref.name":"6"', 'ref.name":"6\\n  linux/amd64  yes"')
    )
    outcome = built.run("provenance", "oci:built/prov-v1-min-moved")
    assert outcome.exit_code == 1
    assert outcome.stdout.splitlines()[1] == "  linux/amd64  no"


def test_layouts_are_found_from_the_working_directory(built: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built.folder / "built")
    assert built.run("provenance", "oci:prov-v1-min-tag:2").exit_code == 0


def test_an_empty_layout_is_no_yes(built: Project) -> None:
    built.write("empty/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
    built.write("empty/index.json", '{"schemaVersion": 2, "manifests": []}')
    assert built.run("provenance", "oci:empty") == Outcome(
        2, "", "error: oci:empty has no images\n\nhint: name an image, as in `oci:DIR:NAME`\n"
    )


def test_a_stale_lock_is_refused(built: Project) -> None:
    built.write("images.toml", IMAGES + 'redis = "redis:7"\n')
    outcome = built.run("provenance", "oci:built/prov-v1-min-tag:2")
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert "redis: declared, but not locked" in outcome.stderr


def test_the_page_is_true(built: Project) -> None:
    shown = _TRANSCRIPT.findall(_PAGE.read_text())
    assert len(shown) == 2
    for transcript in shown:
        command, *_ = transcript.splitlines()
        outcome = built.run(*command.removeprefix("$ imagelock ").split())
        assert transcript == f"{command}\n{outcome.stdout}{outcome.stderr}"
