r"""The registry of a simulated host: what its scenario says of it, and what scripts have written into it.

A key is told by its full name, `HKEY_LOCAL_MACHINE\SOFTWARE\EPJ`; names are the same whatever their case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from simulator.scenario import Machine, Proxy, Settings
from simulator.windows import connection_settings, read_connection_settings, winhttp_settings

MACHINE = "HKEY_LOCAL_MACHINE"
USERS = "HKEY_USERS"
HIVES = (MACHINE, USERS, "HKEY_CURRENT_USER")
_SHORT = {"HKLM": MACHINE, "HKCU": "HKEY_CURRENT_USER", "HKU": USERS}
_CURRENT = rf"{MACHINE}\SOFTWARE\Microsoft\Windows\CurrentVersion"
_INTERNET = r"Microsoft\Windows\CurrentVersion\Internet Settings"
_FIRST_PERSON = 1001
CONNECTIONS = ("DefaultConnectionSettings", "SavedLegacySettings")
"""The two places where Windows keeps the same."""
_OF_SETTINGS = {
    "proxy_enable": "ProxyEnable",
    "proxy_server": "ProxyServer",
    "proxy_override": "ProxyOverride",
    "auto_config_url": "AutoConfigURL",
}
_CONTROL = rf"{MACHINE}\SYSTEM\CurrentControlSet\Control"
_NETLOGON = rf"{MACHINE}\SYSTEM\CurrentControlSet\Services\Netlogon"
_SOFTWARE = rf"{MACHINE}\SOFTWARE\Microsoft"
PROFILES = rf"{_SOFTWARE}\Windows NT\CurrentVersion\ProfileList"
_TEMPORARY = 0x800
SIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "windows_update": (rf"{_CURRENT}\WindowsUpdate\Auto Update\RebootRequired", {}),
    "update_report": (rf"{_CURRENT}\WindowsUpdate\Auto Update\PostRebootReporting", {}),
    "update_services": (rf"{_CURRENT}\WindowsUpdate\Services\Pending\one", {}),
    "component_servicing": (rf"{_CURRENT}\Component Based Servicing\RebootPending", {}),
    "component_in_progress": (rf"{_CURRENT}\Component Based Servicing\RebootInProgress", {}),
    "component_packages": (rf"{_CURRENT}\Component Based Servicing\PackagesPending", {}),
    "server_manager": (rf"{_SOFTWARE}\ServerManager\CurrentRebootAttempts", {}),
    "configuration_manager": (rf"{_SOFTWARE}\SMS\Mobile Client\Reboot Management\RebootData", {}),
    "file_rename": (
        rf"{_CONTROL}\Session Manager",
        {"PendingFileRenameOperations": [r"\??\C:\Windows\Temp\old.dll", ""]},
    ),
    "domain_join": (_NETLOGON, {"AvoidSpnSet": 1}),
    "update_program": (rf"{_SOFTWARE}\Updates", {"UpdateExeVolatile": 2}),
    "run_once": (rf"{_CURRENT}\RunOnce", {"DVDRebootSignal": "x"}),
    "computer_rename": (rf"{_CONTROL}\ComputerName\ComputerName", {"ComputerName": "NYTT-NAVN"}),
}
_ALWAYS = (USERS, "HKEY_CURRENT_USER", _CURRENT, rf"{MACHINE}\SYSTEM\CurrentControlSet\Control\Session Manager")


def profile_key(number: int) -> str:
    """Where the Internet Options of a person lie who is signed in; the first is number 1."""
    return rf"{USERS}\{_sid(number - 1)}\Software\{_INTERNET}"


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
        self._machine = machine
        self._keys: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {}
        for key in _ALWAYS:
            self._make(key)
        self._fill(rf"{_CONTROL}\ComputerName\ActiveComputerName", {"ComputerName": "NAVN"})
        for key, values in _of_machine(machine, _sid):
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

    def all_of_it(self) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
        """All keys as they are spelled, with their values."""
        yield from self._keys.values()

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

    def load(self, key: str, content: bytes) -> bool:
        """Load a hive below a name; whether it is one. Where it is loaded is no place where anything is kept."""
        number = content.decode(errors="replace").removeprefix("hive ")
        if not number.isdigit() or not 0 < int(number) <= len(self._machine.proxies):
            return False
        self._make(key)
        for below, values in _of_person(self._machine.proxies[int(number) - 1], key):
            self._fill(below, values)
        return True

    def proxies(self, before: tuple[Proxy, ...]) -> tuple[Proxy, ...]:
        """The profiles as they are written here now, of which `before` were there when the clock started."""
        return tuple(self._proxy(profile_key(number), proxy) for number, proxy in enumerate(before, 1))

    def _proxy(self, key: str, before: Proxy) -> Proxy:
        """One profile; what a policy says is nobody's to write, and a hive that is not loaded cannot be written."""
        if before.policy or not before.loaded:
            return before
        values = (self.look(key) or {"values": {}})["values"]
        told = {field: values[name]["data"] if name in values else None for field, name in _OF_SETTINGS.items()}
        binaries = (self.look(rf"{key}\Connections") or {"values": {}})["values"]
        if not all(name in binaries for name in CONNECTIONS):
            return before
        connections, saved = (read_connection_settings(bytes.fromhex(binaries[name]["data"])) for name in CONNECTIONS)
        own = {**told, "proxy_enable": told["proxy_enable"] or 0, "connections": None, "saved": None}
        found = before.written(connections.counter, **own)
        raw = [connection_settings(each) for each in (found, connections, saved)]
        # Only what does not say the same is told beside it.
        beside = {
            "connections": None if raw[1] == raw[0] else connections,
            "saved": None if raw[2] == raw[1] else saved,
        }
        return found.model_copy(update=beside)

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


def of_machine(machine: Machine, sid: Callable[[int], str]) -> dict[str, dict[str, dict[str, Any]]]:
    """What a scenario says of a machine: values (kind, data) by key and name; `sid` gives the account of a person."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key, values in _of_machine(machine, sid):
        found.setdefault(key, {}).update({name: _typed(value) for name, value in values.items()})
    return found


def _sid(number: int) -> str:
    return f"S-1-5-21-1-2-3-{_FIRST_PERSON + number}"


def _of_machine(machine: Machine, sid: Callable[[int], str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What the scenario says of a machine, where Windows has it."""
    for sign in machine.pending_restart:
        yield SIGNS[sign]
    for number, proxy in enumerate(machine.proxies, 1):
        account = sid(number - 1)
        told: dict[str, Any] = {"ProfileImagePath": rf"C:\Users\user{number}"}
        told["State"] = _TEMPORARY if proxy.kind == "temporary" else 0
        if proxy.kind == "roaming":
            told["CentralProfile"] = rf"\\srv\profil$\user{number}"
        yield rf"{PROFILES}\{account}{'.bak' if proxy.kind == 'backup' else ''}", told
        if proxy.loaded:
            yield from _of_person(proxy, rf"{USERS}\{account}")
    if machine.proxy_per_machine:
        yield rf"{MACHINE}\SOFTWARE\Policies\{_INTERNET}", {"ProxySettingsPerUser": 0}
    if machine.machine_policy:
        yield rf"{MACHINE}\SOFTWARE\Policies\{_INTERNET}", _values(machine.machine_policy)
    internet = rf"{MACHINE}\SOFTWARE\{_INTERNET}"
    if machine.machine_proxy:
        yield from _of_settings(machine.machine_proxy, internet, machine.machine_proxy, machine.machine_proxy)
    if machine.winhttp_proxy != "":
        yield (
            rf"{internet}\Connections",
            {"WinHttpSettings": winhttp_settings(machine.winhttp_proxy, machine.winhttp_script)},
        )
    yield rf"{_CONTROL}\Session Manager\Environment", {str(name): text for name, text in machine.environment.items()}
    if machine.active_hours:
        start, end = machine.active_hours
        yield rf"{_SOFTWARE}\WindowsUpdate\UX\Settings", {"ActiveHoursStart": start, "ActiveHoursEnd": end}
    if not machine.tls_allowed:
        yield rf"{_CONTROL}\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client", {"Enabled": 0}


def _of_person(proxy: Proxy, hive: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a person's hive says; of a policy its values stand beside what Windows has made of them."""
    key = rf"{hive}\Software\{_INTERNET}"
    connections = proxy.connections or proxy
    yield from _of_settings(proxy, key, connections, proxy.saved or connections)
    if proxy.policy:
        yield rf"{hive}\Software\Policies\{_INTERNET}", _values(proxy)
        yield key, dict.fromkeys(_values(proxy), "")


def _of_settings(
    settings: Settings, key: str, connections: Settings, saved: Settings
) -> Iterator[tuple[str, dict[str, Any]]]:
    yield key, _values(settings)
    binaries = dict(zip(CONNECTIONS, (connections, saved), strict=True))
    yield rf"{key}\Connections", {name: connection_settings(each) for name, each in binaries.items()}


def _values(settings: Settings) -> dict[str, Any]:
    values = {name: getattr(settings, field) for field, name in _OF_SETTINGS.items()}
    return {name: value for name, value in values.items() if value is not None}
