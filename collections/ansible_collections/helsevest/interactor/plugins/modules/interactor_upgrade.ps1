#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Upgrades Interactor on a server (U1): look, stage, install (docs/contracts.md, What the host modules answer).

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Installer
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
        step = @{ type = 'str'; required = $true; choices = @('look', 'stage', 'install') }
    }
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

Function Invoke-Stage {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $target = Get-ContractValue -Contract $Contract -Path 'installer.version'
    $path = Get-InstallerPath -Contract $Contract
    $problem = Test-Installer -Contract $Contract -Path $path
    $before = $ledger['upgrade']
    $known = $null -ne $before -and $before['state'] -eq 'staged' -and $before['to'] -eq $target
    # A server that has the version is left alone; the record of how it got it stays.
    $has = $Module.Result.version -eq $target -and -not $known
    $Module.Result.staged = $has -or ($known -and -not $problem)
    $Module.Result.reason = ''
    $Module.Result.changed = -not $Module.Result.staged
    if (-not $Module.Result.changed -or $Module.CheckMode) {
        return
    }
    if ($problem) {
        $problem = Get-Installer -Contract $Contract -Path $path
        if ($problem) {
            $Module.Result.reason = $problem
            $Module.Result.changed = $false
            return
        }
    }
    $ledger['upgrade'] = [ordered]@{
        state = 'staged'
        from = $Module.Result.version
        to = $target
        started = $null
        finished = $null
        run = $Module.Params.run_id
        reason = ''
    }
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.ledger = $ledger
    $Module.Result.staged = $true
}

Function Complete-Upgrade {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Reason
    )

    $Ledger['upgrade']['state'] = 'done'
    if ($Reason) {
        $Ledger['upgrade']['state'] = 'failed'
    }
    $Ledger['upgrade']['finished'] = $Module.Params.now
    $Ledger['upgrade']['reason'] = $Reason
    Save-Ledger -Contract $Contract -Ledger $Ledger
    $Module.Result.ledger = $Ledger
    $Module.Result.upgraded = -not $Reason
    $Module.Result.reason = $Reason
}

Function Invoke-Install {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $target = Get-ContractValue -Contract $Contract -Path 'installer.version'
    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $upgrade = $ledger['upgrade']
    $staged = $null -ne $upgrade -and $upgrade['state'] -eq 'staged' -and $upgrade['to'] -eq $target
    $Module.Result.upgraded = $Module.Result.version -eq $target
    $Module.Result.reason = ''
    if ($Module.Result.upgraded -and -not $staged) {
        return
    }
    if (-not $staged) {
        throw "refused: version $target is not staged"
    }
    $Module.Result.changed = $true
    if ($Module.CheckMode) {
        return
    }
    if ($Module.Result.upgraded) {
        # An earlier run ended after the proof and before the record.
        Complete-Upgrade -Module $Module -Contract $Contract -Ledger $ledger -Reason ''
        return
    }
    $path = Get-InstallerPath -Contract $Contract
    $problem = Test-Installer -Contract $Contract -Path $path
    if ($problem) {
        throw "refused: the staged installer is no longer sound: $problem"
    }
    $interrupted = $null -ne $upgrade['started']
    if (-not $interrupted) {
        if (-not $Module.Result.version) {
            throw 'refused: the service does not tell its version, so the way back could not be proved'
        }
        $upgrade['from'] = $Module.Result.version
    }
    $work = Get-ContractValue -Contract $Contract -Path 'paths.work'
    $backup = Join-Path -Path (Join-Path -Path $work -ChildPath 'backup') -ChildPath $upgrade['from']
    Backup-Interactor -Contract $Contract -Backup $backup -Interrupted $interrupted
    $upgrade['started'] = $Module.Params.now
    $upgrade['run'] = $Module.Params.run_id
    Save-Ledger -Contract $Contract -Ledger $ledger
    $reason = ''
    try {
        Install-Interactor -Contract $Contract -Path $path
    }
    catch {
        $reason = $_.Exception.Message
        try {
            Restore-Interactor -Contract $Contract -Backup $backup -Version $upgrade['from']
            $reason += "; version $($upgrade['from']) is back"
        }
        catch {
            $reason += "; the way back failed too: $($_.Exception.Message)"
        }
    }
    $Module.Result.version = Get-InteractorVersion -Contract $Contract
    Complete-Upgrade -Module $Module -Contract $Contract -Ledger $ledger -Reason $reason
}

$lock = $null
$failure = $null
try {
    $contract = $module.Params.contract
    $looks = $module.CheckMode -or $module.Params.step -eq 'look'
    $lock = Lock-Work -Contract $contract -CheckMode $looks
    $module.Result.ledger = Get-Ledger -Contract $contract -Site $module.Params.site
    $module.Result.version = Get-InteractorVersion -Contract $contract
    switch ($module.Params.step) {
        'stage' { Invoke-Stage -Module $module -Contract $contract }
        'install' { Invoke-Install -Module $module -Contract $contract }
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
