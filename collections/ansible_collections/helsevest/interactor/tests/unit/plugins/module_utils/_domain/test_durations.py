# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a move and an upgrade are expected to take."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.durations import (
    Expected,
    expected,
    moves,
    nearest_rank,
    upgrades,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from hypothesis import given
from hypothesis import strategies as st

AT = parse_time("2027-05-18T18:30:00Z")
EVENING = "2027-05-18T18:30:00Z"
ATTEMPT: dict[str, Any] = {
    "number": 1,
    "prepared": EVENING,
    "started": "2027-05-18T18:40:00Z",
    "switched": "2027-05-18T19:15:00Z",
}


def minutes(*numbers: int) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def ledger(host: str = "1001-server", **told: Any) -> Event:
    data = {"ledger": told or None, "error": None, "mode": None, "version": None}
    return Event(kind=EventKind.LEDGER, at=AT, site=host.partition("-")[0], host=host, data=data)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (19, Expected(60, "estimate", 19)),
        # Of 20 the 19th is the first that 95 of 100 do not exceed, and of 21 the 20th.
        (20, Expected(19 + 100, "runs", 20)),
        (21, Expected(20 + 100, "runs", 21)),
    ],
)
def test_enough_earlier_runs_count_for_more_than_the_estimate(runs: int, told: Expected) -> None:
    took = minutes(*range(100 + runs, 100, -1))
    assert expected(took, setting=None, estimate=60) == told
    assert expected(took, setting=45, estimate=60) == Expected(45, "setting", runs), "what is set wins"


def test_never_less_than_five_minutes_and_whole_ones_rounded_up() -> None:
    assert expected(minutes(*[1] * 20), setting=None, estimate=60).minutes == 5
    assert expected([], setting=None, estimate=1).minutes == 5
    assert expected([timedelta(minutes=7, seconds=1)] * 20, setting=None, estimate=60).minutes == 8
    assert expected([timedelta(minutes=7)] * 20, setting=None, estimate=60).takes == timedelta(minutes=7)


@given(st.lists(st.integers(0, 10_000), min_size=1), st.integers(1, 100))
def test_the_nearest_rank_is_the_smallest_value_that_so_many_do_not_exceed(values: list[int], percent: int) -> None:
    rank = nearest_rank(minutes(*values), percent) / timedelta(minutes=1)
    needed = ceil(len(values) * percent / 100)
    assert rank in values
    assert sum(value <= rank for value in values) >= needed
    assert sum(value < rank for value in values) < needed


def test_a_move_is_measured_from_the_lease_to_the_switch_and_counted_once() -> None:
    seen = [ledger(attempts=[ATTEMPT]), ledger(attempts=[ATTEMPT, {"number": 2, "started": EVENING}])]
    assert moves([*seen, ledger("1002-server", attempts=[{**ATTEMPT, "prepared": None}])]) == minutes(45, 35)


@pytest.mark.parametrize(
    "attempt",
    [
        {**ATTEMPT, "switched": None},
        {**ATTEMPT, "switched": "2027-05-18T18:00:00Z"},
        {**ATTEMPT, "switched": "tomorrow"},
        {**ATTEMPT, "prepared": 7},
    ],
)
def test_what_was_never_switched_or_makes_no_sense_does_not_count(attempt: dict[str, Any]) -> None:
    assert moves([ledger(attempts=[attempt]), ledger(), ledger(attempts="none"), ledger(attempts=["none"])]) == []


def test_an_upgrade_counts_that_was_done_without_waiting_for_a_restart() -> None:
    done = {"state": "done", "to": "6.2.0", "started": EVENING, "finished": "2027-05-18T18:52:00Z", "code": 0}
    assert upgrades([ledger(upgrade=done), ledger(upgrade=done), ledger("1002-server", upgrade=done)]) == minutes(
        22, 22
    )
    for changed in ({"state": "failed"}, {"code": 3010}, {"code": 1641}, {"started": None}):
        assert upgrades([ledger(upgrade={**done, **changed})]) == []


def test_it_is_told_in_words_and_read_back() -> None:
    assert Expected(72, "runs", 31).told() == "72 minutes (95 of 100 of the 31 earlier runs took no longer)"
    assert Expected(60, "estimate", 3).told() == "60 minutes (the estimate: 3 earlier runs are known, 20 are needed)"
    assert Expected(45, "setting", 31).told() == "45 minutes (as set)"
    assert Expected.from_dict(Expected(72, "runs", 31).to_dict()) == Expected(72, "runs", 31)
