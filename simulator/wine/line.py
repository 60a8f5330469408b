"""What programs on a Wine machine ask the simulator: a line on loopback, and a line back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

Asked = Callable[[str, asyncio.Event], Awaitable[str]]
"""Answers what is asked; the event is set where the program that asks has ended before the answer."""


class Line:
    """A server for one machine; each kind of question has one that answers it."""

    def __init__(self, asked: dict[str, Asked]) -> None:
        self._asked = asked
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> int:
        """Listen; the port."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hear nothing any more."""
        if self._server is not None:
            self._server.close()
        for talk in list(self._talks):
            talk.cancel()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            kind, _tab, about = (await reader.readline()).decode().rstrip("\r\n").partition("\t")
            if kind not in self._asked:
                return
            ended = asyncio.Event()
            watch = asyncio.ensure_future(_until_it_ends(reader, ended))
            try:
                writer.write(f"{await self._asked[kind](about, ended)}\n".encode())
                await writer.drain()
            finally:
                watch.cancel()
        except (ConnectionError, asyncio.CancelledError):
            # It has ended, or the simulation has: nobody wants the answer.
            return
        finally:
            self._talks.discard(task)
            writer.close()


async def _until_it_ends(reader: asyncio.StreamReader, ended: asyncio.Event) -> None:
    with suppress(ConnectionError):
        await reader.read(1)
    ended.set()
