# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner's question as CP-SAT takes it: how many of each class of sites move on each night."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import date
from typing import Any

from ._domain.plan import MAXIMIZED, Goal, PartyClass, Problem, Reached, distribute
from ._ortools import cp_model
from ._relaxation import Flow, Relaxation


def columns_of(
    classes: Sequence[PartyClass], flow: Flow, nights: Mapping[str, date], more: int
) -> set[tuple[int, date]]:
    """The pairs of class and night to look at: the flow's, the plan's, the earlier plan's, and `more` near to them."""
    columns, beside = set(flow.counts), []
    for number, alike in enumerate(classes):
        columns |= {(number, nights[party.id]) for party in alike.parties if party.id in nights}
        columns |= {(number, night) for night in alike.previous()}
    of_class: dict[int, list[date]] = defaultdict(list)
    for number, night in columns:
        of_class[number].append(night)
    for number, alike in enumerate(classes):
        near = of_class[number]
        for option in alike.like.options:
            if (number, option.night) not in columns:
                away = min((abs((option.night - night).days) for night in near), default=0)
                beside.append((away, alike.like.size == 1, -len(alike.parties), number, option.night))
    return columns | {(number, night) for *_rank, number, night in sorted(beside)[:more]}


class Model:
    """The problem for CP-SAT, of the columns (class and night) that it is given."""

    def __init__(self, problem: Problem, classes: Sequence[PartyClass], columns: Set[tuple[int, date]]) -> None:
        self.cp: Any = cp_model.CpModel()
        self.is_whole = len(columns) == sum(len(alike.like.options) for alike in classes)
        self._problem, self._classes = problem, classes
        self._moves: dict[tuple[int, date], Any] = {}
        self._kept: dict[tuple[int, date], Any] = {}
        self._meets: dict[tuple[str, date], Any] = {}
        self._build(columns)

    def _build(self, columns: Set[tuple[int, date]]) -> None:
        model, problem = self.cp, self._problem
        of_night: dict[date, list[Any]] = defaultdict(list)
        of_morning: dict[date, list[Any]] = defaultdict(list)
        of_epj: dict[tuple[str, date], list[Any]] = defaultdict(list)
        for number, alike in enumerate(self._classes):
            party, previous, mine = alike.like, alike.previous(), []
            for option in (o for o in party.options if (number, o.night) in columns):
                most = min(len(alike.parties), problem.moves[option.night] // party.size)
                moves = model.new_int_var(0, most, f"moves {number} {option.night}")
                self._moves[number, option.night] = moves
                mine.append(moves)
                of_night[option.night].append(party.size * moves)
                for morning, calls in option.calls:
                    of_morning[morning].append(calls * moves)
                for epj, count in party.epjs:
                    of_epj[epj, option.night].append(count * moves)
                if option.night in previous:
                    kept = model.new_int_var(0, previous[option.night], f"kept {number} {option.night}")
                    model.add(kept <= moves)
                    self._kept[number, option.night] = kept
            model.add(sum(mine) <= len(alike.parties))
        for night, terms in of_night.items():
            model.add(sum(terms) <= problem.moves[night])
        for morning, terms in of_morning.items():
            model.add(sum(terms) <= problem.calls[morning])
        for place, terms in of_epj.items():
            if place in problem.epj:
                model.add(sum(terms) <= problem.epj[place])
            if problem.together and place not in problem.met:
                self._meets[place] = model.new_bool_var(f"meets {place[0]} {place[1]}")
                model.add(sum(terms) <= problem.moves[place[1]] * self._meets[place])

    def _sum(self, goal: Goal) -> cp_model.LinearExprT:
        first = self._problem.first
        like = [alike.like for alike in self._classes]
        match goal:
            case Goal.ANSWERED | Goal.RESERVED:
                wanted = goal is Goal.ANSWERED
                return sum(like[c].size * x for (c, _night), x in self._moves.items() if like[c].answered is wanted)
            case Goal.KEPT:
                return sum(like[c].size * x for (c, _night), x in self._kept.items())
            case Goal.TOGETHER:
                return sum(self._meets.values()) + len(self._problem.met)
            case Goal.EARLY:
                return sum(like[c].size * (night - first).days * x for (c, night), x in self._moves.items())

    def aim(self, goal: Goal | None, bound: int | None, relaxed: Relaxation) -> None:
        """Say what is to be best, and what it cannot pass."""
        if goal is None:
            sizes = [alike.like.size for alike in self._classes]
            self.cp.minimize(sum(sizes[c] * relaxed.draw(c, night) * x for (c, night), x in self._moves.items()))
            return
        expression = self._sum(goal)
        if goal in MAXIMIZED:
            self.cp.add(expression <= bound)
            self.cp.maximize(expression)
        else:
            self.cp.add(expression >= bound)
            self.cp.minimize(expression)

    def hold(self, reached: Reached) -> None:
        """From now on never less of a goal than it has reached."""
        expression = self._sum(reached.goal)
        self.cp.add(expression >= reached.value if reached.goal in MAXIMIZED else expression <= reached.value)

    def hint(self, nights: Mapping[str, date]) -> None:
        """Begin the search at a plan."""
        self.cp.clear_hints()
        count: dict[tuple[int, date], int] = defaultdict(int)
        kept: dict[tuple[int, date], int] = defaultdict(int)
        meets: set[tuple[str, date]] = set()
        for number, alike in enumerate(self._classes):
            for party in alike.parties:
                if party.id in nights:
                    night = nights[party.id]
                    count[number, night] += 1
                    kept[number, night] += party.previous == night
                    meets |= {(epj, night) for epj, _count in party.epjs}
        for key, variable in self._moves.items():
            self.cp.add_hint(variable, count[key])
        for key, variable in self._kept.items():
            self.cp.add_hint(variable, kept[key])
        for place, variable in self._meets.items():
            self.cp.add_hint(variable, place in meets)

    def nights(self, solver: cp_model.CpSolver) -> dict[str, date]:
        """The plan that CP-SAT found."""
        counts: dict[int, dict[date, int]] = defaultdict(dict)
        for (number, night), variable in self._moves.items():
            if many := solver.value(variable):
                counts[number][night] = many
        nights: dict[str, date] = {}
        for number, of_class in counts.items():
            nights |= distribute(self._classes[number].parties, of_class)
        return nights
