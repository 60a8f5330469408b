"""The lease in the model and in the scripts: the same answers, the same flag and the same task."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.windows import Process
from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server, contract, engine
from tests.simulator.office import Office

__all__ = ["contract", "engine"]
pytestmark = pytest.mark.pwsh

INSTALL = r"C:\Program Files\DIPS\Interactor"
OPEN = (("Interactor", INSTALL + r"\Interactor.exe"),)
LIKE = (("Interactor", r"C:\EPJ\Interactor.exe"),)
TEXT = "Lagre rekvisisjonene, og lukk Interactor."
TASK = "HelseVest Interactor lease"
TOLD = ("changed", "held", "again", "reason", "users", "failed", "msg")


class Both:
    """The same server, simulated and pretended; without data files, whose ages are another thing on either side."""

    def __init__(self, folder: Path, agreed: dict[str, Any], script_engine: Engine, *, pc: int, users: int) -> None:
        self.office = Office({"server": {"users": users}, "clients": [{"name": "pc1", "in_use": pc}]})
        self.office.contract = agreed
        for path in ("orders", "started_requisitions", "favourite_packages"):
            self.office.server.drive.remove(agreed["paths"]["data"] + f"\\{path}.jsonl")
        self.server = Server(folder / "server", agreed, script_engine)
        data = agreed["paths"]["data"] + r"\orders.jsonl"
        self.server.path(data).unlink()
        self.server.update(open_files=[data] * pc, users=[f"user{number}" for number in range(users)])
        self.flag = agreed["paths"]["maintenance_flag"]

    def run(self, *programs: tuple[str, str]) -> None:
        self.office.server.processes = [Process(name, path) for name, path in programs]
        self.server.update(processes=[{"name": name, "path": path} for name, path in programs])

    def ask(self, step: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Take a step on both; what both answer. Afterwards flag, task and lease are the same as well."""
        simulated = self.office.ask("migrate", step=step, check=check, **options)
        pretended = self.server.ask("migrate", step=step, check=check, **options)
        for answer in (simulated, pretended):
            answer["lease"] = ((answer.get("ledger") or {}).get("lease") or {}).get("state")
        answers = [{name: answer.get(name) for name in (*TOLD, "lease")} for answer in (simulated, pretended)]
        assert answers[0] == answers[1]
        assert self.office.server.drive.is_file(self.flag) == (self.server.read(self.flag) is not None)
        task, action = self.office.server.tasks.get(TASK), self.server.state["tasks"].get(TASK)
        assert (task is None) == (action is None)
        if task and action:
            assert action["actions"] == [{"Execute": task.program, "Arguments": task.arguments}]
            assert action["triggers"][1] == {"startup": task.startup}
        return answers[0]

    def attempt(self, state: str) -> None:
        """Give both ledgers an attempt in this state."""
        told = {"number": 1, "key": "k", "state": state, "mode": "server_in_cloud", "history_months": 12, "before": {}}
        self.office.save({**self.office.ledger, "attempts": [told]})
        text = self.server.read(self.server.ledger_file) or ""
        self.server.write(self.server.ledger_file, json.dumps({**json.loads(text), "attempts": [told]}))

    def lose_the_flag(self) -> None:
        self.office.server.drive.remove(self.flag)
        self.server.path(self.flag).unlink()


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("warning", [None, TEXT])
@pytest.mark.parametrize(("pc", "users"), [(0, 0), (0, 2), (2, 1)])
@pytest.mark.parametrize("programs", [(), OPEN, (*OPEN, *OPEN, *LIKE)], ids=["nobody", "one", "three"])
def test_who_is_in_it(
    tmp_path: Path,
    contract: dict[str, Any],
    engine: Engine,
    programs: tuple[tuple[str, str], ...],
    pc: int,
    users: int,
    warning: str | None,
    close: bool,
) -> None:
    both = Both(tmp_path, contract, engine, pc=pc, users=users)
    both.run(*programs)
    both.ask("lease", warning=warning, close=close, check=True)
    first = both.ask("lease", warning=warning, close=close)
    assert first["failed"] is None
    both.ask("lease", warning=warning, close=close)
    both.ask("users", warning=warning, close=close)
    both.ask("look")
    both.ask("handback")


@pytest.mark.parametrize("state", ["running", "failed", "switched"])
def test_who_comes_late(tmp_path: Path, contract: dict[str, Any], engine: Engine, state: str) -> None:
    both = Both(tmp_path, contract, engine, pc=0, users=1)
    both.ask("lease")
    both.attempt(state)
    both.run(*OPEN)
    for check in (True, False):
        assert (both.ask("handback", check=check)["failed"] is None) == (state == "switched")
        both.ask("lease", check=check)
    both.lose_the_flag() if state == "running" else None
    both.ask("lease")
    both.ask("look")


def test_what_is_lost(tmp_path: Path, contract: dict[str, Any], engine: Engine) -> None:
    both = Both(tmp_path, contract, engine, pc=0, users=1)
    assert both.ask("lease")["lease"] == "held"
    both.lose_the_flag()
    assert both.ask("look")["lease"] == "lost"
    assert both.ask("lease")["lease"] == "held"
    both.lose_the_flag()
    assert both.ask("handback", check=True)["changed"] is True
    assert both.ask("handback")["lease"] == "free"
