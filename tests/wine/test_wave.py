"""A whole wave on Wine machines by real ansible-playbook processes, and the same wave on the model beside it.

Two servers and a PC: the installer is a real MSI, Interactor a real service, the double proxy registry values, the
migration a scheduled task; the second server is started again in the middle of its migration, and moved back
in the end.
docs/wine.md tells what a difference to the model is due to.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator import demo
from simulator.scenario import Proxy
from simulator.windows import connection_settings
from simulator.wine.discovery import find_tools
from tests.playbooks.conftest import ROOT, Controller, Done, controlling
from tests.wave import EVENING, LATER, NIGHT, site_ids, write_wave
from tests.wine.office import NEW, OLD, write_wine_wave

_log = logging.getLogger(__name__)
pytestmark = [pytest.mark.playbook, pytest.mark.wine]
RELEASE = demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables
WISH = {"rollback_name": "Kari", "rollback_reason": "the office asks"}
FIRST, SECOND = site_ids(2)
SECONDS = 120
MORNING = "2027-05-19T07:00:00Z"
_ELSEWHERE = ("C:\\windows", "C:\\users")
KNOWN = {
    # A real service has a program.
    (FIRST, r"C:\EPJ\Server.exe"),
    (SECOND, r"C:\EPJ\Server.exe"),
    # The configuration of the cloud, set aside: the same JSON, with Windows' ends of lines.
    (FIRST, r"C:\ProgramData\HelseVest\InteractorMove\backup\attempt-1-set-aside\configuration"),
}
"""Files that are others than the model's; docs/wine.md tells why."""
_OTHERS = (".exe", ".msi", "ledger.json", "manifest.json")
_AS_JSON = {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"}
COMPARED = ("verdict", "state", "outcome", "counts")
BY_SCRIPT = connection_settings(Proxy())
_TASK = "HelseVest Interactor move"
_INSTALLED = (
    r"Get-ItemProperty HKLM:\Software\Microsoft\Windows\CurrentVersion\Uninstall\* |"
    " Where-Object DisplayName -eq 'DIPS Interactor' | ForEach-Object { $_.DisplayName + ' ' + $_.DisplayVersion }"
)
_MIGRATING = (
    "$ran = @(Get-Process InteractorMigrate -ErrorAction Ignore); $task = @(Get-ScheduledTask | Where-Object State -eq"
    " 'Running'); if ($ran.Count -gt 0) { $ran[0].Name + ' ' + $task[0].TaskName }"
)
PC_KEY = r"HKU:\S-1-5-21-0-0-0-1000\Software\Microsoft\Windows\CurrentVersion\Internet Settings"


def server(site: str) -> str:
    """The server of a site."""
    return f"srv.k{site}.example"


@dataclass
class Fleet:
    """A controller with its fleet of Wine machines, and one with the same fleet on the model."""

    wine: Controller
    model: Controller
    differences: list[str] = field(default_factory=list)

    def play(self, playbook: str, *arguments: str, **variables: str) -> Done:
        """Run a playbook on both; how it ended on Wine. A row that differs in more than its reason is noted."""
        for one in (self.model, self.wine):
            begun = time.monotonic()
            done = one.play(playbook, *arguments, report_dir="", **variables)
            _log.info(
                "%s on %s: %.0f s", playbook, "Wine" if one is self.wine else "the model", time.monotonic() - begun
            )
            assert done.code in (0, 2), done.output
        for site in (FIRST, SECOND):
            row = self.wine.rows().get(site, {})
            _log.info("%s is %s, %s: %s", site, row.get("state"), row.get("outcome"), row.get("why"))
            told = [{name: one.rows().get(site, {}).get(name) for name in COMPARED} for one in (self.model, self.wine)]
            if told[0] != told[1]:
                self.differences.append(f"{playbook} {site}: model {told[0]}, Wine {told[1]}")
        return done

    def on_wine(self, playbook: str, *arguments: str, **variables: str) -> Done:
        """Run a playbook on the Wine machines alone."""
        begun = time.monotonic()
        done = self.wine.play(playbook, *arguments, report_dir="", **variables)
        _log.info("%s on Wine: %.0f s", playbook, time.monotonic() - begun)
        return done

    def restart(self, host: str) -> None:
        """Start a server again, in both fleets."""
        for one in (self.model, self.wine):
            one.simulation.restart(host)

    def version(self, site: str) -> str:
        """What Interactor's program on a server says of itself."""
        program = r"C:\Program Files\DIPS\Interactor\Interactor.exe"
        return self.ask(server(site), f"(Get-Item '{program}').VersionInfo.FileVersion")

    def mode(self, site: str) -> str:
        """The mode in the configuration file on a server."""
        file = self.drive(server(site)) / "ProgramData" / "DIPS" / "Interactor" / "interactor.json"
        return str(json.loads(file.read_text(encoding="utf-8-sig"))["mode"])

    def set_clock(self, moment: str) -> None:
        """Move both clocks."""
        for one in (self.model, self.wine):
            one.simulation.set_clock(moment)

    def column(self, name: str) -> list[Any]:
        """What the rows on Wine say."""
        return [self.wine.rows()[site][name] for site in (FIRST, SECOND)]

    def drive(self, host: str) -> Path:
        """A machine's drive C:."""
        return self.wine.simulation.path.parent / "machines" / host / "drive_c"

    def ask(self, host: str, script: str) -> str:
        """What PowerShell on a machine itself says, past simulator and controller."""
        command = [find_tools().wine_host, "exec", str(self.drive(host).parent), "--", "powershell", "-NoProfile"]
        done = subprocess.run(
            [*command, "-Command", script],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        return done.stdout.strip()

    def stock(self, host: str, module: str, free: str = "", **arguments: object) -> dict[str, Any]:
        """The result of a stock module on a host of the inventory; `free` is for one that takes a line."""
        said = json.dumps(arguments) if arguments else free
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible")),
                *("-i", str(self.wine.inventory), host, "-m", module, "-a", said),
            ],
            cwd=ROOT,
            env={**_environment(self.wine), **_AS_JSON},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads(done.stdout[done.stdout.index("{") :])
        result: dict[str, Any] = told["plays"][0]["tasks"][0]["hosts"][host]
        return result


def _environment(controller: Controller) -> dict[str, str]:
    state = {"INTERACTOR_STATE": str(controller.state), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
    return {**os.environ, **controller.simulation.environment, **state}


@contextmanager
def fleets(folder: Path) -> Iterator[Fleet]:
    """Both fleets, each with a controller of its own."""
    pretended = folder / "model"
    pretended.mkdir()
    scenario, inventory = write_wine_wave(folder)
    with (
        controlling(pretended, *write_wave(pretended, sites=2)) as model,
        controlling(folder, scenario, inventory) as wine,
    ):
        yield Fleet(wine, model)


@pytest.mark.usefixtures("wine")
def test_a_wave_on_wine_from_preflight_to_rollback(tmp_path: Path) -> None:
    with fleets(tmp_path) as fleet:
        stock_modules_run_as_they_come(fleet)
        the_double_proxy_is_found_and_its_end(fleet)
        the_upgrade_is_an_msi(fleet)
        the_migration_is_a_task_that_a_restart_ends(fleet)
        the_switch_is_taken_back(fleet)
        files_are_those_of_the_model(fleet)
        assert not fleet.differences, "\n".join(fleet.differences)


def stock_modules_run_as_they_come(fleet: Fleet) -> None:
    first = f"{FIRST}-server"
    assert fleet.stock(first, "ansible.windows.win_ping")["ping"] == "pong"
    assert fleet.stock(first, "ansible.builtin.raw", "'pong'")["stdout"].strip() == "pong"
    text = "Grønn ø"
    fleet.stock(first, "ansible.windows.win_copy", content=text, dest=r"C:\Users\Public\æøå.txt")
    assert (fleet.drive(server(FIRST)) / "users" / "Public" / "æøå.txt").read_text(encoding="utf-8") == text
    found = fleet.stock(first, "ansible.windows.win_service_info", name="DIPSInteractor")["services"][0]
    assert (found["state"], found["start_mode"]) == ("started", "auto")


def the_double_proxy_is_found_and_its_end(fleet: Fleet) -> None:
    assert fleet.on_wine("preflight").code == 0
    assert fleet.column("verdict") == ["not_ready", "ready"]
    assert f"{FIRST}-pc1: Only the automatic proxy script is set: no, double" in fleet.wine.rows()[FIRST]["why"]
    # The office takes the tick away.
    told = {"ProxyEnable": ("dword", 0), r"Connections\DefaultConnectionSettings": ("binary", f"hex:{BY_SCRIPT.hex()}")}
    for name, (kind, data) in told.items():
        key, _slash, value = f"{PC_KEY}\\{name}".rpartition("\\")
        pc = f"{FIRST}-pc1"
        assert fleet.stock(pc, "ansible.windows.win_regedit", path=key, name=value, data=data, type=kind)["changed"]
    fleet.play("preflight")
    assert fleet.column("verdict") == ["ready", "ready"]


def the_upgrade_is_an_msi(fleet: Fleet) -> None:
    fleet.play("release", **RELEASE)
    fleet.set_clock(EVENING)
    assert [fleet.version(site) for site in (FIRST, SECOND)] == [OLD, OLD]
    fleet.play("wave")
    assert fleet.column("state") == ["upgraded", "upgraded"]
    for site in (FIRST, SECOND):
        assert fleet.version(site) == NEW
        assert fleet.ask(server(site), _INSTALLED) == f"DIPS Interactor {NEW}"
        assert fleet.ask(server(site), "(Get-Service DIPSInteractor, EPJServer).Status -join ' '") == "Running Running"


def the_migration_is_a_task_that_a_restart_ends(fleet: Fleet) -> None:
    fleet.set_clock(NIGHT)
    fleet.play("wave")
    assert fleet.column("state") == ["moving", "moving"]
    for site in (FIRST, SECOND):
        assert fleet.ask(server(site), _MIGRATING) == f"InteractorMigrate {_TASK}"
    fleet.restart(server(SECOND))
    fleet.set_clock(LATER)
    fleet.play("wave")
    assert fleet.column("state") == ["moved", "upgraded"]
    assert fleet.column("outcome")[1] == "rolled_back"
    assert fleet.ask(server(SECOND), _MIGRATING) == ""


def the_switch_is_taken_back(fleet: Fleet) -> None:
    assert fleet.column("counts")[0] == {
        "orders": "240/240",
        "started_requisitions": "14/14",
        "favourite_packages": "12/12",
    }
    assert fleet.mode(FIRST) == "server_in_cloud"
    assert fleet.mode(SECOND) == "local"
    fleet.set_clock(MORNING)
    fleet.play("wave")
    assert fleet.column("outcome") == ["verified", "rolled_back"]
    fleet.play("rollback", "--limit", f"site_{FIRST}", **WISH)
    assert fleet.column("outcome") == ["rolled_back", "rolled_back"]
    assert (fleet.mode(FIRST), fleet.version(FIRST)) == ("local", NEW)
    assert fleet.ask(server(FIRST), "(Get-Service DIPSInteractor).Status") == "Running"
    cloud = fleet.wine.simulation.state()["cloud"]
    assert [[each["state"] for each in cloud[site]] for site in (FIRST, SECOND)] == [["discarded"], ["discarded"]]


def files_are_those_of_the_model(fleet: Fleet) -> None:
    states = [one.simulation.state()["hosts"] for one in (fleet.model, fleet.wine)]
    for site in (FIRST, SECOND):
        model, wine = (_comparable(state[server(site)]["files"]) for state in states)
        for path in sorted({*model, *wine}):
            if (site, path) in KNOWN:
                # A difference that is no more is to go from the list.
                assert model.get(path) != wine.get(path), path
            elif model.get(path) != wine.get(path):
                fleet.differences.append(f"{server(site)} {path}: model {model.get(path)}, Wine {wine.get(path)}")


def _comparable(files: dict[str, str]) -> dict[str, str]:
    """What can be the same: programs and installer are others, and with them their hashes; ledgers tell boot times."""
    own = {path: digest for path, digest in files.items() if not path.startswith(_ELSEWHERE) and path[-1] != "\\"}
    return {
        re.sub(r"InteractorSetup-.*$", "InteractorSetup", path): "" if path.endswith(_OTHERS) else digest
        for path, digest in own.items()
    }
