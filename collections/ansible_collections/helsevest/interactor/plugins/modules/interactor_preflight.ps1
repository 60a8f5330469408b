#!powershell

# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The probe: collects all facts of a preflight in one round trip and judges none of them (docs/contracts.md, Facts).
# What cannot be found out is null; no part that fails takes another one with it.

#AnsibleRequires -CSharpUtil Ansible.Basic
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
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

Function Get-RegistryValue {
    <#
    .SYNOPSIS
    A value of a key (HKEY_…); $null where there is no such key or value.
    #>
    param (
        [Parameter(Mandatory)] [string] $Key,
        [Parameter(Mandatory)] [string] $Name
    )

    if (-not (Test-Path -LiteralPath "Registry::$Key")) {
        return $null
    }
    $property = (Get-ItemProperty -LiteralPath "Registry::$Key").PSObject.Properties[$Name]
    if ($null -eq $property) {
        return $null
    }
    if ($property.Value -is [array]) {
        return , $property.Value
    }
    $property.Value
}

Function Get-HostFact {
    $system = Find-Fact -Block { Get-CimInstance -ClassName Win32_OperatingSystem }
    $computer = Find-Fact -Block { Get-CimInstance -ClassName Win32_ComputerSystem }
    $disk = Find-Fact -Block { Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID = 'C:'" }
    [ordered]@{
        name = Find-Fact -Block { $computer.Name }
        os = Find-Fact -Block { $system.Caption.Trim() }
        build = Find-Fact -Block { [string]$system.BuildNumber }
        memory_mb = Find-Fact -Block { [long][Math]::Round($computer.TotalPhysicalMemory / 1MB) }
        free_gb = Find-Fact -Block { [Math]::Round($disk.FreeSpace / 1GB, 1) }
        uptime_hours = Find-Fact -Block {
            $up = $system.LocalDateTime.ToUniversalTime() - $system.LastBootUpTime.ToUniversalTime()
            [Math]::Round($up.TotalHours, 1)
        }
        time_zone = Find-Fact -Block { (Get-TimeZone).Id }
        utc = Find-Fact -Block { Format-Moment -Moment $system.LocalDateTime }
    }
}

Function Get-InteractorFact {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $fact = [ordered]@{
        service = Find-Fact -Block { Get-ServiceWord -Contract $Contract }
        version = Find-Fact -Block { Get-InteractorVersion -Contract $Contract }
        mode = Find-Fact -Block { Get-ModeWord -Contract $Contract -Configuration (Read-Configuration -Contract $Contract) }
        ledger = $null
        ledger_error = $null
    }
    try {
        $fact['ledger'] = Get-Ledger -Contract $Contract -Site $Site
    }
    catch {
        $fact['ledger_error'] = $_.Exception.Message
    }
    $fact
}

Function Get-SpeedFact {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $url = Get-ContractValue -Contract $Contract -Path 'speed.url'
    $limit = @{
        MaximumBytes = Get-ContractValue -Contract $Contract -Path 'speed.bytes'
        MaximumSeconds = Get-ContractValue -Contract $Contract -Path 'speed.seconds'
    }
    $answer = Get-WebAnswer -Uri $url @limit
    $problem = $answer['error']
    if ($null -eq $problem -and $answer['status'] -ne 200) {
        $problem = "it answers $($answer['status'])"
    }
    [ordered]@{
        url = $url
        bytes = $answer['length']
        seconds = $answer['seconds']
        error = $problem
    }
}

Function Get-ProfileFact {
    <#
    .SYNOPSIS
    The Internet Options of everyone who is signed in, numbered; who that is stays here.
    #>
    $profiles = [System.Collections.Generic.List[object]]::new()
    # Their names alone: to open one that is locked is an error that would take the others with it.
    $accounts = Get-ChildItem -LiteralPath 'Registry::HKEY_USERS' -Name |
        Where-Object -FilterScript { $_ -match '^S-1-5-21-[0-9-]+$' } | Sort-Object
    foreach ($account in @($accounts)) {
        $key = "HKEY_USERS\$account\Software\Microsoft\Windows\CurrentVersion\Internet Settings"
        $binary = Find-Fact -Block { Get-RegistryValue -Key "$key\Connections" -Name 'DefaultConnectionSettings' }
        $hex = $null
        if ($null -ne $binary) {
            $hex = [System.BitConverter]::ToString([byte[]]$binary).Replace('-', '').ToLowerInvariant()
        }
        $profiles.Add([ordered]@{
                profile = $profiles.Count + 1
                proxy_enable = Find-Fact -Block { Get-RegistryValue -Key $key -Name 'ProxyEnable' }
                proxy_server = Find-Fact -Block { Get-RegistryValue -Key $key -Name 'ProxyServer' }
                proxy_override = Find-Fact -Block { Get-RegistryValue -Key $key -Name 'ProxyOverride' }
                auto_config_url = Find-Fact -Block { Get-RegistryValue -Key $key -Name 'AutoConfigURL' }
                connections = $hex
            })
    }
    , $profiles
}

Function Get-ProxyFact {
    $policy = 'HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings'
    [ordered]@{
        profiles = Find-Fact -Block { , (Get-ProfileFact) }
        per_machine = Find-Fact -Block { (Get-RegistryValue -Key $policy -Name 'ProxySettingsPerUser') -eq 0 }
    }
}

Function Get-IdleMinute {
    <#
    .SYNOPSIS
    Minutes until a plugged-in machine sleeps (0 is never) by the power plan in use; $null where the plan does not say.
    #>
    param (
        [Parameter(Mandatory)] [string] $Plan,
        [Parameter(Mandatory)] [string] $Setting
    )

    $id = "Microsoft:PowerSettingDataIndex\\$Plan\\AC\\$Setting"
    $index = Get-CimInstance -Namespace 'root\cimv2\power' -ClassName Win32_PowerSettingDataIndex -Filter "InstanceID = '$id'"
    if ($null -eq $index) {
        return $null
    }
    [long][Math]::Ceiling($index.SettingIndexValue / 60)
}

Function Get-PendingRestart {
    $machine = 'HKEY_LOCAL_MACHINE'
    $signs = [System.Collections.Generic.List[object]]::new()
    $current = "$machine\SOFTWARE\Microsoft\Windows\CurrentVersion"
    if (Test-Path -LiteralPath "Registry::$current\WindowsUpdate\Auto Update\RebootRequired") {
        $signs.Add('windows_update')
    }
    if (Test-Path -LiteralPath "Registry::$current\Component Based Servicing\RebootPending") {
        $signs.Add('component_servicing')
    }
    $manager = "$machine\SYSTEM\CurrentControlSet\Control\Session Manager"
    $renames = Get-RegistryValue -Key $manager -Name 'PendingFileRenameOperations'
    if (@($renames | Where-Object -FilterScript { $_ }).Count -gt 0) {
        $signs.Add('file_rename')
    }
    , $signs
}

Function Get-ScheduledRestart {
    $moments = [System.Collections.Generic.List[string]]::new()
    foreach ($task in @(Get-ScheduledTask | Where-Object -FilterScript { Test-RestartTask -Task $_ })) {
        $next = (Get-ScheduledTaskInfo -TaskName $task.TaskName -TaskPath $task.TaskPath).NextRunTime
        if ($null -ne $next) {
            $moment = Format-Moment -Moment $next
            if (-not $moments.Contains($moment)) {
                $moments.Add($moment)
            }
        }
    }
    $moments.Sort([System.StringComparer]::Ordinal)
    , $moments
}

Function Get-PowerFact {
    $plan = Find-Fact -Block {
        $active = Get-CimInstance -Namespace 'root\cimv2\power' -ClassName Win32_PowerPlan -Filter 'IsActive = TRUE'
        $active.InstanceID.Split('\')[-1]
    }
    [ordered]@{
        sleep_minutes = Find-Fact -Block { Get-IdleMinute -Plan $plan -Setting '{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}' }
        hibernate_minutes = Find-Fact -Block { Get-IdleMinute -Plan $plan -Setting '{9d7815a6-7ee4-497e-8888-515a05f02364}' }
        pending_restart = Find-Fact -Block { , (Get-PendingRestart) }
        scheduled_restarts = Find-Fact -Block { , (Get-ScheduledRestart) }
    }
}

try {
    $contract = $module.Params.contract
    $facts = [ordered]@{
        probe = 1
        host = Get-HostFact
        interactor = $null
        pages = [System.Collections.Generic.List[object]]::new()
        speed = $null
        proxy = Get-ProxyFact
        power = Get-PowerFact
    }
    $pages = @('P1')
    if ($module.Params.role -eq 'server') {
        $facts['interactor'] = Get-InteractorFact -Contract $contract -Site $module.Params.site
        $pages = @('P1', 'P2')
    }
    foreach ($page in $pages) {
        $facts['pages'].Add((Get-PageFact -Contract $contract -Id $page))
    }
    $facts['speed'] = Get-SpeedFact -Contract $contract
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
