# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protocol of a walk through the checklist on a real server: what stands where, and who has seen it when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .checklist import NEEDS_WORDS, Checklist, Needs, Result, Row, Seen
from .findings import Answers, Finding
from .times import format_time, parse_time
from .verify import boot_readings, judge_row

SCHEMA = 1
ORDER = (Result.FAILED, Result.OPEN, Result.PASSED, Result.NOT_APPLICABLE)
_HEADINGS = {
    Result.FAILED: "Failed: not as it has to be",
    Result.OPEN: "Open: still to be seen",
    Result.PASSED: "Passed",
    Result.NOT_APPLICABLE: "Not applicable",
}


@dataclass(frozen=True)
class Walk:
    """One run: when (UTC), who, on which host of which site, with which commit (None: not known), whether a dry run."""

    at: datetime
    who: str
    host: str
    site: str
    commit: str | None
    dry: bool
    seconds: float


def read_earlier(data: object, walk: Walk) -> Mapping[str, Any]:
    """An earlier protocol of the same host and site; an empty one where it is of another, or of another schema."""
    if not isinstance(data, Mapping):
        return {}
    same = (data.get("schema"), data.get("host"), data.get("site")) == (SCHEMA, walk.host, walk.site)
    return data if same else {}


def _carried(earlier: Mapping[str, Any]) -> dict[str, Seen]:
    """What people have seen according to an earlier protocol."""
    found = {}
    for row in earlier.get("rows", ()):
        seen = row.get("seen")
        if seen:
            day = date.fromisoformat(seen["date"])
            found[row["id"]] = Seen(Result(seen["result"]), seen["note"], seen["who"], day)
    return found


def make_protocol(
    walk: Walk,
    checklist: Checklist,
    answers: Answers,
    contract: Mapping[str, Any],
    seen: Mapping[str, Seen],
    earlier: Mapping[str, Any],
) -> dict[str, Any]:
    """The protocol as plain data: a row for every row of the checklist.

    What was measured in this run counts; where that leaves a row open, what somebody has seen counts, in this run's
    answers (`seen`) or in the `earlier` protocol's.
    """
    readings = [(parse_time(one["at"]), parse_time(one["booted"])) for one in earlier.get("boot", ())]
    people = {**_carried(earlier), **seen}
    rows = []
    for row in checklist.rows:
        finding = judge_row(row, answers, contract, readings)
        rows.append(_row(row, checklist, finding, None if row.needs is Needs.NOBODY else people.get(row.id)))
    counts = {result.value: sum(row["result"] == result for row in rows) for result in ORDER}
    return {
        "schema": SCHEMA,
        "at": format_time(walk.at),
        "who": walk.who,
        "host": walk.host,
        "site": walk.site,
        "commit": walk.commit,
        "dry": walk.dry,
        "seconds": walk.seconds,
        "server": _server(answers),
        "counts": counts,
        "rows": rows,
        "boot": [
            {"at": format_time(at), "booted": format_time(booted)}
            for at, booted in (*readings, *boot_readings(answers))
        ],
    }


def _row(row: Row, checklist: Checklist, finding: Finding | None, seen: Seen | None) -> dict[str, Any]:
    result, observed, by = Result.OPEN, "", None
    if finding is not None:
        result, observed, by = finding.result, finding.observed, "measured"
    if seen is not None and result is Result.OPEN:
        result, observed, by = seen.result, seen.note, "seen"
    return {
        "id": row.id,
        "question": row.question,
        "needs": row.needs.value,
        "of": list(row.of),
        "passed_on": list(checklist.passed(row)),
        "how": row.how,
        "result": result.value,
        "by": None if result is Result.OPEN else by,
        "observed": observed,
        "seconds": finding.seconds if finding else None,
        "seen": seen.to_dict() if seen else None,
    }


def _server(answers: Answers) -> dict[str, Any]:
    """What machine it was, as far as it told."""
    host = ((answers.get("preflight") or {}).get("facts") or {}).get("host") or {}
    shell = ((answers.get("look") or {}).get("facts") or {}).get("powershell") or {}
    version = ((answers.get("look") or {}).get("facts") or {}).get("version")
    return {
        "name": host.get("name"),
        "os": host.get("os"),
        "build": host.get("build"),
        "powershell": shell.get("version"),
        "culture": shell.get("culture"),
        "interactor": version,
    }


def of_result(protocol: Mapping[str, Any], result: Result) -> list[Mapping[str, Any]]:
    """The rows that stand like that."""
    return [row for row in protocol["rows"] if row["result"] == result]


def to_markdown(protocol: Mapping[str, Any]) -> str:
    """The protocol for a person: what failed and what is open first."""
    server = protocol["server"]
    head = [
        ("date", protocol["at"]),
        ("who", protocol["who"]),
        ("host", f"{protocol['host']}, site {protocol['site']}"),
        ("server", ", ".join(f"{name} {value}" for name, value in server.items() if value) or "told nothing"),
        ("commit of the project", protocol["commit"] or "not known"),
        ("kind", "dry run: nothing was tried" if protocol["dry"] else "whole"),
        ("seconds", protocol["seconds"]),
        ("result", ", ".join(f"{count} {result}" for result, count in protocol["counts"].items())),
    ]
    lines = [f"# Checklist for a real server: {protocol['host']}", "", *_table(("", ""), head)]
    for result in ORDER:
        rows = of_result(protocol, result)
        if rows:
            lines += ["", f"## {_HEADINGS[result]}", "", *_rows(result, rows)]
    return "\n".join(lines) + "\n"


def _rows(result: Result, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if result is Result.OPEN:
        cells = [(row["id"], row["question"], _needs(row), _of(row), row["how"], row["observed"]) for row in rows]
        return _table(("#", "question", "needs", "of (passed on)", "how", "seen so far"), cells)
    told = [(row["id"], row["question"], _of(row), row["observed"], _by(row), row["seconds"]) for row in rows]
    return _table(("#", "question", "of (passed on)", "observed", "by", "seconds"), told)


def _needs(row: Mapping[str, Any]) -> str:
    # What needs nobody and is open could not be measured in this run.
    return "another run" if row["needs"] == Needs.NOBODY else NEEDS_WORDS[Needs(row["needs"])]


def _of(row: Mapping[str, Any]) -> str:
    return f"{', '.join(row['of'])} ({', '.join(row['passed_on']) or 'nothing yet'})"


def _by(row: Mapping[str, Any]) -> str:
    seen = row["seen"]
    return f"{seen['who']}, {seen['date']}" if row["by"] == "seen" else "measured"


def _table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(_cell(cell) for cell in cells) + " |"

    return [line(headings), "|" + "---|" * len(headings), *(line(row) for row in rows)]


def _cell(value: object) -> str:
    return " ".join(str("" if value is None else value).split()).replace("|", "\\|")


def lists(protocol: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for the terminal: what failed or is open, and how many passed (docs/contracts.md, Callback)."""
    counts = ", ".join(f"{count} {result}" for result, count in protocol["counts"].items())
    rows = [
        [
            row["id"],
            row["result"],
            _needs(row) if row["result"] == Result.OPEN else "",
            row["question"],
            row["observed"] or row["how"],
        ]
        for result in (Result.FAILED, Result.OPEN)
        for row in of_result(protocol, result)
    ]
    headings = ["#", "result", "needs", "question", "observed, or how"]
    return [{"title": f"Checklist for {protocol['host']}: {counts}", "headings": headings, "rows": rows}]
