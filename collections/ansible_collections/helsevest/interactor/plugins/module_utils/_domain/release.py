# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who lets a wave go, who halts it and who resumes it: what is wanted, read and judged before it is put on record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from .events import Event
from .times import format_local, format_time, parse_time
from .window import MORNING, OSLO
from .words import EventKind

ALL = "all"
KINDS = (EventKind.RELEASED, EventKind.HALTED, EventKind.RESUMED)


def end_of_day(day: date) -> datetime:
    """The moment at which `day` ends in Norway, in UTC; OverflowError for the last day that there is."""
    return datetime.combine(day + timedelta(days=1), time(), OSLO).astimezone(UTC)


def parse_until(text: str, now: datetime) -> datetime:
    """Until when a release holds, in UTC: a bare date is the end of that day in Norway, a moment names its offset.

    ValueError for anything else, for a day or moment that does not exist, and for one that is not later than `now`.
    """
    allowed = (
        "allowed: a date as 2027-05-21 (the end of that day in Norway) or a moment with its offset as "
        f"2027-05-21T22:00:00+02:00, later than now ({format_local(now)} in Norway)"
    )
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            until = end_of_day(date.fromisoformat(text))
        else:
            # By way of Norway, where the last hours that there are cannot be told any more.
            until = parse_time(text).astimezone(OSLO).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        why = "has no offset" if "has no offset" in str(exc) else "is no date and no moment"
        raise ValueError(f"{repr(text) + ' ' + why if text else 'is missing'}; {allowed}") from exc
    if until <= now:
        raise ValueError(f"{text!r} has passed; {allowed}")
    return until


@dataclass(frozen=True)
class Wish:
    """What somebody wants of a wave (or of `all`): to release it `until` a moment, to halt it, or to resume it."""

    kind: EventKind
    scope: str
    name: str
    reason: str
    until: datetime | None = None

    @property
    def data(self) -> dict[str, Any]:
        """The data of its event (docs/contracts.md, Journal)."""
        data = {"name": self.name, "reason": self.reason}
        return data if self.until is None else {**data, "until": format_time(self.until)}


def read_who_and_why(prefix: str, raw: Mapping[str, str | None]) -> tuple[dict[str, str], list[str]]:
    """`name` and `reason` of `raw` on one line each, and what is wrong with them; `prefix` is that of the variables."""
    said, errors = {name: " ".join((raw.get(name) or "").split()) for name in ("name", "reason")}, []
    for field, what in (("name", "who says so"), ("reason", "why")):
        if not said[field]:
            errors.append(f"{prefix}_{field}: is missing or blank; allowed: {what}, in words")
        elif not said[field].isprintable():
            errors.append(f"{prefix}_{field}: holds a character that cannot be printed; allowed: {what}, in words")
    return said, errors


def read_wish(kind: EventKind, raw: Mapping[str, str | None], waves: Iterable[str], now: datetime) -> Wish:
    """Read `wave`, `name`, `reason` and `until`; ValueError tells everything that is wrong, a line each.

    `waves` are the numbers of the register's waves. Texts are put on one line.
    """
    said = {name: " ".join((raw.get(name) or "").split()) for name in ("wave", "name", "reason", "until")}
    allowed = [*sorted(waves, key=int), *([] if kind is EventKind.RELEASED else [ALL])]
    errors = []
    if said["wave"] not in allowed:
        found = f"{said['wave']!r} is no wave of the register" if said["wave"] else "is missing"
        errors.append(f"release_wave: {found}; allowed: {', '.join(allowed) or 'none, the register has no wave'}")
    errors += read_who_and_why("release", raw)[1]
    until = None
    if kind is EventKind.RELEASED:
        try:
            until = parse_until(said["until"], now)
        except ValueError as exc:
            errors.append(f"release_until: {exc}")
    elif said["until"]:
        errors.append(
            f"release_until: {said['until']!r}; only a release has an end. A halt holds until playbooks/resume.yml"
        )
    if errors:
        raise ValueError("\n".join(errors))
    return Wish(kind, said["wave"], said["name"], said["reason"], until)


@dataclass(frozen=True)
class Judged:
    """What comes of a wish: the event to record, or None where it stands already; `told` says it in English.

    `besides` is what else one should know: what still keeps the wave from moving.
    """

    event: Event | None
    told: tuple[str, ...]
    besides: tuple[str, ...]


def judge(wish: Wish, events: Iterable[Event], dates: Sequence[date], now: datetime) -> Judged:
    """What is to be put on record, given the journal's `events` in their order and the move dates of the wave's sites.

    What stands already is not recorded again, and what is not halted need not be resumed.
    """
    release, halts = _standing(events, wish.scope)
    whom = _name(wish.scope)
    by = f"by {wish.name}: {wish.reason}"
    match wish.kind:
        case EventKind.RELEASED:
            stands = release is not None and dict(release) == wish.data
            told = f"{whom} is released until {format_local(wish.until or now)} in Norway {by}"
            besides = [*_of_dates(wish, dates), *_still_halted(halts, (wish.scope, ALL))]
        case EventKind.HALTED:
            stands = halts.get(wish.scope) == wish.data
            told, besides = f"{whom} is halted {by}", []
        case _:
            stands = wish.scope not in halts
            told = f"{whom} is not halted: nothing to resume" if stands else f"{whom} is resumed {by}"
            others = (scope for scope in halts if scope != wish.scope and ALL in (scope, wish.scope))
            besides = _still_halted(halts, others)
    again = ("this is on record already",) if stands and wish.kind is not EventKind.RESUMED else ()
    event = None if stands else Event(kind=wish.kind, at=now, subject=wish.scope, data=wish.data)
    return Judged(event, (told, *again), tuple(besides))


def _standing(
    events: Iterable[Event], scope: str
) -> tuple[Mapping[str, Any] | None, dict[str | None, Mapping[str, Any]]]:
    """The release of `scope` that counts, and every halt that is not lifted, by its scope."""
    release: Mapping[str, Any] | None = None
    halts: dict[str | None, Mapping[str, Any]] = {}
    for event in events:
        if event.kind is EventKind.RELEASED and event.subject == scope:
            release = event.data
        elif event.kind is EventKind.HALTED:
            halts[event.subject] = event.data
        elif event.kind is EventKind.RESUMED:
            halts.pop(event.subject, None)
    return release, halts


def _of_dates(wish: Wish, dates: Sequence[date]) -> list[str]:
    if not dates:
        return [f"no site of {_name(wish.scope)} has a move date: nothing moves before one has"]
    until = wish.until
    if until is None:
        return []
    late = sorted(day for day in set(dates) if end_of_day(day) > until)
    short = sorted(day for day in set(dates) if end_of_day(day) <= until < _morning_after(day))
    told = [f"the release ends before these move dates do: {', '.join(map(str, late))}"] if late else []
    return told + (
        [f"the release ends before the nights of these move dates are over: {', '.join(map(str, short))}"]
        if short
        else []
    )


def _morning_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), MORNING, OSLO)


def _still_halted(halts: Mapping[str | None, Mapping[str, Any]], scopes: Iterable[str | None]) -> list[str]:
    return [
        f"{_name(scope)} is still halted by {halts[scope]['name']}: {halts[scope]['reason']}"
        for scope in scopes
        if scope in halts
    ]


def _name(scope: str | None) -> str:
    return "all" if scope == ALL else f"wave {scope}"
