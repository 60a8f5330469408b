"""The state of one simulated Windows host, and the way a call finds its model."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from simulator import models
from simulator.calls import Answer, Call, Engine, FetchFile, ModuleCall, Page, PutFile, RawScript, Unknown
from simulator.files import Drive, join
from simulator.models import fix, lease
from simulator.programs import Programs, described
from simulator.scenario import Machine, Proxy, Trouble
from simulator.surroundings import Net, Surroundings
from simulator.windows import Process, Restart, Service, Task

_EPJ_SERVICE = "EPJServer"
_EPJ_PROGRAM = {"server": r"C:\EPJ\Server.exe", "client": r"C:\EPJ\Klient\EPJ.exe"}
_WARNED = timedelta(minutes=2)
_EPJ_FILES = {
    "server": {
        r"C:\EPJ\Data\journal.mdf": "journal",
        r"C:\EPJ\Meldinger\ut\0001.xml": "melding",
        r"C:\EPJ\epj.ini": "ini",
    },
    "client": {r"C:\EPJ\Klient\epj.ini": "ini"},
}


class SimulatedHost:
    """One Windows machine of an office. `role` is `server` or `client`; only a server has `programs`."""

    def __init__(
        self,
        name: str,
        role: str,
        machine: Machine,
        *,
        site: str,
        started: datetime,
        now: Callable[[], datetime],
        net: Net,
    ) -> None:
        self._name = name
        self.role = role
        self.machine = machine
        self.site = site
        self.drive = Drive(lambda: self.utc)
        self.services: dict[str, Service] = {}
        if role == "server":
            self.services[_EPJ_SERVICE] = Service("running", _EPJ_PROGRAM[role], account="NT AUTHORITY\\NetworkService")
        self.tasks: dict[str, Task] = {}
        self.processes = [Process("EPJ", _EPJ_PROGRAM[role])]
        self.logged_on = [f"user{number}" for number in range(1, machine.users + 1)]
        self.registry = {r"HKLM\SOFTWARE\EPJ": {"Path": _EPJ_PROGRAM[role]}}
        self.restarts = {f"Restart {number}": Restart(at) for number, at in enumerate(machine.scheduled_restarts, 1)}
        self.power = {"sleep_minutes": machine.sleep_minutes, "hibernate_minutes": machine.hibernate_minutes}
        self.clients: tuple[SimulatedHost, ...] = ()
        self.programs: Programs | None = None
        self.engine: Engine | None = None
        self.begun: list[str] = []
        self.damages_downloads = False
        self.cut_after: int | None = None
        self.signed_by: Callable[[str | None], str | None] = lambda publisher: publisher
        self.restarts_next = False
        self.msi_at_work = False
        self._now = now
        self.surroundings = Surroundings(machine, net)
        self._booted = started - timedelta(hours=machine.uptime_hours)
        self._settled = started + timedelta(seconds=machine.clock_offset_seconds)
        for path, text in _EPJ_FILES[role].items():
            self.drive.write(path, f"{text} of {name}".encode())
        for number, proxy in enumerate(machine.proxies, 1):
            if not proxy.loaded and proxy.hive != "missing":
                text = "no hive" if proxy.hive == "damaged" else f"hive {number}"
                self.drive.write(rf"C:\Users\user{number}\NTUSER.DAT", text.encode())
                self.drive.write(rf"C:\Users\user{number}\ntuser.dat.LOG1", b"")

    @property
    def name(self) -> str:
        """The host's DNS name in lower case."""
        return self._name

    @property
    def powered_on(self) -> bool:
        """Whether it answers at all."""
        return self.machine.powered_on

    @property
    def trouble(self) -> Trouble | None:
        """Why its WinRM service is not reached as it should be."""
        return self.machine.trouble

    @property
    def computer_name(self) -> str:
        """What Windows calls the machine."""
        first = self._name.split(".")[0].upper()
        return self.machine.computer_name or (f"SRV{self.site}" if self.role == "server" else f"{first}-{self.site}")

    @property
    def utc(self) -> datetime:
        """What this machine's own clock shows."""
        return self._now() + timedelta(seconds=self.machine.clock_offset_seconds)

    def real(self, shown: datetime) -> datetime:
        """The world's moment at which this machine's own clock shows `shown`."""
        return shown - timedelta(seconds=self.machine.clock_offset_seconds)

    @property
    def uptime_hours(self) -> float:
        """Hours since it was started."""
        return (self._now() - self._booted).total_seconds() / 3600

    def open_interactor(self, process: str, folder: str, data: str) -> None:
        """Let the people of the scenario open Interactor: its program's name and folder, and that of its data."""
        use = self.machine.in_use
        until = use.until + timedelta(seconds=self.machine.clock_offset_seconds) if use.until else None
        self._data = join(data, "orders.jsonl")
        for _ in range(use.sessions):
            self.processes.append(Process(process, join(folder, f"{process}.exe"), use, until))

    @property
    def people(self) -> list[Process]:
        """The programs of those who have Interactor open here; nobody where the machine is off."""
        return [process for process in self.processes if process.use] if self.powered_on else []

    @property
    def open_files(self) -> list[str] | None:
        """Paths that PCs hold open on this server; None where it does not tell."""
        if self.role == "server" and not getattr(self.machine, "tells_open_files", True):
            return None
        held = (person.use.open_files for client in self.clients for person in client.people if person.use)
        return [self._data for each in held for _ in range(1 if each is None else each)]

    def warn(self) -> int:
        """Show everybody who is logged on a text; how many that are. Some of them close Interactor then."""
        for person in self.people if self.logged_on else []:
            if person.use and person.use.closes_when_warned:
                person.until = min(self.utc + _WARNED, person.until or datetime.max.replace(tzinfo=UTC))
        return len(self.logged_on)

    def set_idle(self, name: str, seconds: int) -> None:
        """Give `sleep_minutes` or `hibernate_minutes` of the power plan another value."""
        self.power[name] = seconds // 60
        self.machine = self.machine.model_copy(update={name: seconds // 60})

    def set_proxies(self, proxies: tuple[Proxy, ...]) -> None:
        """Give the profiles other Internet Options."""
        self.machine = self.machine.model_copy(update={"proxies": proxies})

    def switch_restart(self, name: str, enabled: bool) -> None:
        """Enable or disable a scheduled restart."""
        self.restarts[name].enabled = enabled
        moments = tuple(restart.at for restart in self.restarts.values() if restart.enabled)
        self.machine = self.machine.model_copy(update={"scheduled_restarts": moments})

    def restart(self) -> None:
        """Start Windows again: programs end and nobody is signed in; services and tasks of the startup start."""
        self.settle()
        self.processes = [process for process in self.processes if process.name == "EPJ"]
        self._booted = self._now()
        if self.programs:
            self.programs.restarted()
        for name, service in self.services.items():
            service.state = "stopped"
            if service.start_mode == "Auto":
                self.start_service(name)
        for name, task in list(self.tasks.items()):
            if task.startup:
                self._fire(name, self.utc)
        if self.engine is not None:
            self.engine.restart()

    def _fire(self, name: str, moment: datetime) -> None:
        """Run what a task of ours runs; where an engine is to run its script, it waits for that in `begun`."""
        task = self.tasks.get(name)
        if task is None:
            return
        if not self.runs_scripts:
            (fix if "-FixTask" in task.arguments else lease).fire(self, name, moment)
        elif name not in self.begun:
            # One that begins while it waits, or runs, does not begin twice.
            self.begun.append(name)

    @property
    def runs_scripts(self) -> bool:
        """Whether the scripts of tasks run in an engine, and are not done by the model."""
        return self.machine.engine == "powershell"

    @property
    def next_start(self) -> datetime | None:
        """The world's moment at which the next task starts by itself; None where none will."""
        end = datetime.max.replace(tzinfo=UTC)
        moments = [at for task in self.tasks.values() for at in islice(task.due(self._settled, end), 1)]
        return self.real(min(moments)) if moments else None

    def settle(self) -> None:
        """Bring tasks, people and a migration up to the clock, in this order."""
        for client in self.clients:
            client.settle()
        now = self.utc
        due = sorted((at, name) for name, task in self.tasks.items() for at in task.due(self._settled, now))
        for at, name in due:
            self._fire(name, at)
        self._settled = max(now, self._settled)
        self.processes = [each for each in self.processes if each.until is None or each.until > now]
        if self.programs:
            if any(person.use and person.use.writes for host in (self, *self.clients) for person in host.people):
                self.drive.touch(self._data)
            self.programs.settle()

    async def get(self, url: str) -> Page:
        """Ask a server in the net. Raises FetchError."""
        return await self.surroundings.get(url)

    async def download(self, url: str, start: int, seconds: float) -> Page:
        """Ask for a file from byte `start` on: what comes in so many seconds, or before the line breaks.

        It may be damaged on its way. Raises FetchError.
        """
        most = int(self.machine.link_mbit * 1e6 / 8 * seconds)
        page = await self.surroundings.get(url, start, most if self.cut_after is None else min(most, self.cut_after))
        if self.damages_downloads and page.body:
            page = replace(page, body=page.body[:-1] + bytes([page.body[-1] ^ 0xFF]))
        return page

    def signer(self, content: bytes) -> str | None:
        """Who signed a file, as this machine's Windows sees it; None where it does not accept the signature."""
        return self.signed_by(described(content).get("publisher"))

    @property
    def booted(self) -> datetime:
        """When it was started, by this machine's own clock."""
        return self._booted + timedelta(seconds=self.machine.clock_offset_seconds)

    def local_get(self, url: str) -> bytes | None:
        """Ask this very machine; None where nobody listens."""
        return self.programs.get(url) if self.programs else None

    def run_program(self, path: str, arguments: str) -> int:
        """Run a program to its end; its exit code."""
        return self.programs.run(path, arguments) if self.programs else 2

    def start_service(self, name: str) -> bool:
        """Start a service; False where it does not come up."""
        if name in self.services and (self.programs is None or self.programs.can_start(name)):
            self.services[name].state = "running"
        return self.service_word(name) == "running"

    def service_word(self, name: str) -> str:
        """How a service is, in Windows' word in lower case; `missing` where there is none."""
        return self.services[name].state if name in self.services else "missing"

    def stop_service(self, name: str) -> None:
        """Stop a service."""
        if name in self.services:
            self.services[name].state = "stopped"

    def start_task(self, name: str) -> None:
        """Start a scheduled task, detached."""
        task = self.tasks[name]
        self.run_program(task.program, task.arguments)

    def task_runs(self, name: str) -> bool:
        """Whether what a scheduled task has started is at work."""
        return name in self.tasks and self.programs is not None and self.programs.migrating

    def end_task(self, name: str) -> None:
        """End what a scheduled task has started, if anything runs, and remove the task."""
        if self.tasks.pop(name, None) and self.programs:
            self.programs.stop()

    async def run(self, call: Call) -> Answer:
        """Do what was called. Raises Unknown for what no model knows."""
        self.settle()
        match call:
            case ModuleCall():
                result = await models.answer(self, call)
                if self.restarts_next:
                    self.restarts_next = False
                    self.restart()
                text = json.dumps(result, ensure_ascii=False)
                return Answer(text.encode(), code=1 if result.get("failed") else 0)
            case PutFile():
                self.drive.write(call.path, call.content)
                sha1 = hashlib.sha1(call.content, usedforsecurity=False).hexdigest()
                return Answer(json.dumps({"sha1": sha1}).encode())
            case FetchFile():
                return self._read(call)
            case RawScript():
                raise Unknown(f"raw script: {call.text.strip()[:120]}")

    def _read(self, call: FetchFile) -> Answer:
        if self.drive.is_folder(call.path):
            return Answer(b"[DIR]")
        if not self.drive.is_file(call.path):
            return Answer(b"", f"{call.path} does not exist".encode(), 1)
        return Answer(base64.b64encode(self.drive.read(call.path)[call.offset : call.offset + call.size]))

    def snapshot(self) -> dict[str, Any]:
        """Everything that can change, as plain data; files as hashes."""
        return {
            "files": self.drive.snapshot(),
            "services": {name: asdict(service) for name, service in sorted(self.services.items())},
            "tasks": {name: task.told() for name, task in sorted(self.tasks.items())},
            "processes": sorted(f"{process.name} {process.path}" for process in self.processes),
            "logged_on": list(self.logged_on),
            "registry": {key: dict(values) for key, values in sorted(self.registry.items())},
            "power": dict(self.power),
            "restarts": {name: restart.enabled for name, restart in self.restarts.items()},
            "proxies": [proxy.model_dump() for proxy in self.machine.proxies],
        }
