"""A whole wave on Wine machines by real ansible-playbook processes, and the same wave on the model beside it.

Two servers and a PC: the installer is a real MSI, Interactor a real service, the double proxy registry values, the
migration a scheduled task; the second server is started again in the middle of its migration, and moved back
in the end.
docs/wine.md tells what a difference to the model is due to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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

pytestmark = [pytest.mark.playbook, pytest.mark.wine]
RELEASE = demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables
WISH = {"rollback_name": "Kari", "rollback_reason": "the office asks"}
FIRST, SECOND = site_ids(2)
SECONDS = 120
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
            done = one.play(playbook, *arguments, report_dir="", **variables)
            assert done.code in (0, 2), done.output
        for site in (FIRST, SECOND):
            told = [{name: one.rows().get(site, {}).get(name) for name in COMPARED} for one in (self.model, self.wine)]
            if told[0] != told[1]:
                self.differences.append(f"{playbook} {site}: model {told[0]}, Wine {told[1]}")
        return done

    def on_wine(self, playbook: str, *arguments: str, **variables: str) -> Done:
        """Run a playbook on the Wine machines alone."""
        return self.wine.play(playbook, *arguments, report_dir="", **variables)

    def restart(self, host: str) -> None:
        """Start a server again, in both fleets."""
        for one in (self.model, self.wine):
            one.simulation.restart(host)

    def version(self, site: str) -> str:
        """What Interactor's program on a server says of itself."""
        program = r"C:\Program Files\DIPS\Interactor\Interactor.exe"
        return self.ask(server(site), f"(Get-Item '{program}').VersionInfo.FileVersion")

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

    def stock(self, host: str, module: str, **arguments: object) -> dict[str, Any]:
        """The result of a stock module on a host of the inventory."""
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible")),
                *("-i", str(self.wine.inventory), host, "-m", module, "-a", json.dumps(arguments)),
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
        said = json.loads(done.stdout[done.stdout.index("{") :])
        result: dict[str, Any] = said["plays"][0]["tasks"][0]["hosts"][host]
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
        the_switch_is_compared_and_taken_back(fleet)
        assert fleet.differences == []


def stock_modules_run_as_they_come(fleet: Fleet) -> None:
    first = f"{FIRST}-server"
    assert fleet.stock(first, "ansible.windows.win_ping")["ping"] == "pong"
    assert fleet.stock(first, "ansible.builtin.raw", _raw_params="'pong'")["stdout"].strip() == "pong"
    text = "Grønn ø"
    fleet.stock(first, "ansible.windows.win_copy", content=text, dest=r"C:\Users\Public\æøå.txt")
    assert (fleet.drive(server(FIRST)) / "users" / "Public" / "æøå.txt").read_text(encoding="utf-8") == text
    found = fleet.stock(first, "ansible.windows.win_service_info", name="DIPSInteractor")["services"][0]
    assert (found["state"], found["start_mode"]) == ("started", "auto")


def the_double_proxy_is_found_and_its_end(fleet: Fleet) -> None:
    assert fleet.on_wine("preflight").code == 0
    assert fleet.column("verdict") == ["not_ready", "ready"]
    assert "sikker.proxy.nhn.no:8080" in fleet.wine.rows()[FIRST]["why"]
    # The office takes the tick away.
    told = {"ProxyEnable": ("dword", 0), r"Connections\DefaultConnectionSettings": ("binary", f"hex:{BY_SCRIPT.hex()}")}
    for name, (kind, data) in told.items():
        key, _slash, value = f"{PC_KEY}\\{name}".rpartition("\\")
        pc = f"{FIRST}-pc1"
        assert fleet.stock(pc, "ansible.windows.win_regedit", path=key, name=value, data=data, type=kind)["changed"]
    assert fleet.on_wine("preflight").code == 0
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


def the_switch_is_compared_and_taken_back(fleet: Fleet) -> None: ...
