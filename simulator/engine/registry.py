r"""The registry of a simulated host: what its scenario says of it, and what scripts have written into it.

A key is told by its full name, `HKEY_LOCAL_MACHINE\SOFTWARE\EPJ`; names are the same whatever their case.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.scenario import Machine, Proxy
from simulator.windows import connection_settings

MACHINE = "HKEY_LOCAL_MACHINE"
USERS = "HKEY_USERS"
HIVES = (MACHINE, USERS, "HKEY_CURRENT_USER")
_SHORT = {"HKLM": MACHINE, "HKCU": "HKEY_CURRENT_USER", "HKU": USERS}
_CURRENT = rf"{MACHINE}\SOFTWARE\Microsoft\Windows\CurrentVersion"
_INTERNET = r"Microsoft\Windows\CurrentVersion\Internet Settings"
_FIRST_PERSON = 1001
CONNECTIONS = ("DefaultConnectionSettings", "SavedLegacySettings")
"""The two places where Windows keeps the same."""
_OF_PROXY = {
    "proxy_enable": "ProxyEnable",
    "proxy_server": "ProxyServer",
    "proxy_override": "ProxyOverride",
    "auto_config_url": "AutoConfigURL",
}
_RESTART_SIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "windows_update": (rf"{_CURRENT}\WindowsUpdate\Auto Update\RebootRequired", {}),
    "component_servicing": (rf"{_CURRENT}\Component Based Servicing\RebootPending", {}),
    "file_rename": (
        rf"{MACHINE}\SYSTEM\CurrentControlSet\Control\Session Manager",
        {"PendingFileRenameOperations": [r"\??\C:\Windows\Temp\old.dll", ""]},
    ),
}
_ALWAYS = (USERS, "HKEY_CURRENT_USER", _CURRENT, rf"{MACHINE}\SYSTEM\CurrentControlSet\Control\Session Manager")


def profile_key(number: int) -> str:
    """Where the Internet Options of a person lie, who are numbered as accounts are."""
    return rf"{USERS}\S-1-5-21-1-2-3-{number}\Software\{_INTERNET}"


def _value(kind: str, data: object) -> dict[str, Any]:
    return {"kind": kind, "data": data}


def _typed(value: object) -> dict[str, Any]:
    match value:
        case bytes():
            return _value("binary", value.hex())
        case int():
            return _value("dword", value)
        case list():
            return _value("multi", value)
        case _:
            return _value("string", str(value))


class Registry:
    """Keys with their values; `plain` is what the host's model keeps of it, by short names. Writes go there as well."""

    def __init__(self, machine: Machine, plain: dict[str, dict[str, Any]]) -> None:
        self._plain = plain
        self._keys: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {}
        for key in _ALWAYS:
            self._make(key)
        for key, values in _of_machine(machine):
            self._fill(key, values)

    def look(self, key: str) -> dict[str, Any] | None:
        """Values (by name: kind, data) and names of the keys below; None where there is no such key."""
        self._read_plain()
        found, start = self._keys.get(key.casefold()), key.casefold() + "\\"
        if found is None:
            return None
        below = {
            spelled[len(start) :]
            for folded, (spelled, _values) in self._keys.items()
            if folded.startswith(start) and "\\" not in folded[len(start) :]
        }
        return {"values": found[1], "keys": sorted(below)}

    def make(self, key: str) -> None:
        """Make a key and those above it."""
        self._make(key)
        self._write_plain(key)

    def set(self, key: str, name: str, value: dict[str, Any]) -> None:
        """Give a value of a key that is there another kind and content."""
        values = self._keys[key.casefold()][1]
        spelled = next((each for each in values if each.casefold() == name.casefold()), name)
        values[spelled] = value
        self._write_plain(key)

    def unset(self, key: str, name: str) -> None:
        """Remove a value."""
        values = self._keys[key.casefold()][1]
        for spelled in [each for each in values if each.casefold() == name.casefold()]:
            del values[spelled]
        self._write_plain(key)

    def remove(self, key: str) -> None:
        """Remove a key and all below it."""
        folded = key.casefold()
        for each in [name for name in self._keys if name == folded or name.startswith(folded + "\\")]:
            self._plain.pop(_short(self._keys[each][0]), None)
            del self._keys[each]

    def proxies(self, before: tuple[Proxy, ...]) -> tuple[Proxy, ...]:
        """The profiles as they are written here now, of which `before` were there when the clock started."""
        return tuple(self._proxy(number, proxy) for number, proxy in enumerate(before, _FIRST_PERSON))

    def _proxy(self, number: int, before: Proxy) -> Proxy:
        key = profile_key(number)
        values = (self.look(key) or {"values": {}})["values"]
        told = {field: values[name]["data"] if name in values else None for field, name in _OF_PROXY.items()}
        settings = (self.look(rf"{key}\Connections") or {"values": {}})["values"]
        if CONNECTIONS[0] not in settings:
            return before
        raw = bytes.fromhex(settings[CONNECTIONS[0]]["data"])
        return before.written(int.from_bytes(raw[4:8], "little"), **{**told, "proxy_enable": told["proxy_enable"] or 0})

    def _make(self, key: str) -> None:
        parts = key.split("\\")
        for count in range(1, len(parts) + 1):
            spelled = "\\".join(parts[:count])
            self._keys.setdefault(spelled.casefold(), (spelled, {}))

    def _fill(self, key: str, values: dict[str, Any]) -> None:
        self._make(key)
        self._keys[key.casefold()][1].update({name: _typed(value) for name, value in values.items()})

    def _read_plain(self) -> None:
        for name, values in self._plain.items():
            self._make(_full(name))
            known = self._keys[_full(name).casefold()][1]
            for value, data in values.items():
                # What was written here has its kind already.
                if value not in known or known[value]["data"] != data:
                    known[value] = _typed(data)

    def _write_plain(self, key: str) -> None:
        spelled, values = self._keys[key.casefold()]
        self._plain[_short(spelled)] = {name: value["data"] for name, value in values.items()}


def _full(name: str) -> str:
    first, slash, rest = name.partition("\\")
    return _SHORT.get(first.upper(), first) + slash + rest


def _short(key: str) -> str:
    first, slash, rest = key.partition("\\")
    return next((short for short, full in _SHORT.items() if full == first), first) + slash + rest


def _of_machine(machine: Machine) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the scenario says of a machine, where Windows has it."""
    for sign in machine.pending_restart:
        yield _RESTART_SIGNS[sign]
    for number, proxy in enumerate(machine.proxies, _FIRST_PERSON):
        key = profile_key(number)
        values = {name: getattr(proxy, field) for field, name in _OF_PROXY.items()}
        yield key, {name: value for name, value in values.items() if value is not None}
        yield rf"{key}\Connections", dict.fromkeys(CONNECTIONS, connection_settings(proxy))
    if machine.proxy_per_machine:
        yield rf"{MACHINE}\SOFTWARE\Policies\{_INTERNET}", {"ProxySettingsPerUser": 0}
