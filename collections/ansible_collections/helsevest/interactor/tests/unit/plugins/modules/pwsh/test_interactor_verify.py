# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The look at a real server, and the trial on it, in the engine: what it makes is gone again, whatever goes wrong."""

from __future__ import annotations

import fcntl
import json
from typing import Any

import pytest

from tests.ledgers import ledger
from tests.pwsh.engine import HERE, LEASE_SCRIPT, PRETEND, service
from tests.pwsh.fixtures import Server

TRIAL = {"day": "2027-05-18", "history_months": 12}
FOLDER = r"C:\ProgramData\HelseVest\InteractorMove-verify"
TASK = "HelseVest Interactor lease verify"
LEDGER: dict[str, Any] = {"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": []}
ALL = {"written": True, "replaced": True, "replaced_while_read": True, "completed": True, "locked": True, "error": None}
KEPT = {"calls", "refused", "task_start", "programs", "slept", "frees"}
"""What the state file holds for the pretending itself."""


@pytest.fixture
def real(server: Server) -> Server:
    """A server whose tasks run, with a net in which everything is that the contract names."""
    contract = server.contract
    web = {
        contract["installer"]["url"]: {"status": 206, "content": "x", "length": 1},
        contract["proxy"]["script"]: {"status": 200, "content": "function FindProxyForURL(url, host) {}"},
    }
    path = f'"{server.program}" --service'
    services = {**server.state["services"], contract["service"]["name"]: service(path, main=True)}
    start = {"state": "Ready", "writes": {}, "runs": str(HERE / PRETEND)}
    server.update(web={**server.state["web"], **web}, services=services, task_start=start)
    return server


def listing(server: Server, code: int = 0, lines: int = 3) -> None:
    """The program that lists is there, and lists so many orders."""
    text = "".join(json.dumps({"category": "orders", "id": f"o{n}", "date": "2027-01-01"}) + "\n" for n in range(lines))
    server.write(server.contract["migration"]["program"], "the program")
    server.update(programs={"InteractorMigrate.exe": {"exit_code": code, "writes": {FOLDER + r"\list.jsonl": text}}})


def whole(server: Server) -> dict[str, Any]:
    """Everything: files, folders, and the state."""
    folders = sorted(str(path.relative_to(server.drive)) for path in server.drive.rglob("*") if path.is_dir())
    state = {name: part for name, part in server.state.items() if name not in KEPT}
    return {"files": server.files(), "folders": folders, "state": state}


def trial(server: Server, **options: Any) -> dict[str, Any]:
    given = {**TRIAL, "lease_script": LEASE_SCRIPT.read_text(encoding="utf-8"), **options}
    return server.ask("verify", step="trial", **given)


def test_it_tells_what_it_finds(real: Server):
    result = real.unchanged_by("verify", step="look")
    assert real.ask("verify", step="look") == result
    facts = result["facts"]
    told = real.engine.script("$PSVersionTable.PSVersion.ToString() + ' ' + $PSVersionTable.PSEdition").split()
    assert [facts["powershell"]["version"], facts["powershell"]["edition"]] == told
    assert facts["powershell"]["language_mode"] == "FullLanguage"
    assert facts["service"] == {
        "state": "running",
        "program": real.program,
        "start_mode": "Auto",
        "account": "LocalSystem",
        "signature": "Valid",
        "publisher": "DIPS AS",
    }
    there = {"install": True, "data": True, "config": True, "work": False, "maintenance_flag": False}
    assert facts["there"] == {**there, "migration_program": False}
    assert (facts["version"], facts["mode"], facts["tasks"], facts["file_system"]) == ("5.4.1", "local", [], "NTFS")
    assert facts["keys"] == ["endpoint", "mode", "printer", "list"]
    assert facts["channel_binding"] == "Relaxed"
    assert facts["web"] == {
        "installer": {"status": 206, "error": None},
        "script": {"status": 200, "is_script": True, "error": None},
    }
    assert facts["booted"] == "2027-05-05T06:30:00Z"
    assert result["ledger"] is None


def test_what_is_wrong_is_told_and_takes_nothing_else_with_it(real: Server):
    agreed = real.contract
    agreed["service"]["name"] = "Other"
    agreed["paths"]["install"] = r"C:\Nowhere"
    real.write(agreed["paths"]["config"], "mode=local")
    real.update(
        broken_cim=["Win32_OperatingSystem", "Win32_LogicalDisk"],
        tasks={agreed["lease"]["task"]: {"path": "\\", "state": "Ready", "actions": [], "next": None}},
    )
    facts = real.ask("verify", step="look")["facts"]
    assert facts["service"]["state"] == "missing"
    assert (facts["keys"], facts["mode"], facts["booted"], facts["file_system"]) == (None, None, None, None)
    assert facts["there"]["install"] is False
    assert facts["tasks"] == ["HelseVest Interactor lease"]
    assert facts["state"]["paths.install"] == "missing"
    assert facts["channel_binding"] == "Relaxed"


@pytest.mark.parametrize(
    "path", [r"C:\Program Files\X\Interactor.exe -k a.exe", r'"C:\Program Files\X\Interactor.exe" -k']
)
def test_a_program_is_told_without_its_arguments(real: Server, path: str):
    real.update(services={"DIPSInteractor": service(path, main=True)})
    fact = real.ask("verify", step="look")["facts"]["service"]
    assert (fact["program"], fact["signature"]) == (r"C:\Program Files\X\Interactor.exe", None)


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("paths.install", lambda server: server.write(server.program, "5.4.2")),
        ("paths.data", lambda server: server.write(server.contract["paths"]["data"] + r"\new.jsonl", "")),
        ("paths.config", lambda server: server.write(server.contract["paths"]["config"], "{}")),
        ("paths.work", lambda server: server.write(server.contract["paths"]["work"] + r"\x", "")),
        ("paths.maintenance_flag", lambda server: server.write(server.contract["paths"]["maintenance_flag"], "")),
        ("services", lambda server: server.update(services={"DIPSInteractor": service("x", mode="Manual", main=True)})),
        (
            "tasks",
            lambda server: server.update(tasks={"X": {"path": "\\", "state": "Ready", "actions": [], "next": None}}),
        ),
    ],
)
def test_whatever_changes_is_seen_the_second_time(real: Server, name: str, spoil: Any):
    before = real.ask("verify", step="look")["facts"]
    assert real.ask("verify", step="again")["facts"] == {name: before[name] for name in ("booted", "state")}
    spoil(real)
    after = real.ask("verify", step="again")["facts"]["state"]
    assert [each for each in after if after[each] != before["state"][each]] == [name]


def test_a_trial_passes_and_leaves_everything_as_it_was(real: Server):
    listing(real)
    before = whole(real)
    result = trial(real)
    assert whole(real) == before
    assert (result["changed"], result["ledger"]) == (False, None)
    told = result["trial"]
    assert (told["leftover"], told["left"], told["durable"]) == (False, [], ALL)
    assert told["task"] == {"registered": True, "ran": True, "result": None, "error": None}
    manifest = told["manifest"]
    assert manifest["counts"] == {"orders": 3, "started_requisitions": 0, "favourite_packages": 0}
    assert (manifest["error"], manifest["seconds"] > 0) == (None, True)
    # Three orders may fit into memory that the engine, warm from other tests, has already had.
    assert manifest["megabytes"] >= 0
    assert {call.split(" ")[0] for call in real.take_calls()} == {"icacls", "register", "start", "unregister", "run"}


def test_it_works_beside_a_folder_of_ours_that_is_there(real: Server):
    real.write(real.ledger_file, json.dumps(LEDGER))
    before = whole(real)
    result = trial(real)
    assert (result["ledger"], result["trial"]["durable"]) == (LEDGER, ALL)
    assert result["trial"]["manifest"] is None, "the program is not there yet"
    assert whole(real) == before


def test_a_dry_run_tries_nothing(real: Server):
    result = real.unchanged_by("verify", step="trial", **TRIAL, lease_script="#")
    assert (result["trial"], real.take_calls()) == (None, [])


@pytest.mark.parametrize("state", ["prepared", "running", "completed"])
def test_beside_a_move_nothing_is_tried(real: Server, state: str):
    real.write(real.ledger_file, json.dumps(ledger("1001", state)))
    before = whole(real)
    assert trial(real)["msg"] == f"trial: refused: attempt 2 is {state}"
    assert whole(real) == before


def test_beside_another_run_nothing_is_tried(real: Server):
    real.write(real.ledger_file, json.dumps(LEDGER))
    lock = real.path(real.contract["paths"]["work"]) / "run.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "trial: refused: another run is at work on this server" in trial(real)["msg"]
    lock.unlink()
    assert trial(real)["trial"]["durable"] == ALL
    assert not lock.exists()


def test_while_people_are_kept_out_nothing_is_tried(real: Server):
    real.write(real.contract["paths"]["maintenance_flag"], "")
    before = whole(real)
    assert trial(real)["msg"] == "trial: refused: people are kept out of Interactor"
    assert whole(real) == before


def test_what_a_trial_that_died_has_left_is_taken_away(real: Server):
    before = whole(real)
    real.write(FOLDER + r"\ledger.json", "half a led")
    real.write(FOLDER + r"\manifest\attempt-0.ids.new", "orders\t")
    real.update(tasks={TASK: {"path": "\\", "state": "Ready", "actions": [], "next": None}})
    told = trial(real)["trial"]
    assert (told["leftover"], told["durable"], told["left"]) == (True, ALL, [])
    assert whole(real)["files"] == before["files"]
    assert real.state["tasks"] == {}
    assert not real.path(FOLDER).exists()


def test_a_task_that_does_not_run_is_told_and_taken_away(real: Server):
    real.update(task_start={"state": "Ready", "writes": {}, "result": 2147942402})
    before = whole(real)
    told = trial(real)["trial"]
    assert told["task"] == {"registered": True, "ran": False, "result": 2147942402, "error": None}
    assert (told["durable"], told["left"]) == (ALL, [])
    assert whole(real) == before


def test_a_task_that_cannot_be_registered_is_told(real: Server):
    real.update(register_fails=True)
    before = whole(real)
    told = trial(real)["trial"]
    assert told["task"]["registered"] is False
    assert told["task"]["error"] == "The task scheduler is not available."
    assert told["durable"] == ALL
    assert whole(real) == before


def test_a_script_that_policy_keeps_from_running_leaves_the_flag(real: Server):
    before = whole(real)
    told = trial(real, lease_script="throw 'not signed'")["trial"]
    assert (told["task"]["registered"], told["task"]["ran"]) == (True, False)
    assert "not signed" in told["task"]["error"]
    assert whole(real) == before


@pytest.mark.parametrize(("code", "lines", "says"), [(87, 1, "the list program ended with code 87"), (0, 0, None)])
def test_a_list_that_fails_is_told(real: Server, code: int, lines: int, says: str | None):
    listing(real, code, lines)
    before = whole(real)
    assert trial(real)["trial"]["manifest"]["error"] == says
    assert whole(real) == before


def test_a_folder_that_cannot_be_written_is_told(real: Server):
    real.path(r"C:\ProgramData\HelseVest").parent.mkdir(parents=True, exist_ok=True)
    real.path(r"C:\ProgramData\HelseVest").write_text("a file of that name", encoding="utf-8")
    before = whole(real)
    told = trial(real)
    assert told["failed"]
    assert told["msg"].startswith("trial: ")
    assert "InteractorMove-verify" in told["msg"]
    assert whole(real) == before


def test_what_it_needs_is_asked_for(real: Server):
    assert "lease_script" in real.ask("verify", step="trial")["msg"]


def test_a_ledger_of_another_site_is_refused(real: Server):
    real.write(real.ledger_file, json.dumps({**LEDGER, "site": "1"}))
    for step in ("look", "again"):
        assert "belongs to site '1'" in real.ask("verify", step=step)["msg"]
