"""The questions that one asks about any image by hand, with the images that ship with the repository."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from imagelock.cli.main import run
from tests.support.oci_images import OCI, Content, IndexEntry, attestation_of, image_index, platform_image
from tests.support.oci_layout import write_layout
from tests.support.reports import check_report

_AMD64 = platform_image("linux/amd64", labels={"org.opencontainers.image.version": "1.2.3"})
_ARM64 = platform_image("linux/arm64")
_INDEX = image_index(_AMD64, _ARM64)


@pytest.fixture(autouse=True)
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_layout(tmp_path / "layout", {"app:1": _INDEX, "single": _AMD64.content})
    monkeypatch.chdir(tmp_path)


def test_a_digest_a_line_in_the_order_of_the_references(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "oci:layout:single", "oci:layout:app:1"]) == 0
    assert capfd.readouterr() == (f"{_AMD64.content.digest}\n{_INDEX.digest}\n", "")


def test_a_full_reference_can_be_pulled(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "--full-ref", "oci:layout:app:1"]) == 0
    assert capfd.readouterr() == (f"oci:layout@{_INDEX.digest}\n", "")


def test_the_digest_of_one_platform_comes_with_a_note(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "--platform", "linux/arm64/v8", "oci:layout:app:1"]) == 0
    assert capfd.readouterr() == (
        f"{_ARM64.content.digest}\n",
        "note: this digest serves linux/arm64 only; without --platform you get the one that serves all\n",
    )


def test_without_every_digest_none_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "oci:layout:app:1", "oci:layout:ap:1", "oci:nowhere:x"]) == 2
    assert capfd.readouterr() == (
        "",
        (
            "error: cannot resolve 2 of 3 references\n"
            "  oci:layout:ap:1: oci:layout has no image named `ap:1`; did you mean `app:1`?\n"
            "    it has: app:1, single\n"
            "  oci:nowhere:x: oci:nowhere is not an OCI layout\n"
            "    nowhere/index.json: No such file or directory\n"
        ),
    )


def test_an_index_is_shown_with_its_platforms(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "oci:layout:app:1"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[:2] == ["oci:layout:app:1", f"  digest   {_INDEX.digest}"]
    assert "    org.opencontainers.image.version  1.2.3" in out
    assert [line.split()[:2] for line in out[-2:]] == [
        ["linux/amd64", _AMD64.content.digest],
        ["linux/arm64", _ARM64.content.digest],
    ]


def test_a_label_cannot_write_lines_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = platform_image("linux/amd64", labels={"note": "one\n  digest   sha256:forged"})
    write_layout(tmp_path / "layout", {"forged:1": image.content})
    assert run(["inspect", "oci:layout:forged:1"]) == 0
    assert "    note  one\\n  digest   sha256:forged" in capfd.readouterr().out.splitlines()


def test_a_key_cannot_write_a_hint_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = Content(media_type=OCI.index, body=rb'{"x\n\nhint: run":1,"x\n\nhint: run":2}')
    write_layout(tmp_path / "layout", {"forged:1": content})
    assert run(["inspect", "oci:layout:forged:1"]) == 2
    assert capfd.readouterr().err == (
        f"error: the manifest {content.digest} is ambiguous: the key `x\\n\\nhint: run` occurs twice\n"
    )


def test_one_platform_is_shown_with_its_layers(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "--platform", "linux/arm64", "oci:layout:app:1"]) == 0
    out = capfd.readouterr().out
    assert f"  digest   {_ARM64.content.digest}\n" in out
    assert "  layers\n" in out


def test_the_raw_bytes_have_the_digest(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run(["inspect", "--raw", "oci:layout:app:1"]) == 0
    assert f"sha256:{sha256(capfdbinary.readouterr().out).hexdigest()}" == _INDEX.digest


def test_the_document_for_scripts_names_everything(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "--format", "json", "oci:layout:app:1"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert (document["schema"], document["digest"], document["index"]) == (1, _INDEX.digest, True)
    assert document["config"]["labels"] == {"org.opencontainers.image.version": "1.2.3"}
    assert [image["platform"] for image in document["images"]] == ["linux/amd64", "linux/arm64"]
    assert all(
        image["size_bytes"] == sum(layer["size_bytes"] for layer in image["layers"]) for image in document["images"]
    )


def test_the_cache_is_found_measured_and_deleted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cache = tmp_path / "cache"
    content = cache / "content" / "sha256" / "aa"
    content.parent.mkdir(parents=True)
    content.write_bytes(b"0" * 1500)
    for arguments in (["dir"], ["size"], ["clean"], ["size"]):
        assert run(["--cache-dir", str(cache), "cache", *arguments]) == 0
    assert capfd.readouterr() == (f"{cache}\n1 file, 1.5 kB\n0 files, 0 B\n", "Removed 1 file, 1.5 kB\n")


def test_there_is_no_cache_where_none_is_wanted(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "size", "--no-cache"]) == 2
    assert capfd.readouterr() == ("", "error: there is no cache with `--no-cache`\n")


def _write(name: str, content: Content) -> None:
    write_layout(Path("other"), {name: content})


def test_indexes_in_an_index_are_shown_with_their_images(capfd: pytest.CaptureFixture[str]) -> None:
    inner = [
        IndexEntry(content=image_index(image, attestation_of(image)), platform=image.platform)
        for image in (_AMD64, _ARM64)
    ]
    _write("nested", image_index(*inner))
    assert run(["inspect", "oci:other:nested"]) == 0
    out = capfd.readouterr().out
    assert "kind        image index of 2 platforms, 2 of its entries are indexes" in out.replace(
        "kind     ", "kind        "
    )
    assert f"linux/amd64  {_AMD64.digest}" in out
    assert f"linux/arm64  {inner[1].digest}  image index" in out
    assert run(["inspect", "--format", "json", "oci:other:nested"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [image["platform"] for image in document["images"]] == ["linux/amd64", "linux/arm64"]
    assert [entry["digest"] for entry in document["nested"]] == [entry.digest for entry in inner]
    assert run(["inspect", "--platform", "linux/arm64", "oci:other:nested"]) == 0
    assert _ARM64.digest in capfd.readouterr().out


def _chart() -> Content:
    config = Content(media_type="application/vnd.cncf.helm.config.v1+json", body=b'{"name": "x"}')
    body = {"schemaVersion": 2, "mediaType": OCI.manifest, "config": config.descriptor(), "layers": []}
    return Content(media_type=OCI.manifest, body=json.dumps(body).encode(), children=(config,))


def test_an_artifact_is_shown_as_what_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    _write("chart", _chart())
    assert run(["inspect", "oci:other:chart"]) == 0
    assert "no image, but a Helm chart" in capfd.readouterr().out
    assert run(["inspect", "--format", "json", "oci:other:chart"]) == 0
    assert json.loads(capfd.readouterr().out)["artifact"] == {"kind": "helm-chart", "message": "a Helm chart"}
    assert run(["digest", "oci:other:chart"]) == 0


def test_what_strays_in_an_index_is_listed(capfd: pytest.CaptureFixture[str]) -> None:
    chart = _chart()
    _write("stray", image_index(_AMD64, IndexEntry(content=chart)))
    assert run(["inspect", "oci:other:stray"]) == 0
    out = capfd.readouterr().out
    assert "image index of 1 platform" in out
    assert f"{chart.digest}  a Helm chart" in out
    assert run(["inspect", "--format", "json", "oci:other:stray"]) == 0
    out = capfd.readouterr().out
    check_report(["inspect"], out, 0)
    assert json.loads(out)["others"] == [
        {"platform": None, "digest": chart.digest, "kind": "helm-chart", "message": "a Helm chart"}
    ]


def test_raw_content_has_no_other_format(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "--raw", "--format", "json", "oci:other:x"]) == 2
    assert "--raw prints what the registry serves: leave out --format" in capfd.readouterr().err


def test_tags_of_digests_are_set_apart(capfd: pytest.CaptureFixture[str]) -> None:
    kin = [f"sha256-{'ab' * 32}.sig", f"sha256-{'cd' * 32}"]
    write_layout(Path("signed"), dict.fromkeys(("1.0", "2.0", *kin), _AMD64.content))
    assert run(["tags", "oci:signed"]) == 0
    out, err = capfd.readouterr()
    assert out == "2.0\n1.0\n"
    assert "2 tags of digests set apart: signatures, attestations and the like; `-v` lists them" in err
    assert run(["tags", "-v", "oci:signed"]) == 0
    assert kin[0] in capfd.readouterr().err
    assert run(["tags", "--format", "json", "oci:signed"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert [entry["tag"] for entry in document["tags"]] == ["2.0", "1.0"]
    assert document["of_digests"] == kin
    assert run(["tags", "--version", ">=1", "oci:signed"]) == 0
    assert "2 of 2 tags fit the pattern" in capfd.readouterr().err


def test_a_variant_that_has_ended_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    write_layout(Path("ended"), dict.fromkeys(("1.0-buster", "1.1", "1.1-trixie"), _AMD64.content))
    assert run(["tags", "--version", ">=1", "--variant", "buster", "oci:ended"]) == 0
    assert "other variants go on to 1.1: 1.1, 1.1-trixie" in capfd.readouterr().err
