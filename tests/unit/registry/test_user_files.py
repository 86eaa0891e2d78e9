"""Homes as they are: missing, closed or another's; what can't be read there is told, and public images are had."""

from __future__ import annotations

import base64
import json
import os
import pwd
from pathlib import Path

import pytest

from imagelock.errors import AuthenticationError, FileError
from imagelock.registry.auth.credential_store import CredentialStore
from imagelock.registry.auth.credentials import FoundCredentials
from imagelock.registry.auth.docker_config import parse_auth_file
from imagelock.registry.auth.helpers import read_helper_output
from imagelock.registry.content_cache import ContentCache, default_cache_directory, measure_cache
from imagelock.registry.http.addresses import Login, Origin, basic_authorization, find_proxy
from imagelock.registry.http.certificates import find_certificate_files
from imagelock.registry.registries_conf import (
    AUTH_FILES,
    find_registries_conf,
    parse_credential_helpers,
    read_credential_helpers,
    read_registries_conf,
)
from imagelock.registry.user_files import NO_HOME, find_home, warn_once
from tests.support.fake_registry.answers import Handler
from tests.support.fake_registry.bearer_hosts import IMAGE, A, bearer_internet
from tests.support.fake_registry.clients import Setup
from tests.support.fake_registry.internet import FakeInternet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer

HOST, PATH = "reg.example", "team/a"
AUTHS = json.dumps({"auths": {HOST: {"auth": base64.b64encode(b"me:secret-word").decode()}}})


def loop(path: Path) -> None:
    """A link to itself: there is something, and no user can read it, root neither."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.name)


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class TestHome:
    def test_it_is_what_the_environment_says(self, tmp_path: Path) -> None:
        assert find_home({"HOME": str(tmp_path)}) == tmp_path
        assert find_home({"HOME": "/nonexistent/me"}) == Path("/nonexistent/me")

    @pytest.mark.parametrize("environment", [{}, {"HOME": ""}])
    def test_without_a_variable_it_is_that_of_the_user(self, environment: dict[str, str]) -> None:
        assert find_home(environment) == Path(pwd.getpwuid(os.getuid()).pw_dir)

    def test_a_user_without_a_name_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: int) -> object:
            raise KeyError("getpwuid(): uid not found")

        monkeypatch.setattr(pwd, "getpwuid", fail)
        assert find_home({}) == NO_HOME

    def test_one_that_may_not_be_entered_is_told(self, tmp_path: Path) -> None:
        loop(tmp_path / "home")
        told: list[str] = []
        assert find_home({"HOME": str(tmp_path / "home")}, warn=told.append) == NO_HOME
        assert told == [f"{tmp_path}/home may not be entered: credentials, certificates and settings there are ignored"]

    def test_nothing_lies_below_none(self) -> None:
        told: list[str] = []
        assert CredentialStore({}, home=NO_HOME, warn=told.append).find(HOST, PATH) is None
        assert find_certificate_files((NO_HOME / "certs.d",), HOST).passed_over == ()
        assert not [path for path in find_registries_conf({}, home=NO_HOME) if path.is_relative_to(NO_HOME)]
        assert told == []

    def test_without_a_home_there_is_no_cache_unless_named(self) -> None:
        assert default_cache_directory({}, home=NO_HOME) is None
        assert default_cache_directory({"XDG_CACHE_HOME": "/var/c"}, home=NO_HOME) == Path("/var/c/imagelock")

    def test_a_cache_that_cannot_be_read_is_an_error_and_no_traceback(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Path) -> bool:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "is_file", refuse)
        with pytest.raises(FileError, match="can't be read"):
            measure_cache(tmp_path / "cache")

    def test_a_cache_that_cannot_be_used_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "cache").write_text("a file")
        internet = FakeInternet({HOST: _pushed(FakeRegistry())})
        setup = Setup(internet=internet, cache_directory=tmp_path / "cache")
        assert setup.client().fetch_manifest(A).body == IMAGE.body
        assert ContentCache(tmp_path / "cache").read(setup.client().fetch_digest(A)) is None


def _pushed(registry: FakeRegistry) -> Handler:
    registry.push(PATH, IMAGE)
    return registry


class TestAuthFiles:
    @pytest.mark.parametrize("kind", ["folder", "loop", "fifo", "link to a folder"])
    def test_what_is_no_readable_file_is_told_and_passed_over(self, tmp_path: Path, kind: str) -> None:
        config = tmp_path / ".docker" / "config.json"
        config.parent.mkdir()
        match kind:
            case "folder":
                config.mkdir()
            case "loop":
                loop(config)
            case "fifo":
                os.mkfifo(config)
            case _:
                config.symlink_to(tmp_path)
        other = tmp_path / ".config" / "containers" / "auth.json"
        other.parent.mkdir(parents=True)
        other.write_text(AUTHS)
        told: list[str] = []
        store = CredentialStore({}, home=tmp_path, warn=told.append)
        assert store.find(HOST, PATH) == FoundCredentials(Login("me", "secret-word"), str(other))
        assert store.find(HOST, "other") is not None
        assert len(told) == 1
        assert told[0].startswith(f"{config} is skipped: ")
        assert store.problems == tuple(told)

    def test_the_runtime_folder_of_another_user_is_told(self, tmp_path: Path) -> None:
        loop(tmp_path / "run")
        told: list[str] = []
        environment = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
        assert CredentialStore(environment, home=tmp_path, warn=told.append).find(HOST, PATH) is None
        assert told == [f"{tmp_path}/run/containers/auth.json is skipped: Too many levels of symbolic links"]

    @pytest.mark.parametrize("kind", ["folder", "loop"])
    def test_a_file_that_was_named_must_be_readable(self, tmp_path: Path, kind: str) -> None:
        (tmp_path / "auth.json").mkdir() if kind == "folder" else loop(tmp_path / "auth.json")
        with pytest.raises(FileError):
            CredentialStore({"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}, home=tmp_path).find(HOST, PATH)

    def test_a_file_may_be_named_to_have_none(self, tmp_path: Path) -> None:
        assert CredentialStore({"REGISTRY_AUTH_FILE": os.devnull}, home=tmp_path).find(HOST, PATH) is None

    def test_what_is_written_wrongly_is_an_error_with_a_way_out(self, tmp_path: Path) -> None:
        with pytest.raises(FileError) as raised:
            CredentialStore({"DOCKER_AUTH_CONFIG": "{"}, home=tmp_path).find(HOST, PATH)
        assert "--anonymous" in str(raised.value.hint)


class TestHelpers:
    @pytest.mark.parametrize("script", ["exit 255", "echo 'no keychain'; exit 1", "echo '{'", "kill -9 $$"])
    def test_public_images_are_had_where_one_fails(self, tmp_path: Path, script: str) -> None:
        program(tmp_path / "bin", "broken", script)
        told: list[str] = []
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "DOCKER_AUTH_CONFIG": '{"credsStore":"broken"}'}
        store = CredentialStore(environment, home=tmp_path, warn=told.append)
        assert (store.find(HOST, PATH), store.find("other.example", PATH)) == (None, None)
        assert len(told) == 1
        assert "docker-credential-broken" in told[0]

    def test_one_that_is_not_installed_is_told(self, tmp_path: Path) -> None:
        told: list[str] = []
        environment = {"PATH": str(tmp_path), "DOCKER_AUTH_CONFIG": '{"credsStore":"desktop.exe"}'}
        assert CredentialStore(environment, home=tmp_path, warn=told.append).find(HOST, PATH) is None
        assert "desktop.exe" in told[0]

    def test_the_file_beside_it_is_asked(self, tmp_path: Path) -> None:
        document = {**json.loads(AUTHS), "credsStore": "missing"}
        found = CredentialStore({"PATH": "", "DOCKER_AUTH_CONFIG": json.dumps(document)}, home=tmp_path).find(
            HOST, PATH
        )
        assert found is not None
        assert found.credentials == Login("me", "secret-word")

    def test_where_a_login_is_wanted_the_error_says_what_was_passed_over(self) -> None:
        internet = bearer_internet(FakeTokenServer(login="me:secret-word"))
        told: list[str] = []
        setup = Setup(internet=internet, warn=told.append, auth_config={"credsStore": "not-there"})
        with pytest.raises(AuthenticationError) as raised:
            setup.client().fetch_manifest(A)
        [problem] = told
        assert problem in raised.value.details
        assert raised.value.hint == "fix what was skipped, or run `docker login reg.example`"

    def test_where_none_is_wanted_the_image_is_had(self) -> None:
        told: list[str] = []
        setup = Setup(
            internet=bearer_internet(FakeTokenServer()), warn=told.append, auth_config={"credsStore": "not-there"}
        )
        assert setup.client().fetch_manifest(A).body == IMAGE.body
        assert len(told) == 1


class TestRegistriesConf:
    def home_with(self, tmp_path: Path, text: str) -> Path:
        folder = tmp_path / ".config" / "containers"
        folder.mkdir(parents=True)
        (folder / "registries.conf").write_text(text)
        return tmp_path

    @pytest.mark.parametrize(
        ("helpers", "user"),
        [
            ('["mine"]', "helper"),
            ('["mine", "containers-auth.json"]', "helper"),
            ('["containers-auth.json", "mine"]', "me"),
            ('["containers-auth.json"]', "me"),
            ("[]", "me"),
        ],
    )
    def test_its_helpers_are_asked_in_its_order(self, tmp_path: Path, helpers: str, user: str) -> None:
        home = self.home_with(tmp_path, f"credential-helpers = {helpers}\n")
        program(tmp_path / "bin", "mine", """echo '{"Username":"helper","Secret":"s"}'""")
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "DOCKER_AUTH_CONFIG": AUTHS}
        found = CredentialStore(environment, home=home).find(HOST, PATH)
        assert found is not None
        assert isinstance(found.credentials, Login)
        assert found.credentials.username == user

    def test_a_helper_gets_the_registry_as_its_key(self, tmp_path: Path) -> None:
        home = self.home_with(tmp_path, 'credential-helpers = ["mine"]\n')
        program(tmp_path / "bin", "mine", """printf '{"Username":"%s","Secret":"s"}' "$(cat)" """)
        environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
        found = CredentialStore(environment, home=home).find("reg.example:5000", PATH)
        assert found == FoundCredentials(Login("reg.example:5000", "s"), "docker-credential-mine")

    def test_a_later_file_replaces_the_list(self, tmp_path: Path) -> None:
        texts = {"a.conf": 'credential-helpers = ["a"]', "b.conf": 'credential-helpers = ["b"]', "c.conf": ""}
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        assert read_credential_helpers(tmp_path / name for name in texts) == ("b",)
        assert read_credential_helpers([]) == (AUTH_FILES,)

    def test_a_list_that_is_none_is_an_error(self) -> None:
        with pytest.raises(FileError, match="credential-helpers must be a list of names"):
            parse_credential_helpers("credential-helpers = [1]", source="x")

    def test_a_name_that_is_none_is_never_run(self, tmp_path: Path) -> None:
        home = self.home_with(tmp_path, 'credential-helpers = ["../../bin/sh"]\n')
        told: list[str] = []
        assert CredentialStore({"PATH": os.environ["PATH"]}, home=home, warn=told.append).find(HOST, PATH) is None
        assert "is not a valid name of a credential helper" in told[0]

    def test_the_users_own_file_may_be_unreadable(self, tmp_path: Path) -> None:
        own = tmp_path / ".config" / "containers" / "registries.conf"
        loop(own)
        told: list[str] = []
        files = find_registries_conf({}, home=tmp_path)
        assert own in files
        read_registries_conf([path for path in files if path == own], home=tmp_path, warn=told.append)
        assert told == [f"{own} is skipped: Too many levels of symbolic links"]

    def test_a_folder_that_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        folder = tmp_path / ".config" / "containers" / "registries.conf.d"
        loop(folder)
        told: list[str] = []
        find_registries_conf({}, home=tmp_path, warn=told.append)
        assert told == [f"{folder} is skipped: Too many levels of symbolic links"]

    def test_one_that_a_variable_names_must_be_readable(self, tmp_path: Path) -> None:
        loop(tmp_path / "chosen.conf")
        files = find_registries_conf({"CONTAINERS_REGISTRIES_CONF": str(tmp_path / "chosen.conf")}, home=NO_HOME)
        with pytest.raises(FileError):
            read_registries_conf(files)


def test_a_folder_of_certificates_that_cannot_be_read_is_remembered(tmp_path: Path) -> None:
    loop(tmp_path / "closed" / HOST)
    (tmp_path / "open" / HOST).mkdir(parents=True)
    (tmp_path / "open" / HOST / "ca.crt").write_text("")
    files = find_certificate_files((tmp_path / "closed", tmp_path / "open"), HOST)
    assert [path.name for path in files.authorities] == ["ca.crt"]
    assert files.passed_over == (f"{tmp_path}/closed/{HOST} is skipped: Too many levels of symbolic links",)


class TestBytes:
    """Passwords are bytes: not all of them are UTF-8."""

    RAW = b"me:p\xe4ss\xff"
    HEADER = f"Basic {base64.b64encode(RAW).decode()}"

    def test_in_a_login(self) -> None:
        text = json.dumps({"auths": {HOST: {"auth": base64.b64encode(self.RAW).decode()}}})
        [(_, login)] = parse_auth_file(text, source="x").entries
        assert isinstance(login, Login)
        assert basic_authorization(login) == self.HEADER

    def test_in_a_file(self, tmp_path: Path) -> None:
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_bytes(
            b'{"auths": {"reg.example": {"username": "me", "password": "p\xe4ss\xff"}}}'
        )
        found = CredentialStore({}, home=tmp_path).find(HOST, PATH)
        assert found is not None
        assert isinstance(found.credentials, Login)
        assert basic_authorization(found.credentials) == self.HEADER

    def test_of_a_helper(self) -> None:
        login = read_helper_output(b'{"Username":"me","Secret":"p\xe4ss\xff"}', program="x", has_failed=False)
        assert isinstance(login, Login)
        assert basic_authorization(login) == self.HEADER

    def test_of_a_proxy(self) -> None:
        proxy = find_proxy(Origin.of("https", HOST), {"https_proxy": "http://me:p%E4ss%FF@proxy.example:3128"})
        assert proxy is not None
        assert proxy.login is not None
        assert basic_authorization(proxy.login) == self.HEADER

    def test_they_are_no_token(self) -> None:
        with pytest.raises(FileError, match="has characters that are not Unicode"):
            parse_auth_file('{"auths": {"a": {"identitytoken": "\\udc80"}}}', source="x")


def test_a_text_is_told_once() -> None:
    told: list[str] = []
    tell = warn_once(told.append)
    tell("a"), tell("b"), tell("a")
    assert told == ["a", "b"]
