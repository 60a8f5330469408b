# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a moved server in the engine: it tells what it finds and changes nothing."""

from __future__ import annotations

import hashlib
import json

from tests.pwsh.engine import service
from tests.pwsh.fixtures import Server


def test_it_tells_what_it_finds(server: Server):
    server.contract["untouched"].update(folders=[r"C:\EPJ"], files=[r"C:\EPJ\epj.ini", r"C:\EPJ\none.ini"])
    server.contract["config"]["modes"]["second"] = {"mode": "2", "endpoint": "", "also": {"tenant": "t", "zone": 1}}
    config = '{"mode": "server_in_cloud", "endpoint": "https://dipsupsvr.dips.no", "zone": 2}'
    server.write(server.contract["paths"]["config"], config)
    ledger = {"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": []}
    server.write(server.ledger_file, json.dumps(ledger))
    before = server.files(), server.state
    result = server.ask("postcheck")
    assert server.ask("postcheck", check=True) == result
    assert (server.files(), server.state) == before
    assert result["ledger"] == ledger
    facts = result["facts"]
    assert [page["id"] for page in facts.pop("pages")] == ["P1", "P2"]
    untouched = facts.pop("untouched")
    assert list(untouched) == [r"folder:C:\EPJ", r"file:C:\EPJ\epj.ini", r"file:C:\EPJ\none.ini"]
    assert untouched[r"file:C:\EPJ\epj.ini"] == hashlib.sha256(b"untouched").hexdigest()
    assert untouched[r"file:C:\EPJ\none.ini"] == "missing"
    assert facts == {
        "service": "running",
        "version": "5.4.1",
        "mode": "server_in_cloud",
        "endpoint": "https://dipsupsvr.dips.no",
        "also": {"tenant": None, "zone": 2},
        "maintenance": False,
    }


def test_people_who_are_kept_out_and_a_service_that_is_stopped(server: Server):
    server.write(server.contract["paths"]["maintenance_flag"], "")
    server.update(services={"DIPSInteractor": service("x", status="Stopped", main=True)})
    facts = server.ask("postcheck")["facts"]
    assert (facts["maintenance"], facts["service"], facts["version"]) == (True, "stopped", None)


def test_a_ledger_or_configuration_that_cannot_be_read_is_an_error(server: Server):
    server.write(server.contract["paths"]["config"], "mode=local")
    assert "is no JSON" in server.ask("postcheck")["msg"]
    server.write(server.ledger_file, "{}")
    assert server.ask("postcheck")["msg"].startswith("the check: ledger ")


def test_four_thousand_files_in_a_folder(server: Server):
    server.contract["untouched"]["folders"] = [r"C:\EPJ\Meldinger [inn]"]
    texts = {f"melding å {number}.xml": f"melding {number}".encode() for number in range(4000)}
    for name, text in texts.items():
        server.write(f"C:\\EPJ\\Meldinger [inn]\\{name}", text.decode())
    lines = sorted(f"{name}\t{hashlib.sha256(text).hexdigest()}" for name, text in texts.items())
    facts = server.ask("postcheck")["facts"]
    folder = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert facts["untouched"] == {r"folder:C:\EPJ\Meldinger [inn]": folder}
