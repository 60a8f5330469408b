#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What only a real server can show, as far as a program can see it there (docs/verification.md); it judges nothing.
# What cannot be found out is null; no part that fails takes another one with it.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Manifest
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Trial
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$spec = @{
    options = @{
        contract = @{ type = 'dict'; required = $true }
        site = @{ type = 'str'; required = $true }
        run_id = @{ type = 'str'; required = $true }
        now = @{ type = (Get-MomentType); required = $true }
        step = @{ type = 'str'; required = $true; choices = @('look', 'trial', 'again') }
        day = @{ type = 'str' }
        history_months = @{ type = 'int' }
        lease_script = @{ type = 'str' }
    }
    required_if = @(, @('step', 'trial', @('day', 'history_months', 'lease_script')))
    supports_check_mode = $true
}
$module = [Ansible.Basic.AnsibleModule]::Create($args, $spec)

Function Get-PowerShellFact {
    [ordered]@{
        version = [string]$PSVersionTable.PSVersion
        edition = [string]$PSVersionTable.PSEdition
        language_mode = [string]$ExecutionContext.SessionState.LanguageMode
        culture = Find-Fact -Block { (Get-Culture).Name }
    }
}

Function Get-ServiceFact {
    <#
    .SYNOPSIS
    Interactor's service, how it is set up and who signed its program; of one that is missing only that.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = Get-ContractValue -Contract $Contract -Path 'service.name'
    $service = @(Get-CimInstance -ClassName Win32_Service | Where-Object -FilterScript { $_.Name -eq $name })
    if ($service.Count -eq 0) {
        return [ordered]@{ state = 'missing'; program = $null; start_mode = $null; account = $null; signature = $null; publisher = $null }
    }
    $program = [string]$service[0].PathName
    # With quotes or without, and with arguments or without.
    if ($program -match '^"([^"]+)"' -or $program -match '^(.+?\.exe)(\s|$)') {
        $program = $Matches[1]
    }
    $signature = Find-Fact -Block { Get-AuthenticodeSignature -LiteralPath $program }
    [ordered]@{
        state = Get-ServiceWord -Contract $Contract
        program = $program
        start_mode = $service[0].StartMode
        account = $service[0].StartName
        signature = Find-Fact -Block { [string]$signature.Status }
        publisher = Find-Fact -Block { $signature.SignerCertificate.GetNameInfo('SimpleName', $false) }
    }
}

Function Get-ThereFact {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $there = [ordered]@{}
    foreach ($name in 'install', 'data', 'config', 'work', 'maintenance_flag') {
        $there[$name] = Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path "paths.$name")
    }
    $there['migration_program'] = Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'migration.program')
    $there
}

Function Get-TaskFact {
    <#
    .SYNOPSIS
    Which of our tasks' names Windows has a task of.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $found = [System.Collections.Generic.List[object]]::new()
    foreach ($path in 'lease.task', 'migration.task') {
        $name = Get-ContractValue -Contract $Contract -Path $path
        if (Test-RootTask -Name $name) {
            $found.Add($name)
        }
    }
    , $found
}

Function Get-WebFact {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $url = Get-ContractValue -Contract $Contract -Path 'installer.url'
    $installer = Get-WebAnswer -Uri $url -From 1000 -MaximumBytes 1
    $script = Get-WebAnswer -Uri (Get-ContractValue -Contract $Contract -Path 'proxy.script')
    [ordered]@{
        installer = [ordered]@{ status = $installer['status']; error = $installer['error'] }
        script = [ordered]@{
            status = $script['status']
            is_script = $script['content'] -match '\bFindProxyForURL\b'
            error = $script['error']
        }
    }
}

Function Get-FolderMark {
    param ([Parameter(Mandatory)] [string] $Path)

    if (-not (Test-Path -LiteralPath $Path)) {
        return 'missing'
    }
    $lines = [System.Collections.Generic.List[string]]::new()
    foreach ($file in (Get-ChildItem -LiteralPath $Path -Recurse -File -Force)) {
        $lines.Add("$($file.FullName)`t$($file.Length)`t$($file.LastWriteTimeUtc.Ticks)")
    }
    $lines.Sort([System.StringComparer]::Ordinal)
    Get-Sha256 -Text ($lines -join "`n")
}

Function Get-StateMark {
    <#
    .SYNOPSIS
    A hash of everything that our steps may ever touch, and of what they must leave alone: twice the same, nothing changed.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $marks = [ordered]@{}
    foreach ($name in 'install', 'data', 'work') {
        $folder = Get-ContractValue -Contract $Contract -Path "paths.$name"
        $marks["paths.$name"] = Find-Fact -Block { Get-FolderMark -Path $folder }
    }
    foreach ($name in 'config', 'maintenance_flag') {
        $file = Get-ContractValue -Contract $Contract -Path "paths.$name"
        $marks["paths.$name"] = Find-Fact -Block { if (Test-Path -LiteralPath $file) { Get-FileSha256 -Path $file } else { 'missing' } }
    }
    $marks['services'] = Find-Fact -Block {
        $lines = Get-CimInstance -ClassName Win32_Service |
            ForEach-Object -Process { "$($_.Name)`t$($_.PathName)`t$($_.StartMode)`t$($_.StartName)" } | Sort-Object
        Get-Sha256 -Text (@($lines) -join "`n")
    }
    $marks['tasks'] = Find-Fact -Block {
        $lines = Get-ScheduledTask | ForEach-Object -Process { "$($_.TaskPath)$($_.TaskName)" } | Sort-Object
        Get-Sha256 -Text (@($lines) -join "`n")
    }
    $marks
}

Function Get-BootFact {
    Find-Fact -Block { Format-Moment -Moment (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime }
}

Function Get-Look {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $drive = (Get-ContractValue -Contract $Contract -Path 'paths.work').Substring(0, 2)
    [ordered]@{
        powershell = Get-PowerShellFact
        service = Find-Fact -Block { Get-ServiceFact -Contract $Contract }
        version = Find-Fact -Block { Get-InteractorVersion -Contract $Contract }
        there = Find-Fact -Block { Get-ThereFact -Contract $Contract }
        keys = Find-Fact -Block { , @((Read-Configuration -Contract $Contract).Keys) }
        mode = Find-Fact -Block { Get-ModeWord -Contract $Contract -Configuration (Read-Configuration -Contract $Contract) }
        tasks = Find-Fact -Block { , (Get-TaskFact -Contract $Contract) }
        channel_binding = Find-Fact -Block { [string](Get-Item -LiteralPath 'WSMan:\localhost\Service\Auth\CbtHardeningLevel').Value }
        file_system = Find-Fact -Block { (Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID = '$drive'").FileSystem }
        web = Find-Fact -Block { Get-WebFact -Contract $Contract }
        booted = Get-BootFact
        state = Get-StateMark -Contract $Contract
    }
}

try {
    $contract = $module.Params.contract
    $module.Result.ledger = Get-Ledger -Contract $contract -Site $module.Params.site
    switch ($module.Params.step) {
        'look' { $module.Result.facts = Get-Look -Contract $contract }
        'again' { $module.Result.facts = [ordered]@{ booted = Get-BootFact; state = Get-StateMark -Contract $contract } }
        'trial' {
            $told = $null
            if (-not $module.CheckMode) {
                $trial = @{
                    Contract = $contract
                    Site = $module.Params.site
                    Script = $module.Params.lease_script
                    Day = $module.Params.day
                    Month = $module.Params.history_months
                }
                $told = Invoke-Trial @trial
            }
            $module.Result.trial = $told
        }
    }
}
catch {
    $module.FailJson("$($module.Params.step): $($_.Exception.Message)", $_)
}
$module.ExitJson()
