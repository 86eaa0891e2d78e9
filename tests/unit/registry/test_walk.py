"""A reader can follow a reference to the socket: the files on its way are few."""

from __future__ import annotations

import pytest

from benchmarks.network.files_entered import Walk, walks

_MAX_FILES = {"open": 14, "login": 16, "new token": 19}


@pytest.fixture(scope="module")
def counted() -> dict[str, Walk]:
    return walks()


@pytest.mark.parametrize("way", _MAX_FILES)
def test_few_files_lie_between_a_reference_and_the_socket(way: str, counted: dict[str, Walk]) -> None:
    files = counted[way].files
    assert {"client.py", "host.py", "http/sender.py", "http/transport.py"} <= set(files)
    assert len(files) <= _MAX_FILES[way], files
