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
    [Parameter(Mandatory)] [string] $LeaseTask,
    # A task that an earlier version registered does not name it.
    [string] $MoveProgram = ''
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Test-TaskAtWork {
    <#
    .SYNOPSIS
    Whether a task runs or waits; $null where Windows does not tell.
    #>
    param ([Parameter(Mandatory)] [string] $Name)

    $task = @{ TaskName = $Name; TaskPath = '\' }
    $failures = @()
    $found = @()
    try {
        $found = @(Get-ScheduledTask @task -ErrorAction SilentlyContinue -ErrorVariable failures |
                Where-Object -FilterScript { $_.TaskName -eq $Name -and $_.TaskPath -eq '\' })
    }
    catch {
        $failures = @($_)
    }
    if ($found.Count -gt 0) {
        return @('Running', 'Queued') -contains [string]$found[0].State
    }
    if (@($failures | Where-Object -FilterScript { "$($_.CategoryInfo.Category)" -ne 'ObjectNotFound' }).Count -eq 0) {
        return $false
    }
    # For one task Windows may go through all, and end at one that is damaged, whoever's it is; for this it opens one alone.
    try {
        # SCHED_S_TASK_RUNNING, SCHED_S_TASK_QUEUED
        @(267009, 267045) -contains (Get-ScheduledTaskInfo @task -ErrorAction Stop).LastTaskResult
    }
    catch {
        if ("$($_.CategoryInfo.Category)" -eq 'ObjectNotFound') {
            return $false
        }
    }
}

Function Test-Move {
    <#
    .SYNOPSIS
    Whether a migration is at work: by its task, and by its program where Windows does not tell of the task.
    #>
    param (
        [Parameter(Mandatory)] [string] $Task,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Program
    )

    $told = Test-TaskAtWork -Name $Task
    if ($null -ne $told) {
        return $told
    }
    $name = [System.IO.Path]::GetFileNameWithoutExtension($Program.Split('\')[-1])
    # A program of the name, wherever it lies: rather an office that waits than one that makes orders under a migration.
    @(Get-Process | Where-Object -FilterScript { $_.ProcessName -eq $name -and $_.Id -ne $PID }).Count -gt 0
}

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
        if (Test-Move -Task $MoveTask -Program $MoveProgram) {
            return
        }
        # A flag from the future was dated by a clock that has been set back since: its age is not known, so it counts as old.
        $age = ((Get-Date).ToUniversalTime() - (Get-Item -LiteralPath $Flag -Force).LastWriteTimeUtc).TotalMinutes
        if ([Math]::Abs($age) -lt $Minutes) {
            return
        }
        Remove-Item -LiteralPath $Flag -Force
    }
    Unregister-ScheduledTask -TaskName $LeaseTask -TaskPath '\' -Confirm:$false
}
finally {
    $lock.Dispose()
}
