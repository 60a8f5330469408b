"""Nothing waits for a person at a terminal, and nothing moves without a release on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Step

from tests.resume.driver import TICK, Controller, Fleet, MemoryJournal, Place

ROOT = Path(__file__).resolve().parent.parent
PLAYS = sorted([*(ROOT / "playbooks").rglob("*.yml"), *(ROOT / "roles").rglob("*.yml")])
ASKING = {"vars_prompt", "pause", "ansible.builtin.pause", "ansible.builtin.expect", "ansible.builtin.debugger"}


def keys(value: Any) -> Iterator[str]:
    """Every key of a YAML document, however deep."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield str(key)
            yield from keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from keys(below)


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_playbook_and_no_role_asks_anybody(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        assert not ASKING & set(keys(document))


@pytest.mark.parametrize(
    ("version", "begins", "ends"),
    [
        # The upgrade's evening with the days in which it is staged; the night of the move and the morning after.
        ("5.4.1", "2027-05-12T12:00:00Z", "2027-05-14T21:00:00Z"),
        ("6.2.0", "2027-05-18T16:00:00Z", "2027-05-19T08:00:00Z"),
    ],
)
def test_a_wave_without_a_release_changes_nothing_at_any_hour(version: str, begins: str, ends: str) -> None:
    recorded: set[str] = set()

    def reached(place: Place) -> None:
        if place.kind == "record":
            recorded.add(place.what)

    fleet = Fleet(("1001", "1002"), clock=begins, **{"site_1001": {"interactor": {"version": version}}})
    controller = Controller(fleet, MemoryJournal(), reached)
    before = fleet.world.snapshot()
    while fleet.now() <= datetime.fromisoformat(ends):
        controller.tick()
        assert fleet.world.snapshot() == before, fleet.now()
        fleet.later(TICK)
    assert recorded == {f"preflight {Step.PROBE}", "rows"}
    # It was the release alone that was missing: with it the first tick of the same window changes something.
    released = Fleet(("1001", "1002"), clock=begins, **{"site_1001": {"interactor": {"version": version}}})
    released.clock.advance_to(
        datetime.fromisoformat("2027-05-14T15:00:00Z" if version == "5.4.1" else "2027-05-18T18:00:00Z")
    )
    other = Controller(released, MemoryJournal())
    other.release()
    other.tick()
    assert released.world.snapshot() != before
