"""The one login of the test registries, in the forms that servers and clients keep it in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt

_ROUNDS = 4
"""As few as bcrypt allows: the registry hashes the password again for every request."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password."""

    username: str
    password: str = field(repr=False)

    @property
    def basic(self) -> str:
        """The value of an ``Authorization`` header."""
        return f"Basic {self.encoded}"

    def write_htpasswd(self, path: Path) -> Path:
        hashed = bcrypt.hashpw(self.password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
        path.write_text(f"{self.username}:{hashed}\n")
        return path

    @property
    def encoded(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


TEST_LOGIN = Login("tester", "correct horse: battery staple")


def write_docker_config(directory: Path, logins: Mapping[str, Login]) -> Path:
    """Write what ``docker login`` writes; ``directory`` is then a value for ``DOCKER_CONFIG``."""
    directory.mkdir()
    path = directory / "config.json"
    auths = {registry: {"auth": login.encoded} for registry, login in logins.items()}
    path.write_text(json.dumps({"auths": auths}))
    return path
