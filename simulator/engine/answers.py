"""What a simulated host tells the PowerShell that runs on it, and what that does to the host's state."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulator.calls import FetchError, Unknown
from simulator.clock import instant
from simulator.engine.mirror import Mirror
from simulator.engine.registry import HIVES, Registry
from simulator.windows import Process, Task

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

_PLAN = "{381b4222-f694-41f0-9685-ff5bb260df2e}"
_SLEEP, _HIBERNATE = "{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}", "{9d7815a6-7ee4-497e-8888-515a05f02364}"
_IDLE = {_SLEEP: "sleep_minutes", _HIBERNATE: "hibernate_minutes"}
_CHANNEL_BINDING = r"localhost\Service\Auth\CbtHardeningLevel"
_SYSTEM = "S-1-5-18"
_FIRST_SERVICE, _FIRST_PROCESS, _STEP = 600, 4_000, 4
_TEXTS = ("text/", "application/json", "application/x-ns-proxy-autoconfig")
_OF_REAL_FILES = frozenset(
    ["hive load", "run", "signer", "page", "start service", "start task", "stop task", "unregister task", "warn"]
)
"""Questions for which the simulator looks at files, or writes some."""


class Answers:
    """Answers the questions of simulator/engine/Windows.psm1 and Engine.cs for one host (an `Asked` of the pool).

    Args:
        host: whose state is told and changed.
        mirror: its drives.
        run_task: runs the script of a task that a command starts, to its end.
    """

    def __init__(self, host: SimulatedHost, mirror: Mirror, run_task: Callable[[Task], Awaitable[None]]) -> None:
        self._host = host
        self._mirror = mirror
        self._run_task = run_task
        self._registry = Registry(host.machine, host.registry)
        self._numbered: list[Process] = []
        self._plain: dict[str, Callable[[Any], Any]] = {
            "unknown": self._unknown, "clock": lambda _of: host.utc.isoformat(), "machine": self._machine,
            "services": self._services, "start service": self._start_service, "stop service": self._stop_service,
            "processes": self._processes, "ask process to close": self._close, "end process": self._end,
            "run": self._run, "open files": lambda _of: host.open_files, "warn": lambda _of: host.warn(),
            "users": lambda _of: host.logged_on,
            "installer at work": lambda _of: host.msi_at_work, "tasks": self._tasks, "register task": self._register,
            "stop task": self._stop_task, "unregister task": self._unregister,
            "signer": lambda of: host.signer(host.drive.read(of["path"])),
            "registry look": self._look_up,
            "registry make": lambda of: self._registry.make(of["key"]),
            "registry set": lambda of: self._write(self._registry.set, of["key"], of["name"], of["value"]),
            "registry unset": lambda of: self._write(self._registry.unset, of["key"], of["name"]),
            "registry remove": lambda of: self._write(self._registry.remove, of["key"]),
            "enable task": lambda of: self._switch_task(of, True),
            "disable task": lambda of: self._switch_task(of, False),
            "set idle": lambda of: host.set_idle(_IDLE[of["setting"]], of["seconds"]),
            "hive load": lambda of: self._registry.load(of["key"], host.drive.read(of["path"])),
            "overdue": lambda _of: list(host.machine.overdue),
            "clock offset": lambda _of: _or_error(lambda: {"offset": host.surroundings.clock_offset()}),
            "addresses": lambda of: _or_error(lambda: {"addresses": host.surroundings.addresses(of["name"])}),
            "handshake": lambda of: _or_error(lambda: host.surroundings.handshake(of["name"])),
            "script answer": lambda of: _or_error(
                lambda: {"proxy": host.surroundings.script_answer(of["script"], of["url"])}
            ),
            "wsman": self._wsman,
            "detected": lambda _of: _or_error(lambda: {"url": host.surroundings.detected()}),
        }  # fmt: skip
        self._awaited: dict[str, Callable[[Any], Awaitable[Any]]] = {
            "page": self._page,
            "download": self._download,
            "start task": self._start_task,
        }
        self.unknown: list[str] = []

    async def __call__(self, what: str, of: Any) -> Any:  # noqa: ANN401
        """The answer to a question. Raises `HostDown` where the host goes down by what it asks for."""
        if what in _OF_REAL_FILES:
            self._mirror.pull()
        if what in self._awaited:
            answer = await self._awaited[what](of)
        elif what in self._plain:
            answer = self._plain[what](of)
        else:
            raise Unknown(f"the question {what!r} of an engine")
        if what in _OF_REAL_FILES:
            self._mirror.push()
        return answer

    def _unknown(self, of: dict[str, str]) -> None:
        self.unknown.append(of["text"])

    def _machine(self, _of: object) -> dict[str, Any]:
        machine, power = self._host.machine, self._host.power
        idle = {_SLEEP: power["sleep_minutes"], _HIBERNATE: power["hibernate_minutes"]}
        return {
            "name": self._host.computer_name,
            "os": machine.os,
            "build": machine.build,
            "memory_bytes": machine.memory_mb * 2**20,
            "free_bytes": int(machine.free_gb * 2**30),
            "booted": self._host.booted.isoformat(),
            "time_zone": machine.time_zone,
            "plan": _PLAN,
            "plan_name": machine.power_plan,
            "addresses": list(machine.addresses),
            "seconds": {setting: minutes * 60 for setting, minutes in idle.items() if minutes is not None},
            "drives": [drive for drive in ("C:", "D:") if self._host.drive.is_folder(drive)],
        }

    def _wsman(self, of: dict[str, str]) -> str | None:
        """A setting of WinRM's; what leads there is nothing by itself, and others nobody asks for."""
        path = of["path"].casefold()
        if path == _CHANNEL_BINDING.casefold():
            return self._host.machine.channel_binding
        return "" if f"{_CHANNEL_BINDING}\\".casefold().startswith(f"{path}\\".lstrip("\\")) else None

    def _look_up(self, of: dict[str, str]) -> dict[str, Any] | None:
        hive = of["key"].partition("\\")[0]
        if hive.upper() not in HIVES:
            self.unknown.append(f"the registry's {hive}")
        return self._registry.look(of["key"])

    def _write(self, act: Callable[..., None], *of: Any) -> None:  # noqa: ANN401
        """A write into the registry; a person's proxy is the machine's as well."""
        act(*of)
        self._host.set_proxies(self._registry.proxies(self._host.machine.proxies))

    # ---- services

    def _services(self, _of: object) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "status": service.state.title(),
                "path": service.program,
                "mode": service.start_mode,
                "account": service.account,
                "process": _FIRST_SERVICE + _STEP * at if service.state == "running" else 0,
            }
            for at, (name, service) in enumerate(self._host.services.items())
        ]

    def _start_service(self, of: dict[str, str]) -> str | None:
        name = of["name"]
        missing = self._missing_service(name)
        return missing or (None if self._host.start_service(name) else f"Service '{name}' cannot be started.")

    def _stop_service(self, of: dict[str, str]) -> str | None:
        missing = self._missing_service(of["name"])
        if not missing:
            self._host.stop_service(of["name"])
        return missing

    def _missing_service(self, name: str) -> str | None:
        return None if name in self._host.services else f"Cannot find any service with service name '{name}'."

    # ---- processes

    def _processes(self, _of: object) -> list[dict[str, Any]]:
        services = [
            {"id": each["process"], "name": _stem(each["path"]), "path": each["path"], "session": 0}
            for each in self._services(None)
            if each["process"]
        ]
        people = [
            {"id": self._number(process), "name": process.name, "path": process.path, "session": 1}
            for process in self._host.processes
        ]
        return services + people

    def _number(self, process: Process) -> int:
        for at, known in enumerate(self._numbered):
            if known is process:
                return _FIRST_PROCESS + _STEP * at
        self._numbered.append(process)
        return self._number(process)

    def _close(self, of: dict[str, int]) -> bool:
        """A person's program closes when it is asked to; a service has no window."""
        return self._end(of) is None

    def _end(self, of: dict[str, int]) -> str | None:
        for process in self._host.processes:
            if self._number(process) == of["id"]:
                self._host.processes = [each for each in self._host.processes if each is not process]
                return None
        return f"Cannot find a process with the process identifier {of['id']}."

    def _run(self, of: dict[str, str]) -> int | None:
        if not self._host.drive.is_file(of["path"]):
            return None
        return self._host.run_program(of["path"], of["arguments"])

    # ---- scheduled tasks

    def _tasks(self, _of: object) -> list[dict[str, Any]]:
        own = [
            {
                "name": name,
                "path": "\\",
                "program": task.program,
                "arguments": task.arguments,
                "state": "Running" if self._runs(name, task) else "Ready",
                "next": task.at.isoformat() if task.at else None,
                "result": task.result,
            }
            for name, task in self._host.tasks.items()
        ]
        restarts = [
            {
                "name": name,
                "path": "\\",
                "program": "shutdown.exe",
                "arguments": "/r",
                "state": "Ready" if restart.enabled else "Disabled",
                "next": restart.at.isoformat() if restart.enabled else None,
                "result": 0,
            }
            for name, restart in self._host.restarts.items()
        ]
        return own + restarts

    def _switch_task(self, of: dict[str, str], enabled: bool) -> str | None:
        """Enable a task that restarts the machine, or disable it; nobody does that to another one."""
        if of["name"] not in self._host.restarts:
            raise Unknown(f"a task to be switched, {of['name']}")
        self._host.switch_restart(of["name"], enabled)
        return None

    def _runs(self, name: str, task: Task) -> bool:
        """A task that starts by itself is done with its script at once; one that was started may be at work."""
        return task.at is None and self._host.task_runs(name)

    def _register(self, of: dict[str, Any]) -> str | None:
        if of["principal"]["user"] != _SYSTEM:
            raise Unknown(f"a task that runs as {of['principal']['user']}")
        if of["name"] in self._host.tasks and not of["force"]:
            return "Cannot create a file when that file already exists."
        task = Task(of["action"]["program"], of["action"]["arguments"])
        for trigger in of["triggers"]:
            if trigger["startup"]:
                task.startup = True
            else:
                task.at, task.every = instant(trigger["at"]), timedelta(minutes=trigger["minutes"])
        self._host.tasks[of["name"]] = task
        return None

    async def _start_task(self, of: dict[str, str]) -> str | None:
        missing = self._missing_task(of["name"])
        if missing:
            return missing
        task = self._host.tasks[of["name"]]
        if task.is_script:
            await self._run_task(task)
        else:
            self._host.start_task(of["name"])
        return None

    def _stop_task(self, of: dict[str, str]) -> str | None:
        missing = self._missing_task(of["name"])
        if not missing and self._host.task_runs(of["name"]) and self._host.programs:
            self._host.programs.stop()
        return missing

    def _unregister(self, of: dict[str, str]) -> str | None:
        missing = self._missing_task(of["name"])
        self._host.tasks.pop(of["name"], None)
        return missing

    def _missing_task(self, name: str) -> str | None:
        return None if name in self._host.tasks else f"The system cannot find the task {name}."

    # ---- the net

    async def _page(self, of: dict[str, Any]) -> dict[str, Any]:
        """A page as Get-WebAnswer tells it: so many bytes and seconds at most, at the speed of the host's line."""
        url = of["url"]
        found: dict[str, Any] = {"status": 0, "body": None, "content_type": None, "length": 0, "seconds": 0.0}
        found |= {"milliseconds": 0, "final_url": None, "issuer": None, "error": None}
        if urlsplit(url).hostname in ("127.0.0.1", "localhost"):
            body = self._host.local_get(url)
            if body is None:
                return {**found, "error": "ConnectFailure: Unable to connect to the remote server"}
            told = {"status": 200, "body": base64.b64encode(body).decode(), "content_type": "application/json"}
            return {**found, **told, "length": len(body), "final_url": url, "issuer": ""}
        try:
            by, net = of["proxy"], self._host.surroundings
            page = await (net.get(url, of["start"]) if by is None else net.page(url, by))
        except FetchError as error:
            return {**found, "error": str(error)}
        rate = self._host.machine.link_mbit * 1e6 / 8
        size = min(len(page.body), of["bytes"], int(rate * of["seconds"]))
        if page.content_type.startswith(_TEXTS):
            found["body"] = base64.b64encode(page.body[:size]).decode()
        return {
            **found,
            "status": page.status,
            "content_type": page.content_type,
            "length": size,
            "seconds": round(size / rate, 3),
            "milliseconds": page.milliseconds,
            "final_url": page.final_url,
            "issuer": page.issuer,
        }

    async def _download(self, of: dict[str, Any]) -> dict[str, Any]:
        try:
            page = await self._host.download(of["url"], of["start"], of["seconds"])
        except FetchError as error:
            return {"error": str(error)}
        headers = {"ETag": page.tag} if page.tag else {}
        length = page.total if page.total is not None else -1
        if page.status == 206 and page.total is not None:
            headers["Content-Range"] = f"bytes {page.first}-{page.total - 1}/{page.total}"
            length = page.total - page.first
        body = base64.b64encode(page.body).decode()
        return {"status": page.status, "headers": headers, "length": length, "body": body, "error": None}


def _or_error(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was found, or why not."""
    try:
        return {"error": None, **look()}
    except FetchError as error:
        return {"error": str(error)}


def _stem(path: str) -> str:
    return path.rpartition("\\")[2].rpartition(".")[0]
