"""interactor_preflight: the probe. It collects, it judges nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.calls import FetchError
from simulator.clock import stamp
from simulator.models.common import Options, Refused, Work
from simulator.windows import connection_settings

OPTIONS: Options = {"role": (("server", "client"), True)}


async def answer(work: Work) -> None:
    """All facts of one host (docs/contracts.md, Facts)."""
    server = work.arguments["role"] == "server"
    interactor = _interactor(work) if server else None
    work.result["facts"] = {
        "probe": 1,
        "host": _host(work),
        "interactor": interactor,
        "pages": await work.pages(*(("P1", "P2") if server else ("P1",))),
        "speed": await _speed(work),
        "proxy": _proxy(work),
        "power": _power(work),
    }
    work.result["ledger"] = interactor["ledger"] if interactor else None


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
    """Read at most so many bytes in at most so many seconds, at the speed of the host's line."""
    url, most, limit = (work.contract(f"speed.{part}") for part in ("url", "bytes", "seconds"))
    found = {"url": url, "bytes": 0, "seconds": 0.0, "error": None}
    try:
        page = await work.host.get(url)
    except FetchError as error:
        return {**found, "error": str(error)}
    rate = work.host.machine.link_mbit * 1e6 / 8
    size = min(len(page.body), most, int(rate * limit))
    error_text = None if page.status == 200 else f"it answers {page.status}"
    return {**found, "bytes": size, "seconds": round(size / rate, 3), "error": error_text}


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
        "scheduled_restarts": sorted({stamp(moment) for moment in machine.scheduled_restarts}),
    }
