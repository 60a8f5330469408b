"""interactor_postcheck: how the server stands after a move; it reads only."""

from __future__ import annotations

from simulator.models.common import Work


async def answer(work: Work) -> None:
    """Service, version, what the modes set, pages, hashes of what must be untouched, maintenance flag."""
    work.result["ledger"] = work.read_ledger()
    config = work.config()
    endpoint = config.get(work.contract("config.endpoint_key"))
    modes = work.contract("config.modes").values()
    work.result["facts"] = {
        "service": work.service(),
        "version": work.version(),
        "mode": work.mode(),
        "endpoint": endpoint,
        "also": {key: config.get(key) for mode in modes for key in mode.get("also") or {}},
        "pages": await work.pages("P1", "P2"),
        "untouched": work.untouched(),
        "maintenance": work.host.drive.is_file(work.contract("paths.maintenance_flag")),
    }
