"""What a preflight of many hosts costs, as ratios that do not depend on the machine: `make bench-quick`, ≤ 90 s.

The bounds stand in bench_quick.yml. One that is beyond its bound, and is so when all is measured
once more, ends the run with exit code 1.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.bench_wave import used
from tests.playbooks.conftest import ROOT, Controller, controlling
from tests.wave import site_ids, write_wave

BOUNDS = Path(__file__).with_suffix(".yml")
HOSTS = (50, 100, 200)
"""Half of them servers, half of them PCs."""
STOCK_HOSTS = (2, 6)
DEAD = 5
"""Of the fleet in the middle: 5 %. What it would take without them lies between the other two."""
KNOCK = 5.0
SEED = "each site's data come from its number"


@dataclass(frozen=True)
class Run:
    """One playbook: how many hosts, real seconds, seconds of the controller's processors, what went over the lines."""

    hosts: int
    seconds: float
    cpu: float
    traffic: Mapping[str, Mapping[str, float]]

    @property
    def last(self) -> float:
        """When the last living host had answered, in real seconds."""
        return max(line["last"] for line in self.traffic.values())

    def per_host(self, *names: str) -> float:
        """The median of a figure over the hosts."""
        return median(sum(line[name] for name in names) for line in self.traffic.values())


@dataclass(frozen=True)
class Figure:
    """A figure with its bound."""

    name: str
    value: float
    what: str
    at_most: float = math.inf
    at_least: float = -math.inf

    @property
    def is_kept(self) -> bool:
        """Whether it keeps its bound."""
        return self.at_least <= self.value <= self.at_most

    def __str__(self) -> str:
        bound = f"at most {self.at_most:g}" if self.at_most < math.inf else f"at least {self.at_least:g}"
        return (
            f"| {self.name} | {self.value:.2f} | {bound} | {'' if self.is_kept else 'BEYOND ITS BOUND'} | {self.what} |"
        )


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """The exponent b of y = a·x^b that fits best (least squares of the logarithms)."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x, mean_y = (sum(column) / len(logs) for column in zip(*logs, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def each_more(runs: Sequence[Run]) -> float:
    """Controller CPU that one more host costs, from the smallest run to the largest: what a run costs at all is out."""
    return (runs[-1].cpu - runs[0].cpu) / (runs[-1].hosts - runs[0].hosts)


def at_size(hosts: int, sized: Sequence[tuple[int, float]]) -> float:
    """A figure for so many hosts, on the straight line through the smallest run and the largest."""
    (few, less), (many, more) = sized[0], sized[-1]
    return less + (more - less) * (hosts - few) / (many - few)


def figures(ours: Sequence[Run], stock: Sequence[Run], dead: Run) -> list[Figure]:
    """The figures with their bounds."""
    well = at_size(dead.hosts, [(run.hosts, run.seconds) for run in ours])
    values = {
        "round_trips_per_host": ours[-1].per_host("requests"),
        "kilobytes_per_host": ours[-1].per_host("received", "sent") / 1000,
        "cpu_ratio": each_more(stock) / each_more(ours),
        "slope": slope_of([(run.hosts, run.cpu) for run in sorted([*ours, dead], key=lambda run: run.hosts)]),
        "dead_seconds": (dead.seconds - well) / (KNOCK + well / 4),
        "living_delay": dead.last / at_size(dead.hosts, [(run.hosts, run.last) for run in ours]),
    }
    bounds: dict[str, dict[str, Any]] = yaml.safe_load(BOUNDS.read_text(encoding="utf-8"))
    return [Figure(name, values[name], **bounds[name]) for name in bounds]


def play(controller: Controller, playbook: str, hosts: int, **variables: Any) -> Run:
    """Run a playbook for the first so many hosts."""
    limit = ",".join(f"site_{site}" for site in site_ids(hosts // 2))
    controller.simulation.count_traffic()
    started, before = time.monotonic(), used()
    done = controller.play(playbook, "--limit", limit, **variables)
    seconds, cpu = time.monotonic() - started, used() - before
    assert done.code == 0, done.output
    run = Run(hosts, seconds, cpu, controller.simulation.traffic())
    print(f"| {Path(playbook).name} | {hosts} | {seconds:.1f} | {cpu:.1f} | {len(run.traffic)} |", flush=True)
    return run


def measure(folder: Path) -> list[Figure]:
    """Run all of it."""
    stock = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))
    needed = {name: stock["vendor_contract"][name] for name in ("service", "paths", "pages", "proxy", "speed")}
    sites, well = (site_ids(hosts // 2) for hosts in (HOSTS[-1], HOSTS[1]))
    # Evenly among the others, servers and PCs.
    gone = {
        site: {"clients": [{"name": "pc1", "trouble": "dead"}]} if number % 2 else {"server": {"trouble": "dead"}}
        for number, site in enumerate(well[:: len(well) // DEAD])
    }
    assert len(gone) == DEAD
    (folder / "well").mkdir()
    (folder / "dead").mkdir()
    print("| playbook | hosts | seconds | controller's CPU seconds | hosts that answered |")
    scenario, inventory = write_wave(folder / "well", sites=len(sites))
    with controlling(folder / "well", scenario, inventory) as controller:
        ours = [play(controller, "preflight", hosts) for hosts in (HOSTS[0], HOSTS[-1])]
        # Beside the playbooks, so that no role of ours is near; and without `preload`: what that saves is ours.
        bare = replace(controller, environment={"ANSIBLE_CALLBACKS_ENABLED": "helsevest.interactor.site_table"})
        theirs = [play(bare, "../tests/stock_facts", hosts, stock=needed) for hosts in STOCK_HOSTS]
    scenario, inventory = write_wave(folder / "dead", sites=len(well), special=gone)
    with controlling(folder / "dead", scenario, inventory) as controller:
        dead = play(controller, "preflight", HOSTS[1], preflight_knock_seconds=KNOCK)
    assert len(dead.traffic) == HOSTS[1] - DEAD
    return figures(ours, theirs, dead)


def beyond(measured: Callable[[], Sequence[Figure]]) -> list[Figure]:
    """The figures beyond their bounds, twice: a machine that does something else meanwhile is not what is measured."""
    first = {figure.name for figure in _printed(measured()) if not figure.is_kept}
    if not first:
        return []
    print(f"once more, for {', '.join(sorted(first))}")
    return [figure for figure in _printed(measured()) if figure.name in first and not figure.is_kept]


def _printed(found: Sequence[Figure]) -> Sequence[Figure]:
    print("| figure | value | bound | | what |")
    for figure in found:
        print(figure, flush=True)
    return found


def _measured() -> list[Figure]:
    with TemporaryDirectory() as name:
        return measure(Path(name))


def main() -> None:
    """Print a row for each figure."""
    started = time.monotonic()
    broken = beyond(_measured)
    print(f"{time.monotonic() - started:.0f} s; {SEED}")
    if broken:
        sys.exit("bench-quick: beyond their bounds: " + ", ".join(f"{one.name} {one.value:.2f}" for one in broken))


if __name__ == "__main__":
    main()
