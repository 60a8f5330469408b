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
# It is done in seconds; one that hangs would hold the lock, and no other would be started beside it.
$script:MostMinutes = 5
# Windows Server 2012 wants an end of the repetition, newer ones refuse the largest of all.
$script:RepeatDays = 3650
# Until it is switched or undone an attempt needs that nobody has been in Interactor since it was opened.
$script:Unended = @('prepared', 'running', 'completed', 'failed')

Function Enter-Maintenance {
    <#
    .SYNOPSIS
    Keeps new sessions out of Interactor, and sees that the host lets people in again by itself should nobody come back.

    .PARAMETER Text
    What a new flag holds: who set it and when, for a person who finds it. One that is there is kept, and renewed.

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
    Assert-TaskTold -Contract $Contract
    # First what takes the flag away again: no flag may ever stand without it.
    Register-Watch -Contract $Contract -Script $Script
    if (Test-Maintenance -Contract $Contract) {
        Update-FileTime -Path $flag
    }
    else {
        Write-DurableText -Path $flag -Text "$Text`n"
    }
}

Function Update-Maintenance {
    <#
    .SYNOPSIS
    Renews a flag that is there: who keeps people out is alive. One that is gone stays gone.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [AllowEmptyString()] [string] $Script
    )

    if (-not (Test-Maintenance -Contract $Contract)) {
        return
    }
    if ($Script -and -not (Test-Watch -Contract $Contract)) {
        Register-Watch -Contract $Contract -Script $Script
    }
    Update-FileTime -Path (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag')
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
    try {
        $name = Get-ContractValue -Contract $Contract -Path 'lease.task'
        if ($null -ne (Get-TaskState -Name $name)) {
            Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false
        }
    }
    catch {
        # People are in. Without a flag it has nothing to do but to go, and the next lease's takes its place.
        $null = $_
    }
}

Function Test-Maintenance {
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag')
}

Function Test-Watch {
    <#
    .SYNOPSIS
    Whether it is known that the task that takes the flag away is there.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    try {
        $null -ne (Get-TaskState -Name (Get-ContractValue -Contract $Contract -Path 'lease.task'))
    }
    catch {
        $false
    }
}

Function Assert-TaskTold {
    <#
    .SYNOPSIS
    An error where Windows cannot tell of the tasks that a move needs: nobody is kept out for what could not go on.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    foreach ($path in 'lease.task', 'migration.task') {
        try {
            $null = Get-TaskState -Name (Get-ContractValue -Contract $Contract -Path $path)
        }
        catch {
            throw "refused: $($_.Exception.Message)"
        }
    }
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
    $program = Get-ContractValue -Contract $Contract -Path 'migration.program'
    foreach ($value in $path, $flag, $move, $program, $name) {
        if ($value -match '["\r\n]') {
            throw "contract: '$value' cannot be an argument of a task"
        }
    }
    $action = @{
        Execute = $script:PowerShell
        Argument = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$path`" -Flag `"$flag`" -Minutes $([int]$minutes) " +
        "-MoveTask `"$move`" -MoveProgram `"$program`" -LeaseTask `"$name`""
    }
    $repeated = @{
        Once = $true
        At = (Get-Date).AddMinutes($minutes)
        RepetitionInterval = New-TimeSpan -Minutes $script:RepeatMinutes
        RepetitionDuration = New-TimeSpan -Days $script:RepeatDays
    }
    $trigger = @((New-ScheduledTaskTrigger @repeated), (New-ScheduledTaskTrigger -AtStartup))
    Register-SystemTask -Name $name -Action $action -Trigger $trigger -Limit (New-TimeSpan -Minutes $script:MostMinutes)
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
    $open = $null -ne $attempt -and @('prepared', 'running', 'completed') -contains $attempt['state']
    if ($open -and $state -ne 'held') {
        throw "refused: the lease was lost while attempt $($attempt['number']) was open: people may have been in Interactor since"
    }
    $kept = Test-LeaseKept -Contract $Contract -Ledger $ledger
    if ($Module.CheckMode) {
        Assert-TaskTold -Contract $Contract
    }
    else {
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
        if ($open) {
            # The attempt's, not this call's: who follows it sees to it.
            $Module.Result.held = $true
            return
        }
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
        Update-Maintenance -Contract $Contract -Script $Module.Params.lease_script
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

Function Assert-NoAttempt {
    <#
    .SYNOPSIS
    An error where an attempt is neither switched nor undone: who lets people in then comes late, and is another's.
    #>
    param ([AllowNull()] [System.Collections.IDictionary] $Ledger)

    $attempt = Get-LastAttempt -Ledger $Ledger
    if ($null -ne $attempt -and $script:Unended -contains $attempt['state']) {
        throw "refused: attempt $($attempt['number']) is $($attempt['state']): nobody may be let in before it is switched or undone"
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
    'Assert-LeaseHeld', 'Assert-NoAttempt', 'Enter-Maintenance', 'Exit-Maintenance', 'Invoke-Lease', 'Reset-Lease', 'Test-LeaseKept',
    'Update-Lease', 'Update-Maintenance'
)
