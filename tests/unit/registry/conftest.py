from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.certificates import CertificateOffice
from tests.support.fake_registry.answers import Handler
from tests.support.fake_registry.internet import FakeInternet, Internet
from tests.support.fake_registry.proxied import proxied_internet

InternetOf = Callable[[dict[str, Handler]], Internet]


@pytest.fixture
def trusts_office(office: CertificateOffice, monkeypatch: pytest.MonkeyPatch) -> CertificateOffice:
    """As if the office's certificate was in the operating system's store."""
    monkeypatch.setenv("SSL_CERT_FILE", str(office.authority))
    return office


@pytest.fixture(params=["seam", "sockets"])
def internet_of(request: pytest.FixtureRequest, trusts_office: CertificateOffice) -> Iterator[InternetOf]:
    """Makes an internet of some hosts: once behind the transport seam, once with sockets, TLS and a proxy."""
    with ExitStack() as stack:

        def over_sockets(hosts: dict[str, Handler]) -> Internet:
            return stack.enter_context(proxied_internet(hosts, trusts_office))

        yield FakeInternet if request.param == "seam" else over_sockets
