# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's groups of a site, from what the register says of it.

A parent (`waves`) has one group per value (`wave_1`). No two names meet: what stands before the first `_` tells the
parent, and a parent has no `_`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, time

from .checks import register_state
from .site import Site
from .window import WEEKDAYS, Window

# In the order in which a person wants to see them.
PARENTS = ("waves", "windows", "dates", "states", "counties", "kinds", "epjs", "languages", "modes", "sites")
NONE = "none"

# Letters that Unicode does not take apart into a plain letter and a mark.
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ð": "d", "ŋ": "n", "ŧ": "t", "þ": "th", "ł": "l"})


def groups_of(site: Site) -> dict[str, tuple[str, ...]]:
    """The groups of `site` below each of PARENTS (docs/contracts.md, Groups).

    States: as the register tells, whatever the day is; the gate looks at the day too.
    """
    by_day = "window_day" if site.window.is_by_day else "window_night"
    return {
        "waves": (wave_group(site.wave),),
        "windows": (by_day, f"window_{window_name(site.window)}"),
        "dates": (f"date_{site.move_date:%Y_%m_%d}" if site.move_date else f"date_{NONE}",),
        "states": (f"state_{register_state(site, date.max)}",),
        "counties": (f"county_{safe(site.county)}",),
        "kinds": (f"kind_{site.kind}",),
        "epjs": (f"epj_{safe(site.epj) if site.epj else NONE}",),
        "languages": (f"language_{site.language}",),
        "modes": (f"mode_{site.mode}",),
        "sites": (f"site_{site.id}",),
    }


def in_order(names: Iterable[str]) -> list[str]:
    """Names of groups as a person sorts them: numbers by their value, and what is not known last."""
    return sorted(names, key=lambda name: (name.endswith(f"_{NONE}"), re.sub(r"[0-9]+", _digits, name)))


def _digits(number: re.Match[str]) -> str:
    return number[0].zfill(16)


def wave_group(number: int | None) -> str:
    """The group of a wave, or of the sites without one."""
    return f"wave_{NONE if number is None else number}"


def window_name(window: Window) -> str:
    """`mon_thu_2000_0600` for Monday to Thursday, `mon_and_thu_…` for the two days, `all_…` for every day."""
    return f"{_days(window.weekdays)}_{_wall(window.start)}_{_wall(window.end)}"


def safe(name: str) -> str:
    """A name as part of a group's: `Møre og Romsdal` becomes `more_og_romsdal`.

    Names that differ in case, accents or punctuation only come together. A name of which nothing would be left, or that
    would read as none, becomes a part of its hash.
    """
    folded = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    plain = re.sub(r"[^a-z0-9]+", "_", "".join(letter for letter in folded if not unicodedata.combining(letter)))
    plain = plain.strip("_")
    return plain if plain not in ("", NONE) else f"x{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _wall(moment: time) -> str:
    return f"{moment:%H%M}"


def _days(days: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    if len(runs[0]) == len(WEEKDAYS):
        return "all"
    ends = ((run[0], run[-1]) if len(run) > 1 else run for run in runs)
    return "_and_".join("_".join(WEEKDAYS[day] for day in run) for run in ends)
