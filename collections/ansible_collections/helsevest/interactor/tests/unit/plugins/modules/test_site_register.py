# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module site_register: counts, every problem, and the schema, also in check mode."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._register import json_schema
from ansible_collections.helsevest.interactor.plugins.modules import site_register

from .conftest import RunModule

RIGHT = """
waves: [{id: 2, name: Two}, {id: 1, name: One}]
sites:
  - {id: 1, name: A, kind: gp_office, county: V, wave: 1, server: {host: s1}, clients: [{name: a, host: a1}]}
  - {id: 2, name: B, kind: specialist, county: V, wave: 2, server: {host: s2},
     clients: [{name: a, host: a2}, {name: b, host: b2}]}
"""


@pytest.fixture
def register(tmp_path: Path) -> Path:
    folder = tmp_path / "a register"
    folder.mkdir()
    (folder / "all.yml").write_text(RIGHT)
    return folder


def test_it_counts(register: Path, run_module: RunModule) -> None:
    result = run_module(site_register.main, path=str(register))
    counted = {name: result[name] for name in ("changed", "sites", "clients", "waves", "problems")}
    assert counted == {"changed": False, "sites": 2, "clients": 3, "waves": [1, 2], "problems": []}


def test_it_fails_with_every_problem(register: Path, run_module: RunModule) -> None:
    (register / "all.yml").write_text(RIGHT.replace("gp_office", "gp_ofice").replace("wave: 2,", "wave: 3,"))
    schema = register.parent / "schema.json"
    result = run_module(site_register.main, path=str(register), export_schema=str(schema))
    assert result["failed"]
    assert [problem.split(": ")[1:3] for problem in result["problems"]] == [["site 1", "kind"], ["site 2", "wave"]]
    assert result["msg"].splitlines()[1:] == result["problems"]
    assert not schema.exists()


def test_the_schema_is_written_once(register: Path, run_module: RunModule) -> None:
    schema = register.parent / "schema.json"
    options = {"path": str(register), "export_schema": str(schema)}
    assert run_module(site_register.main, check=True, **options)["changed"]
    assert not schema.exists()
    assert run_module(site_register.main, **options)["changed"]
    assert json.loads(schema.read_text()) == json_schema()
    assert not run_module(site_register.main, **options)["changed"]
    schema.write_text("{}")
    assert run_module(site_register.main, check=True, **options)["changed"]
    assert schema.read_text() == "{}"


def test_a_schema_that_cannot_be_written_is_told(register: Path, run_module: RunModule) -> None:
    result = run_module(site_register.main, path=str(register), export_schema=str(register))
    assert result["failed"]
    assert f"export_schema: {register} cannot be written" in result["msg"]


def test_without_pydantic_it_says_so(register: Path, run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_path: str) -> None:
        raise ImportError("the register needs the Python package pydantic")

    monkeypatch.setattr(site_register, "load_register", missing)
    result = run_module(site_register.main, path=str(register))
    assert result["failed"]
    assert result["msg"] == "the register needs the Python package pydantic"
