"""Back to the local mode: where there is nothing to undo, past the point of no return, and when the cloud is silent."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.playbooks.conftest import DEMO, RELEASE, Controller, Done, controlling

LIMIT = ("--limit", "site_1001")
WISH = {"rollback_name": "Kari", "rollback_reason": "the office asks"}


def scenario(folder: Path, **migration: object) -> Path:
    """The demonstration's, with another fate of site 1001's migration."""
    said = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    said["sites"][1001]["migration"].update(migration)
    path = folder / "scenario.yml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    return path


def play(controller: Controller, playbook: str, *arguments: str, code: int = 0, **variables: str) -> Done:
    done = controller.play(playbook, *LIMIT, *arguments, **variables)
    assert done.code == code, done.output
    return done


def explain(controller: Controller) -> str:
    done = controller.play("explain", site="1001")
    assert done.code == 0, done.output
    return done.output


def test_past_the_point_of_no_return_a_rollback_says_what_it_loses(tmp_path: Path) -> None:
    with controlling(tmp_path, scenario(tmp_path, makes=3)) as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock("2027-05-14T16:00:00Z")
        play(fleet, "wave")
        before = fleet.simulation.state()
        everywhere = fleet.play("rollback", **WISH)
        assert everywhere.code != 0
        assert "undo every site of the run: say which with --limit" in everywhere.output
        nothing = play(fleet, "rollback", **WISH)
        assert "Nothing to undo, so nothing is changed: 1001" in nothing.output
        assert (nothing.changed, fleet.simulation.state()) == (0, before)
        fleet.simulation.set_clock("2027-05-18T18:30:00Z")
        play(fleet, "wave", wave_follow="true")
        moved = fleet.simulation.state()
        # 08:15 in Norway: two orders have been made in the cloud since the office opened.
        fleet.simulation.set_clock("2027-05-19T06:15:00Z")
        play(fleet, "postcheck")
        assert fleet.rows()["1001"]["outcome"] == "verified"
        refused = play(fleet, "rollback", **WISH)
        assert "ord-cloud-1001-1" in refused.output
        assert "ord-cloud-1001-2" in refused.output
        assert "say rollback_loses=2" in fleet.rows()["1001"]["why"]
        assert fleet.rows()["1001"]["needs_us"] is True
        fleet.simulation.set_clock("2027-05-19T06:25:00Z")
        play(fleet, "rollback", rollback_loses="2", **WISH)
        assert "say rollback_loses=3" in fleet.rows()["1001"]["why"], "another one was made meanwhile"
        play(fleet, "rollback", interactor_cloud_token="another", **WISH)
        assert "the cloud does not say" in fleet.rows()["1001"]["why"]
        assert "say rollback_loses=unknown" in fleet.rows()["1001"]["why"]
        assert fleet.simulation.state()["hosts"] == moved["hosts"]
        wrong = play(fleet, "rollback", code=2, rollback_loses="all", **WISH)
        assert "rollback_loses 'all'" in wrong.output
        assert "ord-cloud-1001-3" in explain(fleet)
        done = play(fleet, "rollback", rollback_loses="3", **WISH)
        row = fleet.rows()["1001"]
        assert (row["state"], row["outcome"]) == ("upgraded", "rolled_back"), done.output
        state = fleet.simulation.state()
        server = "srv.fjordgata.example"
        ours = r"C:\ProgramData\HelseVest"

        def theirs(hosts: dict[str, dict[str, dict[str, str]]]) -> dict[str, str]:
            return {path: hash_ for path, hash_ in hosts[server]["files"].items() if not path.startswith(ours)}

        assert theirs(state["hosts"]) == theirs(before["hosts"])
        assert [attempt["state"] for attempt in state["cloud"]["1001"]] == ["discarded"]
        told = explain(fleet)
        assert "Kari asks to roll back attempt 1, losing 3" in told
        assert "Attempt 1 undone: the server is as it was before" in told
