"""Which hosts are asked whether they speak TLS, and that a run is not held up by asking."""

from __future__ import annotations

from threading import Event

import pytest

from imagelock.images_file.registries import RegistryDeclaration
from imagelock.model.reference import RegistryName, Repository
from imagelock.registry.http.addresses import Origin
from imagelock.registry.http.connections import Connections
from imagelock.registry.locations import Location, RegistrySettings, find_endpoint, open_early
from tests.support.fake_registry.clients import NOWHERE


@pytest.mark.parametrize(
    ("host", "plain_http", "is_asked"),
    [
        ("localhost:5000", None, True),
        ("127.0.0.1", None, True),
        ("[::1]", None, True),
        ("[::1]:5000", None, True),
        ("reg.example", None, False),
        ("reg.example:5000", None, False),
        ("localhost:5000", True, False),
        ("localhost:5000", False, False),
    ],
)
def test_only_this_machine_is_asked_and_only_where_nothing_is_declared(
    host: str, *, plain_http: bool | None, is_asked: bool
) -> None:
    asked: list[Origin] = []

    def speaks_tls(origin: Origin, *, registry: RegistryName) -> bool:
        assert registry == host
        asked.append(origin)
        return True

    declared = RegistryDeclaration(registry=RegistryName(host), plain_http=plain_http)
    find_endpoint(Location(RegistryName(host), ""), declared, speaks_tls=speaks_tls)
    assert asked == [Origin.of("https", host)] * is_asked


def test_no_run_waits_for_the_question_whether_a_server_speaks_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    over, opened = Event(), Event()

    def probe(_: Connections, route: object) -> bool:
        assert route
        return over.wait(20)

    monkeypatch.setattr(Connections, "_probe", probe)
    monkeypatch.setattr(Connections, "open_early", lambda *_, **__: opened.set())
    connections = Connections({}, home=NOWHERE)
    settings = RegistrySettings(environment={"CONTAINERS_REGISTRIES_CONF": "/dev/null"}, home=NOWHERE)
    open_early([Repository(RegistryName("localhost:5000"), "a")], settings, connections)
    assert not opened.is_set()
    over.set()
    assert opened.wait(20)
