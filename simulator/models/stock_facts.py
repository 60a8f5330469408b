r"""Stock modules that only look: what `make bench-quick` compares our one probe with (tests/stock_facts.yml).

They answer as their documentation says, of the same state as everything else here: options that are not documented are
refused, and so is what the documentation leaves open.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from simulator.calls import FetchError, ModuleCall, Unknown
from simulator.clock import stamp
from simulator.engine.registry import Registry
from simulator.models.common import Kind, Options, Refused, arguments_of

if TYPE_CHECKING:
    from simulator.host import SimulatedHost

Look = Callable[["SimulatedHost", Mapping[str, Any]], Awaitable[dict[str, Any]]]
_ROOTS = {"HKLM:": "HKEY_LOCAL_MACHINE", "HKU:": "HKEY_USERS", "HKCU:": "HKEY_CURRENT_USER"}
_TYPES = {"dword": "REG_DWORD", "string": "REG_SZ", "multi": "REG_MULTI_SZ", "binary": "REG_BINARY"}
_SCHEMES = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Power\User\PowerSchemes"
_BALANCED = "381b4222-f694-41f0-9685-ff5bb260df2e"
_IDLE = rf"{_SCHEMES}\{_BALANCED}\238c9fa8-0aad-41ed-83f4-97be242c8f20"
_SETTINGS = {
    "29f6c1db-86da-48c5-9fdb-f2b67b1f44da": "sleep_minutes",
    "9d7815a6-7ee4-497e-8888-515a05f02364": "hibernate_minutes",
}
_OSLO = ZoneInfo("Europe/Oslo")
_SUBSETS = ("all_ipv4_addresses", "date_time", "distribution", "memory", "platform", "uptime")


async def _setup(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    wanted = set(arguments["gather_subset"] or ["all"])
    unknown = sorted(wanted - {*_SUBSETS, "all", "!all", "!min"})
    if unknown:
        raise Unknown(f"setup with the facts {', '.join(unknown)}")
    machine = host.machine
    told: dict[str, dict[str, Any]] = {
        "all_ipv4_addresses": {"ansible_ip_addresses": list(machine.addresses)},
        "date_time": {"ansible_date_time": {"iso8601": stamp(host.utc), "tz": machine.time_zone}},
        "distribution": {
            "ansible_distribution": machine.os,
            "ansible_distribution_version": f"10.0.{machine.build}.0",
            "ansible_os_family": "Windows",
        },
        "memory": {"ansible_memtotal_mb": machine.memory_mb},
        "platform": {
            "ansible_hostname": host.computer_name,
            "ansible_reboot_pending": bool(machine.pending_restart),
        },
        "uptime": {"ansible_uptime_seconds": int(host.uptime_hours * 3600)},
    }
    parts = [part for name, part in told.items() if "all" in wanted or name in wanted]
    return {"ansible_facts": {name: value for part in parts for name, value in part.items()}}


async def _disks(host: SimulatedHost, _: Mapping[str, Any]) -> dict[str, Any]:
    volume = {"drive_letter": "C", "type": "NTFS", "size_remaining": round(host.machine.free_gb * 2**30)}
    volume_of = {"number": 0, "partitions": [{"number": 1, "drive_letter": "C", "volumes": [volume]}]}
    return {"ansible_facts": {"ansible_disks": [volume_of]}}


async def _services(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    name = arguments["name"]
    if name is None or "*" in name:
        raise Unknown("win_service_info of more than one service")
    word = host.service_word(name)
    if word == "missing":
        return {"exists": False, "services": []}
    service = host.services[name]
    told = {"name": name, "state": {"running": "started"}.get(word, word), "start_mode": service.start_mode.lower()}
    return {"exists": True, "services": [{**told, "path": service.program, "username": service.account}]}


async def _key(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    root, _slash, rest = arguments["path"].rstrip("\\").partition("\\")
    if root.upper() not in _ROOTS:
        raise Refused(f"path: {arguments['path']} is not a valid registry path")
    key = _ROOTS[root.upper()] + (f"\\{rest}" if rest else "")
    found = Registry(host.machine, host.registry).look(key) or _power(host, key)
    if found is None:
        return {"exists": False}
    properties = {name: _property(value) for name, value in found["values"].items()}
    name = arguments["name"]
    if name is None:
        return {"exists": True, "properties": properties, "sub_keys": found["keys"]}
    return {"exists": True, **properties[name]} if name in properties else {"exists": False}


def _property(value: Mapping[str, Any]) -> dict[str, Any]:
    data = value["data"]
    if value["kind"] == "binary":
        octets = bytes.fromhex(data)
        return {"type": "REG_BINARY", "value": list(octets), "raw_value": [f"0x{octet:02X}" for octet in octets]}
    return {"type": _TYPES[value["kind"]], "value": data, "raw_value": data}


def _power(host: SimulatedHost, key: str) -> dict[str, Any] | None:
    """The power plan in use, where Windows keeps it."""
    if key == _SCHEMES:
        return {"values": {"ActivePowerScheme": {"kind": "string", "data": _BALANCED}}, "keys": [_BALANCED]}
    minutes = host.power.get(_SETTINGS.get(key.removeprefix(f"{_IDLE}\\"), ""))
    return (
        None if minutes is None else {"values": {"ACSettingIndex": {"kind": "dword", "data": minutes * 60}}, "keys": []}
    )


async def _uri(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    url, wanted = arguments["url"], [int(code) for code in arguments["status_code"] or [200]]
    if re.match(r"http://(127\.0\.0\.1|localhost)\b", url):
        body = host.local_get(url)
        if body is None:
            raise Refused(f"Failed to connect to {url}")
        status = 200
    else:
        try:
            page = await (host.get(url) if arguments["use_proxy"] is not False else host.surroundings.page(url, ""))
        except FetchError as error:
            raise Refused(str(error)) from error
        status, body = page.status, page.body
    result = {"url": url, "elapsed": 0.1, "status_code": status, "content_length": len(body)}
    if arguments["return_content"]:
        result["content"] = body.decode("utf-8", "replace")
    if status not in wanted:
        raise Refused(f"Status code of request '{status}' is not in list of valid status codes {wanted}")
    return result


async def _slurp(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    path = arguments["src"]
    if not host.drive.is_file(path):
        raise Refused(f"Path {path} is not found")
    return {"content": base64.b64encode(host.drive.read(path)).decode(), "encoding": "base64", "source": path}


async def _tasks(host: SimulatedHost, arguments: Mapping[str, Any]) -> dict[str, Any]:
    path = arguments["path"] or "\\"
    folders: dict[str, dict[str, datetime | None]] = {
        "\\": {name: restart.at for name, restart in host.restarts.items()},
        "\\Microsoft\\Windows\\UpdateOrchestrator": {"Schedule Scan": None},
    }
    if path not in folders:
        return {"folder_exists": False}
    tasks = folders[path]
    found = {"folder_exists": True, "folder_task_count": len(tasks), "folder_task_names": [*tasks]}
    name = arguments["name"]
    if name is None:
        return found
    if name not in tasks:
        return {**found, "task_exists": False}
    at = tasks[name]
    told = {} if at is None else {"next_run_time": f"{at.astimezone(_OSLO):%Y-%m-%dT%H:%M:%S}"}
    return {**found, "task_exists": True, "state": {"status": "TASK_STATE_READY", **told}}


_TEXT: tuple[Kind, bool] = (str, False)
_LOOKS: dict[str, tuple[Look, Options]] = {
    "ansible.windows.setup": (_setup, {"gather_subset": (list, False), "gather_timeout": (int, False)}),
    "community.windows.win_disk_facts": (_disks, {"filter": (list, False)}),
    "ansible.windows.win_service_info": (_services, {"name": _TEXT}),
    "ansible.windows.win_reg_stat": (_key, {"path": (str, True), "name": _TEXT}),
    "ansible.windows.win_uri": (
        _uri,
        {
            "url": (str, True),
            "return_content": (bool, False),
            "status_code": (list, False),
            "url_timeout": (int, False),
            "use_proxy": (bool, False),
        },
    ),
    "ansible.windows.slurp": (_slurp, {"src": (str, True)}),
    "community.windows.win_scheduled_task_stat": (_tasks, {"path": _TEXT, "name": _TEXT}),
}
NAMES = frozenset(_LOOKS)
"""The modules that are modelled here."""


async def answer(host: SimulatedHost, call: ModuleCall) -> dict[str, Any]:
    """What the module finds. Raises `Refused` where it fails, `Unknown` for what its model does not know."""
    look, options = _LOOKS[call.name]
    found = await look(host, arguments_of(call.name.rpartition(".")[2], options, call.arguments))
    return {"changed": False, **found}
