# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module site_sheet: in and out, dry runs, conflicts, and files that only their owner may read."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._sheet_import import Import, import_table
from ansible_collections.helsevest.interactor.plugins.modules import site_sheet

from .conftest import RunModule

RIGHT = """\
sites:
  # the first
  - {id: A1, name: A, kind: gp_office, county: V, server: {host: s1}, clients: [{name: a, host: a1}]}
"""


@pytest.fixture
def register(tmp_path: Path) -> Path:
    folder = tmp_path / "register"
    folder.mkdir()
    (folder / "sites.yml").write_text(RIGHT)
    return folder


def options(register: Path, state: str = "imported", **more: object) -> dict[str, object]:
    return {"state": state, "register": str(register), "table": str(register.parent / "t.csv"), **more}


def test_answers_are_written_and_nothing_in_check_mode(register: Path, run_module: RunModule) -> None:
    (register.parent / "t.csv").write_text("Kontornr;Journalsystem\nA1;Journalen\n")
    full = register.parent / "full.diff"
    asked = options(register, difference_file=str(full))

    dry = run_module(site_sheet.main, check=True, **asked)
    assert dry["changed"]
    assert "+  - {id: A1" in dry["difference"]
    assert dry["diff"]["prepared"] == dry["difference"]
    assert (register / "sites.yml").read_text() == RIGHT
    assert not full.exists()

    assert run_module(site_sheet.main, **asked)["files"] == [str(register / "sites.yml")]
    assert (register / "sites.yml").read_text() == RIGHT.replace("county: V,", "county: V, epj: Journalen,")
    assert full.stat().st_mode & 0o777 == 0o600
    assert not run_module(site_sheet.main, **asked)["changed"]


def test_with_a_conflict_nothing_at_all_is_written_unless_asked_for(register: Path, run_module: RunModule) -> None:
    (register.parent / "t.csv").write_text("Kontornr;Fylke;Journalsystem\nA1;Rogaland;Journalen\n")
    full = register.parent / "full.diff"

    left = run_module(site_sheet.main, **options(register, difference_file=str(full)))
    assert left["failed"]
    assert "site A1: county: V at " in left["msg"]
    assert "Rogaland in the table" in left["msg"]
    assert str(full) in left["msg"]
    assert full.read_text().startswith("# site A1: county: ")
    assert (register / "sites.yml").read_text() == RIGHT

    assert run_module(site_sheet.main, **options(register, overwrite=True))["changed"]
    assert "county: Rogaland, epj: Journalen" in (register / "sites.yml").read_text()


def test_a_save_made_while_the_import_runs_is_never_overwritten(
    register: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
) -> None:
    (register.parent / "t.csv").write_text(
        "Kontornr;Navn;Type;Fylke;Server;Journalsystem\nA1;;;;;X\nB2;B;legekontor;V;s2;"
    )
    (register.parent / "t.klienter.csv").write_text("Kontornr;Klient;Vertsnavn\nB2;b;b2\n")
    saved = RIGHT.replace("county: V,", "county: Rogaland,")

    def then_saved(*args: object, **more: object) -> Import:
        found = import_table(*args, **more)  # type: ignore[arg-type]
        (register / "sites.yml").write_text(saved)
        (register / "new.yml").write_text("sites: []\n")
        return found

    monkeypatch.setattr(site_sheet, "import_table", then_saved)
    result = run_module(site_sheet.main, **options(register, new_file="new.yml"))
    assert result["failed"]
    assert sorted(result["msg"].splitlines()) == [
        f"{register / name} was changed while this ran; nothing is written; run it again"
        for name in ("new.yml", "sites.yml")
    ]
    assert (register / "sites.yml").read_text() == saved
    assert (register / "new.yml").read_text() == "sites: []\n"


def test_a_table_that_is_wrong_is_told_with_every_problem(register: Path, run_module: RunModule) -> None:
    (register.parent / "t.csv").write_text("Kontornr;Flyttedato;ROS\nA1;snart;=1\n")
    result = run_module(site_sheet.main, **options(register))
    assert result["failed"]
    assert len(result["problems"]) == 2
    assert "the table has 2 problem(s); nothing is written" in result["msg"]


@pytest.mark.parametrize("name", ["../sites.yml", "sites.yaml", ".sites.yml", ""])
def test_new_sites_go_into_the_register_and_nowhere_else(register: Path, run_module: RunModule, name: str) -> None:
    result = run_module(site_sheet.main, **options(register, new_file=name))
    assert result["failed"]
    assert "name.yml" in result["msg"]


def test_the_register_goes_out_as_a_file_that_only_its_owner_reads(register: Path, run_module: RunModule) -> None:
    path = register.parent / "out.xlsx"
    asked = {**options(register, "exported"), "table": str(path)}

    assert run_module(site_sheet.main, check=True, **asked)["files"] == [str(path)]
    assert not path.exists()
    assert run_module(site_sheet.main, **asked)["changed"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert openpyxl.load_workbook(path)["Kontor"]["A2"].value == "A1"
    assert not run_module(site_sheet.main, **{**asked, "state": "imported"})["changed"]


def test_what_cannot_be_written_is_told(register: Path, run_module: RunModule) -> None:
    missing = run_module(site_sheet.main, **{**options(register, "exported"), "table": "/nowhere/at/all.csv"})
    assert missing["failed"]
    assert "/nowhere/at" in missing["msg"]
    assert "neither .xlsx nor .csv" in run_module(
        site_sheet.main, **{**options(register, "exported"), "table": "x.ods"}
    )["msg"]  # fmt: skip
