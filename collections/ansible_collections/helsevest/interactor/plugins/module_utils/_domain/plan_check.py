# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second look at a finished plan: every rule is asked again, from the register, whatever the search did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

from .days import morning_after, move_opening
from .plan_case import Case, is_promised, site_obstacles
from .plan_settings import EpjRule
from .plan_waves import Wave
from .site import Site, Span


def violations(plan: Mapping[str, Any], case: Case, register: Mapping[int, Wave]) -> list[str]:
    """What is wrong with `plan`, in words; empty for a plan that keeps every rule."""
    return list(_Check(plan, case, register).all())


class _Check:
    def __init__(self, plan: Mapping[str, Any], case: Case, register: Mapping[int, Wave]) -> None:
        self._plan, self._case = plan, case
        self._sites = {site.id: site for site in case.sites}
        self._rows = {row["site"]: row for row in plan["sites"]}
        new = {w["id"]: Wave(w["id"], w["name"], Span.from_vars(w), is_new=True) for w in plan["new_waves"]}
        self._clash = set(new) & set(register)
        self._waves = {**new, **register}
        self._moved_by_us = {name: row for name, row in self._rows.items() if not row["promised"]}

    def all(self) -> Iterator[str]:
        yield from (f"wave {number} is new and in the register" for number in sorted(self._clash))
        yield from self._accounted()
        for name, row in self._rows.items():
            yield from self._promise(self._sites[name], row)
        for name, row in self._moved_by_us.items():
            yield from self._rules(self._sites[name], row)
        yield from self._servers()
        yield from self._capacities()

    def _accounted(self) -> Iterator[str]:
        told = Counter([*(row["site"] for row in self._plan["sites"]), *(o["site"] for o in self._plan["left_out"])])
        for site in sorted({*told, *self._sites}):
            if told[site] != 1 or site not in self._sites:
                yield f"site {site} is told {told[site]} times"
        yield from (
            f"site {o['site']} is left out without a reason" for o in self._plan["left_out"] if not o["reasons"]
        )

    def _promise(self, site: Site, row: Mapping[str, Any]) -> Iterator[str]:
        neighbours = [s for s in self._sites.values() if s.shared_server and s.shared_server == site.shared_server]
        on_server = neighbours or [site]
        promised = len({one.move_date for one in on_server}) == 1 and all(is_promised(s, self._case) for s in on_server)
        if row["promised"] is not promised:
            yield f"site {site.id} is told as promised: {row['promised']}"
        day = site.move_date.isoformat() if site.move_date else None
        if promised and (row["move_date"], row["wave"]) != (day, site.wave):
            yield f"site {site.id} was promised {day} in wave {site.wave}"

    def _rules(self, site: Site, row: Mapping[str, Any]) -> Iterator[str]:
        day, wave = date.fromisoformat(row["move_date"]), self._waves.get(row["wave"])
        if wave is None or (site.wave is not None and site.wave != row["wave"]):
            yield f"site {site.id} is in wave {row['wave']}"
            return
        if not self._case.settings.first <= day <= self._case.settings.last:
            yield f"site {site.id} moves on {day}, outside the plan"
        inside = wave.with_site(site)
        yield from (f"site {site.id} on {day}: {o.text}" for o in site_obstacles(inside, day, self._case))
        opening = move_opening(inside, day)
        if opening is None or row["morning"] != morning_after(opening).isoformat():
            yield f"site {site.id} on {day} has the morning {row['morning']}"

    def _servers(self) -> Iterator[str]:
        together: dict[str, set[tuple[Any, ...]]] = defaultdict(set)
        for site in self._sites.values():
            if site.shared_server:
                row = self._rows.get(site.id, {})
                together[site.shared_server].add((row.get("move_date"), row.get("wave")))
        yield from (f"the sites of server {name} part" for name, places in together.items() if len(places) > 1)

    def _capacities(self) -> Iterator[str]:
        settings, calendar = self._case.settings, self._case.calendar

        def calls(morning: date) -> int:
            return settings.calls(morning, calendar.is_working_day(morning))

        for day, most in self._crowded(lambda row: row["move_date"], settings.moves):
            yield f"move_date {day} has room for {most} only"
        for day, most in self._crowded(lambda row: row["morning"], calls):
            yield f"morning {day} has room for {most} only"
        if settings.epj is EpjRule.SPREAD:
            crowded = self._crowded(lambda row: (row["move_date"], row["epj"]), lambda _day: settings.epj_per_night)
            yield from (f"EPJ and night {place} have room for {most} only" for place, most in crowded if place[1])
        size = Counter(site.wave for site in self._sites.values() if site.wave is not None)
        joined = Counter(row["wave"] for name, row in self._rows.items() if self._sites[name].wave is None)
        servers = Counter(site.shared_server for site in self._sites.values() if site.shared_server)
        largest = max([settings.wave_size, *servers.values()])
        for number, many in joined.items():
            if size[number] + many > largest:
                yield f"wave {number} gets {size[number] + many} sites"

    def _crowded(
        self, place: Callable[[Mapping[str, Any]], Any], limit: Callable[[date], int]
    ) -> Iterator[tuple[Any, int]]:
        """Where more move than may, and not by promises alone."""
        all_of = Counter(place(row) for row in self._rows.values())
        for where in sorted({place(row) for row in self._moved_by_us.values()}, key=str):
            day = date.fromisoformat(where if isinstance(where, str) else where[0])
            if all_of[where] > limit(day):
                yield where, limit(day)
