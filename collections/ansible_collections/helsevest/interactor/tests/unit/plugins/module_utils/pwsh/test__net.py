# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where no time is left, nothing is asked any more, and each thing that was not asked says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pwsh.engine import MODULE_UTILS, Engine

MODULES = ("_Windows", "_Masks", "_Registry", "_Interactor", "_Ledger", "_Facts", "_ProxyScripts", "_Profiles", "_Net")
NO_TIME = "no time was left to ask"


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("Get-TlsFact -Contract $contract -Seconds 0", ("endpoints", 0, "error")),
        ("Get-ScriptFact -Contract $contract -Page P1 -Script http://a.example/p -Seconds 0", ("scripts", 0, "error")),
        (
            "Get-ScriptFact -Contract $contract -Page P1 -Script http://a.example/p -Seconds 0",
            ("scripts", 0, "answers", 0, "error"),
        ),
        ("Get-ScriptFact -Contract $contract -Page P1 -Script http://a.example/p -Seconds 0", ("pages", 0, "error")),
        (
            "Get-ScriptFact -Contract $contract -Page P1 -Script @() -Detect $true -Seconds 0",
            ("detected", "error"),
        ),
        ("Get-DirectFact -Contract $contract -Page P1 -Seconds 0", (0, "error")),
    ],
)
def test_nothing_is_asked_when_the_time_is_up(
    engine: Engine, contract: dict[str, Any], line: str, path: tuple[str | int, ...]
):
    imports = "\n".join(f"Import-Module -Name '{MODULE_UTILS / name}.psm1' -Force" for name in MODULES)
    told = engine.script(f"""
        {imports}
        $contract = ConvertFrom-Json -AsHashtable -InputObject (@($input) -join '')
        ConvertTo-Json -Compress -Depth 6 -InputObject ({line})""", json.dumps(contract))  # fmt: skip
    assert "ERROR:" not in told, told
    found = json.loads(told.splitlines()[-1])
    for step in path:
        found = found[step]
    assert found == NO_TIME
