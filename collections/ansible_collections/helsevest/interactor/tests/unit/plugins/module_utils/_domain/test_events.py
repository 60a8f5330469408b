# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of event must hold."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import FORMS, WAVE_KINDS, Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind

AT = datetime(2027, 5, 18, 18, 30, tzinfo=UTC)
ROW = {
    "site": "1001",
    "name": "Prøvesund legekontor",
    "wave": 1,
    "window": "20:00–06:00",
    "state": "dated",
    "verdict": None,
    "outcome": "not_started",
    "owes": ["double_proxy"],
    "upgraded": None,
    "started": None,
    "finished": None,
    "switched": "2027-05-18T18:30:00Z",
    "verified": None,
    "counts": {},
    "needs_us": False,
    "why": "",
}
PROXY = {
    "id": "P5",
    "title": "Only the automatic proxy script is set",
    "severity": "blocker",
    "outcome": "fail",
    "observed": "double: profile 1",
    "expected": "script_only",
    "remedy": "",
    "evidence": {},
}
GOOD: dict[EventKind, dict[str, Any]] = {
    EventKind.MEASURED: {
        "site": "1001",
        "host": "1001-server",
        "data": {
            "origin": "measured",
            "reached": False,
            "cause": "timeout",
            "detail": "no answer",
            "verdict": "unreachable",
            "checks": [],
            "version": None,
            "mode": None,
        },
    },
    EventKind.LEDGER: {
        "site": "1001",
        "host": "1001-server",
        "data": {"ledger": None, "error": None, "mode": "local", "version": "5.4.1"},
    },
    EventKind.STEP: {
        "site": "1001",
        "subject": "stage",
        "data": {
            "phase": "upgrade",
            "attempt": None,
            "ok": True,
            "detail": "",
            "started": "2027-05-18T18:30:00Z",
        },
    },
    EventKind.PART_MEASURED: {
        "site": "1001",
        "host": "1001-pc1",
        "data": {"origin": "measured", "families": ["proxy"], "checks": [PROXY]},
    },
    EventKind.CLOUD: {"site": "1001", "data": {"attempts": [{"number": 1, "key": "k", "state": "open"}]}},
    EventKind.USERS: {
        "site": "1001",
        "host": "1001-pc1",
        "data": {
            "reached": True,
            "active": True,
            "sessions": 1,
            "open_files": None,
            "last_activity": None,
            "warned": None,
            "closed": None,
        },
    },
    EventKind.UPGRADE_ALLOWED: {
        "site": "1001",
        "data": {"name": "Kari", "reason": "the office asks", "until": "2027-05-18T16:00:00Z"},
    },
    EventKind.FIXED: {
        "site": "1001",
        "host": "1001-pc1",
        "data": {"undo": False, "changes": [], "left": [], "until": None, "error": None},
    },
    EventKind.MADE: {"site": "1001", "subject": "1", "data": {"known": True, "made": [{"id": "o-1"}]}},
    EventKind.RESTORED: {"site": "1001", "subject": "1", "data": {"equal": False, "changed": ["data/orders"]}},
    EventKind.RECONCILED: {
        "site": "1001",
        "subject": "1",
        "key": "reconciled/1001/1",
        "data": {"equal": True, "differences": [], "counts": {"orders": "412/412"}},
    },
    EventKind.DISCARDED: {"site": "1001", "subject": "1", "data": {}},
    EventKind.CHECKED: {"site": "1001", "subject": "1", "data": {"checks": [{"id": "A1"}]}},
    EventKind.ROLLBACK_ASKED: {"site": "1001", "subject": "1", "data": {"name": "Kari", "reason": "slow"}},
    EventKind.RELEASED: {
        "subject": "1",
        "data": {"name": "Kari", "reason": "", "until": "2027-05-19T04:00:00Z"},
    },
    EventKind.HALTED: {"subject": "all", "data": {"name": "Kari", "reason": "the line is down"}},
    EventKind.RESUMED: {"subject": "2", "data": {"name": "Kari", "reason": ""}},
    EventKind.SIGNATORY_NOTED: {"site": "1001", "key": "signatory_noted/1001/1", "data": {}},
    EventKind.SIGNATORY_REMOVED: {
        "site": "1001",
        "key": "signatory_removed/1001/1",
        "data": {"name": "Kari", "reason": "signed", "entry": "removed"},
    },
    EventKind.ROW: {"site": "1001", "data": ROW},
}


def event(kind: EventKind, **changes: object) -> Event:
    return Event.from_dict({"kind": kind.value, **GOOD[kind], **changes}, AT)


def with_data(kind: EventKind, **changes: object) -> Event:
    return event(kind, data={**GOOD[kind]["data"], **changes})


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_good_event_of_every_kind_and_its_plain_data(kind: EventKind):
    one = dataclasses.replace(event(kind), id=7, run_id="run-1")
    plain = one.to_dict()
    assert plain == {
        "id": 7,
        "run_id": "run-1",
        "at": "2027-05-18T18:30:00Z",
        "site": None,
        "host": None,
        "subject": None,
        "key": None,
        "kind": kind.value,
        **GOOD[kind],
    }
    assert dataclasses.replace(Event.from_dict(plain, AT), id=7, run_id="run-1") == one


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in EventKind for name in FORMS[kind].data])
def test_every_field_is_required_and_a_missing_one_is_named(kind: EventKind, name: str):
    data = {key: value for key, value in GOOD[kind]["data"].items() if key != name}
    with pytest.raises(ValueError, match=rf"^event of kind {kind.value}: data\.{name} is missing$"):
        event(kind, data=data)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in EventKind for name in FORMS[kind].data])
def test_a_field_of_the_wrong_form_is_named(kind: EventKind, name: str):
    with pytest.raises(ValueError, match=rf"^event of kind {kind.value}: data\.{name} must be .*, not "):
        with_data(kind, **{name: {1.5}})


@pytest.mark.parametrize("kind", list(EventKind))
def test_a_site_is_there_exactly_where_no_wave_is_meant(kind: EventKind):
    with pytest.raises(ValueError, match=rf"{kind.value}: site must be "):
        event(kind, site="1001" if kind in WAVE_KINDS else None)


@pytest.mark.parametrize("kind", [EventKind.MEASURED, EventKind.PART_MEASURED, EventKind.LEDGER])
def test_a_host_is_required_where_one_was_asked(kind: EventKind):
    with pytest.raises(ValueError, match="host must be a host's name, not None"):
        event(kind, host=None)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (EventKind.STEP, "dance"),
        (EventKind.STEP, None),
        (EventKind.RECONCILED, "first"),
        (EventKind.DISCARDED, None),
        (EventKind.RELEASED, "all"),
        (EventKind.HALTED, "²"),
        (EventKind.ROW, "1"),
    ],
)
def test_a_wrong_subject_says_what_is_allowed(kind: EventKind, subject: str | None):
    with pytest.raises(ValueError, match=f"{kind.value}: subject must be .*, not {subject!r}"):
        event(kind, subject=subject)


@pytest.mark.parametrize(
    ("kind", "change", "complaint"),
    [
        (EventKind.MEASURED, {"verdict": "fine"}, "must be one of error, unreachable, not_ready, ready, not 'fine'"),
        (EventKind.MEASURED, {"checks": ["P1"]}, "must be a list of dictionaries, not list"),
        (EventKind.MEASURED, {"origin": "guessed"}, "must be one of measured, self_checked, confirmed, not 'guessed'"),
        (EventKind.MEASURED, {"origin": "self_checked"}, "must be a moment as 2027-05-18T18:30:00Z, not None"),
        (EventKind.MEASURED, {"origin": "self_checked", "made": "now"}, "must be a moment as 2027-05-18T18:30:00Z"),
        (EventKind.MEASURED, {"reached": 1}, "must be true or false, not 1"),
        (EventKind.STEP, {"attempt": "one"}, "must be an attempt's number or null"),
        (EventKind.STEP, {"attempt": True}, "must be an attempt's number or null"),
        (EventKind.STEP, {"started": "2027-05-18"}, "must be a moment"),
        (EventKind.RELEASED, {"until": "2027-05-19T04:00:00"}, "must be a moment"),
        (EventKind.RECONCILED, {"equal": False}, "equal is False, and there are 0 differences"),
        (EventKind.ROW, {"site": "1002"}, "data.site must be the event's site '1001', not '1002'"),
        (EventKind.ROW, {"wave": True}, "must be a whole number"),
    ],
)
def test_wrong_data_say_what_is_allowed(kind: EventKind, change: dict[str, Any], complaint: str):
    with pytest.raises(ValueError, match=complaint):
        with_data(kind, **change)


def test_an_attempt_may_be_a_number_or_its_text():
    assert with_data(EventKind.STEP, attempt=1).data["attempt"] == 1
    assert with_data(EventKind.STEP, attempt="1").data["attempt"] == "1"


def test_an_unknown_kind_an_empty_key_a_naive_moment():
    with pytest.raises(ValueError, match=r"kind must be one of measured, part_measured, ledger, .*, not 'gossip'"):
        Event.from_dict({"kind": "gossip"}, AT)
    with pytest.raises(ValueError, match="key must be text or null"):
        event(EventKind.DISCARDED, key="")
    with pytest.raises(ValueError, match="at must have an offset"):
        Event.from_dict({"kind": "discarded", **GOOD[EventKind.DISCARDED]}, datetime(2027, 5, 18))  # noqa: DTZ001


def test_an_error_does_not_repeat_what_lies_inside():
    with pytest.raises(ValueError, match=r"data\.detail must be text or null, not dict") as caught:
        with_data(EventKind.MEASURED, detail={"born": "01.01.1970"})
    assert "1970" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "slot"),
    [
        ({"ledger": None, "error": None}, "none, mode, version"),
        ({"ledger": None, "error": "damaged", "mode": None, "version": None}, "none"),
        ({"ledger": {"attempts": [{}, {}]}, "error": None}, "2 attempts, mode, version"),
        ({"ledger": {"attempts": [{}]}, "error": "of another site"}, "none, mode, version"),
        ({"ledger": {"attempts": [], "upgrade": {"state": "done"}}, "mode": None}, "0 attempts, upgraded, version"),
        ({"ledger": {"attempts": None, "upgrade": {"state": "staged"}}}, "0 attempts, mode, version"),
    ],
)
def test_a_ledger_of_another_slot_is_never_hidden(data: dict[str, Any], slot: str):
    assert with_data(EventKind.LEDGER, **data).slot == slot


def test_the_other_slots():
    assert with_data(EventKind.MEASURED, reached=True).slot == "judged"
    assert with_data(EventKind.MEASURED, reached=True, verdict="error").slot == "error"
    assert with_data(EventKind.MEASURED, reached=False).slot == "unreached"
    made = {"origin": "self_checked", "made": "2027-05-18T18:30:00Z"}
    assert with_data(EventKind.MEASURED, reached=True, **made).slot == "self_checked"
    assert event(EventKind.ROW).slot == ""


def test_a_part_that_is_right_hides_none_that_is_wrong_and_none_hides_another():
    def slot(**outcomes: str) -> str:
        checks = [{"id": name, "outcome": outcome} for name, outcome in outcomes.items()]
        return with_data(EventKind.PART_MEASURED, checks=checks).slot

    assert slot() == slot(P5="pass") == slot(P3="pass", P5="pass") == ""
    wrong = [slot(P5="fail"), slot(P3="unknown"), slot(P5="waived", P3="fail"), ""]
    assert len(set(wrong)) == len(wrong)
    assert slot(P3="fail", P5="fail") == slot(P5="unknown", P3="waived", P8="pass")
    assert len(slot(**{f"P{number}": "fail" for number in range(50)})) <= 64
