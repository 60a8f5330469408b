# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: one table of events in SQLite, or in another database by its URL (docs/contracts.md, Journal)."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from ._domain.delta import Asked
from ._domain.events import SIGNATORY_KINDS, WAVE_KINDS, Event
from ._domain.times import format_time, parse_time
from ._domain.words import EventKind

_T = TypeVar("_T")

SCHEMA = 1
BUSY_SECONDS = 30
"""So long a writer waits for another one, where nothing else is said (SQLite)."""
MANY = 20
"""From so many keys on it is cheaper to ask which are known than to try each."""
AT_ONCE = 500
"""So many keys are asked for in one query."""

NEWEST_KINDS = frozenset(
    {
        EventKind.MEASURED,
        EventKind.PART_MEASURED,
        EventKind.LEDGER,
        EventKind.CLOUD,
        EventKind.USERS,
        EventKind.ROW,
    }
)
"""The kinds that come again and again, of which `latest` gives only the newest per site, host and slot."""

try:
    import sqlalchemy as sa
    from sqlalchemy.dialects import sqlite
except ImportError as exc:
    IMPORT_ERROR: ImportError | None = exc
else:
    IMPORT_ERROR = None
    _METADATA = sa.MetaData()
    _VERSION = sa.Table(
        "journal_schema", _METADATA, sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)
    )
    _EVENTS = sa.Table(
        "events",
        _METADATA,
        # SQLite numbers rows by itself only where the column is an INTEGER.
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("site", sa.String(64)),
        sa.Column("host", sa.String(255)),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64)),
        sa.Column("key", sa.String(255), unique=True),
        sa.Column("slot", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Index("events_newest", "kind", "site", "host", "slot", "id"),
        sa.Index("events_site", "site", "id"),
    )
    _UNLESS_KNOWN = sqlite.insert(_EVENTS).on_conflict_do_nothing(index_elements=["key"])


class JournalError(RuntimeError):
    """The journal cannot be opened, read or written; its text names the journal without a password."""


def new_run_id(at: datetime) -> str:
    """The identity of a run that begins at `at`: in order of time, and unlike another of the same second."""
    return f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Journal:
    """The journal at an SQLAlchemy URL (a bare path is an SQLite file); JournalError if the URL cannot be used.

    Reading never creates anything: a journal that is not there has no events. The first `record` creates it, readable
    by its owner only. `busy_seconds` is how long it waits for who else is writing (SQLite).
    """

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        if IMPORT_ERROR is not None:
            raise JournalError(
                "the journal needs the Python package SQLAlchemy (2.0 or later), "
                f"which {sys.executable} lacks: {IMPORT_ERROR}"
            )
        try:
            self._url = sa.engine.make_url(url) if "://" in url else sa.engine.URL.create("sqlite", database=url)
        except (sa.exc.ArgumentError, ValueError):
            # SQLAlchemy's own text may repeat the URL, and with it a password.
            raise JournalError(
                "the journal's URL is none that SQLAlchemy can read (sqlite:///path/to/file.db)"
            ) from None
        self._busy_seconds = busy_seconds
        self._is_there = False
        self._file: Path | None = None
        if self._url.get_backend_name() == "sqlite":
            self._file = _file_of(self._url)
            self._url = self._url.set(database=str(self._file))
        self.name = str(self._file or self._url.render_as_string(hide_password=True))
        try:
            self._engine = sa.create_engine(
                self._url, poolclass=sa.pool.NullPool, json_serializer=_json, **self._connect_options()
            )
        except (sa.exc.SQLAlchemyError, ImportError) as exc:
            raise self._error(f"{sys.executable} has no driver for it", exc) from None
        if self._file:
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    def record(self, run_id: str, at: datetime, events: Sequence[Event]) -> list[bool]:
        """Record `events` as of run `run_id` at `at` (with an offset): all of them, or none and a JournalError.

        The answer says of each whether it was recorded; an event whose key is there already is not.
        """
        stamped = [replace(event, run_id=run_id, at=at) for event in events]
        recorded: list[bool] = []
        if not stamped:
            return recorded
        self._create()
        # Not in the transaction that writes: SQLite lets none write that has read what another one has changed since.
        keys = {event.key for event in stamped if event.key}
        known = self._known(keys) if len(keys) >= MANY else frozenset()
        with self._connection("written") as connection:
            for has_key, group in groupby(stamped, key=lambda event: event.key is not None):
                rows = [_row(event) for event in group]
                if has_key:
                    recorded += [row["key"] not in known and _insert(connection, row) for row in rows]
                else:
                    connection.execute(sa.insert(_EVENTS), rows)
                    recorded += [True] * len(rows)
        return recorded

    def unrecorded(self, events: Sequence[Event]) -> list[bool]:
        """Say of each event whether `record` would record it (check mode); changes nothing."""
        seen = set(self._known({event.key for event in events if event.key}))
        answer = []
        for event in events:
            answer.append(event.key not in seen)
            if event.key:
                seen.add(event.key)
        return answer

    def _known(self, keys: Collection[str]) -> frozenset[str | None]:
        """Those of `keys` that are in the journal."""
        of = sorted(keys)
        groups = [of[start : start + AT_ONCE] for start in range(0, len(of), AT_ONCE)]
        return frozenset(
            self._read(lambda connection: [key for group in groups for key in _known_keys(connection, group)])
        )

    def events(self, sites: Collection[str] | None = None, kinds: Collection[EventKind] | None = None) -> list[Event]:
        """Give the events in the order of recording, all or only those of some sites or kinds.

        Events of waves concern every site, so that `sites` never keeps them out.
        """
        wanted = frozenset(EventKind if kinds is None else kinds)
        return self._events([_where(wanted & WAVE_KINDS), _where(wanted - WAVE_KINDS, sites)])

    def latest(self, sites: Collection[str] | None = None) -> list[Event]:
        """Give all that says where sites stand now, in the order of recording.

        Of the kinds that come again and again (NEWEST_KINDS) these are the newest per site, host and slot (Event.slot);
        of the rarer ones all, so that a long history stays quick to read.
        """
        newest = (
            sa.select(sa.func.max(_EVENTS.c.id))
            .where(_where(NEWEST_KINDS, sites))
            .group_by(_EVENTS.c.kind, _EVENTS.c.site, _EVENTS.c.host, _EVENTS.c.slot)
        )
        rarer = frozenset(EventKind) - NEWEST_KINDS - WAVE_KINDS - SIGNATORY_KINDS
        return self._events([_where(WAVE_KINDS), _where(rarer, sites), _EVENTS.c.id.in_(newest)])

    def asked(self, hosts: Collection[str]) -> list[Asked]:
        """Say which runs have measured which of `hosts` whole, each for its site."""
        of_runs = (
            sa.select(_EVENTS.c.run_id, _EVENTS.c.site, sa.func.max(_EVENTS.c.at))
            .where(_where([EventKind.MEASURED]), _EVENTS.c.host.in_(sorted(hosts)))
            .group_by(_EVENTS.c.run_id, _EVENTS.c.site)
        )
        rows = self._read(lambda connection: list(connection.execute(of_runs)))
        return [Asked(run_id, site, parse_time(at)) for run_id, site, at in rows]

    def rows(self, sites: Collection[str], *, until: str | None = None) -> list[dict[str, Any]]:
        """Give the newest row of each of `sites` that has one; `until`: as of the last event of that run."""
        condition = _where([EventKind.ROW], sites)
        if until is not None:
            last = sa.select(sa.func.max(_EVENTS.c.id)).where(_EVENTS.c.run_id == until).scalar_subquery()
            condition = sa.and_(condition, _EVENTS.c.id <= last)
        newest = sa.select(sa.func.max(_EVENTS.c.id)).where(condition).group_by(_EVENTS.c.site)
        return [dict(event.data) for event in (self._events([_EVENTS.c.id.in_(newest)]) if sites else [])]

    def ledgers(self) -> list[Event]:
        """Give what every server's ledger told last, of each shape that it had (Event.slot)."""
        newest = (
            sa.select(sa.func.max(_EVENTS.c.id))
            .where(_where([EventKind.LEDGER]))
            .group_by(_EVENTS.c.site, _EVENTS.c.host, _EVENTS.c.slot)
        )
        return self._events([_EVENTS.c.id.in_(newest)])

    def _events(self, conditions: list[sa.ColumnElement[bool]]) -> list[Event]:
        # One query per condition, for joined by OR they would read the whole table.
        def read(connection: sa.Connection) -> list[sa.Row[Any]]:
            return [row for condition in conditions for row in connection.execute(sa.select(_EVENTS).where(condition))]

        rows = sorted(self._read(read), key=lambda row: row.id)
        try:
            return [_event(row) for row in rows]
        except ValueError as exc:
            raise self._error("holds an event that this version does not understand", exc) from exc

    def _read(self, read: Callable[[sa.Connection], list[_T]]) -> list[_T]:
        if self._file and not self._file.exists():
            return []
        with self._connection("read") as connection:
            return read(connection) if self._has_schema(connection) else []

    def _has_schema(self, connection: sa.Connection) -> bool:
        """Whether the tables are there; JournalError if they are another version's. Once seen they stay."""
        if self._is_there:
            return True
        if not sa.inspect(connection).has_table(_VERSION.name):
            return False
        versions = list(connection.scalars(sa.select(_VERSION.c.version)))
        if versions != [SCHEMA]:
            raise JournalError(f"journal {self.name}: its schema is {versions}, and this version knows only [{SCHEMA}]")
        self._is_there = True
        return True

    def _create(self) -> None:
        """Create what is missing; another process may be doing the same."""
        if self._file and not self._file.exists():
            try:
                _make_private(self._file)
            except OSError as exc:
                raise self._error("cannot be created", exc) from exc
            self._is_there = False
        if self._is_there:
            return
        with self._connection("read") as connection:
            if self._has_schema(connection):
                return
        try:
            with self._connection("created") as connection:
                for table in _METADATA.sorted_tables:
                    connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
                    for index in sorted(table.indexes, key=lambda index: str(index.name)):
                        connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
                connection.execute(sa.insert(_VERSION).values(version=SCHEMA))
        except JournalError:
            with self._connection("read") as connection:
                if not self._has_schema(connection):
                    raise

    def _connect_options(self) -> dict[str, Any]:
        return {"connect_args": {"timeout": self._busy_seconds}} if self._file else {}

    @contextmanager
    def _connection(self, done: str) -> Iterator[sa.Connection]:
        """One transaction: all of it, or nothing and a JournalError."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except sa.exc.SQLAlchemyError as exc:
            raise self._error(f"cannot be {done}", exc) from None

    def _error(self, complaint: str, exc: Exception) -> JournalError:
        # The driver's own words (orig), for SQLAlchemy's repeat the statement with its data.
        text = str(getattr(exc, "orig", None) or exc)
        if self._url.password:
            text = text.replace(str(self._url.password), "***")
        return JournalError(f"journal {self.name} {complaint}: {text}")


def _file_of(url: sa.engine.URL) -> Path:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise JournalError("the journal's URL must name a file, as sqlite:////path/to/file.db")
    return Path(url.database).expanduser().absolute()


def _make_private(file: Path) -> None:
    for folder in reversed(file.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions of its own: it would do so too late for a savepoint.
    connection.isolation_level = None
    # Another process may be switching to WAL at this moment; the file keeps the mode, so either of them will do.
    with suppress(sqlite3.OperationalError):
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _insert(connection: sa.Connection, row: dict[str, Any]) -> bool:
    """Insert an event with a key; False if the key is there already."""
    if connection.dialect.name == "sqlite":
        # A third of what a savepoint costs.
        return connection.execute(_UNLESS_KNOWN, row).rowcount == 1
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(_EVENTS), row)
    except sa.exc.IntegrityError:
        return False
    return True


def _known_keys(connection: sa.Connection, keys: Collection[str]) -> list[str | None]:
    return list(connection.scalars(sa.select(_EVENTS.c.key).where(_EVENTS.c.key.in_(keys))))


def _where(kinds: Collection[EventKind], sites: Collection[str] | None = None) -> sa.ColumnElement[bool]:
    condition = _EVENTS.c.kind.in_(sorted(kinds))
    return condition if sites is None else sa.and_(condition, _EVENTS.c.site.in_(sorted(sites)))


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _row(event: Event) -> dict[str, Any]:
    return {
        "run_id": event.run_id,
        "at": format_time(event.at),
        "site": event.site,
        "host": event.host,
        "kind": event.kind.value,
        "subject": event.subject,
        "key": event.key,
        "slot": event.slot,
        "data": dict(event.data),
    }


def _event(row: sa.Row[Any]) -> Event:
    return Event(
        id=row.id,
        run_id=row.run_id,
        at=parse_time(row.at),
        site=row.site,
        host=row.host,
        kind=EventKind(row.kind),
        subject=row.subject,
        key=row.key,
        data=row.data,
    )
