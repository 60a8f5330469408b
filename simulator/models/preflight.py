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
        "probe": 2,
        "host": _host(work),
        "clock": None,
        "interactor": interactor,
        "dns": None,
        "tls": None,
        "pages": [
            {**page, "way": "direct", "script": None, "proxy": None, "trusted": None}
            for page in await work.pages(*(("P1", "P2") if server else ("P1",)))
        ],
        "speed": await _speed(work),
        "proxy": _proxy(work),
        "power": _power(work),
        "overdue": [],
        "seconds": None,
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
        "addresses": None,
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
    machine = work.host.machine
    profiles = [
        {
            "profile": number,
            "kind": "local",
            "loaded": True,
            **proxy.model_dump(),
            "connections": connection_settings(proxy).hex(),
            "saved": None,
            "policy": False,
            "error": None,
        }
        for number, proxy in enumerate(machine.proxies, 1)
    ]
    unknown = dict.fromkeys(("machine", "winhttp", "environment", "scripts"))
    return {"profiles": profiles, "per_machine": machine.proxy_per_machine, **unknown}


def _power(work: Work) -> dict[str, Any]:
    machine = work.host.machine
    return {
        "plan": None,
        "sleep_minutes": machine.sleep_minutes,
        "hibernate_minutes": machine.hibernate_minutes,
        "pending_restart": list(machine.pending_restart),
        "scheduled_restarts": sorted({stamp(moment) for moment in machine.scheduled_restarts}),
        "active_hours": None,
    }
