# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's events: what each kind must hold (docs/contracts.md, Journal)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any

from .reconcile import Reconciliation
from .times import format_time, parse_time
from .words import EventKind, Origin, Phase, Step, Verdict


class Data(Enum):
    """What a field of an event's data may hold; the value is how an error tells it."""

    TEXT = "text"
    TEXT_OR_NULL = "text or null"
    BOOLEAN = "true or false"
    DICTIONARY = "a dictionary"
    DICTIONARY_OR_NULL = "a dictionary or null"
    DICTIONARIES = "a list of dictionaries"
    TEXTS = "a list of texts"
    NUMBER_OR_NULL = "a whole number or null"
    ATTEMPT_OR_NULL = "an attempt's number or null"
    MOMENT = "a moment as 2027-05-18T18:30:00Z"
    MOMENT_OR_NULL = "a moment as 2027-05-18T18:30:00Z, or null"


class Subject(Enum):
    """What an event of a kind is about; the value is how an error tells it."""

    NONE = "absent"
    STEP = f"one of {', '.join(Step)}"
    ATTEMPT = "an attempt's number"
    WAVE = "a wave's number"
    WAVE_OR_ALL = "a wave's number or all"


@dataclass(frozen=True)
class _Form:
    subject: Subject
    data: Mapping[str, Data | type[StrEnum]]
    host: bool = False
    site: bool = True


FORMS: Mapping[EventKind, _Form] = {
    EventKind.MEASURED: _Form(
        Subject.NONE,
        {
            "origin": Origin,
            "reached": Data.BOOLEAN,
            "cause": Data.TEXT_OR_NULL,
            "detail": Data.TEXT_OR_NULL,
            "verdict": Verdict,
            "checks": Data.DICTIONARIES,
            "version": Data.TEXT_OR_NULL,
            "mode": Data.TEXT_OR_NULL,
        },
        host=True,
    ),
    EventKind.PART_MEASURED: _Form(
        Subject.NONE, {"origin": Data.TEXT, "families": Data.TEXTS, "checks": Data.DICTIONARIES}, host=True
    ),
    EventKind.LEDGER: _Form(
        Subject.NONE,
        {
            "ledger": Data.DICTIONARY_OR_NULL,
            "error": Data.TEXT_OR_NULL,
            "mode": Data.TEXT_OR_NULL,
            "version": Data.TEXT_OR_NULL,
        },
        host=True,
    ),
    EventKind.STEP: _Form(
        Subject.STEP,
        {
            "phase": Phase,
            "attempt": Data.ATTEMPT_OR_NULL,
            "ok": Data.BOOLEAN,
            "detail": Data.TEXT_OR_NULL,
            "started": Data.MOMENT,
        },
    ),
    EventKind.CLOUD: _Form(Subject.NONE, {"attempts": Data.DICTIONARIES}),
    EventKind.USERS: _Form(
        Subject.NONE,
        {
            "reached": Data.BOOLEAN,
            "active": Data.BOOLEAN,
            "sessions": Data.NUMBER_OR_NULL,
            "open_files": Data.NUMBER_OR_NULL,
            "last_activity": Data.MOMENT_OR_NULL,
            "warned": Data.NUMBER_OR_NULL,
            "closed": Data.NUMBER_OR_NULL,
        },
        host=True,
    ),
    EventKind.UPGRADE_ALLOWED: _Form(Subject.NONE, {"name": Data.TEXT, "reason": Data.TEXT, "until": Data.MOMENT}),
    EventKind.FIXED: _Form(
        Subject.NONE,
        {
            "undo": Data.BOOLEAN,
            "changes": Data.DICTIONARIES,
            "left": Data.DICTIONARIES,
            "until": Data.MOMENT_OR_NULL,
            "error": Data.TEXT_OR_NULL,
        },
        host=True,
    ),
    EventKind.RECONCILED: _Form(
        Subject.ATTEMPT,
        {"equal": Data.BOOLEAN, "differences": Data.DICTIONARIES, "counts": Data.DICTIONARY},
    ),
    EventKind.DISCARDED: _Form(Subject.ATTEMPT, {}),
    EventKind.CHECKED: _Form(Subject.ATTEMPT, {"checks": Data.DICTIONARIES}),
    EventKind.ROLLBACK_ASKED: _Form(Subject.ATTEMPT, {"name": Data.TEXT, "reason": Data.TEXT}),
    EventKind.MADE: _Form(Subject.ATTEMPT, {"known": Data.BOOLEAN, "made": Data.DICTIONARIES}),
    EventKind.RESTORED: _Form(Subject.ATTEMPT, {"equal": Data.BOOLEAN, "changed": Data.TEXTS}),
    EventKind.RELEASED: _Form(
        Subject.WAVE,
        {"name": Data.TEXT, "reason": Data.TEXT_OR_NULL, "until": Data.MOMENT},
        site=False,
    ),
    EventKind.HALTED: _Form(Subject.WAVE_OR_ALL, {"name": Data.TEXT, "reason": Data.TEXT}, site=False),
    EventKind.RESUMED: _Form(Subject.WAVE_OR_ALL, {"name": Data.TEXT, "reason": Data.TEXT_OR_NULL}, site=False),
    EventKind.SIGNATORY_NOTED: _Form(Subject.NONE, {}),
    EventKind.SIGNATORY_REMOVED: _Form(Subject.NONE, {"name": Data.TEXT, "reason": Data.TEXT, "entry": Data.TEXT}),
    EventKind.ROW: _Form(
        Subject.NONE,
        {
            "site": Data.TEXT,
            "name": Data.TEXT,
            "wave": Data.NUMBER_OR_NULL,
            "window": Data.TEXT,
            "state": Data.TEXT,
            "verdict": Data.TEXT_OR_NULL,
            "outcome": Data.TEXT_OR_NULL,
            "owes": Data.TEXTS,
            "upgraded": Data.MOMENT_OR_NULL,
            "started": Data.MOMENT_OR_NULL,
            "finished": Data.MOMENT_OR_NULL,
            "switched": Data.MOMENT_OR_NULL,
            "verified": Data.MOMENT_OR_NULL,
            "counts": Data.DICTIONARY,
            "needs_us": Data.BOOLEAN,
            "why": Data.TEXT,
        },
    ),
}
"""What an event of each kind must hold; data may hold more. A kind with `site=False` belongs to a wave."""

WAVE_KINDS = frozenset(kind for kind, form in FORMS.items() if not form.site)
"""The kinds that name no site."""

SIGNATORY_KINDS = frozenset({EventKind.SIGNATORY_NOTED, EventKind.SIGNATORY_REMOVED})
"""The kinds that say what became of a signatory's data, and nothing of where a site stands."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened, at a moment (with an offset); ValueError naming kind and field if it is not valid.

    `id` counts up in the order of recording and is 0 before it; `key`, where there is one, is unique in the journal.
    """

    kind: EventKind
    at: datetime
    site: str | None = None
    host: str | None = None
    subject: str | None = None
    key: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""
    id: int = 0

    def __post_init__(self) -> None:
        form = FORMS[self.kind]
        if self.at.tzinfo is None:
            raise self._error("at", "must have an offset", self.at)
        if bool(self.site) != form.site:
            raise self._error(
                "site", "must be a site's id" if form.site else "must be absent: it is a wave's", self.site
            )
        if form.host and not self.host:
            raise self._error("host", "must be a host's name", self.host)
        if not _is_subject(self.subject, form.subject):
            raise self._error("subject", f"must be {form.subject.value}", self.subject)
        if self.key is not None and not self.key:
            raise self._error("key", "must be text or null", self.key)
        if not isinstance(self.data, Mapping):
            raise self._error("data", "must be a dictionary", self.data)
        for name, wanted in form.data.items():
            if name not in self.data:
                raise self._error(f"data.{name}", "is missing")
            if not _holds(self.data[name], wanted):
                allowed = wanted.value if isinstance(wanted, Data) else f"one of {', '.join(wanted)}"
                raise self._error(f"data.{name}", f"must be {allowed}", self.data[name])
        if self.kind is EventKind.RECONCILED:
            try:
                Reconciliation.from_dict(self.data)
            except ValueError as exc:
                raise self._error("data", str(exc)) from exc
        # What a PC found out by itself was found out before it was recorded.
        by_itself = self.kind is EventKind.MEASURED and self.data["origin"] == Origin.SELF_CHECKED
        if by_itself and not _is_moment(self.data.get("made")):
            raise self._error("data.made", f"must be {Data.MOMENT.value}", self.data.get("made"))
        if self.kind is EventKind.ROW and self.data["site"] != self.site:
            raise self._error("data.site", f"must be the event's site {self.site!r}", self.data["site"])

    def _error(self, name: str, complaint: str, *value: object) -> ValueError:
        shown = "".join(f", not {_shown(one)}" for one in value)
        return ValueError(f"event of kind {self.kind.value}: {name} {complaint}{shown}")

    @property
    def slot(self) -> str:
        """What a later event of the same kind, site, host and slot makes irrelevant for where a site stands.

        A host that is off, or that we failed to judge, must not hide what was measured while it answered, nor what
        its office found out by itself; nor a ledger that is gone the attempts, the upgrade, the version and the mode
        that an earlier one told.
        """
        if self.kind is EventKind.MEASURED:
            if self.data["origin"] == Origin.SELF_CHECKED:
                return Origin.SELF_CHECKED.value
            if not self.data["reached"]:
                return "unreached"
            return "error" if self.data["verdict"] == Verdict.ERROR else "judged"
        if self.kind is EventKind.PART_MEASURED:
            # What one part found wrong is not hidden by a later one that finds it right, or finds something else.
            wrong = sorted(str(check.get("id")) for check in self.data["checks"] if check.get("outcome") != "pass")
            return f"wrong {sha256(','.join(wrong).encode()).hexdigest()[:16]}" if wrong else ""
        if self.kind is not EventKind.LEDGER:
            return ""
        ledger = None if self.data["error"] else self.data["ledger"]
        words = ["none" if ledger is None else f"{_length(ledger.get('attempts'))} attempts"]
        upgrade = ledger.get("upgrade") if ledger else None
        if isinstance(upgrade, Mapping) and upgrade.get("state") == "done":
            words.append("upgraded")
        words += [name for name in ("mode", "version") if self.data[name] is not None]
        return ", ".join(words)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as in docs/contracts.md."""
        return {
            "id": self.id,
            "run_id": self.run_id,
            "at": format_time(self.at),
            "site": self.site,
            "host": self.host,
            "kind": self.kind.value,
            "subject": self.subject,
            "key": self.key,
            "data": dict(self.data),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], at: datetime) -> Event:
        """Read `{site, host, kind, subject, key, data}`, all but the kind optional; ValueError as for the class."""
        try:
            kind = EventKind(raw.get("kind") or "")
        except ValueError as exc:
            raise ValueError(f"kind must be one of {', '.join(EventKind)}, not {_shown(raw.get('kind'))}") from exc
        site, host, subject, key = (_text(raw.get(name)) for name in ("site", "host", "subject", "key"))
        return cls(kind=kind, at=at, site=site, host=host, subject=subject, key=key, data=raw.get("data") or {})


def read_events(raw: Sequence[Mapping[str, Any]], at: datetime) -> list[Event]:
    """Read events as a module takes them; ValueError lists every bad one with its number, site, kind and field."""
    events, errors = [], []
    for number, one in enumerate(raw, 1):
        try:
            events.append(Event.from_dict(one, at))
        except ValueError as exc:
            errors.append(f"event {number} (site {one.get('site') or 'none'}): {exc}")
    if errors:
        raise ValueError("; ".join(errors))
    return events


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _shown(value: object) -> str:
    """A value short enough for an error; the inside of a list or dictionary may hold what nobody should read there."""
    return repr(value)[:80] if value is None or isinstance(value, str | int | float) else type(value).__name__


def _length(value: object) -> int:
    return len(value) if isinstance(value, list | tuple) else 0


def _is_number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdigit()


def _is_subject(subject: str | None, wanted: Subject) -> bool:
    match wanted:
        case Subject.NONE:
            return not subject
        case Subject.STEP:
            return subject in list(Step)
        case Subject.WAVE_OR_ALL:
            return subject == "all" or _is_number(subject)
        case Subject.ATTEMPT | Subject.WAVE:
            return _is_number(subject)


def _holds(value: object, wanted: Data | type[StrEnum]) -> bool:
    if not isinstance(wanted, Data):
        return value in [member.value for member in wanted]
    match wanted:
        case Data.TEXT:
            return isinstance(value, str)
        case Data.TEXT_OR_NULL:
            return value is None or isinstance(value, str)
        case Data.BOOLEAN:
            return isinstance(value, bool)
        case Data.DICTIONARY:
            return isinstance(value, Mapping)
        case Data.DICTIONARY_OR_NULL:
            return value is None or isinstance(value, Mapping)
        case Data.DICTIONARIES:
            return isinstance(value, list | tuple) and all(isinstance(one, Mapping) for one in value)
        case Data.TEXTS:
            return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
        case Data.NUMBER_OR_NULL:
            return value is None or (isinstance(value, int) and not isinstance(value, bool))
        case Data.ATTEMPT_OR_NULL:
            return value is None or (not isinstance(value, bool) and _is_number(str(value)))
        case Data.MOMENT:
            return _is_moment(value)
        case Data.MOMENT_OR_NULL:
            return value is None or _is_moment(value)


def _is_moment(value: object) -> bool:
    try:
        parse_time(value)  # type: ignore[arg-type]
    except ValueError:
        return False
    return True
