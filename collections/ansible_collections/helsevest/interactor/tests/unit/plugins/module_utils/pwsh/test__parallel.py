# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a script run at the same time, each no longer than it may, and find the functions that the script finds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pwsh.engine import MODULE_UTILS, Engine, find

Run = Callable[[str], Any]
HEAD = f"""
Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Function Add-Text {{
    param ([string] $Name, [string] $Text)
    $null = New-Module -Name $Name -ScriptBlock ([ScriptBlock]::Create($Text)) | Import-Module -Scope Global
}}
Import-Module -Name '{MODULE_UTILS / "_Windows.psm1"}' -Force
# As a module of a file is the session's own, ours come as texts here too.
Add-Text -Name windows -Text ([System.IO.File]::ReadAllText('{MODULE_UTILS / "_Windows.psm1"}'))
Add-Text -Name parallel -Text ([System.IO.File]::ReadAllText('{MODULE_UTILS / "_Parallel.psm1"}'))
Add-Text -Name first -Text @'
    $script:Kept = 'what the module keeps'
    Function Get-Hidden {{ $script:Kept }}
    Function Get-Kept {{ param ([string] $With = '') "$(Get-Hidden)$With" }}
    Function Get-Which {{ 'the first' }}
    Function Get-Each {{ , @(1, 2) }}
    Function Get-Nothing {{ }}
    Function Test-Meeting {{ param ([object] $Barrier) $Barrier.SignalAndWait(60000) }}
    Function Get-Failure {{ throw 'it broke' }}
    Function Wait-Event {{ param ([object] $Event) $Event.WaitOne() }}
    Export-ModuleMember -Function 'Get-*', 'Test-Meeting', 'Wait-Event'
'@
Add-Text -Name second -Text "Function Get-Which {{ 'the second' }}"
"""


@pytest.fixture
def run(engine: Engine) -> Run:
    """Run a script with the modules loaded; its last line, from JSON."""

    def run(text: str) -> Any:
        told = engine.script(HEAD + text)
        assert "ERROR:" not in told, told
        return json.loads(told.splitlines()[-1])

    return run


def test_two_parts_are_at_work_at_the_same_time(run: Run):
    # Each goes on when the other has come as far; one after the other, the first would never.
    assert (
        run("""
        $with = @{ Barrier = [System.Threading.Barrier]::new(2) }
        $parts = @(foreach ($name in 'one', 'two') {
            Start-Part -Name $name -Command 'Test-Meeting' -Argument $with -Seconds 90
        })
        ConvertTo-Json -Compress -InputObject @($parts | ForEach-Object -Process { Receive-Part -Part $_ })
        """)
        == [{"ended": True, "value": True, "problem": None}] * 2
    )


def test_a_part_that_waits_for_ever_costs_its_own_time_alone(run: Run):
    waiting, other = run("""
        $event = [System.Threading.ManualResetEvent]::new($false)
        $waiting = Start-Part -Name 'waiting' -Command 'Wait-Event' -Argument @{ Event = $event } -Seconds 0.5
        $other = Start-Part -Name 'other' -Command 'Get-Kept' -Seconds 90
        $told = @(Receive-Part -Part $waiting; Receive-Part -Part $other)
        $null = $event.Set()
        ConvertTo-Json -Compress -InputObject $told
        """)
    assert waiting == {"ended": False, "value": None, "problem": None}
    assert other == {"ended": True, "value": "what the module keeps", "problem": None}


def test_a_part_finds_what_the_script_finds(run: Run):
    told = run("""
        $told = foreach ($name in 'Get-Kept', 'Get-Which', 'Get-Each', 'Get-Nothing') {
            $with = @{}
            if ($name -eq 'Get-Kept') { $with = @{ With = '!' } }
            $part = Start-Part -Name $name -Command $name -Argument $with -Seconds 90
            , (Receive-Part -Part $part)['value']
        }
        ConvertTo-Json -Compress -InputObject @($told)
        """)
    assert told == ["what the module keeps!", "the second", [1, 2], None]


def test_a_part_that_fails_says_why(run: Run):
    told = run("""
        $part = Start-Part -Name 'failing' -Command 'Get-Failure' -Seconds 90
        ConvertTo-Json -Compress -InputObject (Receive-Part -Part $part)
        """)
    assert told == {"ended": True, "value": None, "problem": "it broke"}


def test_a_process_ends_though_a_part_waits_for_ever(tmp_path: Path):
    script = tmp_path / "stuck.ps1"
    script.write_text(
        HEAD
        + """
        $event = [System.Threading.ManualResetEvent]::new($false)
        $part = Start-Part -Name 'waiting' -Command 'Wait-Event' -Argument @{ Event = $event } -Seconds 0
        $null = Receive-Part -Part $part
        Start-Exit -Seconds 0
        'told'
        """,
        encoding="utf-8",
    )
    told = subprocess.run(
        [find(), "-NoProfile", "-NonInteractive", "-File", str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert told.returncode == 0, told.stderr


def test_waiting_for_the_memory_ends(run: Run):
    assert run("Clear-Memory; ConvertTo-Json -InputObject 'tidy'") == "tidy"
