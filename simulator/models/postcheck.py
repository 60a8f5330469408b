"""interactor_postcheck: how the server stands after a move; it reads only."""

from __future__ import annotations

from simulator.models.common import Work


async def answer(work: Work) -> None:
    """Service, version, mode, end point, pages, hashes of what must be untouched, maintenance flag."""
    work.result["ledger"] = work.read_ledger()
    endpoint = work.config().get(work.contract("config.endpoint_key"))
    work.result["facts"] = {
        "service": work.service(),
        "version": work.version(),
        "mode": work.mode(),
        "endpoint": endpoint,
        "pages": await work.pages("P1", "P2"),
        "untouched": work.untouched(),
        "maintenance": work.host.drive.is_file(work.contract("paths.maintenance_flag")),
    }
