"""The same office twice: its hosts answered by the model, and on the PowerShell engine; every call goes to both."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import yaml

from simulator.calls import ModuleCall, Page
from simulator.clock import Clock, instant, stamp
from simulator.engines import Engines
from simulator.host import SimulatedHost
from simulator.scenario import Scenario
from simulator.world import World
from tests.between import behind
from tests.engine import wire
from tests.simulator.office import page_of
from tests.verify_answers import comparable
from tests.whole_state import differences

LEASE_SCRIPT = wire.MODULES.parent / "plugin_utils" / "_lease.ps1"
FIX_SCRIPT = LEASE_SCRIPT.with_name("_fix.ps1")
_DEFAULTS = wire.ROOT / "roles" / "vendor_contract" / "defaults" / "main.yml"


class Fleet:
    """A scenario come to life without a wire."""

    def __init__(self, scenario: Scenario, engines: Engines | None = None) -> None:
        self.clock = Clock(scenario.clock)
        self.world = World(scenario, self.clock, self.fetch, engines, behind(lambda: self.world, self.fetch))

    async def fetch(self, url: str, start: int = 0, most: int | None = None) -> Page:
        return page_of(self.world, url, start, most)


class Twins:
    """Both, and what the controller would say to them. `again`: whether `everyway` takes a step once more."""

    def __init__(self, scenario: Scenario, engines: Engines, runner: asyncio.Runner) -> None:
        self.again = True
        self.model = Fleet(scenario)
        self.engine = Fleet(scenario.on("powershell", clients=True), engines)
        self._runner = runner
        self.contract: dict[str, Any] = yaml.safe_load(_DEFAULTS.read_text(encoding="utf-8"))["vendor_contract"]
        self.contract["installer"]["sha256"] = self.model.world.installer_sha256

    @property
    def both(self) -> tuple[Fleet, Fleet]:
        return self.model, self.engine

    def set_clock(self, moment: str) -> None:
        for fleet in self.both:
            self._runner.run(fleet.world.advance_to(instant(moment)))

    def catch_up(self) -> None:
        """Bring both up to their clocks."""
        for fleet in self.both:
            self._runner.run(fleet.world.catch_up())

    def hosts(self, name: str) -> tuple[SimulatedHost, SimulatedHost]:
        """The two of a name."""
        return self.model.world.hosts[name], self.engine.world.hosts[name]

    def ask(
        self, host: str, module: str, *, site: str, check: bool = False, diff: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Call one of our modules on both; the answer of both, which are the same, as is what both hosts then are."""
        now = stamp(self.model.clock.now())
        arguments = {"contract": self.contract, "site": site, "run_id": "run-1", "now": now, **options}
        if module in ("migrate", "upgrade") or options.get("step") == "trial":
            arguments.setdefault("lease_script", LEASE_SCRIPT.read_text(encoding="utf-8"))
        if module == "fix" and options["step"] == "fix":
            arguments.setdefault("fix_script", FIX_SCRIPT.read_text(encoding="utf-8"))
        name = f"interactor_{module}"
        modelled, real = self.hosts(host)
        call = ModuleCall(f"helsevest.interactor.{name}", arguments, check, diff)
        model = json.loads(self._runner.run(modelled.run(call)).stdout)
        assert real.engine is not None
        answer = self._runner.run(real.engine.execute(*wire.module(name, arguments, check=check, diff=diff)))
        assert answer.stderr == b"", answer.stderr.decode()
        engine = json.loads(answer.stdout)
        for told in ("invocation", "exception"):
            engine.pop(told, None)
        for told in (model, engine):
            # How long it worked is of this machine.
            (told.get("facts") or {}).pop("seconds", None)
        if module == "verify":
            model, engine = comparable(model), comparable(engine)
        assert answer.code == (1 if model.get("failed") else 0), engine
        what = f"{module} {options.get('step', '')} on {host}{', check mode' if check else ''}, at {now}"
        assert engine == model, f"{what}: the answers differ\nmodel:  {_text(model)}\nengine: {_text(engine)}"
        differ = differences(_state(modelled), _state(real))
        assert not differ, f"{what}: the hosts differ afterwards (model, engine)\n{_text(_named(differ))}"
        return engine

    def everyway(self, host: str, module: str, **options: Any) -> dict[str, Any]:
        """In check mode with a diff, for real, and for real once more with a diff; what the first real one answers.

        Without `again` not once more.
        """
        self.ask(host, module, check=True, diff=True, **options)
        answer = self.ask(host, module, **options)
        if self.again:
            self.ask(host, module, diff=True, **options)
        return answer


def _state(host: SimulatedHost) -> dict[str, Any]:
    """The host's snapshot; JSON files by what they say, for blanks and line ends are each engine's own."""
    state = host.snapshot()
    for path, content, _written in host.drive.files():
        if path.endswith((".json", ".json.new")):
            state["files"][path] = json.loads(content.decode("utf-8-sig"))
    return state


def _named(differ: dict[tuple[str, ...], tuple[Any, Any]]) -> dict[str, Any]:
    return {" / ".join(path): list(told) for path, told in differ.items()}


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
