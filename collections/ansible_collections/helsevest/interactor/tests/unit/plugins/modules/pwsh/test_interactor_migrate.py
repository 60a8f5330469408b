# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move's steps in the engine: each alone, in order, repeated, in check mode, and refused."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.pwsh.engine import service
from tests.pwsh.fixtures import NOW, Server, refused, step

KEY = "1001-1-4f3a"
ATTEMPT = {"number": 1, "key": KEY}
WORK = r"C:\ProgramData\HelseVest\InteractorMove"
STATUS = WORK + r"\status.json"
LIST = WORK + r"\list.jsonl"
BACKUP = WORK + r"\backup\attempt-1\configuration"
MANIFEST = WORK + r"\backup\attempt-1\manifest.json"
ASIDE = WORK + r"\backup\attempt-1-set-aside"
DATA = r"C:\ProgramData\DIPS\Interactor\Data\orders.jsonl"
KEPT = ("configuration", r"data\orders.jsonl", r"install\Interactor.exe", r"install\InteractorMigrate.exe")
KEPT_PATHS = [name.replace("\\", "/") for name in KEPT]
FLAG = r"C:\ProgramData\DIPS\Interactor\maintenance.flag"
PROGRAM = r"C:\Program Files\DIPS\Interactor\InteractorMigrate.exe"
TASK = "HelseVest Interactor move"
WATCH = "HelseVest Interactor lease"
HELD = {"state": "held", "since": NOW, "run": "run-1"}
NOTHING = {"state": "none", "progress": 0, "counts": {}, "message": ""}
ENTRY = {
    **ATTEMPT,
    "state": "prepared",
    "mode": "server_in_cloud",
    "history_months": 12,
    "day": "2027-05-18",
    "prepared": NOW,
    "started": None,
    "finished": None,
    "switching": None,
    "switched": None,
    "ended": None,
    "run": "run-1",
    "version": "5.4.1",
    "before": {},
    "counts": None,
    "untouched": {},
    "as_before": None,
    "message": "",
}
RECORDS = [("orders", "b-2"), ("orders", "B-1"), ("orders", "a.3"), ("favourite_packages", "f")]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_of(*ids: str, day: str = "2027-01-01") -> dict[str, Any]:
    total = sum(int(sha256(name), 16) for name in ids) % 2**256
    day_or_none = day if ids else None
    return {"count": len(ids), "hash": f"{total:064x}", "first": day_or_none, "last": day_or_none}


BEFORE = {
    "orders": manifest_of("B-1", "b-2", "a.3"),
    "started_requisitions": manifest_of(),
    "favourite_packages": manifest_of("f"),
}
KEPT_IDS = WORK + r"\manifest\attempt-1.ids"


def ledger_of(server: Server) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(server.read(server.ledger_file) or "null")
    return loaded


def last(server: Server) -> dict[str, Any]:
    entry: dict[str, Any] = ledger_of(server)["attempts"][-1]
    return entry


def has(server: Server, *entries: dict[str, Any], lease: dict[str, Any] | None = HELD) -> None:
    """Give the server a ledger with these attempts, and flag and task where the lease is held."""
    if lease == HELD:
        server.write(FLAG, "run-1")
        has_task(server, WATCH, "Ready")
    ledger = {"schema": 1, "site": "1001", "upgrade": None, "lease": lease, "attempts": list(entries)}
    server.write(server.ledger_file, json.dumps(ledger))


def kept_from(server: Server) -> dict[str, str]:
    """By the name in a backup: where the file lies."""
    install = server.contract["paths"]["install"]
    files = (server.contract["paths"]["config"], DATA, f"{install}\\Interactor.exe", PROGRAM)
    return dict(zip(KEPT, files, strict=True))


def alter(server: Server, **parts: object) -> None:
    """Give the newest attempt of the ledger other values."""
    ledger = ledger_of(server)
    ledger["attempts"][-1].update(parts)
    server.write(server.ledger_file, json.dumps(ledger))


def brought_to(server: Server, state: str, **options: object) -> None:
    """Take attempt 1 to a state of the ledger, as far as the server itself goes; the lease is held."""
    step(server, "lease")
    step(server, "manifest", **{**TestManifest.OPTIONS, **options})
    alter(server, state="completed" if state == "switched" else state)
    if state == "switched":
        step(server, "switch", attempt=ATTEMPT)
    server.take_calls()


def status(server: Server, state: str, **more: object) -> None:
    server.write(STATUS, json.dumps({"state": state, "progress": 40, "counts": {"orders": 2}, "message": "", **more}))


def has_task(server: Server, name: str, state: str) -> None:
    task = {"path": "\\", "state": state, "actions": [], "next": None}
    server.update(tasks={**server.state["tasks"], name: task})


def runs(server: Server, state: str = "Running") -> None:
    has_task(server, TASK, state)


@pytest.fixture
def moving(server: Server) -> Server:
    """The migration program is there and lists what it would move."""
    lines = "".join(
        json.dumps({"category": category, "id": name, "date": "2027-01-01"}) + "\n" for category, name in RECORDS
    )
    server.write(PROGRAM, "the program")
    server.update(programs={"InteractorMigrate.exe": {"exit_code": 0, "writes": {LIST: lines}}})
    return server


class TestLook:
    def test_it_tells_ledger_mode_and_status(self, server: Server):
        before = server.files()
        assert step(server, "look") == {"changed": False, "ledger": None, "mode": "local", "status": NOTHING}
        assert server.files() == before

    def test_the_vendors_words_become_ours(self, server: Server):
        server.contract["migration"]["states"] = {"running": "i gang", "completed": "ferdig", "failed": "feilet"}
        status(server, "i gang")
        assert step(server, "look")["status"] == {
            "state": "running",
            "progress": 40,
            "counts": {"orders": 2},
            "message": "",
        }
        status(server, "running")
        assert "says state 'running': allowed are feilet, ferdig, i gang" in refused(server, "look")

    def test_a_configuration_that_is_missing_is_an_error(self, server: Server):
        server.path(server.contract["paths"]["config"]).unlink()
        assert refused(server, "look").endswith("interactor.json is missing")


class TestManifest:
    OPTIONS = {"attempt": ATTEMPT, "history_months": 12, "day": "2027-05-18", "mode": "server_in_cloud"}  # noqa: RUF012

    def test_it_counts_hashes_and_opens_the_attempt(self, moving: Server):
        check = moving.unchanged_by("migrate", step="manifest", **self.OPTIONS)
        assert (check["changed"], check["manifest"]) == (True, None)
        status(moving, "failed")
        result = step(moving, "manifest", **self.OPTIONS)
        assert (result["changed"], result["manifest"]) == (True, BEFORE)
        assert result["ledger"] == ledger_of(moving)
        assert last(moving) == {**ENTRY, "sites": ["1001"], "before": BEFORE}
        calls = moving.take_calls()
        assert calls[-1] == f'run {PROGRAM} list --months 12 --until 2027-05-18 --output "{LIST}"'
        assert moving.read(LIST) is None
        assert moving.read(KEPT_IDS) == "".join(f"{category}\t{name}\n" for category, name in RECORDS)
        assert moving.read(STATUS) is None, "an earlier attempt's status would be taken for this one's"
        again = step(moving, "manifest", **self.OPTIONS)
        assert (again["changed"], again["manifest"]) == (False, BEFORE)
        assert moving.take_calls() == []

    def test_the_hashes_of_what_must_stay_are_kept(self, moving: Server):
        moving.contract["untouched"] = {
            "services": ["EPJServer", "None"],
            "folders": [r"C:\EPJ", r"C:\None"],
            "files": [r"C:\EPJ\epj.ini", r"C:\EPJ\none.ini"],
        }
        moving.write(r"C:\EPJ\sub\b.xml", "b")
        step(moving, "manifest", **self.OPTIONS)
        assert last(moving)["untouched"] == {
            "service:EPJServer": sha256("C:\\EPJ\\epj.exe\nAuto\nLocalSystem"),
            "service:None": sha256(""),
            "folder:C:\\EPJ": sha256(f"epj.ini\t{sha256('untouched')}\nsub/b.xml\t{sha256('b')}"),
            "folder:C:\\None": sha256(""),
            "file:C:\\EPJ\\epj.ini": sha256("untouched"),
            "file:C:\\EPJ\\none.ini": "missing",
        }

    @pytest.mark.parametrize(
        ("entries", "attempt", "reason"),
        [
            ([], {"number": 2, "key": "k"}, "the next one is 1"),
            ([ENTRY], {"number": 1, "key": "another"}, f"attempt 1 ({KEY}) is prepared"),
            ([ENTRY], {"number": 2, "key": "k"}, f"attempt 1 ({KEY}) is prepared"),
            ([{**ENTRY, "state": "switched"}], {"number": 2, "key": "k"}, "is switched"),
            ([{**ENTRY, "state": "rolled_back"}], {"number": 3, "key": "k"}, "the next one is 2"),
            ([{**ENTRY, "state": "rolled_back"}], {"number": 1, "key": "k"}, "the next one is 2"),
        ],
    )
    def test_another_attempt_is_fenced_off(
        self, moving: Server, entries: list[dict[str, Any]], attempt: dict[str, Any], reason: str
    ):
        has(moving, *entries)
        message = refused(moving, "manifest", **{**self.OPTIONS, "attempt": attempt})
        assert message.startswith("manifest: refused: attempt")
        assert reason in message

    def test_a_next_attempt_follows_one_that_was_undone(self, moving: Server):
        has(moving, {**ENTRY, "state": "rolled_back"})
        assert step(moving, "manifest", **{**self.OPTIONS, "attempt": {"number": 2, "key": "k"}})["changed"] is True
        assert [entry["state"] for entry in ledger_of(moving)["attempts"]] == ["rolled_back", "prepared"]

    def test_a_mode_that_the_vendor_has_not_described_is_refused(self, moving: Server):
        before = moving.read(moving.ledger_file)
        for mode, reason in (("second", "is not described by the vendor"), ("third", "allowed are local, second")):
            result = moving.ask("migrate", step="manifest", **{**self.OPTIONS, "mode": mode})
            assert reason in result["msg"]
        assert moving.read(moving.ledger_file) == before

    @pytest.mark.parametrize(
        ("program", "reason"),
        [
            ({"exit_code": 5, "writes": {}}, "the list program ended with code 5"),
            ({"exit_code": 0, "writes": {}}, "wrote no"),
            ({"exit_code": 0, "writes": {}, "hangs": True}, "has not ended after 1800 seconds, and was ended"),
            ({"exit_code": 0, "writes": {LIST: '{"category": "orders"}\n'}}, "line 1 lacks category, id or date"),
        ],
    )
    def test_a_list_that_cannot_be_trusted_opens_nothing(self, moving: Server, program: dict[str, Any], reason: str):
        moving.update(programs={"InteractorMigrate.exe": program})
        assert reason in moving.ask("migrate", step="manifest", **self.OPTIONS)["msg"]
        assert ledger_of(moving) is None

    def test_what_is_there_before_is_kept(self, moving: Server):
        moving.write(WORK + r"\backup\attempt-1\manifest.json", "of a run that opened nothing")
        step(moving, "manifest", **self.OPTIONS)
        kept = {name: moving.read(f"{WORK}\\backup\\attempt-1\\{name}") for name in KEPT}
        live = {name: moving.read(path) for name, path in kept_from(moving).items()}
        assert kept == live
        assert [file["path"] for file in json.loads(moving.read(MANIFEST) or "")["files"]] == sorted(KEPT_PATHS)

    @pytest.mark.parametrize("mode", ["server_in_cloud", "something else"])
    def test_a_server_that_is_in_the_cloud_without_us_is_left_alone(self, moving: Server, mode: str):
        moving.write(moving.contract["paths"]["config"], json.dumps({"mode": mode}))
        for entries in ([], [{**ENTRY, "state": "rolled_back"}]):
            has(moving, *entries)
            number = len(entries) + 1
            message = refused(moving, "manifest", **{**self.OPTIONS, "attempt": {"number": number, "key": "k"}})
            assert f"is in the mode '{mode}' already, without an attempt of ours (moved_outside)" in message

    def test_a_way_back_that_could_not_be_proved_is_not_set_out_on(self, moving: Server):
        moving.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
        assert "so the way back could not be proved" in refused(moving, "manifest", **self.OPTIONS)
        moving.update(services={"DIPSInteractor": service("x", main=True)})
        moving.path(DATA).unlink()
        moving.path(DATA).parent.rmdir()
        assert "is missing, so there is no backup of it" in refused(moving, "manifest", **self.OPTIONS)

    def test_it_needs_its_options(self, moving: Server):
        assert "are missing: attempt, history_months, day, mode" in refused(moving, "manifest")


class TestStart:
    def test_the_migration_runs_as_system_and_is_started_once(self, moving: Server):
        has(moving, ENTRY)
        check = moving.unchanged_by("migrate", step="start", attempt=ATTEMPT)
        assert (check["changed"], check["status"]) == (True, NOTHING)
        result = step(moving, "start", attempt=ATTEMPT)
        assert (result["changed"], result["status"]["state"]) == (True, "running")
        assert result["ledger"] == ledger_of(moving)
        assert (last(moving)["state"], last(moving)["started"]) == ("running", NOW)
        task = moving.state["tasks"][TASK]
        assert task["actions"] == [
            {
                "Execute": PROGRAM,
                "Arguments": f"run --site 1001 --attempt 1 --key {KEY} --months 12 --until 2027-05-18"
                f' --status "{STATUS}"',
            }
        ]
        assert task["principal"] == "S-1-5-18 ServiceAccount Highest"
        assert task["settings"] == "True True 00:00:00 IgnoreNew"
        assert moving.take_calls() == [f"register {TASK}", f"start task {TASK}"]
        again = step(moving, "start", attempt=ATTEMPT)
        assert again["changed"] is False
        assert moving.take_calls() == []

    def test_it_is_told_all_sites_of_the_server_that_the_attempt_was_opened_for(self, moving: Server):
        attempt = {**ATTEMPT, "sites": ["1001", "1002"]}
        options = {**TestManifest.OPTIONS, "attempt": attempt}
        step(moving, "lease")
        assert step(moving, "manifest", **options)["ledger"]["attempts"][0]["sites"] == ["1001", "1002"]
        step(moving, "start", attempt=ATTEMPT)
        (action,) = moving.state["tasks"][TASK]["actions"]
        assert " --site 1001,1002 " in action["Arguments"]

    def test_an_attempt_of_one_site_alone_is_a_list_too(self, moving: Server):
        step(moving, "lease")
        step(moving, "manifest", **{**TestManifest.OPTIONS, "attempt": {**ATTEMPT, "sites": ["1001"]}})
        assert last(moving)["sites"] == ["1001"]
        moving.contract["migration"]["arguments"] = "run --one {site} --all {sites}"
        step(moving, "start", attempt=ATTEMPT)
        assert moving.state["tasks"][TASK]["actions"][0]["Arguments"] == "run --one 1001 --all 1001"

    @pytest.mark.parametrize(
        ("sites", "arguments", "reason"),
        [
            (["1001", "10 02"], "{sites}", "sites is '1001,10 02': letters, digits, dot, dash and underscore"),
            (["1001", "1002"], "{site}", "arguments name {site}, which is not known here"),
        ],
    )
    def test_sites_that_the_program_cannot_be_told_start_nothing(
        self, moving: Server, sites: list[str], arguments: str, reason: str
    ):
        has(moving, {**ENTRY, "sites": sites})
        moving.contract["migration"]["arguments"] = arguments
        assert reason in refused(moving, "start", attempt=ATTEMPT)
        assert TASK not in moving.state["tasks"]

    @pytest.mark.parametrize("sign", ["task", "status"])
    def test_one_that_was_cut_off_after_the_start_is_not_started_again(self, moving: Server, sign: str):
        has(moving, ENTRY)
        if sign == "task":
            runs(moving)
        else:
            status(moving, "completed")
        assert step(moving, "start", attempt=ATTEMPT)["changed"] is True
        assert last(moving)["state"] == "running"
        assert moving.take_calls() == []

    def test_a_task_that_never_shows_is_an_error(self, moving: Server):
        has(moving, ENTRY)
        moving.update(task_start={"state": "Ready", "writes": {}})
        assert "neither it nor a status file shows" in moving.ask("migrate", step="start", attempt=ATTEMPT)["msg"]
        assert last(moving)["state"] == "prepared"

    @pytest.mark.parametrize("key", ['x" & calc', "a b"])
    def test_a_key_that_would_be_more_than_one_argument_is_refused(self, moving: Server, key: str):
        has(moving, {**ENTRY, "key": key})
        assert "letters, digits" in refused(moving, "start", attempt={"number": 1, "key": key})
        assert moving.take_calls() == []


class TestFollow:
    @pytest.mark.parametrize(("state", "message"), [("completed", ""), ("failed", "the line broke")])
    def test_the_last_word_goes_into_the_ledger(self, server: Server, state: str, message: str):
        has(server, {**ENTRY, "state": "running"})
        runs(server)
        status(server, "running")
        assert step(server, "follow", attempt=ATTEMPT)["changed"] is False
        assert last(server)["state"] == "running"
        runs(server, "Ready")
        status(server, state, progress=100, message=message)
        assert server.unchanged_by("migrate", step="follow", attempt=ATTEMPT)["changed"] is True
        result = step(server, "follow", attempt=ATTEMPT)
        assert (result["changed"], result["status"]["state"]) == (True, state)
        assert result["ledger"] == ledger_of(server)
        entry = last(server)
        assert (entry["state"], entry["finished"], entry["counts"]) == (state, NOW, {"orders": 2})
        assert entry["message"] == message
        again = step(server, "follow", attempt=ATTEMPT)
        assert (again["changed"], again["status"]["state"]) == (False, state)

    def test_a_program_that_has_not_yet_said_anything_runs(self, server: Server):
        has(server, {**ENTRY, "state": "running"})
        runs(server)
        assert step(server, "follow", attempt=ATTEMPT)["status"]["state"] == "running"

    @pytest.mark.parametrize("said", [True, False])
    def test_a_program_that_died_has_failed(self, server: Server, said: bool):
        has(server, {**ENTRY, "state": "running"})
        runs(server, "Ready")
        if said:
            status(server, "running")
        assert step(server, "follow", attempt=ATTEMPT)["status"]["state"] == "failed"
        assert last(server)["message"] == "the migration program ended without saying so"

    def test_half_a_status_is_an_error_and_no_failure_of_the_move(self, server: Server):
        has(server, {**ENTRY, "state": "running"})
        server.write(STATUS, '{"state": "compl')
        assert "is no JSON" in refused(server, "follow", attempt=ATTEMPT)


class TestSwitch:
    def test_the_configuration_names_the_cloud_and_keeps_the_rest(self, moving: Server):
        config = moving.contract["paths"]["config"]
        before = moving.path(config).read_bytes()
        brought_to(moving, "completed")
        assert moving.unchanged_by("migrate", step="switch", attempt=ATTEMPT)["changed"] is True
        result = step(moving, "switch", attempt=ATTEMPT, mode="server_in_cloud")
        assert (result["changed"], result["mode"]) == (True, "server_in_cloud")
        assert json.loads((moving.read(config) or "").removeprefix("\ufeff")) == {
            "endpoint": "https://dipsupsvr.dips.no",
            "mode": "server_in_cloud",
            "printer": "Skranke Ø",
            "list": [1],
        }
        assert moving.path(BACKUP).read_bytes() == before
        assert (last(moving)["state"], last(moving)["switching"], last(moving)["switched"]) == ("switched", NOW, NOW)
        assert moving.take_calls() == ["restart DIPSInteractor"]
        again = step(moving, "switch", attempt=ATTEMPT)
        assert (again["changed"], again["mode"]) == (False, "server_in_cloud")
        assert moving.take_calls() == []

    @pytest.mark.parametrize("mark", ["\ufeff", ""])
    def test_a_byte_order_mark_stays_as_it_was(self, moving: Server, mark: str):
        config = moving.contract["paths"]["config"]
        moving.write(config, mark + '{"mode": "local"}')
        brought_to(moving, "switched")
        text = moving.path(config).read_bytes().decode()
        assert text.startswith(mark + "{")
        assert json.loads(text.removeprefix(mark))["mode"] == "server_in_cloud"

    def test_what_changed_before_the_switch_is_told_and_does_not_stop_it(self, moving: Server):
        moving.contract["untouched"]["files"] = [r"C:\EPJ\epj.ini"]
        brought_to(moving, "completed")
        moving.write(r"C:\EPJ\epj.ini", "the EPJ was upgraded that night")
        result = step(moving, "switch", attempt=ATTEMPT)
        assert (result["mode"], result["changed_meanwhile"]) == ("server_in_cloud", [r"file:C:\EPJ\epj.ini"])

    def test_a_mode_may_set_more_than_two_keys(self, moving: Server):
        also = {"tenant": "1001", "printer": "none", "cache": {"minutes": 5}}
        moving.contract["config"]["modes"]["second"] = {"mode": "2", "endpoint": "https://two.example", "also": also}
        config = moving.contract["paths"]["config"]
        before = moving.path(config).read_bytes()
        brought_to(moving, "switched", mode="second")
        assert json.loads((moving.read(config) or "").removeprefix("\ufeff")) == {
            "endpoint": "https://two.example", "mode": "2", "list": [1], **also
        }  # fmt: skip
        assert step(moving, "look")["mode"] == "second"
        assert step(moving, "restore", attempt=ATTEMPT)["mode"] == "local"
        assert moving.path(config).read_bytes() == before

    def test_one_that_was_cut_off_is_switched_again_and_keeps_what_was_there(self, moving: Server):
        brought_to(moving, "switched")
        alter(moving, state="completed", switched=None)
        assert step(moving, "switch", attempt=ATTEMPT)["mode"] == "server_in_cloud"
        assert json.loads((moving.read(BACKUP) or "").lstrip("\ufeff"))["mode"] == "local"

    def test_without_a_backup_there_is_no_switch(self, server: Server):
        has(server, {**ENTRY, "state": "completed"})
        assert "there is no backup attempt-1, so there is no way back" in refused(server, "switch", attempt=ATTEMPT)

    def test_a_service_that_does_not_come_up_brings_the_old_configuration_back(self, moving: Server):
        config = moving.contract["paths"]["config"]
        before = moving.path(config).read_bytes()
        brought_to(moving, "completed")
        moving.update(service_fails=1)
        message = moving.ask("migrate", step="switch", attempt=ATTEMPT)["msg"]
        assert message.endswith("; the configuration is as before")
        assert moving.path(config).read_bytes() == before
        assert last(moving)["state"] == "completed"
        moving.update(service_fails=2)
        assert "with the configuration as before" in moving.ask("migrate", step="switch", attempt=ATTEMPT)["msg"]

    def test_one_that_can_be_neither_switched_nor_put_back_leaves_no_service_stopped(self, moving: Server):
        brought_to(moving, "completed")
        moving.path(BACKUP).unlink()
        moving.update(service_fails=1)
        message = moving.ask("migrate", step="switch", attempt=ATTEMPT)["msg"]
        assert "cannot be started.; the configuration is not as before: " in message
        assert message.endswith("; the service runs with what is there")
        assert moving.state["services"]["DIPSInteractor"]["status"] == "Running"

    def test_a_service_that_tells_another_version_brings_it_back_too(self, moving: Server):
        config = moving.contract["paths"]["config"]
        before = moving.path(config).read_bytes()
        brought_to(moving, "completed")
        moving.write(moving.program, "5.3.9")
        message = moving.ask("migrate", step="switch", attempt=ATTEMPT)["msg"]
        assert "the service tells version '5.3.9' after its restart, not 5.4.1" in message
        assert moving.path(config).read_bytes() == before

    @pytest.mark.parametrize(
        "named", [{"files": [r"C:\EPJ\epj.ini"]}, {"folders": [r"C:\EPJ"]}, {"files": [r"C:\EPJ\new.ini"]}]
    )
    def test_a_switch_that_changes_what_it_must_leave_alone_is_undone(
        self, moving: Server, named: dict[str, list[str]]
    ):
        moving.contract["untouched"] = {"services": [], "folders": [], "files": [], **named}
        config = moving.contract["paths"]["config"]
        before = moving.path(config).read_bytes()
        brought_to(moving, "completed")
        writes = {r"C:\EPJ\epj.ini": "changed", r"C:\EPJ\new.ini": "new"}
        moving.update(service_start={"writes": writes})
        message = moving.ask("migrate", step="switch", attempt=ATTEMPT)["msg"]
        kind, [path] = next(iter(named.items()))
        assert f"the switch has changed what it must leave alone: {kind[:-1]}:{path}" in message
        assert message.endswith("; the configuration is as before")
        assert moving.path(config).read_bytes() == before
        assert last(moving)["state"] == "completed"

    @pytest.mark.parametrize("state", ["prepared", "running", "failed", "rolled_back"])
    def test_only_a_completed_attempt_is_switched(self, server: Server, state: str):
        has(server, {**ENTRY, "state": state})
        assert f"attempt 1 is {state}, not completed" in refused(server, "switch", attempt=ATTEMPT)

    def test_another_mode_than_the_attempts_is_refused(self, server: Server):
        has(server, {**ENTRY, "state": "completed"})
        assert "was opened for 'server_in_cloud'" in refused(server, "switch", attempt=ATTEMPT, mode="local")


STATES = ["prepared", "running", "completed", "failed", "switched"]


class TestRestore:
    @pytest.mark.parametrize("state", STATES)
    def test_the_server_is_as_before(self, moving: Server, state: str):
        before = {name: moving.read(path) for name, path in kept_from(moving).items()}
        brought_to(moving, state)
        runs(moving)
        assert moving.unchanged_by("migrate", step="restore", attempt=ATTEMPT)["changed"] is True
        result = step(moving, "restore", attempt=ATTEMPT)
        assert (result["changed"], result["mode"]) == (True, "local")
        assert result["as_before"] == {"equal": True, "changed": []}
        assert result["ledger"] == ledger_of(moving)
        assert {name: moving.read(path) for name, path in kept_from(moving).items()} == before
        assert (last(moving)["state"], last(moving)["ended"]) == ("rolled_back", NOW)
        assert ledger_of(moving)["lease"]["state"] == "free"
        assert moving.read(FLAG) is None
        assert moving.state["tasks"] == {}
        restart = ["stop DIPSInteractor", "restart DIPSInteractor"] if state == "switched" else []
        assert moving.take_calls() == [f"stop task {TASK}", f"unregister {TASK}", *restart, f"unregister {WATCH}"]
        again = step(moving, "restore", attempt=ATTEMPT)
        assert (again["changed"], again["mode"], again["as_before"]) == (False, "local", result["as_before"])
        assert moving.take_calls() == []

    @pytest.mark.parametrize("state", STATES)
    def test_what_was_changed_under_the_lease_comes_back_and_is_kept_aside(self, moving: Server, state: str):
        brought_to(moving, state)
        moving.write(DATA, "half of it")
        moving.write(DATA + ".tmp", "left over")
        moving.write(PROGRAM, "another program")
        result = step(moving, "restore", attempt=ATTEMPT)
        assert result["as_before"] == {"equal": True, "changed": []}
        assert (moving.read(DATA), moving.read(DATA + ".tmp")) == ("what is there before", None)
        assert moving.read(PROGRAM) == "the program"
        aside = {
            name: moving.read(f"{ASIDE}\\{name}") for name in (r"data\orders.jsonl", r"data\orders.jsonl.tmp", KEPT[3])
        }
        assert list(aside.values()) == ["half of it", "left over", "another program"]
        assert moving.take_calls() == ["stop DIPSInteractor", "restart DIPSInteractor", f"unregister {WATCH}"]

    def test_a_configuration_that_differs_but_is_local_takes_nothing_from_people(self, moving: Server):
        brought_to(moving, "completed")
        moving.path(FLAG).unlink()
        moving.write(DATA, "orders of this morning")
        config = moving.contract["paths"]["config"]
        found = json.loads((moving.read(config) or "").removeprefix("\ufeff"))
        moving.write(config, json.dumps({**found, "logLevel": "debug"}))
        result = step(moving, "restore", attempt=ATTEMPT)
        assert moving.read(DATA) == "orders of this morning"
        assert result["as_before"]["equal"] is False

    def test_with_a_configuration_that_cannot_be_read_the_data_come_back(self, moving: Server):
        brought_to(moving, "completed")
        moving.path(FLAG).unlink()
        moving.write(DATA, "half of it")
        moving.write(moving.contract["paths"]["config"], "{")
        assert step(moving, "restore", attempt=ATTEMPT)["as_before"] == {"equal": True, "changed": []}
        assert moving.read(DATA) == "what is there before"

    @pytest.mark.parametrize("state", ["prepared", "running", "completed", "failed"])
    def test_what_people_have_made_since_the_lease_was_lost_is_theirs(self, moving: Server, state: str):
        brought_to(moving, state)
        moving.path(FLAG).unlink()
        moving.write(DATA, "orders of this morning")
        result = step(moving, "restore", attempt=ATTEMPT)
        assert result["as_before"] == {"equal": False, "changed": ["data/orders.jsonl"]}
        assert last(moving)["as_before"] == result["as_before"]
        assert moving.read(DATA) == "orders of this morning"
        assert (last(moving)["state"], moving.take_calls()) == ("rolled_back", [f"unregister {WATCH}"])

    def test_after_the_handback_the_data_here_is_nobodys_as_long_as_the_cloud_is_named(self, moving: Server):
        brought_to(moving, "switched")
        step(moving, "handback")
        moving.write(DATA, "what the program left of it")
        assert step(moving, "restore", attempt=ATTEMPT)["as_before"]["equal"] is True
        assert moving.read(DATA) == "what is there before"

    @pytest.mark.parametrize("running", [True, False])
    def test_one_that_was_cut_off_before_the_restart_restarts(self, moving: Server, running: bool):
        brought_to(moving, "switched")
        moving.write(moving.contract["paths"]["config"], moving.path(BACKUP).read_bytes().decode())
        if not running:
            moving.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
        assert step(moving, "restore", attempt=ATTEMPT)["as_before"]["equal"] is True
        assert moving.take_calls() == ["restart DIPSInteractor", f"unregister {WATCH}"]

    def test_a_service_that_was_left_stopped_is_started(self, moving: Server):
        brought_to(moving, "running")
        moving.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
        step(moving, "restore", attempt=ATTEMPT)
        assert moving.take_calls() == ["restart DIPSInteractor", f"unregister {WATCH}"]

    def test_a_service_that_does_not_answer_is_an_error_and_is_tried_again(self, moving: Server):
        brought_to(moving, "switched")
        moving.update(service_fails=1)
        message = moving.ask("migrate", step="restore", attempt=ATTEMPT)["msg"]
        assert "cannot be started" in message
        assert last(moving)["state"] == "switched"
        assert moving.read(FLAG) is not None
        assert step(moving, "restore", attempt=ATTEMPT)["as_before"] == {"equal": True, "changed": []}

    def test_a_configuration_that_cannot_be_put_back_leaves_no_service_stopped(self, moving: Server):
        brought_to(moving, "switched")
        moving.path(BACKUP).unlink()
        message = moving.ask("migrate", step="restore", attempt=ATTEMPT)["msg"]
        assert message.endswith("; the service runs with what is there")
        assert moving.state["services"]["DIPSInteractor"]["status"] == "Running"
        assert (last(moving)["state"], step(moving, "look")["mode"]) == ("switched", "server_in_cloud")
        moving.update(service_fails=1)
        message = moving.ask("migrate", step="restore", attempt=ATTEMPT)["msg"]
        assert "cannot be started" in message

    def test_without_a_backup_nothing_is_proven(self, server: Server):
        has(server, ENTRY)
        told = {"equal": False, "changed": ["there is no backup attempt-1 to compare with"]}
        assert step(server, "restore", attempt=ATTEMPT)["as_before"] == told
        has(server, {**ENTRY, "state": "switched"})
        server.write(server.contract["paths"]["config"], '{"mode": "server_in_cloud"}')
        assert "there is no backup attempt-1 to bring" in refused(server, "restore", attempt=ATTEMPT)

    def test_a_long_list_of_what_differs_is_cut_short(self, moving: Server):
        brought_to(moving, "prepared")
        moving.path(FLAG).unlink()
        for number in range(103):
            moving.write(f"{DATA}.{number:03}", "new")
        changed = step(moving, "restore", attempt=ATTEMPT)["as_before"]["changed"]
        assert (len(changed), changed[0], changed[-1]) == (101, "data/orders.jsonl.000", "and 3 more")

    def test_the_next_attempt_begins_from_what_is_there(self, moving: Server):
        brought_to(moving, "switched")
        before = last(moving)["before"]
        step(moving, "restore", attempt=ATTEMPT)
        step(moving, "lease")
        second = {"number": 2, "key": "1001-2-77b1"}
        assert step(moving, "manifest", **{**TestManifest.OPTIONS, "attempt": second})["manifest"] == before
        assert [entry["state"] for entry in ledger_of(moving)["attempts"]] == ["rolled_back", "prepared"]

    def test_a_damaged_task_of_somebody_else_stops_no_move_and_no_way_back(self, moving: Server):
        moving.update(damaged_task="listing")
        brought_to(moving, "prepared")
        step(moving, "start", attempt=ATTEMPT)
        assert step(moving, "follow", attempt=ATTEMPT)["status"]["state"] == "running"
        assert step(moving, "restore", attempt=ATTEMPT)["as_before"]["equal"] is True
        assert f"stop task {TASK}" in moving.take_calls()
        assert (last(moving)["state"], moving.read(FLAG)) == ("rolled_back", None)

    def test_a_task_that_does_not_end_is_an_error(self, server: Server):
        has(server, {**ENTRY, "state": "running"})
        runs(server)
        server.update(task_stop_state="Running")
        assert "does not end" in refused(server, "restore", attempt=ATTEMPT)


@pytest.mark.parametrize("name", ["start", "follow", "switch", "restore"])
class TestFencing:
    def test_an_attempt_that_is_not_the_last_is_refused(self, server: Server, name: str):
        assert "is not in the ledger, which has none" in server.ask("migrate", step=name, attempt=ATTEMPT)["msg"]
        has(server, {**ENTRY, "state": "rolled_back"}, {**ENTRY, "number": 2, "key": "second"})
        for attempt in (ATTEMPT, {"number": 2, "key": KEY}, {"number": 2, "key": "SECOND"}):
            assert "is not the ledger's last, which is attempt 2 (second)" in refused(server, name, attempt=attempt)

    def test_a_ledger_of_another_site_is_refused(self, server: Server, name: str):
        has(server, ENTRY)
        assert "belongs to site '1001', not to '1002'" in refused(server, name, attempt=ATTEMPT, site="1002")


def test_another_run_at_work_is_refused(server: Server):
    has(server, ENTRY)
    holder = f"""
    $null = New-PSDrive -Name C -PSProvider FileSystem -Root '{server.drive}' -Scope Global
    $file = [System.IO.FileStream]::new('{server.path(WORK)}/run.lock', 'OpenOrCreate', 'ReadWrite', 'None')
    [AppDomain]::CurrentDomain.SetData('held', $file)
    """
    assert "ERROR" not in server.engine.script(holder)
    try:
        message = server.ask("migrate", step="restore", attempt=ATTEMPT)["msg"]
    finally:
        server.engine.script("[AppDomain]::CurrentDomain.GetData('held').Dispose()")
    assert "another run is at work on this server" in message
    assert last(server)["state"] == "prepared"
