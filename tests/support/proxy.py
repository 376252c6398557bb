"""A TCP proxy that stands between somebody and the server, and fails as networks do.

Three things go wrong with a network: connections break (`cut`), new ones are refused (`refusing`), and bytes stop
without anybody being told (`stalled`). The last one is the worst, and no signal to a process can make it. One thread
with an event loop carries all connections; the verbs are called from other threads and return when they have happened.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)
_PATIENCE = 30.0
T = TypeVar("T")


class Proxy:
    """Stands before the server that a DSN names."""

    def __init__(self, dsn: str) -> None:
        given = conninfo_to_dict(dsn)
        self._to = (str(given["host"]), int(str(given["port"])))
        self._loop = asyncio.new_event_loop()
        self._flow = asyncio.Event()
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen(0))
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def through(self, dsn: str) -> str:
        """The same database, by way of this proxy."""
        return make_conninfo(dsn, host="127.0.0.1", port=self.port)

    @property
    def open(self) -> int:
        """How many connections go through it now."""
        return len(self._pairs)

    def cut(self) -> int:
        """Break every connection that there is, both ways, with a reset; how many there were."""
        return self._do(self._cut())

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Break what there is, and let nobody in."""
        self._do(self._refuse())
        try:
            yield
        finally:
            self._do(self._listen(self.port))

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Hold every byte back, both ways. Nothing is lost: it arrives late."""
        self._loop.call_soon_threadsafe(self._flow.clear)
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(self._flow.set)

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(_PATIENCE)

    async def _listen(self, port: int) -> None:
        self._flow.set()
        self._listening = await asyncio.start_server(self._carry, "127.0.0.1", port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _refuse(self) -> None:
        if self._listening is not None:
            self._listening.close()
        await self._cut()

    async def _cut(self) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            for each in pair:
                self._reset(each)
        return len(pairs)

    async def _end(self) -> None:
        self._flow.set()
        await self._refuse()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._to)
        except OSError:
            self._reset(writer)
            self._tasks.discard(task)
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        ways = [asyncio.create_task(self._pump(*way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for each in pair:
                with suppress(OSError):
                    each.close()
            self._pairs.discard(pair)
            self._tasks.discard(task)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_BYTES):
                await self._flow.wait()
                writer.write(data)
                await writer.drain()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
