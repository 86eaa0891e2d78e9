"""Files, variables and helper programs, in the order in which they count."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError, FileError
from imagelock.registry.auth.credential_store import CredentialStore
from imagelock.registry.auth.credentials import FoundCredentials, IdentityToken
from imagelock.registry.auth.docker_config import AuthFileKind, AuthFileLocation, find_auth_files
from imagelock.registry.auth.helpers import CredentialHelpers, helper_program
from imagelock.registry.http.addresses import Login

HOST, PATH = "reg.example", "team/a"


def auths(user: str) -> str:
    return json.dumps({"auths": {HOST: {"auth": base64.b64encode(f"{user}:secret".encode()).decode()}}})


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def find(home: Path, **environment: str) -> FoundCredentials | None:
    return CredentialStore(environment, home=home).find(HOST, PATH)


def test_no_files_are_no_credentials(tmp_path: Path) -> None:
    assert find(tmp_path) is None


def test_places_are_asked_in_order(tmp_path: Path) -> None:
    places = [
        write(tmp_path / ".dockercfg", json.dumps(json.loads(auths("legacy"))["auths"])),
        write(tmp_path / ".config/containers/auth.json", auths("config")),
        write(tmp_path / "run/containers/auth.json", auths("runtime")),
        write(tmp_path / ".docker/config.json", auths("docker")),
    ]
    while places:
        assert find(tmp_path, XDG_RUNTIME_DIR=str(tmp_path / "run")) == FoundCredentials(
            Login(json.loads(places[-1].read_text()) and _user(places[-1]), "secret"), str(places[-1])
        )
        places.pop().unlink()


def test_podman_without_a_session_logs_in_below_run(tmp_path: Path) -> None:
    own = tmp_path / "run" / str(os.getuid())
    config = AuthFileLocation(tmp_path / ".config/containers/auth.json")
    docker = AuthFileLocation(tmp_path / ".docker/config.json")
    legacy = AuthFileLocation(tmp_path / ".dockercfg", AuthFileKind.LEGACY)

    def files() -> tuple[AuthFileLocation, ...]:
        return find_auth_files({}, home=tmp_path, run_folder=tmp_path / "run")

    assert files() == (docker, config, legacy)
    own.mkdir(parents=True)
    assert files() == (docker, AuthFileLocation(own / "auth.json"), config, legacy)


def _user(path: Path) -> str:
    document = json.loads(path.read_text())
    entry = document.get("auths", document)[HOST]
    return base64.b64decode(entry["auth"]).decode().partition(":")[0]


def test_variables_come_before_files(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", auths("docker"))
    other = write(tmp_path / "other/config.json", auths("chosen"))
    alone = write(tmp_path / "alone.json", auths("alone"))
    assert find(tmp_path, DOCKER_CONFIG=str(other.parent)) == FoundCredentials(Login("chosen", "secret"), str(other))
    assert find(tmp_path, REGISTRY_AUTH_FILE=str(alone)) == FoundCredentials(Login("alone", "secret"), str(alone))
    assert find(tmp_path, DOCKER_AUTH_CONFIG=auths("ci")) == FoundCredentials(
        Login("ci", "secret"), "DOCKER_AUTH_CONFIG"
    )


def test_a_chosen_file_stands_for_itself(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", auths("docker"))
    assert find(tmp_path, REGISTRY_AUTH_FILE=str(write(tmp_path / "empty.json", "{}"))) is None
    chosen = write(tmp_path / "chosen.json", auths("chosen"))
    found = find(tmp_path, REGISTRY_AUTH_FILE=str(chosen), DOCKER_AUTH_CONFIG=auths("ci"))
    assert found == FoundCredentials(Login("chosen", "secret"), str(chosen))
    with pytest.raises(FileError, match=r"missing\.json does not exist"):
        find(tmp_path, REGISTRY_AUTH_FILE=str(tmp_path / "missing.json"))
    with pytest.raises(FileError, match="cannot read") as raised:
        find(tmp_path, REGISTRY_AUTH_FILE=str(tmp_path))
    assert (raised.value.details, raised.value.hint) == (("Is a directory",), "correct REGISTRY_AUTH_FILE")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / ".docker/config.json", "").write_bytes(b"\xff")
    with pytest.raises(FileError, match=r"config\.json can't be read"):
        find(tmp_path)


def helper(folder: Path, script: str) -> Mapping[str, str]:
    program = write(folder / "docker-credential-test", f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def ask(folder: Path, script: str, *, seconds: float = 5.0) -> object:
    return CredentialHelpers(helper(folder, script), time_limit_seconds=seconds).get("test", HOST)


def test_a_helper_is_asked_for_exactly_the_configured_key(tmp_path: Path) -> None:
    script = """[ "$1" = get ] && printf '{"ServerURL": "x", "Username": "me", "Secret": "%s"}' "$(cat)" """
    assert ask(tmp_path, script) == Login("me", HOST)


def test_a_helper_may_hold_an_identity_token(tmp_path: Path) -> None:
    assert ask(tmp_path, """echo '{"Username": "<token>", "Secret": "long"}'""") == IdentityToken("long")


def test_a_helper_that_has_nothing_is_no_error(tmp_path: Path) -> None:
    assert ask(tmp_path, "echo 'credentials not found in native keychain'; exit 1") is None


def test_a_helper_is_asked_once_for_a_registry(tmp_path: Path) -> None:
    environment = helper(tmp_path, f"""echo >> {tmp_path}/calls; echo '{{"Username": "me", "Secret": "s"}}'""")
    helpers = CredentialHelpers(environment)
    assert helpers.get("test", HOST) == helpers.get("test", HOST)
    assert (tmp_path / "calls").read_text() == "\n"


def test_a_helper_that_failed_is_not_asked_for_the_next_image(tmp_path: Path) -> None:
    environment = {
        **helper(tmp_path, f"echo >> {tmp_path}/calls; exit 1"),
        "DOCKER_AUTH_CONFIG": '{"credsStore":"test"}',
    }
    store = CredentialStore(environment, home=tmp_path)
    for path in ("team/a", "team/b"):
        assert store.find(HOST, path) is None
        assert store.problems[0].startswith("the credential helper docker-credential-test failed")
    assert (tmp_path / "calls").read_text() == "\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo secret; exit 1", "the credential helper docker-credential-test failed"),
        ("echo secret", "the credential helper docker-credential-test printed something other than JSON"),
        ("echo '[]'", "the credential helper docker-credential-test printed JSON without a user name and a secret"),
        ("yes secret", "the credential helper docker-credential-test failed"),
    ],
)
def test_a_broken_helper_is_an_error_that_shows_nothing_of_it(tmp_path: Path, script: str, message: str) -> None:
    with pytest.raises(AuthenticationError) as raised:
        ask(tmp_path, script)
    assert raised.value.message == message
    assert "secret" not in str(raised.value.hint) + str(raised.value.details)


def test_a_helper_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match=r"did not answer in 0\.2 seconds"):
        ask(tmp_path, "exec sleep 30", seconds=0.2)


def test_a_helper_is_done_when_it_ends_whatever_it_leaves_behind(tmp_path: Path) -> None:
    """The program that it leaves has its standard output; it ends by the file that the test removes."""
    flag = tmp_path / "flag"
    flag.touch()
    left = f"while test -e {flag}; do sleep 0.1; done"
    try:
        found = ask(tmp_path, f"""({left}) 2>/dev/null & echo '{{"Username": "me", "Secret": "secret"}}'""", seconds=20)
    finally:
        flag.unlink()
    assert found == Login("me", "secret")


def test_a_helper_that_hung_is_not_asked_for_another_registry(tmp_path: Path) -> None:
    environment = helper(tmp_path, f"echo >> {tmp_path}/calls; exec sleep 30")
    helpers = CredentialHelpers(environment, time_limit_seconds=0.2)
    for host in (HOST, "other.example"):
        with pytest.raises(AuthenticationError, match=r"did not answer in 0\.2 seconds"):
            helpers.get("test", host)
    assert (tmp_path / "calls").read_text() == "\n"


def test_a_missing_helper_is_named(tmp_path: Path) -> None:
    with pytest.raises(AuthenticationError, match="docker-credential-test is not installed"):
        CredentialHelpers({"PATH": str(tmp_path)}).get("test", HOST)


@pytest.mark.parametrize("name", ["../sh", "a/b", "", "a.b", "a b", "a\n"])
def test_a_helper_has_the_name_of_a_helper(name: str) -> None:
    with pytest.raises(AuthenticationError, match="is not a valid name of a credential helper"):
        helper_program(name)


def test_a_helper_that_has_nothing_leaves_the_word_to_the_file(tmp_path: Path) -> None:
    environment = helper(tmp_path / "bin", "echo 'credentials not found in native keychain'; exit 1")
    document = {**json.loads(auths("file")), "credsStore": "test"}
    write(tmp_path / ".docker/config.json", json.dumps(document))
    found = CredentialStore(environment, home=tmp_path).find(HOST, PATH)
    assert found is not None
    assert found.credentials == Login("file", "secret")


def test_credentials_say_which_helper_had_them(tmp_path: Path) -> None:
    environment = helper(tmp_path / "bin", """echo '{"Username": "me", "Secret": "s"}'""")
    write(tmp_path / ".docker/config.json", json.dumps({"credHelpers": {HOST: "test"}}))
    found = CredentialStore(environment, home=tmp_path).find(HOST, PATH)
    assert found == FoundCredentials(Login("me", "s"), "docker-credential-test")
