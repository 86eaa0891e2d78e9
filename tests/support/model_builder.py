"""A builder as a function: which sources a Dockerfile asks for, what a policy makes of them, which bytes come out.

It knows of Dockerfiles what the recorded builds need: ``FROM``, ``COPY``, ``ADD``, ``RUN cat`` and ``# syntax=``. The
order in which it asks is BuildKit's, and so is the form: an image is judged by its normalised name while its metadata
is resolved, and again with the digest that it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.source_policy import BuildkitPolicy, PolicyError, Source

_IMAGE = "docker-image://"
_HUB = "docker.io/"
_SYNTAX = re.compile(r"# syntax=(\S+)")
_FROM = re.compile(r"FROM (?:--platform=(\S+) )?(\S+)(?: AS (\S+))?")
_COPY = re.compile(r"(?:COPY|ADD) (?:--from=(\S+) )?(\S+) (\S+)")
_MOUNT = re.compile(r"RUN --mount=\S*?from=([^,\s]+)\S* ")
_CAT = re.compile(r"cat (\S+) > (\S+)")
_SBOM_SCANNER = "docker/buildkit-syft-scanner:stable-1"
Files = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelImage:
    """An image in the registry that every host leads to."""

    index: str
    platforms: Mapping[str, str]
    """Digests by architecture."""
    says: str
    """The text of ``/etc/who`` before the architecture."""


@dataclass(frozen=True, slots=True)
class ModelRegistry:
    """Images by repository and tag, without a host, as in ``library/golang:1.22``."""

    tags: Mapping[str, ModelImage]
    urls: Mapping[str, str] = field(default_factory=dict)
    """The digest of the content behind each URL."""

    def resolve(self, reference: str) -> str:
        """Return the digest of a normalised reference."""
        _, _, path = reference.partition("/")
        name, _, digest = path.partition("@")
        if digest:
            repository = name.partition(":")[0]
            inside = [image for tag, image in self.tags.items() if tag.partition(":")[0] == repository]
            if not any(digest in (image.index, *image.platforms.values()) for image in inside):
                raise PolicyError("not found")
            return digest
        if name not in self.tags:
            raise PolicyError("not found")
        return self.tags[name].index

    def read(self, digest: str, architecture: str) -> str:
        """Return ``/etc/who`` of an index's platform, or of the one platform that a digest names."""
        for image in self.tags.values():
            if digest == image.index:
                return f"{image.says} {architecture}"
            for each, child in image.platforms.items():
                if digest == child:
                    return f"{image.says} {each}"
        raise PolicyError("not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One build, with the options of BuildKit's frontend."""

    dockerfile: str
    policy: BuildkitPolicy
    options: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"


def build(request: Request, registry: ModelRegistry) -> Files:
    """Return the files of the last stage; ``PolicyError`` ends a build that BuildKit would end."""
    return _Build(request, registry).run()


def normalize(reference: str) -> str:
    """Return a reference as policies see it: with its registry, and with a tag where it has no digest."""
    first, slash, rest = reference.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", reference if slash else f"library/{reference}"
    if first == "index.docker.io":
        first = "docker.io"
    has_tag = ":" in rest.partition("@")[0]
    return f"{first}/{rest}" if has_tag or "@" in rest else f"{first}/{rest}:latest"


def familiar(normalized: str) -> str:
    """Return the short form under which named contexts are looked up."""
    name = normalized.removeprefix(_HUB)
    if name != normalized and name.startswith("library/"):
        name = name.removeprefix("library/")
    return name.removesuffix(":latest")


@dataclass(slots=True)
class _Stage:
    base: str
    platform: str
    lines: list[str] = field(default_factory=list)
    files: Files | None = None


class _Build:
    def __init__(self, request: Request, registry: ModelRegistry) -> None:
        self._request = request
        self._registry = registry
        self._stages: dict[str, _Stage] = {}
        self._last = ""

    def run(self) -> Files:
        self._judge("local://dockerfile")
        self._resolve_frontend()
        if "attest:sbom" in self._request.options:
            self._resolve(_SBOM_SCANNER)
        self._read_stages()
        return {name: text for name, text in self._files_of(self._last).items() if name != "/etc/who"}

    def _resolve_frontend(self) -> None:
        found = _SYNTAX.match(self._request.dockerfile)
        image = self._request.options.get("build-arg:BUILDKIT_SYNTAX") or (found[1] if found else None)
        if image is not None:
            self._resolve(image)

    def _read_stages(self) -> None:
        arguments: dict[str, str] = {}
        for line in self._request.dockerfile.splitlines():
            if line.startswith("ARG "):
                name, _, value = line.removeprefix("ARG ").partition("=")
                arguments[name] = value
            elif found := _FROM.match(re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], line)):
                self._last = str(len(self._stages))
                stage = _Stage(found[2], found[1] or self._request.platform)
                self._stages |= {self._last: stage, **({found[3]: stage} if found[3] else {})}
            elif not line.startswith("#"):
                self._stages[self._last].lines.append(line)

    def _files_of(self, name: str) -> Files:
        """Return the files of a stage, or of an image."""
        stage = self._stages.get(name)
        if stage is None:
            return self._image(name, self._request.platform)
        if stage.files is None:
            stage.files = {} if stage.base == "scratch" else self._image(stage.base, stage.platform)
            for line in stage.lines:
                stage.files |= dict(self._execute(line, stage.files))
        return stage.files

    def _execute(self, line: str, files: Files) -> Iterator[tuple[str, str]]:
        if line.startswith(("COPY", "ADD")) and (copy := _COPY.match(line)):
            yield copy[3], self._copied(copy[1], copy[2])
        mount = _MOUNT.match(line)
        mounted = {f"/m{path}": text for path, text in self._files_of(mount[1]).items()} if mount else {}
        if cat := _CAT.search(line):
            yield cat[2], {**files, **mounted}[cat[1]]

    def _copied(self, origin: str | None, path: str) -> str:
        if origin is not None:
            return self._files_of(origin)[path]
        if "://" in path:
            return self._download(path)
        self._judge("local://context")
        return self._request.dockerfile

    def _download(self, url: str) -> str:
        if ".git" in url:
            self._judge(f"git://{url.partition('://')[2]}")
            return url
        source = self._judge(url)
        digest = self._registry.urls[url]
        wanted = source.attributes.get("http.checksum", digest)
        if wanted != digest:
            raise PolicyError(f"digest mismatch {digest}: {wanted}")
        return digest

    def _image(self, reference: str, platform: str) -> Files:
        architecture = platform.partition("/")[2]
        return {"/etc/who": self._registry.read(self._resolve(reference, platform), architecture)}

    def _resolve(self, reference: str, platform: str = "") -> str:
        """Judge an image by its name, then with its digest; return that digest."""
        name = normalize(reference)
        context = self._find_context(name, platform)
        if context is not None and context.startswith("oci-layout://"):
            digest = context.partition("@")[2]
            self._judge(f"oci-layout://{name}@{digest}")
            return digest
        if context is not None:
            name = normalize(context.removeprefix(_IMAGE))
        resolved = self._judge(_IMAGE + name).identifier.removeprefix(_IMAGE)
        if normalize(resolved) != resolved or "://" in resolved:
            raise PolicyError(f'parse "dummy://{resolved}": invalid port after host')
        digest = self._registry.resolve(resolved)
        final = resolved if "@" in resolved else f"{resolved}@{digest}"
        return self._judge(_IMAGE + final).identifier.partition("@")[2]

    def _find_context(self, name: str, platform: str) -> str | None:
        key = f"context:{familiar(name)}"
        options = self._request.options
        return options.get(f"{key}::{platform}") or options.get(key)

    def _judge(self, identifier: str) -> Source:
        return self._request.policy.evaluate(Source(identifier))


def split_options(options: Sequence[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` options; a key may hold ``=`` in its digest's place only."""
    return dict(option.split("=", 1) for option in options)
