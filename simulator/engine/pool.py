"""Warm PowerShell processes: each runs one command at a time, and asks the simulator what its Windows tells."""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

_WORKER = Path(__file__).with_name("worker.ps1")
_LINE_BYTES = 256 * 2**20
_END_SECONDS = 10.0

Asked = Callable[[str, Any], Awaitable[Any]]
"""Answers a question of a command, with its name and what it is about; what it raises ends the command."""


class WorkerEndedError(Exception):
    """A PowerShell process ended by itself in the middle of a command."""


class _Worker:
    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, pwsh: str) -> _Worker:
        # Nothing here runs long enough to pay for what .NET learns of it.
        environment = {**os.environ, "DOTNET_TieredPGO": "0", "DOTNET_CLI_TELEMETRY_OPTOUT": "1"}
        command = [pwsh, "-NoProfile", "-NonInteractive", "-File", str(_WORKER)]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=environment, limit=_LINE_BYTES
        )
        worker = cls(process)
        await worker._read()
        return worker

    async def run(self, job: dict[str, Any], asked: Asked) -> dict[str, Any]:
        await self._write(job)
        while True:
            told = await self._read()
            if "done" in told:
                done: dict[str, Any] = told["done"]
                return done
            await self._write({"value": await asked(told["ask"], told["of"])})

    async def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise WorkerEndedError(f"the PowerShell process ended with code {await self._process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _END_SECONDS)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class Pool:
    """As many processes as commands run at once, started when they are needed.

    No more than `most` commands run at once; what one of them waits for has a process beside these.
    """

    def __init__(self, pwsh: str, most: int) -> None:
        self._pwsh = pwsh
        self._room = asyncio.Semaphore(most)
        self._free: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self.commands = 0
        self.cpu_seconds = 0.0

    async def run(self, job: dict[str, Any], asked: Asked, *, within: bool = False) -> dict[str, Any]:
        """Run a command in a process that nothing else uses meanwhile; what it left behind.

        One whose command did not come to its end is ended: whatever it would still do is not done. `within`: another
        command waits for this one, and no process of `most` has to come free for it.
        """
        async with nullcontext() if within else self._room:
            if self._free:
                worker = self._free.pop()
            else:
                worker = await _Worker.start(self._pwsh)
            self._busy.add(worker)
            try:
                done = await worker.run(job, asked)
            except BaseException:
                await worker.kill()
                raise
            finally:
                self._busy.discard(worker)
            self._free.append(worker)
            self.commands += 1
            self.cpu_seconds += done["cpu"]
            return done

    async def close(self) -> None:
        """End all processes, whatever they are at."""
        for worker in list(self._busy):
            await worker.kill()
        while self._free:
            await self._free.pop().close()
