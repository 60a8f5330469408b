# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease in the engine: who is in Interactor, warning and closing, the flag, and the task that takes it away."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.pwsh.engine import LEASE_SCRIPT, service
from tests.pwsh.fixtures import NOW, Server, refused, step

FLAG = r"C:\ProgramData\DIPS\Interactor\maintenance.flag"
DATA = r"C:\ProgramData\DIPS\Interactor\Data"
INSTALL = r"C:\Program Files\DIPS\Interactor"
WORK = r"C:\ProgramData\HelseVest\InteractorMove"
SCRIPT = WORK + r"\lease.ps1"
STATUS = WORK + r"\status.json"
MOVE = "HelseVest Interactor move"
PROGRAM = INSTALL + r"\InteractorMigrate.exe"
WATCH = "HelseVest Interactor lease"
ATTEMPT = {"number": 1, "key": "1001-1-4f3a"}
HELD = {"state": "held", "since": NOW, "run": "run-1"}
QUIET = {
    "active": False,
    "sessions": 0,
    "open_files": 0,
    "last_activity": "2020-09-13T12:26:40Z",
    "warned": None,
    "closed": None,
}
ON_A_PC = {**QUIET, "open_files": None, "last_activity": None}
TEXT = "Lagre rekvisisjonene, og lukk Interactor."
OPEN = {"name": "Interactor", "path": INSTALL + r"\Interactor.exe", "session": 2}


def lease_of(server: Server) -> Any:
    """What the ledger's file says of the lease."""
    return json.loads(server.read(server.ledger_file) or '{"lease": null}')["lease"]


def attempted(server: Server, state: str) -> None:
    """Take the lease and give the server an attempt in this state."""
    step(server, "lease")
    ledger = json.loads(server.read(server.ledger_file) or "")
    entry = {**ATTEMPT, "state": state, "mode": "server_in_cloud", "history_months": 12, "before": {}}
    server.write(server.ledger_file, json.dumps({**ledger, "attempts": [entry]}))


def age(server: Server, path: str, minutes: float) -> None:
    """Have a file written so many minutes ago."""
    then = time.time() - minutes * 60
    os.utime(server.path(path), (then, then))


def age_of(server: Server, path: str) -> float:
    return (time.time() - server.path(path).stat().st_mtime) / 60


@contextmanager
def at_work(server: Server) -> Iterator[None]:
    """Another run of ours is at work on the server."""
    held = f"[System.IO.FileStream]::new('{server.path(WORK)}/run.lock', 'OpenOrCreate', 'ReadWrite', 'None')"
    assert "ERROR" not in server.engine.script(f"[AppDomain]::CurrentDomain.SetData('lease', {held})")
    try:
        yield
    finally:
        server.engine.script("[AppDomain]::CurrentDomain.GetData('lease').Dispose()")


class TestWhoIsIn:
    def test_nobody(self, server: Server):
        assert step(server, "lease")["users"] == QUIET

    def test_processes_are_counted_by_name_and_the_services_own_is_none(self, server: Server):
        own = {**service(INSTALL + r"\Interactor.exe", main=True), "process": 3}
        server.update(services={**server.state["services"], "DIPSInteractor": own})
        server.update(processes=["EPJ", OPEN, "Interactor"])
        assert step(server, "lease")["users"] == {**QUIET, "active": True, "sessions": 1}
        server.update(processes=["EPJ", "interactor", "Interactor"])
        assert step(server, "lease")["users"]["sessions"] == 1
        server.update(processes=["EPJ", "EPJ", "Interactor"])
        assert step(server, "lease")["held"] is True

    def test_where_windows_does_not_tell_the_services_process_all_are_counted(self, server: Server):
        server.update(broken_cim=["Win32_Service"], processes=["Interactor"])
        assert step(server, "lease")["users"]["sessions"] == 1

    @pytest.mark.parametrize(
        ("path", "counts"),
        [
            (DATA + r"\orders.jsonl", True),
            (INSTALL.upper() + r"\Interactor.exe", True),
            (r"D:\Felles\Interactor\x.exe", True),
            (DATA + r"2\orders.jsonl", False),
            (r"C:\EPJ\Data\journal.mdf", False),
            (DATA, False),
        ],
    )
    def test_files_that_pcs_hold_open(self, server: Server, path: str, counts: bool):
        server.contract["use"]["folders"] = ["D:\\Felles\\Interactor\\"]
        server.update(open_files=[path])
        result = step(server, "lease")
        assert (result["held"], result["users"]["open_files"]) == (not counts, int(counts))
        if counts:
            assert result["reason"] == "Interactor is in use: 1 files open from PCs"

    def test_a_server_that_does_not_tell_of_open_files(self, server: Server):
        server.update(open_files=None)
        result = step(server, "lease")
        assert (result["held"], result["users"]) == (True, {**QUIET, "open_files": None})

    @pytest.mark.parametrize(("minutes", "active"), [(4.5, True), (5.5, False), (-4.5, True), (-600, False)])
    def test_what_was_written_just_now_is_use(self, server: Server, minutes: float, active: bool):
        server.write(DATA + r"\sub\old.jsonl", "{}")
        age(server, DATA + r"\sub\old.jsonl", 10_000)
        server.write(DATA + r"\orders.jsonl", "{}")
        age(server, DATA + r"\orders.jsonl", minutes)
        users = step(server, "lease")["users"]
        assert users["active"] is active
        told = datetime.fromtimestamp(server.path(DATA + r"\orders.jsonl").stat().st_mtime, UTC)
        assert users["last_activity"] == f"{told:%Y-%m-%dT%H:%M:%SZ}"

    def test_zero_minutes_look_at_nothing(self, server: Server):
        server.contract["use"]["quiet_minutes"] = 0
        server.write(DATA + r"\orders.jsonl", "{}")
        assert step(server, "lease")["users"] == {**QUIET, "last_activity": None}

    def test_our_own_flag_is_no_activity(self, server: Server):
        server.contract["paths"]["maintenance_flag"] = DATA + r"\maintenance.flag"
        server.write(DATA + r"\orders.jsonl", "{}")
        age(server, DATA + r"\orders.jsonl", 60)
        assert step(server, "lease")["held"] is True
        assert step(server, "lease")["held"] is True


class TestOnAPc:
    def test_only_programs_are_looked_at_and_nothing_is_made(self, server: Server):
        server.write(DATA + r"\orders.jsonl", "{}")
        server.update(open_files=[DATA + r"\orders.jsonl"])
        before = server.files()
        result = step(server, "users")
        assert result == {"changed": False, "users": ON_A_PC}
        server.update(processes=[OPEN, OPEN])
        users = step(server, "users")["users"]
        assert users == {**ON_A_PC, "active": True, "sessions": 2}
        assert server.files() == before
        assert server.take_calls() == []

    def test_warning_and_closing_are_the_same_there(self, server: Server):
        server.update(processes=[{**OPEN, "window": "closes"}])
        warned = step(server, "users", warning=TEXT)["users"]
        assert (warned["active"], warned["warned"], warned["closed"]) == (True, 1, None)
        result = step(server, "users", warning=TEXT, close=True)
        assert result["changed"] is True
        assert result["users"] == {**ON_A_PC, "warned": 1, "closed": 1}


class TestWarning:
    def test_everybody_who_is_logged_on_is_told(self, server: Server):
        server.update(processes=[OPEN], users=["a", "b", "c"])
        result = step(server, "lease", warning=TEXT)
        assert (result["held"], result["again"], result["users"]["warned"]) == (False, True, 3)
        assert f"msg * /TIME:900 {TEXT}" in server.take_calls()

    def test_nobody_is_told_where_nobody_is_in_it_or_no_text_is_given(self, server: Server):
        step(server, "lease", warning=TEXT)
        server.update(processes=[OPEN])
        assert step(server, "lease")["users"]["warned"] is None
        assert not [call for call in server.take_calls() if call.startswith("msg")]

    @pytest.mark.parametrize("users", [None, []])
    def test_a_message_that_cannot_be_shown_is_no_error(self, server: Server, users: list[str] | None):
        server.update(processes=[OPEN], users=users)
        assert step(server, "lease", warning=TEXT)["users"]["warned"] == 0

    def test_where_it_cannot_be_counted_it_is_one(self, server: Server):
        server.update(processes=[OPEN], users=["a", "b"], quser_fails=True)
        assert step(server, "lease", warning=TEXT)["users"]["warned"] == 1

    def test_a_dry_run_tells_nobody(self, server: Server):
        server.update(processes=[OPEN])
        users = server.unchanged_by("migrate", step="lease", warning=TEXT, close=True)["users"]
        assert (users["active"], users["warned"], users["closed"]) == (True, None, None)


class TestClosing:
    def test_it_asks_first_and_ends_what_is_left(self, server: Server):
        server.update(processes=["EPJ", {**OPEN, "window": "closes"}, OPEN])
        result = step(server, "lease", warning=TEXT, close=True)
        assert (result["held"], result["changed"], result["users"]["closed"]) == (True, True, 2)
        assert [call for call in server.take_calls() if "Interactor " in call and "register" not in call] == [
            "ask Interactor 2 to close",
            "ask Interactor 3 to close",
            "end Interactor 3",
        ]
        assert lease_of(server) == HELD

    def test_only_programs_in_interactors_own_folders(self, server: Server):
        server.contract["use"]["folders"] = [r"\\srv\felles"]
        like = {"name": "Interactor", "path": r"C:\EPJ\Interactor.exe"}
        beside = {"name": "Interactor", "path": INSTALL + r"2\Interactor.exe"}
        hidden = {"name": "Interactor", "path": None}
        other = {"name": "InteractorMigrate", "path": INSTALL + r"\InteractorMigrate.exe"}
        shared = {"name": "Interactor", "path": r"\\SRV\Felles\Interactor.exe"}
        server.update(processes=[like, beside, hidden, other, shared])
        result = step(server, "lease", close=True)
        assert (result["held"], result["users"]["closed"], result["users"]["sessions"]) == (False, 1, 3)
        assert [call for call in server.take_calls() if call.startswith("end")] == ["end Interactor 5"]

    def test_the_service_is_never_ended(self, server: Server):
        own = {**service(INSTALL + r"\Interactor.exe", main=True), "process": 1}
        server.update(services={**server.state["services"], "DIPSInteractor": own}, processes=[OPEN, OPEN])
        assert step(server, "lease", close=True)["users"]["closed"] == 1
        assert [call for call in server.take_calls() if call.startswith("end")] == ["end Interactor 2"]

    def test_not_to_know_the_services_process_ends_nothing(self, server: Server):
        server.update(broken_cim=["Win32_Service"], processes=[OPEN])
        assert "Provider load failure" in server.ask("migrate", step="lease", close=True)["msg"]
        assert not [call for call in server.take_calls() if call.startswith(("end", "ask"))]

    def test_one_that_does_not_end_keeps_the_lease_away(self, server: Server):
        server.update(processes=[{**OPEN, "window": "stays"}])
        result = step(server, "lease", close=True)
        assert (result["held"], result["users"]["closed"]) == (False, 0)
        assert server.read(FLAG) is None


class TestLease:
    def test_it_is_taken_once(self, server: Server):
        assert server.unchanged_by("migrate", step="lease")["changed"] is True
        first = step(server, "lease")
        assert (first["changed"], first["held"], first["reason"], first["again"]) == (True, True, "", False)
        assert first["ledger"]["lease"] == lease_of(server) == HELD
        assert server.read(FLAG) == f"run-1 {NOW}\n"
        again = step(server, "lease")
        assert (again["changed"], again["held"]) == (False, True)

    def test_it_needs_the_script(self, server: Server):
        assert "are missing: lease_script" in refused(server, "lease", lease_script=None)

    def test_a_flag_that_is_gone_is_set_again_before_an_attempt(self, server: Server):
        step(server, "lease")
        server.path(FLAG).unlink()
        result = step(server, "lease", now="2027-05-18T20:00:00Z")
        assert (result["changed"], result["held"]) == (True, True)
        assert result["ledger"]["lease"]["since"] == lease_of(server)["since"] == "2027-05-18T20:00:00Z"
        assert server.read(FLAG) is not None

    @pytest.mark.parametrize("state", ["prepared", "running", "completed"])
    def test_one_that_was_lost_under_an_attempt_is_not_taken_again(self, server: Server, state: str):
        attempted(server, state)
        server.path(FLAG).unlink()
        assert "refused: the lease was lost while attempt 1 was open" in refused(server, "lease")

    def test_one_that_is_free_under_an_attempt_is_not_taken_either(self, server: Server):
        attempted(server, "running")
        server.write(server.ledger_file, (server.read(server.ledger_file) or "").replace('"held"', '"free"'))
        assert "refused: the lease was lost while attempt 1 was open" in refused(server, "lease")

    @pytest.mark.parametrize("state", ["prepared", "running", "completed"])
    @pytest.mark.parametrize("check", [True, False])
    def test_who_comes_late_and_meets_somebody_lets_nobody_in_under_an_attempt(
        self, server: Server, state: str, check: bool
    ):
        attempted(server, state)
        server.update(processes=[OPEN])
        result = step(server, "lease", check=check)
        assert (result["held"], result["again"], result["changed"]) == (True, True, False)
        assert result["reason"] == "Interactor is in use: 1 open"
        assert (lease_of(server), server.read(FLAG) is not None, WATCH in server.state["tasks"]) == (HELD, True, True)

    @pytest.mark.parametrize("state", ["prepared", "running", "completed", "failed"])
    @pytest.mark.parametrize("check", [True, False])
    def test_a_late_handback_lets_nobody_in_under_an_attempt(self, server: Server, state: str, check: bool):
        attempted(server, state)
        said = f"refused: attempt 1 is {state}: nobody may be let in before it is switched or undone"
        assert said in refused(server, "handback", check=check)
        assert (lease_of(server), WATCH in server.state["tasks"]) == (HELD, True)

    @pytest.mark.parametrize("state", ["switched", "rolled_back"])
    def test_after_one_that_has_ended_it_does(self, server: Server, state: str):
        attempted(server, state)
        assert step(server, "handback")["ledger"]["lease"]["state"] == "free"
        assert server.read(FLAG) is None

    @pytest.mark.parametrize("state", ["switched", "rolled_back", "failed"])
    def test_under_one_that_has_ended_it_is(self, server: Server, state: str):
        attempted(server, state)
        server.path(FLAG).unlink()
        assert step(server, "lease")["held"] is True

    def test_nobody_is_thrown_out(self, server: Server):
        server.update(processes=["Interactor", "interactor", "EPJ"])
        check = server.unchanged_by("migrate", step="lease")
        result = step(server, "lease")
        for answer in (check, result):
            assert (answer["changed"], answer["held"], answer["again"]) == (False, False, True)
            assert answer["reason"] == "Interactor is in use: 2 open"
        assert server.read(FLAG) is None
        assert lease_of(server) is None
        assert server.state["tasks"] == {}

    def test_a_held_one_is_given_back_where_somebody_got_in(self, server: Server):
        step(server, "lease")
        server.update(processes=[OPEN])
        result = step(server, "lease")
        assert (result["changed"], result["held"]) == (True, False)
        assert (lease_of(server)["state"], server.read(FLAG)) == ("free", None)

    def test_handback_lets_people_in(self, server: Server):
        assert step(server, "handback")["changed"] is False
        step(server, "lease")
        assert server.unchanged_by("migrate", step="handback")["changed"] is True
        result = step(server, "handback")
        assert result["changed"] is True
        assert result["ledger"]["lease"]["state"] == lease_of(server)["state"] == "free"
        assert (server.read(FLAG), server.state["tasks"]) == (None, {})
        assert step(server, "handback")["changed"] is False

    @pytest.mark.parametrize("check", [True, False])
    def test_nobody_is_kept_out_where_windows_tells_of_no_task(self, server: Server, check: bool):
        server.update(damaged_task="all")
        message = refused(server, "lease", check=check)
        assert f"refused: Windows does not tell how the task '{WATCH}' is: The task scheduler is not" in message

    def test_a_damaged_task_of_somebody_else_stands_in_nobodys_way(self, server: Server):
        server.update(damaged_task="listing")
        assert step(server, "lease")["held"] is True
        age(server, FLAG, 50)
        step(server, "look")
        assert age_of(server, FLAG) < 1
        assert step(server, "handback")["changed"] is True
        assert (lease_of(server)["state"], server.read(FLAG)) == ("free", None)

    def test_a_flag_never_stands_without_the_task(self, server: Server):
        server.update(register_fails=True)
        assert "The task scheduler is not available" in server.ask("migrate", step="lease")["msg"]
        assert server.read(FLAG) is None


class TestBesideAnother:
    def test_who_is_there_for_a_moment_is_waited_for(self, server: Server):
        step(server, "lease")
        server.update(frees=29)
        with at_work(server):
            assert step(server, "handback")["changed"] is True
        assert server.state["slept"] == 29

    def test_but_not_for_long(self, server: Server):
        step(server, "lease")
        with at_work(server):
            assert "another run is at work on this server" in refused(server, "handback")
        assert server.state["slept"] == 30

    def test_nor_by_who_only_looks(self, server: Server):
        step(server, "lease")
        with at_work(server):
            step(server, "look")
        assert server.state["slept"] == 0


class TestLost:
    def test_it_is_told_and_never_written(self, server: Server):
        attempted(server, "running")
        server.path(FLAG).unlink()
        server.write(STATUS, json.dumps({"state": "completed", "progress": 100, "counts": {}, "message": ""}))
        for name in ("look", "follow"):
            assert step(server, name, attempt=ATTEMPT)["ledger"]["lease"]["state"] == "lost"
            assert lease_of(server) == HELD
        assert json.loads(server.read(server.ledger_file) or "")["attempts"][0]["state"] == "completed"
        assert server.ask("upgrade", step="look")["ledger"]["lease"]["state"] == "lost"
        assert server.read(FLAG) is None

    @pytest.mark.parametrize("name", ["handback", "restore"])
    def test_it_is_freed(self, server: Server, name: str):
        attempted(server, "prepared")
        server.path(FLAG).unlink()
        if name == "handback":
            assert "refused: attempt 1 is prepared" in refused(server, name)
            ledger = json.loads(server.read(server.ledger_file) or "")
            ledger["attempts"][0]["state"] = "rolled_back"
            server.write(server.ledger_file, json.dumps(ledger))
        result = step(server, name, attempt=ATTEMPT)
        assert result["changed"] is True
        assert result["ledger"]["lease"]["state"] == lease_of(server)["state"] == "free"
        assert server.state["tasks"] == {}

    def test_a_file_that_says_lost_is_damaged(self, server: Server):
        step(server, "lease")
        server.write(server.ledger_file, (server.read(server.ledger_file) or "").replace('"held"', '"lost"'))
        assert "is damaged: lease.state is 'lost'" in refused(server, "look")

    @pytest.mark.parametrize(("name", "state"), [("start", "prepared"), ("switch", "completed")])
    @pytest.mark.parametrize("check", [True, False])
    def test_nothing_begins_without_the_lease(self, server: Server, name: str, state: str, check: bool):
        attempted(server, state)
        before = server.read(server.program)
        server.path(FLAG).unlink()
        assert "refused: the lease was lost" in refused(server, name, attempt=ATTEMPT, check=check)
        server.write(FLAG, "somebody else")
        ledger = json.loads(server.read(server.ledger_file) or "")
        for lease in (None, {**HELD, "state": "free"}):
            server.write(server.ledger_file, json.dumps({**ledger, "lease": lease}))
            assert "refused: the lease is not held" in refused(server, name, attempt=ATTEMPT, check=check)
        assert server.read(server.program) == before
        assert not [call for call in server.take_calls() if call.startswith(("start", "restart"))]


class TestHeartbeat:
    @pytest.mark.parametrize(
        ("name", "state"), [("look", "running"), ("follow", "running"), ("start", "running"), ("switch", "switched")]
    )
    def test_a_run_that_lives_renews_the_flag(self, server: Server, name: str, state: str):
        attempted(server, state)
        server.update(tasks={**server.state["tasks"], MOVE: {"path": "\\", "state": "Running", "actions": []}})
        age(server, FLAG, 50)
        assert step(server, name, attempt=ATTEMPT, run_id="run-2")["changed"] is False
        assert age_of(server, FLAG) < 1

    @pytest.mark.parametrize("name", ["look", "lease"])
    def test_the_flag_stays_where_it_is_meanwhile(self, server: Server, name: str):
        step(server, "lease")
        age(server, FLAG, 50)
        flag = server.path(FLAG).stat().st_ino
        step(server, name, run_id="run-2")
        assert (server.path(FLAG).stat().st_ino, server.read(FLAG)) == (flag, f"run-1 {NOW}\n")
        assert age_of(server, FLAG) < 1

    def test_a_task_that_somebody_removed_is_there_again(self, server: Server):
        attempted(server, "running")
        server.update(tasks={})
        step(server, "look")
        assert WATCH in server.state["tasks"]

    @pytest.mark.parametrize("name", ["follow", "start", "switch"])
    def test_a_run_that_names_another_attempt_renews_nothing(self, server: Server, name: str):
        attempted(server, "running")
        age(server, FLAG, 50)
        assert "refused" in refused(server, name, attempt={"number": 1, "key": "another"})
        assert age_of(server, FLAG) > 40

    def test_neither_does_a_dry_run_nor_one_beside_another(self, server: Server):
        attempted(server, "running")
        age(server, FLAG, 50)
        server.unchanged_by("migrate", step="look")
        with at_work(server):
            assert step(server, "look")["ledger"]["lease"]["state"] == "held"
        assert age_of(server, FLAG) > 40

    @pytest.mark.parametrize("lease", [None, {**HELD, "state": "free"}])
    def test_a_flag_that_is_not_ours_is_left_alone(self, server: Server, lease: Any):
        ledger = {"schema": 1, "site": "1001", "upgrade": None, "lease": lease, "attempts": []}
        server.write(server.ledger_file, json.dumps(ledger))
        server.write(FLAG, "the vendor's")
        step(server, "look")
        assert server.read(FLAG) == "the vendor's"


class TestDeadMan:
    """The script of the task on the host, as the task runs it."""

    @pytest.fixture
    def leased(self, server: Server) -> Server:
        step(server, "lease")
        server.take_calls()
        return server

    def test_the_task_runs_as_system_after_an_hour_every_quarter_and_at_startup(self, leased: Server):
        assert server_script(leased) == LEASE_SCRIPT.read_text(encoding="utf-8")
        task = leased.state["tasks"][WATCH]
        assert task["principal"] == "S-1-5-18 ServiceAccount Highest"
        assert task["settings"] == "True True 00:05:00 IgnoreNew late"
        assert task["triggers"] == [
            {"minutes": 60, "every": "00:15:00", "during": "3650.00:00:00"},
            {"startup": True},
        ]
        assert task["actions"] == [
            {
                "Execute": r"%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe",
                "Arguments": f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{SCRIPT}" -Flag "{FLAG}" '
                f'-Minutes 60 -MoveTask "{MOVE}" -MoveProgram "{PROGRAM}" -LeaseTask "{WATCH}"',
            }
        ]

    def test_names_and_times_are_the_contracts(self, server: Server):
        server.contract["lease"] = {"task": "Another", "minutes": 20}
        step(server, "lease")
        task = server.state["tasks"]["Another"]
        assert task["triggers"][0]["minutes"] == 20
        assert "-Minutes 20 " in task["actions"][0]["Arguments"]
        server.contract["lease"]["task"] = 'a" -Minutes "0'
        assert "cannot be an argument of a task" in refused(server, "lease")

    @pytest.mark.parametrize("minutes", [61, 100_000, -61])
    def test_an_old_flag_goes_and_so_does_the_task(self, leased: Server, minutes: float):
        before = leased.files()
        age(leased, FLAG, minutes)
        leased.fire(WATCH)
        assert set(before.items()) - set(leased.files().items()) == {(FLAG[3:].replace("\\", "/"), flag_bytes())}
        assert leased.take_calls() == [f"unregister {WATCH}"]
        assert step(leased, "look")["ledger"]["lease"]["state"] == "lost"

    @pytest.mark.parametrize("minutes", [0, 59, -59])
    def test_a_flag_that_was_renewed_stays(self, leased: Server, minutes: float):
        age(leased, FLAG, minutes)
        self.nothing_happens(leased)

    @pytest.mark.parametrize("state", ["Running", "Queued"])
    def test_while_the_migration_runs_it_stays(self, leased: Server, state: str):
        age(leased, FLAG, 600)
        tasks = leased.state["tasks"]
        leased.update(tasks={**tasks, MOVE: {"path": "\\", "state": state, "actions": []}})
        self.nothing_happens(leased)
        leased.update(tasks={**tasks, MOVE: {"path": "\\", "state": "Ready", "actions": []}})
        leased.fire(WATCH)
        assert leased.read(FLAG) is None

    @pytest.mark.parametrize("other", [{"path": "\\Vendor\\"}, {"name": MOVE + " 2"}])
    def test_another_task_at_work_is_none_of_its_business(self, leased: Server, other: dict[str, str]):
        age(leased, FLAG, 600)
        task = {"path": other.get("path", "\\"), "state": "Running", "actions": []}
        leased.update(tasks={**leased.state["tasks"], other.get("name", MOVE): task})
        leased.fire(WATCH)
        assert leased.read(FLAG) is None

    @pytest.mark.parametrize("state", ["Running", "Queued"])
    def test_a_damaged_task_of_somebody_else_hides_no_migration(self, leased: Server, state: str):
        age(leased, FLAG, 600)
        tasks = leased.state["tasks"]
        leased.update(tasks={**tasks, MOVE: {"path": "\\", "state": state, "actions": []}}, damaged_task="listing")
        self.nothing_happens(leased)

    @pytest.mark.parametrize("damaged", ["listing", "all"])
    def test_nor_does_one_keep_people_out(self, leased: Server, damaged: str):
        age(leased, FLAG, 600)
        leased.update(damaged_task=damaged)
        leased.fire(WATCH, fails="incorrectly formatted")
        assert leased.read(FLAG) is None
        leased.update(damaged_task="")
        leased.fire(WATCH)
        assert leased.state["tasks"] == {}

    def test_where_windows_tells_of_no_task_the_program_tells_of_the_migration(self, leased: Server):
        age(leased, FLAG, 600)
        leased.update(damaged_task="all", processes=["System", "interactormigrate"])
        self.nothing_happens(leased)

    def test_while_a_run_of_ours_is_at_work_it_stays(self, leased: Server):
        age(leased, FLAG, 600)
        with at_work(leased):
            self.nothing_happens(leased)

    def test_without_a_flag_only_the_task_goes(self, leased: Server):
        leased.path(FLAG).unlink()
        before = leased.files()
        leased.fire(WATCH)
        assert leased.files() == before
        assert leased.take_calls() == [f"unregister {WATCH}"]

    def nothing_happens(self, server: Server) -> None:
        before = server.files(), server.state
        server.fire(WATCH)
        assert (server.files(), server.state) == before


def server_script(server: Server) -> str:
    return server.read(SCRIPT) or ""


def flag_bytes() -> bytes:
    return f"run-1 {NOW}\n".encode()


def test_the_script_is_plain_text_for_windows_powershell():
    assert LEASE_SCRIPT.read_bytes().isascii()
