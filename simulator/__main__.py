"""`python -m simulator --scenario FILE`: the simulated fleet and cloud, until it is told to end."""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import shlex
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

from simulator.clock import Clock
from simulator.engines import Engines
from simulator.fetch import Fetcher
from simulator.scenario import EngineName, Scenario, ScenarioError, load
from simulator.server import serving
from simulator.wine import Network
from simulator.world import World

_PARENT_SECONDS = 0.5


def main() -> int:
    """Run a simulation. Exit code 0 after SIGTERM or SIGINT, 1 for a scenario that is wrong."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--scenario", type=Path, required=True, help="the scenario, YAML")
    parser.add_argument(
        "--run-dir", type=Path, help="where simulation.json is written (default: a new temporary folder)"
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, help="simulated seconds per second (default 0: the clock is still)"
    )
    parser.add_argument("--engine", choices=get_args(EngineName), default="model", help="what the servers run on")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    options = parser.parse_args()
    try:
        scenario = load(options.scenario).on(options.engine)
        clock = Clock(scenario.clock, options.rate)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        run_dir = options.run_dir
        if run_dir is None:
            run_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interactor-simulation-")))
        run_dir = run_dir.resolve()
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            asyncio.run(_run(scenario, clock, run_dir, parent if options.with_parent else None))
        except ScenarioError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


async def _run(scenario: Scenario, clock: Clock, run_dir: Path, parent: int | None) -> None:
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end.set)

    def build(fetch: Fetcher) -> World:
        network = Network(fetch.proxy, run_dir / "ca.pem")
        return World(scenario, clock, fetch, Engines(wine=(run_dir / "machines", network)), fetch.behind)

    async with serving(build, run_dir):
        path = run_dir / "simulation.json"
        # One write: whoever reads only the first line and goes may not break the pipe under the second.
        sys.stdout.write(f"ready: {path}\nexport INTERACTOR_SIMULATION={shlex.quote(str(path))}\n")
        sys.stdout.flush()
        while not end.is_set() and (parent is None or os.getppid() == parent):
            try:
                await asyncio.wait_for(end.wait(), None if parent is None else _PARENT_SECONDS)
            except TimeoutError:
                continue


if __name__ == "__main__":
    sys.exit(main())
