"""What Interactor holds: made from the scenario's seed, chosen by date, counted and hashed."""

from __future__ import annotations

import calendar
import hashlib
import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulator.scenario import CATEGORIES, Category, Data

_PREFIX: dict[Category, str] = {"orders": "ord", "started_requisitions": "req", "favourite_packages": "fav"}


@dataclass(frozen=True)
class Record:
    """One order, requisition or favourite package."""

    category: Category
    id: str
    date: date

    def line(self) -> str:
        """As the vendor's list file has it."""
        return json.dumps({"category": self.category, "id": self.id, "date": self.date.isoformat()})


def months_before(day: date, months: int) -> date:
    """The same day of the month, `months` earlier; the month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def generate(said: Data, site: str, start: date) -> list[Record]:
    """What a site holds when the clock starts.

    Orders are spread evenly over the months before `start`, in the second half of each month counted back from it: so
    the numbers of a move within two weeks after `start` can be read off the scenario. Requisitions lie one month ahead
    or more.
    """
    rng = random.Random(f"{site}:{said.seed if said.seed is not None else site}")

    def identity(category: Category) -> str:
        return f"{_PREFIX[category]}-{uuid.UUID(int=rng.getrandbits(128), version=4)}"

    records = []
    for index in range(said.orders):
        first = months_before(start, 1 + index * said.months // said.orders)
        records.append(Record("orders", identity("orders"), first + timedelta(days=15 + rng.randrange(12))))
    for _ in range(said.started_requisitions):
        day = start + timedelta(days=31 + rng.randrange(90))
        records.append(Record("started_requisitions", identity("started_requisitions"), day))
    for _ in range(said.favourite_packages):
        day = start - timedelta(days=1 + rng.randrange(900))
        records.append(Record("favourite_packages", identity("favourite_packages"), day))
    # The newest orders come first, so that what is there twice is within the history.
    return [*records, *last_of(records[::-1], said.twice)]


def last_of(records: Sequence[Record], wanted: Mapping[Category, int]) -> list[Record]:
    """The last so many records of each category."""
    found: list[Record] = []
    for category, count in wanted.items():
        mine = [record for record in records if record.category == category]
        found += mine[len(mine) - min(count, len(mine)) :]
    return found


def parse(lines: str) -> list[Record]:
    """Read records, one JSON object a line."""
    found = []
    for line in lines.splitlines():
        raw: dict[str, Any] = json.loads(line)
        found.append(Record(raw["category"], raw["id"], date.fromisoformat(raw["date"])))
    return found


def to_move(records: Iterable[Record], today: date, months: int) -> list[Record]:
    """What a move takes: orders of the last `months`, requisitions from today on, all favourite packages (M3)."""
    since = months_before(today, months)
    return [
        record
        for record in records
        if record.category == "favourite_packages"
        or (record.category == "orders" and since <= record.date <= today)
        or (record.category == "started_requisitions" and record.date >= today)
    ]


def before_span(records: Iterable[Record], today: date, months: int) -> list[Record]:
    """The orders that are too old for a move, oldest first."""
    since = months_before(today, months)
    old = (record for record in records if record.category == "orders" and record.date < since)
    return sorted(old, key=lambda record: (record.date, record.id))


def counts(records: Iterable[Record]) -> dict[str, int]:
    """How many there are of each category."""
    found: dict[str, int] = dict.fromkeys(CATEGORIES, 0)
    for record in records:
        found[record.category] += 1
    return found


def manifest(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Count, hash, first and last date of each category, as docs/contracts.md defines them."""
    found: dict[str, dict[str, Any]] = {}
    entries = list(records)
    for category in CATEGORIES:
        mine = [record for record in entries if record.category == category]
        digests = (hashlib.sha256(record.id.encode()).digest() for record in mine)
        total = sum(int.from_bytes(digest, "big") for digest in digests) % 2**256
        days = sorted(record.date.isoformat() for record in mine)
        first, last = (days[0], days[-1]) if days else (None, None)
        found[str(category)] = {"count": len(mine), "hash": f"{total:064x}", "first": first, "last": last}
    return found


def by_category(records: Iterable[Record]) -> dict[str, list[str]]:
    """The ids of each category."""
    found: dict[str, list[str]] = {category: [] for category in CATEGORIES}
    for record in records:
        found[record.category].append(record.id)
    return found
