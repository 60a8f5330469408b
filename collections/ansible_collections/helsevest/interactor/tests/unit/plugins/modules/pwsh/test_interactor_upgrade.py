# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The upgrade in the engine: verified, with a way back, safe to repeat (U1)."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.pwsh.engine import MODULE_UTILS, service
from tests.pwsh.fixtures import INSTALLER, NOW, Server

WORK = r"C:\ProgramData\HelseVest\InteractorMove"
SETUP = WORK + r"\InteractorSetup-6.2.0.exe"
BACKUP = WORK + r"\backup\upgrade-5.4.1"
LEDGER = {"schema": 1, "site": "1001", "lease": None, "attempts": []}
STAGED = {
    "state": "staged",
    "from": "5.4.1",
    "to": "6.2.0",
    "started": None,
    "finished": None,
    "booted": None,
    "run": "run-1",
    "reason": "",
    "code": None,
}
FLAG = r"C:\ProgramData\DIPS\Interactor\maintenance.flag"
BOOTED = "2027-05-05T06:30:00Z"
RUN = f"run {SETUP} /quiet /norestart"
WHOLE_INSTALL = ["stop DIPSInteractor", RUN, "start DIPSInteractor"]


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


def restart(server: Server, booted: str = "2027-05-19T05:00:00Z") -> None:
    server.update(computer={**server.state["computer"], "booted": booted})


def acts(server: Server) -> list[str]:
    """What was done since this was asked last, but for the task that lets people in again: test_lease.py sees to it."""
    assert "HelseVest Interactor lease" not in server.state["tasks"] or server.read(FLAG)
    return [call for call in server.take_calls() if "lease" not in call]


def ledger_of(server: Server) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(server.read(server.ledger_file) or "null")
    return loaded


def upgrade_of(server: Server) -> tuple[str, str, int | None]:
    upgrade = ledger_of(server)["upgrade"]
    return upgrade["state"], upgrade["reason"], upgrade["code"]


def of_interactor(server: Server) -> dict[str, bytes]:
    """Programs, configuration and data files."""
    return {path: content for path, content in server.files().items() if "DIPS" in path}


def is_let_alone(server: Server) -> bool:
    """The EPJ goes on as before, and people can get into Interactor."""
    return (
        server.read(r"C:\EPJ\epj.ini") == "untouched"
        and server.state["services"]["EPJServer"] == service(r"C:\EPJ\epj.exe")
        and server.read(server.contract["paths"]["maintenance_flag"]) is None
        and server.state["services"]["DIPSInteractor"]["status"] == "Running"
    )


def test_look_tells_ledger_and_version(staged: Server):
    result = staged.ask("upgrade", step="look")
    assert (result["changed"], result["version"]) == (False, "5.4.1")
    assert result["ledger"] == {**LEDGER, "upgrade": STAGED}
    assert acts(staged) == []


def test_look_leaves_nothing_behind(server: Server):
    before = server.files()
    assert server.ask("upgrade", step="look")["ledger"] is None
    assert server.files() == before


# ---- stage


def test_stage_fetches_once_and_verifies(offered: Server):
    check = offered.unchanged_by("upgrade", step="stage")
    assert (check["changed"], check["staged"]) == (True, False)
    first = offered.ask("upgrade", step="stage")
    assert (first["changed"], first["staged"], first["reason"], first["again"]) == (True, True, "", False)
    assert offered.read(SETUP) == INSTALLER
    assert first["ledger"] == ledger_of(offered) == {**LEDGER, "upgrade": STAGED}
    made, fetched = offered.take_calls()
    assert made.startswith("icacls")
    assert fetched == f"download {offered.contract['installer']['url']}"
    again = offered.ask("upgrade", step="stage")
    assert (again["changed"], again["staged"]) == (False, True)
    assert offered.take_calls() == []
    assert not [name for name in offered.files() if name.endswith((".new", ".lock")) or "part-" in name]


EVERYBODY, SOMEBODY = "S-1-5-32-545", "S-1-5-21-1-2-3-1002"


@pytest.mark.parametrize(
    ("access", "stranger"),
    [
        ({"owner": SOMEBODY}, SOMEBODY),
        ({"allowed": ["S-1-5-18", "S-1-5-32-544", EVERYBODY]}, EVERYBODY),
        ({"owner": SOMEBODY, "allowed": ["S-1-5-18", EVERYBODY]}, f"{SOMEBODY}, {EVERYBODY}"),
    ],
)
def test_a_work_folder_that_is_open_to_others_is_refused(staged: Server, access: dict[str, Any], stranger: str):
    """Who can write there could have SYSTEM run what it likes, and read the backups."""
    staged.update(access=access)
    before = staged.files()
    result = staged.ask("upgrade", step="install")
    work = staged.contract["paths"]["work"]
    assert result["failed"]
    assert f"{work} is open to {stranger}: only SYSTEM and the administrators may own it" in result["msg"]
    assert staged.files() == before
    assert acts(staged) == []


def test_a_work_folder_that_we_own_is_ours(staged: Server):
    staged.update(access={"owner": "S-1-5-21-1-2-3-1001"})
    assert "failed" not in staged.ask("upgrade", step="stage")


def test_what_slips_into_a_new_work_folder_is_refused(offered: Server):
    offered.update(slips_in="lease.ps1")
    result = offered.ask("upgrade", step="stage")
    aside = re.search(r"somebody put something into .+ before it was closed: it lies in (.+) now, see", result["msg"])
    assert aside
    assert offered.read(f"{aside[1]}\\lease.ps1") == "x\n"
    assert [call.split()[0] for call in offered.take_calls()] == ["icacls"]
    offered.update(slips_in="")
    assert offered.ask("upgrade", step="stage")["staged"] is True


def test_a_folder_that_cannot_be_closed_is_not_left_open(offered: Server):
    """What lies there is run as SYSTEM."""
    offered.contract["paths"]["work"] = "C:\\ProgramData\\Flytting [å] 2027\\"
    offered.update(icacls_fails=True)
    for _ in range(2):
        refused = offered.ask("upgrade", step="stage")
        assert refused["msg"] == "stage: icacls ended with code 1 for C:\\ProgramData\\Flytting [å] 2027\\"
        assert not offered.path(r"C:\ProgramData\Flytting [å] 2027").exists()
    offered.take_calls()
    offered.update(icacls_fails=False)
    assert offered.ask("upgrade", step="stage")["staged"] is True
    # A backslash before a quotation mark would be taken for a part of the name.
    assert offered.take_calls()[0].startswith(r"icacls C:\ProgramData\Flytting [å] 2027 /inheritance:r ")


def test_stage_goes_on_where_the_line_broke(offered: Server):
    sent = {"base64": base64.b64encode(INSTALLER.encode()).decode(), "each": 5}
    offered.update(downloads={offered.contract["installer"]["url"]: sent})
    for arrived in (5, 10):
        part = offered.ask("upgrade", step="stage")
        assert (part["staged"], part["again"], part["changed"]) == (False, True, True)
        assert part["reason"] == f"{arrived} of {len(INSTALLER)} bytes fetched"
        assert ledger_of(offered) is None
    assert offered.ask("upgrade", step="stage")["staged"] is True
    assert offered.read(SETUP) == INSTALLER


def test_stage_keeps_a_sound_file_that_an_earlier_run_fetched(offered: Server):
    offered.write(SETUP, INSTALLER)
    assert offered.ask("upgrade", step="stage")["staged"] is True
    assert not [call for call in offered.take_calls() if call.startswith("download")]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"downloads": {}}, "could not be fetched"),
        ({"signature": {"status": "NotSigned", "publisher": "DIPS AS"}}, "its signature is NotSigned"),
        ({"signature": {"status": "HashMismatch", "publisher": "DIPS AS"}}, "its signature is HashMismatch"),
        ({"signature": {"status": "Valid", "publisher": "DIPS AS Ltd"}}, "signed by 'DIPS AS Ltd', not by 'DIPS AS'"),
    ],
)
def test_stage_keeps_nothing_that_is_not_the_installer(offered: Server, spoil: dict[str, Any], reason: str):
    offered.update(**spoil)
    result = offered.ask("upgrade", step="stage")
    assert (result["changed"], result["staged"], result["again"]) == (False, False, False)
    assert reason in result["reason"]
    assert not [name for name in offered.files() if "Setup" in name]
    assert ledger_of(offered) is None


def test_stage_refuses_another_hash(offered: Server):
    offered.contract["installer"]["sha256"] = "0" * 64
    assert "not the installer: its SHA-256 is" in offered.ask("upgrade", step="stage")["reason"]
    assert offered.read(SETUP) is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"sha256": ""}, "nothing unverified is installed"),
        ({"sha256": "0" * 63}, "nothing unverified is installed"),
        ({"arguments": "/quiet"}, "contract: installer.arguments is '/quiet', without /norestart"),
        ({"arguments": "/quiet /norestart=0"}, "without /norestart"),
    ],
)
def test_a_contract_that_would_be_dangerous_is_refused(staged: Server, said: dict[str, str], reason: str):
    staged.contract["installer"].update(said)
    before = of_interactor(staged)
    install = staged.ask("upgrade", step="install")
    assert install["msg"].startswith("install: refused: contract: installer.")
    assert reason in install["msg"]
    assert reason in staged.ask("upgrade", step="install", check=True)["msg"]
    staged.path(staged.ledger_file).unlink()
    result = staged.ask("upgrade", step="stage")
    assert reason in result["reason"]
    assert (result["staged"], result["changed"]) == (False, False)
    assert acts(staged) == []
    assert of_interactor(staged) == before


# ---- install


def test_install_backs_up_stops_installs_starts_and_proves(staged: Server):
    before = of_interactor(staged)
    check = staged.unchanged_by("upgrade", step="install")
    assert (check["changed"], check["upgraded"], check["version"]) == (True, False, "5.4.1")
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"], result["reason"], result["version"]) == (True, True, "", "6.2.0")
    done = {**STAGED, "state": "done", "started": NOW, "finished": NOW, "booted": BOOTED, "code": 0}
    assert result["ledger"] == ledger_of(staged) == {**LEDGER, "upgrade": done}
    assert acts(staged) == WHOLE_INSTALL
    saved = {path.partition("upgrade-5.4.1/")[2]: content for path, content in staged.files().items()}
    assert {content for path, content in saved.items() if path and path != "manifest.json"} == set(before.values())
    assert set(saved) == {"", "manifest.json", "configuration", "install/Interactor.exe", "data/orders.jsonl"}
    assert is_let_alone(staged)
    for step, field in (("install", "upgraded"), ("stage", "staged"), ("confirm", "upgraded")):
        again = staged.ask("upgrade", step=step)
        assert (again["changed"], again[field], again["ledger"]["upgrade"]) == (False, True, done)
    assert acts(staged) == []


def test_a_host_that_has_the_version_already_is_left_alone(staged: Server):
    staged.write(staged.program, "6.2.0")
    before = staged.files()
    for step, field in (("install", "upgraded"), ("stage", "staged")):
        result = staged.ask("upgrade", step=step)
        assert (result["changed"], result[field]) == (False, True)
    assert acts(staged) == []
    assert staged.files() == before


@pytest.mark.parametrize("step", ["stage", "install"])
def test_a_newer_version_is_never_replaced_by_an_older_one(staged: Server, step: str):
    staged.write(staged.program, "6.10.0")
    before = staged.files()
    told = staged.ask("upgrade", step=step)
    assert told["msg"] == f"{step}: refused: version 6.10.0 runs, which is newer than 6.2.0"
    assert acts(staged) == []
    assert staged.files() == before


@pytest.mark.parametrize(
    ("code", "installed", "reason"),
    [
        (1603, "half a file", "the installer ended with code 1603"),
        (-1, "half a file", "the installer ended with code -1"),
        (1618, "half a file", "another installation is at work on the server (code 1618)"),
        (
            3010,
            "half a file",
            "the installer wants a restart of the server (code 3010), and the service does not start",
        ),
        (0, "6.1.9", "the service tells version '6.1.9', not 6.2.0"),
        (0, "5.4.1", "the service tells version '5.4.1', not 6.2.0"),
        (0, "half a file", "cannot be started"),
    ],
)
def test_install_goes_back_to_the_old_version_whatever_fails(staged: Server, code: int, installed: str, reason: str):
    before = of_interactor(staged)
    paths = staged.contract["paths"]
    spoilt = {
        staged.program: installed,
        paths["config"]: "{}",
        paths["install"] + "\\new.dll": "of the new version",
        paths["data"] + "\\orders.jsonl": "turned into another form",
    }
    runs_to(staged, code, spoilt)
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"], result["version"]) == (True, False, "5.4.1")
    assert reason in result["reason"]
    assert result["reason"].endswith("; version 5.4.1 is back")
    assert of_interactor(staged) == before
    assert staged.read(BACKUP + r"-set-aside\data\orders.jsonl") == "turned into another form"
    if code == 1618:
        assert (result["again"], upgrade_of(staged)) == (True, ("staged", "", None))
    else:
        assert (result["again"], upgrade_of(staged)) == (False, ("failed", result["reason"], code))
    assert is_let_alone(staged)


def test_an_installer_that_cannot_be_run_is_a_failure(staged: Server):
    before = of_interactor(staged)
    staged.update(programs={"InteractorSetup-6.2.0.exe": {"throws": "blocked by group policy"}})
    result = staged.ask("upgrade", step="install")
    assert result["reason"] == "the installer could not be run: blocked by group policy; version 5.4.1 is back"
    assert (upgrade_of(staged)[0], of_interactor(staged)) == ("failed", before)
    assert is_let_alone(staged)


def test_a_busy_installer_is_tried_again(staged: Server):
    runs_to(staged, 1618, {})
    for _ in range(2):
        result = staged.ask("upgrade", step="install")
        assert (result["upgraded"], result["again"], result["version"]) == (False, True, "5.4.1")
        assert ledger_of(staged)["upgrade"] == {**STAGED, "booted": BOOTED}
        assert is_let_alone(staged)
    runs_to(staged, 0, {staged.program: "6.2.0"})
    assert staged.ask("upgrade", step="install")["upgraded"] is True


def test_codes_are_the_contracts(staged: Server):
    staged.contract["installer"].update(success_codes=[7], busy_codes=[0], restart_codes=[8], restarted_codes=[9])
    runs_to(staged, 0, {})
    assert staged.ask("upgrade", step="install")["again"] is True
    runs_to(staged, 7, {staged.program: "6.2.0"})
    assert staged.ask("upgrade", step="install")["upgraded"] is True


def test_install_says_when_the_way_back_failed_too(staged: Server):
    runs_to(staged, 1, {staged.program: "half a file"})
    staged.update(service_fails=1)
    result = staged.ask("upgrade", step="install")
    assert "the installer ended with code 1; the way back failed too: " in result["reason"]
    assert (result["upgraded"], result["version"]) == (False, None)
    assert upgrade_of(staged)[0] == "failed"


def test_a_way_back_that_does_not_bring_every_file_back_is_not_proven(staged: Server):
    runs_to(staged, 1, {staged.program: "half a file", BACKUP + r"\install\Interactor.exe": "5.4.2"})
    reason = staged.ask("upgrade", step="install")["reason"]
    assert "the way back failed too: not as before: install/Interactor.exe" in reason
    assert "the service tells version '5.4.2', not 5.4.1" in reason


def test_a_file_that_cannot_be_put_back_is_named_and_stops_no_other(staged: Server):
    install = staged.contract["paths"]["install"]
    for name in "abc":
        staged.write(rf"{install}\{name}.dll", "old")
    staged.path(install + r"\b.dll.new").mkdir()
    runs_to(staged, 1603, {staged.program: "half", **{rf"{install}\{name}.dll": "half" for name in "abc"}})
    reason = staged.ask("upgrade", step="install")["reason"]
    assert reason.endswith("; the way back failed too: not as before: install/b.dll")
    assert [staged.read(rf"{install}\{name}.dll") for name in "abc"] == ["old", "half", "old"]
    assert staged.read(staged.program) == "5.4.1"
    assert is_let_alone(staged)


def test_why_a_file_was_not_put_back_is_told_whatever_cannot_be_removed_beside_it(staged: Server):
    staged.write(staged.program + ".new", "a half")
    told = staged.engine.script(
        f"""
        '_Windows', '_Interactor', '_Backup' | ForEach-Object {{ Import-Module -Name "{MODULE_UTILS}/$_.psm1" -Force }}
        & (Get-Module -Name '_Backup') {{
            Function Copy-BackupFile {{ throw 'the disk is full' }}
            Function Remove-Item {{ throw 'it is held' }}
            try {{ Restore-BackupFile -Path 'a' -Live '{staged.path(staged.program)}' -Folder 'b' -File 'c' }}
            catch {{ $_.Exception.Message }}
        }}
        """
    )
    assert told.strip() == "the disk is full"
    assert staged.read(staged.program + ".new") == "a half"


def test_an_upgrade_goes_on_where_windows_does_not_tell_the_services_process(staged: Server):
    staged.update(broken_cim=["Win32_Service"])
    assert staged.ask("upgrade", step="install")["upgraded"] is True


def test_a_stopped_service_whose_process_still_ends_is_waited_for(staged: Server):
    staged.update(
        processes=["System", {"name": "Interactor", "lingers": 3}],
        services={**staged.state["services"], "DIPSInteractor": {**service("x", main=True), "process": 2}},
    )
    assert staged.ask("upgrade", step="install")["upgraded"] is True
    assert staged.state["processes"][1]["ended"] is True


def test_install_waits_for_people_in_interactor(staged: Server):
    staged.update(processes=["System", "Interactor", "Interactor"])
    before = of_interactor(staged)
    result = staged.ask("upgrade", step="install")
    assert (result["changed"], result["upgraded"], result["again"]) == (False, False, True)
    assert result["reason"] == "Interactor is in use: 2 open"
    assert acts(staged) == []
    assert of_interactor(staged) == before
    assert ledger_of(staged)["upgrade"] == STAGED


def test_install_refuses_a_drive_with_too_little_room_before_anything_is_stopped(staged: Server):
    staged.update(computer={**staged.state["computer"], "free_bytes": 2**30})
    before = of_interactor(staged)
    message = staged.ask("upgrade", step="install")["msg"]
    assert message.startswith("install: refused: the backup needs 1025 MB free on drive C:")
    assert message.endswith("and 1024 MB are free")
    assert (acts(staged), of_interactor(staged)) == ([], before)
    assert ledger_of(staged)["upgrade"] == STAGED
    assert is_let_alone(staged)


def test_install_refuses_a_folder_that_leads_elsewhere_before_anything_is_stopped(staged: Server):
    data = staged.path(staged.contract["paths"]["data"])
    (data / "export").symlink_to(staged.path(r"C:\EPJ"))
    assert "leads elsewhere, so there is no backup of it" in staged.ask("upgrade", step="install")["msg"]
    assert acts(staged) == []
    assert is_let_alone(staged)


def test_install_refuses_what_cannot_be_backed_up_and_starts_the_service_again(staged: Server):
    staged.contract["paths"]["data"] = r"C:\Nowhere"
    message = staged.ask("upgrade", step="install")["msg"]
    assert message.endswith(r"C:\Nowhere is missing, so there is no backup of it; version 5.4.1 runs on")
    assert acts(staged) == ["stop DIPSInteractor", "start DIPSInteractor"]
    assert ledger_of(staged)["upgrade"] == {**STAGED, "booted": BOOTED}
    assert is_let_alone(staged)


def test_install_refuses_what_is_not_staged(server: Server):
    assert server.ask("upgrade", step="install")["msg"] == "install: refused: version 6.2.0 is not staged"
    assert server.read(server.program) == "5.4.1"


@pytest.mark.parametrize("state", ["held", "lost"])
def test_install_refuses_while_a_move_holds_the_lease(staged: Server, state: str):
    lease = {"state": "held", "since": NOW, "run": "run-0"}
    staged.write(staged.ledger_file, json.dumps({**LEDGER, "lease": lease, "upgrade": STAGED}))
    if state == "held":
        staged.write(FLAG, "run-0")
    assert "the lease of a move is held" in staged.ask("upgrade", step="install")["msg"]
    assert staged.read(FLAG) == ("run-0" if state == "held" else None)
    assert acts(staged) == []


def test_an_installer_that_was_changed_meanwhile_is_removed_and_fetched_anew(staged: Server):
    staged.write(SETUP, "something else")
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"]) == (False, False)
    assert result["reason"].startswith("the staged installer is no longer sound: its SHA-256 is ")
    assert (acts(staged), staged.read(SETUP), ledger_of(staged)["upgrade"]) == ([], None, None)
    assert is_let_alone(staged)
    staged.update(downloads={staged.contract["installer"]["url"]: INSTALLER})
    assert staged.ask("upgrade", step="stage")["staged"] is True


def test_install_refuses_where_the_way_back_could_not_be_proved(staged: Server):
    staged.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
    assert "could not be proved" in staged.ask("upgrade", step="install")["msg"]
    assert acts(staged) == []


# ---- a run that was cut off


def test_cut_off_before_anything_was_stopped(staged: Server):
    before = of_interactor(staged)
    staged.die_at("stop")
    staged.ask("upgrade", step="install")
    staged.thaw()
    assert ledger_of(staged)["upgrade"]["started"] == NOW
    result = staged.ask("upgrade", step="confirm")
    assert (result["upgraded"], result["again"]) == (False, True)
    assert result["reason"] == "the upgrade was cut off before the installer ran"
    assert (ledger_of(staged)["upgrade"], of_interactor(staged)) == ({**STAGED, "booted": BOOTED}, before)
    assert is_let_alone(staged)
    assert staged.ask("upgrade", step="install")["upgraded"] is True


def test_cut_off_in_the_backup(staged: Server):
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    # The copy was not yet whole.
    staged.path(BACKUP).rename(staged.path(BACKUP + ".part"))
    staged.path(BACKUP + r".part\manifest.json").unlink()
    result = staged.ask("upgrade", step="install")
    assert result["upgraded"] is True
    assert acts(staged) == ["start DIPSInteractor", *WHOLE_INSTALL]
    assert staged.read(BACKUP + r"\install\Interactor.exe") == "5.4.1"


@pytest.mark.parametrize("installed", [None, "half a file", "6.1.9"])
def test_cut_off_in_the_installer_goes_back_first(staged: Server, installed: str | None):
    before = of_interactor(staged)
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    if installed:
        staged.write(staged.program, installed)
        staged.write(staged.contract["paths"]["install"] + r"\new.dll", "of the new version")
    assert staged.state["services"]["DIPSInteractor"]["status"] == "Stopped"
    result = staged.ask("upgrade", step="confirm")
    assert (result["upgraded"], result["again"], result["version"]) == (False, True, "5.4.1")
    assert result["reason"] == "the upgrade was cut off; version 5.4.1 is back"
    assert (of_interactor(staged), upgrade_of(staged)[0]) == (before, "staged")
    assert is_let_alone(staged)
    acts(staged)
    assert staged.ask("upgrade", step="install")["upgraded"] is True
    assert acts(staged) == WHOLE_INSTALL


def test_install_alone_brings_a_run_that_was_cut_off_to_its_end_and_goes_on(staged: Server):
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    staged.write(staged.program, "half a file")
    check = staged.unchanged_by("upgrade", step="install")
    assert (check["changed"], check["upgraded"]) == (True, False)
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["reason"], result["version"]) == (True, "", "6.2.0")
    assert staged.read(BACKUP + r"\install\Interactor.exe") == "5.4.1"


def test_cut_off_while_the_installer_went_on_to_its_end(staged: Server):
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    staged.update(processes=["System", "InteractorSetup-6.2.0"])
    for step in ("confirm", "install"):
        result = staged.ask("upgrade", step=step)
        assert (result["upgraded"], result["again"], result["changed"]) == (False, True, False)
        assert result["reason"] == "the installer of an earlier run is still at work"
        assert acts(staged) == []
    staged.update(processes=["System"])
    staged.write(staged.program, "6.2.0")
    result = staged.ask("upgrade", step="confirm")
    assert (result["upgraded"], result["version"], upgrade_of(staged)) == (True, "6.2.0", ("done", "", None))
    assert is_let_alone(staged)


def test_windows_installer_at_work_is_waited_for(staged: Server):
    """A package, .msi, runs in a process of another name; so does what a set-up has begun that was cut off."""
    staged.update(msi_at_work=True)
    busy = "another installation is at work on the server"
    before = of_interactor(staged)
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["changed"], result["reason"]) == (False, True, False, busy)
    staged.update(msi_at_work=False)
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    staged.write(staged.program, "half a file")
    staged.update(msi_at_work=True)
    for step in ("confirm", "install"):
        result = staged.ask("upgrade", step=step)
        assert (result["upgraded"], result["again"], result["changed"], result["reason"]) == (False, True, False, busy)
        assert (acts(staged), staged.read(staged.program)) == ([], "half a file")
    staged.update(msi_at_work=False)
    assert staged.ask("upgrade", step="confirm")["reason"] == "the upgrade was cut off; version 5.4.1 is back"
    assert of_interactor(staged) == before


@pytest.mark.parametrize("installed", ["half a file", "6.2.0"])
def test_a_restart_in_the_middle_of_the_installer_is_undone_and_not_tried_again(staged: Server, installed: str):
    before = of_interactor(staged)
    staged.die_at("run")
    staged.ask("upgrade", step="install")
    staged.thaw()
    staged.write(staged.program, installed)
    restart(staged)
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["version"]) == (False, False, "5.4.1")
    assert result["reason"] == "the server was restarted while the installer ran; version 5.4.1 is back"
    assert (upgrade_of(staged), of_interactor(staged)) == (("failed", result["reason"], None), before)
    assert is_let_alone(staged)
    assert "is not staged" in staged.ask("upgrade", step="install")["msg"]


@pytest.mark.parametrize("proven", [False, True])
def test_cut_off_after_the_installer_is_gone_on_with_by_its_code(staged: Server, proven: bool):
    staged.die_at("start")
    staged.ask("upgrade", step="install")
    staged.thaw()
    assert ledger_of(staged)["upgrade"]["code"] == 0
    if proven:
        # It died between the proof and its record.
        staged.update(services={**staged.state["services"], "DIPSInteractor": service("Interactor.exe", main=True)})
    result = staged.ask("upgrade", step="confirm")
    assert (result["upgraded"], result["changed"], upgrade_of(staged)) == (True, True, ("done", "", 0))
    assert acts(staged) == ([] if proven else ["start DIPSInteractor"])
    assert is_let_alone(staged)


def test_cut_off_on_the_way_back_is_gone_on_with(staged: Server):
    before = of_interactor(staged)
    runs_to(staged, 1603, {staged.program: "half a file"})
    staged.die_at("start")
    staged.ask("upgrade", step="install")
    staged.thaw()
    staged.write(staged.program, "half a file")
    result = staged.ask("upgrade", step="confirm")
    assert result["reason"] == "the installer ended with code 1603; version 5.4.1 is back"
    assert (upgrade_of(staged), of_interactor(staged)) == (("failed", result["reason"], 1603), before)
    assert is_let_alone(staged)


@pytest.mark.parametrize("step", ["stage", "install"])
def test_what_is_not_proven_is_not_begun_anew(staged: Server, step: str):
    for unproven in ({"state": "restart"}, {"state": "incident"}):
        entry = {**STAGED, "started": NOW, "finished": NOW, "booted": BOOTED, **unproven}
        staged.write(staged.ledger_file, json.dumps({**LEDGER, "upgrade": entry}))
        staged.write(staged.program, "6.2.0")
        assert "refused: " in staged.ask("upgrade", step=step)["msg"]
        assert ledger_of(staged)["upgrade"] == entry
    assert acts(staged) == []


# ---- restarts


def test_a_restart_that_is_needed_is_waited_for_and_then_proven(staged: Server):
    runs_to(staged, 3010, {})
    result = staged.ask("upgrade", step="install")
    wants = "the installer wants a restart of the server (code 3010)"
    assert (result["upgraded"], result["again"], result["reason"]) == (False, True, wants)
    assert upgrade_of(staged) == ("restart", wants, 3010)
    assert is_let_alone(staged)
    acts(staged)
    before = staged.files()
    for check in (True, False):
        waits = staged.ask("upgrade", step="confirm", check=check)
        assert (waits["upgraded"], waits["again"], waits["changed"]) == (False, True, False)
        assert waits["reason"] == f"the server runs since {BOOTED} and waits for a restart"
    assert (staged.files(), acts(staged)) == (before, [])
    restart(staged, "2027-05-05T06:30:45Z")
    assert staged.ask("upgrade", step="confirm")["again"] is True, "Windows has only set its clock"
    restart(staged)
    staged.write(staged.program, "6.2.0")
    check = staged.unchanged_by("upgrade", step="confirm")
    assert (check["changed"], check["upgraded"]) == (True, False)
    done = staged.ask("upgrade", step="confirm")
    assert (done["upgraded"], done["reason"], upgrade_of(staged)) == (True, "", ("done", "", 3010))
    assert acts(staged) == []
    assert is_let_alone(staged)


def test_a_restart_after_which_the_version_is_not_proven_goes_back(staged: Server):
    before = of_interactor(staged)
    runs_to(staged, 3010, {})
    staged.ask("upgrade", step="install")
    restart(staged)
    staged.write(staged.program, "6.1.9")
    result = staged.ask("upgrade", step="confirm")
    assert result["reason"] == ("after the restart the service tells version '6.1.9', not 6.2.0; version 5.4.1 is back")
    assert (upgrade_of(staged), of_interactor(staged)) == (("failed", result["reason"], 3010), before)
    assert (result["upgraded"], result["again"]) == (False, False)
    assert is_let_alone(staged)


# ---- people were let in before it was known how it ended

DATA = r"C:\ProgramData\DIPS\Interactor\Data\orders.jsonl"
LEFT = "people had been let in, so the data are left as they are, newer than the backup: data/orders.jsonl"
INTERACTOR_OPEN = ["System", "Interactor"]


def wants_restart(server: Server) -> None:
    """The office has worked for a day since the installer asked for a restart, and is at work now."""
    runs_to(server, 3010, {})
    server.ask("upgrade", step="install")
    server.write_long_ago(DATA, "what is there before, and an order of this morning")
    server.update(processes=INTERACTOR_OPEN)
    restart(server)
    server.write(server.program, "6.1.9")
    acts(server)


def opened_again(server: Server) -> None:
    """The run was cut off in the installer, and the host has let people in again, who are at work now."""
    server.die_at("run")
    server.ask("upgrade", step="install")
    server.thaw()
    server.path(FLAG).unlink()
    server.write(server.program, "6.2.1")
    server.update(
        tasks={}, services={**server.state["services"], "DIPSInteractor": service("Interactor.exe", main=True)}
    )
    server.write_long_ago(DATA, "what is there before, and an order of this morning")
    server.update(processes=INTERACTOR_OPEN)
    acts(server)


@pytest.mark.parametrize("happened", [wants_restart, opened_again])
def test_what_people_have_made_since_is_not_taken_back(staged: Server, happened: Callable[[Server], None]):
    happened(staged)
    entry = ledger_of(staged)["upgrade"]
    for step in ("confirm",) if happened is wants_restart else ("confirm", "install"):
        result = staged.ask("upgrade", step=step)
        assert (result["upgraded"], result["again"], result["changed"]) == (False, True, False)
        assert result["reason"] == "Interactor is in use: 1 open"
        assert (acts(staged), ledger_of(staged)["upgrade"]) == ([], entry)
        assert is_let_alone(staged)
    staged.update(processes=["System"])
    result = staged.ask("upgrade", step="confirm")
    assert result["reason"].endswith(f"; version 5.4.1 is back; {LEFT}")
    assert (result["again"], result["version"], upgrade_of(staged)[0]) == (False, "5.4.1", "failed")
    assert staged.read(DATA) == "what is there before, and an order of this morning"
    assert is_let_alone(staged)


def test_a_flag_that_confirm_has_set_tells_nothing_of_the_time_before(staged: Server):
    """It died on the way back; the next one must not take the flag for that of the installer."""
    opened_again(staged)
    staged.update(processes=["System"])
    staged.die_at("stop")
    staged.ask("upgrade", step="confirm", run_id="run-2")
    staged.thaw()
    assert staged.read(FLAG)
    result = staged.ask("upgrade", step="confirm", run_id="run-3")
    assert result["reason"].endswith(LEFT)
    assert staged.read(DATA) == "what is there before, and an order of this morning"


def test_a_service_that_is_down_is_brought_back_whoever_waits_for_it(staged: Server):
    wants_restart(staged)
    staged.write(staged.program, "half a file")
    staged.update(services={**staged.state["services"], "DIPSInteractor": service("x", status="Stopped", main=True)})
    result = staged.ask("upgrade", step="confirm")
    assert (result["version"], upgrade_of(staged)[0]) == ("5.4.1", "failed")
    assert result["reason"].endswith(LEFT)


def test_the_files_come_back_where_the_service_itself_is_gone(staged: Server):
    runs_to(staged, 3010, {})
    staged.ask("upgrade", step="install")
    restart(staged)
    staged.write(staged.program, "half a file")
    staged.update(services={"EPJServer": staged.state["services"]["EPJServer"]})
    result = staged.ask("upgrade", step="confirm")
    assert (result["upgraded"], upgrade_of(staged)[0]) == (False, "failed")
    assert "; the way back failed too: the service does not start: " in result["reason"]
    assert staged.read(staged.program) == "5.4.1"


@pytest.mark.parametrize("installed", ["6.2.0", "half a file"])
def test_an_installer_that_restarts_the_server_is_an_incident_at_once(staged: Server, installed: str):
    runs_to(staged, 1641, {staged.program: installed})
    before = of_interactor(staged)
    told = "the installer restarts the server by itself (code 1641)"
    staged.die_at("start")
    result = staged.ask("upgrade", step="install")
    assert (result["upgraded"], result["again"], result["reason"]) == (False, False, told)
    staged.thaw()
    assert upgrade_of(staged) == ("incident", told, 1641), "on record before anything else is done"
    waits = staged.ask("upgrade", step="confirm")
    assert (waits["upgraded"], waits["again"]) == (False, True)
    assert staged.read(staged.contract["paths"]["maintenance_flag"]) is None
    restart(staged)
    staged.update(services={**staged.state["services"], "DIPSInteractor": service("Interactor.exe", main=True)})
    result = staged.ask("upgrade", step="confirm")
    if installed == "6.2.0":
        assert (result["upgraded"], upgrade_of(staged)) == (True, ("done", told, 1641))
    else:
        assert (result["upgraded"], result["version"], of_interactor(staged)) == (False, "5.4.1", before)
        assert upgrade_of(staged) == ("failed", result["reason"], 1641)
        assert result["reason"].startswith(f"{told}; after the restart the service ")
        assert result["reason"].endswith("; version 5.4.1 is back")
    assert is_let_alone(staged)


def test_confirm_has_nothing_to_do_before_an_upgrade(server: Server):
    result = server.ask("upgrade", step="confirm")
    assert (result["changed"], result["upgraded"], result["ledger"]) == (False, False, None)


@pytest.mark.parametrize("step", ["look", "stage", "install", "confirm"])
def test_a_damaged_ledger_is_refused_and_left_as_it_is(offered: Server, step: str):
    offered.write(offered.ledger_file, '{"schema": 1, "site": "1002", "attempts": []}')
    result = offered.ask("upgrade", step=step)
    assert result["failed"] is True
    assert result["msg"].startswith(f"{step}: ledger ")
    assert "belongs to site '1002'" in result["msg"]
    assert "1002" in (offered.read(offered.ledger_file) or "")
