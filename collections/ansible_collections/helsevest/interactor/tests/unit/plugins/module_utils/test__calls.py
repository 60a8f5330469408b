# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the call list is written, and what is told where it cannot be."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _calls
from ansible_collections.helsevest.interactor.plugins.module_utils._calls import CallsError, answer

from ._domain.test_decision import MORNING_AFTER, VARIABLES

CONTRACT = {
    "installer": {"version": "6.2.0"},
    "migration": {"expected_minutes": 60},
    "config": {"modes": {"server_in_cloud": {"mode": "x"}}},
}
SETTINGS = {
    "retry_minutes": 15,
    "upgrade_minutes": 30,
    "move_minutes": None,
    "lease_wait_minutes": 240,
    "switch_tolerates": [],
}


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(_calls, "clock_now", lambda _url: MORNING_AFTER)
    return {
        "dir": str(tmp_path / "calls"),
        "to": "",
        "copy": "team@prove.example",
        "sites": [VARIABLES],
        "calendar": None,
        "contract": CONTRACT,
        "journal": f"sqlite:///{tmp_path}/journal.sqlite",
        "clock_url": None,
        "settings": SETTINGS,
    }


def test_it_is_written_once_for_the_owner_alone(params: dict[str, Any]):
    folder = Path(params["dir"])
    dry = answer(params, check_mode=True)
    assert dry["changed"] is True
    assert not folder.exists()
    told = answer(params, check_mode=False)
    assert [call["code"] for call in told["calls"]] == ["date_passed"]
    assert told["lines"][-1].startswith("no address of DIPS is set (calls_to)")
    assert "55 00 00 00" not in str(told)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    written = json.loads((folder / "calls.json").read_text(encoding="utf-8"))
    assert (written["to"], written["copy"]) == (None, "team@prove.example")
    assert written["calls"][0]["contact"] == {"name": "K", "phone": "55 00 00 00", "weekends": False}
    assert answer(params, check_mode=False)["changed"] is False
    left = folder / ".calls-12345678.json"
    left.write_text("of a run that was killed", encoding="utf-8")
    (folder / "calls.json").write_text("{}", encoding="utf-8")
    assert answer(params, check_mode=False)["changed"] is True
    assert not left.exists()


def test_a_cause_that_is_gone_leaves_an_empty_list(params: dict[str, Any]):
    answer(params, check_mode=False)
    later = {**VARIABLES, "interactor_site": {**VARIABLES["interactor_site"], "move_date": "2027-06-01"}}
    told = answer({**params, "sites": [later]}, check_mode=False)
    assert (told["changed"], told["calls"], told["lines"]) == (True, [], [])
    assert json.loads((Path(params["dir"]) / "calls.json").read_text(encoding="utf-8"))["calls"] == []


def test_a_folder_that_cannot_be_used_is_told_without_a_contact(params: dict[str, Any]):
    folder = Path(params["dir"])

    def complaint(**more: Any) -> str:
        with pytest.raises(CallsError) as caught:
            answer({**params, **more}, check_mode=False)
        assert "55 00 00 00" not in str(caught.value)
        return str(caught.value)

    folder.mkdir(mode=0o750)
    assert complaint() == (
        f"site_calls: {folder}: others may look into it, mode 0750 (allowed: 0700); chmod 700 {folder}"
    )
    folder.rmdir()
    folder.write_text("", encoding="utf-8")
    assert complaint().endswith("is no folder")
    assert "cannot be" in complaint(dir=str(folder / "below"))
    broken = {**VARIABLES, "interactor_site": {**VARIABLES["interactor_site"], "closed": "55 00 00 00"}}
    assert complaint(sites=[broken], dir=str(folder) + "-2").endswith("in the sites or the journal")
