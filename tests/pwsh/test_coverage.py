# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells which statements were run: the marks in the scripts, and the sum of what several engines ran."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.pwsh import coverage, coverage_plugin
from tests.pwsh.coverage import FileCoverage, read_report, scripts
from tests.pwsh.engine import HERE, Engine
from tests.pwsh.fixtures import engine

__all__ = ["engine"]

SCRIPT = """#Requires -Version 5.1
param ([string] $Name = 'a')
Set-StrictMode -Version Latest
Function Get-A {
    param ($B)
    if ($B) { 'yes' } elseif ($Name) { 'no' }
    foreach ($each in @(1; 2)) {
        "$($each; 'x')"
    }
    try { throw 'o' } catch { return } finally { $null = 1 }
}
Get-A -B @(Get-Date) | Where-Object { $_ }
"""
STATEMENTS = [3, 6, 6, 6, 7, 8, 10, 10, 10, 10, 12, 12]


@pytest.mark.pwsh
def test_every_statement_has_a_mark_and_no_line_moves(engine: Engine):
    told = json.loads(engine.script((HERE / "coverage.ps1").read_text(encoding="utf-8"), json.dumps([SCRIPT, "'b'"])))
    assert told["lines"] == [STATEMENTS, [1]]
    marked, second = told["texts"]
    assert marked.count("[InteractorCoverage]::Hit(") == len(STATEMENTS)
    assert len(marked.splitlines()) == len(SCRIPT.splitlines())
    assert "    if ($B) { [InteractorCoverage]::Hit(2);'yes' } elseif" in marked.replace(
        "[InteractorCoverage]::Hit(1);", ""
    )
    assert second == f"[InteractorCoverage]::Hit({len(STATEMENTS)});'b'"


@pytest.mark.pwsh
def test_a_marked_script_does_the_same_and_tells_what_it_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine
):
    """Of the real scripts, in an engine of its own."""
    script = coverage.PLUGINS / "module_utils" / "_Windows.psm1"
    line = f"Import-Module -Name '{script}' -Force; Get-Sha256 -Text 'blåbær'"
    monkeypatch.setenv(coverage.FOLDER, str(tmp_path))
    (tmp_path / "engine").mkdir()
    measured = Engine(tmp_path / "engine")
    try:
        assert measured.marked(script).read_text(encoding="utf-8") != script.read_text(encoding="utf-8")
        assert measured.script(line) == engine.script(line)
    finally:
        measured.close()
    report = {file.name: file for file in read_report(tmp_path)}
    text = script.read_text(encoding="utf-8").splitlines()
    ran = set(range(1, len(text) + 1)) - set(report["_Windows.psm1"].missed)
    assert next(number for number, line in enumerate(text, 1) if "$hash.ComputeHash($Stream)" in line) in ran
    assert next(number for number, line in enumerate(text, 1) if "$request.AddRange($From)" in line) not in ran
    assert 1 < report["_Windows.psm1"].percent < 20
    assert report["_Switch.psm1"].percent == 0


def test_what_several_engines_ran_is_added_up(tmp_path: Path):
    count = len(scripts())
    (tmp_path / "lines.json").write_text(json.dumps([[3, 4, 4, 9], *([[7]] * (count - 1))]))
    (tmp_path / "a.hits").write_bytes(bytes([1, 0, 0, 0] + [1] * (count + 3)))
    (tmp_path / "b.hits").write_bytes(bytes([0, 0, 1, 0] + [0] * (count + 3)))
    first, *others = read_report(tmp_path)
    assert (first.statements, first.missed, first.percent) == (4, (4, 9), 50.0)
    assert str(first).endswith("4 statements   50.0 %  not run: lines 4, 9")
    assert {file.percent for file in others} == {100.0}
    assert coverage_plugin.too_few([first, *others]) == [first.name]
    assert coverage_plugin.too_few([FileCoverage("a", 20, (1,)), FileCoverage("b", 19, (1,))]) == ["b"]


def test_nothing_was_run(tmp_path: Path):
    assert read_report(tmp_path) == []


def config(**said: Any) -> Any:
    option = {"keyword": "", "deselect": None, "markexpr": "not playbook", "lf": False}
    source = said.pop("source", pytest.Config.ArgsSource.TESTPATHS)
    return SimpleNamespace(option=SimpleNamespace(**{**option, **said}), args_source=source)


def test_only_the_whole_run_can_fail():
    assert coverage_plugin.is_whole(config())
    assert coverage_plugin.is_whole(config(markexpr="pwsh"))
    parts: list[dict[str, Any]] = [
        {"keyword": "lease"}, {"deselect": ["a"]}, {"markexpr": "playbook"}, {"lf": True},
        {"source": pytest.Config.ArgsSource.ARGS},
    ]  # fmt: skip
    assert not any(coverage_plugin.is_whole(config(**part)) for part in parts)


@pytest.mark.parametrize(
    ("percent", "whole", "fails"), [(94, True, True), (96, True, False), (94, False, False), (None, True, True)]
)
def test_too_few_statements_fail_the_run(
    percent: int | None, whole: bool, fails: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    report = [] if percent is None else [FileCoverage("a.ps1", 100, tuple(range(percent, 100)))]
    monkeypatch.setenv(coverage.FOLDER, str(tmp_path))
    monkeypatch.setenv("INTERACTOR_PWSH", "pwsh")
    monkeypatch.setattr(coverage_plugin, "read_report", lambda _folder: report)
    monkeypatch.setattr(Engine, "running", [])
    said = config() if whole else config(keyword="lease")
    said.stash = {}
    session: Any = SimpleNamespace(config=said, exitstatus=0)
    coverage_plugin.pytest_sessionfinish(session)
    assert session.exitstatus == (pytest.ExitCode.TESTS_FAILED if fails else 0)
    assert said.stash[coverage_plugin.REPORT] == report
