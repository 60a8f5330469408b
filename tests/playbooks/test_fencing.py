"""One move of a site, whoever starts it: two people at once, and whoever has lost what the others know."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.playbooks.conftest import RELEASE, Controller, controlling

LIMIT = ("--limit", "site_1001")
REBUILT = {"vendor_contract_overrides": {"paths": {"work": r"C:\Rebuilt"}}}
"""A server on which our folder is gone is one on which it is looked for elsewhere."""


def released(controller: Controller) -> Controller:
    done = controller.play("release", **RELEASE)
    assert done.code == 0, done.output
    return controller


def test_two_controllers_at_the_same_second_move_a_site_once(tmp_path: Path) -> None:
    with controlling(tmp_path) as one:
        other = Controller(one.simulation, tmp_path / "other", one.inventory)
        both = (released(one), released(other))
        one.simulation.set_clock("2027-05-14T16:00:00Z")
        assert one.play("wave", *LIMIT).code == 0
        one.simulation.set_clock("2027-05-18T18:30:00Z")
        with ThreadPoolExecutor(2) as at_once:
            ends = list(at_once.map(lambda controller: controller.play("wave", *LIMIT), both))
        one.simulation.set_clock("2027-05-18T19:15:00Z")
        for controller in both:
            done = controller.play("wave", *LIMIT)
            assert done.code == 0, done.output
            assert controller.rows()["1001"]["state"] == "moved"
        assert moved_once(one), [done.output for done in ends]


def moved_once(controller: Controller) -> bool:
    """Whether one migration has run, and it is the attempt that the cloud has."""
    state = controller.simulation.state()
    return state["migrations_started"]["1001"] == 1 and [
        (attempt["number"], attempt["state"]) for attempt in state["cloud"]["1001"]
    ] == [(1, "completed")]


def quiet(state: Mapping[str, Any]) -> dict[str, Any]:
    """A simulation's state without what the server itself goes on with."""
    return {**state, "hosts": {name: {**host, "files": {}} for name, host in state["hosts"].items()}}


def test_whoever_has_lost_what_the_others_know_moves_nothing_a_second_time(tmp_path: Path, register: Path) -> None:
    """A rebuilt server, a register with another number, an old journal and an empty one, while the migration runs."""
    wave1 = register / "register" / "wave1.yml"
    wave1.write_text(wave1.read_text(encoding="utf-8").replace('id: "1001"', 'id: "1099"'), encoding="utf-8")
    with controlling(tmp_path) as one:
        one.simulation.set_clock("2027-05-14T16:00:00Z")
        assert released(one).play("wave", *LIMIT).code == 0
        old = replace(one, state=tmp_path / "old")
        shutil.copytree(one.state, old.state)
        one.simulation.set_clock("2027-05-18T18:30:00Z")
        assert one.play("wave", *LIMIT).code == 0
        running = one.simulation.state()
        assert running["migrations_started"]["1001"] == 1

        rebuilt = released(replace(one, state=tmp_path / "rebuilt"))
        done = rebuilt.play("wave", *LIMIT, **REBUILT)
        assert done.code == 2, done.output
        assert "knows 0 attempts, the cloud 1" in rebuilt.rows()["1001"]["why"]

        renumbered = released(replace(one, state=tmp_path / "renumbered", inventory=register / "sites.register.yml"))
        done = renumbered.play("wave", "--limit", "site_1099")
        assert done.code == 2, done.output
        why = renumbered.rows()["1099"]["why"]
        # The server's ledger refuses it, and so does the cloud; whichever was asked last is told.
        assert "belongs to site '1001', not to '1099'" in why or "the cloud does not know it" in why
        assert quiet(one.simulation.state()) == quiet(running)

        one.simulation.set_clock("2027-05-18T19:15:00Z")
        done = old.play("wave", *LIMIT)
        assert done.code == 0, done.output
        empty = released(replace(one, state=tmp_path / "empty"))
        for controller in (old, empty, one):
            done = controller.play("wave", *LIMIT)
            assert done.code == 0, done.output
            assert controller.rows()["1001"]["state"] == "moved"
            assert moved_once(one)
