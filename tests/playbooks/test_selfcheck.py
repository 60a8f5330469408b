"""A PC that WinRM does not reach: its office's self-check comes in as a file, with real playbooks."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.test_selfcheck import client_facts

from tests.playbooks.conftest import DEMO, controlling

NOW = "2027-05-12T08:00:00Z"


def a_file(folder: Path, name: str, client: str, days: int = 1, **changes: str) -> None:
    made = f"{datetime.fromisoformat(NOW) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    told = {"version": "1", "site": "1001", "client": client, "made_at": made, "facts": json.dumps(client_facts())}
    told["checksum"] = sha256("\n".join(told.values()).encode()).hexdigest()
    (folder / name).write_text(json.dumps({"selfcheck": 1, **told, **changes}), encoding="utf-8")


def test_a_file_makes_a_pc_ready_that_nobody_reaches(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with controlling(tmp_path, DEMO) as fleet:
        fleet.simulation.set_clock(NOW)
        written = fleet.play("selfcheck", "--limit", "site_1001", selfcheck_dir=str(tmp_path / "out"))
        assert written.code == 0, written.output
        starter = (tmp_path / "out" / "1001" / "Selvsjekk.cmd").read_bytes()
        assert b'-Site "1001" -Client "' in starter
        client = starter.partition(b'-Client "')[2].partition(b'"')[0].decode().split(",")[0]

        a_file(folder, "selvsjekk-1001.json", client)
        read = fleet.play("register", register_selfchecks=str(folder))
        assert read.code == 0, read.output
        assert f"selvsjekk-1001.json: 1001-{client}, recorded: ready" in read.output
        assert fleet.rows()["1001"]["clients"]["self_checked"] == 1
        again = fleet.play("register", register_selfchecks=str(folder))
        assert f"selvsjekk-1001.json: 1001-{client}, known" in again.output
        explained = fleet.play("explain", site="1001").output
        assert "self-checked by the office: ready" in explained
        assert f"1001-{client} self-checked 11.05.2027 10:00: ready" in explained

        # One that is at fault is named at the very end, when everything else is done and shown.
        a_file(folder, "b.json", client, days=0, checksum="0" * 64)
        a_file(folder, "c.json", "server")
        bad = fleet.play("register", register_selfchecks=str(folder))
        assert bad.code == 2
        assert "b.json: site 1001: checksum: is " in bad.output
        assert "c.json: site 1001: client: is " in bad.output
        assert bad.output.index("What sites still owe") < bad.output.index("b.json: site 1001")
        assert fleet.rows()["1001"]["clients"]["self_checked"] == 1
        report = fleet.play("report")
        assert report.code == 0, report.output
        page = (fleet.state / "report" / "report.html").read_text(encoding="utf-8")
        assert "1 self-checked" in page
