# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate compares with the rows as they stood at the end of the last whole preflight."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _gate
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import answer

from .test__gate import dated, params, ready


def preflight(path: Path, monkeypatch: pytest.MonkeyPatch, day: int, *failed: str) -> dict[str, Any]:
    """A preflight of two sites on a day in May, of which some fail."""
    monkeypatch.setattr(_gate, "clock_now", lambda _url: datetime(2027, 5, day, 7, tzinfo=UTC))
    sites = ("1001", "1002")
    events = [event for site in sites for event in ready(site) if event["kind"] == "measured"]
    for event in events:
        if event["site"] in failed:
            event["data"] |= {"reached": False, "cause": "timeout", "verdict": "unreachable", "checks": []}
    run = f"run-{day}"
    asked = params(path, sites=[dated(site) for site in sites], run_id=run, record=events, compare=True)
    told = answer(asked, check_mode=False)
    answer({**asked, "record": told["new_rows"]}, check_mode=False)
    return told


def test_it_tells_what_has_changed_since_the_last_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    assert preflight(path, monkeypatch, 10, "1002")["delta"] is None
    told = preflight(path, monkeypatch, 12, "1001")["delta"]
    assert (told["run_id"], told["at"]) == ("run-10", "2027-05-10T07:00:00Z")
    assert [one["site"] for one in told["ready"]] == ["1002"]
    assert [(one["site"], one["is"]) for one in told["back"]] == [("1001", "unreachable")]
    # The last whole run is the one before this, not the first.
    again = preflight(path, monkeypatch, 13, "1001")["delta"]
    assert (again["run_id"], again["ready"], again["back"], again["same"]) == ("run-12", [], [], 2)


def test_nobody_is_told_who_has_not_asked(tmp_path: Path) -> None:
    assert answer(params(tmp_path / "journal.sqlite"), check_mode=False)["delta"] is None
