# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every script of ours runs on Windows PowerShell 5.1 and keeps the house rules: its syntax tree is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_build import SCRIPT as SELF_CHECK
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_build import assemble

from tests.pwsh.audit import KNOWN, Audit, audit, read_known
from tests.pwsh.engine import COLLECTION, FIX_SCRIPT, LEASE_SCRIPT, MODULE_UTILS, MODULES, Engine
from tests.pwsh.fixtures import ROOT

SCRIPTS = sorted([*MODULES.glob("*.ps1"), *MODULE_UTILS.glob("*.psm1"), FIX_SCRIPT, LEASE_SCRIPT])
START = "Set-StrictMode -Version Latest\n$ErrorActionPreference = 'Stop'\n"

NOT_ENDED = "its errors do not end the script"
# A line that is to be refused, and a part of what is said of it.
SPOILT = {
    # Syntax.
    "Test-Path -LiteralPath (1 ? 2 : 3)": "TernaryExpressionAst",
    "Test-Path -LiteralPath a && Test-Path -LiteralPath b": "PipelineChainAst",
    "Test-Path -LiteralPath a || Test-Path -LiteralPath b": "PipelineChainAst",
    "Test-Path -LiteralPath ($null ?? 'a')": "5.1 lacks ??",
    "$a = $null; $a ??= 1; Test-Path -LiteralPath $a": "5.1 lacks ??=",
    "$a = 'b'; ${a}?.Length": "5.1 lacks ?.",
    "$a = 'b'; ${a}?[0]": "5.1 lacks ?[]",
    "Function Get-A { end { 1 } clean { 2 } }": "5.1 lacks clean",
    "Get-Process &": "5.1 lacks &",
    'Write-Verbose -Message "`u{e6}"': "`u{}",
    "if (": "does not parse",
    # Commands and parameters.
    "ConvertFrom-Json -InputObject '{}' -AsHashtable": "-AsHashtable is none of 5.1",
    "1 | ForEach-Object -Parallel { 2 }": "-Parallel is none of 5.1",
    "Get-Uptime": "5.1 lacks Get-Uptime",
    "Get-Hotfix": "Get-Hotfix has not been looked up",
    "Get-Item -LiteralPath a -Stream b": "Get-Item -Stream has not been looked up",
    "$a = @{ LiteralPath = 'b'; Stream = 'c' }; Get-Item @a": "Get-Item -Stream has not been looked up",
    "$a = @{ LiteralPath = 'b' }; $a['Stream'] = 'c'; Get-Item @a": "Get-Item -Stream has not been looked up",
    "$a = Get-Date; Get-Item @a": "Get-Item is splatted with Get-Date",
    "Get-Item -Lit a": "Get-Item -Lit has not been looked up",
    "Get-Item -Path 'a[b]'": "-Path takes brackets for a wildcard",
    "Function Get-E { param ($B) $B }\nGet-E -C 1": "Get-E has no parameter -C",
    "net.exe stop": "net.exe has not been looked up",
    # Encodings.
    "1 > a": "a redirection into a file",
    "Out-File -LiteralPath a": "Out-File has not been looked up",
    "Set-Content -LiteralPath a": "writes in another encoding",
    "Add-Content -LiteralPath a": "writes in another encoding",
    "Export-Csv -LiteralPath a": "writes in another encoding",
    "Set-Content -LiteralPath a -Encoding utf8": "writes in another encoding",
    "Set-Content -LiteralPath a -Encoding utf8NoBOM": "writes in another encoding",
    "Set-Content -LiteralPath a -Encoding Default": "writes in another encoding",
    "New-Item -Path a -ItemType File": "writes in another encoding",
    "Get-Content -LiteralPath a": "reads another encoding",
    # .NET.
    "[System.Convert]::ToHexString(1)": "5.1 lacks .ToHexString",
    "[System.Convert]::FromHexString('a')": "5.1 lacks .FromHexString",
    "[System.Security.Cryptography.SHA256]::HashData(1)": "5.1 lacks .HashData",
    "[System.IO.Path]::GetRelativePath('a', 'b')": "5.1 lacks .GetRelativePath",
    "[System.IO.File]::Move('a', 'b', $true)": "[System.IO.File]::Move(3) has not been looked up",
    "[System.Linq.Enumerable]::Chunk(1, 2)": "the type System.Linq.Enumerable has not been looked up",
    "[System.Collections.Generic.PriorityQueue[int, int]]::new()": "PriorityQueue`2 has not been looked up",
    "'a'.Contains('b', 1)": ".Contains(2) has not been looked up",
    "'a'.Split('bc')": ".Split('bc') takes one character each",
    "'a'.TrimEnd('bc')": ".TrimEnd('bc') takes one character each",
    "$a = 'bc'; 'a'.Split($a)": "takes one character each",
    "'a'.ReplaceLineEndings()": ".ReplaceLineEndings(0) has not been looked up",
    "'a'.StartsWith('b')": ".StartsWith(1) goes by the host's language",
    "'a'.ToUpper()": ".ToUpper(0) goes by the host's language",
    # Rules.
    "1 | where { $_ }": "where is an alias",
    "1 | % { $_ }": "% is an alias",
    "gci": "gci is an alias",
    "Invoke-Expression 'a'": "Invoke-Expression",
    "iex 'a'": "iex is an alias",
    "& ([scriptblock]::Create('1'))": "what that is cannot be told",
    "Test-Path -LiteralPath $a": "$a is unassigned",
    "if (1) { $a = 1 }; Test-Path -LiteralPath $a": "$a is unassigned",
    "try { $a = 1 } catch { $null = 1 }; Test-Path -LiteralPath $a": "$a is unassigned",
    "Test-Path -LiteralPath $a; $a = 1": "$a is unassigned",
    "Function Get-A { $a = 1; $a }\nFunction Get-B { $a }": "$a is unassigned",
    "Function Get-A { $script:a }": "$script:a is unassigned",
    "$a = 1": "$a is unused",
    "foreach ($a in 1, 2) { Get-Process }": "$a is unused",
    "Function Get-A { param ($B) 1 }": "$B is unused",
    "Get-Process -ErrorAction $a": NOT_ENDED,
    "Get-Process -ErrorAction SilentlyContinue": NOT_ENDED,
    "$a = @{ ErrorAction = 'SilentlyContinue' }; Get-Process @a": NOT_ENDED,
    "Function Get-F { [CmdletBinding()] param () 1 }\nGet-F -ErrorAction Ignore": NOT_ENDED,
    # What failed is read nowhere, only before, in another function, or overwritten instead.
    "Get-Process -ErrorAction SilentlyContinue -ErrorVariable a": NOT_ENDED,
    "$a = 1; if ($a) { Get-Process -ErrorAction SilentlyContinue -ErrorVariable a }": NOT_ENDED,
    "$a = 1; Get-Item -ErrorAction SilentlyContinue -ErrorVariable a -LiteralPath $a": NOT_ENDED,
    "Get-Process -ErrorAction SilentlyContinue -ErrorVariable a\nFunction Get-G { $a }": NOT_ENDED,
    "Get-Process -ErrorAction SilentlyContinue -ErrorVariable a; $a = 1": NOT_ENDED,
    "Get-Process -ErrorAction SilentlyContinue -ErrorVariable a; $a, $b = 1": NOT_ENDED,
    # What is handed on as it came is used, and the other one has to take it.
    "Function Get-H { param ($B) Get-I @PSBoundParameters }\nFunction Get-I { param ($C) $C }": "no parameter -B",
    "Function Get-J { param ($B) $PSBoundParameters.Keys }": "$B is unused",
    "Function Get-A { icacls.exe }\nFunction Get-B { $LASTEXITCODE }": "icacls.exe: its exit code is not looked at",
    "Write-Verbose -Message 'https://dipsupsvr.dips.no'": "belongs into the contract",
}  # fmt: skip
SOUND = """
Function Get-Sound {
    param ([Parameter(Mandatory)] [string] $Path)
    if ($Path) { $a = 1 } elseif (Test-Path -LiteralPath $Path) { throw 'no' } else { $a = 2 }
    try { $b = Get-Item -LiteralPath $Path } catch { return }
    for ($try = 1; $try -le 3; $try++) { Start-Sleep -Seconds $try }
    while ($null -ne ($line = Get-Process)) { $a += $line }
    $c, $d = $b.Name.Split('.')
    foreach ($each in $c, $d) { $each }
    $table = @{ LiteralPath = $Path }
    $table['Force'] = $true
    Get-Item @table | Where-Object -FilterScript { $_.Name -ne $a }
    $null = icacls.exe $Path
    if ($LASTEXITCODE -ne 0) { throw "$a" }
    "$PID $($PSVersionTable['PSVersion'])"
}
Function Get-Told {
    $failures = @()
    $found = @(Get-Process -ErrorAction SilentlyContinue -ErrorVariable failures)
    $more = @(Get-Process -ErrorAction SilentlyContinue -ErrorVariable +failures)
    if ($failures.Count -gt 0) { throw "$($failures[0])" }
    $found + $more + @(Get-Process -ErrorAction Stop)
}
Function Get-Through {
    param ([Parameter(Mandatory)] [string] $Path)
    Get-Sound @PSBoundParameters
}
"""


@pytest.fixture(scope="module")
def judged(engine: Engine) -> tuple[dict[str, list[str]], Audit]:
    """The faults of all scripts of ours, by file; and what of the known is used.

    With what is around our modules in the self-check, which is built of them (test_selfcheck.py looks at all of it).
    """
    texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS}
    return audit(engine, {**texts, SELF_CHECK: assemble({"_Empty": ""}, "{}", "1")}, read_known())


def test_there_is_nothing_that_5_1_cannot_run(judged: tuple[dict[str, list[str]], Audit]):
    assert judged[0] == {}
    assert len(SCRIPTS) == 38


def test_what_was_looked_up_is_used(judged: tuple[dict[str, list[str]], Audit]):
    assert judged[1].unused() == []


def test_the_look_finds_what_it_looks_for(engine: Engine):
    known = read_known()
    known["commands"] |= {
        name: {"page": "", "parameters": ["LiteralPath", "Encoding"]}
        for name in ("Set-Content", "Add-Content", "Export-Csv", "Get-Content")
    }
    scripts = {line: START + line for line in SPOILT}
    scripts |= {
        "sound": START + SOUND,
        "lax": "Get-Process\n",
        "lenient": "Set-StrictMode -Version Latest\nGet-Process\n",
    }
    faults, judge = audit(engine, scripts, known)
    missed = {line: faults.get(line) for line, what in SPOILT.items() if what not in "\n".join(faults.get(line, []))}
    assert missed == {}
    assert "sound" not in faults
    assert len(faults["lax"]) == 2
    assert faults["lenient"] == [
        "line 1: errors do not end it: $ErrorActionPreference = 'Stop' is not its second statement"
    ]
    assert "commands: Get-SmbOpenFile" in judge.unused()


def test_no_two_functions_have_one_name(engine: Engine):
    """Nobody who reads a call has to ask which of them it is, and the look judges it by the one that there is."""
    one = START + "Function Get-A { 1 }\nFunction Get-B { 2 }\n"
    other = START + "Function Get-C { 3 }\nFunction get-a { param ($B) $B }\n"
    again = START + "Function Get-D { 4 }\nFunction Get-D { 5 }\n"
    faults, _ = audit(engine, {"one.psm1": one, "other.ps1": other, "again.ps1": again}, read_known())
    assert faults == {
        "one.psm1": ["line 3: there is a function Get-A in other.ps1 too"],
        "other.ps1": ["line 4: there is a function get-a in one.psm1 too"],
        "again.ps1": [
            "line 3: there is a function Get-D in again.ps1 too",
            "line 4: there is a function Get-D in again.ps1 too",
        ],
    }


def pages(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from pages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pages(inner)
    elif isinstance(value, str) and value.startswith("http"):
        yield value


def test_what_was_looked_up_names_its_page():
    known = read_known()
    for name, told in known["commands"].items():
        page = r"https://learn\.microsoft\.com/en-us/powershell/module/[a-z.]+/" + name.lower()
        assert re.fullmatch(page + r"\?view=(powershell-5\.1|windowsserver2016-ps)", told["page"]), name
    for name, told in known["types"].items():
        for member, page in told.get("members", {}).items():
            assert page.startswith(told["page"].partition("?")[0]), f"{name}::{member}"
    for page in pages(known):
        assert re.match(r"https://(learn\.microsoft\.com/en-us|docs\.ansible\.com)/", page), page
        if "/dotnet/api/" in page:
            assert page.endswith(("?view=netframework-4.5.2", "?view=powershellsdk-1.1.0")), page
    assert len(KNOWN.read_text(encoding="utf-8")) > 20_000


def tasks(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in a YAML file that may be a task."""
    for inner in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from tasks(inner)
    if isinstance(value, dict):
        yield value


def test_no_script_goes_to_a_host_by_another_way():
    """A text in a task would be seen by none of these tests."""
    ways = re.compile(r"(^|\.)(raw|script|(win_)?(command|shell|powershell|package|dsc|psexec))$")
    rooms = ("playbooks/**/*.yml", "roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml")
    files = [path for room in rooms for path in ROOT.glob(room)]
    assert len(files) > 20
    for path in files:
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for task in tasks(document):
                assert not [key for key in task if ways.search(str(key))], path
    others = [path for end in ("ps1", "psm1", "bat", "cmd", "vbs") for path in COLLECTION.rglob(f"*.{end}")]
    assert sorted(others) == SCRIPTS


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_the_head_is_ours(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.parent == MODULES:
        assert lines[:2] == ["#!powershell", ""]
        lines = lines[2:]
    assert lines[2] == "# SPDX-License-Identifier: GPL-3.0-or-later"
    assert all(len(line) <= 140 for line in lines)
