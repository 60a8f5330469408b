# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal in SQLite, and what it would say to PostgreSQL."""

from __future__ import annotations

import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from ansible_collections.helsevest.interactor.plugins.module_utils import _journal
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.delta import Asked
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import SIGNATORY_KINDS, Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import DEFAULT_MOVE_WINDOW
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal, JournalError
from sqlalchemy.dialects import postgresql

AT = datetime(2027, 5, 18, 18, 30, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path}/journal.db")


def discarded(number: int, key: str | None = None, site: str = "1001") -> Event:
    return Event(kind=EventKind.DISCARDED, at=AT, site=site, subject=str(number), key=key)


def halted(wave: str = "1") -> Event:
    return Event(kind=EventKind.HALTED, at=AT, subject=wave, data={"name": "Kari", "reason": "the line is down"})


def measured(reached: bool = True, *, host: str = "1001-server", site: str = "1001", **data: object) -> Event:
    whole = {
        "origin": "measured",
        "reached": reached,
        "cause": None,
        "detail": "",
        "verdict": "ready",
        "checks": [],
        "version": "5.4.1",
        "mode": "local",
        **data,
    }
    return Event(kind=EventKind.MEASURED, at=AT, site=site, host=host, data=whole)


def part_measured(outcome: str, check: str) -> Event:
    told = {"id": check, "title": "t", "severity": "blocker", "outcome": outcome, "observed": "x", "expected": "y"}
    data = {"origin": "measured", "families": ["proxy"], "checks": [told]}
    return Event(kind=EventKind.PART_MEASURED, at=AT, site="1001", host="1001-server", data=data)


def ledger(attempts: int | None, mode: str | None = "local", *, error: str | None = None, done: bool = False) -> Event:
    content = None
    if attempts is not None:
        states = ["rolled_back"] * (attempts - 1) + ["prepared"] * min(attempts, 1)
        entries = [
            {"number": number, "key": f"1001-{number}-a", "state": state} for number, state in enumerate(states, 1)
        ]
        upgrade = {"state": "done", "to": "6.2.0", "finished": "2027-05-14T16:00:00Z"} if done else None
        content = {"schema": 1, "site": "1001", "upgrade": upgrade, "lease": None, "attempts": entries}
    data = {"ledger": content, "error": error, "mode": mode, "version": None}
    return Event(kind=EventKind.LEDGER, at=AT, site="1001", host="1001-server", data=data)


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events]


def test_a_journal_that_is_not_there_has_no_events_and_is_not_created(tmp_path: Path, journal: Journal):
    assert journal.events() == []
    assert journal.latest(["1001"]) == []
    assert journal.unrecorded([discarded(1, "d/1"), discarded(1, "d/1"), discarded(2)]) == [True, False, True]
    assert journal.record("run-1", AT, []) == []
    assert list(tmp_path.iterdir()) == []


def test_recorded_events_come_back_as_they_were_in_their_order(journal: Journal):
    events = [halted(), measured(detail="Blåbær «æøå»\n"), discarded(1, "d/1")]
    later = AT + timedelta(minutes=5, microseconds=7)
    assert journal.record("run-1", later, events) == [True, True, True]
    back = journal.events()
    assert ids(back) == [1, 2, 3]
    assert {(event.run_id, event.at) for event in back} == {("run-1", AT + timedelta(minutes=5))}
    for event, original in zip(back, events, strict=True):
        assert (event.kind, event.site, event.host, event.subject, event.key, event.data) == (
            original.kind,
            original.site,
            original.host,
            original.subject,
            original.key,
            original.data,
        )


def test_a_key_is_recorded_once_within_a_call_and_over_calls(journal: Journal):
    assert journal.record("run-1", AT, [discarded(1, "d/1"), discarded(2), discarded(1, "d/1")]) == [True, True, False]
    assert journal.unrecorded([discarded(1, "d/1"), discarded(2), discarded(3, "d/3")]) == [False, True, True]
    assert journal.record("run-2", AT, [discarded(1, "d/1"), discarded(2)]) == [False, True]
    assert [(event.run_id, event.key) for event in journal.events()] == [
        ("run-1", "d/1"),
        ("run-1", None),
        ("run-2", None),
    ]


def test_a_key_is_recorded_once_by_a_database_without_that_of_sqlite(journal: Journal, monkeypatch: pytest.MonkeyPatch):
    journal.record("run-1", AT, [discarded(1, "d/1")])
    monkeypatch.setattr(journal._engine.dialect, "name", "another")
    events = [discarded(1, "d/1"), discarded(2, "d/2"), discarded(2, "d/2"), halted()]
    assert journal.record("run-2", AT, events) == [False, True, False, True]
    assert len(journal.events()) == 3


@pytest.mark.parametrize("many", [_journal.MANY - 1, _journal.MANY, _journal.AT_ONCE + 1])
def test_of_many_keys_those_that_are_missing_are_recorded(journal: Journal, many: int):
    given = [discarded(number, f"d/{number}") for number in range(many)]
    journal.record("run-1", AT, given[::2])
    twice = [given[1], *given, halted()]
    assert journal.record("run-2", AT, twice) == [
        True,
        False,
        *(number > 1 and number % 2 == 1 for number in range(1, many)),
        True,
    ]
    events = journal.events()
    assert len(events) == many + 1
    assert {event.run_id for event in events if event.subject and event.key and int(event.subject) % 2} == {"run-2"}
    assert journal.unrecorded(given) == [False] * many


def test_a_writer_waits_for_another_as_long_as_it_is_told(tmp_path: Path, journal: Journal):
    journal.record("run-1", AT, [halted()])
    hasty = Journal(journal.name, busy_seconds=0)
    with closing(sqlite3.connect(journal.name, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            hasty.record("run-2", AT, [halted()])
        other.execute("ROLLBACK")
    assert hasty.record("run-2", AT, [halted()]) == [True]


def test_a_journal_that_was_taken_away_meanwhile_is_created_anew(tmp_path: Path, journal: Journal):
    journal.record("run-1", AT, [halted()])
    for file in tmp_path.iterdir():
        file.unlink()
    assert journal.record("run-1", AT, [halted()]) == [True]
    assert ids(journal.events()) == [1]


def test_all_or_nothing(journal: Journal):
    journal.record("run-1", AT, [discarded(1)])
    unwritable = measured(checks=[{"id": {1, 2}}])
    with pytest.raises(JournalError, match="cannot be written"):
        journal.record("run-2", AT, [discarded(2), discarded(3, "d/3"), unwritable])
    assert [event.subject for event in journal.events()] == ["1"]


def test_only_the_owner_may_read_it(tmp_path: Path):
    file = tmp_path / "var" / "interactor" / "journal.db"
    Journal(f"sqlite:///{file}").record("run-1", AT, [halted()])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parent.parent.stat().st_mode) == 0o700


def test_a_bare_path_is_a_file_too_and_it_is_in_wal_mode(tmp_path: Path):
    file = tmp_path / "journal.db"
    Journal(str(file)).record("run-1", AT, [halted()])
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_filters_by_site_and_kind_always_keep_what_concerns_a_wave(journal: Journal):
    events = [halted(), discarded(1), discarded(1, site="1002"), measured(), measured(site="1002", host="1002-server")]
    journal.record("run-1", AT, events)
    assert ids(journal.events()) == [1, 2, 3, 4, 5]
    assert ids(journal.events(sites=["1002"])) == [1, 3, 5]
    assert ids(journal.events(kinds=[EventKind.MEASURED])) == [4, 5]
    assert ids(journal.events(["1001"], [EventKind.MEASURED, EventKind.HALTED])) == [1, 4]
    assert ids(journal.events([], [EventKind.DISCARDED])) == []
    assert ids(journal.latest(["1002"])) == [1, 3, 5]


def test_latest_keeps_the_newest_and_the_newest_that_reached_the_host(journal: Journal):
    events = [
        measured(),
        measured(),
        measured(False),
        measured(False),
        measured(host="1001-pc1"),
        discarded(1),
        discarded(1),
    ]
    journal.record("run-1", AT, events)
    assert ids(journal.latest()) == [2, 4, 5, 6, 7]
    journal.record("run-2", AT, [measured()])
    assert ids(journal.latest()) == [4, 5, 6, 7, 8]


def test_latest_never_forgets_an_attempt_that_a_ledger_has_lost(journal: Journal):
    journal.record("run-1", AT, [ledger(1), ledger(2), ledger(2), ledger(None), ledger(1), ledger(1)])
    assert ids(journal.latest()) == [3, 4, 6]


SITE = Site(
    id="1001",
    name="Prøvesund legekontor",
    kind="gp_office",
    county="Vestland",
    language="nb",
    wave=1,
    move_date=date(2027, 5, 18),
    mode="server_in_cloud",
    window=DEFAULT_MOVE_WINDOW,
    closed=(),
    contact=None,
    agreement_status="signed",
    signatory_known=True,
    ros_requested=False,
    ros_sent=None,
    urls_confirmed=None,
    proxy_confirmed=None,
    history_months=12,
    clients=("pc1",),
)


def signatory_noted() -> Event:
    return Event(kind=EventKind.SIGNATORY_NOTED, at=AT, site="1001")


def any_event(rng: random.Random) -> Event:
    makers: list[Callable[[], Event]] = [
        lambda: measured(rng.random() < 0.6, mode=rng.choice([None, "local"]), version=rng.choice([None, "6.2.0"])),
        lambda: measured(rng.random() < 0.6, host="1001-pc1"),
        lambda: measured(
            rng.random() < 0.6, verdict="error", mode=rng.choice([None, "server_in_cloud"]), version="6.1.0"
        ),
        lambda: ledger(
            rng.choice([None, 0, 1, 2]), rng.choice([None, "local", "server_in_cloud"]), done=rng.random() < 0.3
        ),
        lambda: ledger(None, None, error="damaged"),
        lambda: discarded(rng.choice([1, 2])),
        lambda: halted(rng.choice(["1", "2", "all"])),
        lambda: part_measured(rng.choice(["fail", "pass", "unknown"]), rng.choice(["P5", "P8"])),
        lambda: measured(site="1002", host="1002-server"),
        lambda: signatory_noted(),
    ]
    return rng.choice(makers)()


def test_what_became_of_a_signatory_says_nothing_of_where_a_site_stands(journal: Journal):
    journal.record("run-1", AT, [signatory_noted(), discarded(1)])
    assert ids(journal.events(kinds=SIGNATORY_KINDS)) == [1]
    assert ids(journal.latest()) == [2]
    assert standing_of(SITE, [signatory_noted()]) == standing_of(SITE, [])


@pytest.mark.parametrize("seed", range(12))
def test_a_site_stands_where_it_stands_whether_all_is_read_or_the_latest(journal: Journal, seed: int):
    rng = random.Random(seed)
    for run in range(4):
        journal.record(f"run-{run}", AT + timedelta(minutes=run), [any_event(rng) for _ in range(12)])
    whole, latest = journal.events(), journal.latest(["1001"])
    assert len(latest) < len(whole)
    # Measurements of one moment are in no order.
    from_latest, from_whole = (
        replace(standing, measurements=tuple(sorted(standing.measurements, key=repr)))
        for standing in (standing_of(SITE, latest), standing_of(SITE, whole))
    )
    assert from_latest == from_whole


def test_a_long_history_is_read_by_its_index(journal: Journal):
    journal.record("run-1", AT, [halted()])
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(journal._engine, "before_cursor_execute", note)
    journal.latest(["1001"])
    selects = [(statement, parameters) for statement, parameters in asked if "FROM events" in statement]
    assert len(selects) == 3
    with sqlite3.connect(journal.name) as connection:
        for statement, parameters in selects:
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN events")], plan
    connection.close()


WRITER = """
import sys
sys.path[:0] = sys.argv[4:]
from dataclasses import replace
from datetime import UTC, datetime
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal

url, writer = sys.argv[1], sys.argv[2]
at = datetime(2027, 5, 18, tzinfo=UTC)
recorded = 0
for number in range(int(sys.argv[3])):
    own = Event(kind=EventKind.DISCARDED, at=at, site=writer, subject=str(number))
    common = Event(kind=EventKind.DISCARDED, at=at, site="1001", subject=str(number), key=f"d/{number}")
    recorded += Journal(url).record(writer, at, [common, own])[0]
print(recorded)
"""


def test_several_processes_create_and_write_at_once(tmp_path: Path):
    url, writers, rounds = f"sqlite:///{tmp_path}/new/journal.db", 3, 15
    collections = str(Path(_journal.__file__).parents[5])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(writer), str(rounds), collections],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for writer in range(writers)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in answers] == [""] * writers
    assert sum(int(output) for output, _ in answers) == rounds
    events = Journal(url).events()
    assert len(events) == rounds + writers * rounds
    assert len({event.key for event in events if event.key}) == rounds


def test_fifty_sites_record_and_read_at_once(tmp_path: Path):
    """As many as ansible has forks: each waits for the others, none is refused, and each sees what it has recorded."""
    url, sites, rounds = f"sqlite:///{tmp_path}/journal.db", [str(1001 + number) for number in range(50)], 4
    together = Barrier(len(sites))

    def write(site: str) -> list[int]:
        journal, seen = Journal(url), []
        together.wait()
        for number in range(rounds):
            assert journal.record("run", AT, [discarded(number, f"{site}/{number}", site), halted()]) == [True, True]
            seen.append(sum(event.site == site for event in journal.latest([site])))
        return seen

    with ThreadPoolExecutor(len(sites)) as at_once:
        assert list(at_once.map(write, sites)) == [list(range(1, rounds + 1))] * len(sites)
    assert len(Journal(url).events()) == 2 * rounds * len(sites)


def test_the_newest_row_of_each_site_and_every_ledger(journal: Journal):
    def row(site: str, why: str) -> Event:
        texts = dict.fromkeys(("name", "window", "state", "why"), "")
        empty = dict.fromkeys(("verdict", "outcome", "upgraded", "started", "finished", "switched", "verified"))
        data = {**texts, **empty, "site": site, "wave": 1, "owes": [], "counts": {}, "needs_us": False, "why": why}
        return Event(kind=EventKind.ROW, at=AT, site=site, data=data)

    def ledger(site: str, attempts: int) -> Event:
        data = {"ledger": {"attempts": [{}] * attempts}, "error": None, "mode": None, "version": None}
        return Event(kind=EventKind.LEDGER, at=AT, site=site, host=f"{site}-server", data=data)

    assert (journal.rows(["1001"]), journal.ledgers()) == ([], [])
    told = [row("1001", "old"), row("1002", "other"), row("1001", "new"), ledger("1001", 1), ledger("1001", 0)]
    journal.record("run", AT, [*told, ledger("1002", 1), ledger("1001", 1)])
    assert [one["why"] for one in journal.rows(["1001", "1003"])] == ["new"]
    assert journal.rows([]) == []
    assert sorted((one.site, len(one.data["ledger"]["attempts"])) for one in journal.ledgers()) == [
        ("1001", 0),
        ("1001", 1),
        ("1002", 1),
    ]


def test_who_was_asked_by_which_run_and_the_rows_at_its_end(journal: Journal):
    def row(verdict: str) -> Event:
        texts = dict.fromkeys(("name", "window", "state", "why"), "")
        empty = dict.fromkeys(("outcome", "upgraded", "started", "finished", "switched", "verified"))
        data = {**texts, **empty, "site": "1001", "wave": 1, "owes": [], "counts": {}, "needs_us": False}
        return Event(kind=EventKind.ROW, at=AT, site="1001", data={**data, "verdict": verdict})

    later = AT + timedelta(hours=1)
    assert journal.asked(["1001-server"]) == journal.rows(["1001"], until="run-1") == []
    journal.record("run-1", AT, [measured(), measured(), measured(host="1001-pc1"), row("not_ready")])
    journal.record("run-2", later, [measured(), part_measured("pass", "P5"), row("ready")])
    journal.record("run-3", later, [part_measured("pass", "P5")])
    assert sorted(journal.asked(["1001-server"]), key=str) == [
        Asked("run-1", "1001", AT),
        Asked("run-2", "1001", later),
    ]
    assert journal.asked([]) == []
    assert [one["verdict"] for run in ("run-1", "run-2") for one in journal.rows(["1001"], until=run)] == [
        "not_ready",
        "ready",
    ]
    assert journal.rows(["1001"], until="no run") == []


def test_another_versions_journal_is_refused(journal: Journal):
    journal.record("run-1", AT, [halted()])
    with sqlite3.connect(journal.name) as connection:
        connection.execute("UPDATE journal_schema SET version = 2")
    connection.close()
    for use in (journal.events, journal.latest, lambda: journal.record("run-2", AT, [halted()])):
        with pytest.raises(JournalError, match=r"journal\.db: its schema is \[2\], and this version knows only \[1\]"):
            use()


def test_what_is_no_database_and_what_nobody_understands(tmp_path: Path, journal: Journal):
    (tmp_path / "text.db").write_text("no database at all, and longer than a header of one hundred bytes is" * 3)
    with pytest.raises(JournalError, match=r"text\.db cannot be read: file is not a database"):
        Journal(f"sqlite:///{tmp_path}/text.db").events()
    journal.record("run-1", AT, [halted()])
    with sqlite3.connect(journal.name) as connection:
        connection.execute("UPDATE events SET kind = 'gossip'")
    connection.close()
    assert journal.latest() == []
    with sqlite3.connect(journal.name) as connection:
        connection.execute("UPDATE events SET kind = 'halted', data = '{}'")
    connection.close()
    with pytest.raises(JournalError, match=r"does not understand: event of kind halted: data\.name is missing"):
        journal.events()


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be created"):
        Journal(f"sqlite:///{tmp_path}/file/journal.db").record("run-1", AT, [halted()])


@pytest.mark.parametrize(
    "url", ["postgresql+nodriver://me:s3cret@db/journal", "nobody://me:s3cret@db/journal", "bad://me:s3cret@db:port/x"]
)
def test_an_error_never_shows_the_password(url: str):
    with pytest.raises(JournalError) as caught:
        Journal(url).events()
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?uri=true"])
def test_a_journal_that_would_be_lost_is_refused(url: str):
    with pytest.raises(JournalError, match="must name a file"):
        Journal(url)


def test_without_sqlalchemy_the_package_and_the_interpreter_are_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_journal, "IMPORT_ERROR", ImportError("No module named 'sqlalchemy'"))
    with pytest.raises(JournalError, match="SQLAlchemy") as caught:
        Journal("sqlite:////nowhere/journal.db")
    assert sys.executable in str(caught.value)


def test_postgresql_can_read_all_of_it():
    dialect = postgresql.dialect()
    tables = {table.name: table for table in _journal._METADATA.sorted_tables}
    sql = str(sa.schema.CreateTable(tables["events"], if_not_exists=True).compile(dialect=dialect))
    assert "id BIGSERIAL NOT NULL" in sql
    assert "data JSON NOT NULL" in sql
    assert "UNIQUE (key)" in sql
    for index in tables["events"].indexes:
        assert "ON events" in str(sa.schema.CreateIndex(index, if_not_exists=True).compile(dialect=dialect))
