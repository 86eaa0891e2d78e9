"""Adds a round-trip time to loopback, so that a benchmark sees what a distant registry costs.

A TCP proxy, so TLS passes through. What a client sends arrives half a round trip later, and so does the
answer; a connection takes a whole round trip to open before anything goes through it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event, Thread

from tests.support.processes import LOOPBACK

_CHUNK_BYTES = 1 << 16
_Chunks = asyncio.Queue[tuple[float, bytes]]
"""Bytes with the loop's time at which they arrive; empty bytes close the connection."""


@contextmanager
def at_distance(target_port: int, *, round_trip_seconds: float) -> Iterator[int]:
    """Yield a loopback port that leads to ``target_port``, only slower; without distance the port itself."""
    if not round_trip_seconds:
        yield target_port
        return
    proxy = _Proxy(target_port, round_trip_seconds)
    thread = Thread(target=proxy.serve, daemon=True)
    thread.start()
    proxy.listening.wait()
    try:
        yield proxy.port
    finally:
        proxy.stop()
        thread.join()


class _Proxy:
    def __init__(self, target_port: int, round_trip_seconds: float) -> None:
        self.port = 0
        self.listening = Event()
        self._target_port = target_port
        self._round_trip_seconds = round_trip_seconds
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        await self._ended.wait()
        server.close()

    async def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        opened_at = self._loop.time() + self._round_trip_seconds
        upstream, to_upstream = await asyncio.open_connection(LOOPBACK, self._target_port)
        # Whoever ends the proxy waits for nothing that is under way.
        with closing(to_client), closing(to_upstream), suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._carry(client, to_upstream, opened_at=opened_at),
                self._carry(upstream, to_client, opened_at=opened_at),
            )

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        *,
        opened_at: float,
    ) -> None:
        under_way: _Chunks = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(under_way, target))
        chunk = b"first"
        while chunk:
            try:
                chunk = await source.read(_CHUNK_BYTES)
            except ConnectionError:
                chunk = b""
            sent_at = max(self._loop.time(), opened_at)
            under_way.put_nowait((sent_at + self._round_trip_seconds / 2, chunk))
        await delivery

    async def _deliver(self, under_way: _Chunks, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                arrives_at, chunk = await under_way.get()
                await asyncio.sleep(arrives_at - self._loop.time())
                if not chunk:
                    break
                target.write(chunk)
                await target.drain()
        target.close()
