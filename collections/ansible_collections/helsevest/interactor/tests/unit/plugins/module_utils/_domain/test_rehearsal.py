# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move rehearsed: it ends, it skips nothing, and every step in it is the gate's to allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate import may
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.predict import EFFECTS, predict
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.rehearsal import (
    MOST_TICKS,
    TICK,
    Foreseen,
    RehearsalError,
    rehearse,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import Standing, Users
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Situation, next_step
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    STEPS,
    AttemptState,
    Outcome,
    Phase,
    Step,
)
from hypothesis import event, given, settings

from .conftest import SITE
from .test_gate import AGAINST, DAY_ZERO, HOSTS, MOVE_NIGHT, VERSION, against, measured, situation, situations

MakeSite = Callable[..., Site]
GOES_ON = {"not_measured", "preflight_expired", "point_of_no_return"}
"""What is settled by the next step itself: the hosts are measured; a wish to roll back that a run refused lapses."""


def make(**changes: Any) -> Site:
    return replace(SITE, **changes)


def fresh(site: Site = SITE, at: datetime = DAY_ZERO, **changes: Any) -> Situation:
    """A site that no run has looked at in this tick."""
    return situation(site, at, **{"ledger_run": None, "cloud_run": None, "users": {}, **changes})


def told(steps: tuple[Foreseen, ...]) -> list[tuple[str, str]]:
    return [(f"{one.at:%d.%m. %H:%M}", f"{one.phase} {one.step}") for one in steps]


def test_the_whole_way_of_a_site_on_which_all_is_well() -> None:
    rehearsal = rehearse(fresh())
    migrate = ("look", "cloud", "lease", "users", "manifest", "start", "follow")
    assert told(rehearsal.steps) == [
        ("11.05. 07:00", "preflight probe"),
        ("11.05. 15:00", "upgrade look"),
        ("11.05. 15:00", "upgrade stage"),
        *((f"{day}.05. 07:00", "preflight probe") for day in (12, 13, 14)),
        ("14.05. 15:00", "upgrade look"),
        ("14.05. 15:00", "upgrade install"),
        *((f"{day}.05. 07:00", "preflight probe") for day in (15, 16, 17, 18)),
        *(("18.05. 18:00", f"migrate {step}") for step in migrate),
        *((f"18.05. 18:{minute}", "migrate follow") for minute in (15, 30, 45)),
        *(("18.05. 19:00", f"migrate {step}") for step in ("follow", "reconcile", "switch", "handback")),
        ("19.05. 05:00", "postcheck check"),
    ]
    assert all(one.allowed and not one.reasons for one in rehearsal.steps)
    assert (rehearsal.outcome, rehearsal.against) == (Outcome.VERIFIED, ())


def test_a_move_that_takes_longer_than_the_window_is_undone_in_the_rehearsal_too() -> None:
    site = make()
    long = replace(fresh(site).settings, move_takes=timedelta(hours=9, minutes=45))
    rehearsal = rehearse(replace(fresh(site), settings=long))
    assert [one.step for one in rehearsal.steps[-4:]] == [Step.RECONCILE, Step.SWITCH, Step.HANDBACK, Step.CHECK]
    # The window of that night is ten hours; with a tick every half hour the end is seen too late to switch.
    rehearsal = rehearse(replace(fresh(site), settings=long), tick=timedelta(minutes=30))
    assert [one.step for one in rehearsal.steps[-4:]] == [Step.LOOK, Step.RESTORE, Step.DISCARD, None]
    assert rehearsal.outcome is Outcome.ROLLED_BACK


def test_the_ticks_are_a_setting() -> None:
    hourly = rehearse(fresh(), tick=timedelta(hours=1))
    assert [one.at for one in hourly.steps if one.step is Step.FOLLOW] == [
        parse_time("2027-05-18T18:00:00Z"),
        parse_time("2027-05-18T19:00:00Z"),
    ]


@pytest.mark.parametrize("code", AGAINST)
def test_it_ends_where_the_gate_does_not_allow_it_with_every_reason(code: str) -> None:
    case = against(make, code)
    rehearsal = rehearse(case)
    if code in GOES_ON:
        assert (rehearsal.outcome, rehearsal.against) == (Outcome.VERIFIED, ())
        return
    assert code in [reason.code for reason in rehearsal.against]
    assert [one.allowed for one in rehearsal.steps] == [True] * (len(rehearsal.steps) - 1) + [False]


@pytest.mark.parametrize("state", AttemptState)
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=10), timedelta(hours=14)])
def test_it_ends_from_wherever_an_attempt_stands(state: AttemptState, held: bool, late: timedelta) -> None:
    at = MOVE_NIGHT + late
    switched = MOVE_NIGHT if state is AttemptState.SWITCHED else None
    ended = MOVE_NIGHT if state is AttemptState.ROLLED_BACK else None
    attempt = Attempt(1, "k", state, started=MOVE_NIGHT, switched=switched, ended=ended)
    ledger = Ledger("1001", lease_held=held, attempts=(attempt,))
    mode = "server_in_cloud" if switched else "local"
    rehearsal = rehearse(fresh(at=at, **VERSION, ledger=ledger, known_attempts=1, mode=mode))
    done = state is AttemptState.SWITCHED or (late == timedelta(0) and state.is_open)
    undone = not done or state is AttemptState.FAILED
    assert rehearsal.outcome is (Outcome.ROLLED_BACK if undone else Outcome.VERIFIED)
    assert bool(rehearsal.against) is undone


def test_people_in_interactor_are_taken_to_have_left_by_the_next_tick() -> None:
    busy = {HOSTS[1]: Users(MOVE_NIGHT, "run-1", reached=True, active=True)}
    rehearsal = rehearse(fresh(at=MOVE_NIGHT, **VERSION, users=busy))
    assert rehearsal.outcome is Outcome.VERIFIED


def test_a_host_that_was_not_reached_is_not_reached_again() -> None:
    off = tuple(replace(one, reached=one.host != HOSTS[0], cause="timeout") for one in measured(DAY_ZERO))
    rehearsal = rehearse(fresh(measurements=off))
    assert ([reason.code for reason in rehearsal.against], rehearsal.outcome) == (["SERVER"], Outcome.NOT_STARTED)


def test_what_each_step_leaves_is_told_for_every_step() -> None:
    assert set(EFFECTS) == set(Step)


def test_nothing_comes_of_no_step() -> None:
    case = fresh()
    assert next_step(case).step is None
    with pytest.raises(ValueError, match="no step is due"):
        predict(case, next_step(case))


def test_a_circle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    unmoved: Callable[[Situation, Any], Standing] = lambda case, following: case.standing  # noqa: E731
    monkeypatch.setitem(EFFECTS, Step.START, unmoved)  # type: ignore[arg-type]
    with pytest.raises(RehearsalError, match=f"site 1001: .* {MOST_TICKS} ticks"):
        # Without an end of its window a site would try for ever.
        rehearse(fresh(make(), at=MOVE_NIGHT, **VERSION), tick=timedelta(microseconds=1))


def ticks(case: Situation, until: datetime) -> list[Foreseen]:
    """The rehearsal told without any haste: at every tick the gate is asked, and what it allows is taken."""
    order = [(phase, step) for phase in Phase for step in STEPS[phase]]
    found: list[Foreseen] = []
    number = 0
    while case.now <= until:
        case = replace(case, run_id=f"tick-{number}")
        left = list(order)
        while True:
            answer = may(case)
            taken = (answer.next.phase, answer.next.step)
            if not answer.allowed or taken not in left:
                break
            left = left[left.index(taken) + 1 :]  # type: ignore[arg-type]
            found.append(Foreseen(case.now, *taken, allowed=True))
            case = replace(case, standing=predict(case, answer.next))
        number += 1
        passed = timedelta(minutes=case.now.minute % 15, seconds=case.now.second)
        case = replace(case, now=case.now - passed + TICK)
    return found


def without_looks(case: Situation, steps: list[Foreseen]) -> list[Foreseen]:
    """A ledger in doubt is read again at every tick until somebody mends it; a rehearsal does not tell each time."""
    return [one for one in steps if not (case.ledger_doubtful and one.step is Step.LOOK)]


@settings(deadline=None, max_examples=60)
@given(make_case=situations())
def test_a_rehearsal_is_the_same_as_asking_the_gate_at_every_tick(
    make_case: Callable[[MakeSite], Situation],
) -> None:
    case = make_case(make)
    rehearsal = rehearse(case)
    *before, last = rehearsal.steps or (Foreseen(case.now, None, None, allowed=False),)
    steps = [*before, last] if last.allowed else before
    event(f"ends: {rehearsal.outcome}, {len(steps) // 5 * 5} steps or more")
    assert without_looks(case, ticks(case, last.at)) == without_looks(case, steps)
    assert last.allowed is not bool(last.reasons) or rehearsal.steps == ()
    assert [one.at for one in steps] == sorted(one.at for one in steps)
