# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for a plan, by OR-Tools' CP-SAT: one goal after the other, the same answer on any machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
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
    fewest_meetings,
    first_guess,
    fitting,
    remaining,
    without_hopeless,
)
from ._ortools import check_package, cp_model
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
        self._relaxed = Relaxation(problem, self._classes)
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
            model = _Model(problem, self._classes, columns_of(self._classes, flow, nights, columns))
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
        self, model: _Model, nights: dict[str, date], most: tuple[int, int], flow: Flow, share: float
    ) -> tuple[dict[str, date], list[Reached]]:
        """Better the plan goal by goal, with a `share` of the effort, and settle it."""
        reached: list[Reached] = []
        goals, effort = self._problem.goals(), self._effort * share
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
            relaxed = Relaxation(rest, classes)
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
        self, model: _Model, goal: Goal | None, nights: dict[str, date], bound: int | None, effort: float
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


class _Model:
    """The problem for CP-SAT: how many parties of each class move on each night."""

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
