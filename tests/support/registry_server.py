"""Runs Debian's ``docker-registry`` (CNCF distribution) in the three ways in which registries let one in.

https://distribution.github.io/distribution/about/configuration/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.access_log import AccessLog
from tests.support.certificates import CertificateFolder, LoopbackTls, make_authority, make_loopback_tls
from tests.support.credentials import TEST_LOGIN, Login, write_docker_config
from tests.support.delay_proxy import at_distance
from tests.support.processes import LOOPBACK, free_port, running_server
from tests.support.registry_tokens import ISSUER, SERVICE, TokenPolicy
from tests.support.token_server import TokenServer, running_token_server

_NO_AUTH: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryServer:
    """A running registry, as those see it who talk to it."""

    address: str
    """Host and port, as they stand in references."""
    access_log: AccessLog
    environment: Mapping[str, str]
    """Makes skopeo, docker and imagelock trust this registry and know its login, and no other one."""
    is_plain_http: bool = False
    token_server: TokenServer | None = None

    @property
    def tokens(self) -> TokenServer:
        assert self.token_server is not None, "this registry takes no bearer tokens"
        return self.token_server


@contextmanager
def anonymous_registry(directory: Path) -> Iterator[RegistryServer]:
    """Plain HTTP on loopback, open to all."""
    with _running(directory, auth=_NO_AUTH, tls=None) as (port, log):
        environment = _environment(directory, logins={}, tls=None)
        yield RegistryServer(address=f"{LOOPBACK}:{port}", access_log=log, environment=environment, is_plain_http=True)


@contextmanager
def htpasswd_registry(directory: Path) -> Iterator[RegistryServer]:
    """TLS under an authority of its own, and Basic credentials for everything."""
    tls = make_loopback_tls(directory)
    auth = {"htpasswd": {"realm": "tests", "path": str(TEST_LOGIN.write_htpasswd(directory / "htpasswd"))}}
    with _running(directory, auth=auth, tls=tls) as (port, log):
        address = f"localhost:{port}"
        environment = _environment(directory, logins={address: TEST_LOGIN}, tls=tls)
        yield RegistryServer(address=address, access_log=log, environment=environment)


@contextmanager
def client_certificate_registry(directory: Path) -> Iterator[tuple[str, CertificateFolder]]:
    """TLS to those who show a certificate; yields the address, and what its clients keep in ``certs.d``."""
    tls = make_loopback_tls(directory)
    client = make_authority("imagelock tests: client").write(directory, "client")
    with _running(directory, auth=_NO_AUTH, tls=tls, client_authority=client.certificate) as (port, _):
        yield f"localhost:{port}", CertificateFolder(authority=tls.authority, client=client)


@contextmanager
def bearer_registry(
    directory: Path,
    *,
    anonymous_pull: bool = False,
    takes_batches: bool = True,
    round_trip_seconds: float = 0,
) -> Iterator[RegistryServer]:
    """TLS and bearer tokens; ``round_trip_seconds`` moves both servers that far away."""
    tls = make_loopback_tls(directory)
    signer = make_authority(ISSUER)
    policy = TokenPolicy(signer=signer, login=TEST_LOGIN, anonymous_pull=anonymous_pull, takes_batches=takes_batches)
    with ExitStack() as stack:
        tokens = stack.enter_context(running_token_server(policy, tls=tls.server))
        realm_port = stack.enter_context(at_distance(tokens.port, round_trip_seconds=round_trip_seconds))
        auth = {
            "token": {
                "realm": f"https://localhost:{realm_port}/token",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(signer.write(directory, "token").certificate),
            },
        }
        near_port, log = stack.enter_context(_running(directory, auth=auth, tls=tls))
        port = stack.enter_context(at_distance(near_port, round_trip_seconds=round_trip_seconds))
        address = f"localhost:{port}"
        environment = _environment(directory, logins={address: TEST_LOGIN}, tls=tls)
        yield RegistryServer(address=address, access_log=log, environment=environment, token_server=tokens)


@contextmanager
def _running(
    directory: Path,
    *,
    auth: Mapping[str, object],
    tls: LoopbackTls | None,
    client_authority: Path | None = None,
) -> Iterator[tuple[int, AccessLog]]:
    port = free_port()
    document = _configuration(directory, port=port, auth=auth, tls=tls, client_authority=client_authority)
    configuration = directory / "registry.json"
    configuration.write_text(json.dumps(document))
    output = directory / "access.log"
    with running_server(["docker-registry", "serve", str(configuration)], port=port, output=output):
        url = f"{'https' if tls else 'http'}://localhost:{port}"
        yield port, AccessLog(file=output, url=url, trust=tls.trust() if tls else None)


def _configuration(
    directory: Path,
    *,
    port: int,
    auth: Mapping[str, object],
    tls: LoopbackTls | None,
    client_authority: Path | None,
) -> dict[str, object]:
    # The registry reads YAML, and JSON is YAML.
    http: dict[str, object] = {"addr": f"{LOOPBACK}:{port}", "relativeurls": True, "secret": "any will do"}
    if tls is not None:
        clients = {} if client_authority is None else {"clientcas": [str(client_authority)]}
        http["tls"] = {"certificate": str(tls.server.certificate), "key": str(tls.server.key), **clients}
    return {
        "version": 0.1,
        "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": False}},
        "storage": {
            "filesystem": {"rootdirectory": str(directory / "storage")},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": True},
        },
        "http": http,
        **({"auth": auth} if auth else {}),
    }


def _environment(
    directory: Path,
    *,
    logins: Mapping[str, Login],
    tls: LoopbackTls | None,
) -> dict[str, str]:
    configuration = write_docker_config(directory / "docker", logins)
    environment = {"DOCKER_CONFIG": str(configuration.parent), "REGISTRY_AUTH_FILE": str(configuration)}
    if tls is not None:
        environment["SSL_CERT_FILE"] = str(tls.authority)
    return environment
