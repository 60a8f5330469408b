"""The checklist for a real server says of itself what the tests really see, and the document says the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checklist import read_checklist, table
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verify import MEASURES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import STEPS, Phase, Step

from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import INSTALLER, Server, contract, engine, server
from tests.resume.driver import TICK, Controller, Died, Fleet, MemoryJournal, Place
from tests.resume.tasks import task_file, tasks_of
from tests.simulator.office import Office
from tests.test_docs import rows

__all__ = ["contract", "engine", "server"]
ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "roles" / "verify" / "files" / "checklist.yml"
CHECKLIST = read_checklist(yaml.safe_load(FILE.read_text(encoding="utf-8")), FILE.name, MEASURES)
ATTEMPT = {"number": 1, "key": "1001-1-4f3a"}
TRIAL = {"day": "2027-05-18", "history_months": 12}
OURS = {"preflight": "interactor_preflight", "postcheck": "interactor_postcheck"}
"""The modules that are one step by themselves."""


def units() -> list[str]:
    """Every step of a role that contacts a host or the cloud."""
    phases = [f"{phase} {step}" for phase, steps in STEPS.items() for step in steps]
    return [*phases, "verify look", "verify trial", "verify again"]


def test_the_document_has_the_rows_of_the_file() -> None:
    assert rows("verification.md", "What only a real server can show", spans=False) == table(CHECKLIST)


def test_every_measure_is_used_once() -> None:
    used = [row.measure for row in CHECKLIST.rows if row.measure]
    assert sorted(used) == sorted(MEASURES)


def test_every_row_is_about_something_that_is_there() -> None:
    parts = {path.name for path in (ROOT / "roles").iterdir()}
    for row in CHECKLIST.rows:
        assert set(row.of) <= {*units(), *parts}, row.id
    assert set(CHECKLIST.passed_on) == set(units())


class Watched(Controller):
    """A controller that remembers which steps came to a good end, as the roles' own task files take them."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet, MemoryJournal(), self._die_once)
        self.passed: set[str] = set()
        self._dead = False

    def _die_once(self, place: Place) -> None:
        """Between switch and handback, so that the next tick has to look."""
        if place.what.endswith("interactor_migrate handback") and not self._dead:
            self._dead = True
            raise Died

    def _tell(
        self, hosts: Sequence[str], phase: Phase, step: Step, given: Mapping[str, Any], error: str | None = None
    ) -> None:
        results = [self._facts[host].get(f"__{phase.value}_result") for host in hosts]
        if error is None and all(result and not result.get("error") for result in results):
            self.passed.add(f"{phase} {step}")
        super()._tell(hosts, phase, step, given, error)

    def wish(self, site: str) -> None:
        """A person asks for a rollback."""
        data = {"name": "Kari", "reason": "the office asks", "loses": None}
        event = {
            "site": site,
            "kind": "rollback_asked",
            "subject": "1",
            "key": f"rollback_asked/{site}/1",
            "data": data,
        }
        self.journal.record("by-hand", self.fleet.now(), read_events([event], self.fleet.now()))


def passed_on_the_model() -> set[str]:
    """An office moves after an upgrade that wanted a restart, and is rolled back; the controller dies once."""
    fleet = Fleet(("1001",), site_1001={"upgrade": {"ends": "code_3010"}})
    controller = Watched(fleet)
    controller.release()
    for night in ("2027-05-14T15:00:00Z", "2027-05-18T18:00:00Z", "2027-05-19T05:15:00Z"):
        fleet.clock.advance_to(max(fleet.now(), datetime.fromisoformat(night)))
        for tick in range(8):
            with suppress(Died):
                controller.tick()
            fleet.later(TICK)
            if tick == 1 and night.startswith("2027-05-14"):
                fleet.restart("1001-server")
    controller.wish("1001")
    controller.tick()
    office = Office({})
    for step in ("look", "trial", "again"):
        answer = office.ask("verify", step=step, **({**TRIAL, "lease_script": "#"} if step == "trial" else {}))
        if not answer.get("failed"):
            controller.passed.add(f"verify {step}")
    return controller.passed


def host_calls(phase: str, step: str) -> set[str]:
    """Which of our modules, with which step, a role's step calls on a host."""
    found = set()
    for task in tasks_of(task_file(phase, step)):
        for name in task:
            if name.startswith("helsevest.interactor.interactor_"):
                module = name.rpartition("_")[2]
                found.add(f"{module} {(task[name] or {}).get('step', '')}".strip())
    return found


def passed_on_the_engine(server: Server) -> set[str]:
    """Each of our modules and steps in a move, a rollback and an upgrade that wants a restart."""
    passed: set[str] = set()

    def ask(module: str, step: str = "", **options: Any) -> None:
        answer = server.ask(module, **({"step": step} if step else {}), **options)
        if not answer.get("failed"):
            passed.add(f"{module} {step}".strip())

    def installer(code: int, writes: Mapping[str, str]) -> None:
        lines = json.dumps({"category": "orders", "id": "a", "date": "2027-01-01"}) + "\n"
        folders = (agreed["paths"]["work"], agreed["paths"]["work"] + "-verify")
        listed = {"exit_code": 0, "writes": {f"{folder}\\list.jsonl": lines for folder in folders[:1]}}
        setup = {"exit_code": code, "writes": writes}
        server.update(programs={"InteractorSetup-6.2.0.exe": setup, "InteractorMigrate.exe": listed})

    agreed = server.contract
    move = {"attempt": ATTEMPT}
    web = {
        agreed["installer"]["url"]: {"status": 206},
        agreed["proxy"]["script"]: {"status": 200, "content": "function FindProxyForURL(url, host) {}"},
    }
    server.update(web={**server.state["web"], **web}, downloads={agreed["installer"]["url"]: INSTALLER})
    ask("preflight", role="server")
    ask("verify", "look")
    ask("verify", "trial", **TRIAL, lease_script="# what the task runs\n")
    ask("verify", "again")
    ask("upgrade", "look")
    installer(3010, {})
    ask("upgrade", "stage")
    ask("upgrade", "install")
    server.write(server.program, "6.2.0")
    server.write(agreed["migration"]["program"], "the program")
    server.update(computer={**server.state["computer"], "booted": "2027-05-18T18:25:00Z"})
    ask("upgrade", "confirm")
    installer(0, {})
    for step in ("look", "lease", "users"):
        ask("migrate", step)
    ask("migrate", "manifest", **move, **TRIAL, mode="server_in_cloud")
    ask("migrate", "ids", **move, categories=["orders"])
    ask("migrate", "start", **move)
    done = {"state": "completed", "progress": 100, "counts": {"orders": 1}, "message": ""}
    server.write(agreed["migration"]["status_file"], json.dumps(done))
    for step in ("follow", "switch"):
        ask("migrate", step, **move)
    ask("postcheck")
    ask("migrate", "handback")
    ask("migrate", "restore", **move)
    return passed


def test_what_it_says_is_what_passes_on_the_model() -> None:
    told = {unit for unit, words in CHECKLIST.passed_on.items() if "model" in words}
    assert told == passed_on_the_model() & set(units())


@pytest.mark.pwsh
def test_what_it_says_is_what_passes_on_the_engine(server: Server, engine: Engine) -> None:
    passed = passed_on_the_engine(server)
    told = {unit for unit, words in CHECKLIST.passed_on.items() if "engine" in words}
    found = {unit for unit in units() if unit.startswith("verify") and unit in passed}
    for phase, steps in STEPS.items():
        for step in steps:
            calls = host_calls(phase, step)
            if calls and calls <= passed:
                found.add(f"{phase} {step}")
    assert told == found
