"""interactor_preflight: the probe. It collects, it judges nothing."""

from __future__ import annotations

from typing import Any

from simulator.calls import FetchError
from simulator.clock import stamp
from simulator.models.common import Kind, Refused, Work
from simulator.windows import connection_settings

OPTIONS: dict[str, tuple[Kind, bool]] = {"role": (("server", "client"), True)}


async def answer(work: Work) -> dict[str, Any]:
    """All facts of one host (docs/contracts.md, Facts)."""
    server = work.arguments["role"] == "server"
    interactor = _interactor(work) if server else None
    facts = {
        "probe": 1,
        "host": _host(work),
        "interactor": interactor,
        "pages": await work.pages(server=server),
        "speed": await _speed(work),
        "proxy": _proxy(work),
        "power": _power(work),
    }
    return {"changed": False, "ledger": interactor["ledger"] if interactor else None, "facts": facts}


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
    }


def _interactor(work: Work) -> dict[str, Any]:
    ledger, ledger_error = None, None
    try:
        ledger = work.read_ledger()
    except Refused as refusal:
        ledger_error = str(refusal)
    return {
        "service": work.service(),
        "version": work.version(),
        "mode": work.mode(),
        "ledger": ledger,
        "ledger_error": ledger_error,
    }


async def _speed(work: Work) -> dict[str, Any]:
    url = work.contract("speed.url")
    try:
        size = len(await work.host.download(url))
    except FetchError as error:
        return {"url": url, "bytes": 0, "seconds": None, "error": str(error)}
    return {
        "url": url,
        "bytes": size,
        "seconds": round(size * 8 / (work.host.machine.link_mbit * 1e6), 3),
        "error": None,
    }


def _proxy(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    profiles = [
        {"profile": number, **proxy.model_dump(), "connections": connection_settings(proxy).hex()}
        for number, proxy in enumerate(machine.proxies, 1)
    ]
    return {"profiles": profiles, "per_machine": machine.proxy_per_machine}


def _power(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    return {
        "sleep_minutes": machine.sleep_minutes,
        "hibernate_minutes": machine.hibernate_minutes,
        "pending_restart": list(machine.pending_restart),
        "scheduled_restarts": [stamp(moment) for moment in machine.scheduled_restarts],
    }
