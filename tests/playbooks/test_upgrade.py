"""The upgrade by real playbooks: outside its evening by somebody's word, and with a restart that is waited for (U1)."""

from __future__ import annotations

import re
from pathlib import Path

from tests.playbooks.conftest import DEMO, RELEASE, controlling

SERVER = "srv.fjordgata.example"
NOON = "2027-05-12T10:00:00Z"
WORD = {"upgrade_name": "Kari", "upgrade_reason": "the office asks"}


def scenario(folder: Path, fate: str) -> Path:
    """The demo's fleet, with another fate of the installer at site 1001."""
    text, count = re.subn(r"(?m)^(  1001:.*\n)", rf"\1    upgrade: {fate}\n", DEMO.read_text(encoding="utf-8"))
    assert count == 1
    path = folder / "scenario.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_upgrade_by_somebodys_word_that_needs_a_restart(tmp_path: Path) -> None:
    with controlling(tmp_path, scenario(tmp_path, "{ends: code_3010, cut_after: 250000}")) as fleet:

        def upgrade(*arguments: str, **variables: str) -> dict[str, object]:
            done = fleet.play("upgrade", "--limit", "site_1001", *arguments, **variables)
            assert done.code == 0, done.output
            return fleet.rows()["1001"]

        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock(NOON)
        fleet.play("preflight", "--limit", "site_1001")
        # In the days before, the installer is fetched, and nothing else is done.
        before = fleet.simulation.state()["hosts"][SERVER]["services"]
        assert "250000 of 400000 bytes fetched" in str(upgrade()["why"])
        upgrade()
        assert fleet.simulation.state()["hosts"][SERVER]["services"] == before
        calls = [call["call"] for call in fleet.simulation.calls() if call["host"] == SERVER]
        assert not [call for call in calls if call.endswith("install")]
        silent = fleet.play("upgrade", "--limit", "site_1001", upgrade_name="Kari", upgrade_until="soon")
        assert silent.code != 0
        for words in ("upgrade_reason: is missing or blank", "upgrade_until: 'soon' is no date and no moment"):
            assert words in silent.output
        everywhere = fleet.play("upgrade", **WORD)
        assert everywhere.code != 0
        assert "allow every site of the run to be upgraded now: say which with --limit" in everywhere.output
        assert "Kari allows" not in fleet.play("explain", site="1001").output
        # The word of a person lifts the evening, and stays on record.
        row = upgrade(**WORD)
        assert (row["verdict"], row["state"], row["needs_us"]) == ("not_ready", "dated", False)
        assert (row["owes"], row["why"]) == (["U1"], "upgrade: the installer wants a restart of the server (code 3010)")
        explained = fleet.play("explain", site="1001").output
        assert "Kari allows the upgrade outside its evening" in explained
        fleet.simulation.set_clock("2027-05-12T11:30:00Z")
        assert upgrade()["verdict"] == "not_ready"
        fleet.simulation.set_clock("2027-05-12T13:00:00Z")
        fleet.simulation.restart(SERVER)
        row = upgrade()
        assert (row["verdict"], row["state"], row["owes"], row["why"]) == ("ready", "upgraded", [], "")


def test_a_server_that_the_installer_takes_down_is_found_and_brought_back(tmp_path: Path) -> None:
    with controlling(tmp_path, scenario(tmp_path, "{ends: dies}")) as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock("2027-05-14T16:00:00Z")
        fleet.play("preflight", "--limit", "site_1001")
        fleet.play("upgrade", "--limit", "site_1001")
        assert fleet.simulation.state()["hosts"][SERVER]["services"]["DIPSInteractor"]["state"] == "stopped"
        fleet.simulation.set_clock("2027-05-14T16:15:00Z")
        done = fleet.play("upgrade", "--limit", "site_1001")
        assert done.code == 0, done.output
        row = fleet.rows()["1001"]
        assert (row["verdict"], row["needs_us"]) == ("not_ready", True)
        assert "the server was restarted while the installer ran; version 5.4.1 is back" in str(row["why"])
        services = fleet.simulation.state()["hosts"][SERVER]["services"]
        assert {name: service["state"] for name, service in services.items()} == {
            "DIPSInteractor": "running",
            "EPJServer": "running",
        }
