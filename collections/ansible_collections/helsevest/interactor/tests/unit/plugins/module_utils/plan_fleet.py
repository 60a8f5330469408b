# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of invented offices as variables of the inventory, the same for the same seed."""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta
from typing import Any

NIGHT = {"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "20:00", "to": "06:00"}
SITE: dict[str, Any] = {
    "id": "1001",
    "name": "Fjordgata legekontor",
    "kind": "gp_office",
    "county": "Vestland",
    "language": "nb",
    "epj": "Journalen",
    "wave": None,
    "move_date": None,
    "mode": "server_in_cloud",
    "window": NIGHT,
    "asked": "2026-12-01",
    "closed": [],
    "contact": {"name": "Kari Prøve", "email": "kari@prove.example", "phone": "55 00 00 00", "weekends": False},
    "agreement": {
        "status": "signed",
        "form": "digital",
        "sent": "2026-12-10",
        "signed": "2026-12-12",
        "reference": None,
    },
    "signatory_known": True,
    "ros": {"requested": False, "sent": None},
    "confirmed": {"urls": "2026-12-10", "proxy": "2026-12-10"},
    "history_months": 12,
    "server": {"name": "server"},
    "clients": [{"name": "pc1"}],
    "shared_server": None,
}


def site(number: int | str, wave: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """One office, answered and signed, with some fields changed."""
    raw = {**copy.deepcopy(SITE), "id": str(number), "name": f"Kontor {number}", **changes}
    if wave:
        raw["wave"] = wave["id"]
    return {
        "interactor_site": raw,
        "interactor_wave": wave,
        "interactor_vendor": {},
        "interactor_health_trust": {},
        "interactor_waivers": [],
    }


def fleet(many: int, seed: int) -> list[dict[str, Any]]:
    """A mix as a register has it: windows, closures, EPJs, shared servers, answers, agreements, waves, promises."""
    draw = random.Random(seed)
    wave = {
        "id": 1,
        "name": "Pilot",
        "dates": {"from": "2027-02-01", "to": "2027-02-26"},
        "window": None,
        "freezes": [{"from": "2027-02-10", "to": "2027-02-11", "reason": "prøve"}],
    }
    vendor = {
        "windows": [{**NIGHT, "from": "07:00", "to": "19:00"}, {**NIGHT, "from": "19:00", "to": "07:00"}],
        "freezes": [{"from": "2027-03-22", "to": "2027-03-30", "reason": "påske"}],
    }
    sites: list[dict[str, Any]] = []
    while len(sites) < many:
        number = 1001 + len(sites)
        promised = draw.random() < 0.05
        answered = promised or draw.random() < 0.75
        together = min(many - len(sites), 1 if draw.random() < 0.96 else draw.choice([2, 2, 3]))
        common: dict[str, Any] = {
            "shared_server": f"felles-{number}" if together > 1 else None,
            "window": NIGHT if draw.random() < 0.75 else _window(draw),
        }
        if promised:
            common |= {"move_date": f"2027-02-{draw.choice(['02', '03', '04', '09', '16'])}", "window": NIGHT}
        mine = wave if promised or draw.random() < 0.02 else None
        for offset in range(together):
            one = site(number + offset, mine, **common, epj=draw.choice(["Journalen", "Kurven", "Notatet", None]))
            raw = one["interactor_site"]
            raw["closed"] = _closed(draw, promised) if answered or draw.random() < 0.5 else None
            raw["contact"]["weekends"] = draw.random() < 0.2
            if not answered:
                raw["contact"] = None
            if not answered or (not promised and draw.random() < 0.3):
                raw["agreement"] = {**raw["agreement"], "status": "sent", "signed": None}
            one["interactor_vendor"] = vendor
            sites.append(one)
    return sites


def _window(draw: random.Random) -> dict[str, Any]:
    weekdays = draw.sample(NIGHT["weekdays"], draw.choice([3, 4, 5]))
    first, last = draw.choice([("20:00", "06:00"), ("18:00", "23:00"), ("08:00", "12:00"), ("22:00", "08:00")])
    return {"weekdays": weekdays, "from": first, "to": last}


def _closed(draw: random.Random, promised: bool) -> list[dict[str, str]]:
    spans = []
    if draw.random() < 0.8:
        spans.append((date(2027, 6, 21) + timedelta(weeks=draw.randrange(5)), draw.choice([13, 20, 27])))
    if draw.random() < 0.3 and not promised:
        spans.append((date(2027, 2, 1) + timedelta(days=draw.randrange(120)), draw.choice([1, 4, 6])))
    return [{"from": str(first), "to": str(first + timedelta(days=length))} for first, length in spans]
