"""The planner on a register of its own: what is shown, what is written, and a patch that a person applies."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register import load_register

from tests.playbooks.conftest import ROOT, Done, play

TODAY = date.today()  # noqa: DTZ011 - the controller's clock is the real one here
FROM, TO = TODAY + timedelta(days=60), TODAY + timedelta(days=120)
ANSWERED = """
    closed: []
    contact: {name: Kari Eksempel, email: kari@fjordgata.example, phone: "+47 55 00 00 00", weekends: true}
    signatory_known: true
    agreement: {status: signed, sent: 2024-01-01, signed: 2024-01-02}
    confirmed: {urls: 2024-01-01, proxy: 2024-01-01}"""
FILES = {"plan.json", "plan.html", "plan.patch", "moves.ics", "upgrades.ics", "mornings.ics"}


def site(number: int, name: str, more: str = "") -> str:
    return f"""
  - id: "{number}"
    name: {name}
    kind: gp_office
    county: Vestland
    server: {{host: srv{number}.example}}
    clients: [{{name: pc1, host: pc{number}.example}}]{more}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    """An inventory as in production: a site that has answered, one that has not, a promise, and one that is closed."""
    shutil.copytree(ROOT / "inventories" / "production", tmp_path / "inventory")
    register = tmp_path / "inventory" / "register"
    for file in register.iterdir():
        file.unlink()
    (register / "waves.yml").write_text("# The waves.\nwaves:\n  - {id: 1, name: The first}\n")
    always = ANSWERED.replace("[]", f"[{{from: {TODAY}, to: {TO + timedelta(days=30)}}}]")
    promised = f"\n    wave: 1  # spoken with\n    move_date: {FROM + timedelta(days=7)}" + ANSWERED
    sites = [
        site(1001, "'Fjordgata <script>alert(1)</script>'", ANSWERED),
        site(1002, "Øyane"),
        site(1003, "Sentrum", promised),
        site(1004, "Utelatt", always),
        site(1005, "Sandnes", "\n    mode: second" + ANSWERED),
    ]
    (register / "sites.yml").write_text("# The sites.\nsites:" + "".join(sites))
    return tmp_path / "inventory" / "sites.register.yml"


def plan(inventory: Path, *arguments: str, **variables: Any) -> Done:
    given: Mapping[str, Any] = {"plan_from": str(FROM), "plan_to": str(TO), **variables}
    return play("plan", inventory, inventory.parent.parent / "state", *arguments, **given)


def test_a_person_plans_reads_applies_and_plans_again(inventory: Path) -> None:
    folder, register = inventory.parent.parent / "state" / "plan", inventory.parent / "register"
    before = {file.name: file.read_bytes() for file in register.iterdir()}
    dry = plan(inventory, "--check")
    assert dry.code == 0, dry.output
    assert "Fjordgata <script>" in dry.output
    assert not folder.exists()

    done = plan(inventory)
    assert done.code == 0, done.output
    for words in ("1001 Fjordgata", "1002? Øyane", "1003* Sentrum", "Left out: 2", "1004", "The plan is optimal"):
        assert words in done.output
    assert "This is the first plan." in done.output
    assert "Kari" not in done.output
    assert {file.name for file in folder.iterdir()} == FILES
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o640}
    assert {file.name: file.read_bytes() for file in register.iterdir()} == before, "planning changes no register"
    made = json.loads((folder / "plan.json").read_text())
    dates = {site["site"]: site["move_date"] for site in made["sites"]}
    assert dates["1003"] == str(FROM + timedelta(days=7))
    assert [site["site"] for site in made["left_out"]] == ["1004", "1005"]
    assert [reason["code"] for reason in made["left_out"][1]["reasons"]] == ["mode_not_described"]
    assert "<script>alert(1)" not in (folder / "plan.html").read_text()
    for name in FILES - {"plan.patch"}:
        assert "Kari" not in (folder / name).read_text()
        assert "+47" not in (folder / name).read_text()

    subprocess.run(["git", "apply", str(folder / "plan.patch")], cwd=inventory.parent, check=True)
    sites = {site.id: site for site in load_register(register).sites}
    assert str(sites["1001"].move_date) == dates["1001"]
    assert sites["1001"].wave is not None
    assert sites["1002"].move_date is None, "it has not answered (P7)"
    assert sites["1002"].wave is None, "a wave of one week would bind it"
    assert str(sites["1003"].move_date) == dates["1003"]
    assert sites["1004"].move_date is None
    assert sites["1005"].move_date is None
    text = (register / "sites.yml").read_text()
    assert text.startswith("# The sites.\n")
    assert "wave: 1  # spoken with" in text

    # Planned again, every site stays where it is and nothing is left to write into the register.
    again = plan(inventory)
    assert again.code == 0, again.output
    assert "No site has another date than in the previous plan." in again.output
    assert {
        site["site"]: site["move_date"] for site in json.loads((folder / "plan.json").read_text())["sites"]
    } == dates
    assert not (folder / "plan.patch").exists()
    once_more = plan(inventory)
    assert once_more.changed == 0, once_more.output


def test_a_promise_that_is_given_up_is_planned_anew(inventory: Path) -> None:
    # Typed as on a command line, where every value is a text.
    done = plan(inventory, "-e", "plan_replan=1003,1001")
    assert done.code == 0, done.output
    assert "1003 Sentrum" in done.output
    made = json.loads((inventory.parent.parent / "state" / "plan" / "plan.json").read_text())
    assert [site["promised"] for site in made["sites"] if site["site"] == "1003"] == [False]
    assert made["settings"]["replan"] == ["1001", "1003"]


def test_all_settings_that_are_wrong_are_told_at_once(inventory: Path) -> None:
    wrong = {"plan_from": "soon", "plan_moves_per_night": "many", "plan_epj": "spred", "plan_calls_on": "few"}
    done = plan(inventory, **wrong)
    assert done.code not in (0, 1), done.output
    told = " ".join(done.output.split())
    for words in (
        "(plan_from): 'soon'; a date YYYY-MM-DD is allowed",
        "(plan_moves_per_night): 'many'; a whole number from 0 to 10000 is allowed",
        "(plan_epj): 'spred'; one of ignore, spread, together is allowed; spread was meant?",
        "(plan_calls_on): 'few'; numbers by date are allowed",
    ):
        assert words in told
    assert not (inventory.parent.parent / "state" / "plan").exists()


def test_numbers_by_date_are_typed_on_the_command_line(inventory: Path) -> None:
    first, second = FROM, FROM + timedelta(days=1)
    done = plan(inventory, "-e", f"plan_moves_on={first}:0,{second}:1", "-e", "plan_answer_days=7")
    assert done.code == 0, done.output
    made = json.loads((inventory.parent.parent / "state" / "plan" / "plan.json").read_text())
    assert made["settings"]["moves_on"] == {str(first): 0, str(second): 1}
    assert made["settings"]["answer_days"] == 7
