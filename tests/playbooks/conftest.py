"""Fixtures: a simulated fleet and a person who starts playbooks against it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simulator import demo
from simulator.testing import Simulation, running

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "simulator" / "scenarios" / "demo.yml"
RELEASE = dict(demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21").variables)
"""What a person says who lets wave 1 go."""
SECRETS = ("password", "cloud_token")


NIGHTS = frozenset(
    {
        "calls",
        "causes",
        "delta",
        "engine",
        "families",
        "fencing",
        "fix",
        "lease",
        "modes",
        "pace",
        "pages",
        "privacy",
        "rehearsal",
        "rollback",
        "second_contract",
        "shared_server",
    }
)
"""The tests of whole nights in which something breaks: too slow for a newcomer (`make nights`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here runs real ansible-playbook processes."""
    here = Path(__file__).parent
    lost = [name for name in NIGHTS if not (here / f"test_{name}.py").is_file()]
    assert not lost, f"no such tests: {', '.join(sorted(lost))}"
    for item in items:
        if here in item.path.parents:
            is_night = item.path.stem.removeprefix("test_") in NIGHTS
            item.add_marker(pytest.mark.night if is_night else pytest.mark.playbook)


@dataclass(frozen=True)
class Done:
    """How a playbook ended."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """How many changes the recap counts, over all hosts."""
        return sum(int(count) for count in re.findall(r"changed=(\d+)", self.output))


def play(
    playbook: str,
    inventory: Path,
    state: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    **variables: object,
) -> Done:
    """Run one of the project's playbooks on `inventory`, with journal and files in the folder `state`."""
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(inventory),
        str(ROOT / "playbooks" / f"{playbook}.yml"),
    ]
    done = subprocess.run(
        [*command, "-e", json.dumps(variables), *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "INTERACTOR_STATE": str(state),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "COLUMNS": "200",
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
    )
    return Done(done.returncode, done.stdout + done.stderr)


@dataclass(frozen=True)
class Controller:
    """A controller with an inventory, a journal of its own and a simulated fleet."""

    simulation: Simulation
    state: Path
    inventory: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def play(self, playbook: str, *arguments: str, **variables: object) -> Done:
        """Run one of the project's playbooks."""
        environment = {**self.simulation.environment, **self.environment}
        return play(playbook, self.inventory, self.state, *arguments, environment=environment, **variables)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The newest row of each site in the journal."""
        return demo.rows(self.state)

    def secrets_found(self, *texts: str) -> list[str]:
        """Where a secret of the simulation stands: in `texts`, or in any file of the state folder."""
        secrets = [str(self.simulation.facts[name]) for name in SECRETS]
        found = [f"output {number}" for number, text in enumerate(texts) if any(secret in text for secret in secrets)]
        for path in self.state.rglob("*"):
            if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
                found.append(str(path.relative_to(self.state)))
        return found


@contextmanager
def controlling(
    folder: Path, scenario: Path = DEMO, inventory: Path | None = None, engine: str | None = None
) -> Iterator[Controller]:
    """A fresh simulation, its servers on an engine or the model, and a controller whose state lies in `folder`."""
    with running(scenario, folder / "simulator", engine=engine) as simulation:
        yield Controller(
            simulation, folder / "state", inventory or ROOT / "inventories" / "demo" / "sites.register.yml"
        )


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """One controller for the tests of a file, at the scenario's start."""
    with controlling(tmp_path_factory.mktemp("fleet")) as one:
        yield one


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """A copy of the demo's inventory that a test may spoil."""
    shutil.copytree(ROOT / "inventories" / "demo", tmp_path / "inventory")
    return tmp_path / "inventory"
