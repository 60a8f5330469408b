# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The vendor's migration program: its task and what it says of itself. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:TaskTries = 30

Function New-Status {
    param (
        [Parameter(Mandatory)] [string] $State,
        [int] $Progress = 0,
        [System.Collections.IDictionary] $Count = @{},
        [string] $Message = ''
    )

    [ordered]@{ state = $State; progress = $Progress; counts = $Count; message = $Message }
}

Function Get-Status {
    <#
    .SYNOPSIS
    What the vendor's status file says, in our words; state none where there is no file.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $path = Get-ContractValue -Contract $Contract -Path 'migration.status_file'
    $told = Read-JsonFile -What 'status file' -Path $path
    if ($null -eq $told) {
        return New-Status -State 'none'
    }
    $keys = Get-ContractValue -Contract $Contract -Path 'migration.status_keys'
    $states = Get-ContractValue -Contract $Contract -Path 'migration.states'
    $state = $told[$keys['state']]
    $word = @($states.Keys | Where-Object -FilterScript { $states[$_] -ceq $state })
    if ($word.Count -ne 1) {
        throw "status file $path says state '$state': allowed are $(@($states.Values | Sort-Object) -join ', ')"
    }
    $counts = $told[$keys['counts']]
    if ($null -eq $counts) {
        $counts = @{}
    }
    New-Status -State $word[0] -Progress ([int]$told[$keys['progress']]) -Count $counts -Message ([string]$told[$keys['message']])
}

Function Get-MoveTask {
    <#
    .SYNOPSIS
    How the scheduled task of the migration is; $null where there is none.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    Get-TaskState -Name (Get-ContractValue -Contract $Contract -Path 'migration.task')
}

Function Test-MoveTask {
    <#
    .SYNOPSIS
    Whether the migration's task is at work.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    @('Running', 'Queued') -contains (Get-MoveTask -Contract $Contract)
}

Function Get-RunStatus {
    <#
    .SYNOPSIS
    How a migration that was started is getting on; one that ended without saying so has failed.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    # In this order: a program that ends between the two looks has written its last word before the second.
    $alive = Test-MoveTask -Contract $Contract
    $status = Get-Status -Contract $Contract
    if ($alive -and $status['state'] -eq 'none') {
        return New-Status -State 'running'
    }
    if (-not $alive -and @('none', 'running') -contains $status['state']) {
        $message = 'the migration program ended without saying so'
        return New-Status -State 'failed' -Progress $status['progress'] -Count $status['counts'] -Message $message
    }
    $status
}

Function Start-Move {
    <#
    .SYNOPSIS
    Starts the migration as SYSTEM in a scheduled task: a child of this session would die with it.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Attempt,
        [Parameter(Mandatory)] [string[]] $Site
    )

    $name = Get-ContractValue -Contract $Contract -Path 'migration.task'
    $values = @{
        sites = $Site -join ','
        attempt = $Attempt['number']
        key = $Attempt['key']
        months = $Attempt['history_months']
        day = $Attempt['day']
        status_file = Get-ContractValue -Contract $Contract -Path 'migration.status_file'
    }
    if ($Site.Count -eq 1) {
        $values['site'] = $Site[0]
    }
    $action = @{
        Execute = Get-ContractValue -Contract $Contract -Path 'migration.program'
        Argument = Expand-Argument -Template (Get-ContractValue -Contract $Contract -Path 'migration.arguments') -Value $values
    }
    Register-SystemTask -Name $name -Action $action
    Start-ScheduledTask -TaskName $name
    for ($try = 1; $try -le $script:TaskTries; $try++) {
        if ((Get-Status -Contract $Contract)['state'] -ne 'none' -or (Test-MoveTask -Contract $Contract)) {
            return
        }
        Start-Sleep -Seconds 1
    }
    throw "task '$name' was started, but neither it nor a status file shows"
}

Function Stop-Move {
    <#
    .SYNOPSIS
    Ends the migration's task and takes it away.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = Get-ContractValue -Contract $Contract -Path 'migration.task'
    if (Test-MoveTask -Contract $Contract) {
        Stop-ScheduledTask -TaskName $name
        for ($try = 1; $try -le $script:TaskTries -and (Test-MoveTask -Contract $Contract); $try++) {
            Start-Sleep -Seconds 1
        }
        if (Test-MoveTask -Contract $Contract) {
            throw "task '$name' does not end"
        }
    }
    try {
        Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false
    }
    catch {
        # Nothing starts it by itself, and the next attempt's takes its place.
        $null = $_
    }
}

Export-ModuleMember -Function @(
    'Get-MoveTask', 'Get-RunStatus', 'Get-Status', 'Start-Move', 'Stop-Move', 'Test-MoveTask'
)
