"""The vendor's programs as they behave on a simulated server: service, installer, list and migration."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from simulator import data
from simulator.calls import HostDown
from simulator.clock import stamp
from simulator.cloud import Cloud
from simulator.files import join
from simulator.scenario import CATEGORIES, Category, Installer, Scenario, Site
from simulator.windows import Service

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

PRODUCT, SETUP, MIGRATE = "DIPS Interactor", "DIPS Interactor Setup", "InteractorMigrate"
"""What an executable says of itself, so that this file knows it again; nothing else reads it."""
OSLO = ZoneInfo("Europe/Oslo")
_OPENS = time(8)
_BETWEEN_ORDERS = timedelta(minutes=10)
_BAD_LINES = {
    "malformed": ['{"category": "orders", "id": "ord-avbrutt", "da'],
    "identity_number": [data.Record("orders", "ord-01010112345", date(2027, 5, 1)).line()],
}
"""What ends a list that cannot be trusted, by the scenario's word; the number is nobody's."""


def executable(product: str, version: str, publisher: str, size: int = 512) -> bytes:
    """The bytes of an executable: who made it stands in front, the rest follows from that."""
    named = {"product": product, "version": version, "publisher": publisher}
    head = b"MZ" + json.dumps(named).encode() + b"\n"
    return head + hashlib.shake_256(head).digest(max(0, size - len(head)))


def described(content: bytes) -> dict[str, str]:
    """Product, version and publisher of an executable; empty where it is none or damaged."""
    line, _newline, rest = content.partition(b"\n")
    head = line + b"\n"
    if not line.startswith(b"MZ{") or hashlib.shake_256(head).digest(len(rest)) != rest:
        return {}
    found: dict[str, str] = json.loads(line[2:])
    return found


def installer_bytes(installer: Installer) -> bytes:
    """The download of the scenario."""
    if installer.file is not None:
        return installer.file.read_bytes()
    return executable(SETUP, installer.version, installer.publisher, installer.size)


def words(arguments: str) -> list[str]:
    """Split a command line; double quotes hold a word together."""
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', arguments)]


def _options(arguments: list[str]) -> dict[str, str]:
    return dict(zip(arguments[::2], arguments[1::2], strict=False))


@dataclass
class Run:
    """A migration that was started: what it does by when follows from the clock; `records` are by site."""

    number: int
    key: str
    status_file: str
    records: dict[str, list[data.Record]]
    started: datetime
    ends: datetime
    alive: bool = True


def _part(counts: dict[str, int], share: float) -> dict[str, int]:
    return {category: int(count * share) for category, count in counts.items()}


def _sum(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = dict.fromkeys(CATEGORIES, 0)
    for one in counts:
        for category, count in one.items():
            total[category] += count
    return total


def _without(records: list[data.Record], left: dict[Category, int]) -> list[data.Record]:
    """What arrives of `records`: the first that `left` counts of each category is lost, and counted down there."""
    arrived = []
    for record in records:
        if left.get(record.category, 0):
            left[record.category] -= 1
        else:
            arrived.append(record)
    return arrived


class Programs:
    """What the vendor has put on one server."""

    def __init__(
        self,
        host: SimulatedHost,
        number: str,
        site: Site,
        scenario: Scenario,
        cloud: Cloud,
        now: Callable[[], datetime],
    ) -> None:
        self._host = host
        self._number = number
        self.site = self._site = site
        self.vendor = self._vendor = scenario.vendor
        self.publisher = self._publisher = scenario.installer.publisher
        self._cloud = cloud
        self._now = now
        self._runs: list[Run] = []
        self._whose: dict[str, str] = {}
        self.installers_run = 0
        self._after_restart: str | None = None
        self._starts_not: str | None = None
        self._put_in_place(scenario)

    @property
    def migrations_started(self) -> int:
        """How many migrations have begun to send."""
        return len(self._runs)

    def _put_in_place(self, scenario: Scenario) -> None:
        drive, vendor, interactor = self._host.drive, self._vendor, self._site.interactor
        if interactor.service == "missing":
            return
        self._host.services[vendor.service] = Service(interactor.service, join(vendor.install, vendor.program))
        self._put_executables(interactor.version)
        set_up = {vendor.mode_key: interactor.mode, vendor.endpoint_key: interactor.endpoint}
        config = {**set_up, "language": "no", "printer": "Resepsjon"}
        drive.write(vendor.config, json.dumps(config, indent=2).encode())
        self.hold(self._number, self._site, scenario)

    def hold(self, number: str, site: Site, scenario: Scenario) -> None:
        """Put a site's data there, beside those of other sites on this server; nothing where Interactor is missing."""
        if self._vendor.service not in self._host.services:
            return
        drive, records = self._host.drive, data.generate(site.data, number, scenario.clock.date())
        self._whose |= {record.id: number for record in records}
        for category in CATEGORIES:
            path = join(self._vendor.data, f"{category}.jsonl")
            there = drive.read(path) if drive.is_file(path) else b""
            lines = "".join(record.line() + "\n" for record in records if record.category == category)
            drive.write(path, there + lines.encode())

    def _put_executables(self, version: str) -> None:
        self._host.drive.write(self._program, executable(PRODUCT, version, self._publisher))
        # The migration program came with version 6.
        if int(version.split(".")[0]) >= 6:
            self._host.drive.write(self._vendor.migrate, executable(MIGRATE, version, self._publisher))

    @property
    def _program(self) -> str:
        return join(self._vendor.install, self._vendor.program)

    def installed_version(self) -> str | None:
        """The version of the program file; None where it is missing or damaged."""
        path = self._program
        if not self._host.drive.is_file(path):
            return None
        return described(self._host.drive.read(path)).get("version")

    def can_start(self, service: str) -> bool:
        """Whether a service would come up: the vendor's needs its program."""
        return service != self._vendor.service or self.installed_version() not in (None, self._starts_not)

    def get(self, url: str) -> bytes | None:
        """What the service itself answers on this machine; None where nobody listens."""
        running = self._host.service_word(self._vendor.service) == "running"
        if url != self._vendor.version_url or not running:
            return None
        return json.dumps({self._vendor.version_key: self.installed_version()}).encode()

    def run(self, path: str, arguments: str) -> int:
        """Run a program to its end; its exit code, 2 where there is no such program."""
        if not self._host.drive.is_file(path):
            return 2
        about = described(self._host.drive.read(path))
        if about.get("product") == SETUP:
            if arguments != self._vendor.installer_arguments:
                # As Windows Installer says of a command line that it does not know.
                return 1639
            self.installers_run += 1
            return self._install(about["version"])
        return self.migrate(arguments) if about.get("product") == MIGRATE else 1

    def migrate(self, arguments: str) -> int:
        """What the migration program does with its arguments: it lists, or begins to send; its exit code."""
        given = words(arguments)
        if given[:1] == [self._vendor.list]:
            return self._list(_options(given[1:]))
        return self._migrate(_options(given[1:])) if given[:1] == [self._vendor.run] else 1

    def _install(self, version: str) -> int:
        if self._host.service_word(self._vendor.service) == "running":
            return 1618
        fate = self._site.upgrade
        ends = "ok" if fate.times is not None and self.installers_run > fate.times else fate.ends
        self._starts_not = version if ends == "no_start" else None
        match ends:
            case "code_1618" | "wrong_version":
                pass
            case "code_3010":
                # What is in use is replaced when Windows starts the next time.
                self._after_restart = version
            case "code_1641":
                self._put_executables(version)
                self._host.restarts_next = True
            case "dies":
                self._break_program()
                self._host.restart()
                raise HostDown(self._host.name)
            case _ if ends.startswith("code_"):
                self._break_program()
            case _:
                self._put_executables(version)
        return int(ends.removeprefix("code_")) if ends.startswith("code_") else 0

    def _break_program(self) -> None:
        self._host.drive.write(self._program, b"half a file")

    def restarted(self) -> None:
        """Windows was started again: what ran has ended without a word, and what waited for it is put in place."""
        self.settle()
        for run in self._runs:
            if run.alive:
                self._end(run)
        if self._after_restart is not None:
            self._put_executables(self._after_restart)
            self._after_restart = None

    def _records(self) -> list[data.Record]:
        return data.parse(
            "".join(
                self._host.drive.read(join(self._vendor.data, f"{category}.jsonl")).decode() for category in CATEGORIES
            )
        )

    def _day(self, options: dict[str, str]) -> date:
        """The day from which the months are counted back: the one that is asked for, else today in Norway."""
        asked = options.pop(self._vendor.options.day, None)
        return date.fromisoformat(asked) if asked else self._now().astimezone(OSLO).date()

    def _to_move(self, months: int, day: date) -> list[data.Record]:
        return data.to_move(self._records(), day, months)

    def _list(self, options: dict[str, str]) -> int:
        names, day = self._vendor.options, self._day(options)
        if set(options) != {names.months, names.output}:
            return 87
        records, months = self._records(), int(options[names.months])
        listed = data.to_move(records, day, months)
        if self._site.data.list == "outside":
            listed += data.before_span(records, day, months)[-1:]
        lines = [record.line() for record in listed] + _BAD_LINES.get(self._site.data.list, [])
        self._host.drive.write(options[names.output], "".join(f"{line}\n" for line in lines).encode())
        return 0

    def _migrate(self, options: dict[str, str]) -> int:
        names, day = self._vendor.options, self._day(options)
        if set(options) != {names.site, names.attempt, names.key, names.months, names.status}:
            return 87
        number, key, status_file = int(options[names.attempt]), options[names.key], options[names.status]
        if any(run.alive or run.key == key for run in self._runs):
            return 0
        sites = options[names.site].split(",")
        if not self._cloud.receive(sites, number, key):
            self._status(status_file, self._vendor.failed, 0, {}, f"the cloud has no open attempt {number} ({key})")
            return 3
        now = self._now()
        ends = now + timedelta(minutes=self._site.migration.minutes)
        months = int(options[names.months])
        outside = data.before_span(self._records(), day, months)
        sent = [*self._to_move(months, day), *outside[max(0, len(outside) - self._site.migration.sends_outside) :]]
        records: dict[str, list[data.Record]] = {site: [] for site in sites}
        for record in sent:
            # What was made since the clock began is the first one's.
            records.get(self._whose.get(record.id, sites[0]), []).append(record)
        self._runs.append(Run(number, key, status_file, records, now, ends))
        self.settle()
        return 0

    def stop(self) -> None:
        """End a migration that runs: nothing more is sent or written."""
        self.settle()
        for run in self._runs:
            self._end(run)

    def _end(self, run: Run) -> None:
        run.alive = False
        run.ends = min(run.ends, self._now())

    def migrating_at(self, moment: datetime) -> bool:
        """Whether a migration ran at a moment that is not ahead."""
        return any(run.started <= moment < run.ends for run in self._runs)

    @property
    def migrating(self) -> bool:
        """Whether a migration runs at this moment."""
        self.settle()
        return any(run.alive for run in self._runs)

    def settle(self) -> None:
        """Bring status file and cloud up to the clock."""
        for run in self._runs:
            if run.alive:
                self._settle(run)
            self._work(run)

    def _settle(self, run: Run) -> None:
        said, vendor, now = self._site.migration, self._vendor, self._now()
        receiving = {site: self._cloud.receiving(site, run.number, run.key) for site in run.records}
        attempts = {site: attempt for site, attempt in receiving.items() if attempt}
        share = min(1.0, (now - run.started) / (run.ends - run.started))
        sent = {site: _part(data.counts(records), share) for site, records in run.records.items()}
        if len(attempts) < len(run.records):
            self._end(run)
            ended = "the cloud has ended this attempt"
            self._status(run.status_file, vendor.failed, int(share * 100), _sum(sent.values()), ended)
        elif share < 1:
            for site, attempt in attempts.items():
                attempt.counts = sent[site]
            self._status(run.status_file, vendor.running, int(share * 100), _sum(sent.values()), "")
        elif said.ends == "failed":
            run.alive = False
            for attempt in attempts.values():
                attempt.state, attempt.counts = "failed", {}
            self._status(run.status_file, vendor.failed, 99, {}, said.message or "the migration failed")
        else:
            run.alive = False
            left = dict(said.loses)
            arrived = {site: _without(records, left) for site, records in run.records.items()}
            first = next(iter(arrived))
            arrived[first] += data.last_of(arrived[first], said.doubles)
            for site, attempt in attempts.items():
                self._cloud.complete(attempt, arrived[site])
            counts = _sum(data.counts(records) for records in arrived.values())
            self._status(run.status_file, vendor.completed, 100, counts, said.message)

    def _work(self, run: Run) -> None:
        """The office makes its orders in the cloud, from the morning on, where its configuration names the cloud."""
        attempt = self._cloud.in_use(self._number, run.number, run.key)
        if attempt is None or not self._site.migration.makes or not self._names_the_cloud():
            return
        morning = datetime.combine(run.ends.astimezone(OSLO).date(), _OPENS, OSLO)
        if morning < run.ends:
            morning += timedelta(days=1)
        for number in range(len(attempt.made), self._site.migration.makes):
            at = morning + number * _BETWEEN_ORDERS
            if at > self._now():
                break
            attempt.made.append(
                {"category": "orders", "id": f"ord-cloud-{self._number}-{number + 1}", "at": stamp(at.astimezone(UTC))}
            )

    def _names_the_cloud(self) -> bool:
        drive, path = self._host.drive, self._vendor.config
        if not drive.is_file(path):
            return False
        return bool(
            json.loads(drive.read(path).decode("utf-8-sig"))[self._vendor.mode_key] != self._site.interactor.mode
        )

    def _status(self, path: str, state: str, progress: int, counts: dict[str, int], message: str) -> None:
        names = self._vendor.status_keys
        status: dict[str, Any] = {
            names.state: state,
            names.progress: progress,
            names.counts: counts,
            names.message: message,
        }
        self._host.drive.write(path, json.dumps(status).encode())
