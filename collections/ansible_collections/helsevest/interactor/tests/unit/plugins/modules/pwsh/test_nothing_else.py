# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts touch nothing but Interactor's own service and folders, our folder and our tasks."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.pwsh.engine import service
from tests.pwsh.fixtures import INSTALLER, Server
from tests.whole_state import differences, foreign

ATTEMPT = {"number": 1, "key": "1001-1-4f3a"}
LIST = r"C:\ProgramData\HelseVest\InteractorMove\list.jsonl"
STATUS = r"C:\ProgramData\HelseVest\InteractorMove\status.json"
NOT_THE_HOSTS = {"drive", "calls", "refused", "programs", "web", "downloads", "task_start", "service_fails"}
"""What the state file holds for the pretending itself."""


def whole(server: Server) -> dict[str, Any]:
    """All of the host: its files as hashes, and everything else that its state holds."""
    state = {name: part for name, part in server.state.items() if name not in NOT_THE_HOSTS}
    files = {
        "C:\\" + name.replace("/", "\\"): hashlib.sha256(data).hexdigest() for name, data in server.files().items()
    }
    return {**state, "files": files}


@pytest.fixture
def moving(server: Server) -> Server:
    """A server with an EPJ beside Interactor, whose installer and migration program do what they should."""
    install = server.contract["paths"]["install"]
    server.write(install + r"\InteractorMigrate.exe", "the program")
    server.write_long_ago(server.contract["paths"]["data"] + r"\orders.jsonl", "an order")
    server.write(r"C:\EPJ\Meldinger\ut\0001.xml", "melding")
    lines = json.dumps({"category": "orders", "id": "a", "date": "2027-01-01"}) + "\n"
    server.update(
        registry={r"HKEY_LOCAL_MACHINE\SOFTWARE\EPJ": {"Path": r"C:\EPJ\epj.exe"}},
        processes=[
            "System",
            {"name": "EPJ", "path": r"C:\EPJ\epj.exe"},
            {"name": "Interactor", "path": r"C:\EPJ\x.exe"},
        ],
        tasks={"EPJ backup": {"path": "\\", "state": "Ready", "actions": [], "next": None}},
        services={**server.state["services"], "Meldingstjener": service(r"C:\EPJ\melding.exe")},
        downloads={server.contract["installer"]["url"]: INSTALLER},
        programs={
            "InteractorSetup-6.2.0.exe": {"exit_code": 0, "writes": {server.program: "6.2.0"}},
            "InteractorMigrate.exe": {"exit_code": 0, "writes": {LIST: lines}},
        },
    )
    return server


def ask(server: Server, module: str, **options: Any) -> dict[str, Any]:
    result = server.ask(module, **options)
    assert not result.get("failed"), result
    return result


def move(server: Server) -> None:
    """Upgrade and a whole move; a lease that may close Interactor leaves the EPJ's program of a like name alone."""
    for step in ("stage", "install"):
        ask(server, "upgrade", step=step)
    assert ask(server, "migrate", step="lease", warning="Lukk Interactor.", close=True)["held"] is False
    # It counts as somebody, so that no lease would ever be held: the contract has to name another program.
    server.contract["processes"] = ["InteractorKlient"]
    assert ask(server, "migrate", step="lease")["held"] is True
    ask(
        server, "migrate", step="manifest", attempt=ATTEMPT, history_months=12, day="2027-05-18", mode="server_in_cloud"
    )
    ask(server, "migrate", step="start", attempt=ATTEMPT)
    server.write(STATUS, json.dumps({"state": "completed", "progress": 100, "counts": {"orders": 1}, "message": ""}))
    for step in ("follow", "switch", "handback", "look"):
        ask(server, "migrate", step=step, attempt=ATTEMPT)


def test_a_move_touches_nothing_else(moving: Server):
    before = whole(moving)
    move(moving)
    assert foreign(before, whole(moving), moving.contract) == {}
    assert differences(before, whole(moving)), "it has moved"


def test_neither_does_its_rollback(moving: Server):
    before = whole(moving)
    move(moving)
    ask(moving, "migrate", step="restore", attempt=ATTEMPT)
    after = whole(moving)
    assert foreign(before, after, moving.contract) == {}
    config = moving.contract["paths"]["config"]
    assert after["files"][config] == before["files"][config]
    assert set(after["tasks"]) == {"EPJ backup"}


def _file(server: Server) -> None:
    server.write(r"C:\EPJ\epj.ini", "another")


def _data(server: Server) -> None:
    server.path(server.contract["paths"]["data"] + r"\orders.jsonl").unlink()


def _state(part: str, change: Callable[[Any], None]) -> Callable[[Server], None]:
    def spoil(server: Server) -> None:
        value = copy.deepcopy(server.state[part])
        change(value)
        server.update(**{part: value})

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        _file,
        _data,
        _state("services", lambda services: services["EPJServer"].update(status="Stopped")),
        _state("services", lambda services: services.pop("Meldingstjener")),
        _state("processes", lambda processes: processes[1].update(ended=True)),
        _state("tasks", lambda tasks: tasks["EPJ backup"].update(state="Disabled")),
        _state("registry", lambda registry: registry.clear()),
        _state("computer", lambda computer: computer.update(plan="{another}")),
        _state("users", lambda users: users.clear()),
    ],
)
def test_it_would_be_seen(moving: Server, spoil: Callable[[Server], None]):
    before = whole(moving)
    move(moving)
    spoil(moving)
    assert foreign(before, whole(moving), moving.contract)
