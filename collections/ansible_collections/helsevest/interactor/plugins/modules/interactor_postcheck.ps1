#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Reads what a moved server looks like (A1); it changes nothing and judges nothing.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
    }
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

try {
    $contract = $module.Params.contract
    $module.Result.ledger = Get-Ledger -Contract $contract -Site $module.Params.site
    $configuration = Read-Configuration -Contract $contract
    $also = [ordered]@{}
    $modes = Get-ContractValue -Contract $contract -Path 'config.modes'
    foreach ($word in $modes.Keys) {
        if ($null -ne $modes[$word]['also']) {
            foreach ($key in $modes[$word]['also'].Keys) {
                $also[$key] = $configuration[$key]
            }
        }
    }
    $pages = [System.Collections.Generic.List[object]]::new()
    foreach ($page in 'P1', 'P2') {
        $pages.Add((Get-PageFact -Contract $contract -Id $page))
    }
    $module.Result.facts = [ordered]@{
        service = Get-ServiceWord -Contract $contract
        version = Get-InteractorVersion -Contract $contract
        mode = Get-ModeWord -Contract $contract -Configuration $configuration
        endpoint = $configuration[(Get-ContractValue -Contract $contract -Path 'config.endpoint_key')]
        also = $also
        pages = $pages
        untouched = Get-UntouchedHash -Contract $contract
        maintenance = Test-Path -LiteralPath (Get-ContractValue -Contract $contract -Path 'paths.maintenance_flag')
    }
}
catch {
    $module.FailJson("the check: $($_.Exception.Message)", $_)
}
$module.ExitJson()
