"""What a command costs on an engine host, step by step: `python -m tests.bench_engine` prints the table."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from simulator.engines import Engines
from simulator.scenario import load
from tests.engine.life import Life, live
from tests.engine.twins import Twins
from tests.engine.wire import ROOT

SITE = "1001"


class Counted(Twins):
    """Twins that note what each call takes of a processor in the engine's process."""

    def __init__(self, *said: object) -> None:
        super().__init__(*said)  # type: ignore[arg-type]
        self.seconds: dict[str, list[float]] = defaultdict(list)

    def ask(self, host: str, module: str, **options: object) -> dict[str, object]:
        """Call one of our modules on both."""
        before = self.engine.world.engine_figures["cpu_seconds"]
        answer = super().ask(host, module, **options)  # type: ignore[arg-type]
        name = f"{module} {options.get('step', '')}".strip()
        self.seconds[name].append(self.engine.world.engine_figures["cpu_seconds"] - before)
        return answer


def main() -> None:
    """Print a row for each step: how often it was taken, and the mean seconds of processor time."""
    demo = load(ROOT / "simulator" / "scenarios" / "demo.yml")
    only = demo.model_copy(update={"sites": {SITE: demo.sites[SITE]}})
    with asyncio.Runner() as runner:
        engines = Engines(most=1)
        twins = Counted(only, engines, runner)
        live(Life(twins, SITE))
        runner.run(engines.close())
    # The first of all also compiles Ansible's own C#.
    first, *_ = twins.seconds["preflight"]
    print(f"| the first command of a process | 1 | {first:.2f} |")
    twins.seconds["preflight"] = twins.seconds["preflight"][1:]
    for name, taken in twins.seconds.items():
        print(f"| {name} | {len(taken)} | {sum(taken) / len(taken):.2f} |")
    every = [seconds for taken in twins.seconds.values() for seconds in taken]
    print(f"| all | {len(every)} | {sum(every) / len(every):.2f} |")


if __name__ == "__main__":
    main()
