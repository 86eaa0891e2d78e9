"""A company's proxy, through which everything goes: the installed command, a real proxy, hosts behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.certificates import CertificateOffice
from tests.support.fake_registry.proxied import ProxiedInternet, proxied_internet
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import multi_platform_image
from tests.support.project import Project
from tests.support.real_software import require_programs
from tests.support.tinyproxy import running_tinyproxy

IMAGE = multi_platform_image("linux/amd64")
USER, PASSWORD = "clerk", "open-sesame"


@dataclass(frozen=True, slots=True)
class Company:
    """A project in a network that only the proxy leaves."""

    project: Project
    proxy: str
    internet: ProxiedInternet
    proxy_log: Path

    def run_as(self, login: str, *arguments: str) -> tuple[int, str]:
        url = f"http://{login}@{self.proxy}"
        environment = {**self.project.environment, "HTTPS_PROXY": url, "http_proxy": url}
        outcome = replace(self.project, environment=environment).run(*arguments)
        return outcome.exit_code, outcome.stderr


@pytest.fixture
def company(tmp_path: Path, office: CertificateOffice) -> Iterator[Company]:
    require_programs("tinyproxy")
    tokens = FakeTokenServer()
    registry = FakeRegistry(tokens=tokens, challenge='Bearer realm="https://auth.example/token",service="s"')
    registry.push("team/app", IMAGE)
    plain = FakeRegistry()
    plain.push("team/app", IMAGE)
    (tmp_path / "project").mkdir()
    project = Project(folder=tmp_path / "project", environment={"SSL_CERT_FILE": str(office.authority)})
    with (
        proxied_internet({"reg.example": registry, "auth.example": tokens, "plain.example": plain}, office) as internet,
        running_tinyproxy(
            tmp_path, upstream=internet.proxy_url.removeprefix("http://"), user=USER, password=PASSWORD
        ) as proxy,
    ):
        yield Company(project, proxy, internet, tmp_path / "tinyproxy.log")


def test_registry_and_token_server_are_reached_through_tunnels(company: Company) -> None:
    company.project.declare({"app": "reg.example/team/app:1"})
    assert company.run_as(f"{USER}:{PASSWORD}", "lock")[0] == 0
    assert company.project.locked["app"]["digest"] == IMAGE.digest
    assert set(company.internet.tunnels) == {"reg.example:443", "auth.example:443"}
    assert not [request for request in company.internet.requests if request.headers.get("proxy-authorization")]


def test_plain_http_is_forwarded(company: Company) -> None:
    company.project.declare({"app": "plain.example/team/app:1"})
    with (company.project.folder / "images.toml").open("a") as file:
        file.write('\n[registries."plain.example"]\nplain-http = true\n')
    assert company.run_as(f"{USER}:{PASSWORD}", "lock")[0] == 0
    assert company.project.locked["app"]["digest"] == IMAGE.digest
    assert company.internet.tunnels == []
    assert company.internet.log() == ["GET plain.example/v2/team/app/manifests/1"]


def test_a_proxy_that_refuses_is_named_without_the_password(company: Company) -> None:
    company.project.declare({"app": "reg.example/team/app:1"})
    exit_code, said = company.run_as(f"{USER}:wrong-{PASSWORD}", "lock")
    assert exit_code == 3
    assert f"the proxy {company.proxy} refused the tunnel: status 401" in said
    assert PASSWORD not in said
    assert not company.project.lock_path.exists()
