"""What the preflight says has changed since the last whole one."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.conftest import controlling
from tests.wave import write_wave

RESTARTS = {"1002": "2027-05-13T01:00:00Z", "1003": "2027-05-11T01:00:00Z"}
"""Within 48 hours it keeps a site from being ready (P8): the third at first, the second later."""


def test_who_became_ready_and_who_fell_back(tmp_path: Path) -> None:
    special: dict[str, dict[str, object]] = {
        site: {"server": {"scheduled_restarts": [at]}} for site, at in RESTARTS.items()
    }
    scenario, inventory = write_wave(tmp_path, sites=3, special=special)
    with controlling(tmp_path, scenario, inventory) as fleet:

        def play(playbook: str, *arguments: str, **variables: str) -> str:
            done = fleet.play(playbook, *arguments, **variables)
            assert done.code == 0, done.output
            return " ".join(done.output.split())

        assert "Since" not in play("preflight"), "there is nothing to compare the first one with"
        assert {site: row["verdict"] for site, row in fleet.rows().items()} == {
            "1001": "ready",
            "1002": "ready",
            "1003": "not_ready",
        }
        fleet.simulation.set_clock("2027-05-11T07:00:00Z")
        assert "Since" not in play("preflight", "--tags", "power"), "a part is no preflight to compare"
        fleet.simulation.set_clock("2027-05-12T07:00:00Z")
        told = play("preflight")
        assert "Since Monday 10.05.2027 09:00: 1 site became ready, 1 fell back, 1 as before" in told
        assert "fell back: ready → not ready" in told
        assert "became ready: not ready → ready" in told
        assert "settled: P8" in told
        history = play("explain", site="1002")
        assert "fell back to not ready, was ready" in history
        assert "became ready, was not ready" in play("explain", site="1003")
