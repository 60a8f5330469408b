# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's models and the scripts in the engine tell the same of the same host, and do the same to it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from simulator.calls import FetchError, ModuleCall, Page
from simulator.clock import Clock, stamp
from simulator.engine.registry import Registry
from simulator.host import SimulatedHost
from simulator.scenario import Scenario, load
from simulator.windows import Process
from simulator.world import World
from tests.between import behind
from tests.engine.lists import BAD_LISTS, GOOD_LISTS
from tests.odd_machines import ODD
from tests.pwsh.engine import LONG_AGO, Engine, PretendHost, default_state, end_points, service
from tests.pwsh.fixtures import ROOT, engine

__all__ = ["engine"]
pytestmark = pytest.mark.pwsh

DEMO = load(ROOT / "simulator" / "scenarios" / "demo.yml")
KEY = "9001-1-4f3a"
OPENING: dict[str, Any] = {"history_months": 12, "day": "2027-05-10", "mode": "server_in_cloud"}
SLEEP, HIBERNATE = "{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}", "{9d7815a6-7ee4-497e-8888-515a05f02364}"


class Office:
    """A scenario come to life without a wire, asked as the controller asks."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = Clock(scenario.clock)
        self.world = World(scenario, self.clock, self.fetch, behind=behind(lambda: self.world, self.fetch))
        defaults = (ROOT / "roles" / "vendor_contract" / "defaults" / "main.yml").read_text(encoding="utf-8")
        self.contract: dict[str, Any] = yaml.safe_load(defaults)["vendor_contract"]
        self.contract["installer"]["sha256"] = self.world.installer_sha256

    async def fetch(self, url: str, start: int = 0, most: int | None = None) -> Page:
        address = urlsplit(url)
        pages = self.world.pages.get(address.hostname or "", {})
        page = pages.get(address.path) or pages.get("*")
        if page is None:
            raise FetchError(f"{address.hostname} is not a known name")
        body = page.body if isinstance(page.body, bytes) else page.body.encode()
        part = body[start:] if most is None else body[start : start + most]
        status = page.status if not start else 206 if start < len(body) else 416
        return Page(status, part, page.content_type, url, "CN=Test", 7, tag="one", first=start, total=len(body))

    def model(self, host: SimulatedHost, module: str, arguments: dict[str, Any], check: bool) -> dict[str, Any]:
        answer = asyncio.run(host.run(ModuleCall(f"helsevest.interactor.{module}", arguments, check, False)))
        result: dict[str, Any] = json.loads(answer.stdout)
        return result

    def page(self, host: SimulatedHost, url: str) -> dict[str, Any]:
        try:
            page = asyncio.run(host.get(url))
        except FetchError as error:
            return {"status": 0, "error": str(error)}
        text = page.body.decode() if "octet" not in page.content_type else ""
        told = {"status": page.status, "final_url": page.final_url, "issuer": page.issuer}
        return {**told, "content": text, "length": len(page.body), "seconds": 1.0}

    @property
    def scripts(self) -> dict[str, dict[str, str]]:
        """What each proxy script of the world says."""
        return {"http://config.nhn.no/kunde.pac": {"*": "DIRECT"}, **self.scenario.scripts}

    def told(self, look: Callable[[], Any]) -> Any:
        """What was found, or nothing."""
        try:
            return look()
        except FetchError:
            return None

    def handshake(self, host: SimulatedHost, name: str) -> dict[str, Any]:
        try:
            return host.surroundings.handshake(name)
        except FetchError as error:
            return {"error": str(error)}

    def page_by(self, host: SimulatedHost, url: str, proxy: str) -> dict[str, Any]:
        """A page by a proxy or directly, as Get-WebAnswer tells it."""
        try:
            host.surroundings.way(url, proxy)
        except FetchError as error:
            return {"status": 0, "error": str(error)}
        return self.page(host, url)

    def pretend(self, host: SimulatedHost, folder: Path) -> PretendHost:
        """A pretended Windows that is like this host."""
        machine, contract = host.machine, self.contract
        state = default_state(contract)
        state["computer"].update(
            name=host.computer_name,
            os=machine.os,
            build=machine.build,
            memory_bytes=machine.memory_mb * 2**20,
            free_bytes=int(machine.free_gb * 2**30),
            booted=(host.utc - timedelta(hours=machine.uptime_hours)).isoformat(),
            utc=host.utc.isoformat(),
            time_zone=machine.time_zone,
            addresses=list(machine.addresses),
            plan_name=machine.power_plan,
            seconds={
                setting: minutes * 60
                for setting, minutes in ((SLEEP, machine.sleep_minutes), (HIBERNATE, machine.hibernate_minutes))
                if minutes is not None
            },
        )
        state["services"] = {
            name: service(
                found.program,
                status=found.state.title(),
                account=found.account,
                mode=found.start_mode,
                main=name == contract["service"]["name"],
            )
            for name, found in host.services.items()
        }
        registry = Registry(machine, {})
        state["registry"] = plain(registry)
        for number, proxy in enumerate(machine.proxies, 1):
            if not proxy.loaded and registry.load("HIVE", f"hive {number}".encode()):
                state["hives"][f"hive {number}"] = plain(registry, "HIVE\\")
                registry.remove("HIVE")
        around = host.surroundings
        state["ntp"] = {"offset_seconds": machine.clock_offset_seconds, "error": None}
        if not machine.time_server:
            state["ntp"] = {"offset_seconds": None, "error": "no answer came in time"}
        state["names"] = {name: self.told(lambda name=name: around.addresses(name)) for name in end_points(contract)}
        state["tls"] = {name: self.handshake(host, name) for name in end_points(contract)}
        state["hangs"] = list(machine.overdue)
        state["detected"] = machine.wpad if machine.detection else {"error": "The service has not been started."}
        for number, moment in enumerate(machine.scheduled_restarts):
            action = {"Execute": "shutdown.exe", "Arguments": "/r"}
            task = {"path": "\\", "state": "Ready", "actions": [action], "next": moment.isoformat()}
            state["tasks"][f"Restart {number}"] = task
        pages = [page["url"] for page in contract["pages"].values()]
        state["web"] = {url: self.page(host, url) for url in (*pages, contract["speed"]["url"])}
        scripts = self.scripts
        answers = [answer for said in scripts.values() for answer in said.values()]
        proxies = {"", *(answer.split(";")[0].removeprefix("PROXY ") for answer in answers if answer != "DIRECT")}
        for url in (*pages, *scripts):
            state["web"] |= {f"{url} via {proxy}": self.page_by(host, url, proxy) for proxy in proxies}
        state["script_answers"] = {
            f"{script} {url}": around.script_answer(script, url) for script in scripts for url in pages
        }
        pretended = PretendHost(folder, state)
        for path, content, _written in host.drive.files():
            if path.startswith(r"C:\Users"):
                pretended.write(path, content.decode())
        self.copy(host, pretended, contract["paths"]["config"])
        if host.programs and host.programs.installed_version():
            pretended.write(state["program"], str(host.programs.installed_version()))
        return pretended

    def copy(self, host: SimulatedHost, pretended: PretendHost, path: str) -> None:
        if host.drive.is_file(path):
            pretended.write(path, host.drive.read(path).decode())


def plain(registry: Registry, below: str = "") -> dict[str, dict[str, Any]]:
    """The registry as a pretended Windows has it; only what is below a key, and without that name."""
    return {
        key[len(below) :]: {
            name: {"hex": value["data"]} if value["kind"] == "binary" else value["data"]
            for name, value in values.items()
        }
        for key, values in registry.all_of_it()
        if key.startswith(below)
    }


def without_times(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without what is different in every run: how long a page took, and the line's speed."""
    told = {**facts, "pages": [{**page, "milliseconds": None} for page in facts["pages"] or ()], "seconds": None}
    if "speed" in facts:
        samples = [sample["bytes"] for sample in facts["speed"]["samples"]]
        told["speed"] = {**facts["speed"], "samples": samples}
    return told


@pytest.mark.parametrize("site", [*DEMO.sites, *ODD.sites])
def test_the_probe_tells_the_same_of_every_host_of_a_site(site: str, engine: Engine, tmp_path: Path):
    office = Office(DEMO if site in DEMO.sites else ODD)
    hosts = [host for host in office.world.hosts.values() if host.site == site and host.powered_on]
    assert hosts
    for host in hosts:
        arguments = {"contract": office.contract, "site": site, "run_id": "r", "now": stamp(office.clock.now())}
        arguments["role"] = host.role
        model = office.model(host, "interactor_preflight", arguments, False)
        told = engine.module("interactor_preflight", arguments, office.pretend(host, tmp_path / host.name))
        assert without_times(told.pop("facts")) == without_times(model.pop("facts")), host.name
        assert told == model


@pytest.mark.parametrize("text", ['{"schema": 3}', '{"schema": 1, "site": "1"}', "[]"])
def test_the_probe_tells_the_same_of_a_ledger_that_cannot_be_trusted(text: str, engine: Engine, tmp_path: Path):
    office = Office(DEMO)
    host = office.world.hosts["srv.fjordgata.example"]
    pretended = office.pretend(host, tmp_path / "host")
    path = office.contract["paths"]["work"] + "\\ledger.json"
    host.drive.write(path, text.encode())
    office.copy(host, pretended, path)
    now = stamp(office.clock.now())
    arguments = {"contract": office.contract, "site": "1001", "run_id": "r", "now": now, "role": "server"}
    model = office.model(host, "interactor_preflight", arguments, False)["facts"]["interactor"]
    told = engine.module("interactor_preflight", arguments, pretended)["facts"]["interactor"]
    # Paths are joined with the slash of the machine that the engine runs on.
    told["ledger_error"] = told["ledger_error"].replace("/", "\\")
    assert told == model


class Both:
    """One server twice, as a model and in the engine; every step is taken on both."""

    def __init__(self, engine: Engine, folder: Path, said: dict[str, Any]) -> None:
        site = {"domain": "begge.example", "clients": ["pc1"], **said}
        self.office = Office(Scenario.model_validate({"sites": {"9001": site}}))
        self.engine = engine
        self.host = self.office.world.hosts["srv.begge.example"]
        self.contract = self.office.contract
        self.contract["untouched"] = {
            "services": ["EPJServer", "Ingen"],
            "folders": [r"C:\EPJ"],
            "files": [r"C:\EPJ\Data\journal.mdf", r"C:\EPJ\ingen.ini"],
        }
        self.pretended = self.office.pretend(self.host, folder / "both")
        for name, content in self.host.drive.below(r"C:\EPJ"):
            self.pretended.write(f"C:\\EPJ\\{name}", content.decode())
        self.host.drive.date(datetime.fromtimestamp(LONG_AGO, UTC))
        for name, content in self.host.drive.below(self.contract["paths"]["data"]):
            self.pretended.write_long_ago(f"{self.contract['paths']['data']}\\{name}", content.decode())
        installer = asyncio.run(self.office.fetch(self.contract["installer"]["url"])).body
        encoded = {"base64": base64.b64encode(installer).decode()}
        self.pretended.update(downloads={self.contract["installer"]["url"]: encoded})

    def program(self, name: str, code: int, writes: dict[str, str]) -> None:
        """What one of the vendor's programs does in the engine."""
        self.pretended.update(programs={name: {"exit_code": code, "writes": writes}})

    def take(self, module: str, step: str | None = None, *, check: bool = False, **options: Any) -> dict[str, Any]:
        now = stamp(self.office.clock.now())
        arguments = {"contract": self.contract, "site": "9001", "run_id": "r", "now": now, **options}
        if step:
            arguments["step"] = step
        if module in ("migrate", "upgrade"):
            arguments["lease_script"] = "# what the task runs\n"
        model = self.office.model(self.host, f"interactor_{module}", arguments, check)
        told = self.engine.module(f"interactor_{module}", arguments, self.pretended, check_mode=check)
        for result in (told, model):
            if "facts" in result:
                result["facts"] = without_times(result["facts"])
        assert told == model
        ledger = self.contract["paths"]["work"] + "\\ledger.json"
        kept = self.pretended.read(ledger)
        assert (json.loads(kept) if kept else None) == (
            json.loads(self.host.drive.read(ledger)) if self.host.drive.is_file(ledger) else None
        )
        return told

    def twice(self, module: str, step: str, **options: Any) -> dict[str, Any]:
        """In check mode, for real, and once more, which changes nothing."""
        self.take(module, step, check=True, **options)
        first = self.take(module, step, **options)
        assert not first.get("failed"), first
        assert self.take(module, step, **options)["changed"] is False
        return first

    def upgrade(self) -> None:
        program, migrate = self.pretended.state["program"], self.contract["migration"]["program"]
        self.program("InteractorSetup-6.2.0.exe", 0, {program: "6.2.0", migrate: "the program"})
        self.twice("upgrade", "stage")
        self.twice("upgrade", "install")
        again = self.take("upgrade", "stage")
        assert (again["changed"], again["staged"], again["ledger"]["upgrade"]["state"]) == (False, True, "done")

    def open(self) -> dict[str, Any]:
        """Take the lease and open attempt 1."""
        self.twice("migrate", "lease")
        listed = self.contract["migration"]["list_file"]
        self.program("InteractorMigrate.exe", 0, {listed: self.lines()})
        attempt = {"number": 1, "key": KEY}
        self.twice("migrate", "manifest", attempt=attempt, **OPENING)
        categories = ["orders", "favourite_packages"]
        assert len(self.take("migrate", "ids", attempt=attempt, categories=categories)["ids"]["orders"]) == 240
        self.office.world.cloud.open_attempt("9001", 1, KEY, 12)
        return attempt

    def lines(self) -> str:
        """The list that the model's program writes."""
        programs, path = self.host.programs, r"C:\list.jsonl"
        assert programs is not None
        assert programs._list({"--months": "12", "--until": OPENING["day"], "--output": path}) == 0
        text = self.host.drive.read(path).decode()
        self.host.drive.remove(path)
        return text

    def start(self, attempt: dict[str, Any], status: str) -> None:
        """Start the migration; the engine's program writes what the model's has written by then."""
        counts = {"orders": 0, "started_requisitions": 0, "favourite_packages": 0}
        first = json.dumps({"state": "running", "progress": 0, "counts": counts, "message": ""})
        self.pretended.update(task_start={"state": "Running", "writes": {status: first}})
        self.twice("migrate", "start", attempt=attempt)

    def restart(self, installed: str) -> None:
        """An hour later the server is started again, and `installed` is in place."""
        self.office.clock.advance_to(self.office.clock.now() + timedelta(hours=1))
        self.host.restart()
        self.pretended.write(self.pretended.state["program"], installed)
        state = self.pretended.state
        state["computer"]["booted"] = self.host.booted.isoformat()
        state["services"][self.contract["service"]["name"]]["status"] = "Running"
        self.pretended.update(computer=state["computer"], services=state["services"])

    def pass_minutes(self, minutes: int, status: str, task: str) -> None:
        """Let time pass in the model, and have the engine's program be where the model's is."""
        self.office.clock.advance_to(self.office.clock.now() + timedelta(minutes=minutes))
        self.office.world.settle()
        self.office.copy(self.host, self.pretended, status)
        state = self.pretended.state
        state["tasks"][task]["state"] = "Running" if self.host.task_runs(task) else "Ready"
        state["computer"]["utc"] = self.host.utc.isoformat()
        self.pretended.update(tasks=state["tasks"], computer=state["computer"])


def test_a_whole_move_is_the_same_on_both(engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"migration": {"minutes": 40}})
    status, task = (both.contract["migration"][name] for name in ("status_file", "task"))
    both.take("upgrade", "look")
    both.take("migrate", "look")
    both.upgrade()
    attempt = both.open()
    assert both.take("migrate", "follow", attempt=attempt)["failed"] is True
    both.start(attempt, status)
    both.pass_minutes(10, status, task)
    assert both.take("migrate", "follow", attempt=attempt)["status"]["state"] == "running"
    assert both.take("migrate", "switch", attempt=attempt)["failed"] is True
    both.pass_minutes(40, status, task)
    assert both.twice("migrate", "follow", attempt=attempt)["status"]["state"] == "completed"
    assert both.twice("migrate", "switch", attempt=attempt)["mode"] == "server_in_cloud"
    both.twice("migrate", "handback")
    assert both.take("postcheck")["facts"]["mode"] == "server_in_cloud"
    assert both.twice("migrate", "restore", attempt=attempt)["mode"] == "local"
    assert both.take("postcheck")["facts"]["mode"] == "local"
    assert both.take("preflight", role="server")["ledger"]["attempts"][0]["state"] == "rolled_back"


def test_a_failed_move_and_every_refusal_are_the_same_on_both(engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"migration": {"minutes": 20, "ends": "failed", "message": "linjen falt ut"}})
    status, task = (both.contract["migration"][name] for name in ("status_file", "task"))
    both.upgrade()
    attempt = both.open()
    other = {"number": 1, "key": "another"}
    for step in ("start", "follow", "switch", "restore"):
        assert both.take("migrate", step, attempt=other)["failed"] is True
    for refused in (other, {"number": 2, "key": "k"}):
        assert both.take("migrate", "manifest", attempt=refused, **OPENING)["failed"] is True
    both.start(attempt, status)
    both.pass_minutes(30, status, task)
    assert both.twice("migrate", "follow", attempt=attempt)["ledger"]["attempts"][0]["message"] == "linjen falt ut"
    both.twice("migrate", "restore", attempt=attempt)
    for refused, mode in (({"number": 3, "key": "k"}, "server_in_cloud"), ({"number": 2, "key": "k"}, "second")):
        result = both.take("migrate", "manifest", attempt=refused, **{**OPENING, "mode": mode})
        assert result["failed"] is True
    both.contract["site"] = both.contract.pop("paths")
    assert both_fail(both)


def both_fail(both: Both) -> bool:
    """A contract that lacks a part is refused with the same words; there is no ledger to compare without it."""
    now = stamp(both.office.clock.now())
    arguments = {"contract": both.contract, "site": "9001", "run_id": "r", "now": now, "step": "look"}
    model = both.office.model(both.host, "interactor_migrate", arguments, False)
    told = both.engine.module("interactor_migrate", arguments, both.pretended)
    return told == model and told["msg"] == "look: contract: paths.work is missing"


@pytest.mark.parametrize(
    ("ends", "code", "version"),
    [
        ("code_1603", 1603, "half a file"),
        ("code_87", 87, "half a file"),
        ("wrong_version", 0, "5.4.1"),
        ("code_1618", 1618, "5.4.1"),
    ],
)
def test_an_upgrade_that_fails_is_the_same_on_both(ends: str, code: int, version: str, engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"upgrade": {"ends": ends}})
    both.program("InteractorSetup-6.2.0.exe", code, {both.pretended.state["program"]: version})
    both.twice("upgrade", "stage")
    both.take("upgrade", "confirm")
    both.take("upgrade", "install", check=True)
    result = both.take("upgrade", "install")
    assert (result["upgraded"], result["version"]) == (False, "5.4.1")
    assert result["reason"].endswith("version 5.4.1 is back")
    both.take("upgrade", "install")
    both.take("upgrade", "confirm")


@pytest.mark.parametrize(("code", "during", "after"), [(3010, "5.4.1", "6.2.0"), (1641, "6.2.0", "6.2.0")])
def test_a_restart_is_the_same_on_both(code: int, during: str, after: str, engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"upgrade": {"ends": f"code_{code}"}})
    migrate = both.contract["migration"]["program"]
    both.program("InteractorSetup-6.2.0.exe", code, {both.pretended.state["program"]: during, migrate: "the program"})
    both.twice("upgrade", "stage")
    result = both.take("upgrade", "install")
    assert (result["upgraded"], f"(code {code})" in result["reason"]) == (False, True)
    for step in ("stage", "install"):
        assert both.take("upgrade", step)["failed"] is True
    if code == 3010:
        assert both.twice("upgrade", "confirm")["again"] is True
    both.restart(after)
    assert both.twice("upgrade", "confirm")["upgraded"] is True
    assert both.take("upgrade", "look")["version"] == "6.2.0"


def test_a_way_back_after_people_were_let_in_is_the_same_on_both(engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"upgrade": {"ends": "code_3010"}})
    both.program("InteractorSetup-6.2.0.exe", 3010, {})
    both.twice("upgrade", "stage")
    both.take("upgrade", "install")
    both.restart("6.1.9")
    programs, orders = both.host.programs, both.contract["paths"]["data"] + r"\orders.jsonl"
    assert programs is not None
    programs._put_executables("6.1.9")
    both.host.drive.write(orders, b"an order of this morning")
    both.host.drive.date(datetime.fromtimestamp(LONG_AGO, UTC))
    both.pretended.write_long_ago(orders, "an order of this morning")
    both.host.processes.append(Process("Interactor", ""))
    both.pretended.update(processes=["System", "EPJ", "Interactor"])
    assert both.take("upgrade", "confirm")["reason"] == "Interactor is in use: 1 open"
    both.host.processes.pop()
    both.pretended.update(processes=["System", "EPJ"])
    assert both.take("upgrade", "confirm")["reason"].endswith("newer than the backup: data/orders.jsonl")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"sha256": ""}, "64 hex digits are wanted"),
        ({"arguments": "/quiet"}, "without /norestart"),
        ({"sha256": "0" * 64}, "its SHA-256 is"),
        ({"publisher": "Somebody Else"}, "it is signed by 'DIPS AS'"),
    ],
)
def test_what_cannot_be_staged_is_the_same_on_both(said: dict[str, str], reason: str, engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {})
    both.contract["installer"].update(said)
    both.take("upgrade", "stage", check=True)
    assert reason in both.take("upgrade", "stage")["reason"]
    assert both.take("upgrade", "install")["failed"] is True


def test_a_broken_download_is_the_same_on_both(engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"upgrade": {"cut_after": 250_000}})
    url = both.contract["installer"]["url"]
    both.pretended.update(downloads={url: {**both.pretended.state["downloads"][url], "each": 250_000}})
    assert both.take("upgrade", "stage")["reason"] == "250000 of 400000 bytes fetched"
    assert both.twice("upgrade", "stage")["staged"] is True


def test_people_in_interactor_and_a_full_drive_are_the_same_on_both(engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {"server": {"in_use": 2, "free_gb": 1.0}})
    both.pretended.update(open_files=[])
    both.pretended.update(processes=["System", "Interactor", "Interactor"])
    both.twice("upgrade", "stage")
    assert both.take("upgrade", "install")["reason"] == "Interactor is in use: 2 open"
    both.host.processes = []
    both.pretended.update(processes=["System"])
    # As long as the model's, so that both need as many bytes.
    program = both.pretended.state["program"]
    both.pretended.write(program, "5.4.1".ljust(len(both.host.drive.read(program))))
    assert "needs 1025 MB free" in both.take("upgrade", "install")["msg"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("code", [None, 0, 1603])
def test_a_run_that_was_cut_off_is_the_same_on_both(code: int | None, restarted: bool, engine: Engine, tmp_path: Path):
    both = Both(engine, tmp_path, {})
    service_name, program = both.contract["service"]["name"], both.pretended.state["program"]
    both.program("InteractorSetup-6.2.0.exe", 1618, {})
    both.twice("upgrade", "stage")
    # A try on both that leaves a backup, then what one that died would have left.
    programs = both.host.programs
    assert programs is not None
    programs._site = programs._site.model_copy(update={"upgrade": programs._site.upgrade.model_copy(
        update={"ends": "code_1618"}
    )})  # fmt: skip
    both.take("upgrade", "install")
    path = both.contract["paths"]["work"] + "\\ledger.json"
    ledger = json.loads(both.host.drive.read(path))
    ledger["upgrade"].update(started=stamp(both.office.clock.now()), code=code)
    both.host.drive.write(path, json.dumps(ledger).encode())
    both.pretended.write(path, json.dumps(ledger))
    both.host.drive.write(program, b"half a file")
    both.host.stop_service(service_name)
    state = both.pretended.state["services"]
    state[service_name]["status"] = "Stopped"
    both.pretended.update(services=state)
    both.pretended.write(program, "half a file")
    if restarted:
        both.restart("half a file")
        both.host.stop_service(service_name)
        both.pretended.update(services=state)
    assert both.take("upgrade", "confirm", check=True)["changed"] is True
    result = both.take("upgrade", "confirm")
    assert result["version"] == "5.4.1"
    assert result["again"] is (code is None and not restarted)


@pytest.fixture(scope="module")
def lister(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """Both servers with the newest version and no attempt yet, for lists of all kinds."""
    both = Both(engine, tmp_path_factory.mktemp("lister"), {})
    both.upgrade()
    return both


def tell(both: Both, content: bytes) -> None:
    """Let the vendor's program write this list, on both."""
    listed = both.contract["migration"]["list_file"]
    both.program("InteractorMigrate.exe", 0, {listed: {"base64": base64.b64encode(content).decode()}})

    def write(_program: str, _arguments: str) -> int:
        both.host.drive.write(listed, content)
        return 0

    both.host.run_program = write  # type: ignore[method-assign]


def following(both: Both) -> tuple[dict[str, Any], str]:
    """The attempt that comes next, whatever other tests have opened, and where its ids are kept."""
    work = both.contract["paths"]["work"]
    number = len(json.loads(both.host.drive.read(f"{work}\\ledger.json"))["attempts"]) + 1
    return {"number": number, "key": f"9001-{number}-4f3a"}, f"{work}\\manifest\\attempt-{number}.ids"


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_list_that_cannot_be_trusted_is_refused_with_the_same_words(name: str, lister: Both):
    tell(lister, BAD_LISTS[name])
    attempt, kept = following(lister)
    refused = lister.take("migrate", "manifest", attempt=attempt, **OPENING)
    assert refused["failed"] is True
    assert following(lister) == (attempt, kept), "none was opened"
    assert len(refused["ledger"]["attempts"]) == attempt["number"] - 1
    for secret in ("01010112345", "2026-05-09", "2027-05-11", "2027-05-09", "bestilling", "2027-02-29"):
        assert secret not in refused["msg"]
    assert not [path for path in lister.pretended.files() if ".ids" in path or "list" in path]
    assert not lister.host.drive.is_file(kept)


@pytest.mark.parametrize("name", GOOD_LISTS)
def test_a_list_is_counted_and_its_ids_are_kept_alike(name: str, lister: Both):
    tell(lister, GOOD_LISTS[name])
    attempt, kept = following(lister)
    manifest = lister.twice("migrate", "manifest", attempt=attempt, **OPENING)["manifest"]
    ids = lister.take("migrate", "ids", attempt=attempt, categories=list(manifest))["ids"]
    assert {category: len(found) for category, found in ids.items()} == {
        category: part["count"] for category, part in manifest.items()
    }
    assert lister.pretended.read(kept) == lister.host.drive.read(kept).decode()
    lister.twice("migrate", "restore", attempt=attempt)
    assert lister.pretended.read(kept) is None
    assert not lister.host.drive.is_file(kept)
    assert lister.take("migrate", "ids", attempt=attempt, categories=["orders"])["failed"] is True
