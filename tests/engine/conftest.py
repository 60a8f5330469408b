"""One engine for all tests of a process, and twins on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simulator.engines import Engines
from simulator.scenario import Scenario
from tests.engine.server import Opened, Server
from tests.engine.twins import Twins
from tests.pwsh.engine import find


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    """The loop in which the engine's process lives."""
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="session")
def engines(runner: asyncio.Runner) -> Iterator[Engines]:
    """Engines with one process; skipped with the reason where there is none."""
    find()
    one = Engines(most=1)
    yield one
    runner.run(one.close())


@pytest.fixture
def twins_of(engines: Engines, runner: asyncio.Runner) -> Callable[[Scenario], Twins]:
    """Makes twins of a scenario."""
    return lambda scenario: Twins(scenario, engines, runner)


@pytest.fixture
def opened(twins_of: Callable[[Scenario], Twins]) -> Opened:
    """Makes a server with what is said of its site."""

    def make(**said: Any) -> Server:
        site = {"domain": "begge.example", "clients": ["pc1"], **said}
        return Server(twins_of(Scenario.model_validate({"sites": {"9001": site}})))

    return make
