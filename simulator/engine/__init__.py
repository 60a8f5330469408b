"""A host whose commands run in a real PowerShell, on a Windows made of the host's own state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator import manifest
from simulator.calls import Answer, Call, FetchFile, PutFile, Unknown
from simulator.engine.answers import Answers
from simulator.engine.mirror import Mirror
from simulator.engine.pool import Pool
from simulator.programs import words
from simulator.windows import UNATTENDED, Task

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

_CULTURE = "nb-NO"
_SYSTEM_PROFILE = r"C:\Windows\system32\config\systemprofile"
_ZONES = {
    "W. Europe Standard Time": "Europe/Oslo",
    "Romance Standard Time": "Europe/Paris",
    "Central Europe Standard Time": "Europe/Budapest",
    "GMT Standard Time": "Europe/London",
    "FLE Standard Time": "Europe/Helsinki",
    "UTC": "Etc/UTC",
}


def script_of(task: Task) -> str:
    """What `powershell.exe -File` does with a task's arguments, as a script. Raises `Unknown` for any other task."""
    start = f"{UNATTENDED} -File "
    given = words(task.arguments.removeprefix(start))
    if not (task.is_script and task.arguments.startswith(start) and given):
        raise Unknown(f"a task that runs {task.program} {task.arguments}")
    file, *rest = given
    # A parameter's name is bare there, and all else is text as it stands. Where there is no such file nothing runs.
    call = " ".join(["&", _quoted(file), *(each if each.startswith("-") else _quoted(each) for each in rest)])
    return f"if (Test-Path -LiteralPath {_quoted(file)}) {{ {call} }}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


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
        self._answers = Answers(host, self._mirror, self._run_started)
        self._turn = asyncio.Lock()

    async def execute(self, line: str, stdin: bytes) -> Answer:
        """Run a command line with its standard input; one after the other on a host.

        Raises `Unknown` for what neither the wrappers nor this Windows know, and `HostDown` where the host went down.
        """
        script, call = manifest.script(line), manifest.decode(line, stdin, rf"C:\Users\{self._user}")
        async with self._turn:
            self._host.settle()
            await self._run_tasks()
            with self._in_reach(call):
                done = await self._run(self._job(script, self._environment(), stdin))
            if self._host.restarts_next:
                self._host.restarts_next = False
                self._host.restart()
            await self._run_tasks()
        if isinstance(call, Answer) and done["code"] == 0:
            # A folder's full name is this machine's in the engine; Windows tells this one.
            return call
        return Answer(done["stdout"].encode(), done["stderr"].encode(), done["code"])

    def _job(self, script: str, environment: dict[str, str], stdin: bytes = b"") -> dict[str, Any]:
        return {
            "script": script,
            "input": stdin.decode(),
            "root": str(self._mirror.root),
            "environment": environment,
            "culture": _CULTURE,
        }

    async def _run(self, job: dict[str, Any]) -> dict[str, Any]:
        self._mirror.push()
        self._answers.unknown.clear()
        try:
            done = await self._pool.run(job, self._answers)
        finally:
            self._mirror.pull()
        if self._answers.unknown:
            raise Unknown(", ".join(dict.fromkeys(self._answers.unknown)))
        return done

    async def catch_up(self) -> None:
        """Run what tasks have begun by themselves; while a command is at work, they come after it."""
        if not self._turn.locked():
            async with self._turn:
                await self._run_tasks()

    async def _run_tasks(self) -> None:
        begun = self._host.begun
        while begun:
            task = self._host.tasks.get(begun[0])
            try:
                if task is not None:
                    task.result = (await self._run(self._task_job(task)))["code"]
            except Exception:
                # A cancellation is none: who waits for the command that it came with gives up, the machine does not.
                begun.pop(0)
                raise
            begun.pop(0)

    async def _run_started(self, task: Task) -> None:
        """Run what a command has started, which goes on when that is done."""
        task.result = (await self._pool.run(self._task_job(task), self._answers, within=True))["code"]
        self._mirror.pull()

    def _task_job(self, task: Task) -> dict[str, Any]:
        system = {"USERNAME": f"{self._host.computer_name}$", "USERDOMAIN": "WORKGROUP", "USERPROFILE": _SYSTEM_PROFILE}
        system |= {"TEMP": r"C:\Windows\Temp", "TMP": r"C:\Windows\Temp"}
        return self._job(script_of(task), self._environment() | system)

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
