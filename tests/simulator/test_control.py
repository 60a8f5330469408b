"""The control API: a host that is slow, and what goes over the lines."""

from __future__ import annotations

import ssl
import urllib.request
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


def test_what_goes_over_the_line_is_counted(tmp_path: Path) -> None:
    with running(SCENARIO, tmp_path) as simulation:
        assert simulation.traffic() == {}
        for _ in range(2):
            ask = urllib.request.Request("https://srv.proverom.example:5986/wsman", b"<x/>")
            proxies = urllib.request.ProxyHandler({"https": str(simulation.facts["proxy"])})
            trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(simulation.facts["ca"])))
            with pytest.raises(HTTPError, match="401"):
                urllib.request.build_opener(proxies, trust).open(ask)
        found = simulation.traffic()["srv.proverom.example"]
        assert (found["requests"], found["received"], found["sent"]) == (2, 8, 0)
        assert found["last"] > 0
        simulation.count_traffic()
        assert simulation.traffic() == {}
