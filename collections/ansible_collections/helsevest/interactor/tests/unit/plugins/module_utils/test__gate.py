# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate as module and action plugin call it: journal in, decisions out."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import Validity
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._gate import GateError, answer, validity_from
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
        "upgrade_minutes": None,
        "move_minutes": None,
        "retry_minutes": 15,
        "lease_wait_minutes": 240,
        "switch_tolerates": ["favourite_packages"],
        "failure_budget": {},
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
        "waves": {},
        "phases": ["upgrade", "migrate", "rollback", "postcheck"],
        "taken": None,
        "expected": None,
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
        ({"contract": {}}, "migration"),
        ({"journal": "sqlite:////proc/nowhere/journal.sqlite", "record": [MEASURED]}, "JournalError"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(GateError, match=words):
        answer({**params(tmp_path / "journal.sqlite"), **changes}, check_mode=False)


EVENING = datetime(2027, 5, 14, 16, tzinfo=UTC)
WAVE = [str(number) for number in range(1001, 1011)]
BUDGET = {"ours": {"count": 2, "share": 0}}


def dated(site: str) -> dict[str, Any]:
    """A site that may be upgraded this evening."""
    answers = {
        "move_date": "2027-05-18",
        "contact": {"name": "Kari", "email": "kari@prove.example", "phone": "55000000", "weekends": False},
        "agreement": {**SITE["agreement"], "status": "signed", "signed": "2027-04-15"},
    }
    return {**params(Path())["sites"][0], "interactor_site": {**SITE, **answers, "id": site}}


def ready(site: str, *, failed: bool = False) -> list[dict[str, Any]]:
    """What this run has found there: all well, or a step that failed."""
    judged = {
        **MEASURED["data"],
        "reached": True,
        "cause": None,
        "verdict": "ready",
        "version": "5.4.1",
        "mode": "local",
    }
    of = {"subject": None, "key": None, "site": site}
    ledger = {"ledger": None, "error": None, "mode": "local", "version": "5.4.1"}
    step = {"phase": "upgrade", "attempt": None, "ok": not failed, "detail": "1603" if failed else ""}
    step["started"] = "2027-05-14T16:00:00Z"
    return [
        *({**of, "kind": "measured", "host": f"{site}-{host}", "data": judged} for host in ("server", "pc1")),
        {**of, "kind": "ledger", "host": f"{site}-server", "data": ledger},
        {**of, "kind": "step", "host": None, "subject": "look", "data": step},
    ]


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of a wave that is released, on its evening."""
    path = tmp_path / "journal.sqlite"
    monkeypatch.setattr(
        "ansible_collections.helsevest.interactor.plugins.module_utils._gate.clock_now", lambda _url: EVENING
    )
    said = {"name": "Kari", "reason": "all have answered", "until": "2027-05-21T22:00:00Z"}
    Journal(f"sqlite:///{path}").record(
        "release", EVENING, [Event(kind=EventKind.RELEASED, at=EVENING, subject="1", data=said)]
    )
    return path


def ask(path: Path, sites: list[str], failed: list[str], *, check_mode: bool = False, **changes: Any) -> dict[str, Any]:
    """One question about `sites`, of which some have `failed` just now."""
    record = [event for site in sites for event in ready(site, failed=site in failed)]
    given = params(path, sites=[dated(site) for site in sites], record=record, waves={"1": WAVE}, run_id="run-1")
    given["settings"] = {**given["settings"], "failure_budget": BUDGET}
    return answer({**given, **changes}, check_mode=check_mode)


def halted(path: Path) -> list[Mapping[str, Any]]:
    return [event.data for event in Journal(f"sqlite:///{path}").events(kinds=[EventKind.HALTED])]


def resume(path: Path) -> None:
    said = {"name": "Kari", "reason": "they are known"}
    event = Event(kind=EventKind.RESUMED, at=EVENING, subject="1", data=said)
    Journal(f"sqlite:///{path}").record("resume", EVENING, [event])


def test_within_the_budget_the_others_begin(evening: Path) -> None:
    told = ask(evening, WAVE[:4], WAVE[:2])
    assert [told["sites"][site]["row"]["failed"] for site in WAVE[:4]] == ["ours", "ours", None, None]
    assert told["sites"]["1003"]["take"] == {"phase": "upgrade", "step": "stage"}
    assert told["servers"][-2:] == ["1003-server", "1004-server"]
    assert halted(evening) == []


def test_the_answer_that_finds_too_many_lets_nobody_begin(evening: Path) -> None:
    told = ask(evening, WAVE[:4], WAVE[:3])
    assert [told["sites"][site]["take"] for site in WAVE[:4]] == [None] * 4
    why = "wave 1 is halted by failure budget: 3 of 10 failed on our side (allowed: 2): 1001, 1002, 1003"
    assert told["sites"]["1004"]["row"]["why"] == why
    assert len(halted(evening)) == 1


def test_a_run_that_is_limited_counts_the_waves_other_sites(evening: Path) -> None:
    for site in WAVE[:2]:
        assert ask(evening, [site], [site])["sites"][site]["row"]["failed"] == "ours"
    assert ask(evening, ["1004"], [])["sites"]["1004"]["allowed"]
    assert halted(evening) == []
    ask(evening, ["1003"], ["1003"])
    assert not ask(evening, ["1004"], [])["sites"]["1004"]["allowed"]
    assert len(halted(evening)) == 1
    # What is mended in another run counts no more, and a wave that somebody resumed goes on until a further one fails.
    resume(evening)
    assert ask(evening, ["1004"], [])["sites"]["1004"]["allowed"]
    ask(evening, ["1001"], [])
    assert ask(evening, ["1005"], ["1005"])["sites"]["1005"]["row"]["failed"] == "ours"
    assert not ask(evening, ["1004"], [])["sites"]["1004"]["allowed"]
    assert [sorted(data["failed"])[-1] for data in halted(evening)] == ["1003 2027-05-18 ours", "1005 2027-05-18 ours"]


def test_in_check_mode_the_answer_is_the_same_and_nothing_is_recorded(evening: Path) -> None:
    before = len(Journal(f"sqlite:///{evening}").events())
    told = ask(evening, WAVE[:4], WAVE[:3], check_mode=True)
    assert not told["sites"]["1004"]["allowed"]
    assert "failure budget" in told["sites"]["1004"]["row"]["why"]
    assert len(Journal(f"sqlite:///{evening}").events()) == before
    # What it has found is handed on to its next question.
    again = ask(evening, WAVE[:4], [], check_mode=True, record=told["unrecorded"])
    assert [one["row"] for one in again["sites"].values()] == [one["row"] for one in told["sites"].values()]


def test_of_many_that_find_it_at_once_one_halts(evening: Path) -> None:
    for site in WAVE[:2]:
        ask(evening, [site], [site])
    generous = {**params(evening)["settings"], "failure_budget": {"ours": {"count": 9}}}
    ask(evening, ["1003"], ["1003"], settings=generous)
    assert halted(evening) == []
    with ThreadPoolExecutor(16) as at_once:
        told = list(at_once.map(lambda site: ask(evening, [site], []), WAVE[3:] * 4))
    assert not any(one["servers"] for one in told)
    assert len(halted(evening)) == 1


def test_of_many_that_fail_at_once_none_is_overlooked(evening: Path) -> None:
    with ThreadPoolExecutor(16) as at_once:
        list(at_once.map(lambda site: ask(evening, [site], [site]), WAVE[:9]))
    assert len(halted(evening)[-1]["failed"]) > 2
    assert not ask(evening, ["1010"], [])["sites"]["1010"]["allowed"]
    told = {failure for data in halted(evening) for failure in data["failed"]}
    assert told == {f"{site} 2027-05-18 ours" for site in WAVE[:9]}, "resumed, only a further one halts again"


def test_a_budget_that_makes_no_sense_is_refused(evening: Path) -> None:
    given = params(evening)
    given["settings"] = {**given["settings"], "failure_budget": {"ours": {"share": 5}}}
    with pytest.raises(GateError, match="failure_budget: share: 5; allowed: 0 to 1"):
        answer(given, check_mode=False)


def test_a_step_is_taken_once_in_a_run(evening: Path) -> None:
    assert ask(evening, ["1001"], [])["sites"]["1001"]["take"] == {"phase": "upgrade", "step": "stage"}
    again = ask(evening, ["1001"], [], taken={"phase": "upgrade", "step": "stage"})["sites"]["1001"]
    assert (again["allowed"], again["take"]) == (True, None)
    assert ask(evening, ["1001"], [], phases=["rollback"])["sites"]["1001"]["take"] is None


def test_twenty_earlier_moves_tell_how_long_one_takes(evening: Path) -> None:
    """And what the run has reckoned with first, it reckons with to its end."""
    attempt = {"number": 1, "prepared": "2027-05-11T18:00:00Z", "switched": "2027-05-11T21:20:00Z"}

    def moved(number: int) -> dict[str, Any]:
        data = {"ledger": {"attempts": [attempt]}, "error": None, "mode": None, "version": None}
        return {"kind": "ledger", "site": str(number), "host": f"{number}-server", "data": data}

    first = ask(evening, ["1001"], [], record=[moved(number) for number in range(2001, 2020)])
    assert first["expected"]["move"] == {"minutes": 60, "basis": "estimate", "runs": 19}
    assert first["expected"]["upgrade"] == {"minutes": 30, "basis": "estimate", "runs": 0}
    told = ask(evening, ["1001"], [], record=[moved(2020)])
    assert told["expected"]["move"] == {"minutes": 200, "basis": "runs", "runs": 20}
    same_run = ask(evening, ["1001"], [], expected=first["expected"])
    assert same_run["expected"] == first["expected"]


def test_a_contract_that_cannot_be_right_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    contract = {**CONTRACT, "paths": {**CONTRACT["paths"], "work": 7}, "procesess": []}
    with pytest.raises(GateError) as refused:
        answer(params(tmp_path / "journal.sqlite", contract=contract, record=[MEASURED]), check_mode=False)
    assert str(refused.value).splitlines()[1:] == [
        r"vendor_contract.paths.work: is 7; allowed is an absolute Windows path such as D:\Mappe",
        "vendor_contract.procesess: is no key of the contract; did you mean processes?",
    ]
    assert not (tmp_path / "journal.sqlite").exists()


def test_how_long_each_kind_of_result_counts_is_a_setting() -> None:
    assert validity_from({}) == Validity()
    chosen = {"server_valid_hours": 1, "client_valid_days": 2, "self_checked_valid_days": 3, "confirmed_valid_days": 0}
    hour, day = timedelta(hours=1), timedelta(days=1)
    assert validity_from(chosen) == Validity(hour, 2 * day, 3 * day, 0 * day)


@pytest.mark.parametrize("name", ["server_valid_hours", "client_valid_days", "self_checked_valid_days"])
def test_a_result_that_never_counts_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"settings.{name}: is 0; allowed is a whole number from 1 up"):
        validity_from({name: 0})
    with pytest.raises(ValueError, match="confirmed_valid_days: is -1; allowed is a whole number from 0 up"):
        validity_from({"confirmed_valid_days": -1})
