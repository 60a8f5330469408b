"""A host whose commands run on a Windows-like machine of its own, made by Wine."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from simulator import manifest
from simulator.calls import Answer, HostDown, Unknown
from simulator.engine.registry import MACHINE, PROFILES, of_machine
from simulator.files import parent
from simulator.wine import vendor
from simulator.wine.discovery import Tools
from simulator.wine.line import Line
from simulator.wine.machine import Machine
from simulator.wine.net import questions
from simulator.wine.sight import Sight

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

_HERE = Path(__file__).parent
_ZONES = {"W. Europe Standard Time": "Europe/Oslo", "UTC": "Etc/UTC"}
_SIMULATOR = rf"{MACHINE}\SOFTWARE\InteractorSimulator"
_WORK = r"C:\ProgramData\HelseVest"
_EPJ = r"C:\EPJ"
_TEMP = r"C:\windows\temp"
_RIGHTS = r"C:\windows\system32\icacls.exe"
_MODULES = r"C:\Program Files\PowerShell\Modules"
_POLL_SECONDS = 0.1
_OWN_SESSIONS = """class PowerShell {
    static [System.Management.Automation.PowerShell] Create() {
        $shell = [System.Management.Automation.PowerShell]::Create()
        $null = $shell.AddScript('Import-Module -Name InteractorMachine -Global').Invoke()
        $shell.Commands.Clear()
        return $shell
    }
}
"""
"""Stands before what arrives. Ansible's wrapper opens a session of its own for a module with [PowerShell]::Create(),
and a class of the session comes before the engine's short name: so that one has the machine's functions before the
engine's cmdlets of these names."""


@dataclass(frozen=True)
class Network:
    """How a machine gets into the simulated internet: the proxy's address, and the authority's certificate in PEM."""

    proxy: str
    trusted: Path


def address(site: str, port: int) -> str:
    """Where Interactor's service listens on the server of a site: all machines share one loopback network."""
    return f"127.1.{int(site) // 256 % 256}.{int(site) % 256}:{port}"


class WineEngine:
    """The engine of one host (the protocol of simulator.calls). The machine is made when the first command comes.

    Args:
        host: what the machine is made of, and whose vendor's programs act when it asks.
        tools: what it is made with.
        folder: where the machine lies; it is made.
        network: how it gets into the simulated internet.
    """

    def __init__(self, host: SimulatedHost, tools: Tools, folder: Path, network: Network) -> None:
        zone = _ZONES.get(host.machine.time_zone)
        if zone is None:
            raise Unknown(f"the time zone {host.machine.time_zone!r}")
        self._refuse_what_is_not_there(host)
        self._host = host
        self._network = network
        self._machine = Machine(tools, folder, zone)
        programs = host.programs
        seen = [_WORK, _EPJ]
        if programs is not None:
            seen += [parent(programs.vendor.config), programs.vendor.install]
        self._sight = Sight(host.drive, self._machine, seen)
        self._line = Line({"migrate": self._migrate, "signer": self._signer} | questions(host))
        self._turn = asyncio.Lock()
        self._made = False
        self._closed = False
        self._reboots = 0
        self._rebooting: asyncio.Task[None] | None = None

    @staticmethod
    def _refuse_what_is_not_there(host: SimulatedHost) -> None:
        """Raise `Unknown` for what a scenario says and a Wine machine cannot be."""
        machine, programs = host.machine, host.programs
        wrong = {
            "clock_offset_seconds": machine.clock_offset_seconds != 0,
            "scheduled_restarts": bool(machine.scheduled_restarts),
            "in_use": machine.in_use.sessions > 0,
            # Wine's reg.exe loads no hive, and the person that there is, is signed in.
            "proxies that are not loaded": not all(proxy.loaded for proxy in machine.proxies),
            # What takes a machine to the simulated internet are such variables.
            "environment": bool(machine.environment),
            # It has no line of its own: a page comes as it is, or is not trusted.
            "page_trouble": machine.page_trouble is not None and machine.page_trouble.is_accepted,
            "upgrade.ends": programs is not None and programs.site.upgrade.ends != "ok",
            "upgrade.cut_after": programs is not None and programs.site.upgrade.cut_after is not None,
        }
        for name in [name for name, said in wrong.items() if said]:
            raise Unknown(f"{name} on a Wine machine")

    async def execute(self, line: str, stdin: bytes) -> Answer:
        """Run a command line with its standard input; one after the other on a host.

        Raises `HostDown` where the host went down meanwhile.
        """
        command = ["powershell", *line.split()[1:-1], _encoded(_OWN_SESSIONS + manifest.script(line))]
        async with self._turn:
            await self._be_there()
            boots = self._reboots
            self._host.settle()
            self._tell_time()
            self._sight.push()
            answer = await self._machine.run(command, stdin or None, self._environment())
            if self._reboots != boots:
                raise HostDown(self._host.name)
            self._sight.pull()
        return answer

    def restart(self) -> None:
        """Start the machine again; what runs on it ends at once."""
        if not self._made:
            return
        self._reboots += 1
        self._machine.kill()
        self._rebooting = asyncio.ensure_future(self._reboot(self._rebooting))

    async def _reboot(self, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await earlier
        await self._machine.reboot()
        # What a task had started has ended, and its process's number may become another's.
        for file in (self._machine.drive / "windows" / "system32").glob("[Tt]asks/**/*.job"):
            file.unlink()

    async def catch_up(self) -> None:
        """Its tasks are the model's to do: Wine starts none."""

    async def close(self) -> None:
        """End the machine and remove it."""
        self._closed = True
        await self._line.close()
        self._machine.kill()
        if self._rebooting is not None:
            await asyncio.wait({self._rebooting})
        async with self._turn:
            await self._machine.destroy()

    # ---- the machine

    async def _be_there(self) -> None:
        if self._closed:
            raise HostDown(self._host.name)
        if not self._made:
            await self._make()
            self._made = True
        while (reboot := self._rebooting) is not None:
            await reboot
            # Another one may have begun meanwhile.
            if self._rebooting is reboot:
                self._rebooting = None

    async def _make(self) -> None:
        # A first command that its caller gave up has left half a machine.
        await self._machine.destroy()
        await self._machine.create()
        port = await self._line.open()
        services = self._put_programs() if self._host.programs is not None else []
        self._tell_time()
        self._sight.push()
        modules = self._sight.path(_MODULES)
        shutil.copytree(_HERE / "modules", modules, dirs_exist_ok=True)
        temp = self._sight.path(_TEMP)
        said = {
            "registry": self._registry(port),
            "trusted": self._network.trusted.read_text(encoding="ascii"),
            "services": services,
        }
        rights = self._sight.path(_RIGHTS)
        # It is a link to what is installed.
        rights.unlink()
        rights.write_bytes(vendor.rights_program())
        (temp / "setup.json").write_text(json.dumps(said), encoding="utf-8")
        shutil.copy(_HERE / "setup.ps1", temp / "setup.ps1")
        done = await self._machine.run(["powershell", "-NoProfile", "-File", rf"{_TEMP}\setup.ps1"], None, {})
        if done.code != 0:
            raise RuntimeError(
                f"{self._host.name}: setup: {(done.stdout + done.stderr).decode(errors='replace')[:1000]}"
            )
        for name in ("setup.json", "setup.ps1"):
            (temp / name).unlink()

    def _put_programs(self) -> list[dict[str, Any]]:
        """Put programs for Windows where the model has pretended ones; the services that they are."""
        programs, drive = self._host.programs, self._host.drive
        assert programs is not None
        version = programs.installed_version()
        services = []
        for name, service in self._host.services.items():
            told = version if name == programs.vendor.service and version else "0"
            drive.write(service.program, vendor.service_program(told))
            services.append({"name": name, "program": service.program, "running": service.state == "running"})
        if drive.is_file(programs.vendor.migrate) and version:
            drive.write(programs.vendor.migrate, vendor.migration_program(version))
        drive.date(self._host.booted)
        return services

    def _registry(self, port: int) -> dict[str, dict[str, Any]]:
        keys: dict[str, dict[str, Any]] = {
            # As Windows has it; Wine passes no arguments on.
            r"HKEY_CLASSES_ROOT\Msi.Package\shell\Open\command": {
                "": {"kind": "string", "data": r'"C:\windows\system32\msiexec.exe" /i "%1" %*'}
            },
            # Or Wine would take its own of that name.
            r"HKEY_CURRENT_USER\Software\Wine\DllOverrides": {"icacls.exe": {"kind": "string", "data": "native"}},
            rf"{_SIMULATOR}\Access": {},
            _SIMULATOR: {"Port": {"kind": "dword", "data": port}},
        }
        programs = self._host.programs
        if programs is not None:
            url = urlsplit(programs.vendor.version_url)
            listen = address(self._host.site, url.port or 80)
            keys[rf"{_SIMULATOR}\{programs.vendor.service}"] = {
                "Listen": {"kind": "string", "data": listen},
                "VersionKey": {"kind": "string", "data": programs.vendor.version_key},
            }
        said = of_machine(self._host.machine, _own_account)
        # The machine knows where its own account's folder is.
        said.get(rf"{PROFILES}\{_own_account(0)}", {}).pop("ProfileImagePath", None)
        return keys | said

    def _tell_time(self) -> None:
        self._sight.leap(self._machine.set_clock(self._host.utc))

    def _environment(self) -> dict[str, str]:
        proxy = self._network.proxy
        own = ["127.0.0.1", "localhost"]
        if self._host.programs is not None:
            own.append(address(self._host.site, 0).partition(":")[0])
        return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": ",".join(own)}

    # ---- what its programs ask

    async def _migrate(self, arguments: str, ended: asyncio.Event) -> str:
        """The migration program: its process lives for as long as the run that it has started."""
        programs = self._host.programs
        if programs is None:
            return "2"
        self._sight.pull()
        before = programs.migrations_started
        code = programs.migrate(arguments)
        self._sight.push()
        while programs.migrations_started > before and programs.migrating:
            if await _is_set(ended, _POLL_SECONDS):
                programs.stop()
        self._sight.push()
        return str(code)

    async def _signer(self, path: str, _ended: asyncio.Event) -> str:
        programs = self._host.programs
        if programs is None or not self._sight.path(path).is_file():
            return ""
        return self._host.signed_by(programs.publisher) or ""


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _encoded(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()


def _own_account(number: int) -> str:
    """The SID of the person with this number; the first one is the account that every machine has."""
    return "S-1-5-21-0-0-0-1000" if number == 0 else f"S-1-5-21-1-2-3-{1001 + number}"
