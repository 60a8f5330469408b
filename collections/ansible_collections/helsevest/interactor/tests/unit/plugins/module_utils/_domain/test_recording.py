# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal is told of a step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.recording import (
    StepResult,
    events_of,
    rollback_events,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind, Phase, Step

from .conftest import SITE

NOW = "2027-05-18T18:30:00Z"
LEDGER = {"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": []}
RECONCILED = {"equal": True, "differences": [], "counts": {"orders": "3/3"}}


def took(result: dict[str, Any], *, is_server: bool = True) -> StepResult:
    attempt = {"number": 1, "key": "k"}
    return StepResult("1001", "1001-server" if is_server else "1001-pc1", is_server, attempt, NOW, result)


def kinds(phase: Phase, step: Step, result: dict[str, Any], **more: Any) -> list[str]:
    events = events_of(phase, step, [took(result, **more)])
    for event in events:
        fields = {**event, "kind": EventKind(event["kind"])}
        assert Event(at=parse_time(NOW), **fields), "the journal takes every event"
    return [event["kind"] for event in events]


def test_a_probe_of_a_server_brings_its_ledger_home() -> None:
    facts = {"interactor": {"version": "5.4.1", "mode": "local", "ledger": LEDGER, "ledger_error": None}}
    result = {"reached": True, "cause": None, "detail": "", "facts": facts, "checks": [], "verdict": "ready"}
    assert kinds(Phase.PREFLIGHT, Step.PROBE, result) == ["measured", "ledger"]
    assert kinds(Phase.PREFLIGHT, Step.PROBE, {**result, "facts": {"interactor": None}}, is_server=False) == [
        "measured"
    ]


PROBED: dict[str, Any] = {
    "asked": NOW,
    "reached": True,
    "cause": None,
    "detail": "",
    "error": None,
    "facts": {"interactor": {"version": "5.4.1", "mode": "local", "ledger": LEDGER, "ledger_error": None}},
    "checks": [],
    "verdict": "ready",
}


def keys(result: dict[str, Any], run_id: str = "run") -> list[str | None]:
    return [event["key"] for event in events_of(Phase.PREFLIGHT, Step.PROBE, [replace(took(result), run_id=run_id)])]


def test_what_a_host_was_asked_once_has_one_key_whoever_records_it() -> None:
    told = keys(PROBED)
    assert told == [f"measured/1001-server/run/{NOW}", f"ledger/1001-server/run/{NOW}"]
    assert keys({**PROBED, "verdict": "error"}) == told, "it is about the question, not the answer"
    for other in (keys(PROBED, "another run"), keys({**PROBED, "asked": "2027-05-18T18:31:00Z"})):
        assert set(other).isdisjoint(told)
    assert keys({**PROBED, "families": ["proxy"]}) == [f"part_measured/1001-server/run/{NOW}"]


@pytest.mark.parametrize(("result", "run_id"), [({**PROBED, "asked": None}, "run"), (PROBED, "")])
def test_an_answer_without_its_question_has_no_key(result: dict[str, Any], run_id: str) -> None:
    assert keys(result, run_id) == [None, None]


def test_a_host_that_is_off_is_measured_too() -> None:
    result = {"reached": False, "cause": "timeout", "detail": "no answer", "checks": [], "verdict": "unreachable"}
    (event,) = events_of(Phase.PREFLIGHT, Step.PROBE, [took(result)])
    assert (event["data"]["reached"], event["data"]["cause"]) == (False, "timeout")


@pytest.mark.parametrize(
    ("step", "result", "expected"),
    [
        (Step.LOOK, {"ledger": None, "mode": "local"}, ["ledger", "step"]),
        (Step.START, {"ledger": LEDGER, "status": {}}, ["ledger", "step"]),
        (Step.RECONCILE, RECONCILED, ["reconciled", "step"]),
        (Step.DISCARD, {"changed": True}, ["discarded", "step"]),
        (Step.CHECK, {"checks": []}, ["checked", "step"]),
    ],
)
def test_each_step_leaves_its_events(step: Step, result: dict[str, Any], expected: list[str]) -> None:
    assert kinds(Phase.MIGRATE, step, result) == expected


@pytest.mark.parametrize(
    ("step", "result", "detail"),
    [
        (Step.START, {"error": "409: attempt 1 is open"}, "409"),
        (Step.START, {"failed": True, "msg": "boom"}, "boom"),
        (Step.START, {"failed": True}, "failed without a message"),
        (
            Step.START,
            {"reached": False, "cause": "timeout", "detail": "d", "error": None},
            "not reached (timeout: no answer within the time limit)",
        ),
        (Step.LEASE, {"ledger": LEDGER, "held": False, "reason": "it is in use"}, "in use"),
        (Step.INSTALL, {"ledger": LEDGER, "upgraded": False, "reason": "exit code 1603"}, "1603"),
        (Step.STAGE, {"ledger": LEDGER, "staged": False}, "not staged"),
    ],
)
def test_what_did_not_do_what_it_should_is_no_success(step: Step, result: dict[str, Any], detail: str) -> None:
    *_, event = events_of(Phase.MIGRATE, step, [took(result)])
    assert event["kind"] == "step"
    assert not event["data"]["ok"]
    assert detail in event["data"]["detail"]


@pytest.mark.parametrize(
    ("step", "result", "expected"),
    [
        (Step.STAGE, {"ledger": LEDGER, "staged": False, "changed": True}, ["ledger"]),
        (Step.LEASE, {"ledger": None, "held": True, "users": {"active": False}, "changed": True}, []),
        (Step.DISCARD, {"changed": True}, []),
    ],
)
def test_of_a_step_that_a_dry_run_has_not_taken_only_what_was_read_counts(
    step: Step, result: dict[str, Any], expected: list[str]
) -> None:
    assert kinds(Phase.MIGRATE, step, {**result, "dry": True}) == expected
    failed = {**result, "dry": True, "error": "409: attempt 1 is open"}
    assert kinds(Phase.MIGRATE, step, failed) == ["step"], "why it could not be taken is no guess"


@pytest.mark.parametrize(
    ("step", "field"),
    [(Step.LEASE, "held"), (Step.STAGE, "staged"), (Step.INSTALL, "upgraded"), (Step.CONFIRM, "upgraded")],
)
def test_what_has_to_be_asked_again_is_no_failure(step: Step, field: str) -> None:
    *_, event = events_of(Phase.MIGRATE, step, [took({field: False, "again": True, "reason": "wait"})])
    assert (event["data"]["ok"], event["data"]["detail"]) == (True, "wait")


def test_the_users_are_told_host_by_host() -> None:
    free = {"host": "1001-pc1", "reached": False, "active": False}
    busy = {"host": "1001-pc2", "reached": True, "active": True, "sessions": 2}
    first, second, told = events_of(Phase.MIGRATE, Step.USERS, [took({"clients": [free, busy]})])
    assert [(event["kind"], event["host"], event["data"]["active"]) for event in (first, second)] == [
        ("users", "1001-pc1", False),
        ("users", "1001-pc2", True),
    ]
    assert second["data"]["sessions"] == 2
    assert first["data"]["sessions"] is None
    assert (told["data"]["ok"], told["data"]["detail"]) == (True, "Interactor is in use on 1001-pc2")


def test_what_cloud_and_restore_told_is_kept() -> None:
    attempts = [{"number": 1, "key": "k", "state": "open", "counts": {}, "manifest": None}]
    first, _ = events_of(Phase.MIGRATE, Step.CLOUD, [took({"attempts": attempts})])
    assert (first["kind"], first["data"]) == ("cloud", {"attempts": [{"number": 1, "key": "k", "state": "open"}]})
    first, _ = events_of(Phase.ROLLBACK, Step.MADE, [took({"known": True, "made": [{"id": "o-1"}]})])
    assert (first["kind"], first["data"]) == ("made", {"known": True, "made": [{"id": "o-1"}]})
    first, _ = events_of(Phase.ROLLBACK, Step.RESTORE, [took({"as_before": {"equal": False, "changed": ["data/a"]}})])
    assert (first["kind"], first["data"]) == ("restored", {"equal": False, "changed": ["data/a"]})


def test_nothing_is_derived_from_a_step_that_failed() -> None:
    assert kinds(Phase.MIGRATE, Step.DISCARD, {"error": "503"}) == ["step"]
    assert kinds(Phase.MIGRATE, Step.FOLLOW, {"error": "x", "ledger": LEDGER}) == ["step"]


def test_what_a_late_start_has_opened_again_is_discarded_again_under_another_key() -> None:
    def discarded(started: str) -> dict[str, Any]:
        (event, _) = events_of(Phase.ROLLBACK, Step.DISCARD, [replace(took({"changed": True}), started=started)])
        return event

    first, again = discarded(NOW), discarded("2027-05-25T18:30:00Z")
    assert first["key"] == discarded(NOW)["key"] != again["key"]

    def left(*told: dict[str, Any]) -> frozenset[str]:
        events = (Event(at=parse_time(NOW), **{**one, "kind": EventKind(one["kind"])}) for one in told)
        return standing_of(SITE, events).discarded

    def cloud(state: str) -> dict[str, Any]:
        event, _ = events_of(
            Phase.MIGRATE, Step.CLOUD, [took({"attempts": [{"number": 1, "key": "k", "state": state}]})]
        )
        return event

    assert left(first, cloud("discarded")) == {"1"}
    assert left(first, cloud("open")) == frozenset()
    assert left(first, cloud("open"), again) == {"1"}


def test_the_same_reconciliation_has_one_key() -> None:
    first, _ = events_of(Phase.MIGRATE, Step.RECONCILE, [took(RECONCILED)])
    assert (first["key"], first["subject"]) == ("reconciled/1001/1", "1")


def test_a_rollback_is_asked_for_where_there_is_something_to_undo() -> None:
    attempt = {"number": 2, "key": "k"}
    answer = {
        "run_id": "run-7",
        "sites": {
            "1003": {"attempt": attempt, "outcome": "rolled_back", "reasons": [{"code": "rolled_back"}]},
            "1002": {"attempt": None, "outcome": "not_started", "reasons": []},
            "1001": {"attempt": attempt, "outcome": "verified", "reasons": []},
        },
    }
    for given, loses in ((None, None), ("", None), ("3", "3"), ("unknown", "unknown")):
        (event,) = rollback_events(answer, "Kari", "the office asks", given)
        # A wish of another run is another wish: what was refused may be asked for again.
        assert (event["site"], event["subject"], event["key"]) == ("1001", "2", "rollback_asked/1001/2/run-7")
        assert event["data"] == {"name": "Kari", "reason": "the office asks", "loses": loses}
        assert Event(at=parse_time(NOW), **{**event, "kind": EventKind(event["kind"])})


def test_a_rollback_whose_copy_in_the_cloud_waits_for_a_word_is_asked_for_again() -> None:
    decision = {"attempt": {"number": 2}, "outcome": "rolled_back", "reasons": [{"code": "point_of_no_return"}]}
    (event,) = rollback_events({"run_id": "run-7", "sites": {"1001": decision}}, "Kari", "the office asks", "4")
    assert (event["subject"], event["data"]["loses"]) == ("2", "4")


def test_the_morning_check_tells_what_was_made_in_the_cloud() -> None:
    made = {"known": True, "made": [{"category": "orders", "id": "o-1", "at": NOW}]}
    checked, told, _ = events_of(Phase.POSTCHECK, Step.CHECK, [took({"checks": [], "made": made})])
    assert (checked["kind"], told["kind"], told["subject"], told["data"]) == ("checked", "made", "1", made)
    assert kinds(Phase.POSTCHECK, Step.CHECK, {"checks": []}) == ["checked", "step"]
