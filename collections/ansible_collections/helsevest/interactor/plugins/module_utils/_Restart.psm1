# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Which scheduled tasks take Windows down (P8). Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Test-WindowsUpdateTask {
    <#
    .SYNOPSIS
    Whether a scheduled task is Windows Update's own restart: Windows keeps it for itself, and makes it anew.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [object] $Task)

    $Task.TaskPath -eq '\Microsoft\Windows\UpdateOrchestrator\' -and $Task.TaskName -like 'Reboot*'
}

Function Test-RestartTask {
    <#
    .SYNOPSIS
    Whether a scheduled task takes Windows down: Windows Update's own, or one that calls shutdown or its cmdlets.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [object] $Task)

    if ([string]$Task.State -eq 'Disabled') {
        return $false
    }
    if (Test-WindowsUpdateTask -Task $Task) {
        return $true
    }
    foreach ($action in @($Task.Actions)) {
        # An action that is no program has neither of these.
        if ($null -eq $action.PSObject.Properties['Execute']) {
            continue
        }
        if ($action.Execute -match '(?i)\bshutdown(\.exe)?"?$' -and $action.Arguments -match '(?i)[/-][rgsph]\b') {
            return $true
        }
        if ("$($action.Execute) $($action.Arguments)" -match '(?i)\b(Restart|Stop)-Computer\b') {
            return $true
        }
    }
    $false
}

Function Test-LateTask {
    <#
    .SYNOPSIS
    Whether Windows makes up for a start of a task that was missed: enabled after its time, it may be run just then.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [object] $Task)

    [bool]$Task.Settings.StartWhenAvailable
}

Export-ModuleMember -Function @('Test-LateTask', 'Test-RestartTask', 'Test-WindowsUpdateTask')
