# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan could reach at best: the problem with sites of one server allowed to part, which a network flow solves.

The flow proves how good a plan can be, and is nearly a plan itself: only servers that several sites share, and
windows that end after the morning has begun, are left for the search to put right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

from ._domain.plan import Option, PartyClass, Problem
from ._ortools import min_cost_flow

_DRAW = 1023
"""Between nights that are equally good a number made of class and night decides, up to this."""


@dataclass(frozen=True)
class Flow:
    """How many sites of each class move on each night, and what that is worth."""

    counts: Mapping[tuple[int, date], int]
    kept: int
    early: int


class FlowError(RuntimeError):
    """The flow has no solution, which only a fault of ours explains."""


class _Network:
    """A min-cost flow whose nodes have names."""

    def __init__(self) -> None:
        self._solver: Any = min_cost_flow.SimpleMinCostFlow()
        self._numbers: dict[Hashable, int] = {}

    def node(self, name: Hashable) -> int:
        return self._numbers.setdefault(name, len(self._numbers))

    def arc(self, tail: Hashable, head: Hashable, capacity: int, cost: int = 0) -> int:
        return int(self._solver.add_arc_with_capacity_and_unit_cost(self.node(tail), self.node(head), capacity, cost))

    def supply(self, name: Hashable, units: int) -> None:
        self._solver.set_node_supply(self.node(name), units)

    def solve(self) -> None:
        status = self._solver.solve()
        if status != self._solver.OPTIMAL:
            raise FlowError(f"the relaxed plan ended with {status}")

    def flow(self, arc: int) -> int:
        return int(self._solver.flow(arc))


class Relaxation:
    """The relaxed problem; its answers are bounds for the real one."""

    def __init__(self, problem: Problem, classes: Sequence[PartyClass], *, by_night: bool) -> None:
        """Take the problem and its classes, which give the numbers of a flow's counts.

        A flow cannot count both the night and the morning of who has a later morning than is usual after that night.
        `by_night` counts their nights, and lets anyone of that night have either morning; else their mornings count.
        """
        self._by_night = by_night
        self._problem, self._classes = problem, classes
        self._units = [len(alike.parties) * alike.like.size for alike in classes]
        self._seeds = [
            crc32(repr((c.like.size, c.like.answered, c.like.epjs, c.like.options)).encode()) for c in classes
        ]

        self._usual: dict[date, date] = {}
        for alike in classes:
            for option in alike.like.options:
                first = min(morning for morning, _calls in option.calls)
                self._usual[option.night] = min(first, self._usual.get(option.night, first))

    def draw(self, number: int, night: date) -> int:
        """The number that decides between equally good nights of a class."""
        return crc32(f"{self._seeds[number]} {night}".encode()) & _DRAW

    def most(self) -> tuple[int, int]:
        """How many sites that have answered, and then how many others, can be planned at most."""
        network = _Network()
        unanswered = sum(u for u, c in zip(self._units, self._classes, strict=True) if not c.like.answered)
        left: dict[bool, list[int]] = {True: [], False: []}
        for number, alike in enumerate(self._classes):
            units, is_answered = self._units[number], alike.like.answered
            network.supply(("class", number), units)
            left[is_answered].append(network.arc(("class", number), "out", units, unanswered + 1 if is_answered else 1))
            for option in alike.like.options:
                network.arc(("class", number), self._entry(number, option), units)
        self._nights(network, {})
        network.supply("out", -sum(self._units))
        network.solve()
        totals = {
            a: sum(u for u, c in zip(self._units, self._classes, strict=True) if c.like.answered is a) for a in left
        }
        answered, reserved = (totals[a] - sum(map(network.flow, left[a])) for a in (True, False))
        return answered, reserved

    def best(
        self,
        answered: int,
        reserved: int,
        *,
        keep: bool = True,
        opening_costs: Mapping[tuple[str, date], float] | None = None,
    ) -> Flow:
        """The best flow of that many sites: most kept (with `keep`), then earliest, then as the draw says.

        `opening_costs` add to the cost of each site of an EPJ in a night, in units of the whole plan's days.
        """
        network, total = _Network(), answered + reserved
        span = max((night - self._problem.first).days for night in self._problem.moves) + 1
        day = _DRAW * max(1, total) + 1
        keeping = day * span * max(1, total) * (8 if opening_costs else 1) if keep else 0
        network.supply(True, answered)
        network.supply(False, reserved)
        arcs: list[tuple[int, int, date, bool]] = []
        for number, alike in enumerate(self._classes):
            network.arc(alike.like.answered, ("class", number), self._units[number])
            previous = alike.previous() if keep else {}
            for option in alike.like.options:
                night, entry = option.night, self._entry(number, option)
                cost = day * (night - self._problem.first).days + self.draw(number, night)
                arcs.append((network.arc(("class", number), entry, self._units[number], cost), number, night, False))
                if night in previous:
                    stay = network.arc(("class", number), entry, previous[night] * alike.like.size, cost - keeping)
                    arcs.append((stay, number, night, True))
        costs = {place: int(cost * day * span) for place, cost in (opening_costs or {}).items()}
        self._nights(network, costs)
        network.supply("out", -total)
        network.solve()
        counts: dict[tuple[int, date], int] = defaultdict(int)
        kept = early = 0
        for arc, number, night, stays in arcs:
            if flow := network.flow(arc):
                counts[number, night] += flow
                kept += flow if stays else 0
                early += flow * (night - self._problem.first).days
        return Flow(dict(counts), kept, early)

    def is_exact(self, number: int) -> bool:
        """Whether the flow keeps every rule for a class: one site each, with each night's usual morning."""
        like = self._classes[number].like
        return like.size == 1 and not any(self._is_late(option) for option in like.options)

    def _is_late(self, option: Option) -> bool:
        return any(morning != self._usual[option.night] for morning, _calls in option.calls)

    def _entry(self, number: int, option: Option) -> Hashable:
        """Where a class enters a night: by its EPJ where that matters and there is only one."""
        if not self._by_night and self._is_late(option):
            return ("late", tuple(morning for morning, _calls in option.calls))
        epj = self._epj(number)
        return ("night", option.night) if epj is None else ("epj", epj, option.night)

    def _epj(self, number: int) -> str | None:
        """The EPJ of a class whose sites all have the same one."""
        like = self._classes[number].like
        return like.epjs[0][0] if like.epjs and like.epjs[0][1] == like.size else None

    def _nights(self, network: _Network, costs: Mapping[tuple[str, date], int]) -> None:
        problem, plenty = self._problem, sum(self._units)
        options = {option for alike in self._classes for option in alike.like.options}
        mornings = {morning for option in options for morning, _calls in option.calls}
        late = {option for option in options if self._is_late(option)}
        places = {
            (epj, option.night)
            for number, alike in enumerate(self._classes)
            if (epj := self._epj(number)) is not None
            for option in alike.like.options
        }
        for place in sorted(places):
            limit = problem.epj.get(place, plenty)
            network.arc(("epj", *place), ("night", place[1]), limit, costs.get(place, 0))
        for night, morning in sorted(self._usual.items()):
            network.arc(("night", night), ("moved", night), problem.moves.get(night, 0))
            network.arc(("moved", night), ("morning", morning), plenty)
        for option in sorted(late):
            either = tuple(morning for morning, _calls in option.calls)
            tail = ("moved", option.night) if self._by_night else ("late", either)
            for morning in either:
                network.arc(tail, ("morning", morning), plenty)
        for morning in sorted(mornings):
            network.arc(("morning", morning), "out", problem.calls.get(morning, 0))
