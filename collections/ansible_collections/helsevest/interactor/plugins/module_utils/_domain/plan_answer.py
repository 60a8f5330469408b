# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as it is handed out: every site with its date and wave, or with every reason why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from .days import morning_after, move_opening
from .plan import Party, Problem, Solution, option_on
from .plan_case import Case, Reason, groups_of, has_answered, on_the_way
from .plan_problem import Question, moves_and_calls
from .plan_room import Room
from .plan_waves import Wave, assign_waves
from .plan_words import GONE
from .site import Site
from .times import format_time

SCHEMA = 1
_FULL = {
    "moves": ("moves_full", "moves_per_night or moves_on"),
    "calls": ("calls_full", "calls_per_morning, calls_on_days_off or calls_on"),
    "epj": ("epj_full", "epj_per_night"),
}


def plan_of(case: Case, question: Question, solution: Solution, register: Mapping[int, Wave]) -> dict[str, Any]:
    """The answer (docs/contracts.md, The plan); `register` are the waves that the register has, by id."""
    settings = case.settings
    dates = {**question.promised, **_dates(question.problem, solution)}
    waves = assign_waves(case, dates, register)
    placed = {site.id: waves[site.id].with_site(site) for site in case.sites if site.id in dates}
    moves, calls = moves_and_calls(dates, placed)
    kept = Counter(question.promised.values())
    left_out = {**question.left_out, **_full(question.problem, solution)}
    names = {site.id: site.name for site in case.sites}
    changes = _changes(case, dates, left_out)
    new = {wave.id: wave for wave in waves.values() if wave.is_new}
    return {
        "schema": SCHEMA,
        "made": format_time(case.now),
        "from": settings.first.isoformat(),
        "to": settings.last.isoformat(),
        "status": "feasible" if solution.distance else "optimal",
        "distance": solution.distance,
        "goals": [
            {"goal": r.goal.value, "value": r.value, "bound": r.bound, "distance": r.distance} for r in solution.reached
        ],
        "previous": case.previous.made,
        "changed": len(changes),
        "changes": changes,
        "settings": settings.to_dict(),
        "sites": list(_sites(case, question, dates, waves)),
        "nights": [
            {"date": night.isoformat(), "moves": many, "capacity": settings.moves(night), "promised": kept[night]}
            for night, many in sorted(moves.items())
        ],
        "mornings": [
            {
                "date": morning.isoformat(),
                "calls": many,
                "capacity": settings.calls(morning, case.calendar.is_working_day(morning)),
            }
            for morning, many in sorted(calls.items())
        ],
        "new_waves": [
            {"id": wave.id, "name": wave.name, "from": wave.dates.first.isoformat(), "to": wave.dates.last.isoformat()}
            for _number, wave in sorted(new.items())
            if wave.dates
        ],
        "left_out": [
            {
                "site": site,
                "name": names[site],
                "reasons": [{"code": reason.code, "text": reason.text} for reason in reasons],
            }
            for site, reasons in sorted(left_out.items())
        ],
        "warnings": [*question.warnings, *_given_up(case, left_out), *_cut(solution)],
    }


def _dates(problem: Problem, solution: Solution) -> dict[str, date]:
    return {
        site: solution.nights[party.id]
        for party in problem.parties
        if party.id in solution.nights
        for site in party.sites
    }


def _changes(
    case: Case, dates: Mapping[str, date], left_out: Mapping[str, tuple[Reason, ...]]
) -> list[dict[str, str | None]]:
    """The sites that the previous plan gave another date, in order of their ids; who has moved by now needs none."""
    gone = {site for site, reasons in left_out.items() if any(reason.code in GONE for reason in reasons)}
    given = {site.id for site in case.sites} - gone
    return [
        {"site": site, "from": day.isoformat(), "to": dates[site].isoformat() if site in dates else None}
        for site, day in sorted(case.previous.dates.items())
        if site in given and dates.get(site) != day
    ]


def _given_up(case: Case, left_out: Mapping[str, tuple[Reason, ...]]) -> Iterator[str]:
    """Promises that may be broken and for which no other night was found: the register, and so the gate, keeps them."""
    for members in groups_of(case.sites):
        freed = any(site.id in case.settings.replan for site in members) and not on_the_way(members, case)
        for site in members:
            if freed and site.id in left_out and site.move_date:
                yield (
                    f"site {site.id} found no other night, so the register still says {site.move_date} and it would "
                    "move then: set its move_date to null, or keep that date"
                )


def _cut(solution: Solution) -> Iterator[str]:
    if solution.cut:
        yield "the search was ended by the clock, not by its effort: on another machine the plan may differ"


def _sites(
    case: Case, question: Question, dates: Mapping[str, date], waves: Mapping[str, Wave]
) -> Iterator[dict[str, Any]]:
    complete = {site.id: has_answered(members, case) for members in groups_of(case.sites) for site in members}
    for site in sorted((s for s in case.sites if s.id in dates), key=lambda site: (dates[site.id], site.id)):
        day, wave = dates[site.id], waves[site.id]
        opening = move_opening(wave.with_site(site), day)
        yield {
            "site": site.id,
            "name": site.name,
            "county": site.county,
            "epj": site.epj,
            "wave": wave.id,
            "wave_name": wave.name,
            "move_date": day.isoformat(),
            "upgrade_date": case.calendar.last_working_day_before(day).isoformat(),
            "opens": format_time(opening.start) if opening else None,
            "ends": format_time(opening.end) if opening else None,
            "morning": (morning_after(opening) if opening else day + timedelta(days=1)).isoformat(),
            "promised": site.id in question.promised,
            "answered": complete[site.id],
            "signed": site.is_signed(case.today),
            "was": _was(site, case),
            "shared_server": site.shared_server,
        }


def _was(site: Site, case: Case) -> dict[str, Any]:
    return {
        "wave": case.freed.get(site.id, site.wave),
        "move_date": site.move_date.isoformat() if site.move_date else None,
    }


def _full(problem: Problem, solution: Solution) -> dict[str, tuple[Reason, ...]]:
    """Why the parties without a night have none: what is full in the nights that they may have."""
    room = Room(problem)
    without: list[Party] = []
    for party in problem.parties:
        night = solution.nights.get(party.id)
        option = option_on(party, night) if night else None
        if option:
            room.take(party, option)
        else:
            without.append(party)
    return {site: tuple(_reasons(party, room)) for party in without for site in party.sites}


def _reasons(party: Party, room: Room) -> Iterable[Reason]:
    lacking = [(option.night, what) for option in party.options for what in room.lacks(party, option)]
    together = f" for its server's {party.size} sites" if party.size > 1 else ""
    for what, (code, setting) in _FULL.items():
        nights = [night for night, lacks in lacking if lacks == what]
        if nights:
            several = f"{nights[0]} to {nights[-1]}" if len(nights) > 1 else str(nights[0])
            text = f"full{together} in {len(nights)} of the {len(party.options)} nights that it may have ({several})"
            yield Reason(code, f"{text}, by {setting}")
