"""Clients for tests, over the fake internet and with a clock that no test waits for."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagelock.images_file.registries import RegistryDeclaration
from imagelock.registry.auth.schemes import SchemeMemory
from imagelock.registry.client import RegistryClient, make_registry_client
from imagelock.registry.locations import RegistrySettings
from tests.support.fake_registry.clock import FakeClock
from tests.support.fake_registry.internet import Internet

NOWHERE = Path("/nonexistent")


@dataclass(slots=True, kw_only=True)
class Setup:
    """What a client is made of."""

    internet: Internet
    logins: Mapping[str, str] = field(default_factory=dict)
    """``user:password`` by registry."""
    auths: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Other entries of a config.json."""
    auth_config: Mapping[str, object] = field(default_factory=dict)
    """What else is in it."""
    registries: tuple[RegistryDeclaration, ...] = ()
    anonymous: bool = False
    trace: Callable[[str], None] | None = None
    warn: Callable[[str], None] | None = None
    cache_directory: Path | None = None
    registries_conf: Path = Path(os.devnull)
    clock: FakeClock = field(default_factory=FakeClock)
    memories: list[SchemeMemory] = field(default_factory=list)

    def client(self) -> RegistryClient:
        memory = SchemeMemory(self.cache_directory, clock=self.clock)
        self.memories.append(memory)
        return make_registry_client(
            self.settings(), transport=self.internet, dialer=self.internet, clock=self.clock, memory=memory
        )

    def next_run(self) -> RegistryClient:
        """A client of a later run, which knows what the earlier ones left on disk."""
        for memory in self.memories:
            memory.save()
        return self.client()

    def settings(self) -> RegistrySettings:
        encoded = {host: {"auth": base64.b64encode(login.encode()).decode()} for host, login in self.logins.items()}
        return RegistrySettings(
            registries=self.registries,
            anonymous=self.anonymous,
            trace=self.trace,
            warn=self.warn,
            cache_directory=self.cache_directory,
            environment={
                "DOCKER_AUTH_CONFIG": json.dumps({"auths": {**encoded, **self.auths}, **self.auth_config}),
                # What this machine has in /etc is none of a test's business.
                "CONTAINERS_REGISTRIES_CONF": str(self.registries_conf),
            },
            home=NOWHERE,
        )


def client_of(internet: Internet, **options: object) -> RegistryClient:
    return Setup(internet=internet, **options).client()  # type: ignore[arg-type]  # checked by the dataclass
