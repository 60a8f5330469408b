# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner's question and its answer: parties of sites, the nights that each may have, and the room of each night.

Sites that are alike for the question (same nights, same size, same weight) are one class. A solver only has to say how
many of a class move on which night; who of them does is decided here, and the same for the same register.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from zlib import crc32


class Goal(StrEnum):
    """What a plan is good at, in order of weight: a later goal never costs anything of an earlier one."""

    ANSWERED = "answered"
    RESERVED = "reserved"
    KEPT = "kept"
    TOGETHER = "together"
    EARLY = "early"


MAXIMIZED = frozenset({Goal.ANSWERED, Goal.RESERVED, Goal.KEPT})


@dataclass(frozen=True, order=True)
class Option:
    """One night that a party may have, and how many calls it brings on which mornings."""

    night: date
    calls: tuple[tuple[date, int], ...]


@dataclass(frozen=True)
class Party:
    """Sites that move in the same night: one site, or all of one shared server.

    `epjs` counts them by EPJ, where it matters. `previous` is the night that an earlier plan gave them.
    """

    id: str
    sites: tuple[str, ...]
    answered: bool
    options: tuple[Option, ...]
    epjs: tuple[tuple[str, int], ...] = ()
    previous: date | None = None

    @property
    def size(self) -> int:
        """How many sites move, and how many calls the morning brings."""
        return len(self.sites)


@dataclass(frozen=True)
class Problem:
    """All parties that want a night, and the room that promised sites have left.

    `moves` by night, `calls` by morning, `epj` by EPJ and night where there is a limit. `together`: as few EPJ systems
    per night as can be; those in `met` come that night anyway.
    """

    first: date
    parties: tuple[Party, ...]
    moves: Mapping[date, int]
    calls: Mapping[date, int]
    epj: Mapping[tuple[str, date], int] = field(default_factory=dict)
    together: bool = False
    met: frozenset[tuple[str, date]] = frozenset()

    def goals(self) -> list[Goal]:
        """The goals that this problem has, in order."""
        have = {
            Goal.ANSWERED: any(party.answered for party in self.parties),
            Goal.RESERVED: any(not party.answered for party in self.parties),
            Goal.KEPT: any(party.previous for party in self.parties),
            Goal.TOGETHER: self.together,
            Goal.EARLY: bool(self.parties),
        }
        return [goal for goal in Goal if have[goal]]

    def value(self, goal: Goal, nights: Mapping[str, date]) -> int:
        """What `nights` (by party) are worth for a goal; more is better for MAXIMIZED, less for the others."""
        placed = [(party, nights[party.id]) for party in self.parties if party.id in nights]
        match goal:
            case Goal.ANSWERED | Goal.RESERVED:
                return sum(party.size for party, _night in placed if party.answered is (goal is Goal.ANSWERED))
            case Goal.KEPT:
                return sum(party.size for party, night in placed if night == party.previous)
            case Goal.TOGETHER:
                return len({(epj, night) for party, night in placed for epj, _count in party.epjs} | self.met)
            case Goal.EARLY:
                return sum(party.size * (night - self.first).days for party, night in placed)


@dataclass(frozen=True)
class Reached:
    """What a solution reached of a goal, and what is proven that no solution can pass."""

    goal: Goal
    value: int
    bound: int

    @property
    def distance(self) -> float:
        """The relative distance from the bound; 0 when proven best."""
        return round(abs(self.value - self.bound) / max(1, abs(self.bound)), 6)


@dataclass(frozen=True)
class Solution:
    """The night of each party by its id; who is missing found no room. `cut` when a wall clock ended the search."""

    nights: Mapping[str, date]
    reached: tuple[Reached, ...]
    cut: bool = False

    @property
    def distance(self) -> float:
        """The largest distance of any goal."""
        return max((reached.distance for reached in self.reached), default=0.0)


@dataclass(frozen=True)
class PartyClass:
    """Parties that are alike but for their names and earlier nights."""

    parties: tuple[Party, ...]

    @property
    def like(self) -> Party:
        """Any of them."""
        return self.parties[0]

    def previous(self) -> dict[date, int]:
        """How many of them an earlier plan gave each night that they may still have."""
        nights = {option.night for option in self.like.options}
        count: dict[date, int] = defaultdict(int)
        for party in self.parties:
            if party.previous in nights and party.previous is not None:
                count[party.previous] += 1
        return dict(count)


def classes_of(problem: Problem) -> list[PartyClass]:
    """The parties in classes, in an order that does not depend on the order of the parties."""
    alike: dict[tuple[object, ...], list[Party]] = defaultdict(list)
    for party in sorted(problem.parties, key=lambda party: party.id):
        alike[party.size, party.answered, party.epjs, party.options].append(party)
    return [PartyClass(tuple(parties)) for parties in alike.values()]


def distribute(parties: Sequence[Party], counts: Mapping[date, int]) -> dict[str, date]:
    """Give each of the alike `parties` one of the nights, `counts` of them each: the earlier plan's night first.

    The rest are drawn by a number made of party and night, so that one party more or less changes few others.
    """
    room, nights = dict(counts), {}
    for party in parties:
        if party.previous is not None and room.get(party.previous, 0) > 0:
            nights[party.id] = party.previous
            room[party.previous] -= 1
    open_nights = [night for night, left in room.items() if left]
    draws = sorted(
        (crc32(f"{party.id} {night}".encode()), party.id, night)
        for party in parties
        if party.id not in nights
        for night in open_nights
    )
    for _draw, party_id, night in draws:
        if party_id not in nights and room[night] > 0:
            nights[party_id] = night
            room[night] -= 1
    return nights


def fewest_meetings(problem: Problem, planned: int) -> int:
    """How many pairs of EPJ and night there are at least, when `planned` sites of the problem are planned."""
    rooms = sorted(problem.moves.values(), reverse=True)

    def nights_for(sites: int) -> int:
        nights = 0
        while sites > 0 and nights < len(rooms):
            sites -= rooms[nights]
            nights += 1
        return nights

    sizes: Counter[str] = Counter()
    for party in problem.parties:
        sizes.update(dict(party.epjs))
    missing = sum(party.size for party in problem.parties) - planned
    if missing:
        return max(len(problem.met), nights_for(max(0, sum(sizes.values()) - missing)))
    return max(len(problem.met), sum(nights_for(many) for many in sizes.values()))


def option_on(party: Party, night: date) -> Option | None:
    """The party's option on `night`, or None."""
    return next((option for option in party.options if option.night == night), None)
