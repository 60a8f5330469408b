# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger in the engine: whole after a power cut at any byte, and never believed when it is damaged."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tests import ledgers
from tests.pwsh.engine import MODULE_UTILS, Engine

UTILITIES = ("_Windows", "_Interactor", "_Ledger")
OLD, NEW = ledgers.text("1001", state="prepared"), ledgers.text("1001", state="running")


def script(folder: Path, line: str) -> str:
    loads = "\n".join(f"Import-Module -Name '{MODULE_UTILS / name}.psm1' -Force -Global" for name in UTILITIES)
    return f"""
    Set-StrictMode -Version Latest
    $ErrorActionPreference = 'Stop'
    Get-PSDrive -Name C -ErrorAction Ignore | Remove-PSDrive -Scope Global
    $null = New-PSDrive -Name C -PSProvider FileSystem -Root '{folder}' -Scope Global
    {loads}
    # The closed folder of the pretended Windows: this engine has no Get-Acl.
    Function Global:Get-FolderAccess {{ @{{ owner = 'S-1-5-18'; allowed = @('S-1-5-18'); own = 'S-1-5-18' }} }}
    $contract = @{{ paths = @{{ work = 'C:\\work'; config = 'C:\\interactor.json'; maintenance_flag = 'C:\\flag' }} }}
    {line}
    """


def read_all(engine: Engine, folder: Path, states: list[tuple[bytes | None, bytes | None]]) -> list[str]:
    """Per state of the disk: what the ledger's second attempt is, `none` without a ledger, or the error."""
    (folder / "work").mkdir()
    encoded = [[part if part is None else base64.b64encode(part).decode() for part in state] for state in states]
    (folder / "states.json").write_text(json.dumps(encoded))
    told = engine.script(
        script(
            folder,
            f"""
            $files = @('{folder}/work/ledger.json', '{folder}/work/ledger.json.new')
            $states = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText('{folder}/states.json'))
            $told = foreach ($state in $states) {{
                foreach ($index in 0, 1) {{
                    [System.IO.File]::Delete($files[$index])
                    if ($null -ne $state[$index]) {{
                        $bytes = [System.Convert]::FromBase64String($state[$index])
                        [System.IO.File]::WriteAllBytes($files[$index], $bytes)
                    }}
                }}
                try {{
                    $ledger = Get-Ledger -Contract $contract -Site '1001'
                    if ($null -eq $ledger) {{ 'none' }} else {{ $ledger['attempts'][1]['state'] }}
                }}
                catch {{ $_.Exception.Message }}
            }}
            ConvertTo-Json -InputObject @($told) -Compress
            """,
        )
    )
    assert "ERROR:" not in told, told
    found: list[str] = json.loads(told)
    assert len(found) == len(states)
    return found


def test_a_ledger_is_the_old_or_the_new_one_after_a_power_cut_at_any_byte(engine: Engine, tmp_path: Path):
    assert len(NEW) > 1000
    told = read_all(engine, tmp_path, ledgers.after_power_cut(OLD, NEW))
    assert told == ["prepared"] * (len(NEW) + 2) + ["running", "running"]


def test_the_first_ledger_is_whole_or_not_there_after_a_power_cut_at_any_byte(engine: Engine, tmp_path: Path):
    told = read_all(engine, tmp_path, ledgers.after_power_cut(None, NEW))
    assert told == ["none"] * (len(NEW) + 1) + ["running", "running", "running"]


def test_a_damaged_ledger_is_an_error_that_says_so(engine: Engine, tmp_path: Path):
    damaged = ledgers.damaged("1001")
    told = read_all(engine, tmp_path, [(content, None) for content, _says in damaged.values()])
    wrong = {kind: line for (kind, (_, says)), line in zip(damaged.items(), told, strict=True) if says not in line}
    assert wrong == {}
    assert all("ledger.json" in line for line in told)


@pytest.mark.parametrize(("left", "there"), [(NEW, True), (NEW[:-1], False), (b"", False), (bytes(100), False)])
def test_a_run_that_holds_the_lock_ends_the_write(engine: Engine, tmp_path: Path, left: bytes, there: bool):
    (tmp_path / "work").mkdir()
    for name in ("work/ledger.json.new", "interactor.json.new"):
        (tmp_path / name).write_bytes(left)
    for check in ("$true", "$false"):
        line = f"""
        $lock = Lock-Work -Contract $contract -CheckMode {check}
        if ($null -ne $lock) {{ $lock.Dispose() }}
        """
        assert engine.script(script(tmp_path, line)) == ""
        for name in ("work/ledger.json", "interactor.json"):
            moved = there and check == "$false"
            assert (tmp_path / name).exists() is moved
            assert (tmp_path / f"{name}.new").exists() is not moved
