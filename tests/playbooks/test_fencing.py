"""Two people start the same wave at the same second, each with a journal of his own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.playbooks.conftest import RELEASE, Controller, controlling

LIMIT = ("--limit", "site_1001")


def test_two_controllers_at_the_same_second_move_a_site_once(tmp_path: Path) -> None:
    with controlling(tmp_path) as one:
        other = Controller(one.simulation, tmp_path / "other", one.inventory)
        both = (one, other)
        for controller in both:
            done = controller.play("release", **RELEASE)
            assert done.code == 0, done.output
        one.simulation.set_clock("2027-05-14T16:00:00Z")
        assert one.play("wave", *LIMIT).code == 0
        one.simulation.set_clock("2027-05-18T18:30:00Z")
        with ThreadPoolExecutor(2) as at_once:
            ends = list(at_once.map(lambda controller: controller.play("wave", *LIMIT), both))
        one.simulation.set_clock("2027-05-18T19:30:00Z")
        for controller in both:
            done = controller.play("wave", *LIMIT)
            assert done.code == 0, done.output
            assert controller.rows()["1001"]["state"] == "moved"
        state = one.simulation.state()
        assert state["migrations_started"]["1001"] == 1, [done.output for done in ends]
        assert [attempt["number"] for attempt in state["cloud"]["1001"]] == [1]
