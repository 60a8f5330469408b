# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may set for a plan, with defaults; everything that is wrong is told at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from .near import nearest

LONGEST = 732
"""How many days a plan may span: two years."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ENTRY = re.compile(r"""\s*(?P<a>["']?)(?P<day>[^"':,\s]+)(?P=a)\s*:\s*(?P<b>["']?)(?P<number>[^"':,\s]+)(?P=b)\s*""")


class EpjRule(StrEnum):
    """What the sites of one EPJ vendor have to do with each other."""

    IGNORE = "ignore"
    SPREAD = "spread"
    TOGETHER = "together"


NUMBERS = {
    "moves_per_night": (20, 0, 10_000),
    "calls_per_morning": (20, 0, 10_000),
    "calls_on_days_off": (5, 0, 10_000),
    "epj_per_night": (5, 1, 10_000),
    "wave_size": (60, 1, 10_000),
    "answer_days": (28, 0, 366),
    "agreement_days": (14, 0, 366),
    "move_minutes": (60, 1, 1440),
    "effort": (15, 1, 3600),
}
"""Default, least and most of each setting that is a number."""


@dataclass(frozen=True)
class PlanSettings:
    """The settings of one plan, defaults filled in (docs/plan.md, Settings)."""

    first: date
    last: date
    moves_per_night: int = 20
    moves_on: Mapping[date, int] = field(default_factory=dict)
    calls_per_morning: int = 20
    calls_on_days_off: int = 5
    calls_on: Mapping[date, int] = field(default_factory=dict)
    epj: EpjRule = EpjRule.IGNORE
    epj_per_night: int = 5
    wave_size: int = 60
    answer_days: int = 28
    agreement_days: int = 14
    move_minutes: int = 60
    replan: frozenset[str] = frozenset()
    effort: int = 15

    @property
    def takes(self) -> timedelta:
        """How long a move is expected to take."""
        return timedelta(minutes=self.move_minutes)

    def nights(self) -> list[date]:
        """Every day from the first to the last."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def moves(self, night: date) -> int:
        """How many sites may move that night."""
        return self.moves_on.get(night, self.moves_per_night)

    def calls(self, morning: date, is_working_day: bool) -> int:
        """How many calls the support team can take that morning."""
        return self.calls_on.get(morning, self.calls_per_morning if is_working_day else self.calls_on_days_off)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, under the names that a person writes."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            **{name: getattr(self, name) for name in NUMBERS},
            **{
                name: {day.isoformat(): number for day, number in sorted(getattr(self, name).items())}
                for name in ("moves_on", "calls_on")
            },
            "epj": self.epj.value,
            "replan": sorted(self.replan),
        }


def read_settings(raw: Mapping[str, Any], today: date, sites: Collection[str]) -> PlanSettings:
    """Read the settings as a person gave them; `today` is Norway's date, `sites` are the ids that `replan` may name.

    Raises ValueError with one line per fault: the setting, its value and what is allowed.
    """
    faults: list[str] = []
    known = {"from", "to", "moves_on", "calls_on", "epj", "replan", *NUMBERS}
    for name in sorted(set(map(str, raw)) - known):
        faults.append(f"settings: {name}: there is no such setting{_meant(name, known)}")
    given = {name: value for name, value in raw.items() if value is not None}
    first, last = _span(given, today, faults)
    values: dict[str, Any] = {name: _number(given, name, faults) for name in NUMBERS}
    values |= {name: _by_date(given, name, faults) for name in ("moves_on", "calls_on")}
    epj = given.get("epj", "ignore")
    if epj not in list(EpjRule):
        faults.append(f"{_called('epj')}: {epj!r}; one of {', '.join(EpjRule)} is allowed{_meant(str(epj), EpjRule)}")
        epj = "ignore"
    replan = given.get("replan", [])
    if not isinstance(replan, list):
        faults.append(f"{_called('replan')}: {replan!r}; a list of site ids is allowed")
        replan = []
    for site in sorted({str(site) for site in replan} - set(sites)):
        faults.append(f"{_called('replan')}: {site!r} is no site{_meant(site, sites)}")
    if faults:
        raise ValueError("\n".join(faults))
    return PlanSettings(first, last, epj=EpjRule(epj), replan=frozenset(map(str, replan)), **values)


def _called(name: str) -> str:
    """A setting by its name here and by that of the role's variable, which is what a person typed."""
    return f"settings.{name} (plan_{name})"


def _meant(word: str, known: Iterable[str]) -> str:
    near = nearest(word, sorted(known))
    return f"; {near[0]} was meant?" if near else ""


def _span(given: Mapping[str, Any], today: date, faults: list[str]) -> tuple[date, date]:
    before = len(faults)
    first = _date(given, "from", faults) or today + timedelta(days=21)
    if first <= today:
        faults.append(f"{_called('from')}: {first} is not in the future; a date after {today} is allowed")
    is_first_right = len(faults) == before
    last, latest = _date(given, "to", faults) or first + timedelta(days=180), first + timedelta(days=LONGEST)
    # What is told of the last day is told by the first, so not where that one is wrong.
    if is_first_right and last < first:
        faults.append(f"{_called('to')}: {last} is before from, {first}; a date from {first} to {latest} is allowed")
    elif is_first_right and last > latest:
        faults.append(f"{_called('to')}: {last} is too late; a date from {first} to {latest} is allowed")
    return first, last


def _as_date(value: object) -> date | None:
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _no_date(value: object) -> str:
    """What is wrong with a value that is no date."""
    if _DATE.fullmatch(str(value)):
        return f"{value} is a date that does not exist"
    return f"{value!r}; a date YYYY-MM-DD is allowed"


def _date(given: Mapping[str, Any], name: str, faults: list[str]) -> date | None:
    if name not in given:
        return None
    day = _as_date(given[name])
    if day is None:
        faults.append(f"{_called(name)}: {_no_date(given[name])}")
    return day


def _as_number(value: object, least: int, most: int) -> int | None:
    # Ansible's -e name=20 gives text.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most else None


def _number(given: Mapping[str, Any], name: str, faults: list[str]) -> int:
    default, least, most = NUMBERS[name]
    number = _as_number(given.get(name, default), least, most)
    if number is None:
        faults.append(f"{_called(name)}: {given[name]!r}; a whole number from {least} to {most} is allowed")
    return default if number is None else number


def _entries(raw: object) -> list[tuple[object, object]] | None:
    """The dates and numbers of a mapping, or of a text as a command line gives it; None if it is neither."""
    if isinstance(raw, Mapping):
        return list(raw.items())
    if not isinstance(raw, str):
        return None
    text = raw.strip()
    inside = text[1:-1].strip() if text.startswith("{") and text.endswith("}") else text
    found = [_ENTRY.fullmatch(part) for part in inside.split(",")] if inside else []
    entries: list[tuple[object, object]] = [(entry["day"], entry["number"]) for entry in found if entry]
    return entries if len(entries) == len(found) else None


def _by_date(given: Mapping[str, Any], name: str, faults: list[str]) -> dict[date, int]:
    entries, found = _entries(given.get(name, {})), {}
    if entries is None:
        typed = f"-e plan_{name}=2027-03-16:5,2027-03-17:0"
        faults.append(f"{_called(name)}: {given[name]!r}; numbers by date are allowed, on a command line as {typed}")
    for key, value in entries or []:
        day, number = _as_date(key), _as_number(value, 0, 10_000)
        if day is None:
            faults.append(f"{_called(name)}: {_no_date(key)}")
        elif number is None:
            faults.append(f"{_called(name)}: {day}: {value!r}; a whole number from 0 to 10000 is allowed")
        elif day in found:
            faults.append(f"{_called(name)}: {day} is there twice")
        else:
            found[day] = number
    return found
