"""The distance of the benchmarks is the one that they ask for."""

from __future__ import annotations

import time
from contextlib import closing
from http.client import HTTPConnection

from tests.support.delay_proxy import at_distance
from tests.support.processes import LOOPBACK
from tests.support.registry_server import RegistryServer

_ROUND_TRIP_SECONDS = 0.1


def test_a_first_request_takes_two_round_trips_and_a_later_one_takes_one(anonymous: RegistryServer) -> None:
    near_port = int(anonymous.address.rpartition(":")[2])
    with (
        at_distance(near_port, round_trip_seconds=_ROUND_TRIP_SECONDS) as port,
        closing(HTTPConnection(LOOPBACK, port, timeout=10)) as connection,
    ):
        opening, later = _seconds_of_get(connection), _seconds_of_get(connection)
    assert 2 <= opening / _ROUND_TRIP_SECONDS < 2.9
    assert 1 <= later / _ROUND_TRIP_SECONDS < 1.9


def test_an_opened_connection_that_waits_pays_its_opening_only_once(anonymous: RegistryServer) -> None:
    near_port = int(anonymous.address.rpartition(":")[2])
    with (
        at_distance(near_port, round_trip_seconds=_ROUND_TRIP_SECONDS) as port,
        closing(HTTPConnection(LOOPBACK, port, timeout=10)) as connection,
    ):
        connection.connect()
        time.sleep(_ROUND_TRIP_SECONDS)
        assert 1 <= _seconds_of_get(connection) / _ROUND_TRIP_SECONDS < 1.9


def test_without_distance_there_is_no_proxy() -> None:
    with at_distance(5000, round_trip_seconds=0) as port:
        assert port == 5000


def _seconds_of_get(connection: HTTPConnection) -> float:
    started = time.perf_counter()
    connection.request("GET", "/v2/")
    with connection.getresponse() as answer:
        assert answer.read() == b"{}"
    return time.perf_counter() - started
