# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our host scripts in a real PowerShell engine, on a pretended Windows: what ansible-core sends runs as it is.

The engine is `$INTERACTOR_PWSH`, else `pwsh` on the PATH. One process serves many runs; it compiles `Ansible.Basic`
once.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path, PureWindowsPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from ansible.executor.powershell import module_manifest

from simulator.engine.discovery import EngineBroken, EngineMissing, find_pwsh
from tests.engine import wire
from tests.pwsh.coverage import MarkedScripts, marked_scripts

HERE = Path(__file__).resolve().parent
COLLECTION = HERE.parent.parent / "collections" / "ansible_collections" / "helsevest" / "interactor"
MODULES = wire.MODULES
MODULE_UTILS = COLLECTION / "plugins" / "module_utils"
LEASE_SCRIPT = COLLECTION / "plugins" / "plugin_utils" / "_lease.ps1"
FIX_SCRIPT = LEASE_SCRIPT.with_name("_fix.ps1")
PRETEND = "PretendWindows.psm1"
ADD_TYPE = "Ansible.ModuleUtils.AddType.psm1"
BASIC = "Ansible.Basic.cs"
PAC = 'function FindProxyForURL(url, host) { return "DIRECT"; }'
# Seconds since 1970: nobody has been at work since.
LONG_AGO = 1_600_000_000


def find() -> str:
    """The engine's path; skips the test where there is none, fails it where one is named and does not work."""
    try:
        return find_pwsh()
    except EngineMissing as error:
        pytest.skip(str(error))
    except EngineBroken as error:
        pytest.fail(str(error))


class PretendHost:
    """A Windows host that the scripts find: its state in `state` (see `default_state`), its drive C: in a folder."""

    def __init__(self, folder: Path, state: dict[str, Any]) -> None:
        self.file = folder / "state.json"
        self.drive = folder / "C"
        self.drive.mkdir(parents=True)
        self.other_drive = folder / "D"
        self._save(
            {**state, "drive": str(self.drive), "other_drive": str(self.other_drive), "calls": [], "refused": []}
        )

    @property
    def state(self) -> dict[str, Any]:
        """The state as it is now."""
        loaded: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return loaded

    def update(self, **parts: object) -> None:
        """Give parts of the state another value."""
        self._save({**self.state, **parts})

    def take_calls(self) -> list[str]:
        """What was called that changes something, since this was asked last."""
        calls: list[str] = self.state["calls"]
        self.update(calls=[])
        return calls

    def path(self, windows_path: str) -> Path:
        """Where a file of drive C: lies."""
        path = PureWindowsPath(windows_path)
        assert path.drive in ("C:", "D:"), windows_path
        return (self.drive if path.drive == "C:" else self.other_drive).joinpath(*path.parts[1:])

    def write(self, windows_path: str, text: str) -> None:
        """Put a file on drive C:, as one that has been there for an hour."""
        path = self.path(windows_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        then = time.time() - 3600
        os.utime(path, (then, then))

    def write_long_ago(self, windows_path: str, text: str) -> None:
        """Put a file on drive C: in which nobody has been at work for a long time."""
        self.write(windows_path, text)
        os.utime(self.path(windows_path), (LONG_AGO, LONG_AGO))

    def read(self, windows_path: str) -> str | None:
        """A file of drive C:, or None."""
        path = self.path(windows_path)
        return path.read_bytes().decode() if path.is_file() else None

    def files(self) -> dict[str, bytes]:
        """All of drive C:."""
        return {
            str(path.relative_to(self.drive)): path.read_bytes() for path in self.drive.rglob("*") if path.is_file()
        }

    def die_at(self, call: str) -> None:
        """Keep the host as it is when `call` is about to begin; `thaw` goes back to that moment."""
        self.update(freeze=call)

    def thaw(self) -> None:
        """The run died at the call that `die_at` named: nothing of what it did since is there."""
        state = json.loads(self.file.with_name(f"{self.file.name}.frozen").read_text(encoding="utf-8"))
        shutil.rmtree(self.drive)
        self.drive.with_name(f"{self.drive.name}.frozen").rename(self.drive)
        self._save({**state, "calls": []})

    def _save(self, state: dict[str, Any]) -> None:
        self.file.write_text(json.dumps(state, indent=1), encoding="utf-8")


def service(
    path: str, *, status: str = "Running", account: str = "LocalSystem", mode: str = "Auto", main: bool = False
) -> dict[str, Any]:
    """A service; the `main` one is Interactor's, which answers at the version URL."""
    return {"status": status, "path": path, "account": account, "mode": mode, "main": main}


def end_points(contract: dict[str, Any]) -> list[str]:
    """The names of all hosts that the contract wants to be reached."""
    pages, speed, installer = contract["pages"], contract["speed"], contract["installer"]
    urls = [*(page["url"] for page in pages.values()), contract["cloud"]["api"], speed["url"], installer["url"]]
    return sorted({str(urlsplit(url).hostname) for url in (*urls, contract["proxy"]["script"])})


def default_state(contract: dict[str, Any]) -> dict[str, Any]:
    """A host on which all is well, as Interactor's server of the vendor contract; without its files."""
    pages = contract["pages"]

    def page(url: str, status: int, content: str) -> dict[str, Any]:
        return {
            "status": status,
            "content": content,
            "final_url": f"{url}/",
            "issuer": "CN=Test",
            "milliseconds": 31,
        }

    return {
        "computer": {
            "name": "SRV1001",
            "os": "Microsoft Windows Server 2022 Standard",
            "build": "20348",
            "memory_bytes": 16384 * 2**20,
            "free_bytes": int(81.5 * 2**30),
            "booted": "2027-05-05T06:30:00Z",
            "utc": "2027-05-10T07:00:00Z",
            "time_zone": "W. Europe Standard Time",
            "channel_binding": "Relaxed",
            "addresses": ["10.20.1.5"],
            "plan": "{381b4222-f694-41f0-9685-ff5bb260df2e}",
            "plan_name": "Balanced",
            "seconds": {"{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}": 0, "{9d7815a6-7ee4-497e-8888-515a05f02364}": 0},
        },
        "program": contract["paths"]["install"] + "\\Interactor.exe",
        "version_url": contract["service"]["version_url"],
        "version_key": contract["service"]["version_key"],
        "services": {
            contract["service"]["name"]: service("Interactor.exe", main=True),
            "EPJServer": service(r"C:\EPJ\epj.exe"),
        },
        "service_fails": 0,
        "service_start": {"writes": {}},
        "processes": ["System", "EPJ"],
        "open_files": [],
        "users": ["somebody"],
        "programs": {},
        "msi_at_work": False,
        "tasks": {},
        "task_start": {"state": "Running", "writes": {}},
        "task_stop_state": "Ready",
        "broken_cim": [],
        "damaged_task": "",
        "slept": 0,
        "frees": 0,
        "access": {},
        "slips_in": "",
        "registry": {},
        "denied_keys": [],
        "hives": {},
        "stays_loaded": False,
        "hangs": [],
        "ntp": {"offset_seconds": 0.2, "error": None},
        "names": {name: ["192.0.2.1"] for name in end_points(contract)},
        "tls": {},
        "script_answers": {f"{contract['proxy']['script']} {each['url']}": "DIRECT" for each in pages.values()},
        "kept_keys": [],
        "powercfg_fails": 0,
        "powercfg_deaf": False,
        "web": {
            pages["P1"]["url"]: page(pages["P1"]["url"], 404, "default backend – 404"),
            pages["P2"]["url"]: page(pages["P2"]["url"], 200, "<html><body><h1>Testing 123</h1></body></html>"),
            contract["proxy"]["script"]: page(contract["proxy"]["script"], 200, PAC),
            contract["speed"]["url"]: {
                "status": 200,
                "content": "",
                "length": contract["speed"]["bytes"],
                "seconds": 0.31,
            },
        },
        "downloads": {},
        "signature": {"status": "Valid", "publisher": contract["installer"]["publisher"]},
    }


class Engine:
    """One PowerShell process that runs modules, one after the other."""

    running: ClassVar[list[Engine]] = []

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._count = 0
        self._utilities: dict[str, list[str]] = {}
        self._errors = (folder / "stderr.txt").open("wb")
        # The bootstrap script calls chcp.com, which only Windows has.
        tools = folder / "bin"
        tools.mkdir()
        (tools / "chcp.com").write_text("#!/bin/sh\n")
        (tools / "chcp.com").chmod(0o755)
        self._process = subprocess.Popen(
            [find(), "-NoProfile", "-NonInteractive", "-File", str(HERE / "harness.ps1")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            # Nothing here runs long enough to pay for what .NET learns of it.
            env={
                **os.environ,
                **(environment or {}),
                "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
                "DOTNET_TieredPGO": "0",
            },
        )
        self.running.append(self)
        self._marked: MarkedScripts | None = None
        self._marked = marked_scripts(self.script)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def close(self) -> None:
        """End the process, if it has not ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if self._process.stdin.closed:
            return
        self.running.remove(self)
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, **case: object) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._count += 1
        output = self.folder / f"{self._count}.output"
        self._process.stdin.write(json.dumps({**case, "output": str(output)}) + "\n")
        self._process.stdin.flush()
        told = self._process.stdout.readline().strip()
        if told != "done":
            pytest.fail(f"the engine said {told!r}: {(self.folder / 'stderr.txt').read_text()[:2000]}")
        return output.read_text(encoding="utf-8")

    def marked(self, script: Path) -> Path:
        """What runs in the place of a script of ours: where the run measures, a copy that tells what of it was run."""
        return self._marked.path(script) if self._marked else script

    def _mark(self, sent: dict[str, str]) -> None:
        """Put a script's copy with marks into a script that is about to be sent."""
        path = Path(sent["path"])
        copy = self.marked(path)
        if copy != path:
            sent["script"] = module_manifest._ScriptInfo(content=copy.read_bytes(), path=str(path)).script

    def _file(self, name: str, text: str) -> str:
        path = self.folder / f"{self._count}.{name}"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def script(self, text: str, stdin: str = "") -> str:
        """Run a bare script in a session of its own; its output, with `ERROR:` in it where it failed."""
        text = self._marked.text(text) if self._marked else text
        return self._ask(script=self._file("script", text), input=self._file("input", stdin))

    def module(
        self, name: str, arguments: dict[str, Any], host: PretendHost, *, check_mode: bool = False
    ) -> dict[str, Any]:
        """Run a module of the collection; its result. A call that the pretended host does not know fails the test.

        The first time it goes as ansible-core would send it, all wrappers around it; then without them, as they cost
        more than our scripts.
        """
        sent = {**arguments, "_ansible_check_mode": check_mode, "_ansible_module_name": name}
        if name not in self._utilities:
            text = self._as_on_the_wire(name, sent, host)
        else:
            text = self._ask(
                module=str(self.marked(MODULES / f"{name}.ps1")),
                arguments=self._file("arguments", json.dumps(sent)),
                utilities=self._utilities[name],
                state=str(host.file),
            )
        assert "ERROR:" not in text, text
        result: dict[str, Any] = json.loads(text)
        assert not host.state["refused"], host.state["refused"]
        result.pop("invocation", None)
        return result

    def stock(
        self, name: str, path: Path, arguments: dict[str, Any], *, check_mode: bool = False, state: str = ""
    ) -> tuple[dict[str, Any] | None, str]:
        """Run a stock module (its full name, its file) as it is: its result, or None and why there is none.

        It goes as ansible-core would send it, without a pretended Windows; with the file of a `state` only the first
        time, then without the wrappers.
        """
        sent = {**arguments, "_ansible_check_mode": check_mode, "_ansible_module_name": name.rpartition(".")[2]}
        if state and name in self._utilities:
            text = self._ask(
                module=str(path),
                arguments=self._file("arguments", json.dumps(sent)),
                utilities=[str(HERE / PRETEND)],
                state=state,
            )
        else:
            start, manifest = _wrapped(name, path, path.read_bytes(), sent, {})
            params = manifest["actions"][-1]["params"]
            if self._utilities and params["CSharpModules"] == [BASIC]:
                params["CSharpModules"] = []
            text = self.script(*_sent(start, manifest))
            self._utilities[name] = []
        try:
            result: dict[str, Any] = json.loads(text)
        except ValueError:
            return None, text
        result.pop("invocation", None)
        return result, ""

    def _as_on_the_wire(self, name: str, arguments: dict[str, Any], host: PretendHost) -> str:
        return self.script(*self.on_the_wire(name, arguments, host))

    def on_the_wire(
        self, name: str, arguments: dict[str, Any], host: PretendHost, *, elsewhere: bool = False
    ) -> tuple[str, str]:
        """What ansible-core would start on a host, and what it would send to its standard input.

        Our scripts are the marked ones, unless they run elsewhere than in this process.
        """
        path = MODULES / f"{name}.ps1"
        full = f"ansible_collections.helsevest.interactor.plugins.modules.{name}"
        content = (path if elsewhere else self.marked(path)).read_bytes()
        start, sent = _wrapped(full, path, content, arguments, {"PRETEND_STATE": str(host.file)})
        if not elsewhere:
            for script in sent["scripts"].values():
                self._mark(script)
        params = sent["actions"][-1]["params"]
        ours = [sent["scripts"][utility]["path"] for utility in params["PowerShellModules"] if utility != ADD_TYPE]
        if self._utilities and not elsewhere:
            # Compiled already; types of a name that is there would be others.
            params["CSharpModules"] = []
        # Last, so that its functions are the ones that are found.
        info = module_manifest._ScriptInfo(content=(HERE / PRETEND).read_bytes(), path=PRETEND)
        sent["scripts"][PRETEND] = {"path": info.path, "script": info.script}
        params["PowerShellModules"].append(PRETEND)
        if not elsewhere:
            self._utilities[name] = [*(str(self.marked(Path(utility))) for utility in ours), str(HERE / PRETEND)]
        return _sent(start, sent)


def _sent(start: str, manifest: dict[str, Any]) -> tuple[str, str]:
    """The script that Windows would start, and its standard input."""
    return wire.bootstrap(), f"{start}\n\0\0\0\0\n{json.dumps(manifest)}"


def _wrapped(
    name: str, path: Path, content: bytes, arguments: dict[str, Any], environment: dict[str, str]
) -> tuple[str, dict[str, Any]]:
    """What ansible-core sends for a module: the script that starts it, and the manifest."""
    made = wire.wrapped(name, path, content, arguments, environment, interpreter=None)
    start, manifest = made.decode().split("\n\0\0\0\0\n")
    return start, json.loads(manifest)
