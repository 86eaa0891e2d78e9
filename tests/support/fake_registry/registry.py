"""A registry as the specification wants it; a test replaces the part of it that is to misbehave."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.fake_registry.answers import Answer, json_answer, refusal
from tests.support.fake_registry.messages import Request
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import Content, sha256

_PATH = re.compile(r"/v2/(?P<path>.+)/(?P<kind>manifests|blobs|tags)/(?P<name>[^/]+)")


@dataclass(slots=True, kw_only=True)
class FakeRegistry:
    """Holds content by repository; lets in everybody, or a login, or whoever has a token of its token server."""

    login: str = ""
    """``user:password``, for Basic access."""
    tokens: FakeTokenServer | None = None
    challenge: str = ""
    """What it says about its token server; the scope is added."""
    names_scope: bool = True
    """Whether the challenge says what the token must be for."""
    basic_realm: str = "fake"
    names_access: bool = False
    """Refusals have the detail that CNCF distribution writes."""
    manifests: dict[tuple[str, str], Content] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, list[str]] = field(default_factory=dict)

    def push(self, path: str, content: Content, *, tag: str = "1") -> str:
        """Keep an image and everything that it refers to; returns its digest."""
        for part in content.walk():
            if part.is_blob:
                self.blobs[part.digest] = part.body
            else:
                self.manifests[path, part.digest] = part
        self.manifests[path, tag] = content
        self.tags.setdefault(path, []).append(tag)
        return content.digest

    def __call__(self, request: Request) -> Answer:
        match = _PATH.fullmatch(request.url.path)
        if match is None:
            return refusal(404, "UNSUPPORTED", "no such page")
        path, kind, name = match.groups()
        if not self._lets_in(request, path):
            return self._refuse(path)
        if kind == "tags":
            return self._list_tags(path, dict(request.url.parameters))
        return self._manifest(path, name) if kind == "manifests" else self._blob(name)

    def _lets_in(self, request: Request, path: str) -> bool:
        if self.login:
            return request.authorization == f"Basic {base64.b64encode(self.login.encode()).decode()}"
        if self.tokens is None:
            return True
        granted = self.tokens.issued.get(request.authorization.removeprefix("Bearer "), frozenset())
        return f"repository:{path}:pull" in granted

    def _refuse(self, path: str) -> Answer:
        detail = [{"Type": "repository", "Class": "", "Name": path, "Action": "pull"}] if self.names_access else None
        answer = refusal(401, "UNAUTHORIZED", "authentication required", detail=detail)
        if self.login:
            return answer.adding({"WWW-Authenticate": f'Basic realm="{self.basic_realm}"'})
        scope = f',scope="repository:{path}:pull"' if self.names_scope else ""
        return answer.adding({"WWW-Authenticate": f"{self.challenge}{scope}"})

    def _manifest(self, path: str, name: str) -> Answer:
        content = self.manifests.get((path, name))
        if content is None:
            known = any(path == known for known, _ in self.manifests)
            code, message = (
                ("MANIFEST_UNKNOWN", "manifest unknown") if known else ("NAME_UNKNOWN", "repository unknown")
            )
            return refusal(404, code, message)
        headers: Mapping[str, str] = {
            "Content-Type": content.media_type,
            "Docker-Content-Digest": content.digest,
            "Content-Length": str(len(content.body)),
        }
        return Answer(headers=headers, chunks=[content.body])

    def _blob(self, digest: str) -> Answer:
        body = self.blobs.get(digest)
        if body is None:
            return refusal(404, "BLOB_UNKNOWN", "blob unknown")
        assert sha256(body) == digest
        return Answer(headers={"Content-Type": "application/octet-stream"}, chunks=[body])

    def _list_tags(self, path: str, parameters: Mapping[str, str]) -> Answer:
        if path not in self.tags:
            return refusal(404, "NAME_UNKNOWN", "repository unknown")
        tags = sorted(self.tags[path])
        start = next((at for at, tag in enumerate(tags) if tag > parameters.get("last", "")), len(tags))
        page_size = int(parameters.get("n", len(tags)))
        page = tags[start : start + page_size]
        answer = json_answer({"name": path, "tags": page})
        if start + page_size >= len(tags):
            return answer
        return answer.adding({"Link": f'</v2/{path}/tags/list?n={page_size}&last={page[-1]}>; rel="next"'})
