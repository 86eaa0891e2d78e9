"""A registry on loopback that serves what a test pushes, and calls back before each answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.support.oci_images import Content

_PATH = re.compile(r"/v2/(.+)/(manifests|blobs|tags)/([^?]+)")


@dataclass(slots=True)
class LoopbackRegistry:
    """Serves tags by ``NAME:TAG``; a callback may push, or change files of the client, while it waits."""

    host: str = ""
    tags: dict[str, Content] = field(default_factory=dict)
    contents: dict[str, Content] = field(default_factory=dict)
    every_content: dict[str, Content] = field(default_factory=dict)
    """Everything that was ever pushed, by digest."""
    unlisted: set[str] = field(default_factory=set)
    """Tags that the list lacks although they are served."""
    on_request: Callable[[str], None] = lambda _: None

    def push(self, tag: str, image: Content) -> Content:
        """Serve an image as ``NAME:TAG``."""
        self.tags[tag] = image
        found = {content.digest: content for content in image.walk()}
        self.contents |= found
        self.every_content |= found
        return image

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return status, media type and body."""
        self.on_request(path)
        match = _PATH.match(path)
        if match is None:
            return 404, "application/json", b"{}"
        name, kind, what = match.groups()
        if kind == "tags":
            listed = (tag.partition(":") for tag in self.tags if tag not in self.unlisted)
            tags = [tag for repository, _, tag in listed if repository == name]
            return 200, "application/json", json.dumps({"name": name, "tags": tags}).encode()
        content = self.contents.get(what) or self.tags.get(f"{name}:{what}")
        if content is None:
            return 404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "not there"}]}'
        return 200, content.media_type, content.body


@contextmanager
def loopback_registry() -> Iterator[LoopbackRegistry]:
    """Serve until the end of the block."""
    registry = LoopbackRegistry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one write an answer: two would wait 40 ms for each other
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, media_type, body = registry.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  the base class names it

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    registry.host = f"127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
