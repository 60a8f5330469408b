# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checklist for a real server as data: its rows, what people have seen of them, and what is wrong with either."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Needs(StrEnum):
    """What a row needs before it is known."""

    NOBODY = "nobody"
    PERSON = "person"
    STEP = "step"


class Result(StrEnum):
    """How a row stands."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"
    NOT_APPLICABLE = "not applicable"


_FIELDS = ("id", "question", "needs", "of", "how", "measure", "limits")
_OPTIONAL = ("measure", "limits")
_SEEN_FIELDS = ("result", "note", "who", "date")


class ChecklistError(ValueError):
    """A file that cannot be read as what it should be; the text names all that is wrong, a line each."""


@dataclass(frozen=True)
class Row:
    """A question; `of` are the steps and parts that it is about, `measure` the name of what answers it by itself."""

    id: str
    question: str
    needs: Needs
    of: tuple[str, ...]
    how: str
    measure: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Checklist:
    """The rows in their order, and by step of a role on what it has passed so far (`model`, `engine`)."""

    rows: tuple[Row, ...]
    passed_on: Mapping[str, tuple[str, ...]]

    def passed(self, row: Row) -> tuple[str, ...]:
        """On what all steps that a row is about have passed; of its parts that are no steps nothing is known."""
        known = [set(self.passed_on[unit]) for unit in row.of if unit in self.passed_on]
        return tuple(sorted(set.intersection(*known), reverse=True)) if known else ()


@dataclass(frozen=True)
class Seen:
    """What somebody has seen of a row, and when."""

    result: Result
    note: str
    who: str
    day: date

    def to_dict(self) -> dict[str, str]:
        """Plain data, as it may stand in a file of answers."""
        return {"result": self.result.value, "note": self.note, "who": self.who, "date": self.day.isoformat()}


def read_checklist(data: object, source: str, measures: Collection[str]) -> Checklist:
    """The checklist of a file's content; `measures` are the names that there are.

    Raises ChecklistError with `source`, row, field, value and what is allowed for everything that is wrong.
    """
    if not isinstance(data, Mapping) or set(data) != {"rows", "passed_on"} or not isinstance(data["rows"], list):
        raise ChecklistError(f"{source}: a mapping with a list `rows` and a mapping `passed_on` is allowed")
    faults: list[str] = []
    rows: list[Row] = []
    for number, raw in enumerate(data["rows"], 1):
        name = (
            f"{source}: row {raw['id']!r}"
            if isinstance(raw, Mapping) and "id" in raw
            else f"{source}: row no. {number}"
        )
        wrong = _row_faults(raw, measures)
        if not wrong and any(raw["id"] == row.id for row in rows):
            wrong = [f"id: {raw['id']!r} stands there twice; an id is one row's alone"]
        faults += [f"{name}: {fault}" for fault in wrong]
        if not wrong:
            rows.append(
                Row(
                    raw["id"], raw["question"], Needs(raw["needs"]), tuple(raw["of"]), raw["how"],
                    raw.get("measure"), raw.get("limits") or {},
                )
            )  # fmt: skip
    if faults:
        raise ChecklistError("\n".join(faults))
    passed_on = {unit: tuple(words) for unit, words in (data["passed_on"] or {}).items()}
    return Checklist(tuple(rows), passed_on)


def _row_faults(raw: object, measures: Collection[str]) -> list[str]:
    if not isinstance(raw, Mapping):
        return [f"is {raw!r}; a mapping is allowed"]
    faults = [f"{name}: is no field; allowed are {', '.join(_FIELDS)}" for name in raw if name not in _FIELDS]
    faults += [f"{name}: is missing" for name in _FIELDS if name not in raw and name not in _OPTIONAL]
    for name in ("id", "question", "how"):
        if name in raw and not (isinstance(raw[name], str) and raw[name].strip()):
            faults.append(f"{name}: is {raw[name]!r}; a text is allowed")
    if "needs" in raw and raw["needs"] not in list(Needs):
        faults.append(f"needs: is {raw['needs']!r}; allowed are {', '.join(Needs)}")
    if "of" in raw and not (
        isinstance(raw["of"], list) and raw["of"] and all(isinstance(one, str) for one in raw["of"])
    ):
        faults.append(f"of: is {raw['of']!r}; a list of texts is allowed")
    if raw.get("measure") is not None and raw["measure"] not in measures:
        faults.append(f"measure: is {raw['measure']!r}; allowed are {', '.join(sorted(measures))}")
    if raw.get("needs") == Needs.NOBODY and raw.get("measure") is None:
        faults.append("measure: is missing; what needs nobody is measured")
    return faults


def read_seen(data: object, source: str, checklist: Checklist, who: str, today: date) -> dict[str, Seen]:
    """What people have seen, by row: a result alone, or a mapping with `result`, `note`, `who` and `date`.

    `who` and `today` hold where it does not say otherwise. Raises ChecklistError with `source`, row, field, value and
    what is allowed for everything that is wrong.
    """
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise ChecklistError(f"{source}: is {data!r}; a mapping of rows to what was seen is allowed")
    rows = {row.id: row for row in checklist.rows}
    seen: dict[str, Seen] = {}
    faults: list[str] = []
    for key, raw in data.items():
        name = str(key)
        if name not in rows:
            faults.append(f"row {name!r}: is none of the checklist; allowed are {', '.join(_open_to_people(rows))}")
        elif rows[name].needs is Needs.NOBODY:
            faults.append(f"row {name!r}: is found out by itself; allowed are {', '.join(_open_to_people(rows))}")
        else:
            given = raw if isinstance(raw, Mapping) else {"result": raw}
            wrong = _seen_faults(given, today)
            faults += [f"row {name!r}: {fault}" for fault in wrong]
            if not wrong:
                day = date.fromisoformat(str(given["date"])) if given.get("date") else today
                note, by = str(given.get("note") or ""), str(given.get("who") or who)
                seen[name] = Seen(Result(given["result"]), note, by, day)
    if faults:
        raise ChecklistError("\n".join(f"{source}: {fault}" for fault in faults))
    return seen


def _open_to_people(rows: Mapping[str, Row]) -> list[str]:
    return [row.id for row in rows.values() if row.needs is not Needs.NOBODY]


def _seen_faults(given: Mapping[Any, Any], today: date) -> list[str]:
    faults = [
        f"{name}: is no field; allowed are {', '.join(_SEEN_FIELDS)}" for name in given if name not in _SEEN_FIELDS
    ]
    result = given.get("result")
    if result not in list(Result):
        faults.append(f"result: is {result!r}; allowed are {', '.join(Result)}")
    for name in ("note", "who"):
        if given.get(name) is not None and not isinstance(given[name], str):
            faults.append(f"{name}: is {given[name]!r}; a text is allowed")
    if given.get("date"):
        try:
            day = date.fromisoformat(str(given["date"]))
        except ValueError:
            faults.append(f"date: is {given['date']!r}; a date as 2027-05-18 is allowed")
        else:
            if day > today:
                faults.append(f"date: is {day}, which is still to come; allowed is a date until {today}")
    return faults


NEEDS_WORDS = {Needs.NOBODY: "nobody", Needs.PERSON: "a person", Needs.STEP: "a later step"}


def table(checklist: Checklist) -> list[list[str]]:
    """The cells of the table in docs/verification.md: id, question, needs, of, passed on, how."""
    return [
        [
            row.id,
            row.question,
            NEEDS_WORDS[row.needs],
            ", ".join(row.of),
            ", ".join(checklist.passed(row)) or "-",
            row.how,
        ]
        for row in checklist.rows
    ]
