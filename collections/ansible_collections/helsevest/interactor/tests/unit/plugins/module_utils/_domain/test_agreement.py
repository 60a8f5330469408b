# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about the agreements, by where a site stands and what is on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.agreement import (
    Remembered,
    Work,
    lines,
    noted_events,
    remember,
    removed_events,
    to_take_in,
    work_for,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site

AT = datetime(2027, 5, 10, 7, tzinfo=UTC)
MakeSite = Callable[..., Site]
OPEN, CLOSED = Remembered(1, 0), Remembered(1, 1)


def due(work: Work) -> dict[str, Any]:
    """The work without what is empty."""
    return {name: value for name, value in vars(work).items() if value}


@pytest.fixture
def work(make_site: MakeSite) -> Callable[..., dict[str, Any]]:
    """`work(status, entry, memory, asked, **site)`: what is to be done for one site, without what is empty."""

    def work(status: str, entry: bool, memory: Remembered | None = None, asked: bool = False, **site: Any):
        one = make_site(agreement_status=status, **site)
        told = work_for(
            [one],
            [one.id] if entry else [],
            {one.id: memory} if memory else {},
            [one.id] if asked else [],
            "withdrew",
            today=AT.date(),
        )
        return due(told)

    return work


def test_a_site_that_has_answered_is_looked_up_until_its_agreement_is_sent(work: Callable[..., Any]):
    assert work("missing", True, OPEN) == {"look_up": ["1001"]}
    assert work("missing", True) == {"noted": ["1001"], "look_up": ["1001"]}
    assert work("sent", True, OPEN, agreement_sent=date(2027, 4, 1)) == {"unsigned": {"1001": date(2027, 4, 1)}}


@pytest.mark.parametrize(
    "lacks",
    [
        {"contact": None},
        {"urls_confirmed": None},
        {"proxy_confirmed": None},
        {"closed": None},
    ],
)
def test_nobody_is_looked_up_before_every_answer_is_there(work: Callable[..., Any], lacks: dict[str, Any]):
    assert work("missing", True, OPEN, **lacks) == {"waiting": ["1001"]}


def test_register_and_file_are_held_together(work: Callable[..., Any]):
    assert work("missing", False) == {"lacking": ["1001"]}
    assert work("missing", True, OPEN, signatory_known=False) == {"waiting": ["1001"], "not_in_register": ["1001"]}
    assert work("missing", False, signatory_known=False) == {}


def test_who_has_signed_is_removed_and_that_is_told_once(work: Callable[..., Any]):
    assert work("signed", True, OPEN) == {"remove": {"1001": "signed"}}
    assert work("signed", True) == {"noted": ["1001"], "remove": {"1001": "signed"}}
    assert work("signed", False, OPEN) == {"gone": {"1001": "signed"}}
    assert work("signed", False, CLOSED) == {}
    assert work("signed", False) == {}
    assert work("signed", True, CLOSED) == {"noted": ["1001"], "remove": {"1001": "signed"}}


@pytest.mark.parametrize("status", ["missing", "sent", "signed"])
def test_what_is_asked_for_is_removed_whatever_the_agreement(work: Callable[..., Any], status: str):
    told = work(status, True, OPEN, asked=True)
    told.pop("unsigned", None)
    assert told == {"remove": {"1001": "withdrew"}}
    told = work(status, False, OPEN, asked=True)
    told.pop("unsigned", None)
    assert told == {"gone": {"1001": "withdrew"}}
    told = work(status, False, CLOSED, asked=True)
    told.pop("unsigned", None)
    assert told == {"nothing": ["1001"]}


def test_an_entry_that_is_gone_without_a_reason_is_told(work: Callable[..., Any]):
    assert work("sent", False, OPEN)["unexplained"] == ["1001"]
    assert work("missing", False, OPEN, signatory_known=False) == {"unexplained": ["1001"]}


def test_nobodys_data_go_for_a_signature_that_is_dated_in_the_future(work: Callable[..., Any]):
    assert work("signed", True, OPEN, agreement_signed=AT.date()) == {"remove": {"1001": "signed"}}
    assert work("signed", True, OPEN, agreement_signed=date(2097, 5, 10)) == {}
    assert work("missing", True, OPEN, urls_confirmed=date(2097, 4, 20)) == {"waiting": ["1001"]}


def test_a_run_for_some_sites_leaves_the_others(make_site: MakeSite):
    signed = make_site(id="1001", agreement_status="signed")
    told = work_for([signed], ["1001", "1002"], {"1001": OPEN, "1002": OPEN, "1003": OPEN}, today=AT.date())
    assert due(told) == {"remove": {"1001": "signed"}}


def test_what_is_on_record_is_remembered_and_told_once_more_after_a_new_entry(make_site: MakeSite):
    site = make_site(agreement_status="signed")
    memory: Mapping[str, Remembered] = {}
    keys = []
    for times in (1, 2):
        told = work_for([site], ["1001"], memory, today=AT.date())
        events = [*noted_events(told, memory, AT), *removed_events(told, memory, "Kari", AT)]
        keys += [event.key for event in events]
        assert [dict(event.data) for event in events] == [{}, {"name": "Kari", "reason": "signed", "entry": "removed"}]
        memory = {"1001": Remembered(times, times)}
        assert remember([event for _ in range(times) for event in events]) == memory
    assert keys == [
        "signatory_noted/1001/1",
        "signatory_removed/1001/1",
        "signatory_noted/1001/2",
        "signatory_removed/1001/2",
    ]


def test_a_run_that_died_between_removing_and_recording_is_made_up_for(make_site: MakeSite):
    site = make_site(agreement_status="signed")
    first = work_for([site], ["1001"], {}, today=AT.date())
    memory = remember(noted_events(first, {}, AT))
    again = work_for([site], [], memory, today=AT.date())
    (event,) = removed_events(again, memory, "Ola", AT)
    assert event.data == {"name": "Ola", "reason": "signed", "entry": "gone"}
    assert event.key == removed_events(first, {}, "Kari", AT)[0].key, "whoever records first, it is one removal"
    assert due(work_for([site], [], remember([*noted_events(first, {}, AT), event]), today=AT.date())) == {}


@pytest.mark.parametrize(
    ("status", "entries", "memory", "overwrite", "taken", "before"),
    [
        ("missing", [], {}, False, ["1001"], []),
        ("sent", [], {}, False, ["1001"], []),
        ("signed", [], {}, False, [], []),
        ("signed", [], {"1001": CLOSED}, True, [], []),
        ("missing", ["1001"], {"1001": OPEN}, False, ["1001"], []),
        ("missing", [], {"1001": CLOSED}, False, [], ["1001"]),
        ("missing", [], {"1001": CLOSED}, True, ["1001"], []),
        ("missing", ["1001"], {"1001": Remembered(2, 1)}, False, ["1001"], []),
    ],
)
def test_a_table_brings_nobody_back_who_was_removed(
    make_site: MakeSite, status: str, entries: list[str], memory: Any, overwrite: bool, taken: Any, before: Any
):
    site = make_site(agreement_status=status)
    told = to_take_in([site], ["1001", "1002"], entries, memory, overwrite=overwrite)
    assert told == (taken, before)


def test_all_is_told_by_id(make_site: MakeSite):
    told = Work(
        look_up=["1"],
        waiting=["2", "3"],
        lacking=["4"],
        not_in_register=["5"],
        unexplained=["6"],
        nothing=["7"],
        incomplete=["11"],
        removed_before=["12"],
        unsigned={"8": date(2027, 4, 1)},
        remove={"9": "signed"},
        gone={"10": "signed"},
    )
    assert list(lines(told)) == [
        "look up and send the agreement: 1",
        "not to be sent yet, answers are missing (P6): 2, 3",
        "the register says who signs is known, and the file has nobody: 4",
        "the file says who signs, and the register does not (signatory_known): 5",
        "gone from the file without a reason on record (agreements_remove, agreements_reason): 6",
        "nothing to remove: 7",
        "not taken in, name or date of birth is missing in the table: 11",
        "not taken in, removed before (agreements_overwrite takes them in again): 12",
        "sent 2027-04-01 and not signed: 8",
        "entry removed (signed): 9",
        "entry gone already, put on record (signed): 10",
    ]
