"""The stock modules that are modelled, from their own documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.calls import ModuleCall, Unknown
from simulator.models.common import arguments_of


def win_ping(call: ModuleCall) -> dict[str, Any]:
    """`data` comes back as `ping`."""
    data = arguments_of("win_ping", {"data": (str, False)}, call.arguments)["data"]
    if data == "crash":
        raise Unknown("ansible.windows.win_ping with data=crash")
    return {"changed": False, "ping": "pong" if data is None else data}


MODELS: dict[str, Callable[[ModuleCall], dict[str, Any]]] = {"ansible.windows.win_ping": win_ping}
