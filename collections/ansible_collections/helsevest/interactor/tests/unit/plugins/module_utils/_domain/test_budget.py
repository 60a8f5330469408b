# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure budget: what counts as failed and on whose side, and when a wave halts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.budget import (
    DEFAULT,
    NAME,
    Allowance,
    Budget,
    Failed,
    failed_of,
    halt_of,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import Reconciliation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import reconcile as compared
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Release,
    RollbackAsked,
    StepRecord,
    Users,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    AttemptState,
    EventKind,
    Step,
    Whose,
)
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE
from .test_gate import HOSTS, MOVE_NIGHT, UPGRADE_EVENING, VERSION, situation

OURS, THEIRS = Whose.OURS, Whose.THEIRS
STAGING = UPGRADE_EVENING - timedelta(hours=1) - timedelta(days=3)
"""Three days before the evening opens, which is when the date's own time begins."""
MOVE_OPENS = MOVE_NIGHT - timedelta(minutes=30)
DATES = {"first": "2027-05-18", "last": "2027-05-18"}
ENTRY = {"count": 3, "hash": "0" * 64, **DATES}
MANIFEST = dict.fromkeys(("orders", "started_requisitions", "favourite_packages"), ENTRY)
FEWER = {**MANIFEST, "favourite_packages": {**ENTRY, "count": 2}}
NO_ORDERS = {**MANIFEST, "orders": {**ENTRY, "count": 2}}


def reconcile(before: Mapping[str, Any], after: Mapping[str, Any]) -> Reconciliation:
    """Two manifests of one night."""
    return compared(before, after, date(2027, 5, 18), 12)


def failed(at: datetime, site: Mapping[str, Any] | None = None, **changes: Any) -> Whose | None:
    return decide(situation(replace(SITE, **(site or {})), at, **changes)).failed


def attempt(state: AttemptState, **times: datetime) -> dict[str, Any]:
    one = Attempt(1, "k", state, started=MOVE_NIGHT, before=MANIFEST, **times)
    return {**VERSION, "ledger": Ledger("1001", attempts=(one,)), "known_attempts": 1}


def upgrade(state: str, finished: datetime | None) -> dict[str, Any]:
    return {"ledger": Ledger("1001", upgrade=Upgrade(state, "6.2.0", finished, "1603"))}


def measured(at: datetime, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"origin": "measured", "reached": True, "error": None, "checks": ()}
    return {"measurements": (HostMeasurement(HOSTS[0], "server", at, **{**fields, **changes}),)}


def off(at: datetime, cause: str = "timeout") -> dict[str, Any]:
    return measured(at, reached=False, cause=cause)


LATER = MOVE_NIGHT + timedelta(hours=1)
SWITCHED = attempt(AttemptState.SWITCHED, switched=LATER)
UNDONE = attempt(AttemptState.ROLLED_BACK, ended=LATER)
ASKED = {"rollback_asked": {"1": RollbackAsked("Kari", "the office asks")}}
BROKE = StepRecord(Step.INSTALL, UPGRADE_EVENING, ok=False, detail="1603")
BUSY = {HOSTS[1]: Users(MOVE_NIGHT + timedelta(hours=3), "run-0", reached=True, active=True)}


@pytest.mark.parametrize(
    ("at", "changes", "whose"),
    [
        (MOVE_NIGHT, VERSION, None),
        (LATER, attempt(AttemptState.RUNNING), None),
        # Ours: how the move ended, or is ending.
        (LATER, attempt(AttemptState.FAILED), OURS),
        (LATER, {**attempt(AttemptState.FAILED), **ASKED}, None),
        (LATER, UNDONE, OURS),
        (LATER, {**UNDONE, **ASKED}, None),
        (LATER, {**SWITCHED, "reconciled": {"1": reconcile(MANIFEST, MANIFEST)}}, None),
        (LATER, {**SWITCHED, "reconciled": {"1": reconcile(MANIFEST, FEWER)}}, OURS),
        # By another controller, or before the journal was restored: whether it differs is not known yet.
        (LATER, SWITCHED, None),
        (LATER, {**SWITCHED, "last_step": StepRecord(Step.RECONCILE, LATER, ok=False, detail="HTTP 503")}, OURS),
        (LATER, {**attempt(AttemptState.COMPLETED), "reconciled": {"1": reconcile(MANIFEST, NO_ORDERS)}}, OURS),
        (MOVE_NIGHT + timedelta(hours=12), attempt(AttemptState.RUNNING), OURS),
        # Ours: the ledger, the upgrade, a verdict, a step.
        (UPGRADE_EVENING, {"ledger_error": "line 3: no JSON"}, OURS),
        (UPGRADE_EVENING, {"known_attempts": 1}, OURS),
        (UPGRADE_EVENING, upgrade("failed", UPGRADE_EVENING), OURS),
        (UPGRADE_EVENING, upgrade("failed", None), OURS),
        (UPGRADE_EVENING, upgrade("incident", UPGRADE_EVENING), OURS),
        (UPGRADE_EVENING, upgrade("staged", None), None),
        (UPGRADE_EVENING, measured(UPGRADE_EVENING, error="KeyError"), OURS),
        (UPGRADE_EVENING, {"last_step": BROKE}, OURS),
        (UPGRADE_EVENING, {"last_step": replace(BROKE, cause="credentials")}, OURS),
        (UPGRADE_EVENING, {"last_step": replace(BROKE, cause="timeout")}, THEIRS),
        (UPGRADE_EVENING, {"last_step": replace(BROKE, ok=True)}, None),
        # Theirs.
        (UPGRADE_EVENING, off(UPGRADE_EVENING), THEIRS),
        (UPGRADE_EVENING, off(UPGRADE_EVENING, "name"), OURS),
        (MOVE_NIGHT + timedelta(hours=4), {**VERSION, "users": BUSY}, THEIRS),
        (MOVE_NIGHT + timedelta(hours=3), {**VERSION, "users": BUSY}, None),
        (MOVE_OPENS, {**upgrade("restart", UPGRADE_EVENING), **VERSION}, THEIRS),
        (MOVE_OPENS - timedelta(minutes=1), {**upgrade("restart", UPGRADE_EVENING), **VERSION}, None),
    ],
)
def test_what_counts_as_failed_and_on_whose_side(at: datetime, changes: Mapping[str, Any], whose: Whose | None) -> None:
    assert failed(at, **changes) is whose


def test_a_site_that_is_not_ready_counts_from_its_evening_on_and_only_in_a_released_wave() -> None:
    unsigned = {"agreement_status": "sent"}
    opens = UPGRADE_EVENING - timedelta(hours=1)
    assert failed(opens, unsigned) is THEIRS
    assert failed(opens - timedelta(seconds=1), unsigned) is None
    assert failed(opens, unsigned, release=None) is None
    assert failed(opens, unsigned, release=Release("Kari", opens)) is THEIRS, "also when the release has run out"
    moved = {**SWITCHED, "reconciled": {"1": reconcile(MANIFEST, MANIFEST)}}
    assert failed(LATER, unsigned, **moved) is None, "what has moved is not held to be ready"


def test_someone_in_interactor_who_may_be_closed_out_is_no_failure() -> None:
    changes = {**VERSION, "users": BUSY}
    assert failed(MOVE_NIGHT + timedelta(hours=4), {"close_agreed": True}, **changes) is None


@pytest.mark.parametrize(
    "changes",
    [
        upgrade("failed", UPGRADE_EVENING),
        {"last_step": BROKE},
        {**UNDONE, "discarded": frozenset({"1"})},
        {**SWITCHED, "reconciled": {"1": reconcile(MANIFEST, FEWER)}},
    ],
)
def test_only_what_belongs_to_the_present_date_counts(changes: Mapping[str, Any]) -> None:
    """What failed last week, and has a new date, is forgotten; nor does anything count before the date's own time."""
    new = {"move_date": date(2027, 6, 1)}
    assert failed(parse_time("2027-05-31T16:00:00Z"), new, **changes) is None
    assert failed(UPGRADE_EVENING + timedelta(days=6), {"move_date": None}, **changes) is None


def test_the_dates_own_time_begins_when_its_installer_is_staged() -> None:
    broken = {"ledger_error": "line 3: no JSON"}
    assert failed(STAGING, **broken) is OURS
    assert failed(STAGING - timedelta(seconds=1), **broken) is None


@pytest.mark.parametrize(
    ("allowance", "sites", "told"),
    [
        (DEFAULT.allowed[OURS], 4, 2),
        (DEFAULT.allowed[OURS], 59, 2),
        (DEFAULT.allowed[OURS], 60, 3),
        (DEFAULT.allowed[OURS], 79, 3),
        (DEFAULT.allowed[OURS], 80, 4),
        (DEFAULT.allowed[THEIRS], 29, 5),
        (DEFAULT.allowed[THEIRS], 30, 6),
        (Allowance(0, 0.29), 100, 29),
        (Allowance(0, 0), 100, 0),
        (Allowance(0, 1), 7, 7),
    ],
)
def test_allowed_is_the_count_or_the_share_whichever_is_more(allowance: Allowance, sites: int, told: int) -> None:
    assert allowance.of(sites) == told


def failures(number: int, whose: Whose = OURS, first: int = 1001) -> list[Failed]:
    return [Failed(str(first + n), "2027-05-18", whose) for n in range(number)]


def recorded(*raw: dict[str, Any]) -> list[Event]:
    return [Event.from_dict(one, MOVE_NIGHT) for one in raw]


def said(kind: EventKind, scope: str = "1", name: str = "Kari") -> dict[str, Any]:
    return {"kind": kind.value, "subject": scope, "data": {"name": name, "reason": "so it is"}}


def test_a_wave_halts_when_more_have_failed_than_may_on_either_side() -> None:
    assert halt_of(1, 60, failures(3), [], DEFAULT) is None
    halt = halt_of(1, 60, [*failures(4), *failures(12, THEIRS, 2001)], [], DEFAULT)
    assert halt is not None
    assert (halt["kind"], halt["subject"], halt["data"]["name"]) == ("halted", "1", NAME)
    assert halt["data"]["reason"] == "4 of 60 failed on our side (allowed: 3): 1001, 1002, 1003, 1004"
    assert halt["data"]["failed"] == [f"{site} 2027-05-18 ours" for site in (1001, 1002, 1003, 1004)]
    both = halt_of(1, 60, [*failures(4), *failures(13, THEIRS, 2001)], [], DEFAULT)
    assert both is not None
    assert "13 of 60 failed on the offices' side (allowed: 12): 2001, " in both["data"]["reason"]
    assert len(both["data"]["failed"]) == 17


def test_only_a_further_failure_halts_again() -> None:
    first = halt_of(1, 4, failures(3), [], DEFAULT)
    assert first is not None
    events = recorded(first)
    assert halt_of(1, 4, failures(3), events, DEFAULT) is None, "it stands"
    events += recorded(said(EventKind.RESUMED))
    assert halt_of(1, 4, failures(3), events, DEFAULT) is None
    again = halt_of(1, 4, failures(4), events, DEFAULT)
    assert again is not None
    assert again["key"] != first["key"]
    # One that is mended does not make the others new.
    events += recorded(again, said(EventKind.RESUMED))
    assert halt_of(1, 4, failures(4)[1:], events, DEFAULT) is None
    # On another date it is another failure.
    moved = [*failures(3)[1:], replace(failures(1)[0], move_date="2027-06-01")]
    assert halt_of(1, 4, moved, events, DEFAULT) is not None
    # The halts of another wave say nothing of this one.
    assert halt_of(2, 4, failures(3), events, DEFAULT) is not None


@pytest.mark.parametrize("scope", ["1", "all"])
def test_what_a_person_has_halted_is_left_so_and_halts_when_it_is_resumed(scope: str) -> None:
    events = recorded(said(EventKind.HALTED, scope))
    assert halt_of(1, 4, failures(3), events, DEFAULT) is None
    events += recorded(said(EventKind.RESUMED, scope))
    assert halt_of(1, 4, failures(3), events, DEFAULT) is not None


def test_a_wave_may_have_a_budget_of_its_own() -> None:
    told = Budget.from_dict({"ours": {"count": 7}, "waves": {"2": {"ours": {"share": 0.5}, "theirs": {"count": 0}}}})
    assert [told.of(wave, OURS, 60) for wave in (1, 2)] == [7, 30]
    assert [told.of(wave, THEIRS, 4) for wave in (1, 2)] == [5, 0]
    assert Budget.from_dict({}) == DEFAULT


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"ours": {"count": -1}}, "count: -1; allowed: a whole number from 0"),
        ({"ours": {"count": True}}, "count: True"),
        ({"theirs": {"share": 1.5}}, "share: 1.5; allowed: 0 to 1"),
        ({"theirs": {"share": "many"}}, "share: 'many'"),
        ({"their": {"count": 1}}, "their: {'count': 1}; allowed: ours and theirs"),
        ({"ours": {"number": 1}}, "ours: {'number': 1}"),
        ({"ours": 3}, "ours: 3"),
        ({"waves": {"one": {}}}, "waves: .*; allowed: a dictionary by the waves' numbers"),
        ({"waves": {"1": 3}}, "3; allowed: a dictionary with ours and theirs"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Budget.from_dict(raw)


def test_a_row_tells_the_failure_and_one_of_an_earlier_version_none() -> None:
    row = decide(situation(SITE, LATER, **UNDONE)).row()
    assert failed_of(row) == Failed("1001", "2027-05-18", OURS)
    assert failed_of({"site": "1001"}) is None


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40), st.integers(0, 4), st.integers(1, 8))
def test_no_more_begin_than_are_allowed_to_fail_and_were_running(
    course: list[tuple[bool, bool]], allowed: int, at_once: int
) -> None:
    """Sites begin while nothing stands against it, so many at once, and end well or not, in any order.

    From the failure on that is one too many no further site begins: so at most `allowed` + 1 have failed when the wave
    halts, and no more of those fail afterwards than were running then.
    """
    budget = Budget({OURS: Allowance(allowed, 0), THEIRS: Allowance(allowed, 0)})
    events: list[Event] = []
    lost: list[Failed] = []
    running, begun, running_at_halt = 0, 0, 0
    for ends, fails in course:
        if ends and running:
            running -= 1
            if fails:
                lost.append(Failed(str(begun * 100 + len(lost)), "2027-05-18", OURS))
        halt = halt_of(1, 40, lost, events, budget)
        if halt and not events:
            running_at_halt = running
        events += recorded(halt) if halt else []
        if not events and running < at_once:
            running, begun = running + 1, begun + 1
        assert len(lost) <= allowed + 1 + running_at_halt
    assert bool(events) is (len(lost) > allowed)
