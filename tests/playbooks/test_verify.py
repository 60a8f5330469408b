"""The checklist for a real server, walked by the real playbook on simulated ones: it puts everything back."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.conftest import DEMO, ROOT, Controller, Done, controlling
from tests.pwsh.engine import find

SERVER = "srv.fjordgata.example"
ONE = ("--limit", "1001-server", "-e", "verify_round_trips=1")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """The demo's fleet; site 1002's server has a PowerShell of before 5.1."""
    folder = tmp_path_factory.mktemp("verify")
    text, count = re.subn(
        r"(?m)^(  1002:.*\n)", r'\1    server: {powershell: "4.0"}\n', DEMO.read_text(encoding="utf-8")
    )
    assert count == 1
    scenario = folder / "scenario.yml"
    scenario.write_text(text, encoding="utf-8")
    with controlling(folder, scenario) as one:
        yield one


def protocol(fleet: Controller, host: str = "1001-server") -> dict[str, Any]:
    path = fleet.state / "report" / f"verify-{host}.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def row(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in told["rows"] if each["id"] == name)
    return found


def failed(told: dict[str, Any]) -> list[str]:
    return [each["id"] for each in told["rows"] if each["result"] == "failed"]


def message(done: Done) -> str:
    """What a run says, in one line: the terminal folds long texts."""
    return " ".join(done.output.split())


def test_a_walk_puts_everything_back_and_writes_its_protocol(fleet: Controller) -> None:
    before = fleet.simulation.state()
    said = {"verify_name": "Kari Nordmann", "verify_commit": "0123abc"}
    done = fleet.play("verify", "--limit", "1001-server", **said)
    assert done.code == 0, done.output
    assert fleet.simulation.state() == before
    told = protocol(fleet)
    assert {name: told[name] for name in ("who", "host", "site", "commit", "dry", "at")} == {
        "who": "Kari Nordmann",
        "host": "1001-server",
        "site": "1001",
        "commit": "0123abc",
        "dry": False,
        "at": "2027-05-10T07:00:00Z",
    }
    assert 0 < told["seconds"] < 3600
    assert told["counts"]["failed"] == 0
    measured = [each for each in told["rows"] if each["by"] == "measured"]
    assert {each["result"] for each in measured} == {"passed"}
    # Of what needs nobody only the boot time takes a second run, an hour later.
    assert [each["id"] for each in told["rows"] if each["needs"] == "nobody" and each["result"] != "passed"] == ["9b"]
    assert all(each["seconds"] is not None for each in measured if each["id"] != "7k")
    assert (fleet.state / "report" / "verify-1001-server.md").is_file()
    assert fleet.secrets_found(done.output) == []
    # What people have to see is told, and nobody is waited for.
    assert "a person" in done.output
    asked = {call["call"].split(".")[-1] for call in fleet.simulation.calls() if call["host"] == SERVER}
    assert {"win_ping", "interactor_verify look", "interactor_verify trial", "interactor_verify again"} <= asked


def test_what_people_have_seen_is_recorded_by_a_second_run(fleet: Controller, tmp_path: Path) -> None:
    answers = tmp_path / "seen.yml"
    answers.write_text(
        '"1a": passed\n"5": {result: failed, note: one profile was seen, who: Ola, date: 2027-05-09}\n',
        encoding="utf-8",
    )
    fleet.simulation.set_clock("2027-05-10T09:00:00Z")
    done = fleet.play("verify", *ONE, verify_answers=str(answers), verify_seen={"20": "not applicable"})
    assert done.code == 2
    assert "One of us is needed: 5 Is the proxy seen per user?: one profile was seen" in message(done)
    told = protocol(fleet)
    assert [row(told, name)["result"] for name in ("1a", "5", "20")] == ["passed", "failed", "not applicable"]
    assert row(told, "5")["seen"]["who"] == "Ola"
    # Two hours later the boot time is still the same.
    assert (row(told, "9b")["result"], row(told, "9b")["observed"][:10]) == ("passed", "4 readings")
    again = fleet.play("verify", *ONE, verify_seen={"5": "passed"})
    assert again.code == 0, again.output
    assert [row(protocol(fleet), name)["result"] for name in ("1a", "5", "20")] == [
        "passed",
        "passed",
        "not applicable",
    ]


def test_an_answer_that_is_wrong_is_refused_before_the_server_is_asked(fleet: Controller, tmp_path: Path) -> None:
    answers = tmp_path / "seen.yml"
    answers.write_text('"99": passed\n"5": maybe\n', encoding="utf-8")
    count = len(fleet.simulation.calls())
    done = fleet.play("verify", *ONE, verify_answers=str(answers), verify_seen='{"3": passed}')
    assert done.code == 2
    told = message(done)
    for words in (
        f"{answers}: row '99': is none of the checklist; allowed are 1a, 2, 4,",
        f"{answers}: row '5': result: is 'maybe'; allowed are passed, failed, open, not applicable",
        "verify_seen: row '3': is found out by itself; allowed are 1a,",
    ):
        assert words in told
    assert len(fleet.simulation.calls()) == count


def test_it_is_for_one_server(fleet: Controller) -> None:
    count = len(fleet.simulation.calls())
    done = fleet.play("verify", "--limit", "wave_1")
    assert done.code == 2
    assert re.search(r"verify\.yml is for one server, and this run has \d+: 1001-server, ", message(done))
    assert len(fleet.simulation.calls()) == count


def test_a_dry_run_tries_and_writes_nothing(fleet: Controller) -> None:
    before = protocol(fleet)
    done = fleet.play("verify", *ONE, "--check")
    assert done.code == 0, done.output
    assert "nothing is tried in a dry run" in message(done)
    assert protocol(fleet) == before


def test_an_old_powershell_is_a_row_that_fails(fleet: Controller) -> None:
    done = fleet.play("verify", "--limit", "1002-server")
    assert done.code == 2
    told = protocol(fleet, "1002-server")
    assert failed(told) == ["3"]
    assert row(told, "3")["observed"].startswith("4.0 None")


def test_a_wrong_contract_is_a_row_that_fails(fleet: Controller) -> None:
    before = fleet.simulation.state()
    demo = (ROOT / "inventories" / "demo" / "group_vars" / "all.yml").read_text(encoding="utf-8")
    sha256 = re.search(r"sha256: (\w+)", demo)
    assert sha256
    wrong = {
        "installer": {"sha256": sha256[1], "publisher": "Noen Andre AS"},
        "paths": {"data": r"D:\Interactor\Data"},
        "config": {"endpoint_key": "url"},
    }
    done = fleet.play("verify", *ONE, vendor_contract_overrides=wrong)
    assert done.code == 2
    told = protocol(fleet)
    assert {"7c", "7d", "7e"} <= set(failed(told))
    assert row(told, "7c")["observed"] == r"missing: paths.data: D:\Interactor\Data"
    assert fleet.simulation.state() == before


@pytest.mark.pwsh
def test_a_walk_with_our_scripts_in_a_real_powershell(tmp_path: Path) -> None:
    find()
    with controlling(tmp_path, engine="powershell") as fleet:
        before = fleet.simulation.state()
        done = fleet.play("verify", *ONE)
        told = protocol(fleet)
        assert fleet.simulation.state() == before
    assert done.code == 2
    # All that is not Windows' own is there; what a real server has to have is Windows PowerShell 5.1.
    assert failed(told) == ["3"]
    assert " Core, FullLanguage, culture nb-NO" in row(told, "3")["observed"]
    assert {each["result"] for each in told["rows"] if each["by"] == "measured" and each["id"] != "3"} == {"passed"}


def test_a_server_that_is_off_gives_a_protocol_all_the_same(fleet: Controller) -> None:
    done = fleet.play("verify", "--limit", "2003-server")
    assert done.code == 2
    told = protocol(fleet, "2003-server")
    assert "1" in failed(told)
    assert row(told, "7a")["result"] == "open"
    assert row(told, "21a")["observed"] == "not asked"
    assert "the server was not reached" in row(told, "1")["observed"]
