# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for a plan, by OR-Tools' CP-SAT: one goal after the other, the same answer on any machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from ._domain.plan import (
    MAXIMIZED,
    Goal,
    Problem,
    Reached,
    Solution,
    classes_of,
    distribute,
    fewest_meetings,
)
from ._domain.plan_room import first_guess, fitting, remaining, without_hopeless
from ._ortools import check_package, cp_model
from ._plan_model import Model, columns_of
from ._relaxation import Flow, Relaxation

WALL_SECONDS = 600.0
"""An emergency brake for the whole search; a plan that it ended says so."""
COLUMNS = ((0.4, 2_000), (0.6, 12_000))
"""How far round the flow the search looks, wider where that is not enough: a share of the effort, and how many pairs of
class and night besides the flow's own."""
ROUNDS = 12
"""How often the flow is asked again for fewer EPJ systems per night."""


class SolverError(RuntimeError):
    """The search ended in a way that only a fault of ours explains."""


def solve(problem: Problem, effort: float, wall_seconds: float = WALL_SECONDS) -> Solution:
    """Find a night for as many parties as can have one.

    `effort` is CP-SAT's deterministic time for all goals together (about a second each on one core); it ends the
    search at the same point on any machine. Raises MissingPackageError without OR-Tools.
    """
    check_package()
    if not problem.parties:
        return Solution({}, ())
    return _Search(without_hopeless(problem), effort, wall_seconds).run()


class _Search:
    def __init__(self, problem: Problem, effort: float, wall_seconds: float) -> None:
        self._problem, self._effort, self._wall = problem, effort, wall_seconds
        self._classes = classes_of(problem)
        self._relaxed = Relaxation(problem, self._classes, by_night=False)
        self._cut = False

    def run(self) -> Solution:
        problem = self._problem
        most = self._relaxed.most()
        flow = self._relaxed.best(*most)
        nights = self._fewer_meetings(most) if problem.together else self._rounded()
        reached = self._reached(nights, most, flow)
        for share, columns in COLUMNS:
            if all(one.value == one.bound for one in reached):
                break
            model = Model(problem, self._classes, columns_of(self._classes, flow, nights, columns))
            nights, reached = self._bettered(model, nights, most, flow, share)
            if model.is_whole:
                break
        return Solution(nights, tuple(reached), self._cut)

    def _reached(self, nights: Mapping[str, date], most: tuple[int, int], flow: Flow) -> list[Reached]:
        reached: list[Reached] = []
        for goal in self._problem.goals():
            bound = self._bound(goal, reached, most, flow)
            reached.append(Reached(goal, self._problem.value(goal, nights), bound))
        return reached

    def _bettered(
        self, model: Model, nights: dict[str, date], most: tuple[int, int], flow: Flow, share: float
    ) -> tuple[dict[str, date], list[Reached]]:
        """Better the plan goal by goal, with a `share` of the effort, and settle it."""
        reached: list[Reached] = []
        goals, effort, before = self._problem.goals(), self._effort * share, nights
        for place, goal in enumerate(goals):
            bound = self._bound(goal, reached, most, flow)
            if self._problem.value(goal, nights) != bound:
                left = effort / (len(goals) - place + 1)
                nights, proven, used = self._better(model, goal, nights, bound, left)
                effort -= used
                if proven is not None and model.is_whole:
                    bound = min(bound, proven) if goal in MAXIMIZED else max(bound, proven)
            reached.append(Reached(goal, self._problem.value(goal, nights), bound))
            model.hold(reached[-1])
        if all(self._problem.value(goal, nights) == self._problem.value(goal, before) for goal in goals):
            return before, reached
        return self._better(model, None, nights, None, effort)[0], reached

    def _bound(self, goal: Goal, reached: list[Reached], most: tuple[int, int], flow: Flow) -> int:
        """What no plan can pass that has what is `reached` already."""
        problem = self._problem
        values = {one.goal: one.value for one in reached}
        dreamt = {Goal.ANSWERED: most[0], Goal.RESERVED: most[1], Goal.KEPT: flow.kept}
        # The flow's later goals are bounds only for who has its earlier ones.
        as_relaxed = all(values[goal] == dreamt[goal] for goal in dreamt if goal in values)
        planned = values.get(Goal.ANSWERED, 0), values.get(Goal.RESERVED, 0)
        match goal:
            case Goal.ANSWERED:
                return most[0]
            case Goal.RESERVED:
                wanted = sum(party.size for party in problem.parties if not party.answered)
                return most[1] if as_relaxed else wanted
            case Goal.KEPT:
                return flow.kept if as_relaxed else self._relaxed.best(*planned).kept
            case Goal.TOGETHER:
                return fewest_meetings(problem, sum(planned))
            case Goal.EARLY:
                return flow.early if as_relaxed else self._relaxed.best(*planned, keep=False).early

    def _rounded(self, costs: Mapping[tuple[str, date], float] | None = None) -> dict[str, date]:
        """The flow as a plan: of those for whom it is not exact, who fits is pinned, and it is asked again.

        Then one server after the other that it parts. When none of them is left, the rest of the flow is a plan.
        """
        nights: dict[str, date] = {}
        problem = self._problem
        while True:
            rest = remaining(problem, nights)
            classes = classes_of(rest)
            relaxed = Relaxation(rest, classes, by_night=True)
            flow = relaxed.best(*relaxed.most(), opening_costs=costs)
            pinned: dict[str, date] = {}
            singles: dict[str, date] = {}
            parted: list[tuple[int, int, date]] = []
            for number, alike in enumerate(classes):
                size = alike.like.size
                units = {night: many for (of, night), many in sorted(flow.counts.items()) if of == number}
                whole = {night: many // size for night, many in units.items() if many >= size}
                (singles if relaxed.is_exact(number) else pinned).update(distribute(alike.parties, whole))
                parted += [(many % size, number, night) for night, many in units.items() if many % size]
            fit = fitting(rest, pinned)
            nights |= fit
            if fit:
                continue
            if not parted:
                return first_guess(problem, nights | singles)
            for _units, number, night in sorted(parted, reverse=True):
                party = next((one for one in classes[number].parties if one.id not in nights), None)
                if party and (fit := fitting(remaining(problem, nights), {party.id: night})):
                    nights |= fit
                    break
            else:
                return first_guess(problem, nights | singles)

    def _fewer_meetings(self, most: tuple[int, int]) -> dict[str, date]:
        """Ask the flow again and again, dearer each time where an EPJ had few sites in a night."""
        places = {(epj, o.night) for alike in self._classes for epj, _n in alike.like.epjs for o in alike.like.options}
        costs = dict.fromkeys(sorted(places - self._problem.met), 1.0)
        best, fewest = costs, len(places) + 1
        for _round in range(ROUNDS):
            flow = self._relaxed.best(*most, opening_costs=costs)
            meeting: dict[tuple[str, date], int] = defaultdict(int)
            for (number, night), units in flow.counts.items():
                for epj, _count in self._classes[number].like.epjs:
                    meeting[epj, night] += units
            if len(meeting) < fewest:
                best, fewest = costs, len(meeting)
            costs = {place: 1 / meeting[place] if place in meeting else cost for place, cost in costs.items()}
        return self._rounded(best)

    def _better(
        self, model: Model, goal: Goal | None, nights: dict[str, date], bound: int | None, effort: float
    ) -> tuple[dict[str, date], int | None, float]:
        """The best plan for `goal` (None: as the draw says), what CP-SAT proves of it, and the effort that it took."""
        model.aim(goal, bound, self._relaxed)
        model.hint(nights)
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = 8
        parameters.max_deterministic_time = max(effort, 0.1)
        parameters.max_time_in_seconds = max(self._wall, 1.0)
        status = solver.solve(model.cp)
        used = solver.response_proto.deterministic_time
        self._wall -= solver.wall_time
        self._cut = self._cut or (self._wall <= 0 and status != cp_model.OPTIMAL)
        if status == cp_model.UNKNOWN:
            return nights, None, used
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise SolverError(f"the search for {goal} ended with {solver.status_name(status)}")
        return model.nights(solver), round(solver.best_objective_bound), used
