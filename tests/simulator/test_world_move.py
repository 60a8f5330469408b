"""A whole move against the models, and all that may go wrong on the way."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.calls import CloudRefusal
from tests.simulator.office import KEY, Office, Opened

STEPS = ("look", "lease", "manifest", "start", "follow", "switch", "handback", "restore")
STATES = ("prepared", "running", "completed", "failed", "switched")
KEYS = {
    "look": {"mode", "status"},
    "lease": {"held", "users", "reason", "again"},
    "manifest": {"manifest"},
    "start": {"status"},
    "follow": {"status"},
    "switch": {"mode", "changed_meanwhile"},
    "handback": set(),
    "restore": {"mode", "as_before"},
}


def test_a_whole_move(office: Office):
    epj = {path: digest for path, digest in office.server.drive.snapshot().items() if "EPJ" in path}
    office.upgrade()
    lease = office.migrate("lease")
    assert (lease["held"], lease["users"]["sessions"], lease["changed"]) == (True, 0, True)
    before = office.migrate("manifest")["manifest"]
    assert {name: part["count"] for name, part in before.items()} == {
        "orders": 240,
        "started_requisitions": 14,
        "favourite_packages": 12,
    }
    office.world.cloud.open_attempt("9001", 1, KEY, 12)
    assert office.migrate("start")["status"]["state"] == "running"
    office.later(21)
    half = office.migrate("follow")["status"]
    assert (half["state"], half["progress"], half["counts"]["orders"]) == ("running", 50, 120)
    office.later(21)
    done = office.migrate("follow")
    assert (done["status"]["state"], done["ledger"]["attempts"][0]["state"]) == ("completed", "completed")
    [attempt] = office.world.cloud.list_attempts("9001")
    assert (attempt["state"], attempt["manifest"]) == ("completed", before)
    assert office.migrate("switch")["mode"] == "server_in_cloud"
    office.migrate("handback")
    facts = office.ask("postcheck")["facts"]
    assert (facts["service"], facts["version"], facts["mode"]) == ("running", "6.2.0", "server_in_cloud")
    assert (facts["endpoint"], facts["maintenance"]) == ("https://dipsupsvr.dips.no", False)
    assert [page["id"] for page in facts["pages"]] == ["P1", "P2"]
    assert epj == {path: digest for path, digest in office.server.drive.snapshot().items() if "EPJ" in path}
    assert office.server.service_word("EPJServer") == "running"
    [entry] = office.ledger["attempts"]
    assert set(entry) == {
        "number", "key", "sites", "state", "mode", "history_months", "day", "prepared", "started", "finished",
        "switching", "switched", "ended", "run", "version", "before", "counts", "untouched", "as_before", "message",
    }  # fmt: skip
    assert (entry["state"], entry["started"], entry["finished"]) == (
        "switched",
        "2027-05-10T07:00:00Z",
        "2027-05-10T07:42:00Z",
    )


def test_again_changes_nothing(office: Office):
    office.bring_to("switched")
    office.migrate("handback")
    snapshot = office.world.snapshot()
    for step in ("look", "manifest", "start", "follow", "switch", "handback"):
        result = office.migrate(step)
        assert (result["changed"], result.get("failed")) == (False, None), step
    for step in ("look", "install"):
        assert office.ask("upgrade", step=step)["changed"] is False
    assert office.world.snapshot() == snapshot
    assert snapshot["migrations_started"] == {"9001": 1}


@pytest.mark.parametrize("state", ["fresh", *STATES])
def test_check_mode_writes_nothing(opened: Opened, state: str):
    office = opened(migration={"ends": "failed"}) if state == "failed" else opened()
    if state != "fresh":
        office.bring_to(state)
    snapshot = office.world.snapshot()
    for step in STEPS:
        result = office.migrate(step, check=True)
        assert office.world.snapshot() == snapshot, step
        assert result.get("failed") or set(result) == {"changed", "ledger"} | KEYS[step]
    for step in ("look", "stage", "install"):
        office.ask("upgrade", step=step, check=True)
    office.ask("postcheck", check=True)
    office.ask("preflight", role="server", check=True)
    assert office.world.snapshot() == snapshot


def test_check_mode_tells_what_would_change(office: Office):
    for step in ("stage", "install"):
        guessed, real = (office.ask("upgrade", step=step, check=check) for check in (True, False))
        assert guessed["changed"] is real["changed"] is True, step
    for step in ("lease", "manifest"):
        guessed, real = office.migrate(step, check=True), office.migrate(step)
        assert guessed["changed"] is real["changed"] is True, step
    office.world.cloud.open_attempt("9001", 1, KEY, 12)
    assert office.migrate("start", check=True)["changed"] is office.migrate("start")["changed"] is True
    assert office.migrate("follow", check=True)["changed"] is office.migrate("follow")["changed"] is False
    office.later(50)
    for step in ("follow", "switch", "handback", "restore"):
        guessed, real = office.migrate(step, check=True), office.migrate(step)
        assert guessed["changed"] is real["changed"] is True, step
        again = office.migrate(step) if step != "switch" else office.migrate(step, check=True)
        assert again["changed"] is False, step


def test_what_is_lost_is_missing_in_the_cloud(opened: Opened):
    office = opened(migration={"loses": {"favourite_packages": 1}})
    office.bring_to("completed")
    before = office.ledger["attempts"][0]["before"]
    [attempt] = office.world.cloud.list_attempts("9001")
    after = attempt["manifest"]
    assert (before["favourite_packages"]["count"], after["favourite_packages"]["count"]) == (12, 11)
    assert before["favourite_packages"]["hash"] != after["favourite_packages"]["hash"]
    assert after["orders"] == before["orders"]
    assert office.migrate("look")["status"]["counts"]["favourite_packages"] == 11


def test_one_lost_and_another_twice_are_as_many_and_not_the_same(opened: Opened):
    office = opened(migration={"loses": {"orders": 1}, "doubles": {"orders": 1}})
    office.bring_to("completed")
    [attempt] = office.world.cloud.list_attempts("9001")
    before, after = office.ledger["attempts"][0]["before"]["orders"], attempt["manifest"]["orders"]
    assert before["count"] == after["count"] == 240
    assert before["hash"] != after["hash"]
    kept = office.migrate("ids", categories=["orders"])["ids"]["orders"]
    there = office.world.cloud.ids("9001", 1, "orders")
    assert set(kept) - set(there) == {kept[0]}
    assert there.count(kept[-1]) == 2
    with pytest.raises(CloudRefusal, match="category 'images'"):
        office.world.cloud.ids("9001", 1, "images")
    with pytest.raises(CloudRefusal, match="no attempt 2"):
        office.world.cloud.ids("9001", 2, "orders")
    office.world.cloud.discard("9001", 1, KEY)
    assert office.world.cloud.ids("9001", 1, "orders") == []


def test_what_is_there_twice_is_listed_and_moved_twice(opened: Opened):
    office = opened(data={"twice": {"orders": 2}})
    office.bring_to("completed")
    before = office.ledger["attempts"][0]["before"]
    assert before["orders"]["count"] == 242
    assert office.world.cloud.list_attempts("9001")[0]["manifest"] == before


def test_more_than_was_agreed_can_be_seen_in_the_clouds_dates(opened: Opened):
    office = opened(migration={"sends_outside": 2})
    office.bring_to("completed")
    before = office.ledger["attempts"][0]["before"]["orders"]
    after = office.world.cloud.list_attempts("9001")[0]["manifest"]["orders"]
    assert after["count"] == before["count"] + 2
    assert after["first"] < "2026-05-10" <= before["first"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("malformed", "is no JSON object"),
        ("identity_number", "has an id with 11 digits in a row"),
        ("outside", "the list holds orders outside the agreed span of 12 months"),
    ],
)
def test_a_list_that_cannot_be_trusted_opens_no_attempt(opened: Opened, fault: str, reason: str):
    office = opened(data={"list": fault})
    office.upgrade()
    refused = office.migrate("manifest")
    assert reason in refused["msg"]
    assert office.ledger["attempts"] == []
    assert not office.server.drive.is_file(office.contract["migration"]["list_file"])


def test_a_migration_after_midnight_takes_what_was_listed_before(opened: Opened):
    office = opened()
    office.upgrade()
    office.later(14 * 60 + 30)
    path = office.contract["paths"]["data"] + "\\orders.jsonl"
    edge = json.dumps({"category": "orders", "id": "ord-edge", "date": "2026-05-10"}) + "\n"
    office.server.drive.write(path, office.server.drive.read(path) + edge.encode())
    office.later(5)
    office.well(office.migrate("lease"))
    before = office.well(office.migrate("manifest"))["manifest"]
    assert (office.ledger["attempts"][0]["day"], before["orders"]["first"]) == ("2027-05-10", "2026-05-10")
    office.later(55)
    office.world.cloud.open_attempt("9001", 1, KEY, 12)
    office.well(office.migrate("start"))
    office.later(42)
    office.well(office.migrate("follow"))
    assert office.world.cloud.list_attempts("9001")[0]["manifest"] == before


def test_a_program_that_is_not_told_the_day_takes_that_of_norway(opened: Opened):
    office = opened()
    office.contract["migration"]["list_arguments"] = 'list --months {months} --output "{list_file}"'
    office.upgrade()
    # 00:30 in Norway, and still the day before by the clock of the world.
    office.later(15 * 60 + 30)
    path = office.contract["paths"]["data"] + "\\orders.jsonl"
    edge = json.dumps({"category": "orders", "id": "ord-edge", "date": "2026-05-10"}) + "\n"
    office.server.drive.write(path, office.server.drive.read(path) + edge.encode())
    assert office.migrate("manifest")["manifest"]["orders"]["first"] > "2026-05-10"
    assert office.ledger["attempts"][0]["day"] == "2027-05-11"


def test_a_migration_that_fails(opened: Opened):
    office = opened(migration={"ends": "failed", "message": "the line broke"})
    office.bring_to("failed")
    status = office.migrate("look")["status"]
    assert (status["state"], status["message"]) == ("failed", "the line broke")
    assert office.world.cloud.list_attempts("9001")[0]["state"] == "failed"
    assert "failed" in office.migrate("switch")


def test_without_an_attempt_at_the_cloud_nothing_is_sent(office: Office):
    office.upgrade()
    office.migrate("lease")
    office.migrate("manifest")
    status = office.migrate("start")["status"]
    assert (status["state"], status["message"]) == ("failed", f"the cloud has no open attempt 1 ({KEY})")
    assert office.world.snapshot()["migrations_started"] == {"9001": 0}


@pytest.mark.parametrize("state", STATES)
def test_restore_brings_back_what_was(opened: Opened, state: str):
    office = opened(migration={"ends": "failed"}) if state == "failed" else opened()
    config = office.server.drive.read(office.contract["paths"]["config"])
    office.bring_to(state)
    result = office.migrate("restore")
    assert (result["changed"], result["mode"]) == (True, "local")
    assert result["ledger"]["attempts"][0]["state"] == "rolled_back"
    assert result["ledger"]["lease"]["state"] == "free"
    assert office.server.drive.read(office.contract["paths"]["config"]) == config
    assert not office.server.drive.is_file(office.contract["paths"]["maintenance_flag"])
    assert office.server.service_word("DIPSInteractor") == "running"
    assert office.server.tasks == {}
    snapshot = office.world.snapshot()
    assert office.migrate("restore")["changed"] is False
    assert office.migrate("start")["failed"]
    assert office.world.snapshot() == snapshot


def test_a_stopped_migration_sends_nothing_more(office: Office):
    office.bring_to("running")
    office.migrate("restore")
    office.later(600)
    assert office.world.cloud.list_attempts("9001")[0]["state"] == "receiving"
    office.world.cloud.discard("9001", 1, KEY)
    office.migrate("lease")
    assert office.migrate("manifest", number=2, key="9001-2-77")["changed"]
    office.world.cloud.open_attempt("9001", 2, "9001-2-77", 12)
    office.migrate("start", number=2, key="9001-2-77")
    office.later(42)
    assert office.migrate("follow", number=2, key="9001-2-77")["status"]["state"] == "completed"
    assert office.world.snapshot()["migrations_started"] == {"9001": 2}


def test_what_the_cloud_discards_ends_the_migration(office: Office):
    office.bring_to("running")
    office.world.cloud.discard("9001", 1, KEY)
    office.later(42)
    status = office.migrate("follow")["status"]
    assert (status["state"], status["message"]) == ("failed", "the cloud has ended this attempt")
    assert office.world.cloud.list_attempts("9001")[0]["state"] == "discarded"


@pytest.mark.parametrize("step", ["start", "follow", "switch", "restore"])
@pytest.mark.parametrize(("number", "key"), [(2, KEY), (1, "9001-1-else")])
def test_another_attempt_is_refused(office: Office, step: str, number: int, key: str):
    office.bring_to("completed")
    snapshot = office.world.snapshot()
    result = office.migrate(step, number=number, key=key)
    assert result["failed"]
    there = f"is not the ledger's last, which is attempt 1 ({KEY})"
    assert result["msg"] == f"{step}: refused: attempt {number} ({key}) {there}"
    assert office.world.snapshot() == snapshot


@pytest.mark.parametrize("step", ["start", "follow", "switch", "restore"])
def test_no_attempt_is_refused(office: Office, step: str):
    said = f"{step}: refused: attempt 1 ({KEY}) is not in the ledger, which has none"
    assert office.migrate(step)["msg"] == said


def test_manifest_is_fenced(office: Office):
    office.upgrade()
    assert "the next one is 1" in office.migrate("manifest", number=2)["msg"]
    first = office.migrate("manifest")
    again = office.migrate("manifest")
    assert (again["changed"], again["manifest"]) == (False, first["manifest"])
    assert office.migrate("manifest", key="another")["failed"]
    assert office.migrate("manifest", number=2, key="9001-2")["failed"]
    office.migrate("restore")
    assert office.migrate("manifest", number=1, key="another")["failed"]
    assert office.migrate("manifest", number=3, key="9001-3")["failed"]
    assert office.migrate("manifest", number=2, key="9001-2")["changed"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"schema": 1, "si', "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"schema": 2, "site": "9001", "attempts": []}', "has schema '2', this version writes 1"),
        (b'{"schema": 1, "site": "1001", "attempts": []}', "belongs to site '1001', not to '9001'"),
        (b'{"schema": 1, "site": "9001", "attempts": null}', "attempts is no list"),
        (b'{"schema": 1, "site": "9001", "attempts": [], "lease": []}', "lease is no object"),
        (b'{"schema": 1, "site": "9001", "attempts": [], "upgrade": {"state": "?"}}', "upgrade.state is '?'"),
        (b'{"schema": 1, "site": "9001", "attempts": [{"number": 2}]}', "attempt 1 is not where it should be"),
        (b'{"schema": 1, "site": "9001", "attempts": [{"number": 1, "state": "?"}]}', "attempt 1 has state '?'"),
    ],
)
def test_a_ledger_that_cannot_be_trusted(office: Office, content: bytes, says: str):
    office.upgrade()
    office.write_ledger(content)
    snapshot = office.world.snapshot()
    for step in STEPS:
        result = office.migrate(step)
        assert result["failed"], step
        assert says in result["msg"]
    for step in ("look", "stage", "install"):
        assert says in office.ask("upgrade", step=step)["msg"]
    assert says in office.ask("postcheck")["msg"]
    probed = office.ask("preflight", role="server")
    assert probed["ledger"] is None
    assert probed["facts"]["interactor"]["ledger"] is None
    assert says in probed["facts"]["interactor"]["ledger_error"]
    assert office.world.snapshot() == snapshot


def test_the_manifests_hash_is_the_contracts(office: Office):
    office.upgrade()
    told_manifest = office.migrate("manifest")["manifest"]
    folder = office.contract["paths"]["data"]
    for category in ("started_requisitions", "favourite_packages"):
        lines = office.server.drive.read(f"{folder}\\{category}.jsonl").decode().splitlines()
        entries = [json.loads(line) for line in reversed(lines)]
        total = sum(int(hashlib.sha256(entry["id"].encode()).hexdigest(), 16) for entry in entries)
        days = [entry["date"] for entry in entries]
        assert told_manifest[category] == {
            "count": len(entries),
            "hash": format(total % 2**256, "064x"),
            "first": min(days),
            "last": max(days),
        }


def test_nothing_to_move_hashes_to_zeros(opened: Opened):
    office = opened(data={"orders": 0, "started_requisitions": 0, "favourite_packages": 0})
    office.upgrade()
    empty = {"count": 0, "hash": "0" * 64, "first": None, "last": None}
    assert set(map(str, office.migrate("manifest")["manifest"].values())) == {str(empty)}


@pytest.mark.parametrize(("months", "orders"), [(12, 240), (15, 300), (18, 360)])
def test_history_is_the_last_months(office: Office, months: int, orders: int):
    office.upgrade()
    office.later(9 * 24 * 60)
    assert office.migrate("manifest", history_months=months)["manifest"]["orders"]["count"] == orders


def test_only_what_lies_ahead_of_requisitions(office: Office):
    office.upgrade()
    path = office.contract["paths"]["data"] + "\\started_requisitions.jsonl"
    line = json.dumps({"category": "started_requisitions", "id": "req-old", "date": "2027-05-09"}) + "\n"
    office.server.drive.write(path, office.server.drive.read(path) + line.encode())
    assert office.migrate("manifest")["manifest"]["started_requisitions"]["count"] == 14


def test_a_mode_that_is_not_described(office: Office):
    office.bring_to("completed")
    assert "was opened for 'server_in_cloud'" in office.migrate("switch", mode="second")["msg"]
    assert office.migrate("look")["mode"] == "local"
    office.migrate("restore")
    refused = office.migrate("manifest", number=2, key="2", mode="second")
    assert refused["msg"] == "manifest: mode 'second' is not described by the vendor"
    refused = office.migrate("manifest", number=2, key="2", mode="third")
    assert refused["msg"] == "manifest: mode is 'third': allowed are local, second, server_in_cloud"


def test_untouched_sees_a_change(office: Office):
    office.contract["untouched"] = {"services": ["EPJServer"], "folders": [r"C:\EPJ"], "files": [r"C:\EPJ\epj.ini"]}
    office.bring_to("completed")
    before = office.ledger["attempts"][0]["untouched"]
    assert len(before) == 3
    assert office.ask("postcheck")["facts"]["untouched"] == before
    office.server.drive.write(r"C:\EPJ\epj.ini", b"changed")
    office.server.services["EPJServer"].start_mode = "Disabled"
    after = office.ask("postcheck")["facts"]["untouched"]
    assert all(after[name] != digest for name, digest in before.items())


def test_what_would_be_another_argument_is_refused(office: Office):
    office.upgrade()
    key = '1" --site "1001'
    office.migrate("lease")
    office.migrate("manifest", key=key)
    assert "letters, digits, dot, dash and underscore" in office.migrate("start", key=key)["msg"]
    office.contract["migration"]["arguments"] += " {colour}"
    office.migrate("restore", key=key)
    office.migrate("lease")
    office.migrate("manifest", number=2)
    assert "arguments name {colour}, which is not known" in office.migrate("start", number=2)["msg"]


def test_a_migration_that_is_gone_has_failed(office: Office):
    office.bring_to("running")
    assert office.server.programs
    office.server.programs.stop()
    status = office.migrate("follow")["status"]
    assert (status["state"], status["message"]) == ("failed", "the migration program ended without saying so")


def test_names_come_from_the_contract(office: Office):
    office.contract["service"]["name"] = "Another"
    office.contract["paths"]["work"] = r"C:\elsewhere"
    facts = office.ask("preflight", role="server")["facts"]
    assert facts["interactor"]["service"] == "missing"
    assert office.migrate("lease")["changed"]
    assert office.server.drive.is_file(r"c:\ELSEWHERE\ledger.json")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(1, 2), st.booleans(), st.integers(0, 30)), max_size=25))
def test_no_order_of_calls_starts_a_second_migration_of_an_attempt(opened: Opened, calls: list[Any]):
    office = opened(data={"orders": 24, "started_requisitions": 1, "favourite_packages": 1})
    office.upgrade()
    for step, number, check, minutes in calls:
        if step == "start" and not check:
            with suppress(CloudRefusal):
                office.world.cloud.open_attempt("9001", number, f"9001-{number}-aa", 12)
        office.migrate(step, number=number, key=f"9001-{number}-aa", check=check)
        office.later(minutes)
    attempts = office.migrate("look")["ledger"]["attempts"] if office.migrate("look")["ledger"] else []
    assert office.world.snapshot()["migrations_started"]["9001"] <= sum(1 for each in attempts if each["started"])
    assert all(each["state"] == "rolled_back" for each in attempts[:-1])
    assert sum(1 for each in office.world.cloud.list_attempts("9001") if each["state"] != "discarded") <= 1
