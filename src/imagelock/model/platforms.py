"""Platforms, normalized as by containerd and matched without fallbacks.

https://github.com/opencontainers/image-spec/blob/main/image-index.md#image-index-property-descriptions
https://github.com/containerd/platforms
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from imagelock.errors import InvalidPlatformError
from imagelock.model.digest import Digest
from imagelock.model.frozen import frozen

_OS = r"([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)((?:\+[A-Za-z0-9_.-]+)*)\))?"
_COMPONENT = r"[A-Za-z0-9_.-]+"
_MAX_LENGTH = 256

_OPERATING_SYSTEMS = frozenset(
    "aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd openbsd plan9 solaris windows"
    " zos".split()
)
_ARCHITECTURES = frozenset(
    "386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32"
    " mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm aarch64 armel armhf i386 x86_64 x86-64".split()
)

_UNKNOWN = ("", "unknown")
_ARM_VARIANTS = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}
_ARM64_VARIANTS = {"8": "", "v8": "", "v8.0": "", "9": "v9", "9.0": "v9", "v9.0": "v9"}


@frozen(kw_only=True)
class Platform:
    """A normalized platform.

    A declared platform matches equal ones only, without the fallbacks of runtimes (amd64 to 386, arm64 to arm). On
    Windows it may omit the build, or the last parts of it.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    """The Windows build, such as ``10.0.20348.2582``; indexes often have several builds of one architecture."""
    os_features: tuple[str, ...] = ()

    @classmethod
    @lru_cache(maxsize=1024)  # a project has few platforms, in many places
    def parse(cls, text: str) -> Self:
        """Parse ``os[(version[+feature])]/architecture[/variant]``; an architecture alone means Linux.

        Containerd completes an operating system alone with this machine's architecture. A lock must not depend on the
        machine that wrote it, so it is an ``InvalidPlatformError`` here.
        """
        if len(text) > _MAX_LENGTH:
            raise InvalidPlatformError(f"a platform has no more than {_MAX_LENGTH} characters")
        first, *rest = text.split("/")
        if not rest:
            return cls._parse_single_word(text)
        match = re.fullmatch(_OS, first, re.ASCII)
        if match is None or len(rest) > 2 or not all(re.fullmatch(_COMPONENT, part, re.ASCII) for part in rest):  # noqa: PLR2004  architecture, variant
            raise InvalidPlatformError(f"`{text}` is not a platform: it must look like `linux/amd64` or `linux/arm/v7`")
        name, version, features = match.groups(default="")
        return cls.of(name, *rest, os_version=version, os_features=tuple(sorted(filter(None, features.split("+")))))

    @classmethod
    def _parse_single_word(cls, word: str) -> Self:
        if word.lower() in _ARCHITECTURES:
            return cls.of("linux", word)
        if word.lower() in _OPERATING_SYSTEMS:
            raise InvalidPlatformError(f"`{word}` has no architecture", hint=f"write `{word}/amd64` or `{word}/arm64`")
        raise InvalidPlatformError(f"`{word}` is not a platform: it must look like `linux/amd64`")

    @classmethod
    def of(
        cls,
        os: str,
        architecture: str,
        variant: str = "",
        *,
        os_version: str = "",
        os_features: tuple[str, ...] = (),
    ) -> Self:
        """Return the platform of parts as in an index or a configuration (``x86_64``, ``arm64/v8``), normalized."""
        os = os.lower()
        architecture, variant = _normalize_architecture(architecture.lower(), variant.lower())
        return cls(
            os="darwin" if os == "macos" else os,
            architecture=architecture,
            variant=variant,
            os_version=os_version,
            os_features=os_features,
        )

    def matches(self, offered: Platform) -> bool:
        """Return whether this declared platform matches ``offered``, a platform of an index or a lock."""
        wanted = (self.os, self.architecture, self.variant)
        return (
            wanted == (offered.os, offered.architecture, offered.variant)
            and self.os_features in ((), offered.os_features)
            and f"{offered.os_version}.".startswith(f"{self.os_version}." if self.os_version else "")
        )

    @property
    def names_build(self) -> bool:
        """Whether it names a Windows build, a part of one, or a feature."""
        return bool(self.os_version or self.os_features)

    @property
    def is_unknown(self) -> bool:
        """Whether this is the ``unknown/unknown`` that builders put on entries which are no images, or says nothing."""
        return self.os in _UNKNOWN or self.architecture in _UNKNOWN

    def __str__(self) -> str:
        os = self.os
        if self.os_version or self.os_features:
            os = f"{os}({self.os_version}{''.join(f'+{feature}' for feature in self.os_features)})"
        return "/".join(filter(None, (os, self.architecture, self.variant)))


@frozen
class PlatformDigest:
    """A platform and the digest of its manifest."""

    platform: Platform
    digest: Digest


def by_name(entries: Iterable[PlatformDigest]) -> tuple[PlatformDigest, ...]:
    """Return the entries in the order of images.lock."""
    return tuple(sorted(entries, key=lambda entry: str(entry.platform)))


@frozen
class PlatformChoice:
    """The result of ``choose_platforms``."""

    chosen: tuple[PlatformDigest, ...]
    """Sorted by name."""
    missing: tuple[Platform, ...] = ()
    """Wanted platforms that are not offered."""
    ambiguous: tuple[tuple[Platform, tuple[Platform, ...]], ...] = ()
    """Wanted platforms that match several, such as two builds of Windows, with these."""


def choose_platforms(wanted: Iterable[Platform], offered: Iterable[PlatformDigest]) -> PlatformChoice:
    """Return one offered platform for each wanted one, an equal one first; all of them if none is wanted.

    No platform is wanted twice.
    """
    wanted, offered = tuple(wanted), tuple(offered)
    if not wanted or wanted == tuple(entry.platform for entry in offered):
        return PlatformChoice(by_name(offered), (), ())
    chosen: set[PlatformDigest] = set()
    missing: list[Platform] = []
    ambiguous: list[tuple[Platform, tuple[Platform, ...]]] = []
    for platform in wanted:
        matches = [entry for entry in offered if platform.matches(entry.platform)]
        best = [entry for entry in matches if entry.platform == platform] or matches
        if not best:
            missing.append(platform)
        elif len(best) > 1:
            ambiguous.append((platform, tuple(entry.platform for entry in matches)))
        else:
            chosen.add(best[0])
    return PlatformChoice(by_name(chosen), tuple(missing), tuple(ambiguous))


def _normalize_architecture(architecture: str, variant: str) -> tuple[str, str]:
    match architecture:
        case "i386":
            return "386", ""
        case "x86_64" | "x86-64" | "amd64":
            return "amd64", "" if variant == "v1" else variant
        case "aarch64" | "arm64":
            return "arm64", _ARM64_VARIANTS.get(variant, variant)
        case "armhf":
            return "arm", "v7"
        case "armel":
            return "arm", "v6"
        case "arm":
            return "arm", _ARM_VARIANTS.get(variant, variant)
        case _:
            return architecture, variant
