"""The files of docker and podman, as they are found on people's machines."""

from __future__ import annotations

import base64

import pytest

from imagelock.errors import FileError
from imagelock.registry.auth.credentials import Credentials, IdentityToken, RegistryToken
from imagelock.registry.auth.docker_config import AuthFile, parse_auth_file, parse_legacy_auth_file
from imagelock.registry.http.addresses import Login


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "credentials"),
    [
        (f'{{"auth": "{encoded("me:secret")}"}}', Login("me", "secret")),
        (f'{{"auth": "{encoded("me:se:cr:et")}"}}', Login("me", "se:cr:et")),
        (f'{{"auth": "{encoded("me:secret" + chr(0) * 2)}"}}', Login("me", "secret")),
        (f'{{"auth": "{encoded("mé:sécret")}"}}', Login("mé", "sécret")),
        (f'{{"auth": "{encoded("me:s").rstrip("=")}"}}', Login("me", "s")),
        (
            f'{{"auth": "{encoded("me:" + "s" * 60)[:76]}\\n{encoded("me:" + "s" * 60)[76:]}\\r\\n"}}',
            Login("me", "s" * 60),
        ),
        ('{"username": "me", "password": "secret"}', Login("me", "secret")),
        ('{"identitytoken": "long"}', IdentityToken("long")),
        ('{"identitytoken": "long", "auth": "bm86bm8="}', IdentityToken("long", Login("no", "no"))),
        (f'{{"identitytoken": "long", "auth": "{encoded("0000:")}"}}', IdentityToken("long")),
        ('{"registrytoken": "short", "identitytoken": "long"}', RegistryToken("short")),
    ],
)
def test_every_form_of_an_entry(entry: str, credentials: Credentials) -> None:
    text = f'{{"auths": {{"reg.example": {entry}}}, "HttpHeaders": {{"X": "y"}}, "experimental": "enabled"}}'
    assert parse_auth_file(text, source="config.json").entries == (("reg.example", credentials),)


@pytest.mark.parametrize("entry", ["{}", '{"auth": ""}', '{"email": "me@example.com"}', "null"])
def test_an_empty_entry_is_a_note_that_a_helper_has_the_secret(entry: str) -> None:
    assert parse_auth_file(f'{{"auths": {{"reg.example": {entry}}}}}', source="config.json").entries == ()


def test_helpers_are_read() -> None:
    text = '\ufeff{"credHelpers": {"gcr.io": "gcloud"}, "credsStore": "desktop"}'
    assert parse_auth_file(text, source="config.json") == AuthFile(
        "config.json", helpers=(("gcr.io", "gcloud"),), default_helper="desktop"
    )


def test_an_empty_file_is_an_empty_file() -> None:
    assert parse_auth_file("", source="config.json") == AuthFile("config.json")


def test_the_old_file_is_the_list_alone() -> None:
    text = f'{{"reg.example": {{"auth": "{encoded("me:secret")}"}}}}'
    assert parse_legacy_auth_file(text, source=".dockercfg").entries == (("reg.example", Login("me", "secret")),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "config.json is not JSON"),
        ("[" * 100_000, "config.json is not JSON"),
        ("[]", "config.json: the document must be an object"),
        ('{"auths": []}', "config.json: auths must be an object"),
        ('{"auths": {"a": "b"}}', "config.json: auths.a must be an object"),
        ('{"auths": {"a": {"auth": 7}}}', "config.json: auths.a.auth must be a string"),
        ('{"auths": {"a": {"auth": "%%%"}}}', "config.json: auths.a.auth is not base64 of `user:password`"),
        (
            f'{{"auths": {{"a": {{"auth": "{encoded("secret")}"}}}}}}',
            "config.json: auths.a.auth is not base64 of `user:password`",
        ),
        (
            '{"auths": {"a": {"username": "\\ud800"}}}',
            "config.json: auths.a.username has characters that are not Unicode",
        ),
        ('{"credHelpers": {"a": null}, "credsStore": 1}', "config.json: credsStore must be a string"),
    ],
)
def test_what_cannot_be_read_is_named_without_its_secret(text: str, message: str) -> None:
    with pytest.raises(FileError) as raised:
        parse_auth_file(text, source="config.json")
    assert raised.value.message == message


def test_secrets_do_not_show() -> None:
    values = (Login("me", "secret"), IdentityToken("secret"), RegistryToken("secret"))
    assert "secret" not in repr(values)
