"""The settings of a simulated Windows that a remediation reads and writes, one at a time, each told in the same way."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from simulator.engine.registry import MACHINE, USERS, Registry
from simulator.windows import hidden

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

IDLE = {
    "sleep": "{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}",
    "hibernate": "{9d7815a6-7ee4-497e-8888-515a05f02364}",
}
PLAN = "{381b4222-f694-41f0-9685-ff5bb260df2e}"
_POWER = {IDLE["sleep"]: "sleep_minutes", IDLE["hibernate"]: "hibernate_minutes"}
_PERSON = re.compile(r"S-1-(5-21|12-1)-[0-9-]+(\.bak)?")
_KNOWN = rf"{MACHINE}\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
Setting = Mapping[str, Any]


class Settings:
    """What a host's Windows is set to: registry, power plan and tasks that restart it."""

    def __init__(self, host: SimulatedHost) -> None:
        self._host = host
        self._registry = Registry(host.machine, host.registry)

    def value(self, key: str, name: str) -> Any:  # noqa: ANN401
        """A value of the registry, bytes as hex; None where there is none."""
        found = self._registry.look(key)
        values = found["values"] if found else {}
        return next((told["data"] for each, told in values.items() if each.casefold() == name.casefold()), None)

    def accounts(self) -> dict[str, bool]:
        """Who has a profile here, in order, and whether the person is signed in."""
        told = {key: (self._registry.look(key) or {"keys": []})["keys"] for key in (_KNOWN, USERS)}
        found = {name: key == USERS for key, names in told.items() for name in names if _PERSON.fullmatch(name)}
        return dict(sorted(found.items()))

    def get(self, setting: Setting) -> Any:  # noqa: ANN401
        """What a setting is now; None where it is not there."""
        match setting["kind"]:
            case "idle":
                minutes = self._host.power[_POWER[setting["name"]]]
                return None if minutes is None else minutes * 60
            case "task":
                restart = self._host.restarts.get(setting["name"])
                return None if restart is None else "enabled" if restart.enabled else "disabled"
            case _:
                return self.value(setting["where"], setting["name"])

    def set(self, setting: Setting, value: Any) -> None:  # noqa: ANN401
        """Give a setting another value; None removes it."""
        match setting["kind"]:
            case "idle":
                self._host.set_idle(_POWER[setting["name"]], value)
            case "task":
                self._host.switch_restart(setting["name"], value == "enabled")
            case kind:
                if value is None:
                    self._registry.unset(setting["where"], setting["name"])
                else:
                    typed = "binary" if kind == "connection" else "dword" if isinstance(value, int) else "string"
                    self._registry.set(setting["where"], setting["name"], {"kind": typed, "data": value})
                self._host.set_proxies(self._registry.proxies(self._host.machine.proxies))


def parts(told: str) -> dict[str, Any]:
    """Connection settings in hex: counter, flags and three texts; script_at, rest: where these bytes begin."""
    raw = bytes.fromhex(told)
    counter, flags = struct.unpack_from("<II", raw, 4)
    found: dict[str, Any] = {"counter": counter, "flags": flags}
    at = 12
    for name in ("proxy", "bypass", "script"):
        (length,) = struct.unpack_from("<I", raw, at)
        found[f"{name}_at"] = at
        found[name] = raw[at + 4 : at + 4 + length].decode("latin-1")
        at += 4 + length
    return {**found, "rest": at}


def edited(told: str, flags: int, script: str) -> str:
    """Connection settings with other flags and another script, the counter raised; all else as it was."""
    raw, now = bytes.fromhex(told), parts(told)
    text = script.encode("latin-1")
    head = raw[:4] + struct.pack("<II", (now["counter"] + 1) % 2**32, flags) + raw[12 : now["script_at"]]
    return (head + struct.pack("<I", len(text)) + text + raw[now["rest"] :]).hex()


def same(setting: Setting, one: Any, other: Any) -> bool:  # noqa: ANN401
    """Whether two values are the same for whoever uses them: neither counter nor what follows the texts counts."""
    if setting["kind"] != "connection" or one is None or other is None:
        return bool(one == other)
    first, second = parts(one), parts(other)
    return all(first[name] == second[name] for name in ("flags", "proxy", "bypass", "script"))


def text(setting: Setting, value: Any) -> str:  # noqa: ANN401
    """A value as people are told it."""
    if value is None:
        return "(none)"
    if setting["kind"] == "idle":
        return f"{value} seconds"
    if setting["kind"] == "connection":
        told = parts(value)
        return hidden(f"counter {told['counter']}, flags {told['flags']}, script {told['script']}")
    return hidden(str(value))
