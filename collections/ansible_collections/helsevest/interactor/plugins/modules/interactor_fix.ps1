#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The remediation of a preflight, on request alone: fix, undo (docs/contracts.md, What the host modules answer).

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Connection
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Fix
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._FixProxy
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._FixRecord
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Restart
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Setting
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
        step = @{ type = 'str'; required = $true; choices = @('fix', 'undo') }
        checks = @{ type = 'list'; elements = 'str'; required = $true; choices = @('proxy', 'sleep', 'restart') }
        until = @{ type = (Get-MomentType) }
        fix_script = @{ type = 'str' }
    }
    required_if = @(, @('step', 'fix', @('until', 'fix_script')))
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

Function Invoke-Step {
    <#
    .SYNOPSIS
    Finds out what is to be done and, where it is meant, does it; the answer goes into the module's result.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [bool] $Meant
    )

    $left = [System.Collections.Generic.List[object]]::new()
    $done = [System.Collections.Generic.List[object]]::new()
    $Module.Result.ledger = Get-Ledger -Contract $Contract -Site $Module.Params.site
    Assert-AtRest -Contract $Contract -Ledger $Module.Result.ledger
    $record = Get-FixRecord -Contract $Contract -Site $Module.Params.site
    $later = $false
    if ($Module.Params.step -eq 'fix') {
        $changes = Get-FixPlan -Module $Module -Contract $Contract -Left $left
        $later = Test-Later -Record $record -Until $Module.Params.until -Check $Module.Params.checks
        if (Test-NightCheck -Change $changes -Later $later) {
            $Module.Result.until = $Module.Params.until
        }
        if ($Meant) {
            Invoke-Fix -Module $Module -Contract $Contract -Record $record -Change $changes -Left $left
        }
    }
    else {
        $changes = Get-UndoPlan -Record $record -Check $Module.Params.checks -Left $left -Done $done
        if ($Meant) {
            Invoke-Undo -Contract $Contract -Record $record -Change $changes -Left $left -Done $done
        }
    }
    # What is back without us goes from the record.
    $Module.Result.changed = $changes.Count -gt 0 -or $later -or $done.Count -gt 0
    $Module.Result.changes = Get-Told -Change $changes
    $Module.Result.left = $left
}

Function Test-Later {
    <#
    .SYNOPSIS
    Whether what is off for a night already is to stay so until another moment.
    #>
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [string] $Until,
        [Parameter(Mandatory)] [object[]] $Check
    )

    $asked = @($Record['settings'] | Where-Object -FilterScript { $_['check'] -ne 'proxy' -and $Check -contains $_['check'] })
    $asked.Count -gt 0 -and $Record['until'] -cne $Until
}

Function Test-NightCheck {
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Change,
        [Parameter(Mandatory)] [bool] $Later
    )

    $Later -or @($Change | Where-Object -FilterScript { $_['check'] -ne 'proxy' }).Count -gt 0
}

Function Get-Told {
    <#
    .SYNOPSIS
    The changes as they are told: no key of a user, no credential.
    #>
    param ([Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Change)

    $told = [System.Collections.Generic.List[object]]::new()
    foreach ($one in $Change) {
        $name = $one['name']
        if ($one['kind'] -in 'idle', 'task') {
            # What these two are called stands in what already.
            $name = 'state'
        }
        $told.Add([ordered]@{
                check = $one['check']
                what = Hide-Person -Text $one['what']
                name = $name
                before = Get-SettingText -Setting $one -Value $one['before']
                after = Get-SettingText -Setting $one -Value $one['after']
            })
    }
    , $told
}

Function Get-DiffText {
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Told,
        [Parameter(Mandatory)] [string] $Side
    )

    -join @($Told | ForEach-Object -Process { "$($_['check']), $($_['what']), $($_['name']): $($_[$Side])`n" })
}

$lock = $null
$failure = $null
try {
    $contract = $module.Params.contract
    $module.Result.ledger = $null
    $module.Result.changes = [System.Collections.Generic.List[object]]::new()
    $module.Result.left = [System.Collections.Generic.List[object]]::new()
    $module.Result.until = $null
    # A host on which there is nothing to do gets no folder of ours.
    Invoke-Step -Module $module -Contract $contract -Meant $false
    if ($module.Result.changed -and -not $module.CheckMode) {
        $lock = Lock-Work -Contract $contract -CheckMode $false
        Invoke-Step -Module $module -Contract $contract -Meant $true
    }
    $module.Diff['before'] = Get-DiffText -Told $module.Result.changes -Side 'before'
    $module.Diff['after'] = Get-DiffText -Told $module.Result.changes -Side 'after'
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
    $module.FailJson("$($module.Params.step): $(Hide-Person -Text $failure.Exception.Message)", $failure)
}
$module.ExitJson()
