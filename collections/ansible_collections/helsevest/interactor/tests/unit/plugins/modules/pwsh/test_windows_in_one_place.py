# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each call to Windows that is no cmdlet and no program stands in _Windows.psm1, where an engine can replace it."""

from __future__ import annotations

import json

from tests.pwsh.engine import MODULE_UTILS, MODULES, Engine

SCRIPTS = sorted([*MODULES.glob("*.ps1"), *MODULE_UTILS.glob("*.psm1")])
PURE = {
    "Ansible.Basic.AnsibleModule", "Math", "NullString", "array", "bigint", "byte", "byte[]", "datetime",
    "datetimeoffset", "guid", "regex", "string", "timespan", "uri", "System.BitConverter",
    "System.Collections.Generic.Dictionary",
    "System.Collections.Generic.HashSet", "System.Collections.Generic.List", "System.Collections.Generic.Queue",
    "System.Collections.Generic.SortedDictionary", "System.Collections.Specialized.OrderedDictionary",
    "System.Convert", "System.Diagnostics.Stopwatch", "System.Func", "System.Globalization.CultureInfo",
    "System.Globalization.DateTimeStyles", "System.IO.FileAttributes", "System.IO.MemoryStream",
    "System.Net.WebUtility",
    "System.Security.Cryptography.SHA256", "System.StringComparer", "System.StringComparison",
    "System.Text.Encoding", "System.Text.StringBuilder", "System.Text.UTF8Encoding",
}  # fmt: skip
"""Types whose static members, new objects among them, reach nothing outside the process."""
LOOK = r"""
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$all = foreach ($text in (ConvertFrom-Json -InputObject (@($input) -join "`n"))) {
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref]$null, [ref]$null)
    $found = foreach ($node in $tree.FindAll({ $true }, $true)) {
        $kind = $node.GetType().Name
        if ($kind -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' -and $node.Static) {
            "$($node.Expression.TypeName.FullName)".Split('[')[0]
        }
        if ($kind -eq 'CommandAst' -and $node.GetCommandName() -in 'New-Object', 'Add-Type') {
            "$($node.CommandElements[0]) $($node.CommandElements[2])".Replace('New-Object ', '')
        }
        if ($kind -eq 'ConvertExpressionAst' -and "$($node.Type.TypeName)" -in 'wmi', 'adsi', 'wmisearcher') {
            "$($node.Type.TypeName)"
        }
    }
    , @($found | Sort-Object -Unique)
}
ConvertTo-Json -InputObject @($all) -Compress
"""


def types_of(engine: Engine, *scripts: str) -> list[set[str]]:
    """The types whose static members each script uses, and what it makes with New-Object or Add-Type."""
    told = engine.script(LOOK, json.dumps(scripts))
    assert "ERROR:" not in told, told
    return [set(found) for found in json.loads(told)]


def test_nothing_else_calls_windows(engine: Engine):
    found = types_of(engine, *(path.read_text(encoding="utf-8") for path in SCRIPTS))
    named = dict(zip((path.name for path in SCRIPTS), found, strict=True))
    assert named.pop("_Windows.psm1") - PURE
    assert {name: types - PURE for name, types in named.items() if types - PURE} == {}


def test_the_look_finds_them(engine: Engine):
    calls = {
        "[System.IO.File]::Delete($a)": "System.IO.File",
        "$a = [System.Net.WebRequest]::CreateHttp($u)": "System.Net.WebRequest",
        "[Microsoft.Win32.Registry]::LocalMachine": "Microsoft.Win32.Registry",
        "New-Object -ComObject WScript.Shell": "WScript.Shell",
        "Add-Type -TypeDefinition $code": "Add-Type $code",
        "$a = [wmi]'x'": "wmi",
    }
    found = types_of(engine, *calls, "[Math]::Abs(1)")
    assert [types - PURE for types in found] == [{name} for name in calls.values()] + [set()]
