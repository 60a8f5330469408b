# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate as module and action plugin call it: journal in, decisions out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import GateError, answer
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal

ROOT = Path(__file__).resolve().parents[8]
CONTRACT = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))[
    "vendor_contract"
]
SITE: dict[str, Any] = {
    "id": "1001",
    "name": "Fjordgata legekontor",
    "kind": "gp_office",
    "county": "Vestland",
    "language": "nn",
    "epj": "Journalen",
    "wave": 1,
    "move_date": None,
    "mode": "server_in_cloud",
    "window": {"weekdays": ["mon", "tue"], "from": "20:00", "to": "06:00"},
    "asked": None,
    "closed": [],
    "contact": None,
    "agreement": {"status": "sent", "form": "digital", "sent": "2027-04-01", "signed": None, "reference": "A1"},
    "signatory_known": True,
    "ros": {"requested": False, "sent": None},
    "confirmed": {"urls": "2027-04-20", "proxy": "2027-04-20"},
    "history_months": 12,
    "server": {"name": "server"},
    "clients": [{"name": "pc1"}],
    "shared_server": None,
}
MEASURED = {
    "site": "1001",
    "host": "1001-server",
    "kind": "measured",
    "subject": None,
    "key": None,
    "data": {
        "origin": "measured",
        "reached": False,
        "cause": "timeout",
        "detail": "",
        "verdict": "unreachable",
        "checks": [],
        "version": None,
        "mode": None,
    },
}


def params(journal: Path, **changes: Any) -> dict[str, Any]:
    settings = {
        "upgrade_minutes": 30,
        "move_minutes": None,
        "retry_minutes": 15,
        "lease_wait_minutes": 240,
        "switch_tolerates": ["favourite_packages"],
    }
    given: dict[str, Any] = {
        "sites": [
            {
                "interactor_site": SITE,
                "interactor_wave": {"id": 1},
                "interactor_vendor": {},
                "interactor_health_trust": {},
                "interactor_waivers": [],
            }
        ],
        "calendar": None,
        "contract": CONTRACT,
        "journal": f"sqlite:///{journal}",
        "clock_url": None,
        "run_id": None,
        "record": [],
        "force": [],
        "settings": settings,
    }
    return {**given, **changes}


def test_a_new_site_is_due_for_its_probe_and_what_it_owes_is_told(tmp_path: Path) -> None:
    told = answer(params(tmp_path / "journal.sqlite"), check_mode=False)
    assert told["due"]["preflight"]["probe"] == ["1001-server", "1001-pc1"]
    assert told["due"]["migrate"]["start"] == []
    site = told["sites"]["1001"]
    assert {owed["code"] for owed in site["owes"]} == {"P4", "P6.contact"}
    assert all(owed["remedy"] for owed in site["owes"])
    assert [row["data"]["site"] for row in told["new_rows"]] == ["1001"]
    assert told["as_of"] is None


def test_what_is_recorded_counts_at_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    told = answer(params(path, record=[MEASURED]), check_mode=False)
    assert told["sites"]["1001"]["verdict"] == "unreachable"
    assert told["as_of"] == told["now"]
    answer(params(path, record=told["new_rows"]), check_mode=False)
    again = answer(params(path), check_mode=False)
    assert again["new_rows"] == [], "a row that says nothing new is not recorded again"
    assert len(Journal(f"sqlite:///{path}").events()) == 2


def test_a_dry_run_counts_what_it_brings_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    told = answer(params(path, record=[MEASURED]), check_mode=True)
    assert told["sites"]["1001"]["verdict"] == "unreachable"
    assert not path.exists()


def test_a_halt_is_seen_by_the_next_question_and_its_end_too(tmp_path: Path) -> None:
    """The journal is read at each question: a person on another machine stops a run that is under way."""
    path = tmp_path / "journal.sqlite"

    def codes() -> set[str]:
        told = answer(params(path, record=[MEASURED, {**MEASURED, "host": "1001-pc1"}]), check_mode=False)
        return {reason["code"] for reason in told["sites"]["1001"]["reasons"]}

    elsewhere, said = Journal(f"sqlite:///{path}"), {"name": "Ola", "reason": "calls"}
    assert "halted" not in codes()
    for subject in ("1", "all"):
        for kind, halted in ((EventKind.HALTED, True), (EventKind.RESUMED, False)):
            now = datetime.now(UTC)
            elsewhere.record("another-run", now, [Event(kind=kind, at=now, subject=subject, data=said)])
            assert ("halted" in codes()) is halted


def test_since_when_is_carried_from_row_to_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal.sqlite"
    start = datetime(2027, 5, 10, 7, tzinfo=UTC)

    def tick(day: int, **changes: Any) -> dict[str, Any]:
        monkeypatch.setattr(
            "ansible_collections.helsevest.interactor.plugins.module_utils._gate.clock_now",
            lambda _url: start + timedelta(days=day),
        )
        told = answer(params(path, **changes), check_mode=False)
        return answer(params(path, record=told["new_rows"]), check_mode=False)

    def since(told: dict[str, Any]) -> dict[str, str | None]:
        return {owed["code"]: owed["since"] for owed in told["sites"]["1001"]["owes"]}

    first = since(tick(0, record=[MEASURED]))
    assert first["SERVER"] == "2027-05-10T07:00:00Z"
    assert first["P4"] == "2027-04-01"
    assert since(tick(1, record=[MEASURED])) == first
    assert tick(2)["new_rows"] == []
    judged = {**MEASURED["data"], "reached": True, "cause": None, "verdict": "ready"}
    assert "SERVER" not in since(tick(3, record=[{**MEASURED, "data": judged}]))
    assert since(tick(4, record=[MEASURED]))["SERVER"] == "2027-05-14T07:00:00Z"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"record": [{**MEASURED, "kind": "guessed"}]}, "guessed"),
        ({"contract": {}}, "installer"),
        ({"journal": "sqlite:////proc/nowhere/journal.sqlite", "record": [MEASURED]}, "JournalError"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(GateError, match=words):
        answer({**params(tmp_path / "journal.sqlite"), **changes}, check_mode=False)


def test_a_contract_that_cannot_be_right_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    contract = {**CONTRACT, "paths": {**CONTRACT["paths"], "work": 7}, "procesess": []}
    with pytest.raises(GateError) as refused:
        answer(params(tmp_path / "journal.sqlite", contract=contract, record=[MEASURED]), check_mode=False)
    assert str(refused.value).splitlines()[1:] == [
        r"vendor_contract.paths.work: is 7; allowed is an absolute Windows path such as D:\Mappe",
        "vendor_contract.procesess: is no key of the contract; did you mean processes?",
    ]
    assert not (tmp_path / "journal.sqlite").exists()
