# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for a plan, by OR-Tools' CP-SAT: one goal after the other, the same answer on any machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from ._domain.plan import (
    MAXIMIZED,
    Goal,
    Option,
    PartyClass,
    Problem,
    Reached,
    Solution,
    classes_of,
    distribute,
    fewest_meetings,
    first_guess,
    without_hopeless,
)
from ._ortools import check_package, cp_model
from ._relaxation import Flow, Relaxation

WALL_SECONDS = 600.0
"""An emergency brake for the whole search; a plan that it ended says so."""
COLUMNS = 12_000
"""How many pairs of class and night the search looks at; the flow's own nights and those of shared servers first."""
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
        problem, goals = self._problem, self._problem.goals()
        most = self._relaxed.most()
        flow = self._relaxed.best(*most)
        nights = self._fewer_meetings(most, self._rounded(flow)) if problem.together else self._rounded(flow)
        model: _Model | None = None
        reached: list[Reached] = []
        for place, goal in enumerate(goals):
            bound = self._bound(goal, reached, most, flow)
            value = problem.value(goal, nights)
            if value != bound:
                model = model or _Model(problem, self._classes, flow, nights)
                for earlier in reached[len(model.held) :]:
                    model.hold(earlier)
                nights, proven = self._better(model, goal, nights, bound, self._effort / (len(goals) - place + 1))
                value = problem.value(goal, nights)
                if proven is not None and model.is_whole:
                    bound = max(bound, proven) if goal not in MAXIMIZED else min(bound, proven)
            reached.append(Reached(goal, value, bound))
        if model:
            nights = self._settled(model, reached, nights)
        return Solution(nights, tuple(reached), self._cut)

    def _bound(self, goal: Goal, reached: list[Reached], most: tuple[int, int], flow: Flow) -> int:
        """What no plan can pass that has what is `reached` already."""
        problem = self._problem
        as_relaxed = all(one.value == one.bound for one in reached if one.goal is not Goal.TOGETHER)
        values = {one.goal: one.value for one in reached}
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

    def _rounded(self, flow: Flow) -> dict[str, date]:
        """The flow as a plan: whole parties only, and those that it parted wherever there is room."""
        nights: dict[str, date] = {}
        of_class: dict[int, dict[date, int]] = defaultdict(dict)
        for (number, night), units in sorted(flow.counts.items()):
            of_class[number][night] = units // self._classes[number].like.size
        for number, counts in of_class.items():
            nights |= distribute(self._classes[number].parties, counts)
        return first_guess(self._problem, nights)

    def _fewer_meetings(self, most: tuple[int, int], nights: dict[str, date]) -> dict[str, date]:
        """Ask the flow again and again, dearer each time where an EPJ had few sites in a night."""
        problem = self._problem
        goals = problem.goals()

        def worth(plan: Mapping[str, date]) -> list[int]:
            return [problem.value(goal, plan) * (-1 if goal in MAXIMIZED else 1) for goal in goals]

        best, sizes = nights, {party.id: party for party in problem.parties}
        costs = dict.fromkeys(
            ((epj, o.night) for alike in self._classes for epj, _n in alike.like.epjs for o in alike.like.options), 1.0
        )
        for _round in range(ROUNDS):
            meeting: dict[tuple[str, date], int] = defaultdict(int)
            for party, night in nights.items():
                for epj, count in sizes[party].epjs:
                    meeting[epj, night] += count
            costs |= {place: 1 / count for place, count in meeting.items()}
            costs |= dict.fromkeys(problem.met & set(costs), 0.0)
            nights = self._rounded(self._relaxed.best(*most, opening_costs=costs))
            best = min(best, nights, key=worth)
        return best

    def _better(
        self, model: _Model, goal: Goal | None, nights: dict[str, date], bound: int | None, effort: float
    ) -> tuple[dict[str, date], int | None]:
        """The best plan for `goal` (None: as the draw says) that the effort finds, and what CP-SAT proves of it."""
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
        self._effort -= used
        self._wall -= solver.wall_time
        self._cut = self._cut or (self._wall <= 0 and status != cp_model.OPTIMAL)
        if status == cp_model.UNKNOWN:
            return nights, None
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise SolverError(f"the search for {goal} ended with {solver.status_name(status)}")
        found = model.nights(solver)
        if goal is None:
            return found, None
        return found, round(solver.best_objective_bound)

    def _settled(self, model: _Model, reached: list[Reached], nights: dict[str, date]) -> dict[str, date]:
        """Among plans that are equally good, the one that the draw says."""
        for earlier in reached[len(model.held) :]:
            model.hold(earlier)
        return self._better(model, None, nights, None, self._effort / 2)[0]


class _Model:
    """The problem for CP-SAT: how many parties of each class move on each night."""

    def __init__(self, problem: Problem, classes: list[PartyClass], flow: Flow, nights: Mapping[str, date]) -> None:
        self.cp: Any = cp_model.CpModel()
        self.held: list[Reached] = []
        self._problem, self._classes = problem, classes
        self._moves: dict[tuple[int, date], Any] = {}
        self._kept: dict[tuple[int, date], Any] = {}
        self._meets: dict[tuple[str, date], Any] = {}
        columns = self._columns(flow, nights)
        self.is_whole = len(columns) == sum(len(alike.like.options) for alike in classes)
        self._build(columns)

    def _columns(self, flow: Flow, nights: Mapping[str, date]) -> set[tuple[int, date]]:
        """The pairs of class and night that are looked at."""
        columns = set(flow.counts)
        for number, alike in enumerate(self._classes):
            columns |= {(number, nights[party.id]) for party in alike.parties if party.id in nights}
            columns |= {(number, night) for night in alike.previous()}
        by_worth = sorted(
            enumerate(self._classes), key=lambda one: (one[1].like.size == 1, -len(one[1].parties), one[0])
        )
        for number, alike in by_worth:
            wider = columns | {(number, option.night) for option in alike.like.options}
            if len(wider) > COLUMNS and alike.like.size == 1:
                break
            columns = wider
        return columns

    def _build(self, columns: set[tuple[int, date]]) -> None:
        model, problem = self.cp, self._problem
        of_night: dict[date, list[Any]] = defaultdict(list)
        of_morning: dict[date, list[Any]] = defaultdict(list)
        of_epj: dict[tuple[str, date], list[Any]] = defaultdict(list)
        for number, alike in enumerate(self._classes):
            party, previous, mine = alike.like, alike.previous(), []
            for option in (o for o in party.options if (number, o.night) in columns):
                moves = self._add_column(
                    number, option, min(len(alike.parties), problem.moves[option.night] // party.size)
                )
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

    def _add_column(self, number: int, option: Option, most: int) -> Any:
        moves = self.cp.new_int_var(0, most, f"moves {number} {option.night}")
        self._moves[number, option.night] = moves
        return moves

    def _sum(self, goal: Goal) -> Any:
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
        self.held.append(reached)

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

    def nights(self, solver: Any) -> dict[str, date]:
        """The plan that CP-SAT found."""
        counts: dict[int, dict[date, int]] = defaultdict(dict)
        for (number, night), variable in self._moves.items():
            if many := solver.value(variable):
                counts[number][night] = many
        nights: dict[str, date] = {}
        for number, of_class in counts.items():
            nights |= distribute(self._classes[number].parties, of_class)
        return nights
