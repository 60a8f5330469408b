# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of nights, mornings and EPJs while parties are put in, and plans that are made without search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from zlib import crc32

from .plan import Option, Party, Problem, option_on


class Room:
    """What is left of every night, morning and EPJ while parties are put in."""

    def __init__(self, problem: Problem) -> None:
        """Start with the room that `problem` has."""
        self._moves, self._calls, self._epj = dict(problem.moves), dict(problem.calls), dict(problem.epj)

    def lacks(self, party: Party, option: Option) -> list[str]:
        """What there is too little of for `party` on that night: of `moves`, `calls`, `epj`; empty when it fits."""
        found = ["moves"] if self._moves.get(option.night, 0) < party.size else []
        if any(self._calls.get(morning, 0) < calls for morning, calls in option.calls):
            found.append("calls")
        if any(self._epj.get((epj, option.night), count) < count for epj, count in party.epjs):
            found.append("epj")
        return found

    def take(self, party: Party, option: Option) -> None:
        """Put `party` in."""
        self._moves[option.night] = self._moves.get(option.night, 0) - party.size
        for morning, calls in option.calls:
            self._calls[morning] = self._calls.get(morning, 0) - calls
        for epj, count in party.epjs:
            if (epj, option.night) in self._epj:
                self._epj[epj, option.night] -= count


def without_hopeless(problem: Problem) -> Problem:
    """The same problem without the nights that have too little room for a party even when nobody else comes."""
    room = Room(problem)
    return replace(
        problem,
        parties=tuple(
            replace(party, options=tuple(option for option in party.options if not room.lacks(party, option)))
            for party in problem.parties
        ),
    )


def first_guess(problem: Problem, given: Mapping[str, date] | None = None) -> dict[str, date]:
    """A plan without search: what is `given`, then the earlier plan, then first who has least choice."""
    room, nights = Room(problem), {}

    def put(party: Party, options: Iterable[Option | None]) -> None:
        for option in options:
            if option is not None and not room.lacks(party, option):
                room.take(party, option)
                nights[party.id] = option.night
                return

    def ranked() -> Iterator[Party]:
        yield from sorted(
            (party for party in problem.parties if party.id not in nights),
            key=lambda party: (
                not party.answered,
                party.options[-1].night if party.options else date.max,
                len(party.options),
                -party.size,
                crc32(party.id.encode()),
            ),
        )

    for source in (given or {}, {party.id: party.previous for party in problem.parties}):
        for party in ranked():
            night = source.get(party.id)
            put(party, [option_on(party, night)] if night else [])
    for party in ranked():
        put(party, party.options)
    return nights


def fitting(problem: Problem, nights: Mapping[str, date]) -> dict[str, date]:
    """Of `nights` those for which there is room, in order of the parties' ids."""
    room, found = Room(problem), {}
    for party in sorted(problem.parties, key=lambda party: party.id):
        option = option_on(party, nights[party.id]) if party.id in nights else None
        if option and not room.lacks(party, option):
            room.take(party, option)
            found[party.id] = option.night
    return found


def remaining(problem: Problem, nights: Mapping[str, date]) -> Problem:
    """What is left of the problem when the parties in `nights` have theirs."""
    moves, calls, epj = dict(problem.moves), dict(problem.calls), dict(problem.epj)
    for party in problem.parties:
        option = option_on(party, nights[party.id]) if party.id in nights else None
        if option:
            moves[option.night] -= party.size
            for morning, many in option.calls:
                calls[morning] -= many
            for name, many in party.epjs:
                if (name, option.night) in epj:
                    epj[name, option.night] -= many
    parties = tuple(party for party in problem.parties if party.id not in nights)
    return replace(problem, parties=parties, moves=moves, calls=calls, epj=epj)
