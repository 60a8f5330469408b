"""Model = engine for lists of the vendor's program, sound ones and such as cannot be trusted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from simulator.engines import Engines
from simulator.host import SimulatedHost
from simulator.scenario import Scenario
from tests.engine.lists import BAD_LISTS, GOOD_LISTS
from tests.engine.server import OPENING, Server
from tests.engine.twins import Twins

pytestmark = pytest.mark.pwsh


@pytest.fixture(scope="module")
def lister(engines: Engines, runner: asyncio.Runner) -> Server:
    """A server with the newest version and no attempt yet, for lists of all kinds."""
    site = {"domain": "begge.example", "clients": ["pc1"]}
    both = Server(Twins(Scenario.model_validate({"sites": {"9001": site}}), engines, runner))
    both.upgrade()
    return both


def tell(both: Server, content: bytes) -> None:
    """Let the vendor's program write this list."""
    listed = both.contract["migration"]["list_file"]

    def listing(host: SimulatedHost) -> None:
        def write(_program: str, _arguments: str) -> int:
            host.drive.write(listed, content)
            return 0

        host.run_program = write  # type: ignore[method-assign]

    both.each(listing)


def following(both: Server) -> dict[str, Any]:
    """The attempt that comes next on a server, whatever other tests have opened there."""
    number = len(json.loads(both.hosts[0].drive.read(both.ledger))["attempts"]) + 1
    return {"number": number, "key": f"9001-{number}-4f3a"}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_list_that_cannot_be_trusted_is_refused_with_the_same_words(name: str, lister: Server) -> None:
    tell(lister, BAD_LISTS[name])
    attempt = following(lister)
    refused = lister.take("migrate", "manifest", attempt=attempt, **OPENING)
    assert refused["failed"] is True
    assert following(lister) == attempt, "none was opened"
    for secret in ("01010112345", "2026-05-09", "2027-05-11", "2027-05-09", "bestilling", "2027-02-29"):
        assert secret not in refused["msg"]
    assert not [path for path in lister.hosts[1].snapshot()["files"] if ".ids" in path or "list" in path]


@pytest.mark.parametrize("name", GOOD_LISTS)
def test_a_list_is_counted_and_its_ids_are_kept_alike(name: str, lister: Server) -> None:
    tell(lister, GOOD_LISTS[name])
    attempt = following(lister)
    manifest = lister.twice("migrate", "manifest", attempt=attempt, **OPENING)["manifest"]
    ids = lister.take("migrate", "ids", attempt=attempt, categories=list(manifest))["ids"]
    assert {category: len(found) for category, found in ids.items()} == {
        category: part["count"] for category, part in manifest.items()
    }
    lister.twice("migrate", "restore", attempt=attempt)
    assert lister.take("migrate", "ids", attempt=attempt, categories=["orders"])["failed"] is True
