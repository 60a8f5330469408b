# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patch of the register, applied with the tools that a person would use."""

from __future__ import annotations

import difflib
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._plan_patch import PatchError, register_patch
from ansible_collections.helsevest.interactor.plugins.module_utils._register import load_register

TUESDAY, WEDNESDAY = date(2027, 3, 16), date(2027, 3, 17)
WAVES = """\
# The waves, in order.
waves:
  - id: 1
    name: 'The first'   # the pilots
"""
SITES = """\
sites:
  # Called on 3 January: wants a Tuesday.
  - id: "1001"
    name: Fjordgata   # by the sea
    kind: gp_office
    county: Vestland
    wave: null  # not yet
    move_date: null
    contact: {name: Kari Eksempel, email: kari@fjordgata.example, phone: "+47 55 00 00 00"}
    server: {host: srv.fjordgata.example}
    clients: [{name: pc1, host: pc1.fjordgata.example}]

  - {id: 1002, name: Øyane, kind: gp_office, county: Vestland, server: {host: b}, clients: [{name: pc1, host: b1}]}
  - id: 1003
    name: Sentrum
    kind: gp_office
    county: Vestland
    wave: 1
    move_date: 2027-02-02
    server: {host: c}
    clients: [{name: pc1, host: c1}]
"""
NEW = {"id": 2, "name": "Week 11, 2027", "from": "2027-03-15", "to": "2027-03-21"}
WANTED = {"1001": (2, TUESDAY), "1002": (None, None), "1003": (1, WEDNESDAY)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "the project"
    (folder / "inventories" / "register").mkdir(parents=True)
    (folder / "inventories" / "register" / "waves.yml").write_text(WAVES)
    (folder / "inventories" / "register" / "sites.yml").write_text(SITES)
    return folder


@pytest.fixture
def register(project: Path) -> Path:
    return project / "inventories" / "register"


@pytest.fixture
def plan(plans: Any) -> dict[str, Any]:
    """1001 gets a wave and a date, 1002 (not answered) neither, 1003 (planned anew) another date."""
    return plans.plan(
        plans.site(1001, TUESDAY, wave=2),
        plans.site(1002, TUESDAY, wave=2, answered=False),
        plans.site(1003, WEDNESDAY, wave=1, was={"wave": 1, "move_date": "2027-02-02"}),
        new_waves=[NEW],
    )


def git_apply(folder: Path, patch: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)


def git_apply_outside(folder: Path, patch: Path) -> None:
    subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True)


def plain_patch(folder: Path, patch: Path) -> None:
    with patch.open(encoding="utf-8") as file:
        subprocess.run(["patch", "-p1", "--silent"], cwd=folder, stdin=file, check=True)


APPLIED = pytest.mark.parametrize(
    "apply",
    [
        git_apply,
        git_apply_outside,
        pytest.param(
            plain_patch, marks=pytest.mark.skipif(not shutil.which("patch"), reason="no patch on this machine")
        ),
    ],
)


@APPLIED
@pytest.mark.parametrize("eol", ["\n", "\r\n"])
def test_once_applied_the_register_says_what_the_plan_says(
    project: Path, register: Path, plan: dict[str, Any], tmp_path: Path, apply: Callable[[Path, Path], None], eol: str
):
    for file in register.iterdir():
        file.write_bytes(file.read_text().replace("\n", eol).encode())
    before = {file.name: file.read_bytes() for file in register.iterdir()}
    patch = tmp_path / "plan.patch"
    patch.write_bytes(register_patch(plan, register, project).encode())
    apply(project, patch)
    sites = load_register(register).sites
    assert {site.id: (site.wave, site.move_date) for site in sites} == WANTED
    assert load_register(register).wave_vars(2)["dates"] == {"from": "2027-03-15", "to": "2027-03-21"}
    # What is not of the plan is there as it was, byte for byte and in its order.
    for name, old in before.items():
        lines = (
            old.decode().splitlines(keepends=True),
            (register / name).read_bytes().decode().splitlines(keepends=True),
        )
        differing = [line for line in difflib.ndiff(*lines) if line[0] in "+-"]
        assert differing
        touched = {"sites.yml": ("wave: ", "move_date: "), "waves.yml": ("id: 2", "Week 11", "dates:", "from:", "to:")}
        assert all(any(word in line for word in touched[name]) for line in differing), differing
        assert name == "sites.yml" or not [line for line in differing if line[0] == "-"]
    assert b"# not yet" in (register / "sites.yml").read_bytes()
    # Planned again, there is nothing left to do.
    again = {**plan, "new_waves": []}
    again["sites"] = [
        {**site, "was": {"wave": site["wave"], "move_date": site["move_date"]}} if site["answered"] else site
        for site in plan["sites"]
    ]
    assert register_patch(again, register, project) == ""


def test_its_head_says_where_and_how(project: Path, register: Path, plan: dict[str, Any]):
    head = register_patch(plan, register, project).splitlines()
    assert head[0].startswith("# 2 sites and 1 new wave. Read it")
    assert head[1] == f"# {project}"
    assert "git apply" in head[2]
    assert [line for line in head if line.startswith("+++")] == [
        "+++ b/inventories/register/sites.yml",
        "+++ b/inventories/register/waves.yml",
    ]


@APPLIED
def test_a_register_that_lies_elsewhere(
    register: Path, plan: dict[str, Any], tmp_path: Path, apply: Callable[[Path, Path], None]
):
    other = tmp_path / "elsewhere"
    other.mkdir()
    patch = tmp_path / "plan.patch"
    text = register_patch(plan, register, other)
    assert text.splitlines()[1] == f"# {register.parent}"
    patch.write_bytes(text.encode())
    apply(register.parent, patch)
    assert {site.id: (site.wave, site.move_date) for site in load_register(register).sites} == WANTED


def test_a_register_in_one_file(project: Path, plan: dict[str, Any], tmp_path: Path):
    one = project / "all.yml"
    one.write_text(WAVES + SITES)
    patch = tmp_path / "plan.patch"
    patch.write_text(register_patch(plan, one, project))
    git_apply(project, patch)
    assert {site.id: (site.wave, site.move_date) for site in load_register(one).sites} == WANTED


def test_nothing_to_say_no_patch(project: Path, register: Path, plans: Any):
    site = plans.site(1003, date(2027, 2, 2), wave=1, was={"wave": 1, "move_date": "2027-02-02"})
    assert register_patch(plans.plan(site), register, project) == ""


def test_a_register_that_changed_since_is_not_written_over(project: Path, register: Path, plan: dict[str, Any]):
    sites = register / "sites.yml"
    sites.write_text(SITES.replace("move_date: null", "move_date: null\n    asked: 2027-01-01"))
    assert register_patch(plan, register, project)
    sites.write_text(SITES.replace("wave: null", "wave: 1"))
    with pytest.raises(PatchError, match=r"has changed since this plan was made \(sites 1001\); plan again"):
        register_patch(plan, register, project)


def test_a_plan_that_would_spoil_the_register_gives_no_patch(project: Path, register: Path, plan: dict[str, Any]):
    before = {file: file.read_bytes() for file in register.iterdir()}
    plan["new_waves"] = [{**NEW, "to": "2027-03-15"}]
    with pytest.raises(PatchError, match="the register would not be valid, so there is no patch") as caught:
        register_patch(plan, register, project)
    assert "sites.yml" in str(caught.value)
    assert "is none of its wave's dates" in str(caught.value)
    assert {file: file.read_bytes() for file in register.iterdir()} == before


def test_a_register_that_cannot_be_read(project: Path, register: Path, plan: dict[str, Any]):
    (register / "sites.yml").write_text("sites: [")
    with pytest.raises(PatchError, match="the register cannot be read"):
        register_patch(plan, register, project)


def test_a_wave_that_is_there_already(project: Path, register: Path, plan: dict[str, Any]):
    plan["new_waves"] = [{**NEW, "id": 1}]
    with pytest.raises(PatchError, match="1"):
        register_patch(plan, register, project)
