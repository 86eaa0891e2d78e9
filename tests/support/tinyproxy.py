"""Runs Debian's ``tinyproxy``: https://tinyproxy.github.io."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import LOOPBACK, free_port, running_server


@contextmanager
def running_tinyproxy(directory: Path, *, upstream: str, user: str, password: str) -> Iterator[str]:
    """A proxy that wants a login and hands everything to the next one, which knows the hosts; yields its address."""
    port = free_port()
    configuration = directory / "tinyproxy.conf"
    lines = [
        f"Port {port}",
        f"Listen {LOOPBACK}",
        f"Upstream http {upstream}",
        f"BasicAuth {user} {password}",
        "ConnectPort 443",
        "LogLevel Connect",
    ]
    configuration.write_text("\n".join(lines) + "\n")
    with running_server(["tinyproxy", "-d", "-c", str(configuration)], port=port, output=directory / "tinyproxy.log"):
        yield f"{LOOPBACK}:{port}"
