# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The lease: nobody is in Interactor, and nobody gets in (M2). Windows PowerShell 5.1 must run it.
# docs/decisions/0013-the-lease.md tells why the flag is a heartbeat, and what the task on the host is for.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Use
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:PowerShell = '%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe'
$script:RepeatMinutes = 15
# Windows Server 2012 wants an end of the repetition, newer ones refuse the largest of all.
$script:RepeatDays = 3650

Function Enter-Maintenance {
    <#
    .SYNOPSIS
    Keeps new sessions out of Interactor, and sees that the host lets people in again by itself should nobody come back.

    .PARAMETER Text
    What the flag holds: who set it and when, for a person who finds it.

    .PARAMETER Script
    The text of the script that the task on the host runs (plugin_utils/_lease.ps1).
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Text,
        [Parameter(Mandatory)] [string] $Script
    )

    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    $folder = Split-Path -Path $flag -Parent
    if (-not (Test-Path -LiteralPath $folder)) {
        throw "refused: $folder is missing, so nobody can be kept out of Interactor"
    }
    # First what takes the flag away again: no flag may ever stand without it.
    Register-Watch -Contract $Contract -Script $Script
    Write-DurableText -Path $flag -Text "$Text`n"
}

Function Update-Maintenance {
    <#
    .SYNOPSIS
    Renews a flag that is there: who keeps people out is alive. One that is gone stays gone.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Text,
        [AllowNull()] [AllowEmptyString()] [string] $Script
    )

    if (-not (Test-Maintenance -Contract $Contract)) {
        return
    }
    if ($Script -and $null -eq (Get-Watch -Contract $Contract)) {
        Register-Watch -Contract $Contract -Script $Script
    }
    Write-DurableText -Path (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag') -Text "$Text`n"
}

Function Exit-Maintenance {
    <#
    .SYNOPSIS
    Lets people in again: the flag goes, then the task that would have taken it away.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    if (Test-Maintenance -Contract $Contract) {
        Remove-Item -LiteralPath (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag') -Force
    }
    if ($null -ne (Get-Watch -Contract $Contract)) {
        Unregister-ScheduledTask -TaskName (Get-ContractValue -Contract $Contract -Path 'lease.task') -Confirm:$false
    }
}

Function Test-Maintenance {
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag')
}

Function Get-Watch {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = Get-ContractValue -Contract $Contract -Path 'lease.task'
    Get-ScheduledTask | Where-Object -FilterScript { $_.TaskName -eq $name -and $_.TaskPath -eq '\' } | Select-Object -First 1
}

Function Register-Watch {
    <#
    .SYNOPSIS
    Puts the script on the host and has Windows run it as SYSTEM: after the lease's time, again and again, and at startup.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Script
    )

    New-WorkFolder -Contract $Contract
    $path = (Get-ContractValue -Contract $Contract -Path 'paths.work').TrimEnd('\') + '\lease.ps1'
    Write-DurableText -Path $path -Text $Script
    $name = Get-ContractValue -Contract $Contract -Path 'lease.task'
    $minutes = Get-ContractValue -Contract $Contract -Path 'lease.minutes'
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    $move = Get-ContractValue -Contract $Contract -Path 'migration.task'
    foreach ($value in $path, $flag, $move, $name) {
        if ($value -match '["\r\n]') {
            throw "contract: '$value' cannot be an argument of a task"
        }
    }
    $action = @{
        Execute = $script:PowerShell
        Argument = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$path`" -Flag `"$flag`" -Minutes $([int]$minutes) " +
        "-MoveTask `"$move`" -LeaseTask `"$name`""
    }
    $repeated = @{
        Once = $true
        At = (Get-Date).AddMinutes($minutes)
        RepetitionInterval = New-TimeSpan -Minutes $script:RepeatMinutes
        RepetitionDuration = New-TimeSpan -Days $script:RepeatDays
    }
    $trigger = @((New-ScheduledTaskTrigger @repeated), (New-ScheduledTaskTrigger -AtStartup))
    Register-SystemTask -Name $name -Action $action -Trigger $trigger
}

Function Get-FlagText {
    param ([Parameter(Mandatory)] [object] $Module)

    "$($Module.Params.run_id) $($Module.Params.now)"
}

Function Get-LeaseState {
    [CmdletBinding()]
    [OutputType([string])]
    param ([AllowNull()] [System.Collections.IDictionary] $Ledger)

    if ($null -eq $Ledger -or $null -eq $Ledger['lease']) {
        return 'free'
    }
    $Ledger['lease']['state']
}

Function Invoke-Lease {
    <#
    .SYNOPSIS
    Takes the lease, or gives it back where somebody is in Interactor.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $state = Get-LeaseState -Ledger $ledger
    $attempt = Get-LastAttempt -Ledger $ledger
    if ($state -eq 'lost' -and $null -ne $attempt -and @('prepared', 'running', 'completed') -contains $attempt['state']) {
        throw "refused: the lease was lost while attempt $($attempt['number']) was open: people may have been in Interactor since"
    }
    $kept = Test-LeaseKept -Contract $Contract -Ledger $ledger
    if (-not $Module.CheckMode) {
        # First nobody new, then the count: in the other order somebody could come in between.
        Enter-Maintenance -Contract $Contract -Text (Get-FlagText -Module $Module) -Script $Module.Params.lease_script
    }
    $use = Resolve-InteractorUse -Module $Module -Contract $Contract
    $Module.Result.users = $use
    $Module.Result.held = -not $use['active']
    $Module.Result.again = $use['active']
    $Module.Result.reason = ''
    if ($use['active']) {
        $Module.Result.reason = Get-UseText -Use $use
        $Module.Result.changed = $Module.Result.changed -or $kept
        if (-not $Module.CheckMode) {
            Reset-Lease -Module $Module -Contract $Contract -Ledger $ledger
        }
        return
    }
    $Module.Result.changed = $Module.Result.changed -or $state -ne 'held'
    if ($Module.CheckMode -or $state -eq 'held') {
        return
    }
    $ledger['lease'] = [ordered]@{ state = 'held'; since = $Module.Params.now; run = $Module.Params.run_id }
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.ledger = $ledger
}

Function Update-Lease {
    <#
    .SYNOPSIS
    Renews a lease that is held.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    if (-not $Module.CheckMode -and (Get-LeaseState -Ledger $Module.Result.ledger) -eq 'held') {
        Update-Maintenance -Contract $Contract -Text (Get-FlagText -Module $Module) -Script $Module.Params.lease_script
    }
}

Function Assert-LeaseHeld {
    <#
    .SYNOPSIS
    An error where people may be in Interactor: nothing that moves or switches may be begun then.
    #>
    param ([AllowNull()] [System.Collections.IDictionary] $Ledger)

    switch (Get-LeaseState -Ledger $Ledger) {
        'held' { return }
        'lost' { throw 'refused: the lease was lost: the server has let people into Interactor again' }
        default { throw 'refused: the lease is not held: people may be in Interactor' }
    }
}

Function Reset-Lease {
    <#
    .SYNOPSIS
    Lets people in again: flag and task go, and the lease is free where the ledger has one held.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [System.Collections.IDictionary] $Ledger
    )

    Exit-Maintenance -Contract $Contract
    if ((Get-LeaseState -Ledger $Ledger) -ne 'free') {
        $Ledger['lease'] = [ordered]@{ state = 'free'; since = $Module.Params.now; run = $Module.Params.run_id }
        Save-Ledger -Contract $Contract -Ledger $Ledger
        $Module.Result.ledger = $Ledger
    }
}

Function Test-LeaseKept {
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [System.Collections.IDictionary] $Ledger
    )

    (Get-LeaseState -Ledger $Ledger) -ne 'free' -or (Test-Maintenance -Contract $Contract)
}

Export-ModuleMember -Function @(
    'Assert-LeaseHeld', 'Enter-Maintenance', 'Exit-Maintenance', 'Invoke-Lease', 'Reset-Lease', 'Test-LeaseKept',
    'Update-Lease', 'Update-Maintenance'
)
