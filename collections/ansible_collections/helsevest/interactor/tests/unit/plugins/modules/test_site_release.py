# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that puts a person's word on a wave on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal
from ansible_collections.helsevest.interactor.plugins.modules.site_release import main

RunModule = Callable[..., dict[str, Any]]


@pytest.fixture
def said(tmp_path: Path, web: SimpleNamespace) -> dict[str, Any]:
    """What is right, at a moment of the test's own."""
    web.answer = lambda _asked: (200, {"now": "2027-05-10T08:00:00Z"})
    return {
        "kind": "released",
        "wave": "1",
        "name": "Kari",
        "reason": "all have answered",
        "until": "2027-05-21",
        "waves": ["1", "2"],
        "dates": ["2027-05-18"],
        "journal": f"sqlite:///{tmp_path}/journal/journal.db",
        "clock_url": web.url,
    }


def test_a_release_is_recorded_once(run_module: RunModule, said: dict[str, Any]) -> None:
    done = run_module(main, **said)
    assert done["changed"] is True
    assert done["told"] == ["wave 1 is released until 2027-05-22 00:00 in Norway by Kari: all have answered"]
    (event,) = Journal(said["journal"]).events()
    assert (event.kind, event.subject) == (EventKind.RELEASED, "1")
    assert event.data == {"name": "Kari", "reason": "all have answered", "until": "2027-05-21T22:00:00Z"}
    again = run_module(main, **said)
    assert (again["changed"], again["event"]) == (False, None)
    assert len(Journal(said["journal"]).events()) == 1


def test_a_halt_is_lifted_once(run_module: RunModule, said: dict[str, Any]) -> None:
    whole = {**said, "until": None, "wave": "all"}
    assert run_module(main, **{**whole, "kind": "halted"})["changed"] is True
    assert run_module(main, **{**whole, "kind": "resumed"})["changed"] is True
    nothing = run_module(main, **{**whole, "kind": "resumed"})
    assert (nothing["changed"], nothing["told"]) == (False, ["all is not halted: nothing to resume"])
    assert [event.kind for event in Journal(said["journal"]).events()] == [EventKind.HALTED, EventKind.RESUMED]


def test_check_mode_tells_and_records_nothing(run_module: RunModule, said: dict[str, Any], tmp_path: Path) -> None:
    done = run_module(main, check=True, **said)
    assert (done["changed"], done["event"]["subject"]) == (True, "1")
    assert done["told"][0] == "a dry run: nothing is put on record. Else:"
    assert list(tmp_path.iterdir()) == []


def test_a_release_that_lets_nothing_move_says_so(run_module: RunModule, said: dict[str, Any]) -> None:
    done = run_module(main, **{**said, "dates": []})
    assert done["changed"] is True
    assert done["told"][1:] == ["no site of wave 1 has a move date: nothing moves before one has"]


def test_what_is_wrong_is_told_at_once_and_nothing_is_recorded(
    run_module: RunModule, said: dict[str, Any], tmp_path: Path
) -> None:
    done = run_module(main, **{**said, "wave": "9", "name": " ", "reason": None, "until": "2027-05-09"})
    assert done["failed"]
    assert [line.partition(":")[0] for line in done["msg"].splitlines()] == [
        "release_wave",
        "release_name",
        "release_reason",
        "release_until",
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_read_is_no_release(run_module: RunModule, said: dict[str, Any]) -> None:
    done = run_module(main, **{**said, "journal": "nobody://me:s3cret@db/journal"})
    assert done["failed"]
    assert "s3cret" not in str(done)
