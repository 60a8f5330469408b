# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Lets people into Interactor again when nobody has renewed the flag that keeps them out, and no migration runs. A task of
# ours on the server runs it as SYSTEM (_Lease.psm1); it stands alone there, and touches nothing but the flag and that task.
# Windows PowerShell 5.1 must run it.

param (
    [Parameter(Mandatory)] [string] $Flag,
    [Parameter(Mandatory)] [int] $Minutes,
    [Parameter(Mandatory)] [string] $MoveTask,
    [Parameter(Mandatory)] [string] $LeaseTask
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The lock of a run of ours: while one is at work here the flag is its own.
try {
    $lock = [System.IO.FileStream]::new((Join-Path -Path $PSScriptRoot -ChildPath 'run.lock'), [System.IO.FileMode]::OpenOrCreate,
        [System.IO.FileAccess]::ReadWrite, [System.IO.FileShare]::None, 1, [System.IO.FileOptions]::DeleteOnClose)
}
catch [System.IO.IOException] {
    return
}
try {
    if (Test-Path -LiteralPath $Flag) {
        $alive = Get-ScheduledTask | Where-Object -FilterScript {
            $_.TaskName -eq $MoveTask -and $_.TaskPath -eq '\' -and @('Running', 'Queued') -contains [string]$_.State
        }
        if ($null -ne $alive) {
            return
        }
        # A flag from the future was dated by a clock that has been set back since: its age is not known, so it counts as old.
        $age = ((Get-Date).ToUniversalTime() - (Get-Item -LiteralPath $Flag -Force).LastWriteTimeUtc).TotalMinutes
        if ([Math]::Abs($age) -lt $Minutes) {
            return
        }
        Remove-Item -LiteralPath $Flag -Force
    }
    Unregister-ScheduledTask -TaskName $LeaseTask -Confirm:$false
}
finally {
    $lock.Dispose()
}
