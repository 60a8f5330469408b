"""Nothing but Interactor's own service and folders, our folder and our tasks is touched, on any host of an office."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from simulator.windows import Process, Task
from tests.simulator.office import KEY, Office, Opened
from tests.whole_state import differences, foreign

LIKE_INTERACTOR = Process("Interactor", r"C:\EPJ\Interactor.exe")


def move(office: Office) -> None:
    """Upgrade and a whole move, with a preflight before and a check after it."""
    office.well(office.ask("preflight", role="server"))
    office.well(office.ask("preflight", role="client", host="pc1"))
    office.bring_to("switched")
    office.well(office.migrate("handback"))
    office.well(office.ask("postcheck"))


def undo(office: Office) -> None:
    office.well(office.migrate("restore"))
    office.world.cloud.discard("9001", 1, KEY)


def strange(office: Office, before: dict[str, Any]) -> dict[str, Any]:
    """What differs since `before` and is not ours, by host."""
    hosts = office.world.snapshot()["hosts"]
    assert set(hosts) == set(before["hosts"])
    found = {name: foreign(before["hosts"][name], hosts[name], office.contract) for name in hosts}
    return {name: told for name, told in found.items() if told}


def test_a_move_touches_nothing_else(office: Office):
    before = office.world.snapshot()
    move(office)
    assert strange(office, before) == {}
    changed = differences(
        before["hosts"]["srv.proverom.example"], office.world.snapshot()["hosts"]["srv.proverom.example"]
    )
    assert changed, "it has moved"
    assert before["hosts"]["pc1.proverom.example"] == office.world.snapshot()["hosts"]["pc1.proverom.example"]


@pytest.mark.parametrize("state", ["prepared", "running", "completed", "failed", "switched"])
def test_a_rollback_from_any_state_touches_nothing_else(opened: Opened, state: str):
    office = opened(migration={"ends": "failed"}) if state == "failed" else opened()
    before = office.world.snapshot()
    office.bring_to(state)
    undo_what_is_there = office.migrate("restore")
    office.well(undo_what_is_there)
    assert strange(office, before) == {}
    host = office.world.snapshot()["hosts"]["srv.proverom.example"]
    assert host["tasks"] == {}
    config = office.contract["paths"]["config"]
    assert host["files"][config] == before["hosts"]["srv.proverom.example"]["files"][config]


def test_a_move_and_its_rollback_touch_nothing_else(office: Office):
    before = office.world.snapshot()
    move(office)
    undo(office)
    assert strange(office, before) == {}


def test_an_upgrade_that_goes_back_touches_nothing_else(opened: Opened):
    office = opened(upgrade={"ends": "code_1603"})
    before = office.world.snapshot()
    office.well(office.ask("upgrade", step="stage"))
    assert office.ask("upgrade", step="install")["upgraded"] is False
    assert strange(office, before) == {}


def test_a_lease_that_was_lost_touches_nothing_else(office: Office):
    before = office.world.snapshot()
    office.upgrade()
    office.well(office.migrate("lease"))
    office.later(80)
    assert office.migrate("look")["ledger"]["lease"]["state"] == "lost"
    assert strange(office, before) == {}


def test_closing_ends_interactor_and_no_other_program(opened: Opened):
    office = opened(server={"in_use": 2}, clients=[{"name": "pc1", "in_use": 1}])
    pc = office.world.hosts["pc1.proverom.example"]
    for host in (office.server, pc):
        host.processes.append(LIKE_INTERACTOR)
    before = copy.deepcopy(office.world.snapshot())
    office.migrate("lease", warning="Lukk Interactor.", close=True)
    office.ask("migrate", host="pc1", step="users", lease_script=None, warning="Lukk Interactor.", close=True)
    found = strange(office, before)
    program = office.contract["paths"]["install"] + r"\Interactor.exe"
    for name, count in (("srv.proverom.example", 2), ("pc1.proverom.example", 1)):
        [(path, (was, now))] = found.pop(name).items()
        assert path == ("processes",)
        assert sorted([*now, *[f"Interactor {program}"] * count]) == was
    assert found == {}


def _epj_file(office: Office) -> None:
    office.server.drive.write(r"C:\EPJ\epj.ini", b"another")


def _epj_file_gone(office: Office) -> None:
    office.server.drive.remove(r"C:\EPJ\Meldinger\ut\0001.xml")


def _epj_file_new(office: Office) -> None:
    office.server.drive.write(r"C:\EPJ\Meldinger\ut\0002.xml", b"")


def _data_file(office: Office) -> None:
    office.server.drive.write(office.contract["paths"]["data"] + r"\orders.jsonl", b"")


def _beside_install(office: Office) -> None:
    office.server.drive.write(office.contract["paths"]["install"] + r"2\x.exe", b"")


def _epj_service(office: Office) -> None:
    office.server.stop_service("EPJServer")


def _epj_start_mode(office: Office) -> None:
    office.server.services["EPJServer"].start_mode = "Disabled"


def _epj_process(office: Office) -> None:
    office.server.processes.pop(0)


def _pc_process(office: Office) -> None:
    office.world.hosts["pc1.proverom.example"].processes.clear()


def _task(office: Office) -> None:
    office.server.tasks["Backup"] = Task("backup.exe", "")


def _registry(office: Office) -> None:
    office.server.registry[r"HKLM\SOFTWARE\EPJ"]["Path"] = "another"


def _power(office: Office) -> None:
    office.server.power["sleep_minutes"] = 30


def _session(office: Office) -> None:
    office.server.logged_on.pop()


@pytest.mark.parametrize(
    "spoil",
    [
        _epj_file, _epj_file_gone, _epj_file_new, _data_file, _beside_install, _epj_service, _epj_start_mode,
        _epj_process, _pc_process, _task, _registry, _power, _session,
    ],
)  # fmt: skip
def test_it_would_be_seen(office: Office, spoil: Callable[[Office], None]):
    before = copy.deepcopy(office.world.snapshot())
    move(office)
    spoil(office)
    assert strange(office, before)
