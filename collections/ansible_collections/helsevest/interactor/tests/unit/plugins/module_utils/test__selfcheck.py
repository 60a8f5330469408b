# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of self-checks into the journal: each once, whatever lies beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _selfcheck
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck import MOST_BYTES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind, Origin
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal
from ansible_collections.helsevest.interactor.plugins.module_utils._selfcheck import FolderError, answer

from ._domain.test_selfcheck import client_facts, content
from .test__gate import CONTRACT, SITE

NOW = datetime(2027, 5, 10, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_selfcheck, "clock_now", lambda _url: NOW)


@pytest.fixture
def params(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "in").mkdir()
    clients = {"interactor_site": {**SITE, "clients": [{"name": "pc1"}, {"name": "pc2"}]}}
    return {
        "path": str(tmp_path / "in"), "sites": [clients], "contract": CONTRACT, "clock_url": None,
        "journal": f"sqlite:///{tmp_path / 'journal.sqlite'}", "settings": {},
    }  # fmt: skip


def put(params: dict[str, Any], name: str, raw: bytes) -> None:
    (Path(params["path"]) / name).write_bytes(raw)


def made(days: int, facts: dict[str, Any] | None = None, **changes: Any) -> bytes:
    return content(facts, made_at=f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}", **changes)


def outcomes(told: dict[str, Any]) -> dict[str, str]:
    return {one["file"]: one["outcome"] for one in told["files"]}


def recorded(params: dict[str, Any]) -> list[tuple[str | None, str]]:
    events = Journal(params["journal"]).events(kinds=[EventKind.MEASURED])
    assert {event.data["origin"] for event in events} <= {Origin.SELF_CHECKED}
    return [(event.host, event.data["made"]) for event in events]


def test_a_file_is_recorded_once_with_when_it_was_made(params: dict[str, Any]):
    put(params, "a.json", made(-1))
    put(params, "LESMEG.txt", b"x")
    told = answer(params, check_mode=False)
    assert (told["changed"], told["problems"], outcomes(told)) == (True, [], {"a.json": "recorded"})
    assert told["lines"] == ["a.json: 1001-pc1, recorded: ready"]
    assert recorded(params) == [("1001-pc1", "2027-05-09T07:00:00Z")]
    again = answer(params, check_mode=False)
    assert (again["changed"], outcomes(again)) == (False, {"a.json": "known"})
    assert len(recorded(params)) == 1


def test_in_check_mode_nothing_is_recorded(params: dict[str, Any]):
    put(params, "a.json", made(-1))
    told = answer(params, check_mode=True)
    assert (told["changed"], outcomes(told)) == (True, {"a.json": "recorded"})
    assert recorded(params) == []


def test_the_newest_of_a_client_is_the_last_that_is_recorded(params: dict[str, Any]):
    put(params, "a.json", made(-1))
    put(params, "b.json", made(-2))
    put(params, "c.json", made(-1))
    told = answer(params, check_mode=False)
    assert outcomes(told) == {"b.json": "recorded", "a.json": "recorded", "c.json": "the same as a.json"}
    assert [at for _, at in recorded(params)] == ["2027-05-08T07:00:00Z", "2027-05-09T07:00:00Z"]
    put(params, "d.json", made(-3))
    assert outcomes(answer(params, check_mode=False))["d.json"] == "older than what is known"
    assert len(recorded(params)) == 2


def test_two_that_were_made_at_one_moment_and_differ(params: dict[str, Any]):
    """In one go each is recorded, and in two the second is no newer than the first."""
    facts = client_facts()
    facts["seconds"] = 9
    put(params, "a.json", made(-1))
    put(params, "b.json", made(-1, facts))
    assert set(outcomes(answer(params, check_mode=False)).values()) == {"recorded"}
    facts["seconds"] = 10
    put(params, "c.json", made(-1, facts))
    assert outcomes(answer(params, check_mode=False))["c.json"] == "older than what is known"


def test_what_is_at_fault_stops_no_other(params: dict[str, Any]):
    put(params, "a.json", made(-1))
    put(params, "b.json", b"{")
    put(params, "c.json", made(-31, client="pc2"))
    put(params, "d.json", made(1, client="pc2"))
    put(params, "e.json", b" " * (MOST_BYTES + 5))
    put(params, "f.JSON", made(-1, site="1002"))
    (Path(params["path"]) / "g.json").symlink_to(Path(params["path"]) / "a.json")
    (Path(params["path"]) / "h.json").mkdir()
    told = answer(params, check_mode=False)
    assert outcomes(told) == {"a.json": "recorded"}
    assert sorted(problem.split(":")[0] for problem in told["problems"]) == [
        f"{name}.json" for name in "bcde"
    ] + ["f.JSON", "g.json", "h.json"]  # fmt: skip
    assert len(recorded(params)) == 1


def test_one_that_was_read_in_time_may_lie_there_for_ever(params: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    put(params, "a.json", made(-1))
    answer(params, check_mode=False)
    monkeypatch.setattr(_selfcheck, "clock_now", lambda _url: NOW + timedelta(days=99))
    told = answer(params, check_mode=False)
    assert (outcomes(told), told["problems"]) == ({"a.json": "known"}, [])


def test_how_old_it_may_be_is_a_setting(params: dict[str, Any]):
    put(params, "a.json", made(-2))
    (problem,) = answer({**params, "settings": {"self_checked_valid_days": 1}}, check_mode=False)["problems"]
    assert problem.startswith("a.json: site 1001: made_at: ")
    with pytest.raises(FolderError, match="self_checked_valid_days: is 0; allowed is a whole number from 1 up"):
        answer({**params, "settings": {"self_checked_valid_days": 0}}, check_mode=False)


def test_a_folder_that_is_not_there(params: dict[str, Any], tmp_path: Path):
    with pytest.raises(FolderError, match="nowhere: cannot be read: No such file"):
        answer({**params, "path": str(tmp_path / "nowhere")}, check_mode=False)


def test_a_contract_that_cannot_be_right(params: dict[str, Any]):
    with pytest.raises(FolderError, match="speed"):
        answer({**params, "contract": {**CONTRACT, "speed": 1}}, check_mode=False)
