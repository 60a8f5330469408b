"""What a Wine machine is told of the net around it: ways, names, clocks and handshakes are the scenario's word."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.calls import FetchError
from simulator.wine.line import Asked

if TYPE_CHECKING:
    from simulator.host import SimulatedHost


def questions(host: SimulatedHost) -> dict[str, Asked]:
    """Who answers which question of the module InteractorMachine; questions and answers are JSON."""
    net = host.surroundings
    return {
        "overdue": _asked(lambda _of: {"parts": list(host.machine.overdue)}),
        "clock": _asked(lambda _of: {"offset": net.clock_offset()}),
        "addresses": _asked(lambda of: {"addresses": net.addresses(of["name"])}),
        "handshake": _asked(lambda of: net.handshake(of["name"])),
        "script": _asked(lambda of: {"proxy": net.script_answer(of["script"], of["url"])}),
        "detected": _asked(lambda _of: {"url": net.detected()}),
        "way": _asked(lambda of: _way(host, of)),
    }


def _way(host: SimulatedHost, of: dict[str, str]) -> dict[str, Any]:
    host.surroundings.way(of["url"], of["proxy"])
    host.surroundings.trust(of["url"])
    return {}


def _asked(look: Callable[[dict[str, str]], dict[str, Any]]) -> Asked:
    async def answer(about: str, _ended: asyncio.Event) -> str:
        try:
            return json.dumps({"error": None, **look(json.loads(about))})
        except FetchError as error:
            return json.dumps({"error": str(error)})

    return answer
