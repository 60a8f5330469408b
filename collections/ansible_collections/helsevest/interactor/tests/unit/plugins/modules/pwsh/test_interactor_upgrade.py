# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The upgrade in the engine: verified, with a way back, safe to repeat (U1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pwsh.engine import service
from tests.pwsh.fixtures import INSTALLER, NOW, Server

SETUP = r"C:\ProgramData\HelseVest\InteractorMove\InteractorSetup-6.2.0.exe"
BACKUP = r"C:\ProgramData\HelseVest\InteractorMove\backup\5.4.1"
LEDGER = {"schema": 1, "site": "1001", "lease": None, "attempts": []}
STAGED = {
    "state": "staged",
    "from": "5.4.1",
    "to": "6.2.0",
    "started": None,
    "finished": None,
    "run": "run-1",
    "reason": "",
}


@pytest.fixture
def offered(server: Server) -> Server:
    """The installer can be fetched."""
    server.update(downloads={server.contract["installer"]["url"]: INSTALLER})
    return server


@pytest.fixture
def staged(server: Server) -> Server:
    """The installer lies there, verified, and installs well."""
    server.write(SETUP, INSTALLER)
    server.write(server.ledger_file, json.dumps({**LEDGER, "upgrade": STAGED}))
    runs_to(server, 0, {server.program: "6.2.0", server.contract["paths"]["config"]: '{"mode": "local", "new": 1}'})
    return server


def runs_to(server: Server, code: int, writes: dict[str, str]) -> None:
    server.update(programs={"InteractorSetup-6.2.0.exe": {"exit_code": code, "writes": writes}})


def ledger_of(server: Server) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(server.read(server.ledger_file) or "null")
    return loaded


def epj_and_data_are_untouched(server: Server) -> bool:
    return (
        server.read(r"C:\EPJ\epj.ini") == "untouched" and server.state["services"]["EPJServer"]["status"] == "Running"
    )


def test_look_tells_ledger_and_version(staged: Server):
    result = staged.ask("upgrade", step="look")
    assert (result["changed"], result["version"]) == (False, "5.4.1")
    assert result["ledger"] == {**LEDGER, "upgrade": STAGED}
    assert staged.take_calls() == []


def test_look_leaves_nothing_behind(server: Server):
    before = server.files()
    assert server.ask("upgrade", step="look")["ledger"] is None
    assert server.files() == before


def test_stage_fetches_once_and_verifies(offered: Server):
    check = offered.unchanged_by("upgrade", step="stage")
    assert (check["changed"], check["staged"]) == (True, False)
    first = offered.ask("upgrade", step="stage")
    assert (first["changed"], first["staged"], first["reason"]) == (True, True, "")
    assert offered.read(SETUP) == INSTALLER
    assert first["ledger"] == ledger_of(offered) == {**LEDGER, "upgrade": STAGED}
    made, fetched = offered.take_calls()
    assert made.startswith("icacls")
    assert fetched == f"download {offered.contract['installer']['url']}"
    again = offered.ask("upgrade", step="stage")
    assert (again["changed"], again["staged"]) == (False, True)
    assert offered.take_calls() == []
    assert not [name for name in offered.files() if name.endswith((".new", ".lock")) or "part-" in name]


def test_stage_keeps_a_sound_file_that_an_earlier_run_fetched(offered: Server):
    offered.write(SETUP, INSTALLER)
    assert offered.ask("upgrade", step="stage")["staged"] is True
    assert not [call for call in offered.take_calls() if call.startswith("download")]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"downloads": {}}, "could not be fetched"),
        ({"signature": {"status": "NotSigned", "publisher": "DIPS AS"}}, "its signature is NotSigned"),
        ({"signature": {"status": "Valid", "publisher": "DIPS AS Ltd"}}, "signed by 'DIPS AS Ltd', not by 'DIPS AS'"),
    ],
)
def test_stage_keeps_nothing_that_is_not_the_installer(offered: Server, spoil: dict[str, Any], reason: str):
    offered.update(**spoil)
    result = offered.ask("upgrade", step="stage")
    assert (result["changed"], result["staged"]) == (False, False)
    assert reason in result["reason"]
    assert not [name for name in offered.files() if name.endswith((".exe", "ledger.json")) and "Setup" in name]
    assert ledger_of(offered) is None


def test_stage_refuses_another_hash_and_a_contract_without_one(offered: Server):
    offered.contract["installer"]["sha256"] = "0" * 64
    assert "not the installer: its SHA-256 is" in offered.ask("upgrade", step="stage")["reason"]
    offered.contract["installer"]["sha256"] = ""
    assert "nothing unverified is installed" in offered.ask("upgrade", step="stage")["reason"]
    assert offered.read(SETUP) is None


def test_install_backs_up_stops_installs_starts_and_proves(staged: Server):
    config = staged.contract["paths"]["config"]
    before = staged.path(config).read_bytes()
    check = staged.unchanged_by("upgrade", step="install")
    assert (check["changed"], check["upgraded"], check["version"]) == (True, False, "5.4.1")
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"], result["reason"], result["version"]) == (True, True, "", "6.2.0")
    done = {**STAGED, "state": "done", "started": NOW, "finished": NOW}
    assert result["ledger"] == ledger_of(staged) == {**LEDGER, "upgrade": done}
    assert staged.take_calls() == ["stop DIPSInteractor", f"run {SETUP} /quiet /norestart", "start DIPSInteractor"]
    assert staged.read(BACKUP + r"\install\Interactor.exe") == "5.4.1"
    assert staged.path(BACKUP + r"\configuration").read_bytes() == before
    assert epj_and_data_are_untouched(staged)
    again = staged.ask("upgrade", step="install")
    assert (again["changed"], again["upgraded"]) == (False, True)
    again = staged.ask("upgrade", step="stage")
    assert (again["changed"], again["staged"], again["ledger"]["upgrade"]["state"]) == (False, True, "done")
    assert staged.take_calls() == []


@pytest.mark.parametrize(
    ("code", "installed", "reason"),
    [
        (1603, "half a file", "the installer ended with code 1603"),
        (3010, "6.2.0", "the installer ended with code 3010"),
        (0, "6.1.9", "the service tells version '6.1.9', not 6.2.0"),
        (0, "half a file", "cannot be started"),
    ],
)
def test_install_goes_back_to_the_old_version_whatever_fails(staged: Server, code: int, installed: str, reason: str):
    config = staged.contract["paths"]["config"]
    before = {path: staged.path(path).read_bytes() for path in (config, staged.program)}
    extra = staged.contract["paths"]["install"] + "\\new.dll"
    runs_to(staged, code, {staged.program: installed, config: "{}", extra: "of the new version"})
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"], result["version"]) == (True, False, "5.4.1")
    assert reason in result["reason"]
    assert result["reason"].endswith("; version 5.4.1 is back")
    assert {path: staged.path(path).read_bytes() for path in before} == before
    assert staged.read(extra) is None
    assert staged.state["services"]["DIPSInteractor"]["status"] == "Running"
    upgrade = ledger_of(staged)["upgrade"]
    assert (upgrade["state"], upgrade["reason"]) == ("failed", result["reason"])
    assert epj_and_data_are_untouched(staged)


def test_install_says_when_the_way_back_failed_too(staged: Server):
    runs_to(staged, 1, {staged.program: "half a file"})
    staged.update(service_fails=1)
    result = staged.ask("upgrade", step="install")
    assert "the installer ended with code 1; the way back failed too: " in result["reason"]
    assert (result["upgraded"], result["version"]) == (False, None)
    assert ledger_of(staged)["upgrade"]["state"] == "failed"


def test_install_that_was_cut_off_keeps_the_backup_of_the_old_version(staged: Server):
    staged.write(staged.ledger_file, json.dumps({**LEDGER, "upgrade": {**STAGED, "started": NOW}}))
    staged.write(BACKUP + r"\install\Interactor.exe", "5.4.1")
    staged.write(BACKUP + r"\configuration", '{"mode": "local"}')
    staged.write(staged.program, "half a file")
    staged.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
    runs_to(staged, 1603, {})
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["version"]) == (False, "5.4.1")
    assert staged.read(BACKUP + r"\install\Interactor.exe") == "5.4.1"


def test_install_that_was_cut_off_after_the_proof_is_only_recorded(staged: Server):
    staged.write(staged.ledger_file, json.dumps({**LEDGER, "upgrade": {**STAGED, "started": NOW}}))
    staged.write(staged.program, "6.2.0")
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"]) == (True, True)
    assert staged.take_calls() == []
    assert ledger_of(staged)["upgrade"]["state"] == "done"


def test_install_refuses_what_is_not_staged(server: Server):
    assert server.ask("upgrade", step="install")["msg"] == "install: refused: version 6.2.0 is not staged"
    assert server.read(server.program) == "5.4.1"


def test_install_refuses_an_installer_that_was_changed_meanwhile(staged: Server):
    staged.write(SETUP, "something else")
    result = staged.ask("upgrade", step="install")
    assert "the staged installer is no longer sound" in result["msg"]
    assert staged.take_calls() == []


def test_install_refuses_where_the_way_back_could_not_be_proved(staged: Server):
    staged.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
    assert "could not be proved" in staged.ask("upgrade", step="install")["msg"]
    assert staged.take_calls() == []


@pytest.mark.parametrize("step", ["look", "stage", "install"])
def test_a_damaged_ledger_is_refused_and_left_as_it_is(offered: Server, step: str):
    offered.write(offered.ledger_file, '{"schema": 1, "site": "1002", "attempts": []}')
    result = offered.ask("upgrade", step=step)
    assert result["failed"] is True
    assert result["msg"].startswith(f"{step}: ledger ")
    assert "belongs to site '1002'" in result["msg"]
    assert "1002" in (offered.read(offered.ledger_file) or "")
