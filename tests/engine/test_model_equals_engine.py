"""Model = engine: the same answer to every step, and the same host after it, over every host of the scenarios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.scenario import Scenario, load
from tests.engine.life import Life, live
from tests.engine.twins import Twins
from tests.engine.wire import ROOT
from tests.wave import write_wave

pytestmark = pytest.mark.pwsh
TAKEN_AGAIN = ("1001", "1004", "2004")
"""Where every step is taken once more: a move that ends well, one that loses something, and one that fails."""
DEMO = load(ROOT / "simulator" / "scenarios" / "demo.yml")
SITES = [pytest.param(site, marks=() if site in TAKEN_AGAIN else pytest.mark.night) for site in DEMO.sites]
"""The others' servers are much like the first one's: they are taken in `make nights`, which a newcomer does not run."""


@pytest.mark.parametrize("site", SITES)
def test_every_step_on_every_host_of_the_demo(site: str, twins_of: Callable[[Scenario], Twins]) -> None:
    only = DEMO.model_copy(update={"sites": {site: DEMO.sites[site]}})
    twins = twins_of(only)
    twins.again = site in TAKEN_AGAIN
    live(Life(twins, site))


@pytest.mark.night
def test_every_step_on_the_hosts_of_a_wave(tmp_path: Path, twins_of: Callable[[Scenario], Twins]) -> None:
    scenario, _inventory = write_wave(tmp_path, sites=1)
    live(Life(twins_of(load(scenario)), "1001"))
