"""What a tick of a wave costs in real seconds, with and without one slow site; `python -m tests.bench_wave`.

The slow site's server takes real seconds more for each answer. What counts is the whole tick less what the same tick
takes for that site alone, measured in the same run: this is the overhead, and its limit is 60 s for a wave of 60.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from simulator import demo
from tests.playbooks.conftest import Controller, controlling
from tests.wave import EVENING, FIRST_ID, LATER, NIGHT, site_ids, write_wave

SITES = 60
SLOW = f"srv.k{FIRST_ID}.example"
TICKS = ((EVENING, "upgrade"), (NIGHT, "move, to the running migration"), (LATER, "count and switch"))


@contextmanager
def wave(sites: int) -> Iterator[Controller]:
    """A released wave of so many sites, each measured."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        scenario, inventory = write_wave(folder, sites=sites)
        with controlling(folder, scenario, inventory) as controller:
            let_go = demo.release("2027-05-10T08:00:00Z", 1, "2027-05-21")
            released = controller.play("release", **let_go.variables)
            assert released.code == 0, released.output
            yield controller


def tick(controller: Controller, at: str) -> tuple[float, float]:
    """Bring the clock to `at` and take one tick: its real seconds, and those of the processor."""
    controller.simulation.set_clock(at)
    started, before = time.monotonic(), used()
    done = controller.play("wave", report_dir="")
    assert done.code == 0, done.output
    return time.monotonic() - started, used() - before


def slow_move(sites: int, slow: int) -> tuple[float, float]:
    """The tick that begins the move of so many sites, the first of which answers `slow` seconds late, as `tick`."""
    with wave(sites) as controller:
        tick(controller, EVENING)
        controller.simulation.slow(SLOW, slow)
        measured = tick(controller, NIGHT)
        assert {row["state"] for row in controller.rows().values()} == {"moving"}
    return measured


def used() -> float:
    """Seconds of processor time of all child processes that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=SITES)
    parser.add_argument("--slow", type=int, default=25, help="seconds more for each answer of the slow server")
    options = parser.parse_args()
    print(f"a wave of {options.sites} sites with one client each; real seconds, seconds of the processor")
    alone, used = slow_move(1, options.slow)
    print(f"| move, the slow site alone | {alone:.0f} | {used:.0f} |", flush=True)
    seconds, used = slow_move(options.sites, options.slow)
    print(f"| move, one slow site | {seconds:.0f} | {used:.0f} |")
    print(f"overhead beyond the slow site: {seconds - alone:.0f} s", flush=True)
    with wave(options.sites) as controller:
        for at, what in TICKS:
            seconds, used = tick(controller, at)
            print(f"| {what} | {seconds:.0f} | {used:.0f} |", flush=True)
        states = {row["state"] for row in controller.rows().values()}
        assert states == {"moved"}, states
        assert sorted(controller.rows()) == site_ids(options.sites)


if __name__ == "__main__":
    main()
