"""What a move takes, counted and hashed from the vendor's list: in step with the script module _Manifest.psm1."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from simulator import data
from simulator.files import join
from simulator.models.common import Refused, Work
from simulator.scenario import CATEGORIES

_ALLOWED_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_IDENTITY_NUMBER = re.compile(r"(?<![0-9A-Fa-f])[0-9]{11}(?![0-9A-Fa-f])")
_ALLOWED_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_list(content: bytes) -> list[data.Record]:
    """The entries of a list file. Raises `Refused` with the number of the line that is wrong, and nothing of it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("the list is no UTF-8 text") from None
    lines = enumerate(re.split(r"\r\n|\r|\n", text), 1)
    return [_entry(line, f"the list's line {number}") for number, line in lines if line.strip()]


def _entry(line: str, what: str) -> data.Record:
    try:
        raw: Any = json.loads(line)
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raise Refused(f"{what} is no JSON object")
    category, name, day = (raw.get(field) for field in ("category", "id", "date"))
    if not (isinstance(category, str) and isinstance(name, str) and isinstance(day, str)):
        raise Refused(f"{what} lacks category, id or date")
    known = next((one for one in CATEGORIES if one == category), None)
    if known is None:
        raise Refused(f"{what} names another category: allowed are {', '.join(CATEGORIES)}")
    if not _ALLOWED_ID.fullmatch(name):
        raise Refused(
            f"{what} has an id that is not allowed: 1 to 64 letters, digits, dots, colons, dashes and underscores"
        )
    if _IDENTITY_NUMBER.search(name):
        raise Refused(f"{what} has an id with 11 digits in a row, as a national identity number has")
    return data.Record(known, name, _date(day, what))


def _date(day: str, what: str) -> date:
    try:
        if _ALLOWED_DATE.fullmatch(day):
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise Refused(f"{what} has a date that is none: YYYY-MM-DD is wanted")


def refuse_outside(manifest: dict[str, Any], day: str, months: int) -> None:
    """Raise `Refused` where a manifest holds what lies outside the span that a move takes (M3)."""
    try:
        until = date.fromisoformat(day) if _ALLOWED_DATE.fullmatch(day) else None
    except ValueError:
        until = None
    if until is None:
        raise Refused(f"day is '{day}': a date as 2027-05-18 is wanted")
    since = data.months_before(until, months).isoformat()
    for category, first, last in (("orders", since, day), ("started_requisitions", day, "9999-12-31")):
        part = manifest[category]
        if part["count"] and not first <= part["first"] <= part["last"] <= last:
            raise Refused(
                f"the list holds {category} outside the agreed span of {months} months: "
                "the vendor's program does not keep it"
            )


def id_path(work: Work, number: int) -> str:
    """Where the ids of an attempt are kept."""
    return join(work.contract("paths.work"), "manifest", f"attempt-{number}.ids")


def keep_ids(work: Work, number: int, records: list[data.Record]) -> None:
    """Keep the ids of an attempt, for a listing of what differs."""
    lines = "".join(f"{record.category}\t{record.id}\n" for record in records)
    work.host.drive.write(id_path(work, number), lines.encode())


def kept_ids(work: Work, number: int, categories: list[str]) -> dict[str, list[str]]:
    """The ids of some categories that were kept."""
    path = id_path(work, number)
    if not work.host.drive.is_file(path):
        raise Refused(f"the ids of attempt {number} are not kept on this server")
    found: dict[str, list[str]] = {category: [] for category in categories}
    for line in work.host.drive.read(path).decode().splitlines():
        category, _, name = line.partition("\t")
        if category in found:
            found[category].append(name)
    return found
