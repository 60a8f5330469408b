# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server's checklist in the model and in the engine: the same facts and the same trial, which leaves nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from simulator.windows import Task
from tests.pwsh.engine import HERE, LEASE_SCRIPT, PRETEND, Engine
from tests.pwsh.fixtures import engine
from tests.test_probe_model_equals_engine import DEMO, ODD, OPENING, Both, Office, stamp
from tests.verify_answers import comparable

__all__ = ["engine"]
pytestmark = pytest.mark.pwsh

TRIAL = {"day": OPENING["day"], "history_months": 12, "lease_script": LEASE_SCRIPT.read_text(encoding="utf-8")}


def with_web(office: Office, state: dict[str, Any]) -> dict[str, Any]:
    """What the pretended net answers besides."""
    contract = office.contract
    script = asyncio.run(office.fetch(contract["proxy"]["script"]))
    return {
        **state["web"],
        contract["installer"]["url"]: {"status": 206, "content": "x", "length": 1},
        contract["proxy"]["script"]: {"status": script.status, "content": script.body.decode()},
    }


@pytest.mark.parametrize("site", [*DEMO.sites, *ODD.sites])
def test_a_look_tells_the_same_of_every_server(site: str, engine: Engine, tmp_path: Path):
    office = Office(DEMO if site in DEMO.sites else ODD)
    servers = [host for host in office.world.hosts.values() if (host.site, host.role) == (site, "server")]
    for host in servers:
        pretended = office.pretend(host, tmp_path / host.name)
        for name, content in host.drive.below(office.contract["paths"]["data"]):
            pretended.write(f"{office.contract['paths']['data']}\\{name}", content.decode())
        program = office.contract["migration"]["program"]
        if host.drive.is_file(program):
            pretended.write(program, "the program")
        pretended.update(web=with_web(office, pretended.state))
        for step in ("look", "again"):
            arguments = {"contract": office.contract, "site": site, "run_id": "r", "now": stamp(office.clock.now())}
            arguments["step"] = step
            model = office.model(host, "interactor_verify", arguments, False)
            told = engine.module("interactor_verify", arguments, pretended)
            assert comparable(told) == comparable(model), host.name


class Verified(Both):
    """The same server twice, whose tasks run."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        super().__init__(engine, folder, {})
        self.pretended.update(
            web=with_web(self.office, self.pretended.state),
            task_start={"state": "Ready", "writes": {}, "runs": str(HERE / PRETEND)},
        )

    def verify(self, step: str, *, check: bool = False) -> dict[str, Any]:
        """Take a step on both; what both answer."""
        given = TRIAL if step == "trial" else {}
        arguments = {"contract": self.contract, "site": "9001", "run_id": "r", "step": step, **given}
        arguments["now"] = stamp(self.office.clock.now())
        before = self.host.snapshot()
        model = self.office.model(self.host, "interactor_verify", arguments, check)
        assert self.host.snapshot() == before
        files, tasks = self.pretended.files(), self.pretended.state["tasks"]
        told = self.engine.module("interactor_verify", arguments, self.pretended, check_mode=check)
        assert (self.pretended.files(), self.pretended.state["tasks"]) == (files, tasks)
        assert comparable(told) == comparable(model)
        return told

    def leave(self, name: str) -> None:
        """A task of that name is there on both."""
        self.host.tasks[name] = Task("x.exe", "")
        state = {"path": "\\", "state": "Ready", "actions": [], "next": None}
        self.pretended.update(tasks={**self.pretended.state["tasks"], name: state})


def test_a_trial_is_the_same_through_a_whole_move(engine: Engine, tmp_path: Path):
    both = Verified(engine, tmp_path)
    assert both.verify("trial", check=True)["trial"] is None
    assert both.verify("trial")["trial"]["manifest"] is None
    both.leave(both.contract["lease"]["task"])
    assert both.verify("look")["facts"]["tasks"] == [both.contract["lease"]["task"]]
    both.pretended.update(tasks={})
    both.host.tasks.clear()
    both.upgrade()
    listed = both.contract["paths"]["work"] + r"-verify\list.jsonl"
    both.program("InteractorMigrate.exe", 0, {listed: both.lines()})
    tried = both.verify("trial")["trial"]
    assert tried["task"]["ran"] is True
    assert tried["manifest"]["counts"]["orders"] == 240
    both.program("InteractorMigrate.exe", 87, {})
    both.contract["migration"]["list_arguments"] = 'list --days 1 --output "{list_file}"'
    assert both.verify("trial")["trial"]["manifest"]["error"] == "the list program ended with code 87"
    both.contract["migration"]["list_arguments"] = 'list --months {months} --until {day} --output "{list_file}"'
    both.take("migrate", "lease")
    assert both.verify("trial")["msg"] == "trial: refused: people are kept out of Interactor"
    both.program("InteractorMigrate.exe", 0, {both.contract["migration"]["list_file"]: both.lines()})
    both.take("migrate", "manifest", attempt={"number": 1, "key": "9001-1-4f3a"}, **OPENING)
    assert both.verify("trial")["msg"] == "trial: refused: attempt 1 is prepared"
    both.verify("look")


def test_what_a_trial_that_died_has_left_is_taken_away_by_both(engine: Engine, tmp_path: Path):
    both = Verified(engine, tmp_path)
    folder, task = both.contract["paths"]["work"] + "-verify", both.contract["lease"]["task"] + " verify"
    both.leave(task)
    both.host.drive.write(folder + r"\ledger.json.new", b"half")
    both.pretended.write(folder + r"\ledger.json.new", "half")
    arguments = {"contract": both.contract, "site": "9001", "run_id": "r", "step": "trial", **TRIAL}
    arguments["now"] = stamp(both.office.clock.now())
    model = both.office.model(both.host, "interactor_verify", arguments, False)
    told = engine.module("interactor_verify", arguments, both.pretended)
    assert told == model
    assert told["trial"]["leftover"] is True
    assert not both.host.drive.is_folder(folder)
    assert not both.pretended.path(folder).exists()
    assert (task in both.host.tasks, task in both.pretended.state["tasks"]) == (False, False)
