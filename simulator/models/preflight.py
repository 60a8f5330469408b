"""interactor_preflight: the probe. It collects, it judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from simulator.calls import FetchError
from simulator.clock import stamp
from simulator.models.common import Options, Refused, Work
from simulator.models.proxy_scripts import VALUES, Scripts, machine_setting, named_scripts, settings
from simulator.scenario import RESTART_SIGNS, Machine, Proxy
from simulator.windows import hidden, hidden_hex, winhttp_settings

OPTIONS: Options = {"role": (("server", "client"), True)}


async def answer(work: Work) -> None:
    """All facts of one host (docs/contracts.md, Facts)."""
    server = work.arguments["role"] == "server"
    urls = _end_points(work)
    checks = ("P1", "P2") if server else ("P1",)
    machine = work.host.machine
    # A contract that lacks something is the fault of no part.
    speed, clock = await _speed(work), _clock(work)
    found: dict[str, Any] = {
        "host": _host(work),
        "clock": clock,
        "interactor": _interactor(work) if server else None,
        "dns": _dns(work, urls),
        "tls": _tls(work, urls),
        "pages": [await work.page_by(check, "direct", None, "") for check in checks],
        "speed": speed,
        "proxy": _proxy(work),
        "power": _power(work),
    }
    ran = [*(part for part in (*found, "scripts") if part != "interactor" or server)]
    if "proxy" in machine.overdue:
        ran.remove("scripts")
    overdue = sorted(part for part in ran if part in machine.overdue)
    scripts = Scripts(work, checks)
    await scripts.ask(*named_scripts(machine))
    for part in overdue:
        if part != "scripts":
            found[part] = None
    if "scripts" in ran and "scripts" not in overdue:
        found["proxy"] |= {"detected": scripts.detected, "scripts": scripts.told}
        found["pages"] = [*(found["pages"] or ()), *scripts.pages]
    work.result["facts"] = {"probe": 3, **found, "overdue": overdue, "seconds": 0.0}
    work.result["ledger"] = found["interactor"]["ledger"] if found["interactor"] else None


def _end_points(work: Work) -> list[str]:
    pages = ("pages.P1.url", "pages.P2.url")
    return [work.contract(path) for path in (*pages, "cloud.api", "speed.url", "installer.url", "proxy.script")]


def _clock(work: Work) -> dict[str, Any]:
    found: dict[str, Any] = {"server": work.contract("clock.server"), "offset_seconds": None, "error": None}
    try:
        return {**found, "offset_seconds": work.host.surroundings.clock_offset()}
    except FetchError as error:
        return {**found, "error": str(error)}


def _dns(work: Work, urls: list[str]) -> list[dict[str, Any]]:
    found = []
    for name in sorted({_name(url) for url in urls}):
        told: dict[str, Any] = {"name": name, "addresses": [], "error": None}
        try:
            told["addresses"] = work.host.surroundings.addresses(name)
        except FetchError as error:
            told["error"] = str(error)
        found.append(told)
    return found


def _tls(work: Work, urls: list[str]) -> dict[str, Any]:
    found = []
    for name in dict.fromkeys(_name(url) for url in urls if url.startswith("https:")):
        told: dict[str, Any] = {"name": name, "protocol": None, "trusted": None, "issuer": None, "error": None}
        try:
            told |= work.host.surroundings.handshake(name)
        except FetchError as error:
            told["error"] = str(error)
        found.append(told)
    return {"enabled": work.host.machine.tls_allowed, "endpoints": found}


def _name(url: str) -> str:
    return urlsplit(url).hostname or ""


def _host(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    return {
        "name": work.host.computer_name,
        "os": machine.os,
        "build": machine.build,
        "memory_mb": machine.memory_mb,
        "free_gb": round(machine.free_gb, 1),
        "uptime_hours": round(work.host.uptime_hours, 1),
        "time_zone": machine.time_zone,
        "utc": stamp(work.host.utc),
        "addresses": list(machine.addresses),
    }


def _interactor(work: Work) -> dict[str, Any]:
    found: dict[str, Any] = {
        "service": _found(work.service),
        "version": _found(work.version),
        "mode": _found(work.mode),
        "ledger": None,
        "ledger_error": None,
    }
    try:
        found["ledger"] = work.read_ledger()
    except Refused as refusal:
        found["ledger_error"] = str(refusal)
    return found


def _found(look: Callable[[], Any]) -> Any:  # noqa: ANN401
    """What was found; None where it could not be found out."""
    try:
        return look()
    except Refused:
        return None


async def _speed(work: Work) -> dict[str, Any]:
    """Read at most so many bytes so often, all in at most so many seconds, at the speed of the host's line."""
    url, most, left, times = (work.contract(f"speed.{part}") for part in ("url", "bytes", "seconds", "samples"))
    found: dict[str, Any] = {"url": url, "samples": [], "error": None}
    rate = work.host.machine.link_mbit * 1e6 / 8
    while len(found["samples"]) < times and left > 0:
        try:
            page = await work.host.get(url)
        except FetchError as error:
            return {**found, "error": str(error)}
        if page.status != 200:
            return {**found, "error": f"it answers {page.status}"}
        size = min(len(page.body), most, int(rate * left))
        found["samples"].append({"bytes": size, "seconds": round(size / rate, 3)})
        left -= found["samples"][-1]["seconds"]
    return found


def _proxy(work: Work) -> dict[str, Any]:
    """The part `proxy`."""
    machine = work.host.machine
    policies = [_profile(number, proxy) for number, proxy in enumerate(machine.proxies, 1)]
    told = machine_setting(machine)
    environment = {name: machine.environment.get(name) for name in ("http_proxy", "https_proxy", "no_proxy")}
    return {
        "profiles": [_hidden(profile) for profile in policies],
        "per_machine": machine.proxy_per_machine,
        "machine": _hidden(told),
        "winhttp": _winhttp(machine),
        "environment": _hidden(environment),
        "detected": None,
        "scripts": None,
    }


def _winhttp(machine: Machine) -> str:
    if machine.winhttp_proxy == "":
        return ""
    return hidden_hex(winhttp_settings(machine.winhttp_proxy, machine.winhttp_script))


def _profile(number: int, proxy: Proxy) -> dict[str, Any]:
    told: dict[str, Any] = {"profile": number, "kind": proxy.kind, "loaded": proxy.loaded}
    connections = proxy.connections or proxy
    told |= settings(proxy, connections, proxy.saved or connections)
    told |= {"policy": proxy.policy, "error": None}
    if not proxy.loaded and proxy.hive != "ok":
        told |= dict.fromkeys((*VALUES, "connections", "saved", "policy"))
        missing = "there is no NTUSER.DAT"
        told["error"] = (
            missing if proxy.hive == "missing" else "the copy of its NTUSER.DAT could not be loaded (code 1)"
        )
    return told


def _hidden(told: dict[str, Any]) -> dict[str, Any]:
    return {name: hidden(value) if isinstance(value, str) else value for name, value in told.items()}


def _power(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    hours = machine.active_hours
    return {
        "plan": machine.power_plan,
        "sleep_minutes": machine.sleep_minutes,
        "hibernate_minutes": machine.hibernate_minutes,
        "pending_restart": [sign for sign in RESTART_SIGNS if sign in machine.pending_restart],
        "scheduled_restarts": sorted({stamp(moment) for moment in machine.scheduled_restarts}),
        "active_hours": {"start": hours[0], "end": hours[1]} if hours else None,
    }
