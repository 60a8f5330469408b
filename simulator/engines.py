"""Which engine runs the commands of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.calls import Engine
from simulator.scenario import ScenarioError

if TYPE_CHECKING:
    from simulator.host import SimulatedHost


def engine_of(host: SimulatedHost) -> Engine | None:
    """The engine that the scenario wants for a host; None where its model answers.

    Raises ScenarioError for an engine that is not there.
    """
    match host.machine.engine:
        case "model":
            return None
        case other:
            raise ScenarioError(f"{host.name}: engine: is {other!r}; this simulator has no such engine yet")
