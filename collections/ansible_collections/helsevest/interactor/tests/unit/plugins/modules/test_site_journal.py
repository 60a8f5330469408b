# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's module: recording, reading, check mode, bad events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.modules.site_journal import main

RunModule = Callable[..., dict[str, Any]]
HALT = {"kind": "halted", "subject": 1, "data": {"name": "Kari", "reason": "the line is down"}}
DISCARD = {"site": "1001", "kind": "discarded", "subject": "1", "key": "discarded/1001/1"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/journal/journal.db"


def test_record_then_read(run_module: RunModule, url: str, web: SimpleNamespace):
    web.answer = lambda _asked: (200, {"now": "2027-05-18T18:30:00Z"})
    result = run_module(main, journal=url, run_id="run-1", events=[HALT, DISCARD], clock_url=web.url)
    assert (result["changed"], result["recorded"], result["run_id"]) == (True, [True, True], "run-1")
    assert result["at"] == "2027-05-18T18:30:00Z"
    whole = {"site": None, "host": None, "key": None, "run_id": "run-1", "at": "2027-05-18T18:30:00Z", "data": {}}
    assert run_module(main, journal=url, state="read")["events"] == [
        {**whole, "id": 1, **HALT, "subject": "1"},
        {**whole, "id": 2, **DISCARD},
    ]
    assert [event["id"] for event in run_module(main, journal=url, state="read", sites=["1002"])["events"]] == [1]
    assert [event["id"] for event in run_module(main, journal=url, state="read", kinds=["discarded"])["events"]] == [2]


def test_the_same_keys_again_are_no_change(run_module: RunModule, url: str):
    assert run_module(main, journal=url, events=[DISCARD])["changed"] is True
    again = run_module(main, journal=url, events=[DISCARD])
    assert (again["changed"], again["recorded"]) == (False, [False])


def test_a_run_without_an_id_is_given_one(run_module: RunModule, url: str):
    first, second = (run_module(main, journal=url, events=[HALT])["run_id"] for _ in range(2))
    assert first
    assert first != second


def test_check_mode_tells_and_creates_nothing(run_module: RunModule, url: str, tmp_path: Path):
    result = run_module(main, check=True, journal=url, events=[DISCARD, DISCARD])
    assert (result["changed"], result["recorded"]) == (True, [True, False])
    assert run_module(main, check=True, journal=url, state="read")["events"] == []
    assert list(tmp_path.iterdir()) == []
    run_module(main, journal=url, events=[DISCARD])
    assert run_module(main, check=True, journal=url, events=[DISCARD])["changed"] is False
    assert run_module(main, check=True, journal=url, events=[HALT])["changed"] is True
    assert len(run_module(main, journal=url, state="read")["events"]) == 1


def test_bad_events_are_all_named_and_nothing_is_recorded(run_module: RunModule, url: str, tmp_path: Path):
    bad = [HALT, {**DISCARD, "subject": "one"}, {**HALT, "data": {"name": "Kari"}}, {"kind": "gossip", "site": "1002"}]
    result = run_module(main, journal=url, events=bad)
    assert result["failed"]
    assert (
        "event 2 (site 1001): event of kind discarded: subject must be an attempt's number, not 'one'" in result["msg"]
    )
    assert "event 3 (site none): event of kind halted: data.reason is missing" in result["msg"]
    assert "event 4 (site 1002): kind must be one of measured, part_measured, ledger" in result["msg"]
    assert "event 1" not in result["msg"]
    assert list(tmp_path.iterdir()) == []


def test_events_are_required_to_record(run_module: RunModule, url: str):
    assert "events" in run_module(main, journal=url)["msg"]
    assert "events is null" in run_module(main, journal=url, events=None)["msg"]


def test_a_clock_that_does_not_answer(run_module: RunModule, url: str):
    result = run_module(main, journal=url, events=[HALT], clock_url="http://127.0.0.1:1/")
    assert result["msg"].startswith("site_journal: the simulator's clock at http://127.0.0.1:1/ did not answer GET")


def test_the_url_is_not_told(run_module: RunModule):
    result = run_module(main, journal="nobody://me:s3cret@db/journal", events=[HALT])
    assert result["failed"]
    assert "s3cret" not in str(result)
