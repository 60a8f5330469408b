# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan depends on, and what each site of it may do: who is promised, who is gone, which nights are open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from .calendar import Calendar
from .checks import answered
from .days import Obstacle, move_opening, obstacles, too_little_in_common
from .plan_settings import PlanSettings
from .site import Site
from .step import Settings
from .window import OSLO
from .words import Outcome, State

_GONE = frozenset({State.MOVING, State.MOVED, State.VERIFIED})
_UPGRADE = Settings(target_version="", described_modes=frozenset())


@dataclass(frozen=True)
class Previous:
    """What an earlier plan said: date and wave of each site, and the names of the waves that it made, by id; `made` is
    when, None where there is none."""

    made: str | None = None
    dates: Mapping[str, date] = field(default_factory=dict)
    waves: Mapping[str, int] = field(default_factory=dict)
    new_waves: Mapping[int, str] = field(default_factory=dict)


class Standpoint(NamedTuple):
    """State and outcome of a site as the gate's answer has them, and whether the move of its date was rolled back."""

    state: str | None = None
    outcome: str | None = None
    rolled_back: bool = False


@dataclass(frozen=True)
class Case:
    """All that a plan depends on. `modes` are those that the vendor has described (M5), `states` is how the gate sees
    the sites, `freed` the waves that sites had and are planned without (`without_lost_waves`)."""

    sites: Sequence[Site]
    calendar: Calendar
    settings: PlanSettings
    now: datetime
    modes: frozenset[str]
    states: Mapping[str, Standpoint] = field(default_factory=dict)
    previous: Previous = field(default_factory=Previous)
    freed: Mapping[str, int | None] = field(default_factory=dict)

    def standpoint(self, site: Site) -> Standpoint:
        """How the gate sees it; nothing for a site that it was not asked about."""
        return self.states.get(site.id, Standpoint())

    @property
    def today(self) -> date:
        """The date in Norway."""
        return self.now.astimezone(OSLO).date()


@dataclass(frozen=True)
class Reason:
    """Why a site has no date: a code, and in English for operations."""

    code: str
    text: str


def has_answered(members: Iterable[Site], case: Case) -> bool:
    """Whether P6 is complete for every one of the sites on a server: only then may they have a date (P7)."""
    return all(answered(site, case.today) for site in members)


def groups_of(sites: Iterable[Site]) -> list[list[Site]]:
    """The sites that move together: those of one shared server, everyone else alone; in order of the ids."""
    groups: dict[tuple[bool, str], list[Site]] = defaultdict(list)
    for site in sorted(sites, key=lambda site: site.id):
        groups[site.shared_server is not None, site.shared_server or site.id].append(site)
    return list(groups.values())


def is_promised(site: Site, case: Case) -> bool:
    """Whether the register gives it a date that has not passed, and no attempt of that night was rolled back."""
    day = site.move_date
    if day is None or site.id in case.settings.replan:
        return False
    opening = move_opening(site, day)
    if opening is None:
        return day >= case.today
    return case.now < opening.end and not case.standpoint(site).rolled_back


def upgrade_missed(evening: date, now: datetime) -> bool:
    """Whether there is no time left for an upgrade on `evening` (U1)."""
    opening = _UPGRADE.upgrade_window.opening_on(evening)
    return opening is None or now > opening.end - _UPGRADE.upgrade_takes


def site_obstacles(site: Site, day: date, case: Case) -> Iterator[Obstacle]:
    """Every reason why this site alone cannot be planned on `day`."""
    yield from cannot_move(site, day, case)
    since = case.today + timedelta(days=_waits(site, case))
    if day < since and not answered(site, case.today):
        settings = "answer_days" if site.is_signed(case.today) else "answer_days and agreement_days"
        yield Obstacle("not_answered", f"it has not answered, so {since} is the first night ({settings})", "site")
    elif day < since:
        text = f"its agreement is not signed, so {since} is the first night (agreement_days)"
        yield Obstacle("not_signed", text, "site")


def cannot_move(site: Site, day: date, case: Case) -> Iterator[Obstacle]:
    """Why the site cannot move on `day` even if it answers and signs at once."""
    if site.mode not in case.modes:
        text = f"mode {site.mode} is not described by the vendor: vendor_contract.config.modes.{site.mode} is empty"
        yield Obstacle("mode_not_described", text, "vendor")
    upgraded = case.standpoint(site).state == State.UPGRADED
    yield from obstacles(site, day, case.calendar, takes=case.settings.takes, upgraded=upgraded)
    evening = case.calendar.last_working_day_before(day)
    if not upgraded and upgrade_missed(evening, case.now):
        yield Obstacle("upgrade_evening", f"the upgrade's evening, {evening}, is over", "us")


def _waits(site: Site, case: Case) -> int:
    """For how many days from today; the agreement is sent only once all answers are there (P7)."""
    signing = 0 if site.is_signed(case.today) else case.settings.agreement_days
    return signing if answered(site, case.today) else case.settings.answer_days + signing


def group_obstacles(members: Sequence[Site], day: date, case: Case) -> dict[str, list[Obstacle]]:
    """Every reason why these sites cannot be planned on `day`, by site; those of a neighbour on the server count."""
    own = {site.id: list(site_obstacles(site, day, case)) for site in members}
    if len(members) == 1:
        return own
    told = {
        site: obstacles
        + [
            Obstacle("shared_server", f"site {other} on the same server: {obstacle.text}", obstacle.who, obstacle.code)
            for other, others in own.items()
            if other != site
            for obstacle in others
        ]
        for site, obstacles in own.items()
    }
    apart = too_little_in_common(members, day, case.settings.takes)
    if apart and not any(told.values()):
        for of_site in told.values():
            of_site.append(Obstacle("shared_server", apart, "us"))
    return told


def without_lost_waves(case: Case) -> Case:
    """The same case, with the sites that cannot move with the wave that they have planned as if they had none.

    Such a wave is over before the plan begins, or the site's date there has passed, was rolled back or is given up and
    none of the wave's other days is left to it. A promise keeps its wave, and so does who waits for a later one.
    """
    freed: dict[str, int | None] = {}
    for members in groups_of(case.sites):
        days = members[0].wave_dates
        if days is None or on_the_way(members, case) or are_promised(members, case):
            continue
        dated = any(site.move_date for site in members)
        if days.last < case.settings.first or (dated and not _has_a_night(members, case)):
            freed |= {site.id: site.wave for site in members}
    sites = [site.without_wave() if site.id in freed else site for site in case.sites]
    return replace(case, sites=sites, freed=freed)


def _has_a_night(members: Sequence[Site], case: Case) -> bool:
    return any(not any(group_obstacles(members, night, case).values()) for night in case.settings.nights())


def in_parts(members: Sequence[Site]) -> dict[str, tuple[Reason, ...]]:
    """Why the sites of a server cannot be planned before the register is mended; empty where they can."""
    differ = [
        Reason("shared_server", f"the sites of its server have different {name}: {told}")
        for name, each in (
            ("waves", [site.wave or "none" for site in members]),
            ("months of history", [site.history_months for site in members]),
        )
        if len(set(each)) > 1
        for told in [", ".join(f"{site.id} {one}" for site, one in zip(members, each, strict=True))]
    ]
    return {site.id: tuple(differ) for site in members} if differ else {}


def are_promised(members: Sequence[Site], case: Case) -> bool:
    """Whether the sites of a server keep their date: each has one, and it is the same."""
    return len({site.move_date for site in members}) == 1 and all(is_promised(site, case) for site in members)


def on_the_way(members: Sequence[Site], case: Case) -> dict[str, tuple[Reason, ...]]:
    """Why the sites of a server are not planned any more: one of them is moving or has moved; empty if none has."""
    told: dict[str, Reason] = {}
    for site in members:
        state, outcome, _ = case.standpoint(site)
        if outcome == Outcome.MOVED_OUTSIDE:
            told[site.id] = Reason("moved_outside", "it was found in the cloud without an attempt of ours")
        elif state in _GONE:
            told[site.id] = Reason(str(state), "its move is under way" if state == State.MOVING else f"it is {state}")
    first = next(iter(told), None)
    return {
        site.id: (told.get(site.id) or Reason("shared_server", f"site {first} on the same server: {told[first].text}"),)
        for site in members
        if first
    }
