# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for a plan, by OR-Tools' CP-SAT: one goal after the other, the same answer on any machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from ._domain.plan import (
    MAXIMIZED,
    Goal,
    PartyClass,
    Problem,
    Reached,
    Solution,
    classes_of,
    distribute,
    first_guess,
)
from ._holidays import MissingPackageError

try:
    from ortools.sat.python import cp_model
except ImportError as _error:
    ORTOOLS_IMPORT_ERROR: ImportError | None = _error
else:
    ORTOOLS_IMPORT_ERROR = None

WALL_SECONDS = 600.0
"""An emergency brake for the whole search; a plan that it ended says so."""


class SolverError(RuntimeError):
    """The search ended in a way that only a fault of ours explains."""


def check_package() -> None:
    """Raise MissingPackageError, which says what to do, unless OR-Tools is there."""
    if ORTOOLS_IMPORT_ERROR:
        raise MissingPackageError(
            "the plan needs the Python package 'ortools' on the controller, which is in the dependency group 'plan' "
            f"(make setup installs it, or: pip install ortools): {ORTOOLS_IMPORT_ERROR}"
        ) from ORTOOLS_IMPORT_ERROR


def solve(problem: Problem, effort: float, wall_seconds: float = WALL_SECONDS) -> Solution:
    """Find a night for as many parties as can have one.

    `effort` is CP-SAT's deterministic time for all goals together (about a second each on one core); it ends the
    search at the same point on any machine. Raises MissingPackageError without OR-Tools.
    """
    check_package()
    return _Search(problem, effort, wall_seconds).run()


class _Search:
    def __init__(self, problem: Problem, effort: float, wall_seconds: float) -> None:
        self._problem, self._effort, self._wall = problem, effort, wall_seconds
        self._classes = classes_of(problem)
        self._model = cp_model.CpModel()
        self._moves: dict[tuple[int, date], Any] = {}
        self._kept: dict[tuple[int, date], Any] = {}
        self._meets: dict[tuple[str, date], Any] = {}
        self._build()

    def run(self) -> Solution:
        reached: list[Reached] = []
        cut = False
        nights = first_guess(self._problem)
        goals = self._problem.goals()
        for place, goal in enumerate(goals):
            expression = self._expression(goal)
            if goal in MAXIMIZED:
                self._model.maximize(expression)
            else:
                self._model.minimize(expression)
            self._hint(nights)
            solver = self._solver(self._effort / (len(goals) - place))
            status = solver.solve(self._model)
            if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                nights = self._nights(solver)
            elif status != cp_model.UNKNOWN:
                raise SolverError(f"the search for {goal} ended with {solver.status_name(status)}")
            value = self._problem.value(goal, nights)
            bound = value if status == cp_model.OPTIMAL else round(solver.best_objective_bound)
            reached.append(Reached(goal, value, bound))
            self._effort -= solver.deterministic_time if hasattr(solver, "deterministic_time") else 0
            self._wall -= solver.wall_time
            cut = cut or self._wall <= 0
            self._model.add(expression >= value if goal in MAXIMIZED else expression <= value)
            print(goal, solver.status_name(status), value, bound, "wall", round(solver.wall_time,2), "det", solver.response_proto.deterministic_time)
        return Solution(nights, tuple(reached), cut)

    def _build(self) -> None:
        model, problem = self._model, self._problem
        of_night: dict[date, list[Any]] = defaultdict(list)
        of_morning: dict[date, list[Any]] = defaultdict(list)
        of_epj: dict[tuple[str, date], list[Any]] = defaultdict(list)
        for number, alike in enumerate(self._classes):
            party = alike.like
            for option in party.options:
                most = min(len(alike.parties), problem.moves.get(option.night, 0) // party.size)
                if most <= 0:
                    continue
                moves = model.new_int_var(0, most, f"m{number}_{option.night}")
                self._moves[number, option.night] = moves
                of_night[option.night].append(party.size * moves)
                for morning, calls in option.calls:
                    of_morning[morning].append(calls * moves)
                for epj, count in party.epjs:
                    of_epj[epj, option.night].append(count * moves)
            mine = [self._moves[number, o.night] for o in party.options if (number, o.night) in self._moves]
            model.add(sum(mine) <= len(alike.parties))
            for night, many in alike.previous().items():
                if (number, night) in self._moves:
                    kept = model.new_int_var(0, many, f"k{number}_{night}")
                    model.add(kept <= self._moves[number, night])
                    self._kept[number, night] = kept
        for night, terms in of_night.items():
            model.add(sum(terms) <= problem.moves[night])
        for morning, terms in of_morning.items():
            model.add(sum(terms) <= problem.calls.get(morning, 0))
        for place, terms in of_epj.items():
            if place in problem.epj:
                model.add(sum(terms) <= problem.epj[place])
            if problem.together and place not in problem.met:
                meets = model.new_bool_var(f"e{place[0]}_{place[1]}")
                model.add(sum(terms) <= problem.moves[place[1]] * meets)
                self._meets[place] = meets

    def _expression(self, goal: Goal) -> Any:
        def total(of: Iterable[tuple[int, Any]]) -> Any:
            pairs = list(of)
            return cp_model.LinearExpr.weighted_sum([variable for _w, variable in pairs], [w for w, _v in pairs])

        def size(number: int) -> int:
            return self._classes[number].like.size

        match goal:
            case Goal.ANSWERED | Goal.RESERVED:
                wanted = goal is Goal.ANSWERED
                return total(
                    (size(number), moves)
                    for (number, _night), moves in self._moves.items()
                    if self._classes[number].like.answered is wanted
                )
            case Goal.KEPT:
                return total((size(number), kept) for (number, _night), kept in self._kept.items())
            case Goal.TOGETHER:
                return total((1, meets) for meets in self._meets.values()) + len(self._problem.met)
            case Goal.EARLY:
                first = self._problem.first
                return total((size(number) * (night - first).days, moves) for (number, night), moves in self._moves.items())

    def _hint(self, nights: dict[str, date]) -> None:
        model = self._model
        model.clear_hints()
        count: dict[tuple[int, date], int] = defaultdict(int)
        kept: dict[tuple[int, date], int] = defaultdict(int)
        meets: set[tuple[str, date]] = set()
        for number, alike in enumerate(self._classes):
            for party in alike.parties:
                night = nights.get(party.id)
                if night is not None:
                    count[number, night] += 1
                    kept[number, night] += party.previous == night
                    meets |= {(epj, night) for epj, _count in party.epjs}
        for key, variable in self._moves.items():
            model.add_hint(variable, count[key])
        for key, variable in self._kept.items():
            model.add_hint(variable, kept[key])
        for place, variable in self._meets.items():
            model.add_hint(variable, place in meets)

    def _solver(self, effort: float) -> Any:
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = 8
        parameters.max_deterministic_time = max(effort, 0.1)
        parameters.max_time_in_seconds = max(self._wall, 1.0)
        parameters.linearization_level = 2
        return solver

    def _nights(self, solver: Any) -> dict[str, date]:
        nights: dict[str, date] = {}
        for number, alike in enumerate(self._classes):
            counts = {
                option.night: solver.value(self._moves[number, option.night])
                for option in alike.like.options
                if (number, option.night) in self._moves
            }
            nights |= distribute(alike.parties, {night: many for night, many in counts.items() if many})
        return nights
