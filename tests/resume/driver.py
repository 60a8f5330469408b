"""A fleet and its controllers in this one process: the simulator's world, the roles' own task files, the domain.

One tick does what playbooks/wave.yml does: ask, check the hosts, then take each site as far as it may go, each step
once and never backwards, recorded and decided anew. Between any two acts stands a boundary, at which a test may break
something.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import io
import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlsplit

import yaml
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.helsevest.interactor.plugins.filter.sites import step_events
from ansible_collections.helsevest.interactor.plugins.module_utils import _cloud, _reconcile, _vendor_migration
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide_each
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event, read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pac_facts import pac_host
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.pace import PACED, take
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_way import Evaluations
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standings
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Phase, Step
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import described_modes, due_hosts
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import norwegian_calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import NEWEST_KINDS, Journal, new_run_id
from ansible_collections.helsevest.interactor.plugins.module_utils._pac import evaluate_scripts

from simulator.calls import CloudRefusal, ModuleCall, Page
from simulator.clock import Clock
from simulator.files import Drive
from simulator.host import SimulatedHost
from simulator.scenario import Scenario
from simulator.world import World
from tests.resume.tasks import ROLES, Failed, Taker, task_file, tasks_of
from tests.simulator.office import page_of

TICK = timedelta(minutes=15)
RESTART_TAKES = timedelta(minutes=4)
TOKEN = "invented-token"
_ACTIONS = "ansible_collections.helsevest.interactor.plugins.action"
_PLACE = re.compile(r".*/sites/([^/]+)/attempts(?:/(\d+)/(\w+))?")
_CALENDAR = norwegian_calendar(range(2026, 2029))


class Died(BaseException):
    """The controller is killed: nothing of it goes on, nothing is caught."""


class Cut(BaseException):
    """The line breaks."""


class PowerLoss(BaseException):
    """The host goes down in the middle of what it does."""


@dataclass(frozen=True)
class Place:
    """A boundary: before or after an act. `what` tells the act, as `1001-server interactor_migrate start`."""

    kind: str
    what: str
    after: bool

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} {self.kind} {self.what}"


Reached = Callable[[Place], None]
"""Told at each boundary; it may raise Died or, around a call, Cut."""


class WatchedDrive(Drive):
    """A drive that tells of each change before and after it is made."""

    def __init__(self, drive: Drive) -> None:
        super().__init__()
        self.__dict__.update(drive.__dict__)
        self.changing: Callable[[str, bytes | None], None] = lambda _path, _content: None
        self.changed: Callable[[str], None] = lambda _path: None

    def write(self, path: str, content: bytes) -> None:
        """Write a whole file."""
        self.changing(path, content)
        super().write(path, content)
        self.changed(path)

    def rename(self, folder: str, name: str) -> None:
        """Give a folder another name."""
        self.changing(name, None)
        super().rename(folder, name)
        self.changed(name)

    def remove(self, path: str) -> bool:
        """Remove a file or a folder."""
        self.changing(path, None)
        found = super().remove(path)
        self.changed(path)
        return found


class MemoryJournal:
    """The journal as a list: what Journal gives, without a file. A test holds the two together."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._events = list(events)

    def record(self, run_id: str, at: datetime, events: Sequence[Event]) -> list[bool]:
        """Record events; one whose key is there already is not."""
        answer = []
        for event in events:
            new = event.key is None or all(event.key != each.key for each in self._events)
            answer.append(new)
            if new:
                data = json.loads(json.dumps(dict(event.data)))
                self._events.append(replace(event, run_id=run_id, at=at, data=data, id=len(self._events) + 1))
        return answer

    def latest(self, sites: Sequence[str] | None = None) -> list[Event]:
        """All that says where sites stand now."""
        newest = {
            (event.kind, event.site, event.host, event.slot): event.id
            for event in self._events
            if event.kind in NEWEST_KINDS
        }
        return [
            event
            for event in self._events
            if (event.site is None or sites is None or event.site in sites)
            and (event.kind not in NEWEST_KINDS or event.id in newest.values())
        ]

    def snapshot(self) -> MemoryJournal:
        """A copy, as a backup is one."""
        return MemoryJournal(self._events)


def _at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the world waits for something")


@cache
def _contract() -> dict[str, Any]:
    text = (ROLES / "vendor_contract" / "defaults" / "main.yml").read_text(encoding="utf-8")
    contract: dict[str, Any] = yaml.safe_load(text)["vendor_contract"]
    return contract


def site_variables(number: str, clients: Sequence[str], move_date: str, **said: Any) -> dict[str, Any]:
    """What the inventory says of a site where all is well."""
    every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    site = {
        "id": number, "name": f"Kontor {number}", "kind": "gp_office", "county": "Vestland", "language": "nb",
        "epj": "Journalen", "wave": 1, "move_date": move_date, "mode": "server_in_cloud",
        "window": {"weekdays": every_day, "from": "20:00", "to": "06:00"}, "asked": "2027-03-01", "closed": [],
        "contact": {"name": "Kari Prøve", "email": "kari@prove.example", "phone": "55 00 00 00", "weekends": True},
        "agreement": {"status": "signed", "sent": "2027-04-01", "signed": "2027-04-15", "reference": "A"},
        "signatory_known": True, "ros": {"requested": False, "sent": None},
        "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"}, "history_months": 12,
        "server": {"name": "server"}, "clients": [{"name": name} for name in clients], "shared_server": None,
        "together": [number], **said,
    }  # fmt: skip
    return {"interactor_site": site, "interactor_wave": {"id": 1, "name": "Prøve", "dates": None, "freezes": []}}


class Fleet:
    """Sites, their hosts and the cloud. `dates` has each site's move date; changing one is changing the register."""

    def __init__(self, sites: Sequence[str] = ("1001",), clock: str = "2027-05-14T14:45:00Z", **said: Any) -> None:
        offices = {
            number: {"domain": f"s{number}.example", "clients": ["pc1"], **said.get(f"site_{number}", {})}
            for number in sites
        }
        self.scenario = Scenario.model_validate(
            {
                "clock": clock,
                "installer": {"size": 1_000},
                "defaults": {"data": {"orders": 24, "started_requisitions": 3, "favourite_packages": 2}},
                "sites": offices,
            }
        )
        self.clock = Clock(self.scenario.clock)
        self.world = World(self.scenario, self.clock, self._fetch)
        self.contract = copy.deepcopy(_contract())
        self.contract["installer"]["sha256"] = self.world.installer_sha256
        self.dates = dict.fromkeys(sites, "2027-05-18")
        self.hosts: dict[str, SimulatedHost] = {}
        for number in sites:
            for name in ("server", "pc1"):
                domain = self.scenario.sites[number].domain
                host = self.world.hosts[f"{'srv' if name == 'server' else name}.{domain}"]
                host.drive = WatchedDrive(host.drive)
                self.hosts[f"{number}-{name}"] = host

    async def _fetch(self, url: str, start: int = 0, most: int | None = None) -> Page:
        return page_of(self.world, url, start, most)

    def now(self) -> datetime:
        """The simulated moment."""
        return self.clock.now()

    def later(self, pause: timedelta) -> None:
        """Let time pass."""
        self.clock.advance_to(self.now() + pause)

    def variables(self, site: str) -> dict[str, Any]:
        """What the inventory says of a site."""
        return site_variables(site, ["pc1"], self.dates[site])

    def drive(self, host: str) -> WatchedDrive:
        """The drive of a host, by the host's name in the inventory."""
        drive = self.hosts[host].drive
        assert isinstance(drive, WatchedDrive)
        return drive

    def restart(self, host: str) -> None:
        """A host goes down and comes up again, which takes its time."""
        self.later(RESTART_TAKES)
        self.hosts[host].restart()


class _WorldCloud(_cloud.Cloud):
    """The controller's client of the cloud, tries and all, that asks the world instead of the net."""

    ask: Callable[[str, str, Mapping[str, Any]], tuple[int, dict[str, Any]]]

    def _once(self, what: str, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[int, dict[str, Any]]:
        return self.ask(method, url, body or {})


class _WithoutTask(ActionBase):
    """What Ansible does before an action plugin runs needs a task of its own."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Nothing."""
        return {}


def module_defaults() -> dict[str, Any]:
    """What the reconciler gives every module of a host."""
    for path in sorted((ROLES / "reconciler" / "tasks").glob("*.yml")):
        for task in tasks_of(task_file("reconciler", path.stem)):
            found: dict[str, Any] | None = task.get("module_defaults", {}).get("group/helsevest.interactor.host")
            if found:
                return found
    raise AssertionError("the reconciler has no module_defaults for the modules of a host")


class Controller:
    """One machine that runs ticks, with a journal. `reached` is told at each boundary."""

    def __init__(self, fleet: Fleet, journal: MemoryJournal | Journal, reached: Reached = lambda _place: None) -> None:
        self.fleet = fleet
        self.journal = journal
        self.reached = reached
        self.decisions: dict[str, Decision] = {}
        self._run_id = ""
        self._facts: dict[str, dict[str, Any]] = {}

    def release(self) -> None:
        """A person lets the wave go."""
        data = {"name": "Kari", "reason": "the offices have answered", "until": "2027-06-30T00:00:00Z"}
        said = {"kind": "released", "subject": "1", "data": data}
        self.journal.record(new_run_id(self.fleet.now()), self.fleet.now(), read_events([said], self.fleet.now()))

    def tick(self) -> None:
        """What wave.yml does once."""
        self._run_id = new_run_id(self.fleet.now())
        self._facts = {host: self._variables(host) for host in self.fleet.hosts}
        self.ask([])
        self._probe()
        for site in [site for site, decision in self.decisions.items() if take(decision, PACED, None)]:
            self._take_as_far_as_it_may_go(site)
        rows = [decision.row_event() for decision in self.decisions.values()]
        self._record("rows", [{**row} for row in rows])

    def _variables(self, host: str) -> dict[str, Any]:
        site, _dash, name = host.partition("-")
        return {
            **self.fleet.variables(site),
            "interactor_site_id": site,
            "interactor_role": "server" if name == "server" else "client",
        }

    def _probe(self) -> None:
        given = self._answer()
        hosts = due_hosts(self.decisions.values())[Phase.PREFLIGHT.value][Step.PROBE.value]
        for host in hosts:
            self._take(Phase.PREFLIGHT, Step.PROBE, host)
        if hosts:
            self._tell(hosts, Phase.PREFLIGHT, Step.PROBE, given)

    def _take_as_far_as_it_may_go(self, site: str) -> None:
        """What the reconciler's main.yml, own.yml and step.yml do for the server of one site."""
        host, taken = f"{site}-server", None
        self.ask([])
        while due := take(self.decisions[site], PACED, taken):
            phase, step = taken = due
            given, error = self._answer(), None
            try:
                self._take(phase, step, host)
            except Failed as failure:
                error = str(failure)
            self._tell([host], phase, step, given, error)

    def _answer(self) -> dict[str, Any]:
        sites = {site: decision.to_dict() for site, decision in self.decisions.items()}
        return {"run_id": self._run_id, "sites": sites, "now": f"{self.fleet.now():%Y-%m-%dT%H:%M:%SZ}"}

    def _tell(
        self, hosts: Sequence[str], phase: Phase, step: Step, given: Mapping[str, Any], error: str | None = None
    ) -> None:
        events = step_events(hosts, self._facts, phase.value, step.value, given, error)
        self.ask(events, f"{phase.value} {step.value}")

    def _take(self, phase: Phase, step: Step, host: str) -> None:
        answer = self._answer()
        site = host.partition("-")[0]
        groups = {"clients": [name for name in self.fleet.hosts if not name.endswith("-server")]}
        for number in self.decisions:
            groups[f"site_{number}"] = [name for name in self.fleet.hosts if name.startswith(f"{number}-")]
        given = {
            "groups": groups,
            "hostvars": {**self._facts, "localhost": {"reconciler_answer": answer}},
            "reconciler_contract": self.fleet.contract,
            "interactor_cloud_token": TOKEN,
            "__reconciler_attempt": answer["sites"][site]["attempt"],
            "__reconciler_lease": answer["sites"][site]["lease"],
        }
        facts = self._facts[host]
        facts.pop(f"__{phase.value}_result", None)
        known = {"site": site, "contract": self.fleet.contract, "run_id": self._run_id}
        Taker(self._act, host, facts, given, known).take(phase.value, step.value)

    def ask(self, events: Sequence[Mapping[str, Any]], what: str = "") -> None:
        """Record, and decide for every site, as site_gate does."""
        if events:
            self._record(what, events)
        now = self.fleet.now()
        sites = [Site.from_vars(self.fleet.variables(number)) for number in self.fleet.dates]
        settings = Settings(
            target_version=self.fleet.contract["installer"]["version"],
            described_modes=described_modes(self.fleet.contract),
            moves_several="{sites}" in self.fleet.contract["migration"]["arguments"],
        )
        standing = standings(sites, self.journal.latest([site.id for site in sites]))
        self.decisions = decide_each(
            [Situation(site, standing[site.id], _CALENDAR, settings, now, self._run_id) for site in sites]
        )

    def _record(self, what: str, events: Sequence[Mapping[str, Any]]) -> None:
        now = self.fleet.now()
        self.reached(Place("record", what, False))
        self.journal.record(self._run_id, now, read_events([dict(event) for event in events], now))
        self.reached(Place("record", what, True))

    def _act(self, host: str, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        name = module.rpartition(".")[2]
        match name:
            case "vendor_migration":
                return self._vendor_migration(arguments)
            case "site_reconcile":
                given = {option: spec.get("default") for option, spec in _reconcile.ARGUMENT_SPEC.items()}
                try:
                    return _reconcile.answer({**given, **arguments})
                except _reconcile.ReconcileError as error:
                    raise Failed(str(error)) from error
        task = SimpleNamespace(args={**arguments, "now": f"{self.fleet.now():%Y-%m-%dT%H:%M:%SZ}"}, check_mode=False)
        action = _action(name)(task, SimpleNamespace(), SimpleNamespace(), None, None, None)
        action._execute_module = lambda module_name, module_args, task_vars: self.call(host, module_name, module_args)
        result: dict[str, Any] = action.run(task_vars=self._facts[host])
        return result

    def _vendor_migration(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        given = {**dict.fromkeys(_vendor_migration.ARGUMENT_SPEC), **arguments}
        operation = getattr(_vendor_migration, given["operation"])
        more = {"check_mode": False} if "check_mode" in inspect.signature(operation).parameters else {}
        try:
            cloud = _WorldCloud(given["api"], given["token"], given["site"])
            cloud.ask = self.request
            result: dict[str, Any] = operation(cloud, given, **more)
        except _cloud.CloudError as error:
            raise Failed(f"vendor_migration: {error}") from error
        return result

    def call(self, host: str, module: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One module on one host, over a line that may break and on a host that may go down."""
        what = " ".join([host, module.rpartition(".")[2], *filter(None, [arguments.get("step")])])
        try:
            self.reached(Place("call", what, False))
            answer = _at_once(self.fleet.hosts[host].run(ModuleCall(module, dict(arguments), False, False)))
            self.reached(Place("call", what, True))
        except PowerLoss:
            self.fleet.drive(host).changing = lambda _path, _content: None
            self.fleet.restart(host)
            raise AnsibleConnectionFailure("the connection was reset by peer") from None
        except Cut:
            raise AnsibleConnectionFailure("the connection attempt timed out") from None
        told: dict[str, Any] = json.loads(answer.stdout)
        return told

    def request(self, method: str, url: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """One request to the vendor's cloud; what comes back has been JSON."""
        address = urlsplit(url)
        found = _PLACE.fullmatch(address.path)
        assert found is not None, url
        what = f"{method} {found[3] or 'attempts'}"
        try:
            self.reached(Place("cloud", what, False))
            status, answer = self._cloud_answer(found, method, {**body, **dict(parse_qsl(address.query))})
            self.reached(Place("cloud", what, True))
        except Cut:
            raise TimeoutError("the line is cut") from None
        except CloudRefusal as refusal:
            said = io.BytesIO(json.dumps({"error": refusal.message}).encode())
            raise HTTPError(url, refusal.status, refusal.message, Message(), said) from None
        return status, json.loads(json.dumps(answer))

    def _cloud_answer(self, place: re.Match[str], method: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        cloud, (site, number, what) = self.fleet.world.cloud, place.groups()
        match method, what:
            case "GET", None:
                return 200, {"attempts": cloud.list_attempts(site)}
            case "POST", None:
                attempt, new = cloud.open_attempt(site, **body)
                return 201 if new else 200, attempt
            case "GET", _:
                return 200, {what: getattr(cloud, what)(site, int(number), **body)}
            case _:
                return 200, getattr(cloud, what)(site, int(number), **body)


@cache
def _action(name: str) -> type[Any]:
    """The action plugin of a module of a host; where it knocks at a door first, somebody is there."""
    plugin: type[Any] = importlib.import_module(f"{_ACTIONS}.{name}").ActionModule
    parts: dict[str, Any] = {}
    if "knock" in plugin.take.__globals__:
        parts["take"] = _knowing(plugin.take, knock=lambda _connection: "")
    if "evaluate_scripts" in plugin.judge.__globals__:
        parts["judge"] = _knowing(plugin.judge, evaluate_scripts=evaluated)
    return type(name, (plugin, _WithoutTask), parts)


def _knowing(method: FunctionType, **others: Callable[..., Any]) -> FunctionType:
    """A method that finds others by the names that it knows."""
    return FunctionType(method.__code__, {**method.__globals__, **others}, closure=method.__closure__)


_ANSWERS: dict[str, Evaluations] = {}


def evaluated(facts: Mapping[str, Any], urls: Sequence[str]) -> Evaluations:
    """What the proxy scripts of a host answer: a process finds it out, once for all that are told the same."""
    scripts = facts["proxy"]["scripts"]
    # What time it is changes nothing for these; that alone is another at every tick.
    assert not any(re.search("Range|Date", found["text"] or "") for found in scripts)
    host = pac_host(facts)
    told = repr((scripts, host.addresses, host.names, host.ahead, urls))
    if told not in _ANSWERS:
        _ANSWERS[told] = evaluate_scripts(facts, urls)
    return _ANSWERS[told]


def refused(status: int) -> CloudRefusal:
    """What the cloud says instead of an answer."""
    return CloudRefusal(status, "not now")


@contextmanager
def cutting(fleet: Fleet, host: str, nth: int, kept: int | None = None) -> Iterator[None]:
    """The host goes down at its nth change of the drive, before it is made or, with `kept` bytes of it, in it."""
    drive, left = fleet.drive(host), nth

    def changing(path: str, content: bytes | None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            if kept is not None and content is not None:
                Drive.write(drive, path, content[:kept])
            raise PowerLoss

    drive.changing = changing
    try:
        yield
    finally:
        drive.changing = lambda _path, _content: None


def next_day(day: str) -> str:
    """The next date that a site agrees to: a week on, no holidays near."""
    return (date.fromisoformat(day) + timedelta(days=7)).isoformat()


def moment(text: str) -> datetime:
    """A moment as 2027-05-18T18:30:00Z."""
    return datetime.fromisoformat(text).astimezone(UTC)
