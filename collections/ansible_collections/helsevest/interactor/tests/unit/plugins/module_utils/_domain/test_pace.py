# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run takes a site: in the one order, each step once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pace import PACED, Taken, take
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Next
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import STEPS, Phase, Step
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE
from .test_gate import MOVE_NIGHT, VERSION, situation

ORDER = [(phase, step) for phase in PACED for step in STEPS[phase]]


def decision(phase: Phase | None, step: Step | None, *, allowed: bool = True) -> Decision:
    of_the_night = decide(situation(SITE, MOVE_NIGHT, **VERSION))
    return replace(of_the_night, next=Next(phase, step, (SITE.server_host,)), allowed=allowed)


def test_all_phases_but_the_preflight_are_taken_and_a_failed_move_is_undone_in_the_same_run() -> None:
    assert set(PACED) == set(Phase) - {Phase.PREFLIGHT}
    assert PACED.index(Phase.MIGRATE) < PACED.index(Phase.ROLLBACK)


@pytest.mark.parametrize("last", [None, *ORDER])
@pytest.mark.parametrize("following", ORDER)
def test_a_step_is_taken_only_after_those_that_stand_before_it(following: Taken, last: Taken | None) -> None:
    later = last is None or ORDER.index(following) > ORDER.index(last)
    assert take(decision(*following), PACED, last) == (following if later else None)


def test_nothing_is_taken_that_is_not_allowed_not_due_or_not_the_runs() -> None:
    assert take(decision(Phase.MIGRATE, Step.START, allowed=False), PACED, None) is None
    assert take(decision(Phase.MIGRATE, None), PACED, None) is None
    assert take(decision(None, None), PACED, None) is None
    assert take(decision(Phase.PREFLIGHT, Step.PROBE), PACED, None) is None
    assert take(decision(Phase.MIGRATE, Step.START), [Phase.UPGRADE, Phase.ROLLBACK], None) is None


@given(st.lists(st.sampled_from(ORDER)))
def test_a_run_ends_whatever_the_gate_says(told: list[Taken]) -> None:
    """However often the gate names a step, none is taken twice and the run goes forward only."""
    taken: list[Taken] = []
    for following in told:
        step = take(decision(*following), PACED, taken[-1] if taken else None)
        if step is None:
            break
        taken.append(step)
    assert taken == sorted(set(taken), key=ORDER.index)


def test_the_first_step_of_the_night_is_to_look_and_one_that_was_seen_goes_on() -> None:
    unread = decide(situation(SITE, MOVE_NIGHT, **VERSION, ledger_run="run-1"))
    assert take(unread, PACED, None) == (Phase.MIGRATE, Step.LOOK)
    assert take(decide(situation(SITE, MOVE_NIGHT, **VERSION)), PACED, (Phase.MIGRATE, Step.LOOK)) == (
        Phase.MIGRATE,
        Step.LEASE,
    )
    assert take(decide(situation(SITE, MOVE_NIGHT - timedelta(hours=2), **VERSION)), PACED, None) is None
