# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal as module and action plugin call it: journal in, a list per run out, nothing changed."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _rehearsal
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal
from ansible_collections.helsevest.interactor.plugins.module_utils._rehearsal import RehearsalFailedError, answer

from .test__gate import MEASURED, SITE, params

NOW = datetime(2027, 5, 10, 7, tzinfo=UTC)
ANSWERED = {
    **SITE,
    "move_date": "2027-05-18",
    "contact": {"name": "K", "email": "k@prove.example", "phone": "55 00 00 00", "weekends": False},
    "agreement": {**SITE["agreement"], "status": "signed", "signed": "2027-04-15"},
}
RELEASED = {
    "kind": "released",
    "subject": "1",
    "data": {"name": "Kari", "reason": "r", "until": "2027-05-30T00:00:00Z"},
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rehearsal, "clock_now", lambda _url: NOW)


def rehearsed(folder: Path, *unrecorded: dict[str, Any], **changes: Any) -> dict[str, Any]:
    given = params(folder / "journal.sqlite")
    variables = copy.deepcopy(given["sites"][0])
    sites = [{**variables, "interactor_site": {**ANSWERED, "id": site}} for site in changes.pop("ids", ["1001"])]
    for variables in sites:
        variables["interactor_site"].update(changes.pop("of_site", {}))
    asked = {"unrecorded": list(unrecorded), "check_at": None, "tick_minutes": 15, **changes}
    check = asked.pop("check", True)
    return answer({**given, "sites": sites, **asked}, check_mode=check)


def test_what_a_dry_run_has_found_counts_and_is_not_recorded(tmp_path: Path) -> None:
    before = rehearsed(tmp_path, RELEASED)
    assert before["sites"]["1001"]["outcome"] == "verified"
    off = rehearsed(tmp_path, RELEASED, MEASURED)
    assert [reason["code"] for reason in off["sites"]["1001"]["last"]["reasons"]] == ["SERVER"]
    assert off["site_lists"][0]["rows"][-1][2] == "stops before upgrade look: not started"
    assert Journal(params(tmp_path / "journal.sqlite")["journal"]).latest(["1001"]) == []


def test_only_sites_with_a_date_are_rehearsed(tmp_path: Path) -> None:
    told = rehearsed(tmp_path, RELEASED, of_site={"move_date": None})
    assert (told["sites"], told["site_lists"]) == ({}, [])


def test_ticks_that_repeat_are_one_line(tmp_path: Path) -> None:
    (told,) = rehearsed(tmp_path, RELEASED)["site_lists"]
    assert told["title"] == "What would happen from Monday 10.05.2027 09:00 on, if every step does what it is for"
    assert [row[1:] for row in told["rows"]] == [
        ["10.05.2027 09:00 to 11.05.2027 09:00, 2 times", "preflight: probe", ""],
        ["11.05.2027 17:00", "upgrade: look, stage", ""],
        ["12.05.2027 09:00 to 14.05.2027 09:00, 3 times", "preflight: probe", ""],
        ["14.05.2027 17:00", "upgrade: look, install", ""],
        ["15.05.2027 09:00 to 18.05.2027 09:00, 4 times", "preflight: probe", ""],
        ["18.05.2027 20:00", "migrate: look, cloud, lease, users, manifest, start, follow", ""],
        ["18.05.2027 20:15 to 18.05.2027 20:45, 3 times", "migrate: follow", ""],
        ["18.05.2027 21:00", "migrate: follow, reconcile, switch, handback", ""],
        ["19.05.2027 07:00", "postcheck: check", ""],
        ["19.05.2027 07:00", "ends: verified", ""],
    ]


def test_it_begins_at_another_moment_in_a_dry_run_only(tmp_path: Path) -> None:
    later = rehearsed(tmp_path, RELEASED, check_at="2027-05-14T17:00+02:00")
    assert later["start"] == "2027-05-14T15:00:00Z"
    assert [row[1:3] for row in later["site_lists"][0]["rows"][:2]] == [
        ["14.05.2027 17:00", "preflight: probe"],
        ["14.05.2027 17:00", "upgrade: stage, install"],
    ]
    assert rehearsed(tmp_path, RELEASED, check_at="2027-05-10T09:00+02:00")["start"] == "2027-05-10T07:00:00Z"
    for moment, check, words in (
        ("2027-05-14T17:00+02:00", False, "add --check"),
        ("2027-05-10T08:59:59+02:00", True, "it is 2027-05-10 09:00 in Norway"),
        ("2027-05-14T17:00", True, "has no offset"),
        ("Friday", True, "is no moment"),
    ):
        with pytest.raises(RehearsalFailedError, match=f"wave_check_at: '.*{words}"):
            rehearsed(tmp_path, check_at=moment, check=check)


@pytest.mark.parametrize("tick", [0, -15])
def test_a_tick_takes_time(tmp_path: Path, tick: int) -> None:
    with pytest.raises(RehearsalFailedError, match=f"tick_minutes is {tick}; 1 or more is allowed"):
        rehearsed(tmp_path, tick_minutes=tick)
