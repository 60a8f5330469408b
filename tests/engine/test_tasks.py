"""What a task of ours on a host begins by itself: its script, in the engine, does what the model does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from simulator.calls import Unknown
from simulator.engine import PowerShellEngine
from simulator.host import SimulatedHost
from simulator.windows import Task
from tests.engine import wire
from tests.engine.server import Opened, Server

pytestmark = pytest.mark.pwsh


def flagged(both: Server) -> list[bool]:
    return [host.drive.is_file(both.contract["paths"]["maintenance_flag"]) for host in both.hosts]


def has_task(both: Server) -> list[bool]:
    return [both.contract["lease"]["task"] in host.tasks for host in both.hosts]


def commands(both: Server) -> float:
    return both.twins.engine.world.engine_figures["commands"]


def test_the_server_lets_people_in_again_by_itself(opened: Opened) -> None:
    both = opened(server={"clock_offset_seconds": 400})
    both.take("migrate", "lease")
    before = commands(both)
    both.pass_minutes(59)
    both.twins.catch_up()
    assert (flagged(both), commands(both) - before) == ([True, True], 0)
    # An hour old at the first start, so that there is no other.
    both.pass_minutes(600)
    both.twins.catch_up()
    assert (flagged(both), has_task(both), commands(both) - before) == ([False, False], [False, False], 1)
    assert both.take("migrate", "look", check=True)["ledger"]["lease"]["state"] == "lost"


def test_a_flag_that_was_renewed_lives_as_long_again(opened: Opened) -> None:
    both = opened()
    both.take("migrate", "lease")
    both.pass_minutes(50)
    both.each(lambda host: host.drive.touch(both.contract["paths"]["maintenance_flag"]))
    before = commands(both)
    both.pass_minutes(59)
    assert commands(both) - before == 4
    both.twins.catch_up()
    assert flagged(both) == [True, True]
    both.pass_minutes(16)
    both.twins.catch_up()
    assert flagged(both) == [False, False]


def test_while_a_migration_runs_it_waits(opened: Opened) -> None:
    both = opened(migration={"minutes": 150})
    both.upgrade()
    attempt = both.open()
    both.take("migrate", "start", attempt=attempt)
    both.pass_minutes(149)
    both.twins.catch_up()
    assert (flagged(both), has_task(both)) == ([True, True], [True, True])
    both.pass_minutes(16)
    both.twins.catch_up()
    assert (flagged(both), has_task(both)) == ([False, False], [False, False])
    look = both.take("migrate", "look", check=True)
    assert (look["ledger"]["lease"]["state"], look["status"]["state"]) == ("lost", "completed")


def restart(both: Server) -> None:
    both.each(lambda host: host.restart())
    both.twins.catch_up()


def test_at_startup_it_looks_as_well(opened: Opened) -> None:
    both = opened()
    both.take("migrate", "lease")
    for host in both.hosts:
        host.tasks[both.contract["lease"]["task"]].at = None
    both.pass_minutes(30)
    restart(both)
    assert flagged(both) == [True, True]
    both.pass_minutes(31)
    assert flagged(both) == [True, True]
    restart(both)
    assert (flagged(both), has_task(both)) == ([False, False], [False, False])


@pytest.mark.parametrize(("lost", "stays"), [("maintenance_flag", False), ("script", True)])
def test_what_somebody_has_taken_away(opened: Opened, lost: str, stays: bool) -> None:
    both = opened()
    both.take("migrate", "lease")
    paths = {**both.contract["paths"], "script": both.contract["paths"]["work"] + r"\lease.ps1"}
    both.each(lambda host: host.drive.remove(paths[lost]))
    both.pass_minutes(60)
    both.twins.catch_up()
    assert (flagged(both), has_task(both)) == ([stays, stays], [stays, stays])
    both.take("migrate", "look", check=True)


def engine_host(both: Server) -> SimulatedHost:
    return both.hosts[1]


def engine_of(both: Server) -> PowerShellEngine:
    engine = engine_host(both).engine
    assert isinstance(engine, PowerShellEngine)
    return engine


def test_it_comes_after_a_command_that_is_at_work(opened: Opened, runner: asyncio.Runner) -> None:
    both = opened()
    both.take("migrate", "lease")
    engine, world = engine_of(both), both.twins.engine.world

    async def together() -> list[bool]:
        line, stdin = wire.module("interactor_preflight", {"role": "server"})
        command = asyncio.create_task(engine.execute(line, stdin))
        while not engine._turn.locked():
            await asyncio.sleep(0)
        await world.advance_to(world.clock.now() + timedelta(hours=2))
        meanwhile = flagged(both)[1]
        await command
        return [meanwhile, flagged(both)[1]]

    assert runner.run(together()) == [True, False]


def test_a_command_that_is_given_up_takes_no_task_with_it(opened: Opened, runner: asyncio.Runner) -> None:
    both = opened()
    both.take("migrate", "lease")
    host, engine, world = engine_host(both), engine_of(both), both.twins.engine.world

    async def given_up() -> list[str]:
        host.tasks[both.contract["lease"]["task"]].at = world.clock.now() + timedelta(minutes=5)
        world.clock.advance_to(world.clock.now() + timedelta(hours=2))
        command = asyncio.create_task(engine.execute(*wire.module("interactor_preflight", {"role": "server"})))
        while not engine._pool._busy:
            await asyncio.sleep(0)
        command.cancel()
        with pytest.raises(asyncio.CancelledError):
            await command
        return list(host.begun)

    # However often it was due meanwhile, it has begun once.
    assert runner.run(given_up()) == [both.contract["lease"]["task"]]
    runner.run(world.catch_up())
    assert (flagged(both)[1], has_task(both)[1], host.begun) == (False, False, [])


def test_what_a_restart_has_begun_comes_before_what_is_later(opened: Opened, runner: asyncio.Runner) -> None:
    both = opened()
    both.take("migrate", "lease")
    both.pass_minutes(59)
    both.each(lambda host: host.restart())
    # At the full hour the flag is old enough: had the restart's script asked then, there would be one script, not two.
    before = commands(both)
    both.pass_minutes(1)
    both.twins.catch_up()
    assert (flagged(both), commands(both) - before) == ([False, False], 2)


def test_how_a_script_ended_is_the_tasks_last_result(opened: Opened, runner: asyncio.Runner) -> None:
    both = opened()
    both.take("migrate", "lease")
    task = both.contract["lease"]["task"]
    engine_host(both).drive.write(both.contract["paths"]["work"] + r"\lease.ps1", b"param ($Flag) throw 'no'")
    both.twins.set_clock("2027-05-10T08:00:00Z")
    assert engine_host(both).tasks[task].result == 1
    told = wire.command_line(f"(Get-ScheduledTaskInfo -TaskName '{task}' -TaskPath '\\').LastTaskResult")
    assert runner.run(engine_of(both).execute(told, b"")).stdout.strip() == b"1"


def test_a_task_that_no_script_of_ours_is(opened: Opened, runner: asyncio.Runner) -> None:
    both = opened()
    world = both.twins.engine.world
    start = world.clock.now() + timedelta(minutes=5)
    engine_host(both).tasks["Noe"] = Task(r"C:\Windows\notepad.exe", "a b", at=start)
    with pytest.raises(Unknown, match=r"a task that runs C:\\Windows\\notepad.exe a b"):
        runner.run(world.advance_to(start))
