"""The control API: a host that is slow."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError

import pytest

from simulator import testing
from simulator.calls import ModuleCall
from simulator.testing import running

SCENARIO = Path(__file__).resolve().parents[2] / "simulator" / "scenarios" / "small.yml"
CALL = ModuleCall("helsevest.interactor.interactor_upgrade", {"step": "look", "contract": {}}, False, False)


def test_what_is_asked_of_a_host_that_is_not_there_or_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with running(SCENARIO, tmp_path) as simulation:
        simulation.slow("srv.proverom.example", 2)
        for body in ({"host": "srv.nowhere.example", "seconds": 1}, {"host": "srv.proverom.example", "seconds": 0}, {}):
            with pytest.raises(HTTPError, match="400"):
                testing._ask(f"{simulation.facts['control_url']}/slow", body)
