from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from imagelock.model.secrets import forget_secrets, mask_secrets, mask_user_info, remember_login, remember_secret

_PASSWORD = 'pä"ss/wo+rd ?1'  # noqa: S105  of nobody


@pytest.fixture(autouse=True)
def _no_secret_of_other_tests() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        _PASSWORD,
        f"you sent {_PASSWORD}!",
        quote(_PASSWORD, safe=""),
        f"https://user:{quote(_PASSWORD, safe='')}@host/",
        quote_plus(_PASSWORD),
        json.dumps({"a": _PASSWORD}, ensure_ascii=False),
        _b64(_PASSWORD),
        _b64(_PASSWORD).rstrip("="),
        f"Basic {_b64(f'user:{_PASSWORD}')}",
        f"Basic {_b64(f'user:{_PASSWORD}')}".lower(),
        base64.urlsafe_b64encode(f"user:{_PASSWORD}".encode()).decode(),
        _b64(f"Authorization: user:{_PASSWORD} and more"),
        _b64(f"xAuthorization: user:{_PASSWORD} and more"),
        _b64(f"Basic {_b64(f'user:{_PASSWORD}')}"),
        _b64(f"xyAuthorization: user:{_PASSWORD} and more"),
    ],
)
def test_a_password_is_masked_in_every_form(text: str) -> None:
    remember_login("user", _PASSWORD)
    masked = mask_secrets(text)
    assert "***" in masked
    for part in (_PASSWORD, _b64(_PASSWORD)[1:-4], quote(_PASSWORD), _b64(f"user:{_PASSWORD}")[6:-4]):
        assert part not in masked


def test_a_token_is_masked_where_its_end_was_cut_off() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJhY2Nlc3MiOltdfQ.c2lnbmF0dXJl"  # noqa: S105  of nobody
    remember_secret(token)
    assert mask_secrets(f"you sent Bearer {token[:20]}") == "you sent Bearer ***"
    assert mask_secrets(f"you sent {token}, {token}") == "you sent ***, ***"
    assert mask_secrets(f"you sent {token[:5]}") == f"you sent {token[:5]}"


def test_a_short_password_masks_only_itself_and_no_data() -> None:
    remember_secret("test")
    assert mask_secrets("test: testing a test, latest") == "***: testing a ***, latest"
    assert mask_secrets("docker.io/library/test:test", is_data=True) == "docker.io/library/test:test"
    remember_secret("ab")
    assert mask_secrets("ab") == "ab"


def test_without_secrets_nothing_is_masked() -> None:
    assert mask_secrets("user:secret@host *** Basic dXNlcjpwYXNz") == "user:secret@host *** Basic dXNlcjpwYXNz"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("user:secret@host/x:1", "user:***@host/x:1"),
        ("`user:secret@host/x` is", "`user:***@host/x` is"),
        ("user:se@cret@host", "user:***@host"),
        ("https://user:secret@host/x", "https://***@host/x"),
        ("https://user:sec@ret@host/x", "https://***@host/x"),
        ("https://token@host", "https://***@host"),
        ("http://user:secret@[::1]:5000", "http://***@[::1]:5000"),
        ("golang:1.22@sha256:abc", "golang:1.22@sha256:abc"),
        ("host:5000/golang:1.22@sha512:abc", "host:5000/golang:1.22@sha512:abc"),
        ("image:tag@digest", "image:tag@digest"),
        ("Dockerfile:3:6: git@host", "Dockerfile:3:6: git@host"),
        ("nothing", "nothing"),
    ],
)
def test_what_a_person_wrote_before_a_host_is_masked(text: str, masked: str) -> None:
    assert mask_user_info(text) == masked
