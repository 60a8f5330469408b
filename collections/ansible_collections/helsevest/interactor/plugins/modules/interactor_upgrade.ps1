#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Upgrades Interactor on a server (U1): look, stage, install, confirm (docs/contracts.md, What the host modules answer).

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Installer
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Upgrade
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
        step = @{ type = 'str'; required = $true; choices = @('look', 'stage', 'install', 'confirm') }
        lease_script = @{ type = 'str' }
    }
    required_if = @(@('step', 'install', @(, 'lease_script')), @('step', 'confirm', @(, 'lease_script')))
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
    $before = $ledger['upgrade']
    if (Test-Unproven -Upgrade $before) {
        throw "refused: the upgrade to $($before['to']) has not been brought to its end"
    }
    Assert-NotNewer -Version $Module.Result.version -Target $target
    $problem = Test-Installer -Contract $Contract -Path $path
    $known = $null -ne $before -and $before['state'] -eq 'staged' -and $before['to'] -eq $target
    # A server that has the version is left alone; the record of how it got it stays.
    $has = $Module.Result.version -eq $target -and -not $known
    $Module.Result.staged = $has -or ($known -and -not $problem)
    $Module.Result.changed = -not $Module.Result.staged
    if ($Module.Result.staged) {
        return
    }
    $missing = Test-InstallerContract -Contract $Contract
    if ($missing) {
        $Module.Result.reason = $missing
        $Module.Result.changed = $false
        return
    }
    if ($Module.CheckMode) {
        return
    }
    if ($problem) {
        $fetched = Get-Installer -Contract $Contract -Path $path
        if ($fetched['reason']) {
            $Module.Result.reason = $fetched['reason']
            $Module.Result.again = $fetched['again']
            $Module.Result.changed = $fetched['again']
            return
        }
    }
    $ledger['upgrade'] = [ordered]@{
        state = 'staged'
        from = $Module.Result.version
        to = $target
        started = $null
        finished = $null
        booted = $null
        run = $Module.Params.run_id
        reason = ''
        code = $null
    }
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.ledger = $ledger
    $Module.Result.staged = $true
}

Function Invoke-Install {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $target = Get-ContractValue -Contract $Contract -Path 'installer.version'
    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $upgrade = $ledger['upgrade']
    $unproven = Test-Unproven -Upgrade $upgrade
    $Module.Result.upgraded = $Module.Result.version -eq $target -and -not $unproven
    if ($Module.Result.upgraded) {
        return
    }
    if (-not $unproven) {
        Assert-NotNewer -Version $Module.Result.version -Target $target
    }
    if ($null -eq $upgrade -or $upgrade['state'] -ne 'staged' -or $upgrade['to'] -ne $target) {
        throw "refused: version $target is not staged"
    }
    $problem = Test-InstallerContract -Contract $Contract
    if ($problem) {
        throw "refused: $problem"
    }
    if ($null -ne $ledger['lease'] -and $ledger['lease']['state'] -ne 'free') {
        throw 'refused: the lease of a move is held'
    }
    $Module.Result.changed = $true
    if ($Module.CheckMode -or (Test-AtWork -Module $Module -Contract $Contract)) {
        return
    }
    try {
        if ($unproven) {
            Resume-Upgrade -Module $Module -Contract $Contract -Ledger $ledger
            $Module.Result.version = Get-InteractorVersion -Contract $Contract
            if ($upgrade['state'] -ne 'staged' -or (Test-Unproven -Upgrade $upgrade)) {
                return
            }
        }
        if (Test-Installable -Module $Module -Contract $Contract -Ledger $ledger) {
            Invoke-Upgrade -Module $Module -Contract $Contract -Ledger $ledger
        }
    }
    finally {
        Open-Interactor -Module $Module -Contract $Contract -Ledger $ledger
    }
}

Function Open-Interactor {
    <#
    .SYNOPSIS
    Lets people in again, in every case; a service that an upgrade has left stopped is started.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    Reset-Lease -Module $Module -Contract $Contract -Ledger $null
    if ((Test-Unproven -Upgrade $Ledger['upgrade']) -and (Get-ServiceWord -Contract $Contract) -eq 'stopped') {
        $null = Test-Version -Contract $Contract
    }
    $Module.Result.version = Get-InteractorVersion -Contract $Contract
}

Function Test-AtWork {
    <#
    .SYNOPSIS
    Whether the installer of an earlier run, or Windows Installer on any package, is still at work; it is waited for.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $name = (Split-Path -Path (Get-InstallerPath -Contract $Contract) -Leaf) -replace '\.[^.]*$', ''
    $reason = ''
    if (@(Get-Process | Where-Object -FilterScript { $_.ProcessName -eq $name }).Count -gt 0) {
        $reason = 'the installer of an earlier run is still at work'
    }
    elseif (Test-InstallerService) {
        # An .msi has no process of its name; nor is there one of a set-up that has left the rest to Windows Installer.
        $reason = 'another installation is at work on the server'
    }
    if ($reason) {
        $Module.Result.changed = $false
        $Module.Result.again = $true
        $Module.Result.reason = $reason
    }
    [bool]$reason
}

Function Test-Installable {
    <#
    .SYNOPSIS
    Whether the installer is still sound, and nobody is in Interactor, now that nobody new gets in.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    $path = Get-InstallerPath -Contract $Contract
    $Module.Result.again = $false
    $Module.Result.reason = ''
    $problem = Test-Installer -Contract $Contract -Path $path
    if ($problem) {
        # The next run fetches it anew.
        if (Test-Path -LiteralPath $path) {
            Remove-Item -LiteralPath $path -Force
        }
        $Ledger['upgrade'] = $null
        Save-Ledger -Contract $Contract -Ledger $Ledger
        $Module.Result.ledger = $Ledger
        $Module.Result.reason = "the staged installer is no longer sound: $problem"
        return $false
    }
    if (-not $Module.Result.version) {
        throw 'refused: the service does not tell its version, so the way back could not be proved'
    }
    Enter-WhenEmpty -Module $Module -Contract $Contract
}

Function Invoke-Confirm {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = Get-LedgerOrNew -Contract $Contract -Site $Module.Params.site
    $upgrade = $ledger['upgrade']
    if (-not (Test-Unproven -Upgrade $upgrade)) {
        $Module.Result.upgraded = $Module.Result.version -eq (Get-ContractValue -Contract $Contract -Path 'installer.version')
        return
    }
    $cut = Test-CutOff -Upgrade $upgrade
    if (-not $cut -and -not (Test-Restarted -Upgrade $upgrade)) {
        $Module.Result.again = $true
        $Module.Result.reason = "the server runs since $($upgrade['booted']) and waits for a restart"
        if (-not $Module.CheckMode) {
            Open-Interactor -Module $Module -Contract $Contract -Ledger $ledger
        }
        return
    }
    $Module.Result.changed = $true
    if ($Module.CheckMode -or ($cut -and (Test-AtWork -Module $Module -Contract $Contract))) {
        return
    }
    try {
        if ($cut) {
            Resume-Upgrade -Module $Module -Contract $Contract -Ledger $ledger
        }
        else {
            Confirm-Upgrade -Module $Module -Contract $Contract -Ledger $ledger
        }
    }
    finally {
        Open-Interactor -Module $Module -Contract $Contract -Ledger $ledger
    }
}

$lock = $null
$failure = $null
try {
    $contract = $module.Params.contract
    $looks = $module.CheckMode -or $module.Params.step -eq 'look'
    $lock = Lock-Work -Contract $contract -CheckMode $looks
    $module.Result.ledger = Get-Ledger -Contract $contract -Site $module.Params.site
    $module.Result.version = Get-InteractorVersion -Contract $contract
    $achieves = @{ stage = 'staged'; install = 'upgraded'; confirm = 'upgraded' }[$module.Params.step]
    if ($achieves) {
        $module.Result[$achieves] = $false
        $module.Result.reason = ''
        $module.Result.again = $false
    }
    switch ($module.Params.step) {
        'stage' { Invoke-Stage -Module $module -Contract $contract }
        'install' { Invoke-Install -Module $module -Contract $contract }
        'confirm' { Invoke-Confirm -Module $module -Contract $contract }
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
