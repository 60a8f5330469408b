#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The probe: collects all facts of a preflight in one round trip and judges none of them (docs/contracts.md, Facts).
# What cannot be found out is null; no part that fails takes another one with it.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Computer
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Net
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Parallel
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Profiles
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._ProxyScripts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Restart
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
        role = @{ type = 'str'; required = $true; choices = @('server', 'client') }
    }
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

# Seconds after which a part is left behind; what works in it gives up by itself before that. Nothing works after $whole.
$whole = 9.5
$limits = @{ clock = 4; dns = 5; host = 8; interactor = 8; pages = 8; power = 9; proxy = 5; speed = 8; tls = 8 }

Function Get-PartValue {
    <#
    .SYNOPSIS
    What a part has found; $null where it was too slow or failed, which is told.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Part,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Overdue
    )

    $told = Receive-Part -Part $Part
    if (-not $told['ended']) {
        $null = $Overdue.Add($Part['name'])
    }
    elseif ($null -ne $told['problem']) {
        $module.Warn("the probe's part $($Part['name']): $($told['problem'])")
    }
    if ($told['value'] -is [System.Collections.IList]) {
        return , $told['value']
    }
    $told['value']
}

try {
    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $contract = $module.Params.contract
    $server = $module.Params.role -eq 'server'
    $pages = [string[]]@('P1')
    if ($server) {
        $pages = [string[]]@('P1', 'P2')
    }
    # A contract that lacks something is the fault of no part.
    $null = Get-EndPoint -Contract $contract
    $speed = @{
        Url = Get-ContractValue -Contract $contract -Path 'speed.url'
        Bytes = Get-ContractValue -Contract $contract -Path 'speed.bytes'
        Seconds = Get-ContractValue -Contract $contract -Path 'speed.seconds'
        Samples = Get-ContractValue -Contract $contract -Path 'speed.samples'
    }
    $clock = @{ Server = Get-ContractValue -Contract $contract -Path 'clock.server'; Seconds = 3 }
    $overdue = [System.Collections.Generic.List[string]]::new()
    $direct = @{ Contract = $contract; Page = $pages; Seconds = 6 }
    $parts = @(
        Start-Part -Name 'proxy' -Command 'Get-ProxySetting' -Argument @{ Seconds = 3 } -Seconds $limits['proxy']
        Start-Part -Name 'power' -Command 'Get-PowerFact' -Seconds $limits['power']
        Start-Part -Name 'pages' -Command 'Get-DirectFact' -Argument $direct -Seconds $limits['pages']
        Start-Part -Name 'speed' -Command 'Get-SpeedFact' -Argument $speed -Seconds $limits['speed']
        Start-Part -Name 'tls' -Command 'Get-TlsFact' -Argument @{ Contract = $contract; Seconds = 6 } -Seconds $limits['tls']
        Start-Part -Name 'dns' -Command 'Get-NameFact' -Argument @{ Contract = $contract; Seconds = 4 } -Seconds $limits['dns']
        Start-Part -Name 'clock' -Command 'Get-ClockFact' -Argument $clock -Seconds $limits['clock']
        Start-Part -Name 'host' -Command 'Get-HostFact' -Seconds $limits['host']
        if ($server) {
            $of = @{ Contract = $contract; Site = $module.Params.site }
            Start-Part -Name 'interactor' -Command 'Get-InteractorFact' -Argument $of -Seconds $limits['interactor']
        }
    )
    $found = @{ interactor = $null; scripts = $null; proxy = Get-PartValue -Part $parts[0] -Overdue $overdue }
    if ($null -ne $found['proxy']) {
        $left = Get-TimeLeft -Since $since -Seconds $whole
        $of = @{ Contract = $contract; Page = $pages; Seconds = $left - 1; Detect = $found['proxy']['detects'] }
        $of += @{ Script = $found['proxy']['scripts']; Way = $found['proxy']['ways'] }
        $parts += Start-Part -Name 'scripts' -Command 'Get-ScriptFact' -Argument $of -Seconds $left
    }
    # Who has the least time is asked first, or its time would be that of those before it.
    foreach ($part in ($parts | Select-Object -Skip 1 | Sort-Object -Property { $_['seconds'] })) {
        $found[$part['name']] = Get-PartValue -Part $part -Overdue $overdue
    }
    $facts = [ordered]@{ probe = 3 }
    foreach ($name in 'host', 'clock', 'interactor', 'dns', 'tls', 'pages', 'speed', 'proxy', 'power') {
        $facts[$name] = $found[$name]
    }
    if ($null -ne $found['proxy']) {
        $facts['proxy'] = $found['proxy']['facts']
        $facts['proxy']['detected'] = $null
        $facts['proxy']['scripts'] = $null
    }
    if ($null -ne $found['scripts']) {
        $facts['proxy']['detected'] = $found['scripts']['detected']
        $facts['proxy']['scripts'] = $found['scripts']['scripts']
        $facts['pages'] = @($found['pages']) + @($found['scripts']['pages']) | Where-Object -FilterScript { $null -ne $_ }
        $facts['pages'] = @($facts['pages'])
    }
    $facts['overdue'] = @($overdue | Sort-Object)
    $facts['seconds'] = [Math]::Round($since.Elapsed.TotalSeconds, 1)
    if ($overdue.Count -gt 0) {
        Start-Exit -Seconds 5
    }
    $module.Result.facts = $facts
    $module.Result.ledger = $null
    if ($null -ne $facts['interactor']) {
        $module.Result.ledger = $facts['interactor']['ledger']
    }
}
catch {
    $module.FailJson("the probe: $($_.Exception.Message)", $_)
}
$module.ExitJson()
