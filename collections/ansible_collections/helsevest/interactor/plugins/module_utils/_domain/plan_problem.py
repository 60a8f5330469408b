# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner's question: the sites sorted out, and who of the others may have which night."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from .checks import answered
from .days import Obstacle, morning_after, move_opening
from .plan import Option, Party, Problem
from .plan_case import (
    Case,
    Reason,
    are_promised,
    cannot_move,
    group_obstacles,
    groups_of,
    has_answered,
    in_parts,
    on_the_way,
)
from .plan_settings import EpjRule, PlanSettings
from .plan_words import counted
from .site import Site

_SPAN = re.compile(r"\d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Question:
    """The sites sorted out, and what is left to be found."""

    problem: Problem
    promised: Mapping[str, date]
    left_out: Mapping[str, tuple[Reason, ...]]
    warnings: tuple[str, ...]


def question_of(case: Case) -> Question:
    """Sort the sites out and state what is to be found.

    Raises ValueError for a night in a year whose holidays are not known.
    """
    promised: dict[str, date] = {}
    left_out: dict[str, tuple[Reason, ...]] = {}
    warnings: list[str] = []
    parties: list[Party] = []
    for members in groups_of(case.sites):
        gone = on_the_way(members, case)
        if gone or (gone := in_parts(members)):
            left_out |= gone
        elif are_promised(members, case):
            for site in members:
                if site.move_date:
                    promised[site.id] = site.move_date
                    warnings += _broken_promises(site, site.move_date, case)
        else:
            party, reasons = _party(members, case)
            left_out |= reasons
            parties += [party] if party else []
    problem = _problem(parties, promised, case)
    return Question(problem, promised, left_out, (*warnings, *_overfull(promised, case)))


def _broken_promises(site: Site, day: date, case: Case) -> Iterator[str]:
    keeps = f"site {site.id} keeps its promised date {day}, but"
    for obstacle in cannot_move(site, day, case):
        yield f"{keeps} {obstacle.text}"
    if not answered(site, case.today):
        yield f"{keeps} has not answered everything (P7)"
    if not site.is_signed(case.today) and day < case.today + timedelta(days=case.settings.agreement_days):
        yield f"{keeps} its agreement is not signed (P4)"


def _party(members: Sequence[Site], case: Case) -> tuple[Party | None, dict[str, tuple[Reason, ...]]]:
    options: list[Option] = []
    found: dict[str, list[Obstacle]] = {site.id: [] for site in members}
    nights = case.settings.nights()
    for night in nights:
        against = group_obstacles(members, night, case)
        if any(against.values()):
            for site, of_site in against.items():
                found[site] += of_site
        else:
            openings = [move_opening(site, night) for site in members]
            mornings = Counter(morning_after(opening) for opening in openings if opening)
            options.append(Option(night, tuple(sorted(mornings.items()))))
    if not options:
        return None, {site: tuple(_summary(of_site, len(nights), case.settings)) for site, of_site in found.items()}
    epjs = Counter(site.epj for site in members if site.epj and case.settings.epj is not EpjRule.IGNORE)
    party = Party(
        id=members[0].id,
        sites=tuple(site.id for site in members),
        answered=has_answered(members, case),
        options=tuple(options),
        epjs=tuple(sorted((epj, count) for epj, count in epjs.items() if epj)),
        previous=next((day for site in members if (day := _earlier(site, case))), None),
    )
    return party, {}


def _earlier(site: Site, case: Case) -> date | None:
    """The date of the earlier plan, unless it is the promise that is now to be planned anew."""
    day = case.previous.dates.get(site.id)
    return None if day == site.move_date else day


def _summary(found: Iterable[Obstacle], nights: int, settings: PlanSettings) -> Iterator[Reason]:
    """Each kind of obstacle once, the most frequent first, with the number of nights that it takes where it is one of
    a night."""
    kinds: dict[tuple[str, ...], list[Obstacle]] = defaultdict(list)
    for obstacle in found:
        # Of a neighbour on the server, its name stands before a colon; what all of them lack has none.
        neighbour, colon, _ = obstacle.text.partition(":")
        whose = neighbour if colon and obstacle.code == "shared_server" else ""
        kinds[obstacle.code, obstacle.cause, whose, *_SPAN.findall(obstacle.text)].append(obstacle)
    for alike in sorted(kinds.values(), key=lambda alike: (-len(alike), alike[0].code, alike[0].text)):
        where = f" (so or alike on {len(alike)} of {nights} nights from {settings.first} to {settings.last})"
        # No night changes it, so the number of nights would tell nothing.
        always = "mode_not_described" in (alike[0].code, alike[0].cause)
        yield Reason(alike[0].code, alike[0].text + ("" if always else where))


def moves_and_calls(dates: Mapping[str, date], sites: Mapping[str, Site]) -> tuple[Counter[date], Counter[date]]:
    """How many sites move in each night, and how many calls each morning brings."""
    openings = [(move_opening(sites[site], day), day) for site, day in dates.items()]
    mornings = (morning_after(opening) if opening else day + timedelta(days=1) for opening, day in openings)
    return Counter(dates.values()), Counter(mornings)


def _problem(parties: list[Party], promised: Mapping[str, date], case: Case) -> Problem:
    settings, sites = case.settings, {site.id: site for site in case.sites}
    moves, calls = moves_and_calls(promised, sites)
    mornings = {morning for party in parties for option in party.options for morning, _calls in option.calls}
    taken = Counter((sites[site].epj, day) for site, day in promised.items() if sites[site].epj)
    epjs = {epj for party in parties for epj, _count in party.epjs}
    return Problem(
        first=settings.first,
        parties=tuple(parties),
        moves={night: max(0, settings.moves(night) - moves[night]) for night in settings.nights()},
        calls={
            morning: max(0, settings.calls(morning, case.calendar.is_working_day(morning)) - calls[morning])
            for morning in sorted(mornings)
        },
        epj={
            (epj, night): max(0, settings.epj_per_night - taken[epj, night])
            for epj in sorted(epjs)
            for night in settings.nights()
            if settings.epj is EpjRule.SPREAD
        },
        together=settings.epj is EpjRule.TOGETHER,
        met=frozenset((epj, day) for epj, day in taken if epj and settings.epj is EpjRule.TOGETHER),
    )


def _overfull(promised: Mapping[str, date], case: Case) -> Iterator[str]:
    sites = {site.id: site for site in case.sites}
    moves, calls = moves_and_calls(promised, sites)
    for night, many in sorted(moves.items()):
        if many > (most := case.settings.moves(night)):
            moves_are = counted(many, "move is", "moves are")
            yield f"{moves_are} promised for the night of {night}, which has room for {most}"
    for morning, many in sorted(calls.items()):
        if many > (most := case.settings.calls(morning, case.calendar.is_working_day(morning))):
            yield (
                f"{counted(many, 'call follows', 'calls follow')} from promised moves on the morning of {morning}, "
                f"which has room for {most}"
            )
    if case.settings.epj is EpjRule.SPREAD:
        taken = Counter((sites[site].epj, day) for site, day in promised.items())
        for (epj, night), many in sorted(taken.items(), key=str):
            if epj and many > (most := case.settings.epj_per_night):
                yield f"{many} sites of the EPJ {epj} are promised for the night of {night}, which has room for {most}"
