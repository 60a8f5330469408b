#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Moves a server's data to the cloud, step by step; each step can be taken again (docs/contracts.md, What the host modules answer).

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Manifest
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Migration
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Switch
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Use
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
        step = @{
            type = 'str'
            required = $true
            choices = @('look', 'lease', 'users', 'manifest', 'start', 'follow', 'ids', 'switch', 'handback', 'restore')
        }
        attempt = @{
            type = 'dict'
            options = @{
                number = @{ type = 'int'; required = $true }
                key = @{ type = 'str'; required = $true; no_log = $false }
                sites = @{ type = 'list'; elements = 'str' }
            }
        }
        history_months = @{ type = 'int' }
        day = @{ type = 'str' }
        categories = @{ type = 'list'; elements = 'str'; choices = @('orders', 'started_requisitions', 'favourite_packages') }
        mode = @{ type = 'str' }
        lease_script = @{ type = 'str' }
        warning = @{ type = 'str' }
        close = @{ type = 'bool'; default = $false }
    }
    required_if = @(
        , @('step', 'lease', @(, 'lease_script'))
        , @('step', 'manifest', @('attempt', 'history_months', 'day', 'mode'))
        , @('step', 'start', @(, 'attempt'))
        , @('step', 'follow', @(, 'attempt'))
        , @('step', 'ids', @('attempt', 'categories'))
        , @('step', 'switch', @(, 'attempt'))
        , @('step', 'restore', @(, 'attempt'))
    )
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

Function Get-AttemptSite {
    <#
    .SYNOPSIS
    The sites that an attempt moves: those that it names, else the ledger's one.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Attempt,
        [Parameter(Mandatory)] [string] $Site
    )

    if ($Attempt.Keys -notcontains 'sites' -or $null -eq $Attempt['sites']) {
        return $Site
    }
    $Attempt['sites']
}

Function Invoke-Look {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $Module.Result.mode = Get-ModeNow -Contract $Contract
    $Module.Result.status = Get-Status -Contract $Contract
    if ($Module.CheckMode -or -not (Test-LeaseKept -Contract $Contract -Ledger $Module.Result.ledger)) {
        return
    }
    $lock = $null
    try {
        $lock = Lock-Work -Contract $Contract -CheckMode $false -Seconds 0
    }
    catch {
        # Another run is at work here, and sees to the lease.
        return
    }
    try {
        # Read again: until now that other run may have given the lease back.
        $Module.Result.ledger = Get-Ledger -Contract $Contract -Site $Module.Params.site
        Update-Lease -Module $Module -Contract $Contract
    }
    finally {
        $lock.Dispose()
    }
}

Function Invoke-Manifest {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $named = $Module.Params.attempt
    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $last = Get-LastAttempt -Ledger $ledger
    if ($null -ne $last -and $last['number'] -eq $named['number'] -and $last['key'] -ceq $named['key']) {
        $Module.Result.manifest = $last['before']
        return
    }
    $next = 1
    if ($null -ne $last) {
        if ($last['state'] -ne 'rolled_back') {
            throw "refused: attempt $($named['number']): attempt $($last['number']) ($($last['key'])) is $($last['state'])"
        }
        $next = $last['number'] + 1
    }
    if ($named['number'] -ne $next) {
        throw "refused: attempt $($named['number']): the next one is $next"
    }
    $null = Get-ModeSetting -Contract $Contract -Mode $Module.Params.mode
    Assert-Local -Contract $Contract -Number $named['number']
    $version = Get-InteractorVersion -Contract $Contract
    if (-not $version) {
        throw 'refused: the service does not tell its version, so the way back could not be proved'
    }
    $Module.Result.changed = $true
    $Module.Result.manifest = $null
    if ($Module.CheckMode) {
        return
    }
    Save-Before -Contract $Contract -Number $named['number']
    $before = Read-List -Contract $Contract -Number $named['number'] -Day $Module.Params.day -Month $Module.Params.history_months
    $status = Get-ContractValue -Contract $Contract -Path 'migration.status_file'
    if (Test-Path -LiteralPath $status) {
        # What an earlier attempt left there would be taken for this one's.
        Remove-Item -LiteralPath $status -Force
    }
    $ledger['attempts'].Add([ordered]@{
            number = $named['number']
            key = $named['key']
            sites = @(Get-AttemptSite -Attempt $named -Site $Module.Params.site)
            state = 'prepared'
            mode = $Module.Params.mode
            history_months = $Module.Params.history_months
            day = $Module.Params.day
            prepared = $Module.Params.now
            started = $null
            finished = $null
            switching = $null
            switched = $null
            ended = $null
            run = $Module.Params.run_id
            version = $version
            before = $before
            counts = $null
            untouched = Get-UntouchedHash -Contract $Contract
            as_before = $null
            message = ''
        })
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.ledger = $ledger
    $Module.Result.manifest = $before
}

Function Invoke-Start {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = $Module.Result.ledger
    $attempt = Get-FencedAttempt -Ledger $ledger -Named $Module.Params.attempt
    if ($attempt['state'] -eq 'rolled_back') {
        throw "refused: attempt $($attempt['number']) is rolled back"
    }
    $Module.Result.status = Get-Status -Contract $Contract
    if ($attempt['state'] -ne 'prepared') {
        return
    }
    Assert-LeaseHeld -Ledger $ledger
    $Module.Result.changed = $true
    if ($Module.CheckMode) {
        return
    }
    # A run that was cut off after the start and before the record has left one of the two.
    if ($Module.Result.status['state'] -eq 'none' -and -not (Test-MoveTask -Contract $Contract)) {
        Start-Move -Contract $Contract -Attempt $attempt -Site (Get-AttemptSite -Attempt $attempt -Site $Module.Params.site)
    }
    $attempt['state'] = 'running'
    $attempt['started'] = $Module.Params.now
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.status = Get-RunStatus -Contract $Contract
}

Function Invoke-Follow {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = $Module.Result.ledger
    $attempt = Get-FencedAttempt -Ledger $ledger -Named $Module.Params.attempt
    if ($attempt['state'] -eq 'prepared') {
        throw "refused: attempt $($attempt['number']) is not started"
    }
    if ($attempt['state'] -ne 'running') {
        $Module.Result.status = Get-Status -Contract $Contract
        return
    }
    $status = Get-RunStatus -Contract $Contract
    $Module.Result.status = $status
    if ($status['state'] -eq 'running') {
        return
    }
    $Module.Result.changed = $true
    if ($Module.CheckMode) {
        return
    }
    $attempt['state'] = $status['state']
    $attempt['finished'] = $Module.Params.now
    $attempt['counts'] = $status['counts']
    $attempt['message'] = $status['message']
    Save-Ledger -Contract $Contract -Ledger $ledger
}

$lock = $null
$failure = $null
try {
    $contract = $module.Params.contract
    $looks = $module.CheckMode -or @('look', 'users', 'ids') -contains $module.Params.step
    $lock = Lock-Work -Contract $contract -CheckMode $looks
    $ledger = $null
    if ($module.Params.step -ne 'users') {
        $ledger = Get-Ledger -Contract $contract -Site $module.Params.site
        $module.Result.ledger = $ledger
    }
    switch ($module.Params.step) {
        'look' { Invoke-Look -Module $module -Contract $contract }
        'lease' { Invoke-Lease -Module $module -Contract $contract }
        'users' { $module.Result.users = Resolve-InteractorUse -Module $module -Contract $contract -Client }
        'manifest' { Invoke-Manifest -Module $module -Contract $contract }
        'start' { Invoke-Start -Module $module -Contract $contract }
        'follow' { Invoke-Follow -Module $module -Contract $contract }
        'ids' {
            $attempt = Get-FencedAttempt -Ledger $ledger -Named $module.Params.attempt
            $module.Result.ids = Get-KeptId -Contract $contract -Number $attempt['number'] -Category $module.Params.categories
        }
        'switch' { Invoke-Switch -Module $module -Contract $contract }
        'handback' {
            Assert-NoAttempt -Ledger $ledger
            $module.Result.changed = Test-LeaseKept -Contract $contract -Ledger $ledger
            if (-not $module.CheckMode) {
                Reset-Lease -Module $module -Contract $contract -Ledger $ledger
            }
        }
        'restore' { Invoke-Restore -Module $module -Contract $contract }
    }
    # After the step: one that is refused, by another attempt's name, renews nothing.
    if (@('manifest', 'start', 'follow', 'switch') -contains $module.Params.step) {
        Update-Lease -Module $module -Contract $contract
    }
}
catch {
    $failure = $_
}
finally {
    if ($null -ne $lock) {
        $lock.Dispose()
    }
}
if ($null -ne $failure) {
    $module.FailJson("$($module.Params.step): $($failure.Exception.Message)", $failure)
}
$module.ExitJson()
