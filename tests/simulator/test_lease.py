"""The lease on a simulated server: people who come and go, warnings, and the task that lets them in again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulator.windows import Process, Task
from tests.simulator.office import KEY, Office, Opened

LEASE = "HelseVest Interactor lease"
TEXT = "Lagre rekvisisjonene, og lukk Interactor."


def flagged(office: Office) -> bool:
    return office.server.drive.is_file(office.contract["paths"]["maintenance_flag"])


def told(office: Office) -> str:
    """What a look that renews nothing tells of the lease."""
    return str(office.migrate("look", check=True)["ledger"]["lease"]["state"])


class TestPeople:
    def test_at_a_pc_they_run_it_there_and_hold_files_open_on_the_server(self, opened: Opened):
        clients = [{"name": "pc1", "in_use": 2}, {"name": "pc2", "in_use": 1, "powered_on": False}]
        office = opened(clients=clients)
        snapshot = office.world.snapshot()
        result = office.migrate("lease")
        assert (result["held"], result["changed"], result["reason"]) == (
            False,
            False,
            "Interactor is in use: 2 files open from PCs",
        )
        assert (result["users"]["sessions"], result["users"]["open_files"]) == (0, 2)
        after = office.world.snapshot()
        script = r"C:\ProgramData\HelseVest\InteractorMove\lease.ps1"
        files = after["hosts"]["srv.proverom.example"]["files"]
        assert {name for name in files if name not in snapshot["hosts"]["srv.proverom.example"]["files"]} == {
            "C:\\ProgramData\\HelseVest\\",
            "C:\\ProgramData\\HelseVest\\InteractorMove\\",
            script,
        }
        users = office.ask("migrate", host="pc1", step="users", lease_script=None)["users"]
        assert (users["active"], users["sessions"], users["open_files"], users["last_activity"]) == (
            True,
            2,
            None,
            None,
        )

    def test_on_the_server_they_are_counted_and_given_the_time_they_need(self, opened: Opened):
        office = opened(server={"in_use": {"sessions": 3, "until": "2027-05-10T07:20:00Z"}})
        assert office.migrate("lease")["users"]["sessions"] == 3
        office.later(19)
        assert office.migrate("lease")["held"] is False
        office.later(1)
        assert office.migrate("lease")["held"] is True

    def test_the_flag_stands_only_while_the_lease_is_held(self, opened: Opened):
        office = opened()
        assert office.migrate("lease")["held"] is True
        assert flagged(office)
        assert office.migrate("lease")["changed"] is False
        office.server.processes.append(Process("Interactor", r"C:\Program Files\DIPS\Interactor\Interactor.exe"))
        lost = office.migrate("lease")
        assert (lost["held"], lost["changed"], lost["ledger"]["lease"]["state"]) == (False, True, "free")
        assert not flagged(office)
        assert LEASE not in office.server.tasks

    def test_a_server_that_does_not_tell_of_open_files(self, opened: Opened):
        office = opened(server={"tells_open_files": False}, clients=[{"name": "pc1", "in_use": 1}])
        result = office.migrate("lease")
        assert (result["held"], result["users"]["open_files"]) == (True, None)

    def test_who_writes_is_in_it(self, opened: Opened):
        in_use = {"writes": True, "open_files": 0, "until": "2027-05-10T08:00:00Z"}
        office = opened(clients=[{"name": "pc1", "in_use": in_use}])
        result = office.migrate("lease")
        assert (result["held"], result["reason"]) == (
            False,
            "Interactor is in use: data written at 2027-05-10T07:00:00Z",
        )
        office.later(59)
        assert office.migrate("lease")["held"] is False
        office.later(1)
        assert office.migrate("lease")["held"] is False, "written a minute ago"
        office.later(5)
        assert office.migrate("lease")["held"] is True
        office.contract["use"]["quiet_minutes"] = 0
        assert office.migrate("lease")["users"]["last_activity"] is None

    def test_some_close_it_when_they_are_warned(self, opened: Opened):
        office = opened(server={"users": 4, "in_use": {"closes_when_warned": True}})
        assert office.migrate("lease")["users"]["warned"] is None
        office.later(60)
        assert office.migrate("lease", warning=TEXT)["users"]["warned"] == 4
        office.later(15)
        assert office.migrate("lease", warning=TEXT)["held"] is True

    def test_where_nobody_is_logged_on_nobody_is_warned(self, opened: Opened):
        office = opened(server={"users": 0, "in_use": {"closes_when_warned": True}})
        assert office.migrate("lease", warning=TEXT)["users"]["warned"] == 0
        office.later(15)
        assert office.migrate("lease", warning=TEXT)["held"] is False

    def test_only_what_lies_in_interactors_folders_is_closed(self, opened: Opened):
        office = opened(server={"in_use": 2}, clients=[{"name": "pc1", "in_use": 1}])
        like = Process("Interactor", r"C:\EPJ\Interactor.exe")
        office.server.processes.append(like)
        result = office.migrate("lease", warning=TEXT, close=True)
        assert (result["held"], result["changed"], result["users"]["closed"]) == (False, True, 2)
        assert like in office.server.processes
        office.server.processes.remove(like)
        assert office.migrate("lease", close=True)["users"]["open_files"] == 1
        at_pc = office.ask("migrate", host="pc1", step="users", lease_script=None, warning=TEXT, close=True)
        assert (at_pc["changed"], at_pc["users"]["closed"], at_pc["users"]["active"]) == (True, 1, False)
        assert office.migrate("lease", close=True)["held"] is True


class TestTheTask:
    def test_it_lets_people_in_after_an_hour_of_silence(self, office: Office):
        office.migrate("lease")
        for _ in range(8):
            office.later(55)
            assert office.migrate("look")["ledger"]["lease"]["state"] == "held"
        office.later(59)
        assert told(office) == "held"
        office.later(15)
        assert told(office) == "lost"
        assert not flagged(office)
        assert LEASE not in office.server.tasks
        assert office.ledger["lease"]["state"] == "held", "it is never written"

    @pytest.mark.parametrize("ahead", [-7200, 7200])
    def test_the_hosts_own_clock_counts(self, opened: Opened, ahead: int):
        office = opened(server={"clock_offset_seconds": ahead})
        office.migrate("lease")
        office.later(59)
        assert told(office) == "held"
        office.later(16)
        assert told(office) == "lost"

    def test_while_a_migration_runs_it_waits(self, opened: Opened):
        office = opened(migration={"minutes": 150})
        office.bring_to("running")
        office.later(149)
        assert told(office) == "held"
        office.later(16)
        look = office.migrate("look", check=True)
        assert (look["ledger"]["lease"]["state"], look["status"]["state"]) == ("lost", "completed")

    def test_at_startup_it_looks_as_well(self, office: Office):
        office.migrate("lease")
        office.server.tasks[LEASE].at = None
        office.later(30)
        office.server.restart()
        assert flagged(office)
        office.later(31)
        assert flagged(office)
        office.server.restart()
        assert not flagged(office)

    def test_a_flag_that_is_gone_takes_the_task_with_it(self, office: Office):
        office.migrate("lease")
        office.server.drive.remove(office.contract["paths"]["maintenance_flag"])
        office.later(60)
        office.migrate("look")
        assert LEASE not in office.server.tasks

    def test_without_its_script_it_does_nothing(self, office: Office):
        office.migrate("lease")
        office.server.drive.remove(office.contract["paths"]["work"] + r"\lease.ps1")
        office.later(600)
        assert told(office) == "held"

    @pytest.mark.parametrize(("step", "state"), [("start", "prepared"), ("switch", "completed")])
    def test_nothing_begins_on_a_lease_that_was_lost(self, office: Office, step: str, state: str):
        office.bring_to(state)
        office.server.drive.remove(office.contract["paths"]["maintenance_flag"])
        before = office.world.snapshot()
        assert "refused: the lease was lost" in office.migrate(step)["msg"]
        assert "refused: the lease was lost while attempt 1 was open" in office.migrate("lease")["msg"]
        assert office.world.snapshot() == before
        office.migrate("restore")
        assert office.ledger["lease"]["state"] == "free"

    @pytest.mark.parametrize(("step", "state"), [("start", "prepared"), ("switch", "completed")])
    def test_nor_without_one(self, office: Office, step: str, state: str):
        office.bring_to(state)
        office.save({**office.ledger, "lease": None})
        assert "refused: the lease is not held" in office.migrate(step)["msg"]

    @pytest.mark.parametrize("state", ["prepared", "running", "completed", "failed"])
    def test_who_comes_late_lets_nobody_in_under_an_attempt(self, opened: Opened, state: str):
        office = opened(migration={"ends": "failed"} if state == "failed" else {})
        office.bring_to(state)
        assert f"refused: attempt 1 is {state}: nobody may be let in before" in office.migrate("handback")["msg"]
        if state != "failed":
            office.server.processes.append(Process("Interactor", r"C:\Program Files\DIPS\Interactor\Interactor.exe"))
            met = office.well(office.migrate("lease"))
            assert (met["held"], met["again"], met["reason"]) == (True, True, "Interactor is in use: 1 open")
        assert (told(office), flagged(office)) == ("held", True)

    def test_one_that_is_free_under_an_attempt_is_not_taken(self, office: Office):
        office.bring_to("running")
        office.save({**office.ledger, "lease": None})
        assert "refused: the lease was lost while attempt 1 was open" in office.migrate("lease")["msg"]

    def test_who_names_another_attempt_renews_nothing(self, office: Office):
        office.bring_to("running")
        office.later(42)
        for _ in range(3):
            office.migrate("follow", key="another")
            office.later(20)
        assert told(office) == "lost"

    def test_a_task_that_somebody_removed_is_there_again(self, office: Office):
        office.migrate("lease")
        del office.server.tasks[LEASE]
        office.migrate("look")
        assert LEASE in office.server.tasks


def test_a_task_starts_when_it_should(office: Office):
    start = office.clock.now()
    quarter = Task("p", "", at=start + timedelta(minutes=60), every=timedelta(minutes=15))

    def moments(task: Task, after: int, until: int) -> list[int]:
        due = task.due(start + timedelta(minutes=after), start + timedelta(minutes=until))
        return [int((at - start).total_seconds()) // 60 for at in due]

    assert moments(quarter, 0, 59) == []
    assert moments(quarter, 0, 100) == [60, 75, 90]
    assert moments(quarter, 60, 90) == [75, 90]
    assert moments(quarter, 61, 74) == []
    once = Task("p", "", at=start + timedelta(minutes=60))
    assert (moments(once, 0, 600), moments(once, 60, 600), moments(Task("p", ""), 0, 600)) == ([60], [], [])


def test_a_restart_ends_what_ran(opened: Opened):
    office = opened(server={"in_use": 2})
    office.server.processes = [process for process in office.server.processes if not process.use]
    office.bring_to("running")
    office.later(10)
    office.server.restart()
    status: dict[str, Any] = office.migrate("follow", key=KEY)["status"]
    assert status["state"] == "failed"
    assert office.server.uptime_hours == 0
    assert office.server.service_word("EPJServer") == "running"
