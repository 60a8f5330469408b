"""A host whose commands run in a real PowerShell, on a Windows made of the host's own state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from simulator import manifest
from simulator.calls import Answer, Call, FetchFile, PutFile, Unknown
from simulator.engine.answers import Answers
from simulator.engine.mirror import Mirror
from simulator.engine.pool import Pool

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

_CULTURE = "nb-NO"
_ZONES = {
    "W. Europe Standard Time": "Europe/Oslo",
    "Romance Standard Time": "Europe/Paris",
    "Central Europe Standard Time": "Europe/Budapest",
    "GMT Standard Time": "Europe/London",
    "FLE Standard Time": "Europe/Helsinki",
    "UTC": "Etc/UTC",
}


def temporary(user: str) -> str:
    """The folder for what an account needs for a moment."""
    return rf"C:\Users\{user}\AppData\Local\Temp"


class PowerShellEngine:
    """The engine of one host (the protocol of simulator.calls).

    Args:
        host: whose state is seen and changed.
        pool: the processes, shared by all hosts.
        folder: where the host's drives are laid out; it is made.
        user: the account that logs in.
    """

    def __init__(self, host: SimulatedHost, pool: Pool, folder: Path, user: str) -> None:
        if host.machine.time_zone not in _ZONES:
            raise Unknown(f"the time zone {host.machine.time_zone!r}")
        self._host = host
        self._pool = pool
        self._user = user
        self._mirror = Mirror(host.drive, folder, lambda: host.utc)
        self._answers = Answers(host, self._mirror)
        self._turn = asyncio.Lock()

    async def execute(self, line: str, stdin: bytes) -> Answer:
        """Run a command line with its standard input; one after the other on a host.

        Raises `Unknown` for what neither the wrappers nor this Windows know, and `HostDown` where the host went down.
        """
        script, call = manifest.script(line), manifest.decode(line, stdin, rf"C:\Users\{self._user}")
        async with self._turn:
            self._host.settle()
            self._mirror.push()
            self._answers.unknown.clear()
            job = {
                "script": script,
                "input": stdin.decode(),
                "root": str(self._mirror.root),
                "environment": self._environment(),
                "culture": _CULTURE,
            }
            try:
                with self._in_reach(call):
                    done = await self._pool.run(job, self._answers)
            finally:
                self._mirror.pull()
            if self._answers.unknown:
                raise Unknown(", ".join(dict.fromkeys(self._answers.unknown)))
            if self._host.restarts_next:
                self._host.restarts_next = False
                self._host.restart()
        if isinstance(call, Answer) and done["code"] == 0:
            # A folder's full name is this machine's in the engine; Windows tells this one.
            return call
        return Answer(done["stdout"].encode(), done["stderr"].encode(), done["code"])

    def _environment(self) -> dict[str, str]:
        profile = rf"C:\Users\{self._user}"
        return {
            "TZ": _ZONES[self._host.machine.time_zone],
            "COMPUTERNAME": self._host.computer_name,
            "USERDOMAIN": self._host.computer_name,
            "USERNAME": self._user,
            "USERPROFILE": profile,
            "TEMP": temporary(self._user),
            "TMP": temporary(self._user),
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "windir": r"C:\Windows",
            "ProgramData": r"C:\ProgramData",
            "ProgramFiles": r"C:\Program Files",
            "OS": "Windows_NT",
        }

    @contextmanager
    def _in_reach(self, call: Call | Answer) -> Iterator[None]:
        """Lay a link where .NET looks for a file that is put or fetched: here a Windows path is a file's plain name."""
        if not isinstance(call, PutFile | FetchFile):
            yield
            return
        link = self._mirror.root / call.path
        target = self._mirror.path(call.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target)
        try:
            yield
        finally:
            link.unlink()

    def restart(self) -> None:
        """Nothing runs here between two commands: what the host's programs do is the simulator's."""

    async def close(self) -> None:
        """End the processes, of all hosts."""
        await self._pool.close()
