# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Puts back what a preflight's remediation has changed for a night: when a machine sleeps, and tasks that restart it. A task of
# ours on the host runs it as SYSTEM (_FixRecord.psm1); it stands alone there, and touches nothing but these and that task.
# Windows PowerShell 5.1 must run it.

param (
    [Parameter(Mandatory)] [string] $Until,
    [Parameter(Mandatory)] [string] $Flag,
    [Parameter(Mandatory)] [string] $FixTask
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Power = 'root\cimv2\power'

Function Restore-Idle {
    <#
    .SYNOPSIS
    Gives a time of the power plan its old value, unless somebody has changed it meanwhile.
    #>
    param ([Parameter(Mandatory)] [object] $Setting)

    $id = "Microsoft:PowerSettingDataIndex\\$($Setting.where)\\AC\\$($Setting.name)"
    $index = Get-CimInstance -Namespace $script:Power -ClassName Win32_PowerSettingDataIndex -Filter "InstanceID = '$id'"
    if ($null -eq $index -or $index.SettingIndexValue -ne $Setting.after) {
        return
    }
    $plan = $Setting.where.Trim('{', '}')
    $null = powercfg.exe /setacvalueindex $plan 238c9fa8-0aad-41ed-83f4-97be242c8f20 $Setting.name.Trim('{', '}') $Setting.before
    if ($LASTEXITCODE -ne 0) {
        throw "powercfg ended with code $LASTEXITCODE"
    }
    $active = (Get-CimInstance -Namespace $script:Power -ClassName Win32_PowerPlan -Filter 'IsActive = TRUE').InstanceID.Split('\')[-1]
    if ($active -eq $Setting.where) {
        $null = powercfg.exe /setactive $plan
        if ($LASTEXITCODE -ne 0) {
            throw "powercfg ended with code $LASTEXITCODE"
        }
    }
}

Function Restore-Task {
    <#
    .SYNOPSIS
    Enables a task again, if it is still there and disabled.
    #>
    param ([Parameter(Mandatory)] [object] $Setting)

    foreach ($task in @(Get-ScheduledTask)) {
        if ($task.TaskName -eq $Setting.name -and $task.TaskPath -eq $Setting.where -and [string]$task.State -eq 'Disabled') {
            $null = Enable-ScheduledTask -TaskName $Setting.name -TaskPath $Setting.where
        }
    }
}

# The lock of a run of ours: while one is at work here nothing is changed beside it.
try {
    $lock = [System.IO.FileStream]::new((Join-Path -Path $PSScriptRoot -ChildPath 'run.lock'), [System.IO.FileMode]::OpenOrCreate,
        [System.IO.FileAccess]::ReadWrite, [System.IO.FileShare]::None, 1, [System.IO.FileOptions]::DeleteOnClose)
}
catch [System.IO.IOException] {
    return
}
try {
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    $end = [datetime]::ParseExact($Until, "yyyy-MM-dd'T'HH:mm:ss'Z'", $culture)
    # Also a startup in the middle of the night comes here; and a move that takes longer is not put to sleep.
    if ((Get-Date).ToUniversalTime() -lt $end -or (Test-Path -LiteralPath $Flag)) {
        return
    }
    $path = Join-Path -Path $PSScriptRoot -ChildPath 'fix.json'
    if (-not (Test-Path -LiteralPath $path)) {
        # What a power cut leaves of a record that was being written.
        $path = "$path.new"
    }
    if (Test-Path -LiteralPath $path) {
        $record = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($path))
        foreach ($setting in $record.settings) {
            switch ($setting.kind) {
                'idle' { Restore-Idle -Setting $setting }
                'task' { Restore-Task -Setting $setting }
            }
        }
    }
    # That it is gone says that all of this is back.
    Unregister-ScheduledTask -TaskName $FixTask -TaskPath '\' -Confirm:$false
}
finally {
    $lock.Dispose()
}
