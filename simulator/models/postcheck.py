"""interactor_postcheck: how the server stands after a move; it reads only."""

from __future__ import annotations

from typing import Any

from simulator.models.common import Work


async def answer(work: Work) -> dict[str, Any]:
    """Service, version, mode, end point, pages, hashes of what must be untouched, maintenance flag."""
    ledger = work.read_ledger()
    config = work.config() or {}
    facts = {
        "service": work.service(),
        "version": work.version(),
        "mode": work.mode(),
        "endpoint": config.get(work.contract("config.endpoint_key")),
        "pages": await work.pages(server=True),
        "untouched": work.untouched(),
        "maintenance": work.host.drive.is_file(work.contract("paths.maintenance_flag")),
    }
    return {"changed": False, "ledger": ledger, "facts": facts}
