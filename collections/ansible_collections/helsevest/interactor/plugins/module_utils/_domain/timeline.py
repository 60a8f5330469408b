# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal tells of one site, event by event, in words and in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from .cause import tell_cause
from .events import Event
from .ledger import Ledger, LedgerError
from .reconcile import Difference, Reconciliation
from .results import CheckResult
from .site import Site
from .standing import tells
from .table import COUNTED, number_of, words
from .times import format_time, parse_time
from .verdict import turn_of
from .window import OSLO
from .words import EventKind, Origin, Severity, Verdict

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Entry:
    """One line of a site's history: a date, or a moment (with an offset), what happened, and who tells it.

    `source` is `register`, `plan` or a run's id. `until` ends a span, or is the last of `times` equal events.
    """

    at: date | datetime
    what: str
    source: str
    detail: str = ""
    until: date | datetime | None = None
    times: int = 1

    @property
    def begins(self) -> datetime:
        """The first moment of it."""
        return self.at if isinstance(self.at, datetime) else datetime.combine(self.at, time(), OSLO)

    @property
    def ends(self) -> datetime:
        """The last moment of it; a span of days lasts until its last day has ended."""
        if self.until is None or isinstance(self.until, datetime):
            return self.until or self.begins
        return datetime.combine(self.until + timedelta(days=1), time(), OSLO)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a module's result."""
        told = {"at": _plain(self.at), "what": self.what, "source": self.source, "detail": self.detail}
        return {**told, "until": None if self.until is None else _plain(self.until), "times": self.times}


def _plain(at: date | datetime) -> str:
    return format_time(at) if isinstance(at, datetime) else at.isoformat()


def told_time(at: date | datetime, *, weekday: bool = False) -> str:
    """A date, or a moment in Norwegian time, as `18.05.2027 20:00`, with the weekday before it where wanted."""
    local = at.astimezone(OSLO) if isinstance(at, datetime) else at
    name = f"{DAYS[local.weekday()]} " if weekday else ""
    return f"{name}{local:%d.%m.%Y %H:%M}" if isinstance(local, datetime) else f"{name}{local:%d.%m.%Y}"


@dataclass(frozen=True)
class _Told:
    """An event in words. Of those with the same `thread` the ones that say the same are told once.

    What is `quiet` says how something stands: told again it is not news, however often it was seen.
    """

    thread: str
    what: str
    detail: str = ""
    quiet: bool = False


def journal_entries(site: Site, events: Iterable[Event]) -> list[Entry]:
    """The entries of `events` (in the order of recording) that are the site's or of its wave or all.

    What says the same as the last of its thread (the same host measured, the same step) is folded into one entry.
    """
    entries: list[Entry] = []
    last, verdict = dict[str, int](), None
    for event in events:
        if not tells(event, site) or (event.site is None and event.subject not in (str(site.wave), "all")):
            continue
        say = WORDS.get(event.kind, _any)
        told = _ledger(event, site.unit) if event.kind is EventKind.LEDGER else say(event)
        if event.kind is EventKind.ROW:
            turned, verdict = turn_of(verdict, event.data["verdict"]), event.data["verdict"]
            told = replace(told, detail="; ".join(filter(None, (turned, told.detail))))
        known = last.get(told.thread)
        if known is not None and entries[known].what == told.what:
            if not told.quiet:
                before = entries[known]
                entries[known] = replace(before, detail=told.detail, until=event.at, times=before.times + 1)
            continue
        last[told.thread] = len(entries)
        entries.append(Entry(event.at, told.what, event.run_id, told.detail))
    return entries


def _any(event: Event) -> _Told:
    what = words(event.kind).capitalize() + (f" {event.subject}" if event.subject else "")
    # Each is news; what its data mean is not known here, so they are not shown.
    return _Told(f"{event.kind}/{event.id}", what)


def _open_checks(raw: Iterable[Mapping[str, Any]]) -> tuple[list[str], str]:
    """The ids of the checks that failed or are not known, and what was seen of each."""
    checks = [check for check in map(CheckResult.from_dict, raw) if check.is_open]
    light = {check.id for check in checks if check.severity is not Severity.BLOCKER}
    ids = [f"{check.id} ({check.severity})" if check.id in light else check.id for check in checks]
    return ids, "; ".join(f"{check.id} {check.told}" for check in checks)


def _measured(event: Event) -> _Told:
    data = event.data
    ids, seen = _open_checks(data["checks"])
    if data["origin"] == Origin.SELF_CHECKED:
        made = told_time(parse_time(data["made"]))
        what = f"{event.host} self-checked {made}: {words(data['verdict'])}" + (
            f", open: {', '.join(ids)}" if ids else ""
        )
        return _Told(f"self_checked/{event.host}", what, seen)
    what = f"{event.host} measured: {words(data['verdict'])}"
    if not data["reached"]:
        what = f"{event.host} not reached ({data['cause'] or 'connection'})"
        seen = tell_cause(data["cause"], data["detail"] or "").partition(": ")[2]
    elif data["verdict"] == Verdict.ERROR:
        seen = data["detail"] or ""
    elif ids:
        what += f", open: {', '.join(ids)}"
    if data["version"]:
        what += f", Interactor {data['version']} in mode {words(data['mode'] or 'unknown')}"
    return _Told(f"measured/{event.host}", what, seen)


def _part_measured(event: Event) -> _Told:
    ids, seen = _open_checks(event.data["checks"])
    found = f"open: {', '.join(ids)}" if ids else "nothing wrong, which counts in a whole preflight only"
    what = f"{event.host} measured in part ({', '.join(event.data['families'])}): {found}"
    return _Told(f"part/{event.host}", what, seen)


def _ledger(event: Event, unit: str = "") -> _Told:
    raw, error = event.data["ledger"], event.data["error"]
    if error or raw is None:
        return _Told("ledger", f"Ledger cannot be read: {error}" if error else "No ledger on the server", quiet=True)
    try:
        ledger = Ledger.from_dict(raw, unit or event.site or "")
    except LedgerError as exc:
        return _Told("ledger", f"Ledger cannot be trusted: {exc}", quiet=True)
    upgrade, attempt = ledger.upgrade, ledger.last
    parts = []
    if upgrade:
        parts.append(f"upgrade to {upgrade.to} {upgrade.state}" + (f" ({upgrade.reason})" if upgrade.reason else ""))
    if attempt:
        parts.append(f"attempt {attempt.number} {words(attempt.state)}")
    if ledger.lease_held:
        parts.append("people are kept out of Interactor")
    moments = ("started", "finished", "switched", "ended")
    told = [f"{name} {told_time(at)}" for name in moments if attempt and (at := getattr(attempt, name))]
    if attempt and attempt.message:
        told.append(attempt.message)
    return _Told("ledger", f"Ledger: {', '.join(parts) or 'nothing done yet'}", "; ".join(told), quiet=True)


def _step(event: Event) -> _Told:
    data = event.data
    number = f", attempt {data['attempt']}" if data["attempt"] else ""
    what = f"{words(data['phase'])} {event.subject}{number}: {'done' if data['ok'] else 'failed'}"
    return _Told(f"step/{data['phase']}/{event.subject}", what.capitalize(), data["detail"] or "")


def _reconciled(event: Event) -> _Told:
    data = event.data
    counts = ", ".join(f"{COUNTED.get(name, words(name))} {count}" for name, count in data["counts"].items())
    what = f"Attempt {event.subject} compared with the cloud: " + ("all is there" if data["equal"] else "differences")
    told = Reconciliation.from_dict(data)
    lines = [counts, *(line for each in told.differences for line in _difference(each))]
    if told.unlisted:
        lines.append(f"the ids could not be compared: {told.unlisted}")
    return _Told(f"reconciled/{event.subject}", what, "\n".join(lines))


def _difference(difference: Difference) -> list[str]:
    """A category that differs, and the ids of what is missing and what is too much."""
    lines = [difference.told]
    for name, listing in (("missing", difference.missing), ("too many", difference.extra)):
        if listing and listing.count:
            more = f" and {listing.count - len(listing.ids)} more" if listing.count > len(listing.ids) else ""
            lines.append(f"{name}: {', '.join(listing.ids)}{more}")
    return lines


def _discarded(event: Event) -> _Told:
    return _Told(f"discarded/{event.subject}", f"The cloud discarded its copy of attempt {event.subject}")


def _checked(event: Event) -> _Told:
    ids, seen = _open_checks(event.data["checks"])
    what = f"Attempt {event.subject} checked after the move: " + (f"open: {', '.join(ids)}" if ids else "all is well")
    return _Told(f"checked/{event.subject}", what, seen)


def _rollback_asked(event: Event) -> _Told:
    what = f"{event.data['name']} asks to roll back attempt {event.subject}"
    loses = event.data.get("loses")
    return _Told(f"rollback_asked/{event.subject}", what + (f", losing {loses}" if loses else ""), event.data["reason"])


def _cloud(event: Event) -> _Told:
    known = ", ".join(f"attempt {one['number']} {words(one['state'])}" for one in event.data["attempts"])
    return _Told("cloud", f"The cloud knows {known or 'no attempt'}", quiet=True)


def _users(event: Event) -> _Told:
    data = event.data
    what = "is in use" if data["active"] else "is not in use" if data["reached"] else "could not be asked for"
    told = [
        f"{name.replace('_', ' ')} {data[name]}"
        for name in ("sessions", "open_files", "warned", "closed")
        if data[name]
    ]
    return _Told(f"users/{event.host}", f"Interactor on {event.host} {what}", ", ".join(told), quiet=True)


def _upgrade_allowed(event: Event) -> _Told:
    data = event.data
    what = f"{data['name']} allows the upgrade outside its evening until {told_time(parse_time(data['until']))}"
    return _Told(f"upgrade_allowed/{event.id}", what, data["reason"])


def _fixed(event: Event) -> _Told:
    data = event.data
    done = [f"{each['check']}, {each['what']}, {each['name']}: {each['after']}" for each in data["changes"]]
    left = [f"{each['check']}, {each['what']} left: {each['why']}" for each in data["left"]]
    did = "put back" if data["undo"] else "put right"
    count = number_of(len(done), "setting")
    what = f"{event.host} not {did}: {data['error']}" if data["error"] else f"{event.host}: {count} {did}"
    if data["until"]:
        left.append(f"sleep and restarts back by themselves after {told_time(parse_time(data['until']))}")
    return _Told(f"fixed/{event.id}", what, "\n".join([*done, *left]))


def _made(event: Event) -> _Told:
    count = len(event.data["made"]) if event.data["known"] else "an unknown number"
    return _Told(f"made/{event.subject}", f"Made in the cloud since the switch: {count}", quiet=True)


def _restored(event: Event) -> _Told:
    equal, changed = event.data["equal"], event.data["changed"]
    what = f"Attempt {event.subject} undone: the server is " + ("as it was before" if equal else "not as it was before")
    return _Told(f"restored/{event.subject}", what, ", ".join(changed))


def _released(event: Event) -> _Told:
    data = event.data
    what = f"Wave {event.subject} released by {data['name']} until {told_time(parse_time(data['until']))}"
    return _Told(f"wave/{event.id}", what, data["reason"] or "")


def _halted(event: Event) -> _Told:
    scope = "All" if event.subject == "all" else f"Wave {event.subject}"
    return _Told(f"wave/{event.id}", f"{scope} {event.kind} by {event.data['name']}", event.data["reason"] or "")


def _signatory_noted(event: Event) -> _Told:
    return _Told(f"signatory/{event.id}", "Entry of the signatory seen in the encrypted file")


def _signatory_removed(event: Event) -> _Told:
    data = event.data
    return _Told(f"signatory/{event.id}", f"Entry of the signatory {data['entry']}, by {data['name']}", data["reason"])


def _row(event: Event) -> _Told:
    data = event.data
    parts = [f"state {words(data['state'])}", f"verdict {words(data['verdict'] or 'none')}"]
    parts.append(f"outcome {words(data['outcome'] or 'none yet')}")
    if data["owes"]:
        parts.append(f"owes {', '.join(data['owes'])}")
    if data["needs_us"]:
        parts.append("needs us")
    return _Told("row", f"Row: {', '.join(parts)}", data["why"], quiet=True)


WORDS: Mapping[EventKind, Callable[[Event], _Told]] = {
    EventKind.MEASURED: _measured,
    EventKind.PART_MEASURED: _part_measured,
    EventKind.LEDGER: _ledger,
    EventKind.STEP: _step,
    EventKind.CLOUD: _cloud,
    EventKind.USERS: _users,
    EventKind.UPGRADE_ALLOWED: _upgrade_allowed,
    EventKind.FIXED: _fixed,
    EventKind.RECONCILED: _reconciled,
    EventKind.DISCARDED: _discarded,
    EventKind.CHECKED: _checked,
    EventKind.ROLLBACK_ASKED: _rollback_asked,
    EventKind.MADE: _made,
    EventKind.RESTORED: _restored,
    EventKind.RELEASED: _released,
    EventKind.HALTED: _halted,
    EventKind.RESUMED: _halted,
    EventKind.SIGNATORY_NOTED: _signatory_noted,
    EventKind.SIGNATORY_REMOVED: _signatory_removed,
    EventKind.ROW: _row,
}
"""How each kind is told; a kind without words is told by its name and subject."""
