"""The stock modules that are modelled, as their documentation says and as they answer in the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.calls import ModuleCall, Unknown
from simulator.models.common import Refused

_OF_DOTNET: dict[type[Any], str] = {list: "System.Object[]", dict: "System.Collections.Hashtable"}
"""What Ansible.Basic makes a text of that is none."""


def win_ping(call: ModuleCall) -> dict[str, Any]:
    """`data` comes back as `ping`; with `crash`, in any case, it crashes."""
    unknown = sorted(set(call.arguments) - {"data"})
    if unknown:
        told = f"Unsupported parameters for (win_ping) module: {', '.join(unknown)}"
        raise Refused(f"{told}. Supported parameters include: data")
    data = call.arguments.get("data", "pong")
    if isinstance(data, float):
        raise Unknown("ansible.windows.win_ping with a number that each culture writes in its own way")
    text = None if data is None else _OF_DOTNET.get(type(data), str(data))
    if text is not None and text.casefold() == "crash":
        return {"failed": True, "msg": "Unhandled exception while executing module: boom", "exception": "boom"}
    return {"changed": False, "ping": text}


MODELS: dict[str, Callable[[ModuleCall], dict[str, Any]]] = {"ansible.windows.win_ping": win_ping}
