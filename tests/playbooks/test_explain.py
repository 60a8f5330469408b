"""explain.yml and the list of what sites owe, over a register and a journal alone: no host and no simulator."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind
from ansible_collections.helsevest.interactor.plugins.module_utils._journal import Journal

from tests.playbooks.conftest import ROOT, Controller

NAME, EMAIL, PHONE = "Kari Kontakt", "kari@fjord.example", "+47 55 99 88 77"


def site(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "name": f"Fjordgata {number}",
        "kind": "gp_office",
        "county": "Vestland",
        "language": "nn",
        "wave": 1,
        "asked": "2026-03-02",
        "contact": {"name": NAME, "email": EMAIL, "phone": PHONE},
        "server": {"host": f"srv{number}.example", "credential": "default"},
        "clients": [{"name": "pc1", "host": f"pc1.{number}.example"}],
        **changes,
    }


SHARED = {"server": {"host": "kai.example", "credential": "default"}, "shared_server": "kai"}


@dataclass(frozen=True)
class NoSimulation:
    """A production inventory knows of no simulator."""

    environment: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Controller:
    """A person with a register of three sites and a journal of one of them."""
    folder = tmp_path_factory.mktemp("explain")
    inventory = folder / "inventory"
    shutil.copytree(ROOT / "inventories" / "production", inventory)
    sites = [site(1017, **SHARED), site(1018, **SHARED), site(2001, asked=None)]
    # JSON is YAML.
    (inventory / "register" / "sites.yml").write_text(json.dumps({"sites": sites}), encoding="utf-8")
    return Controller(NoSimulation(), folder / "state", inventory / "sites.register.yml")


@pytest.fixture(scope="module")
def journal(person: Controller) -> Path:
    """The journal, in which the server was off for three days and the wave was halted."""
    path = person.state / "journal.sqlite"
    missed = {"origin": "measured", "reached": False, "cause": "timeout", "detail": "", "verdict": "unreachable"}
    start = datetime.now(UTC) - timedelta(days=3)
    for day in range(3):
        at = start + timedelta(days=day)
        event = Event(
            kind=EventKind.MEASURED,
            at=at,
            site="1017",
            host="1017-server",
            data={**missed, "checks": [], "version": None, "mode": None},
        )
        Journal(str(path)).record(f"run-{day}", at, [event])
    halt = Event(kind=EventKind.HALTED, at=start, subject="1", data={"name": "Ola", "reason": "calls"})
    Journal(str(path)).record("run-9", datetime.now(UTC), [halt])
    return path


def explain(person: Controller, site: str | int, *arguments: str) -> tuple[int, str]:
    done = person.play("explain", *arguments, **{"site": site})
    return done.code, " ".join(done.output.replace("''", "'").split())


def test_a_site_without_a_journal_is_told(person: Controller) -> None:
    code, output = explain(person, 2001)
    assert code == 0, output
    assert "Site 2001 as of" in output
    assert "«Opne nettsidene" in output
    assert "owed since: not asked yet" in output
    assert not person.state.exists(), "nothing is written"


def test_all_that_is_known_is_told_and_nothing_is_changed(person: Controller, journal: Path) -> None:
    before = journal.read_bytes()
    for arguments in ((), ("--check",), ("-vvvv",)):
        code, output = explain(person, "1017", *arguments)
        assert code == 0, output
        assert "02.03.2026 register Asked for its answers (P6)" in output
        assert "run-0 1017-server not reached (timeout) – 3 times the same, the last" in output
        assert "run-9 Wave 1 halted by Ola calls" in output
        assert "shared server kai, with 1018" in output
        assert "us halted wave 1 is halted by Ola: calls" in output
        assert "Move window" not in output, "it has no date"
        assert [secret for secret in (NAME, EMAIL, PHONE) if secret in output] == []
    assert journal.read_bytes() == before


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ("1071", "site '1071' is none of the register's 3 site(s); did you mean '1017' or '1018'?"),
        ("", "-e site=1017"),
    ],
)
def test_a_site_that_is_not_there_is_told(person: Controller, site: str, words: str) -> None:
    code, output = explain(person, site)
    assert code == 2
    assert words in output


def test_register_lists_what_is_owed_and_report_writes_it_for_letters(
    person: Controller, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERACTOR_USER", "nobody")
    monkeypatch.setenv("INTERACTOR_PASSWORD", "nothing")
    done = person.play("register")
    assert done.code == 0, done.output
    listed = [line.split()[:8] for line in done.output.splitlines() if line.startswith((" 02.03.2026", " not asked"))]
    assert listed[0][3:] == ["wave", "1", "1017", "Fjordgata", "1017"], "whoever waits longest comes first"
    assert {cells[0] for cells in listed[-4:]} == {"not"}
    assert journal.exists()
    assert person.play("report").code == 0
    path = person.state / "report" / "owes.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    (first, _, third) = told["sites"]
    since = {owed["code"]: (owed["basis"], owed["days"]) for owed in first["owes"]}
    assert since["SERVER"][0] == "measured"
    assert since["P6.urls"][0] == "asked"
    assert {owed["who"] for owed in third["owes"] if owed["code"].startswith("P6")} == {"us"}
    assert [secret for secret in (NAME, EMAIL, PHONE) if secret in path.read_text(encoding="utf-8")] == []
    assert path.stat().st_mode & 0o777 == 0o640
    assert person.play("report").changed == 0, "the same day says the same"
