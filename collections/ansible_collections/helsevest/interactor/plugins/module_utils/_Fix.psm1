# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a remediation changes on a host, and the way back: docs/decisions/0027-remediation.md. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Connection
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._FixProxy
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._FixRecord
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Restart
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Setting

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-FixPlan {
    <#
    .SYNOPSIS
    The settings to change for the checks that were asked for, in their order. What is left, and why, goes into Left.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    $planned = [System.Collections.Generic.List[object]]::new()
    foreach ($check in 'proxy', 'sleep', 'restart') {
        if ($Module.Params.checks -notcontains $check) {
            continue
        }
        try {
            $found = switch ($check) {
                'proxy' { Get-ProxyPlan -Contract $Contract -Left $Left }
                'sleep' { Get-SleepPlan -Left $Left }
                'restart' { Get-RestartPlan -Until $Module.Params.until -Left $Left }
            }
            foreach ($change in $found) {
                $planned.Add($change)
            }
        }
        catch {
            Add-Left -Left $Left -Check $check -What 'all of it' -Why "it cannot be found out: $($_.Exception.Message)"
        }
    }
    , $planned
}

Function Get-SleepPlan {
    param ([Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left)

    $plan = Get-ActivePlan
    $idle = Get-IdleSetting
    foreach ($what in $idle.Keys) {
        $policy = "HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Power\PowerSettings\$($idle[$what].Trim('{', '}'))"
        $change = New-Change -Check 'sleep' -What $what -Kind 'idle' -Where $plan -Name $idle[$what] -After 0
        $change['before'] = Get-Setting -Setting $change
        if ($null -eq $change['before'] -or $change['before'] -eq 0) {
            continue
        }
        if ($null -ne (Get-RegistryValue -Key $policy -Name 'ACSettingIndex')) {
            Add-Left -Left $Left -Check 'sleep' -What $what -Why "Group Policy: Power Management ($policy, ACSettingIndex)"
            continue
        }
        $change
    }
}

Function Get-RestartPlan {
    param (
        [Parameter(Mandatory)] [string] $Until,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    $end = ConvertFrom-Moment -Text $Until
    foreach ($task in @(Get-ScheduledTask | Where-Object -FilterScript { Test-RestartTask -Task $_ })) {
        $next = (Get-ScheduledTaskInfo -TaskName $task.TaskName -TaskPath $task.TaskPath).NextRunTime
        if ($null -eq $next -or $next.ToUniversalTime() -gt $end) {
            continue
        }
        $what = "$($task.TaskPath)$($task.TaskName)"
        if (Test-WindowsUpdateTask -Task $task) {
            $why = "Windows Update restarts at $(Format-Moment -Moment $next) and keeps that to itself: " +
            'restart the machine before, when it suits the office'
            Add-Left -Left $Left -Check 'restart' -What $what -Why $why
            continue
        }
        if (Test-LateTask -Task $task) {
            $why = "it restarts at $(Format-Moment -Moment $next), and Windows makes up for a missed start: put back in the morning it " +
            'would restart the machine at once. Agree with the office on another time for it'
            Add-Left -Left $Left -Check 'restart' -What $what -Why $why
            continue
        }
        $of = @{ Where = $task.TaskPath; Name = $task.TaskName; Before = 'enabled'; After = 'disabled' }
        New-Change -Check 'restart' -What $what -Kind 'task' @of
    }
}

Function Invoke-Fix {
    <#
    .SYNOPSIS
    Writes down what is to be changed, has the host put back by itself what is for the night, and changes it.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Change,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    foreach ($one in $Change) {
        Add-ToRecord -Record $Record -Change $one -Run $Module.Params.run_id -Now $Module.Params.now
    }
    if (Test-Night -Record $Record) {
        $Record['until'] = $Module.Params.until
    }
    # First how to go back: nothing may ever be changed without it.
    Save-FixRecord -Contract $Contract -Record $Record
    if ($null -ne $Record['until']) {
        Register-Return -Contract $Contract -Until $Record['until'] -Script $Module.Params.fix_script
    }
    Write-Change -Change $Change -Left $Left
}

Function Write-Change {
    <#
    .SYNOPSIS
    Changes each setting. One that cannot be changed stops no other, is told, and goes from the list.
    #>
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Change,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    foreach ($one in @($Change)) {
        try {
            Set-Setting -Setting $one -Value $one['after']
        }
        catch {
            $null = $Change.Remove($one)
            $why = "it cannot be changed: $($_.Exception.Message)"
            Add-Left -Left $Left -Check $one['check'] -What "$($one['what']), $($one['name'])" -Why $why
        }
    }
}

Function Get-UndoPlan {
    <#
    .SYNOPSIS
    The settings of the record to put back, the last one first. What somebody has changed meanwhile goes into Left, and
    what is back already into Done: nothing of either is written.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [object[]] $Check,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Done
    )

    $planned = [System.Collections.Generic.List[object]]::new()
    for ($at = $Record['settings'].Count - 1; $at -ge 0; $at--) {
        $entry = $Record['settings'][$at]
        if ($Check -notcontains $entry['check']) {
            continue
        }
        $what = "$($entry['what']), $($entry['name'])"
        try {
            $now = Get-Setting -Setting $entry
            if (Test-SameSetting -Setting $entry -One $now -Other $entry['before']) {
                $Done.Add($entry)
                continue
            }
            if (-not (Test-SameSetting -Setting $entry -One $now -Other $entry['after'])) {
                $told = Get-SettingText -Setting $entry -Value $now
                Add-Left -Left $Left -Check $entry['check'] -What $what -Why "somebody has changed it meanwhile, to $told"
                continue
            }
            $change = [ordered]@{}
            foreach ($name in 'check', 'what', 'kind', 'where', 'name') {
                $change[$name] = $entry[$name]
            }
            $change['before'] = $now
            $change['after'] = Get-Former -Entry $entry -Now $now
            $change['entry'] = $entry
            $planned.Add($change)
        }
        catch {
            Add-Left -Left $Left -Check $entry['check'] -What $what -Why "it cannot be read, so it is left: $($_.Exception.Message)"
        }
    }
    , $planned
}

Function Get-Former {
    <#
    .SYNOPSIS
    What to write so that a setting is as it was. Of connection settings flags and script come back; the counter is raised
    once more, and what Windows has written meanwhile stays.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Entry,
        [AllowNull()] [object] $Now
    )

    if ($Entry['kind'] -ne 'connection') {
        return $Entry['before']
    }
    $before = Read-ConnectionSetting -Bytes (ConvertFrom-Hex -Text $Entry['before'])
    $bytes = ConvertFrom-Hex -Text $Now
    ConvertTo-Hex -Bytes (Edit-ConnectionSetting -Bytes $bytes -Flags $before['flags'] -Script $before['script'])
}

Function Invoke-Undo {
    <#
    .SYNOPSIS
    Puts back what is to be put back, and takes it out of the record.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Change,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Done
    )

    Write-Change -Change $Change -Left $Left
    Remove-FromRecord -Record $Record -Setting @($Done)
    Remove-FromRecord -Record $Record -Setting @($Change | ForEach-Object -Process { $_['entry'] })
    Save-FixRecord -Contract $Contract -Record $Record
}

Export-ModuleMember -Function @('Get-FixPlan', 'Get-UndoPlan', 'Invoke-Fix', 'Invoke-Undo')
