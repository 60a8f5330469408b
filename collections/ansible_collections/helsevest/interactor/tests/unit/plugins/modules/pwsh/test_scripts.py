# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every script of ours runs on Windows PowerShell 5.1 and keeps the house rules: its syntax tree is looked at."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.pwsh.engine import HERE, LEASE_SCRIPT, MODULE_UTILS, MODULES, Engine

SCRIPTS = sorted([*MODULES.glob("*.ps1"), *MODULE_UTILS.glob("*.psm1"), LEASE_SCRIPT])
START = "Set-StrictMode -Version Latest\n$ErrorActionPreference = 'Stop'\n"


def faults(engine: Engine, *scripts: str) -> list[list[str]]:
    told = engine.script((HERE / "faults.ps1").read_text(encoding="utf-8"), json.dumps(scripts))
    assert "ERROR:" not in told, told
    found: list[list[str]] = json.loads(told)
    return found


def test_there_is_nothing_that_5_1_cannot_run(engine: Engine):
    found = faults(engine, *(path.read_text(encoding="utf-8") for path in SCRIPTS))
    named = zip((path.name for path in SCRIPTS), found, strict=True)
    assert {name: lines for name, lines in named if lines} == {}
    assert len(SCRIPTS) >= 10


def test_the_look_finds_what_it_looks_for(engine: Engine):
    spoilt = {
        "$a = $b ? 1 : 2": "TernaryExpressionAst",
        "Get-Item a && Get-Item b": "PipelineChainAst",
        "$a = $b ?? 1": "??",
        "$a ??= 1": "??=",
        "${a}?.Name": "?.",
        "${a}?[0]": "?.",
        "$a | ConvertFrom-Json -AsHashtable": "-AsHashtable",
        "[System.Convert]::ToHexString($a)": "ToHexString",
        "$a | where { $_ }": "where is an alias",
        "$a | % { $_ }": "% is an alias",
        "Invoke-Expression $a": "Invoke-Expression",
        "Get-FileHash -LiteralPath $a": "Get-FileSha256 does",
        "Get-Content -LiteralPath $a": "without -Encoding",
        "if (": "line 3:",
        "$a = 'https://dipsupsvr.dips.no'": "belongs into the contract",
    }
    found = faults(engine, *(START + text for text in spoilt), "$a = 1\n", START + "$a = 1")
    for (text, fault), lines in zip(spoilt.items(), found, strict=False):
        assert any(fault in line for line in lines), (text, lines)
    assert found[-2] == ["no Set-StrictMode", "errors do not end it"]
    assert found[-1] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_the_head_is_ours(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.parent == MODULES:
        assert lines[:2] == ["#!powershell", ""]
        lines = lines[2:]
    assert lines[2] == "# SPDX-License-Identifier: GPL-3.0-or-later"
    assert all(len(line) <= 140 for line in lines)
