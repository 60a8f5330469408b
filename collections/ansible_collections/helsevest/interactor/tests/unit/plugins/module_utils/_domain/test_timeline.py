# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in words: every kind, folding, and what is another wave's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import WAVE_KINDS, Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.timeline import (
    WORDS,
    Entry,
    journal_entries,
    told_time,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind, Severity
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE
from .test_events import GOOD, ROW
from .test_since import measured

START = datetime(2027, 5, 10, 7, tzinfo=UTC)
LEDGER: dict[str, Any] = {
    "schema": 1,
    "site": "1001",
    "upgrade": {"state": "done", "from": "5.4.1", "to": "6.2.0", "finished": "2027-05-14T15:31:00Z", "reason": ""},
    "lease": {"state": "held"},
    "attempts": [
        {"number": 1, "key": "k", "state": "failed", "started": "2027-05-18T18:31:00Z", "message": "disk is full"}
    ],
}


def event(kind: EventKind, number: int = 0, **changes: Any) -> Event:
    fields: dict[str, Any] = {**GOOD[kind], **{k: v for k, v in changes.items() if k != "data"}}
    fields["data"] = {**GOOD[kind].get("data", {}), **changes.get("data", {})}
    at = START + timedelta(hours=number)
    return Event(kind=kind, at=at, run_id=f"run-{number}", id=number + 1, **fields)


def told(events: Iterable[Event]) -> list[str]:
    return [entry.what for entry in journal_entries(SITE, events)]


def test_every_kind_has_words():
    assert set(WORDS) == set(EventKind)


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_makes_a_line(kind: EventKind):
    changes: dict[str, Any] = {"subject": "1"} if kind in WAVE_KINDS else {}
    if kind is EventKind.CHECKED:
        changes = {"data": {"checks": []}}
    (entry,) = journal_entries(SITE, [event(kind, **changes)])
    assert (entry.at, entry.source, entry.times) == (START, "run-0", 1)
    assert entry.what[0].isupper() or entry.what.startswith("1001-"), entry.what


def test_a_kind_without_words_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        "ansible_collections.helsevest.interactor.plugins.module_utils._domain.timeline.WORDS", {}, raising=True
    )
    events = [event(EventKind.ROLLBACK_ASKED, number, subject="2") for number in (1, 2)]
    assert told(events) == ["Rollback asked 2"] * 2, "each is news, and none of its data is shown"


def check(name: str, outcome: bool | None, severity: Severity = Severity.BLOCKER) -> dict[str, Any]:
    return result(SITE, name, outcome, observed=f"{name} seen", expected="x", severity=severity).to_dict()


@pytest.mark.parametrize(
    ("kind", "changes", "what", "detail"),
    [
        (EventKind.MEASURED, {}, "1001-server not reached (timeout)", "no answer within the time limit"),
        (
            EventKind.MEASURED,
            {
                "host": "1001-pc2",
                "data": {
                    "origin": "self_checked",
                    "made": "2027-05-09T10:00:00Z",
                    "reached": True,
                    "verdict": "not_ready",
                    "checks": [check("P1", None), check("P3", False, Severity.WARNING)],
                },
            },
            "1001-pc2 self-checked 09.05.2027 12:00: not ready, open: P1, P3 (warning)",
            "P1 The cloud's first page answers: not known, P1 seen; P3 The line is fast enough: no, P3 seen",
        ),
        (
            EventKind.MEASURED,
            {"data": {"reached": True, "verdict": "error", "detail": "the module broke"}},
            "1001-server measured: error",
            "the module broke",
        ),
        (
            EventKind.MEASURED,
            {
                "data": {
                    "reached": True,
                    "verdict": "not_ready",
                    "checks": [check("P5", False), check("P1", True), check("P3", None, Severity.WARNING)],
                    "version": "5.4.1",
                    "mode": "local",
                }
            },
            "1001-server measured: not ready, open: P5, P3 (warning), Interactor 5.4.1 in mode local",
            "P5 Only the automatic proxy script is set: no, P5 seen; P3 The line is fast enough: not known, P3 seen",
        ),
        (EventKind.LEDGER, {}, "No ledger on the server", ""),
        (EventKind.LEDGER, {"data": {"error": "cut off"}}, "Ledger cannot be read: cut off", ""),
        (
            EventKind.LEDGER,
            {"data": {"ledger": {**LEDGER, "site": "1002"}}},
            "Ledger cannot be trusted: site 1001: ledger: it belongs to site '1002'",
            "",
        ),
        (
            EventKind.LEDGER,
            {"data": {"ledger": LEDGER}},
            "Ledger: upgrade to 6.2.0 done, attempt 1 failed, people are kept out of Interactor",
            "started 18.05.2027 20:31; disk is full",
        ),
        (
            EventKind.STEP,
            {"subject": "start", "data": {"phase": "migrate", "attempt": "2", "ok": False, "detail": "409"}},
            "Migrate start, attempt 2: failed",
            "409",
        ),
        (
            EventKind.RECONCILED,
            {"subject": "1", "data": {"equal": True, "differences": [], "counts": {"orders": "412/412"}}},
            "Attempt 1 compared with the cloud: all is there",
            "orders 412/412",
        ),
        (
            EventKind.CHECKED,
            {"subject": "1", "data": {"checks": [check("A1", False)]}},
            "Attempt 1 checked after the move: open: A1",
            "A1 What the move must leave alone is as before: no, A1 seen",
        ),
        (
            EventKind.CHECKED,
            {"subject": "1", "data": {"checks": [check("A1", True)]}},
            "Attempt 1 checked after the move: all is well",
            "",
        ),
        (
            EventKind.ROLLBACK_ASKED,
            {"subject": "1", "data": {"name": "Kari", "reason": "the office asks"}},
            "Kari asks to roll back attempt 1",
            "the office asks",
        ),
        (
            EventKind.RELEASED,
            {"subject": "1", "data": {"name": "Kari", "reason": None, "until": "2027-05-21T22:00:00Z"}},
            "Wave 1 released by Kari until 22.05.2027 00:00",
            "",
        ),
        (
            EventKind.HALTED,
            {"subject": "all", "data": {"name": "Ola", "reason": "calls"}},
            "All halted by Ola",
            "calls",
        ),
        (
            EventKind.RESUMED,
            {"subject": "1", "data": {"name": "Ola", "reason": None}},
            "Wave 1 resumed by Ola",
            "",
        ),
        (
            EventKind.ROW,
            {"data": {**ROW, "needs_us": True, "why": "one is missing"}},
            "Row: state dated, verdict none, outcome not started, owes double_proxy, needs us",
            "one is missing",
        ),
    ],
)
def test_what_each_kind_says(kind: EventKind, changes: dict[str, Any], what: str, detail: str):
    (entry,) = journal_entries(SITE, [event(kind, **changes)])
    assert (entry.what, entry.detail) == (what, detail)


def test_the_same_measured_again_is_folded_per_host_until_it_changes():
    seen = [("server", "pass"), ("pc1", "fail"), ("server", "pass"), ("server", "pass"), ("pc1", "pass")]
    seen += [("server", "fail"), ("server", "pass")]
    events = [measured(f"1001-{host}", what, START + timedelta(hours=n)) for n, (host, what) in enumerate(seen)]
    entries = journal_entries(SITE, events)
    assert [(entry.at.hour - 7, entry.times, entry.until and entry.until.hour - 7) for entry in entries] == [
        (0, 3, 3),
        (1, 1, None),
        (4, 1, None),
        (5, 1, None),
        (6, 1, None),
    ]


def test_a_row_and_a_ledger_that_say_the_same_are_no_news():
    events = [event(kind, number) for number, kind in enumerate([EventKind.ROW, EventKind.LEDGER] * 3)]
    events.append(event(EventKind.ROW, 9, data={**ROW, "state": "upgraded"}))
    assert [(entry.times, entry.until) for entry in journal_entries(SITE, events)] == [(1, None)] * 3


def test_events_of_other_waves_and_sites_are_left_out():
    scopes = ["1", "2", "all"]
    waves = [event(EventKind.HALTED, number, subject=scope) for number, scope in enumerate(scopes)]
    assert told([*waves, event(EventKind.LEDGER, site="1002")]) == ["Wave 1 halted by Kari", "All halted by Kari"]


def test_nothing_is_lost_or_folded_across_a_change():
    kinds = st.sampled_from([("server", "pass"), ("server", "fail"), ("pc1", "pass"), ("pc1", "off")])

    @given(st.lists(kinds, max_size=30))
    def holds(seen: list[tuple[str, str]]) -> None:
        events = [measured(f"1001-{host}", what, START + timedelta(hours=n)) for n, (host, what) in enumerate(seen)]
        entries = journal_entries(SITE, events)
        assert sum(entry.times for entry in entries) == len(seen)
        assert [entry.begins for entry in entries] == sorted(entry.begins for entry in entries)
        for host in ("server", "pc1"):
            mine = [entry.what for entry in entries if entry.what.startswith(f"1001-{host} ")]
            assert all(first != second for first, second in pairwise(mine))

    holds()


def test_days_and_moments_in_norwegian_time():
    assert told_time(datetime(2027, 5, 18, 22, 30, tzinfo=UTC), weekday=True) == "Wednesday 19.05.2027 00:30"
    assert told_time(date(2027, 5, 18)) == "18.05.2027"
    entry = Entry(date(2027, 5, 18), "x", "register", until=date(2027, 5, 19))
    assert (entry.begins, entry.ends) == (
        datetime(2027, 5, 17, 22, tzinfo=UTC),
        datetime(2027, 5, 19, 22, tzinfo=UTC),
    )


def test_a_row_says_that_a_site_became_ready_or_fell_back():
    turns = [None, "not_ready", "not_ready", "ready", "ready", "unreachable"]
    events = [
        event(EventKind.ROW, data={"verdict": verdict, "why": f"w{number}"}) for number, verdict in enumerate(turns)
    ]
    told = [entry.detail for entry in journal_entries(SITE, events)]
    assert told == ["w0", "w1", "became ready, was not ready; w3", "fell back to unreachable, was ready; w5"]
