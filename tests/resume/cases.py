"""The cases: what breaks, where and how, and who goes on; each ends with the comparison with an undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision

from simulator.files import Drive
from tests.resume.driver import (
    TICK,
    Controller,
    Cut,
    Died,
    Fleet,
    MemoryJournal,
    Place,
    PowerLoss,
    next_day,
    refused,
)
from tests.resume.watch import Watch

SITE = "1001"
SERVER = f"{SITE}-server"
FIRST_DATE = "2027-05-18"
MOST_TICKS = 150
RESUMES = ("same", "restored", "elsewhere")
"""Who goes on after a controller died: the same journal, an older copy of it, or another folder with an empty one."""


@dataclass(frozen=True)
class Fault:
    """One thing that breaks at place `at`, counted from the case's beginning or from the fault before.

    do: `die` (the controller), `lose` (the line at a call), `restart` (the server, between two acts), `power` (the
        server at its nth change of the drive within the call, with `kept` of the bytes that it was writing), or the
        status with which the cloud answers instead.
    times: so often at this place, where a call is made again.
    """

    at: int
    do: str
    nth: int = 0
    kept: int | None = None
    times: int = 1

    def __str__(self) -> str:
        parts = [f"{self.do}@{self.at}"]
        parts += [f"write{self.nth}"] if self.nth else []
        parts += [f"kept{self.kept}"] if self.kept is not None else []
        parts += [f"x{self.times}"] if self.times > 1 else []
        return "-".join(parts)


@dataclass(frozen=True)
class Case:
    """Faults, one after the other, and who goes on after each death."""

    faults: tuple[Fault, ...]
    resume: str = "same"

    def __str__(self) -> str:
        return "+".join([*map(str, self.faults), self.resume])


def _fits(fault: Fault, place: Place) -> bool:
    """Whether a fault can be at a place; one that cannot waits for the next that it can be at."""
    match fault.do:
        case "lose":
            return place.kind != "record"
        case "power":
            return place.kind == "call" and not place.after and place.what.startswith(SERVER)
        case _:
            return True


@dataclass
class Breaker:
    """Breaks what the faults say, and remembers the places."""

    fleet: Fleet
    watch: Watch
    faults: list[Fault]
    places: list[Place] = field(default_factory=list)
    changes: dict[int, list[tuple[str, int | None]]] = field(default_factory=dict)
    killed: set[str] = field(default_factory=set)
    _since: int = 0
    _again: tuple[Place, Fault, int] | None = None

    def __post_init__(self) -> None:
        self.fleet.drive(SERVER).changing = self._remember

    def reached(self, place: Place) -> None:
        """At a boundary."""
        self.fleet.drive(SERVER).changing = self._remember
        self.watch.look()
        self.places.append(place)
        if self._again and self._again[0] == place:
            _place, fault, left = self._again
            self._again = (place, fault, left - 1) if left > 1 else None
            self._break(place, fault)
        elif self.faults and self._since >= self.faults[0].at and _fits(self.faults[0], place):
            fault = self.faults.pop(0)
            self._since = 0
            self._again = (place, fault, fault.times - 1) if fault.times > 1 else None
            self._break(place, fault)
        else:
            self._since += 1

    def _break(self, place: Place, fault: Fault) -> None:
        match fault.do:
            case "die":
                raise Died
            case "lose":
                raise Cut
            case "restart":
                self._note_killed()
                self.fleet.restart(SERVER)
                if place.what.startswith(SERVER):
                    raise Cut
            case "power":
                self._arm(fault)
            case status:
                raise refused(int(status))

    def _note_killed(self) -> None:
        """The vendor's program runs: as the ledger knows it, or, not yet in the ledger, as the server does."""
        programs, attempts = self.fleet.hosts[SERVER].programs, self.watch.ledger()["attempts"]
        known = bool(attempts) and attempts[-1]["state"] == "running"
        if known or (programs is not None and programs.migrating):
            self.killed.add("migration")
        if self.places[-1].what.endswith("interactor_upgrade install") and not self.places[-1].after:
            self.killed.add("installer")

    def _arm(self, fault: Fault) -> None:
        drive, left = self.fleet.drive(SERVER), fault.nth

        def changing(path: str, content: bytes | None) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                drive.changing = self._remember
                if fault.kept is not None and content is not None:
                    Drive.write(drive, path, content[: fault.kept])
                self._note_killed()
                raise PowerLoss

        drive.changing = changing

    def _remember(self, path: str, content: bytes | None) -> None:
        self.changes.setdefault(len(self.places) - 1, []).append((path, None if content is None else len(content)))


@dataclass(frozen=True)
class Ran:
    """How a case went.

    places: the boundaries that were passed, in order.
    changes: what was written after a boundary, by its number: path and size, None for what was removed.
    broken: how many of its faults came; what was to break after the site was verified did not.
    killed: what ran when the server went down, of the vendor's programs: `installer`, `migration`.
    lost: why, for each night that was lost.
    date: the move date in the end.
    end: how the site stands, as Watch tells it.
    row: its row.
    """

    places: Sequence[Place]
    changes: Mapping[int, list[tuple[str, int | None]]]
    broken: int
    killed: Set[str]
    lost: Sequence[str]
    date: str
    end: Mapping[str, Any]
    row: Mapping[str, Any]


def play(case: Case, date: str = FIRST_DATE) -> Ran:
    """Run a case to its end. AssertionError for whatever is not as it must be."""
    fleet = Fleet((SITE,))
    fleet.dates[SITE] = date
    watch = Watch(fleet, SITE)
    breaker = Breaker(fleet, watch, list(case.faults))
    controller = Controller(fleet, MemoryJournal(), breaker.reached)
    controller.release()
    backups, lost, story = [], [], []
    for _ in range(MOST_TICKS):
        assert isinstance(controller.journal, MemoryJournal)
        backups.append(controller.journal.snapshot())
        try:
            controller.tick()
        except Died:
            controller = _resumed(fleet, breaker, controller, backups, case.resume)
            fleet.later(TICK)
            continue
        decision = controller.decisions[SITE]
        story.append(f"{fleet.now():%d.%m. %H:%M} {decision.state} {decision.outcome} {decision.why(None)}")
        if decision.outcome == "verified":
            break
        _wait(fleet, watch, decision, lost)
    else:
        raise AssertionError("\n".join([f"case {case} does not end:", *story[-8:]]))
    row = decision.row()
    broken = len(case.faults) - len(breaker.faults)
    return Ran(breaker.places, breaker.changes, broken, breaker.killed, lost, fleet.dates[SITE], watch.end(), row)


def _wait(fleet: Fleet, watch: Watch, decision: Decision, lost: list[str]) -> None:
    """Until something may be due; where the night is lost, the site agrees to another date."""
    soon = fleet.now() + TICK
    if decision.next.step is None and decision.next.at is None:
        opens, ends = watch.move_window()
        if decision.rolled_back or fleet.now() >= ends:
            watch.is_local()
            lost.append(decision.row()["why"])
            fleet.dates[SITE] = next_day(fleet.dates[SITE])
        else:
            # What is known may be old: who plans looks after the night, and the schedule ticks on.
            soon = max(soon, opens)
    fleet.clock.advance_to(max(soon, decision.next.at) if decision.next.at and not decision.next.step else soon)


def _resumed(
    fleet: Fleet, breaker: Breaker, dead: Controller, backups: Sequence[MemoryJournal], how: str
) -> Controller:
    assert isinstance(dead.journal, MemoryJournal)
    journal = {"same": dead.journal, "restored": backups[len(backups) // 2], "elsewhere": MemoryJournal()}[how]
    controller = Controller(fleet, journal, breaker.reached)
    if how == "elsewhere":
        controller.release()
    return controller


@cache
def undisturbed(date: str = FIRST_DATE) -> Ran:
    """The run in which nothing breaks, of a site that moves at `date`."""
    return play(Case(()), date)


def deaths(start: Case, places: Sequence[Place]) -> Iterator[Case]:
    """The controller dies at each of `places` after the faults of `start`, and each of the three goes on."""
    for number in range(len(places)):
        for resume in RESUMES:
            yield Case((*start.faults, Fault(number, "die")), resume)


def broken_lines(start: Case, places: Sequence[Place]) -> Iterator[Case]:
    """Each call of a host or of the cloud is lost on its way, or its answer is; the cloud refuses."""
    for number, place in enumerate(places):
        if place.kind == "call":
            yield Case((*start.faults, Fault(number, "lose")))
        if place.kind == "cloud":
            for times in (1, 2):
                yield Case((*start.faults, Fault(number, "lose", times=times)))
            if not place.after:
                for do, times in (("500", 1), ("500", 2), ("503", 1), ("401", 1)):
                    yield Case((*start.faults, Fault(number, do, times=times)))


def restarts(start: Case, ran: Ran, places: range) -> Iterator[Case]:
    """The server restarts at each boundary, and at each change of its drive, before it and inside the vendor's."""
    for index in places:
        place, number = ran.places[index], index - places.start
        yield Case((*start.faults, Fault(number, "restart")))
        if place.kind == "call" and not place.after and place.what.startswith(SERVER):
            for nth, (path, size) in enumerate(ran.changes.get(index, ()), 1):
                yield Case((*start.faults, Fault(number, "power", nth)))
                if size and path.endswith((".exe", ".jsonl")) and "Setup" not in path:
                    yield Case((*start.faults, Fault(number, "power", nth, size // 2)))


def rolled_back_start() -> Case:
    """The server restarts while the migration runs, so that the move is undone and made another night."""
    places = undisturbed().places
    started = next(n for n, place in enumerate(places) if str(place) == "after record migrate start")
    return Case((Fault(started, "restart"),))


@cache
def all_cases() -> tuple[Case, ...]:
    """Every case that is run."""
    once = undisturbed()
    start = rolled_back_start()
    undone = play(start)
    begin = start.faults[0].at + 1
    ends = max(n for n, place in enumerate(undone.places) if place.what == "rollback discard") + 1
    rollback = range(begin, ends)
    places = [undone.places[n] for n in rollback]
    cases = [
        *deaths(Case(()), once.places),
        *broken_lines(Case(()), once.places),
        *restarts(Case(()), once, range(len(once.places))),
        *deaths(start, places),
        *broken_lines(start, places),
        *restarts(start, undone, rollback),
    ]
    return tuple(dict.fromkeys(cases))


def random_case(seed: int) -> Case:
    """One to four faults of any kind at random places."""
    dice = random.Random(seed)
    faults = [
        Fault(dice.randrange(40), dice.choice(("die", "lose", "restart", "power")), dice.randrange(1, 4), None)
        for _ in range(dice.randrange(1, 5))
    ]
    return Case(tuple(faults), dice.choice(RESUMES))
