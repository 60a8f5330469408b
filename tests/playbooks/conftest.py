"""Fixtures: a simulated fleet and a person who starts playbooks against it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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
PATIENCE = 240.0
"""Real seconds after which what should have happened has not."""


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
        "rows",
        "second_contract",
        "shared_server",
        "verify",
    }
)
"""The tests of whole nights in which something breaks, and others that are too slow for a newcomer (`make nights`)."""


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
    done = subprocess.run(
        _command(playbook, inventory, arguments, variables),
        cwd=ROOT,
        env=_environment(state, environment or {}),
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        check=False,
    )
    return Done(done.returncode, done.stdout + done.stderr)


def _command(playbook: str, inventory: Path, arguments: Sequence[str], variables: Mapping[str, object]) -> list[str]:
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    called = [program, "-i", str(inventory), str(ROOT / "playbooks" / f"{playbook}.yml")]
    return [*called, "-e", json.dumps(variables), *arguments]


def _environment(state: Path, environment: Mapping[str, str]) -> dict[str, str]:
    ours = {"INTERACTOR_STATE": str(state), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "COLUMNS": "200"}
    return {**os.environ, **ours, **environment}


@dataclass(frozen=True)
class Running:
    """A playbook that runs, in a session of its own, and what it has said so far."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self.said.read_text(encoding="utf-8", errors="replace")

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened while it runs."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, f"it did not happen: {self.output}"
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)

    def ended(self) -> Done:
        """Wait for its end."""
        return Done(self.process.wait(PATIENCE), self.output)

    def kill(self) -> None:
        """End it and all its workers, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


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

    @contextmanager
    def begin(self, playbook: str, *arguments: str, **variables: object) -> Iterator[Running]:
        """Start one of the project's playbooks, and see that it has ended after the block."""
        said = self.state.parent / f"{playbook}.log"
        with said.open("wb") as log:
            process = subprocess.Popen(
                _command(playbook, self.inventory, arguments, variables),
                cwd=ROOT,
                env=_environment(self.state, {**self.simulation.environment, **self.environment}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, said)
        try:
            yield running
        finally:
            running.kill()

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
