"""The control API: a call that is held, a host that is slow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.error import HTTPError

import pytest

from simulator import testing
from simulator.calls import ModuleCall
from simulator.control import Calls
from simulator.testing import running

SCENARIO = Path(__file__).resolve().parents[2] / "simulator" / "scenarios" / "small.yml"
CALL = ModuleCall("helsevest.interactor.interactor_upgrade", {"step": "look", "contract": {}}, False, False)


def test_the_call_that_is_held_waits_for_its_release_and_no_other_does() -> None:
    async def held() -> list[str]:
        calls, ended = Calls(), []

        async def call(name: str, host: str) -> None:
            await calls.record(host, CALL)
            ended.append(name)

        calls.hold("a", 2)
        await call("first", "a")
        waiting = asyncio.create_task(call("second", "a"))
        await call("other", "b")
        await call("third", "a")
        assert not waiting.done()
        calls.release()
        await waiting
        assert {seen["call"] for seen in calls.seen} == {"helsevest.interactor.interactor_upgrade look"}
        return ended

    assert asyncio.run(held()) == ["first", "other", "third", "second"]


def test_what_is_asked_of_a_host_that_is_not_there_or_makes_no_sense_is_refused(tmp_path: Path) -> None:
    with running(SCENARIO, tmp_path) as simulation:
        simulation.hold("srv.proverom.example", 1)
        simulation.slow("srv.proverom.example", 2)
        simulation.release()
        for body in ({"host": "srv.nowhere.example", "nth": 1}, {"host": "srv.proverom.example", "nth": 0}, {}):
            with pytest.raises(HTTPError, match="400"):
                testing._ask(f"{simulation.facts['control_url']}/hold", body)
