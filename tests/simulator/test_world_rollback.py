"""The way back from every state in which a site can be, with a host that restarts or loses its power at any point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from simulator.files import Drive, PowerCutError
from tests.simulator.office import KEY, Office, Opened

NEXT = {"number": 2, "key": "9001-2-77b1"}


def _open(office: Office) -> None:
    office.bring_to("prepared")
    office.world.cloud.open_attempt("9001", 1, KEY, 12)


def _half_started(office: Office) -> None:
    """The task runs, and the ledger does not know it yet."""
    _open(office)
    office.server.drive.power_left = 0
    with pytest.raises(PowerCutError):
        office.migrate("start")


def _half_switched(office: Office) -> None:
    """The configuration names the cloud, the service has not been restarted, and the ledger does not know it."""
    office.bring_to("switched")
    ledger = office.ledger
    ledger["attempts"][0].update(state="completed", switched=None)
    office.save(ledger)


def _handed_back(office: Office) -> None:
    office.bring_to("switched")
    office.well(office.migrate("handback"))


def _rolled_back(office: Office) -> None:
    """The server is back, the cloud's copy is not discarded yet."""
    office.bring_to("switched")
    office.well(office.migrate("restore"))


STATES: dict[str, Callable[[Office], None]] = {
    "prepared": lambda office: office.bring_to("prepared"),
    "opened": _open,
    "start half done": _half_started,
    "running": lambda office: office.bring_to("running"),
    "completed": lambda office: office.bring_to("completed"),
    "failed": lambda office: office.bring_to("failed"),
    "reconciled unequal": lambda office: office.bring_to("completed"),
    "switch half done": _half_switched,
    "switched": lambda office: office.bring_to("switched"),
    "handed back": _handed_back,
    "rolled back": _rolled_back,
}
SAID: dict[str, dict[str, Any]] = {
    "failed": {"migration": {"ends": "failed"}},
    "reconciled unequal": {"migration": {"loses": {"orders": 3}}},
}


def outside_work(office: Office) -> dict[str, str]:
    """Every file of the server that is not ours."""
    work = office.contract["paths"]["work"] + "\\"
    return {path: digest for path, digest in office.server.drive.snapshot().items() if not path.startswith(work)}


def manifest(office: Office) -> dict[str, Any]:
    found: dict[str, Any] = office.ledger["attempts"][0]["before"]
    return found


def discard(office: Office) -> None:
    if office.world.cloud.list_attempts("9001"):
        office.world.cloud.discard("9001", 1, KEY)


def moves(office: Office, said: dict[str, Any]) -> None:
    """The next night moves the site, with the next number and the same things to move."""
    before = manifest(office)
    office.well(office.migrate("lease"))
    assert office.well(office.migrate("manifest", **NEXT))["manifest"] == before
    office.world.cloud.open_attempt("9001", NEXT["number"], NEXT["key"], 12)
    office.well(office.migrate("start", **NEXT))
    office.later(42)
    office.well(office.migrate("follow", **NEXT))
    if said.get("migration", {}).get("ends") != "failed":
        assert office.well(office.migrate("switch", **NEXT))["mode"] == "server_in_cloud"
    living = [each for each in office.world.cloud.list_attempts("9001") if each["state"] != "discarded"]
    assert [each["number"] for each in living] == [2]


@pytest.mark.parametrize("restarts", [False, True], ids=["up", "restarted"])
@pytest.mark.parametrize("state", STATES)
def test_the_way_back(opened: Opened, state: str, restarts: bool):
    said = SAID.get(state, {})
    office = opened(**said)
    office.upgrade()
    before = outside_work(office)
    STATES[state](office)
    if restarts:
        office.server.restart()
    result = office.well(office.migrate("restore"))
    assert (result["mode"], result["as_before"]) == ("local", {"equal": True, "changed": []})
    assert outside_work(office) == before
    assert office.server.tasks == {}
    assert office.ask("postcheck")["facts"]["version"] == "6.2.0"
    [attempt] = result["ledger"]["attempts"]
    assert (attempt["state"], result["ledger"]["lease"]["state"]) == ("rolled_back", "free")
    snapshot = office.world.snapshot()
    again = office.well(office.migrate("restore"))
    assert (again["changed"], again["as_before"]) == (False, result["as_before"])
    assert office.world.snapshot() == snapshot
    discard(office)
    moves(office, said)


@pytest.mark.parametrize("state", ["staged", "upgraded", "lease held"])
def test_before_an_attempt_there_is_nothing_to_bring_back(office: Office, state: str):
    office.well(office.ask("upgrade", step="stage"))
    if state != "staged":
        office.well(office.ask("upgrade", step="install"))
    before = outside_work(office)
    if state == "lease held":
        office.well(office.migrate("lease"))
        office.server.restart()
    assert office.migrate("restore")["failed"]
    office.well(office.migrate("handback"))
    assert outside_work(office) == before
    assert office.migrate("look")["mode"] == "local"


class Fuse:
    """The power goes before the nth change to a drive."""

    def __init__(self, drive: Drive, changes: int) -> None:
        self.left: int | None = changes
        for name in ("write", "remove"):
            setattr(drive, name, self._counting(getattr(drive, name)))

    def _counting(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any) -> Any:
            if self.left == 0:
                self.left = None
                raise PowerCutError
            if self.left is not None:
                self.left -= 1
            return change(*given)

        return counted


@pytest.mark.parametrize("state", ["running", "completed", "switch half done", "switched", "handed back"])
def test_a_way_back_that_is_cut_off_anywhere_is_taken_to_its_end(opened: Opened, state: str):
    cut = 0
    for changes in range(60):
        office = opened(data={"orders": 24, "started_requisitions": 2, "favourite_packages": 2})
        office.upgrade()
        before = outside_work(office)
        STATES[state](office)
        office.server.drive.write(office.contract["paths"]["data"] + "\\orders.jsonl", b"half of it")
        fuse = Fuse(office.server.drive, changes)
        try:
            office.well(office.migrate("restore"))
        except PowerCutError:
            cut += 1
            office.server.restart()
            result = office.well(office.migrate("restore"))
            assert result["as_before"] == {"equal": True, "changed": []}
        assert outside_work(office) == before
        assert office.ledger["attempts"][0]["state"] == "rolled_back"
        assert office.ledger["lease"]["state"] == "free"
        if fuse.left:
            break
    else:
        pytest.fail("it never ended")
    assert cut > 5


@pytest.mark.parametrize("state", ["prepared", "running", "completed", "failed"])
def test_what_people_have_made_since_the_lease_was_lost_is_theirs(opened: Opened, state: str):
    office = opened(**SAID.get(state, {}))
    office.bring_to(state)
    office.server.drive.remove(office.contract["paths"]["maintenance_flag"])
    path = office.contract["paths"]["data"] + "\\orders.jsonl"
    mine = office.server.drive.read(path) + b'{"category": "orders", "id": "ord-morning", "date": "2027-05-10"}\n'
    office.server.drive.write(path, mine)
    result = office.well(office.migrate("restore"))
    assert result["as_before"] == {"equal": False, "changed": ["data/orders.jsonl"]}
    assert office.server.drive.read(path) == mine
    assert (result["mode"], result["ledger"]["attempts"][0]["state"]) == ("local", "rolled_back")


def test_a_switch_that_changes_what_it_must_leave_alone_is_undone(office: Office):
    office.contract["untouched"]["files"] = [r"C:\EPJ\epj.ini"]
    office.upgrade()
    before = outside_work(office)
    office.bring_to("completed")
    start = office.server.start_service

    def starts(name: str) -> bool:
        office.server.drive.write(r"C:\EPJ\epj.ini", b"changed by the service")
        return start(name)

    office.server.start_service = starts  # type: ignore[method-assign]
    message = office.migrate("switch")["msg"]
    assert message == (
        r"switch: the switch has changed what it must leave alone: file:C:\EPJ\epj.ini; the configuration is as before"
    )
    config = office.contract["paths"]["config"]
    assert outside_work(office)[config] == before[config]
    assert office.ledger["attempts"][0]["state"] == "completed"


def test_what_changed_before_the_switch_is_told_and_does_not_stop_it(office: Office):
    office.contract["untouched"]["files"] = [r"C:\EPJ\epj.ini"]
    office.bring_to("completed")
    office.server.drive.write(r"C:\EPJ\epj.ini", b"the EPJ was upgraded that night")
    result = office.well(office.migrate("switch"))
    assert (result["mode"], result["changed_meanwhile"]) == ("server_in_cloud", [r"file:C:\EPJ\epj.ini"])


def test_a_mode_may_set_more_than_two_keys(office: Office):
    also = {"tenant": "9001", "printer": "none"}
    office.contract["config"]["modes"]["second"] = {"mode": "2", "endpoint": "https://two.example", "also": also}
    office.upgrade()
    before = outside_work(office)
    office.well(office.migrate("lease"))
    office.well(office.migrate("manifest", mode="second"))
    office.world.cloud.open_attempt("9001", 1, KEY, 12)
    office.well(office.migrate("start"))
    office.later(42)
    office.well(office.migrate("follow"))
    assert office.well(office.migrate("switch", mode="second"))["mode"] == "second"
    facts = office.well(office.ask("postcheck"))["facts"]
    assert (facts["mode"], facts["endpoint"], facts["also"]) == ("second", "https://two.example", also)
    assert office.well(office.migrate("restore"))["as_before"] == {"equal": True, "changed": []}
    assert outside_work(office) == before


def test_a_site_that_is_in_the_cloud_without_us_is_left_alone(opened: Opened):
    office = opened(interactor={"version": "6.2.0", "mode": "server_in_cloud"})
    # The lock lies in our own folder, which is made for it.
    office.server.drive.make_folder(office.contract["paths"]["work"])
    snapshot = office.world.snapshot()
    assert "without an attempt of ours (moved_outside)" in office.migrate("manifest")["msg"]
    assert office.world.snapshot() == snapshot


@pytest.mark.parametrize("state", STATES)
def test_every_step_may_be_taken_again_when_its_answer_was_lost(opened: Opened, state: str):
    office = opened(**SAID.get(state, {}))
    STATES[state](office)
    for step in ("lease", "manifest", "start", "follow", "switch", "handback", "restore"):
        first = office.migrate(step)
        if first.get("failed"):
            continue
        snapshot = office.world.snapshot()
        second = office.well(office.migrate(step))
        assert (second["changed"], second["ledger"]) == (False, first["ledger"]), step
        assert {**second, "changed": first["changed"]} == first, step
        assert office.world.snapshot() == snapshot, step
    assert office.world.snapshot()["migrations_started"]["9001"] <= 1


def test_the_office_makes_its_orders_in_the_cloud_from_the_morning_on(opened: Opened):
    office = opened(migration={"makes": 3})
    office.bring_to("switched")

    def made() -> list[str]:
        return [f"{one['id']} {one['at']}" for one in office.world.cloud.made("9001", 1)]

    assert made() == []
    office.later(22 * 60 + 17)
    assert office.clock.now().isoformat() == "2027-05-11T05:59:00+00:00"
    assert made() == []
    office.later(1)
    assert made() == ["ord-cloud-9001-1 2027-05-11T06:00:00Z"]
    office.later(12)
    assert made() == ["ord-cloud-9001-1 2027-05-11T06:00:00Z", "ord-cloud-9001-2 2027-05-11T06:10:00Z"]
    office.well(office.migrate("restore"))
    office.later(60)
    assert len(made()) == 2


def test_a_configuration_that_cannot_be_put_back_leaves_no_service_stopped(office: Office):
    office.bring_to("switched")
    name, work = office.contract["service"]["name"], office.contract["paths"]["work"]
    office.server.drive.remove(work + r"\backup\attempt-1\configuration")
    told = office.migrate("restore")["msg"]
    assert told.endswith("; the service runs with what is there")
    assert (office.server.service_word(name), office.ledger["attempts"][0]["state"]) == ("running", "switched")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_a_byte_order_mark_stays_as_it_was(office: Office, mark: bytes):
    path, drive = office.contract["paths"]["config"], office.server.drive
    office.bring_to("completed")
    drive.write(path, mark + drive.read(path))
    office.well(office.migrate("switch"))
    assert drive.read(path).startswith(mark + b"{")


def test_one_that_can_be_neither_switched_nor_put_back_leaves_no_service_stopped(office: Office):
    office.bring_to("completed")
    office.contract["service"]["version_url"] += "/elsewhere"
    office.server.drive.remove(office.contract["paths"]["work"] + r"\backup\attempt-1\configuration")
    told = office.migrate("switch")["msg"]
    assert "the service does not answer after its restart; the configuration is not as before: " in told
    assert office.server.service_word(office.contract["service"]["name"]) == "running"
