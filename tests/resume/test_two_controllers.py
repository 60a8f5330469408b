"""Two controllers at the same wave, act by act in every order: one attempt lives, one migration is completed."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.resume.cases import SITE, Breaker, undisturbed
from tests.resume.driver import TICK, Controller, Fleet, MemoryJournal, Place, next_day, read_events
from tests.resume.watch import Watch

DEPTH = 5
MOMENTS = {"upgrade": "2027-05-14T15:00:00Z", "window": "2027-05-18T18:00:00Z", "finished": "2027-05-18T18:45:00Z"}
PATIENCE = 30.0


class Turns:
    """Lets one of two threads go on at a time, from boundary to boundary, in a given order; then each to its end."""

    def __init__(self, order: Sequence[int]) -> None:
        self._order = iter(order)
        self._may = [threading.Semaphore(0), threading.Semaphore(0)]
        self._stands = threading.Semaphore(0)
        self._ended = [False, False]
        self._errors: list[BaseException] = []

    def at(self, number: int) -> Callable[[Place], None]:
        """What the controller with this number calls at its boundaries."""

        def reached(_place: Place) -> None:
            self._stands.release()
            assert self._may[number].acquire(timeout=PATIENCE)

        return reached

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Run both to their ends; what one raises is raised here."""

        def work(number: int) -> None:
            assert self._may[number].acquire(timeout=PATIENCE)
            try:
                works[number]()
            except BaseException as error:  # an assertion of a thread has to be this test's
                self._errors.append(error)
            self._ended[number] = True
            self._stands.release()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        while not all(self._ended):
            turn = next(self._order, 0)
            self._may[1 - turn if self._ended[turn] else turn].release()
            assert self._stands.acquire(timeout=PATIENCE)
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]


def moves(order: Sequence[int], moment: str, *, shared: bool) -> None:
    """A whole move in which the ticks at `moment` are two at once, in `order`; then one of them goes on alone."""
    fleet = Fleet()
    watch = Watch(fleet, SITE)
    breaker = Breaker(fleet, watch, [])
    journal = MemoryJournal()
    both = [Controller(fleet, journal if shared else MemoryJournal(), breaker.reached) for _ in range(2)]
    for controller in both[: 1 if shared else 2]:
        controller.release()
    for controller in _ticks(fleet, both[0]):
        if fleet.now().strftime("%Y-%m-%dT%H:%M:%SZ") == moment:
            turns = Turns(order)
            for number, each in enumerate(both):
                wait = turns.at(number)
                each.reached = lambda place, wait=wait: (wait(place), breaker.reached(place))[0]
            turns.run([each.tick for each in both])
            for each in both:
                each.reached = breaker.reached
        else:
            controller.tick()
    assert watch.end() == undisturbed().end
    programs = fleet.hosts[f"{SITE}-server"].programs
    assert programs is not None
    assert programs.migrations_started == 1
    assert len(watch.ledger()["attempts"]) == 1


def _ticks(fleet: Fleet, controller: Controller) -> Iterator[Controller]:
    for _ in range(60):
        yield controller
        decision = controller.decisions[SITE]
        if decision.outcome == "verified":
            return
        soon = fleet.now() + TICK
        waits = decision.next.at if decision.next.step is None else None
        fleet.clock.advance_to(max(soon, waits) if waits else soon)
    raise AssertionError(f"it does not end: {controller.decisions[SITE].row()['why']}")


@pytest.mark.parametrize("shared", [True, False], ids=["one journal", "two journals"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_every_order_of_the_first_acts(moment: str, shared: bool) -> None:
    for order in itertools.product((0, 1), repeat=DEPTH):
        moves(order, MOMENTS[moment], shared=shared)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(0, 1), min_size=DEPTH, max_size=60), st.sampled_from(sorted(MOMENTS)), st.booleans())
def test_any_order_of_a_whole_tick(order: list[int], moment: str, shared: bool) -> None:
    moves(order, MOMENTS[moment], shared=shared)


def test_a_start_that_arrives_after_its_attempt_was_discarded_does_not_hold_the_site() -> None:
    fleet, journal, late = Fleet(), MemoryJournal(), [True]
    first = fleet.dates[SITE]

    def say(kind: str) -> None:
        event = {"kind": kind, "subject": "1", "data": {"name": "Kari", "reason": "a pause"}}
        journal.record("halt", fleet.now(), read_events([event], fleet.now()))

    def reached(place: Place) -> None:
        if late and place == Place("cloud", "POST attempts", False):
            # The request is on its way; meanwhile a halt lets another controller undo what is prepared.
            late.clear()
            say("halted")
            Controller(fleet, journal).tick()
            say("resumed")

    controller = Controller(fleet, journal, reached)
    controller.release()
    for _ in _ticks(fleet, controller):
        controller.tick()
        if controller.decisions[SITE].rolled_back:
            assert fleet.dates[SITE] == first, "it is undone once"
            fleet.dates[SITE] = next_day(first)
    assert [attempt["state"] for attempt in fleet.world.cloud.snapshot()[SITE]] == ["discarded", "completed"]
