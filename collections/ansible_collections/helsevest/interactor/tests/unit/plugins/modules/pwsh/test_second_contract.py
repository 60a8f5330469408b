# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A move in the engine with a second vendor: other paths, names, words and arguments, and the same scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server
from tests.second import second_contract

ATTEMPT = {"number": 1, "key": "1001-1-4f3a"}
COUNTS = {"orders": 1, "started_requisitions": 0, "favourite_packages": 0}


@pytest.fixture
def second(tmp_path: Path, engine: Engine) -> Server:
    """Site 1001's server as the second vendor has set it up."""
    server = Server(tmp_path / "server", second_contract(), engine)
    local = server.contract["config"]["modes"]["local"]
    config = {"DriftsModus": local["mode"], "Adresse": local["endpoint"], "skriver": "Skranke Ø"}
    server.write(server.contract["paths"]["config"], json.dumps(config))
    server.write(server.contract["migration"]["program"], "7.3.1")
    server.write(r"C:\EPJ\Meldinger\ut.xml", "melding")
    return server


def test_a_whole_move_and_the_way_back(second: Server) -> None:
    contract = second.contract
    migration, paths = contract["migration"], contract["paths"]
    before = second.read(paths["config"])
    line = json.dumps({"category": "orders", "id": "ord-1", "date": "2027-05-01"})
    second.update(programs={"Flytt.exe": {"exit_code": 0, "writes": {migration["list_file"]: line}}})
    second.update(task_start={"state": "Running", "writes": {}})
    more = {"attempt": ATTEMPT, "history_months": 12, "day": "2027-05-18", "mode": "second"}

    assert second.ask("upgrade", step="look")["version"] == "5.4.1"
    assert second.ask("migrate", step="look")["mode"] == "local"
    assert second.ask("migrate", step="lease")["held"]
    assert second.read(paths["maintenance_flag"]) is not None
    assert second.ask("migrate", step="manifest", **more)["manifest"]["orders"]["count"] == 1
    assert second.ask("migrate", step="start", **more)["ledger"]["attempts"][0]["state"] == "running"
    action = second.state["tasks"]["Flytting til sky (annen)"]["actions"][0]
    assert action["Execute"].replace("/", "\\") == migration["program"]
    assert action["Arguments"] == (
        f'flytt /nøkkel 1001-1-4f3a /logg "{migration["status_file"]}" /forsøk 1 /måneder 12 /til 2027-05-18'
        " /kontor 1001"
    )
    told = {"tilstand": "pågår", "framdrift": 40, "antall": COUNTS, "melding": ""}
    second.write(migration["status_file"], json.dumps(told))
    assert second.ask("migrate", step="follow", **more)["status"]["progress"] == 40
    done = {**told, "tilstand": "ferdig", "framdrift": 100, "melding": "alt er sendt"}
    second.write(migration["status_file"], json.dumps(done))
    followed = second.ask("migrate", step="follow", **more)
    assert (followed["status"]["state"], followed["ledger"]["attempts"][0]["message"]) == ("completed", "alt er sendt")
    assert second.ask("migrate", step="switch", **more)["mode"] == "second"
    switched = json.loads((second.read(paths["config"]) or "").removeprefix("\ufeff"))
    assert switched == {
        "DriftsModus": "alt_i_skyen", "Adresse": "https://alt.annen.example/inn", "skriver": "Skranke Ø",
    }  # fmt: skip
    second.ask("migrate", step="handback")
    assert second.read(paths["maintenance_flag"]) is None
    assert second.ask("migrate", step="restore", **more)["mode"] == "local"
    assert second.read(paths["config"]) == before
