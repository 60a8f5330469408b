# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing the files of a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.modules import site_plan_files

RunModule = Callable[..., dict[str, Any]]
ROOT = next(folder for folder in Path(__file__).parents if (folder / "ansible.cfg").exists())
TUESDAY = date(2027, 3, 16)
REGISTER = """
waves: [{id: 11, name: Week 11}]
sites:
- {id: "1001", name: A, kind: gp_office, county: Vestland, server: {host: a}, clients: [{name: pc1, host: a1}]}
- {id: "1002", name: B, kind: gp_office, county: Vestland, server: {host: b}, clients: [{name: pc1, host: b1}]}
"""
FILES = {"plan.json", "plan.html", "plan.patch", "moves.ics", "upgrades.ics", "mornings.ics"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "plan"


@pytest.fixture
def options(tmp_path: Path, folder: Path, plans: Any) -> dict[str, Any]:
    register = tmp_path / "project" / "register"
    register.mkdir(parents=True)
    (register / "all.yml").write_text(REGISTER)
    return {
        "plan": plans.plan(plans.site(1001, TUESDAY), plans.site(1002, TUESDAY, answered=False)),
        "dir": str(folder),
        "register": str(register),
        "page": str(ROOT / "roles" / "plan" / "templates" / "plan.html.j2"),
        "title": "The move",
        "root": str(register.parent),
    }


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def run(run_module: RunModule, options: dict[str, Any], *, check: bool = False, **more: object) -> dict[str, Any]:
    result = run_module(site_plan_files.main, check=check, **{**options, **more})
    assert not result.get("failed"), result
    return result


def test_all_files_are_written_for_the_group_only(options: dict[str, Any], folder: Path, run_module: RunModule):
    result = run(run_module, options)
    assert (result["changed"], set(result["written"]), result["patch"]) == (True, FILES, True)
    assert set(content(folder)) == FILES
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o640}
    assert json.loads((folder / "plan.json").read_text()) == options["plan"]
    assert "The move" in (folder / "plan.html").read_text()
    assert b"X-WR-CALNAME:The move" in (folder / "moves.ics").read_bytes()


def test_check_mode_says_so_and_writes_nothing(options: dict[str, Any], folder: Path, run_module: RunModule):
    result = run(run_module, options, check=True)
    assert (result["changed"], set(result["written"])) == (True, FILES)
    assert not folder.parent.exists()
    run(run_module, options)
    before = content(folder)
    later = {**options["plan"], "made": "2027-02-01T08:00:00Z", "warnings": ["new"]}
    assert run(run_module, options, check=True, plan=later)["changed"]
    assert content(folder) == before


def test_the_same_plan_gives_the_same_bytes(options: dict[str, Any], folder: Path, run_module: RunModule):
    run(run_module, options)
    before = content(folder)
    again = {**options["plan"], "made": "2027-02-01T08:00:00Z", "changed": 2}
    assert run(run_module, options, plan=again)["written"] == []
    assert content(folder) == before
    assert json.loads(before["plan.json"])["made"] == options["plan"]["made"]


def test_another_plan_is_another_time_and_cancels_what_is_gone(
    options: dict[str, Any], folder: Path, run_module: RunModule, plans: Any
):
    run(run_module, options)
    wednesday = TUESDAY + timedelta(days=1)
    other = plans.plan(plans.site(1001, wednesday), plans.site(1002, wednesday), made="2027-02-01T08:00:00Z")
    assert set(run(run_module, options, plan=other)["written"]) == FILES
    assert json.loads((folder / "plan.json").read_text())["made"] == "2027-02-01T08:00:00Z"
    assert (folder / "moves.ics").read_text().count("STATUS:CANCELLED") == 1


def test_a_patch_that_is_no_longer_needed_is_taken_away(
    options: dict[str, Any], folder: Path, run_module: RunModule, plans: Any
):
    run(run_module, options)
    result = run(run_module, options, plan=plans.plan(made="2027-02-01T08:00:00Z"))
    assert "plan.patch" in result["written"]
    assert not result["patch"]
    assert set(content(folder)) == FILES - {"plan.patch"}
    assert run(run_module, options, plan=plans.plan(made="2027-02-01T08:00:00Z"))["written"] == []


def test_paths_in_the_patch_are_relative_to_where_ansible_was_started(
    options: dict[str, Any], folder: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    del options["root"]
    monkeypatch.chdir(tmp_path)
    run(run_module, options)
    assert "+++ b/project/register/all.yml\n" in (folder / "plan.patch").read_text()


@pytest.mark.parametrize("file", ["plan.json", "moves.ics"])
def test_a_file_that_is_damaged_is_named_and_nothing_is_written(
    options: dict[str, Any], folder: Path, run_module: RunModule, file: str
):
    folder.mkdir(parents=True)
    (folder / file).write_text("{nonsense")
    result = run_module(site_plan_files.main, **options)
    assert result["failed"]
    assert f"{folder / file} is no" in result["msg"]
    assert "take it away and try again" in result["msg"]
    assert set(content(folder)) == {file}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"plan": {}}, "KeyError"),
        ({"page": "/nowhere/page.j2"}, "/nowhere/page.j2: No such file"),
        ({"register": "/nowhere/register"}, "the register cannot be read"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    options: dict[str, Any], folder: Path, run_module: RunModule, given: dict[str, Any], words: str
):
    result = run_module(site_plan_files.main, **{**options, **given})
    assert result["failed"]
    assert words in result["msg"]
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named(options: dict[str, Any], folder: Path, run_module: RunModule):
    folder.parent.mkdir(parents=True)
    folder.write_text("a file")
    result = run_module(site_plan_files.main, **options)
    assert result["failed"]
    assert str(folder) in result["msg"]
