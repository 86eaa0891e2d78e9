"""The policies: their bytes, and what builders make of them, by a model of each builder's language."""

from __future__ import annotations

import json

import pytest

from imagelock.errors import ImagelockError
from tests.support.exported_images import AMD64, ARM64, DIGEST, OTHER, export, locked_image
from tests.support.model_builder import Files, ModelImage, ModelRegistry, Request, build
from tests.support.source_policy import BuildahPolicy, BuildkitPolicy, PolicyError

_GO = locked_image("go", "golang:1.22")
_MOVED = "sha256:" + "e" * 64
_EVIL = "sha256:" + "f" * 64
_REGISTRY = ModelRegistry(
    {
        "library/golang:1.22": ModelImage(index=_MOVED, platforms={}, says="moved"),
        "library/golang:locked": ModelImage(index=DIGEST, platforms={"amd64": AMD64, "arm64": ARM64}, says="locked"),
        "library/golang:latest": ModelImage(index=_MOVED, platforms={}, says="moved"),
        "library/evil:1": ModelImage(index=_EVIL, platforms={}, says="evil"),
    },
    {"https://example.com/x": "content"},
)
_END = "FROM scratch\nCOPY --from=0 /etc/who /x\n"
_LOCKED = {"/x": "locked amd64"}


def _build(dockerfile: str, policy: str, **options: str) -> Files:
    request = Request(dockerfile=dockerfile, policy=BuildkitPolicy.parse(policy), options=options)
    return build(request, _REGISTRY)


def _rule(action: str, identifier: str, match_type: str, *, becomes: str = "", key: str = "match_type") -> object:
    rule = {"action": action, "selector": {"identifier": identifier, key: match_type}}
    return rule | ({"updates": {"identifier": becomes}} if becomes else {})


def test_the_strict_policy_denies_all_and_lets_the_locked_digests_in() -> None:
    text = export("buildkit-policy", _GO).text
    name = "docker-image://docker.io/library/golang:1.22"
    rules = [
        _rule("DENY", "*", "WILDCARD"),
        _rule("ALLOW", "local://*", "WILDCARD"),
        _rule("ALLOW", name, "EXACT"),
        _rule("CONVERT", name, "EXACT", becomes=f"{name}@{DIGEST}"),
        _rule("ALLOW", f"oci-layout://*@{DIGEST}", "WILDCARD"),
        _rule("ALLOW", f"docker-image://*@{DIGEST}", "WILDCARD"),
        _rule("ALLOW", f"docker-image://*@{AMD64}", "WILDCARD"),
        _rule("ALLOW", f"docker-image://*@{ARM64}", "WILDCARD"),
    ]
    assert text == json.dumps({"version": 1, "rules": rules}, indent=2) + "\n"


def test_the_other_policy_converts_and_denies_nothing() -> None:
    text = export("buildkit-policy", _GO, pin_only=True).text
    name = "docker-image://docker.io/library/golang:1.22"
    rules = [
        _rule("CONVERT", name, "EXACT", becomes=f"{name}@{DIGEST}"),
        _rule("CONVERT", f"{name}@*", "WILDCARD", becomes=f"{name}@{DIGEST}"),
    ]
    assert text == json.dumps({"version": 1, "rules": rules}, indent=2) + "\n"


def test_what_an_engine_does_with_the_other_policy_is_noted() -> None:
    assert export("buildkit-policy", _GO).notes == export("buildah-policy", _GO, pin_only=True).notes == ()
    assert [note for note in export("buildkit-policy", _GO, pin_only=True).notes if "Docker Engine 26" in note]


@pytest.mark.parametrize("pin_only", [False, True])
@pytest.mark.parametrize(
    "dockerfile",
    [
        f"FROM golang:1.22\n{_END}",
        f"FROM docker.io/library/golang:1.22\n{_END}",
        f"FROM index.docker.io/library/golang:1.22\n{_END}",
        f"ARG V=1.22\nFROM golang:${{V}}\n{_END}",
        "FROM scratch\nCOPY --from=golang:1.22 /etc/who /x\n",
        f"FROM golang:locked@{DIGEST}\nRUN --mount=from=golang:1.22,target=/m cat /m/etc/who > /etc/who\n{_END}",
        f"FROM golang@{DIGEST}\n{_END}",
        f"FROM golang:1.22@{DIGEST}\n{_END}",
        f"FROM 127.0.0.1:5000/library/golang:zzz@{DIGEST}\n{_END}",
        f"FROM golang@{AMD64}\n{_END}",
        f"FROM golang:1.22@{AMD64}\n{_END}",
        f"# syntax=golang:1.22\nFROM golang:1.22\n{_END}",
    ],
)
def test_each_spelling_builds_the_locked_image_though_the_tag_moved(dockerfile: str, *, pin_only: bool) -> None:
    policy = export("buildkit-policy", _GO, pin_only=pin_only).text
    assert _build(dockerfile, policy) == _LOCKED


@pytest.mark.parametrize(
    "dockerfile",
    [
        f"FROM evil:1\n{_END}",
        f"FROM golang\n{_END}",
        f"FROM golang:1.22\nCOPY --from=evil:1 /etc/who /y\n{_END}",
        f"FROM golang:1.22\nRUN --mount=from=evil:1,target=/m cat /m/etc/who > /etc/who\n{_END}",
        f"# syntax=evil:1\nFROM golang:1.22\n{_END}",
        f"FROM golang@{_MOVED}\n{_END}",
        f"FROM golang:1.22@{_MOVED}\n{_END}",
        f"FROM golang:locked\n{_END}",
        f"FROM golang:1.22\nADD https://example.com/x /etc/who\n{_END}",
        f"FROM golang:1.22\nADD https://example.com/x.git /etc/who\n{_END}",
        f"FROM golang:1.22\nADD https://example.com/x@{DIGEST} /etc/who\n{_END}",
    ],
)
def test_the_strict_policy_refuses_what_is_not_locked(dockerfile: str) -> None:
    with pytest.raises(PolicyError, match="denied by policy"):
        _build(dockerfile, export("buildkit-policy", _GO).text)


@pytest.mark.parametrize("platform", ["amd64", "arm64"])
def test_a_platform_gets_its_own_files(platform: str) -> None:
    dockerfile = f"FROM --platform=linux/{platform} golang:1.22\n{_END}"
    assert _build(dockerfile, export("buildkit-policy", _GO).text) == {"/x": f"locked {platform}"}


@pytest.mark.parametrize("pin_only", [False, True])
def test_no_tag_becomes_the_digest_of_one_platform(*, pin_only: bool) -> None:
    rules = json.loads(export("buildkit-policy", _GO, pin_only=pin_only).text)["rules"]
    targets = {rule["updates"]["identifier"].partition("@")[2] for rule in rules if rule["action"] == "CONVERT"}
    assert targets == {DIGEST}


def test_named_schemes_are_let_in() -> None:
    policy = export("buildkit-policy", _GO, allow=("git", "https")).text
    assert _build(f"FROM golang:1.22\nADD https://example.com/x /etc/who\n{_END}", policy) == {"/x": "content"}
    assert _build(f"FROM golang:1.22\nADD https://example.com/x.git /etc/who\n{_END}", policy)
    with pytest.raises(PolicyError, match="evil"):
        _build(f"FROM evil:1\n{_END}", policy)


def test_a_mirror_as_named_context_is_let_in() -> None:
    context = {"context:golang:1.22": f"oci-layout://mirror@{DIGEST}"}
    assert _build(f"FROM golang:1.22\n{_END}", export("buildkit-policy", _GO).text, **context) == _LOCKED
    moved = {"context:golang:1.22": f"oci-layout://mirror@{_MOVED}"}
    with pytest.raises(PolicyError, match="oci-layout"):
        _build(f"FROM golang:1.22\n{_END}", export("buildkit-policy", _GO).text, **moved)


def test_an_image_that_is_locked_by_digest_alone_is_let_in_by_it() -> None:
    static = locked_image("static", f"golang@{DIGEST}")
    policy = export("buildkit-policy", static).text
    assert _build(f"FROM golang@{DIGEST}\n{_END}", policy) == _LOCKED
    with pytest.raises(PolicyError):
        _build(f"FROM golang\n{_END}", policy)


def test_latest_is_found_without_a_tag() -> None:
    policy = export("buildkit-policy", locked_image("go", "golang")).text
    assert _build(f"FROM golang\n{_END}", policy) == _LOCKED


@pytest.mark.parametrize("pin_only", [False, True])
def test_two_names_of_one_image_are_one_rule(*, pin_only: bool) -> None:
    both = (_GO, locked_image("other", "docker.io/library/golang:1.22"))
    assert export("buildkit-policy", *both, pin_only=pin_only) == export("buildkit-policy", _GO, pin_only=pin_only)


def test_the_order_is_that_of_the_images_not_of_their_names() -> None:
    one, two = locked_image("a", "golang:1.22"), locked_image("b", "alpine:3", digest=OTHER)
    renamed = locked_image("z", "golang:1.22"), locked_image("y", "alpine:3", digest=OTHER)
    assert export("buildkit-policy", one, two) == export("buildkit-policy", *renamed)


@pytest.mark.parametrize("format_", ["buildkit-policy", "buildah-policy", "bake", "build-contexts", "kustomize"])
def test_two_digests_of_one_tag_are_refused(format_: str) -> None:
    other = locked_image("other", f"golang:1.22@{OTHER}")
    with pytest.raises(ImagelockError) as caught:
        export(format_, _GO, other)
    assert caught.value.details == ("go, other: two digests are locked for docker.io/library/golang:1.22",)


@pytest.mark.parametrize(
    "format_", ["buildkit-policy", "buildah-policy", "rego", "bake", "build-contexts", "kustomize"]
)
def test_every_image_of_a_layout_is_refused(format_: str) -> None:
    layouts = locked_image("a", "oci:./x:one"), locked_image("b", "oci:./x:two")
    with pytest.raises(ImagelockError) as caught:
        export(format_, layouts[0], _GO, layouts[1])
    assert [line.partition(":")[0] for line in caught.value.details] == ["a", "b"]


def _judge(reference: str, *, pin_only: bool = False) -> str:
    latest = locked_image("latest", "alpine", digest=OTHER, platforms={})
    policy = BuildahPolicy.parse(export("buildah-policy", _GO, latest, pin_only=pin_only).text)
    return policy.evaluate(f"docker-image://{reference}")


def test_the_bytes_of_a_policy_for_buildah() -> None:
    name = "docker-image://docker.io/library/golang"
    rules = [
        _rule("CONVERT", f"{name}:latest", "EXACT", becomes=f"{name}@{DIGEST}", key="matchType"),
        _rule("CONVERT", name, "EXACT", becomes=f"{name}@{DIGEST}", key="matchType"),
        *(
            _rule("ALLOW", f"docker-image://*@{digest}", "WILDCARD", key="matchType")
            for digest in (DIGEST, AMD64, ARM64)
        ),
        _rule("DENY", "docker-image://*", "WILDCARD", key="matchType"),
    ]
    assert export("buildah-policy", locked_image("go", "golang")).text == json.dumps({"rules": rules}, indent=2) + "\n"


@pytest.mark.parametrize("pin_only", [False, True])
def test_buildah_converts_tags_and_lets_locked_digests_in(*, pin_only: bool) -> None:
    locked = f"docker-image://docker.io/library/golang@{DIGEST}"
    assert _judge("docker.io/library/golang:1.22", pin_only=pin_only) == locked
    assert _judge("docker.io/library/alpine", pin_only=pin_only) == f"docker-image://docker.io/library/alpine@{OTHER}"
    assert _judge("docker.io/library/alpine:latest", pin_only=pin_only).endswith(OTHER)
    assert _judge(f"docker.io/library/golang@{AMD64}", pin_only=pin_only).endswith(AMD64)


@pytest.mark.parametrize(
    "reference",
    [
        "docker.io/library/evil:1",
        "docker.io/library/golang",
        "docker.io/library/golang:1.23",
        f"docker.io/library/golang:1.22@{_MOVED}",
    ],
)
def test_buildah_refuses_the_rest_only_if_the_policy_is_strict(reference: str) -> None:
    with pytest.raises(PolicyError):
        _judge(reference)
    assert _judge(reference, pin_only=True) == f"docker-image://{reference}"


def test_the_bytes_of_a_rego_policy() -> None:
    text = export("rego", _GO, locked_image("next", "golang:1.23", digest=OTHER, platforms={}), allow=("https",)).text
    assert text == _REGO


_REGO = f"""\
# Generated by `imagelock export rego`: it allows the images of images.lock, and local files.
package docker

locked := {{
	"docker.io/library/golang": {{
		"{DIGEST}",
		"{AMD64}",
		"{ARM64}",
		"{OTHER}",
	}},
}}

default allow := false

allow if input.local

allow if input.http.schema == "https"

allow if input.image.checksum in locked[input.image.fullRepo]

deny_msg contains msg if {{
	input.image
	not allow
	not locked[input.image.fullRepo]
	msg := sprintf("%s is not in images.lock", [input.image.ref])
}}

deny_msg contains msg if {{
	input.image
	not allow
	locked[input.image.fullRepo]
	msg := sprintf("images.lock has another digest for %s", [input.image.ref])
}}

deny_msg contains msg if {{
	not input.image
	not allow
	msg := "only local files and the images of images.lock may enter this build"
}}

decision := {{"allow": allow, "deny_msg": deny_msg}}
"""
