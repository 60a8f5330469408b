"""A rehearsal says what the playbooks then do: the same steps, in the same order, at the same ticks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.rehearsal import Rehearsal, rehearse
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Outcome, Phase, Step
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import described_modes
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import norwegian_calendar

from tests.resume.driver import TICK, Controller, Fleet, MemoryJournal, Place

SITE = "1001"
Taken = tuple[datetime, Phase, Step]
# As long as the vendor says that it takes, which is what a rehearsal goes by.
TAKES: Mapping[str, Any] = {"migration": {"minutes": 60}}


def foresee(fleet: Fleet, journal: MemoryJournal, now: datetime) -> Rehearsal:
    """The rehearsal of the site as the journal tells it at `now`."""
    site = Site.from_vars(fleet.variables(SITE))
    settings = Settings(
        target_version=fleet.contract["installer"]["version"], described_modes=described_modes(fleet.contract)
    )
    calendar = norwegian_calendar(range(2026, 2029))
    return rehearse(Situation(site, standing_of(site, journal.latest([SITE])), calendar, settings, now, ""))


def allowed(rehearsal: Rehearsal) -> list[Taken]:
    return [(one.at, one.phase, one.step) for one in rehearsal.steps if one.allowed and one.phase and one.step]


class Watched(Controller):
    """A controller with a journal of its own, that remembers which steps it has put on record and when."""

    def __init__(self, fleet: Fleet) -> None:
        self.done: list[Taken] = []
        self.remembered = MemoryJournal()
        super().__init__(fleet, self.remembered, self._reached)

    def _reached(self, place: Place) -> None:
        if (place.kind, place.after) == ("record", True) and place.what != "rows":
            phase, step = place.what.split()
            self.done.append((self.fleet.now(), Phase(phase), Step(step)))


def told_to_the_end() -> tuple[Fleet, Watched, list[tuple[datetime, MemoryJournal]]]:
    """A whole move by real ticks, and the journal before each of them."""
    fleet = Fleet((SITE,), clock="2027-05-13T06:00:00Z", **{f"site_{SITE}": TAKES})
    controller = Watched(fleet)
    controller.release()
    before = []
    while not controller.decisions or controller.decisions[SITE].outcome is not Outcome.VERIFIED:
        assert fleet.now() < datetime.fromisoformat("2027-05-20T06:00:00Z")
        before.append((fleet.now(), controller.remembered.snapshot()))
        controller.tick()
        fleet.later(TICK)
    return fleet, controller, before


def test_a_move_is_foreseen_from_every_tick_on_and_so_is_its_undoing() -> None:
    fleet, controller, before = told_to_the_end()
    done = list(controller.done)
    now, journal = before[0]
    rehearsal = foresee(fleet, journal, now)
    assert allowed(rehearsal) == done
    assert (rehearsal.outcome, rehearsal.against) == (Outcome.VERIFIED, ())
    assert {step for _at, _phase, step in done} == set(Step) - {Step.CONFIRM, Step.MADE, Step.RESTORE, Step.DISCARD}
    busy = {at for at, _phase, _step in done}
    for now, journal in before:
        if now in busy or now + TICK in busy:
            rest = [taken for taken in done if taken[0] >= now]
            assert allowed(foresee(fleet, journal, now)) == rest, now

    asked = {"site": SITE, "kind": "rollback_asked", "subject": "1", "data": {"name": "Kari", "reason": "they ask"}}
    controller.remembered.record("by hand", fleet.now(), read_events([asked], fleet.now()))
    rehearsal = foresee(fleet, controller.remembered.snapshot(), fleet.now())
    controller.done.clear()
    for _ in range(4):
        controller.tick()
        fleet.later(TICK)
    # A site that waits for another date is measured once a day all the same, which is not part of its way.
    undone = [taken for taken in controller.done if taken[1] is not Phase.PREFLIGHT]
    assert allowed(rehearsal) == undone
    assert [step for _at, _phase, step in undone] == [Step.LOOK, Step.MADE, Step.RESTORE, Step.DISCARD]
    assert rehearsal.outcome is Outcome.ROLLED_BACK
    assert "rolled_back" in [reason.code for reason in rehearsal.against]


@pytest.mark.parametrize(
    ("clock", "kept_from", "code"),
    [
        ("2027-05-13T06:00:00Z", Step.STAGE, "not_released"),
        ("2027-05-14T15:00:00Z", Step.STAGE, "not_released"),
    ],
)
def test_what_the_gate_will_not_allow_is_foreseen_and_never_done(clock: str, kept_from: Step, code: str) -> None:
    fleet = Fleet((SITE,), clock=clock)
    controller = Watched(fleet)
    start = fleet.now()
    rehearsal = foresee(fleet, MemoryJournal(), start)
    assert (rehearsal.steps[-1].allowed, rehearsal.outcome) == (False, Outcome.NOT_STARTED)
    assert [reason.code for reason in rehearsal.against] == [code]
    ends = rehearsal.steps[-1].at
    before = fleet.world.snapshot()
    while fleet.now() <= ends:
        controller.tick()
        fleet.later(TICK)
    assert controller.done == allowed(rehearsal)
    assert kept_from not in {step for _at, _phase, step in allowed(rehearsal)}
    assert fleet.world.snapshot() == before
