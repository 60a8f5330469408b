"""The checklist's look and trial on a simulated server: what they see, and that nothing is another than before."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from simulator.windows import Task
from tests.simulator.office import Office, Opened

TRIAL = {"day": "2027-05-10", "history_months": 12, "lease_script": "# what the task runs\n"}


def trial(office: Office, **options: Any) -> dict[str, Any]:
    return office.ask("verify", step="trial", **{**TRIAL, **options})


@pytest.mark.parametrize("state", ["", "upgraded", "switched"])
def test_it_leaves_the_whole_world_as_it_was(office: Office, state: str):
    if state == "upgraded":
        office.upgrade()
    elif state:
        office.bring_to(state)
        office.well(office.migrate("handback"))
    before = copy.deepcopy(office.world.snapshot())
    for step in ("look", "trial", "again"):
        office.well(office.ask("verify", step=step, **(TRIAL if step == "trial" else {})))
    assert office.world.snapshot() == before


def test_it_would_be_seen(office: Office):
    before = copy.deepcopy(office.world.snapshot())
    office.well(trial(office))
    office.server.drive.make_folder(office.contract["paths"]["work"] + "-verify")
    assert office.world.snapshot() != before


def test_before_the_upgrade_there_is_nothing_to_list(office: Office):
    assert trial(office)["trial"]["manifest"] is None
    office.upgrade()
    found = trial(office)["trial"]["manifest"]
    assert (found["error"], found["counts"]["favourite_packages"]) == (None, 12)


@pytest.mark.parametrize("listed", ["malformed", "identity_number", "outside"])
def test_a_list_that_cannot_be_trusted_is_told_and_nothing_stays(opened: Opened, listed: str):
    office = opened(data={"list": listed})
    office.upgrade()
    before = copy.deepcopy(office.world.snapshot())
    assert "the list" in trial(office)["trial"]["manifest"]["error"]
    assert office.world.snapshot() == before


def test_a_machine_is_as_the_scenario_says(opened: Opened):
    office = opened(server={"powershell": "4.0", "culture": "nn-NO", "channel_binding": "Strict"})
    facts = office.ask("verify", step="look")["facts"]
    assert facts["powershell"] == {
        "version": "4.0",
        "edition": None,
        "language_mode": "FullLanguage",
        "culture": "nn-NO",
    }
    assert facts["channel_binding"] == "Strict"
    newer = opened(server={"powershell": "7.4.6"}).ask("verify", step="look")["facts"]["powershell"]
    assert newer["edition"] == "Core"


def test_a_signature_is_looked_at(opened: Opened):
    assert (
        opened(upgrade={"ends": "unsigned"}).ask("verify", step="look")["facts"]["service"]["signature"] == "NotSigned"
    )
    missing = opened(interactor={"service": "missing"}).ask("verify", step="look")["facts"]
    assert (missing["service"]["state"], missing["keys"], missing["mode"]) == ("missing", None, None)


def test_the_state_differs_when_something_does(office: Office):
    before = office.ask("verify", step="again")["facts"]["state"]
    office.server.tasks["Backup"] = Task("backup.exe", "")
    office.server.drive.touch(office.contract["paths"]["data"] + r"\orders.jsonl")
    office.later(1)
    office.server.drive.touch(office.contract["paths"]["data"] + r"\orders.jsonl")
    after = office.ask("verify", step="again")["facts"]["state"]
    assert [name for name in after if after[name] != before[name]] == ["paths.data", "tasks"]


def test_a_trial_needs_its_day(office: Office):
    assert "day" in trial(office, day=None)["msg"]
