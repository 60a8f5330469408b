"""What differs is listed, and whom to call is written, with real playbooks."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

from tests.playbooks.conftest import DEMO, RELEASE, Controller, controlling

SITES = ("--limit", "site_1001,site_1004")


def calls(fleet: Controller) -> dict[str, Any]:
    told = json.loads((fleet.state / "calls" / "calls.json").read_text(encoding="utf-8"))
    return {call["site"]: call for call in told["calls"]}


def scenario(folder: Path) -> Path:
    """The demo, but for site 1001: one order does not arrive and another comes twice."""
    text = DEMO.read_text(encoding="utf-8")
    plain = "    migration: {minutes: 42}\n"
    assert plain in text
    spoilt = "    migration: {minutes: 42, loses: {orders: 1}, doubles: {orders: 1}}\n"
    path = folder / "scenario.yml"
    path.write_text(text.replace(plain, spoilt, 1), encoding="utf-8")
    return path


def test_a_night_with_differences(tmp_path: Path) -> None:
    with controlling(tmp_path, scenario(tmp_path)) as fleet:
        fleet.simulation.set_clock("2027-05-14T16:00:00Z")
        assert fleet.play("release", **RELEASE).code == 0
        fleet.play("wave", *SITES)
        assert calls(fleet) == {}
        fleet.simulation.set_clock("2027-05-18T18:30:00Z")
        fleet.play("wave", *SITES)
        fleet.simulation.set_clock("2027-05-18T19:25:00Z")
        night = fleet.play("wave", *SITES, calls_to="anrop@leverandor.example")
        assert night.code == 2, night.output
        rows = fleet.rows()
        assert (rows["1001"]["outcome"], rows["1004"]["outcome"]) == ("rolled_back", "uncertain"), night.output
        assert rows["1001"]["counts"]["orders"] == "412/412 differ"
        assert "orders: 412 of 412 in the cloud, 1 missing, 1 too many" in rows["1001"]["why"]
        assert "1004: uncertain: favourite_packages: 14 of 15 in the cloud, 1 missing, 0 too many" in night.output

        # The ids are in the page and in what explain tells.
        page = (fleet.state / "report" / "report.html").read_text(encoding="utf-8")
        assert page.count("<div>ord-") == 2
        assert page.count("<div>fav-") == 1
        explained = fleet.play("explain", site="1001").output
        assert "missing: ord-" in explained
        assert "too many: ord-" in explained

        # Who has to be called is in the list alone, which nobody else can read.
        folder = fleet.state / "calls"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        told = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
        assert (told["to"], told["copy"]) == ("anrop@leverandor.example", "TeamIHR@helse-vest-ikt.no")
        assert {site: call["code"] for site, call in calls(fleet).items()} == {
            "1001": "rolled_back",
            # Nobody upgraded these, for they were left out: the list is of the whole register all the same.
            "1002": "upgrade_missed",
            "1003": "upgrade_missed",
            "1004": "uncertain",
        }
        assert calls(fleet)["1004"]["differences"] == [
            {"category": "favourite_packages", "before": 15, "after": 14, "missing": 1, "extra": 0}
        ]
        raw = (folder / "calls.csv").read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        sheet = list(csv.reader(io.StringIO(raw.decode("utf-8-sig")), delimiter=";"))
        contact = calls(fleet)["1001"]["contact"]
        assert sheet[1][6:8] == [contact["name"], contact["phone"]]
        assert contact["phone"] not in night.output

        # The same again changes nothing, also for a run about other sites.
        before = raw, (folder / "calls.json").read_bytes()
        assert fleet.play("calls", "--limit", "site_2001", calls_to="anrop@leverandor.example").changed == 0
        assert (raw, (folder / "calls.json").read_bytes()) == before

        # A folder that cannot be used is told, and hides neither the report nor the list that is there.
        folder.chmod(0o755)
        (fleet.state / "report" / "report.html").unlink()
        open_to_others = fleet.play("wave", *SITES)
        assert open_to_others.code == 2
        assert "others may look into it, mode 0755 (allowed: 0700)" in open_to_others.output
        assert (fleet.state / "report" / "report.html").is_file()
        folder.chmod(0o700)
