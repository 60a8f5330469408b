# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wave a site moves with: its own, a wave of the register that fits and has room, or a new one of its week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from .days import common_opening, morning_after, move_opening
from .plan_case import Case, groups_of, site_obstacles
from .site import Freeze, Site, Span
from .window import Window


@dataclass(frozen=True)
class Wave:
    """A wave of the register, or a new one."""

    id: int
    name: str
    dates: Span | None = None
    window: Window | None = None
    freezes: tuple[Freeze, ...] = ()
    is_new: bool = False

    @classmethod
    def from_vars(cls, raw: Mapping[str, Any]) -> Wave:
        """Read `interactor_wave`; what it leaves out is empty."""
        return cls(
            id=int(raw["id"]),
            name=str(raw.get("name") or f"Wave {raw['id']}"),
            dates=Span.from_vars(raw["dates"]) if raw.get("dates") else None,
            window=Window.from_vars(raw["window"]) if raw.get("window") else None,
            freezes=tuple(Freeze.from_vars(freeze, "wave") for freeze in raw.get("freezes") or ()),
        )

    def with_site(self, site: Site) -> Site:
        """The site as it would be in this wave."""
        if site.wave == self.id:
            return site
        free = site.without_wave()
        return replace(
            free,
            wave=self.id,
            wave_dates=self.dates,
            wave_window=self.window,
            freezes=free.freezes + self.freezes,
        )


def week_of(day: date) -> tuple[str, Span]:
    """The name of the ISO week of `day`, and its days."""
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    return f"Week {week}, {year}", Span(monday, monday + timedelta(days=6))


def assign_waves(case: Case, dates: Mapping[str, date], register: Mapping[int, Wave]) -> dict[str, Wave]:
    """The wave of every site in `dates`, by site.

    What the register says stays; then what the earlier plan said where it still fits; sites of one server stay
    together. New waves have the names of their weeks and numbers after the highest that is known.
    """
    return _Waves(case, register).assign(dates)


class _Waves:
    def __init__(self, case: Case, register: Mapping[int, Wave]) -> None:
        self._case, self._register = case, register
        self._size = Counter(site.wave for site in case.sites if site.wave is not None)
        self._next = max([0, *register, *case.previous.new_waves]) + 1
        self._new: list[Wave] = []

    def assign(self, dates: Mapping[str, date]) -> dict[str, Wave]:
        assigned: dict[str, Wave] = {}
        waiting: list[tuple[date, list[Site]]] = []
        for members in groups_of(self._case.sites):
            members = [site for site in members if site.id in dates]
            if not members:
                continue
            number = members[0].wave
            if number is not None:
                assigned |= dict.fromkeys((s.id for s in members), self._register.get(number) or Wave(number, ""))
            else:
                waiting.append((dates[members[0].id], members))
        waiting.sort(key=lambda waits: (waits[0], waits[1][0].id))
        for earlier in (True, False):
            for night, members in waiting:
                if members[0].id not in assigned:
                    wave = self._earlier(members, night) if earlier else self._find(members, night)
                    if wave:
                        self._size[wave.id] += len(members)
                        assigned |= dict.fromkeys((site.id for site in members), wave)
        return assigned

    def _has_room(self, wave: Wave, members: Sequence[Site]) -> bool:
        size = self._size[wave.id]
        return size + len(members) <= self._case.settings.wave_size or (wave.is_new and not size)

    def _fits(self, wave: Wave, members: Sequence[Site], night: date) -> bool:
        if wave.dates is None or night not in wave.dates or not self._has_room(wave, members):
            return False
        inside = [wave.with_site(site) for site in members]
        if any(True for site in inside for _obstacle in site_obstacles(site, night, self._case)):
            return False
        common = common_opening(inside, night)
        # The calls are counted for the mornings that the site's own window brings.
        return (
            common is not None
            and common.length >= self._case.settings.takes
            and all(
                (before := move_opening(site, night)) is not None
                and (after := move_opening(within, night)) is not None
                and morning_after(before) == morning_after(after)
                for site, within in zip(members, inside, strict=True)
            )
        )

    def _earlier(self, members: Sequence[Site], night: date) -> Wave | None:
        number = self._case.previous.waves.get(members[0].id)
        if number is None:
            return None
        if number in self._register:
            wave = self._register[number]
            return wave if self._fits(wave, members, night) else None
        known = next((wave for wave in self._new if wave.id == number), None)
        name, days = week_of(night)
        told = self._case.previous.new_waves.get(number, "")
        if known is None and told.split(" (")[0] == name:
            known = self._open(number, told, days)
        return known if known and self._fits(known, members, night) else None

    def _find(self, members: Sequence[Site], night: date) -> Wave:
        candidates = [*(self._register[number] for number in sorted(self._register)), *self._new]
        for wave in candidates:
            if self._fits(wave, members, night):
                return wave
        name, days = week_of(night)
        taken = {wave.name for wave in candidates}
        same = [name, *(f"{name} ({number})" for number in range(2, len(taken) + 3))]
        wave = self._open(self._next, next(one for one in same if one not in taken), days)
        self._next += 1
        return wave

    def _open(self, number: int, name: str, days: Span) -> Wave:
        wave = Wave(number, name, days, is_new=True)
        self._new.append(wave)
        return wave
