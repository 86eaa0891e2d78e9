"""Parts that several registries are put together from."""

from __future__ import annotations

from tests.support.fake_registry.answers import Answer, Handler
from tests.support.fake_registry.registry import FakeRegistry
from tests.support.fake_registry.token_server import FakeTokenServer
from tests.support.oci_images import Content, multi_platform_image

IMAGE = multi_platform_image("linux/amd64", "linux/arm64")
OTHER = multi_platform_image("linux/amd64", note="other")


def holding(*paths: str, tag: str = "1", content: Content = IMAGE, **options: object) -> FakeRegistry:
    registry = FakeRegistry(**options)  # type: ignore[arg-type]  # checked by the dataclass
    for path in paths:
        registry.push(path, content, tag=tag)
    return registry


def with_tokens_at(path: str, tokens: FakeTokenServer, registry: Handler) -> Handler:
    """One host that is registry and token server."""
    return lambda request: (tokens if request.url.path == path else registry)(request)


def redirect(location: str, *, status: int = 307) -> Handler:
    return lambda _: Answer(status=status, headers={"Location": location})


def challenge(realm: str, service: str = "") -> str:
    return f'Bearer realm="{realm}"' + (f',service="{service}"' if service else "")


def without_headers(registry: Handler, *names: str) -> Handler:
    def answer(request: object) -> Answer:
        answered = registry(request)  # type: ignore[arg-type]  # handlers take requests
        kept = {name: value for name, value in answered.headers.items() if name.lower() not in names}
        return Answer(status=answered.status, headers=kept, chunks=answered.chunks)

    return answer
