"""One Wine machine: made, run on, started again and removed by `wine-host`; its programs see the simulated clock."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import uuid
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from simulator.calls import Answer
from simulator.wine.discovery import Tools


class WineBroken(Exception):  # noqa: N818
    """`wine-host` did not do what it was asked for; the text is what it said."""


class Machine:
    """A machine in the folder `prefix`, with a time zone by its IANA name.

    Only programs that are started by `run`, and what these start, see another clock: services and the boot time have
    that of the real machine.
    """

    def __init__(self, tools: Tools, prefix: Path, zone: str) -> None:
        self._tools = tools
        self._zone = zone
        self._ahead = 0.0
        self._running: set[Process] = set()
        self.prefix = prefix

    @property
    def drive(self) -> Path:
        """The folder that is drive C:."""
        return self.prefix / "drive_c"

    async def create(self) -> None:
        """Make it and start it. Raises `WineBroken`."""
        self.prefix.parent.mkdir(parents=True, exist_ok=True)
        await self._ask("create")
        # Wine would write its own files anew when it finds the installed ones of another date, and here they are links.
        (self.prefix / ".update-timestamp").write_text("disable\n", encoding="ascii")

    async def reboot(self) -> None:
        """End every program and start the machine again. Raises `WineBroken`."""
        await self._ask("reboot")

    async def destroy(self) -> None:
        """End every program and remove the machine, where there is one."""
        self.kill()
        if self.drive.is_dir():
            await self._ask("destroy")

    def set_clock(self, moment: datetime) -> float:
        """Let programs that start from now on see this moment and what follows; by how many seconds that is a leap."""
        ahead = (moment - datetime.now(UTC)).total_seconds()
        leap = ahead - self._ahead
        self._ahead = ahead
        self._clock.write_text(f"{ahead:+.3f}\n", encoding="ascii")
        return leap

    def real(self, shown: datetime) -> float:
        """The real moment, in seconds since 1970, that programs on the machine see as `shown`."""
        return shown.timestamp() - self._ahead

    async def run(self, command: Sequence[str], stdin: bytes | None, environment: Mapping[str, str]) -> Answer:
        """Run a program with its standard input; None is none. Its output and its whole exit code."""
        variables = {
            "LD_PRELOAD": self._tools.faketime,
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKE_UTIME": "1",
            **environment,
        }
        code = self.prefix / f".code-{uuid.uuid4().hex}"
        said = [argument for name, value in variables.items() for argument in ("-e", f"{name}={value}")]
        # Into files: what a program leaves running holds a pipe open for as long as it lives.
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            given.write(stdin or b"")
            given.seek(0)
            process = await asyncio.create_subprocess_exec(
                self._tools.wine_host,
                *("exec", *said, "--code", str(code), str(self.prefix), "--", *command),
                stdin=DEVNULL if stdin is None else given,
                stdout=out,
                stderr=errors,
                env=self._variables,
                start_new_session=True,
            )
            self._running.add(process)
            try:
                await process.wait()
            finally:
                self._running.discard(process)
                _kill(process)
            out.seek(0)
            errors.seek(0)
            stdout, stderr = out.read(), errors.read()
        told = code.read_text(encoding="ascii").strip() if code.is_file() else ""
        code.unlink(missing_ok=True)
        return Answer(stdout, stderr, int(told) if told else process.returncode or 0)

    def kill(self) -> None:
        """End what `run` has started."""
        for process in list(self._running):
            _kill(process)

    @property
    def _clock(self) -> Path:
        return self.prefix / ".clock"

    @property
    def _variables(self) -> dict[str, str]:
        return {**os.environ, "TZ": self._zone}

    async def _ask(self, action: str) -> None:
        # Into a file: the machine that it leaves running would hold a pipe open for as long as it lives.
        with tempfile.TemporaryFile() as log:
            process = await asyncio.create_subprocess_exec(
                self._tools.wine_host,
                action,
                str(self.prefix),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env=self._variables,
                start_new_session=True,
            )
            if await process.wait() != 0:
                log.seek(0)
                said = log.read(500).decode(errors="replace").strip()
                raise WineBroken(f"wine-host {action}: code {process.returncode}: {said}")


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
