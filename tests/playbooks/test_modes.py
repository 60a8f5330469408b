"""The second mode (M5): not moved before the vendor has described it, moved by the contract alone when he has."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.playbooks.conftest import RELEASE, Controller, controlling

LIMIT = ("--limit", "site_1001")
OVERRIDES = "vendor_contract_overrides:"
DESCRIBED = """
  config:
    modes:
      second: {mode: "2", endpoint: https://dipsupsvr.dips.no, also: {tenant: "1001"}}"""


def checks_of(controller: Controller, kind: str) -> set[str]:
    """The ids of the checks that the server's newest event of this kind holds."""
    of_server = "coalesce(host, '1001-server') = '1001-server'"
    with closing(sqlite3.connect(controller.state / "journal.sqlite")) as journal:
        rows = journal.execute(
            f"select data from events where kind = ? and {of_server} order by id", (kind,)
        ).fetchall()
    found: dict[str, Any] = json.loads(rows[-1][0])
    return {check["id"] for check in found["checks"]}


def test_a_site_moves_in_the_second_mode_when_a_contract_describes_it(tmp_path: Path, register: Path) -> None:
    file = register / "register" / "wave1.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'(id: "1001"\n)', r"\1    mode: second\n", text), encoding="utf-8")
    with controlling(tmp_path, inventory=register / "sites.register.yml") as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        fleet.simulation.set_clock("2027-05-14T16:00:00Z")
        before = fleet.simulation.state()
        fleet.play("wave", *LIMIT)
        assert fleet.simulation.state() == before
        assert "second" in fleet.rows()["1001"]["why"]
        settings = register / "group_vars" / "all.yml"
        said = settings.read_text(encoding="utf-8")
        settings.write_text(said.replace(OVERRIDES, OVERRIDES + DESCRIBED), encoding="utf-8")
        for at in ("2027-05-14T16:10:00Z", "2027-05-18T18:30:00Z", "2027-05-18T19:15:00Z", "2027-05-19T06:00:00Z"):
            fleet.simulation.set_clock(at)
            done = fleet.play("wave", *LIMIT)
            assert done.code == 0, done.output
        assert fleet.rows()["1001"]["outcome"] == "verified"
        for kind in ("measured", "checked"):
            assert "P1" in checks_of(fleet, kind)
            assert "P2" not in checks_of(fleet, kind)
        assert "MODE" in checks_of(fleet, "checked")
