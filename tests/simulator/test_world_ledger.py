"""The ledger of a simulated server: whole after a power cut, and never believed when it is damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.files import PowerCutError
from tests import ledgers
from tests.simulator.office import KEY, Office

STEPS = ("look", "lease", "manifest", "start", "follow", "switch", "handback", "restore")
DAMAGED = ledgers.damaged("9001")


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_ledger_stops_every_step_and_says_so(office: Office, kind: str):
    content, says = DAMAGED[kind]
    office.upgrade()
    office.write_ledger(content)
    snapshot = office.world.snapshot()
    told = [office.migrate(step) for step in STEPS]
    told += [office.ask("upgrade", step=step) for step in ("look", "stage", "install")]
    told.append(office.ask("postcheck"))
    for result in told:
        assert result["failed"]
        assert says in result["msg"]
    probed = office.ask("preflight", role="server")
    assert (probed["ledger"], probed["facts"]["interactor"]["ledger"]) == (None, None)
    assert says in probed["facts"]["interactor"]["ledger_error"]
    assert office.world.snapshot() == snapshot


def test_a_sound_ledger_is_read(office: Office):
    office.write_ledger(ledgers.text("9001"))
    office.server.drive.write(office.contract["paths"]["maintenance_flag"], b"run-1")
    assert office.migrate("look")["ledger"] == ledgers.ledger("9001")


def test_a_lease_that_the_ledger_holds_is_lost_without_its_flag(office: Office):
    office.write_ledger(ledgers.text("9001"))
    held = ledgers.ledger("9001")
    assert office.migrate("look")["ledger"] == {**held, "lease": {**held["lease"], "state": "lost"}}
    assert office.ledger == held, "that it is lost is never written"


def test_the_first_ledger_is_whole_or_not_there_after_a_power_cut_at_any_byte(office: Office):
    office.upgrade()
    path = office.contract["paths"]["work"] + "\\ledger.json"
    office.server.drive.remove(path)
    new: dict[str, Any] | None = None
    seen: list[dict[str, Any] | None] = []
    for left in range(1000):
        office.server.drive.power_left = left
        try:
            office.well(office.migrate("lease"))
        except PowerCutError:
            seen.append(office.well(office.migrate("look"))["ledger"])
            office.server.drive.remove(path)
            office.server.drive.remove(path + ".new")
        else:
            new = office.ledger
            break
    assert new is not None
    assert len(seen) > 100
    assert [told for told in seen if told not in (None, new)] == []
    assert seen[-1] == new


def test_a_ledger_is_the_old_or_the_new_one_after_a_power_cut_at_any_byte(office: Office):
    office.bring_to("prepared")
    office.world.cloud.open_attempt("9001", 1, KEY, 12)
    old = json.dumps(office.ledger, ensure_ascii=False).encode()
    path = office.contract["paths"]["work"] + "\\ledger.json"
    office.server.drive.power_left = 10
    with pytest.raises(PowerCutError):
        office.migrate("start")
    # Nothing but the ledger is written by it a second time: the program runs already.
    seen = []
    for left in range(5000):
        office.server.drive.write(path, old)
        office.server.drive.power_left = left
        try:
            office.well(office.migrate("start"))
        except PowerCutError:
            looked = office.well(office.migrate("look"))["ledger"]
            assert office.server.drive.is_file(path + ".new"), "to look changes nothing"
            locked = office.well(office.migrate("follow"))["ledger"] if looked["attempts"][0]["started"] else looked
            assert locked == looked
            assert office.server.drive.is_file(path)
            seen.append(looked)
        else:
            break
    new = office.ledger
    assert len(seen) == len(json.dumps(new, ensure_ascii=False).encode()) + 2
    assert [each for each in seen if each not in (json.loads(old), new)] == []
    assert (seen[0], seen[-2], seen[-1]) == (json.loads(old), json.loads(old), new)
    assert office.world.snapshot()["migrations_started"] == {"9001": 1}


def test_a_configuration_that_has_not_its_name_yet_is_the_configuration(office: Office):
    office.bring_to("completed")
    path, drive = office.contract["paths"]["config"], office.server.drive
    drive.move(path, path + ".new")
    assert office.well(office.migrate("look"))["mode"] == "local"
    assert not drive.is_file(path)
    assert office.well(office.migrate("switch"))["mode"] == "server_in_cloud"
    assert drive.is_file(path)
    drive.remove(path)
    drive.write(path + ".new", b'{"mode": "lo')
    assert office.migrate("look")["msg"].endswith("interactor.json is missing")
