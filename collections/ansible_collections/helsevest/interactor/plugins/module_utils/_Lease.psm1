# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The lease: nobody is in Interactor, and nobody gets in (M2). Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-InteractorUse {
    <#
    .SYNOPSIS
    Whether somebody has Interactor open on this host.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $names = Get-ContractValue -Contract $Contract -Path 'processes'
    $sessions = @(Get-Process | Where-Object -FilterScript { $names -contains $_.ProcessName }).Count
    [ordered]@{
        active = $sessions -gt 0
        sessions = $sessions
        open_files = $null
        last_activity = $null
        warned = $null
        closed = $null
    }
}

Function Invoke-Lease {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    $known = $null -ne $ledger['lease'] -and $ledger['lease']['state'] -eq 'held'
    $flagged = Test-Path -LiteralPath $flag
    if (-not $flagged -and -not $Module.CheckMode) {
        # First nobody new, then the count: in the other order somebody could come in between.
        Write-DurableText -Path $flag -Text "$($Module.Params.run_id) $($Module.Params.now)`n"
    }
    $users = Get-InteractorUse -Contract $Contract
    $Module.Result.users = $users
    $Module.Result.held = -not $users['active']
    $Module.Result.again = $users['active']
    $Module.Result.reason = ''
    if ($users['active']) {
        $Module.Result.reason = "Interactor is in use: $($users['sessions']) open"
        $Module.Result.changed = $known -or $flagged
        if (-not $Module.CheckMode) {
            Reset-Lease -Module $Module -Contract $Contract -Ledger $ledger
        }
        return
    }
    $Module.Result.changed = -not ($known -and $flagged)
    if ($Module.CheckMode -or $known) {
        return
    }
    $ledger['lease'] = [ordered]@{ state = 'held'; since = $Module.Params.now; run = $Module.Params.run_id }
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.ledger = $ledger
}

Function Reset-Lease {
    <#
    .SYNOPSIS
    Lets people in again: the flag goes, and the lease is free where the ledger has one held.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [System.Collections.IDictionary] $Ledger
    )

    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    if (Test-Path -LiteralPath $flag) {
        Remove-Item -LiteralPath $flag -Force
    }
    if ($null -ne $Ledger -and $null -ne $Ledger['lease'] -and $Ledger['lease']['state'] -ne 'free') {
        $Ledger['lease'] = [ordered]@{ state = 'free'; since = $Module.Params.now; run = $Module.Params.run_id }
        Save-Ledger -Contract $Contract -Ledger $Ledger
        $Module.Result.ledger = $Ledger
    }
}

Function Test-LeaseKept {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [System.Collections.IDictionary] $Ledger
    )

    $held = $null -ne $Ledger -and $null -ne $Ledger['lease'] -and $Ledger['lease']['state'] -ne 'free'
    $held -or (Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'))
}

Export-ModuleMember -Function @(
    'Get-InteractorUse', 'Invoke-Lease', 'Reset-Lease', 'Test-LeaseKept'
)
