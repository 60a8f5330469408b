# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a computer is like, and what may put it out: sleep, and restarts that wait or are planned. Windows PowerShell 5.1
# must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Restart

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Machine = 'HKEY_LOCAL_MACHINE'
$script:Windows = "$script:Machine\SOFTWARE\Microsoft\Windows\CurrentVersion"
$script:Control = "$script:Machine\SYSTEM\CurrentControlSet\Control"
# A restart waits where one of these keys is there …
$script:Keys = [ordered]@{
    windows_update = "$script:Windows\WindowsUpdate\Auto Update\RebootRequired"
    update_report = "$script:Windows\WindowsUpdate\Auto Update\PostRebootReporting"
    component_servicing = "$script:Windows\Component Based Servicing\RebootPending"
    component_in_progress = "$script:Windows\Component Based Servicing\RebootInProgress"
    component_packages = "$script:Windows\Component Based Servicing\PackagesPending"
    server_manager = "$script:Machine\SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts"
    configuration_manager = "$script:Machine\SOFTWARE\Microsoft\SMS\Mobile Client\Reboot Management\RebootData"
}
# … or a value that says something.
$script:Values = @(
    @{ sign = 'file_rename'; key = "$script:Control\Session Manager"; name = 'PendingFileRenameOperations' }
    @{ sign = 'file_rename'; key = "$script:Control\Session Manager"; name = 'PendingFileRenameOperations2' }
    @{ sign = 'domain_join'; key = "$script:Machine\SYSTEM\CurrentControlSet\Services\Netlogon"; name = 'JoinDomain' }
    @{ sign = 'domain_join'; key = "$script:Machine\SYSTEM\CurrentControlSet\Services\Netlogon"; name = 'AvoidSpnSet' }
    @{ sign = 'update_program'; key = "$script:Machine\SOFTWARE\Microsoft\Updates"; name = 'UpdateExeVolatile' }
    @{ sign = 'run_once'; key = "$script:Windows\RunOnce"; name = 'DVDRebootSignal' }
)

Function Get-HostFact {
    <#
    .SYNOPSIS
    What the computer is, and how long it has been up.
    #>
    [CmdletBinding()]
    param ()

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
        addresses = Find-Fact -Block {
            $adapters = @(Get-CimInstance -ClassName Win32_NetworkAdapterConfiguration -Filter 'IPEnabled = TRUE')
            # An adapter that has no address yet tells none.
            , [string[]]@($adapters | ForEach-Object -Process { $_.IPAddress } | Where-Object -FilterScript { $_ })
        }
    }
}

Function Get-PowerFact {
    <#
    .SYNOPSIS
    Whether the computer stays on: its power plan, and restarts that wait or are planned.
    #>
    [CmdletBinding()]
    param ()

    $plan = Find-Fact -Block {
        Get-CimInstance -Namespace 'root\cimv2\power' -ClassName Win32_PowerPlan -Filter 'IsActive = TRUE'
    }
    $id = Find-Fact -Block { $plan.InstanceID.Split('\')[-1] }
    [ordered]@{
        plan = Find-Fact -Block { $plan.ElementName }
        sleep_minutes = Find-Fact -Block { Get-IdleMinute -Plan $id -Setting '{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}' }
        hibernate_minutes = Find-Fact -Block { Get-IdleMinute -Plan $id -Setting '{9d7815a6-7ee4-497e-8888-515a05f02364}' }
        pending_restart = Find-Fact -Block { , (Get-PendingRestart) }
        scheduled_restarts = Find-Fact -Block { , (Get-ScheduledRestart) }
        active_hours = Find-Fact -Block { Get-ActiveHour }
    }
}

Function Get-IdleMinute {
    <#
    .SYNOPSIS
    Minutes until a plugged-in machine sleeps (0 is never) by the power plan in use; $null where the plan does not say.
    #>
    [CmdletBinding()]
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
    <#
    .SYNOPSIS
    All signs that Windows, or what has been installed, waits for a restart.
    #>
    [CmdletBinding()]
    param ()

    $signs = [System.Collections.Generic.List[object]]::new()
    foreach ($sign in $script:Keys.Keys) {
        if (Test-RegistryKey -Key $script:Keys[$sign]) {
            $signs.Add($sign)
        }
    }
    if (@(Get-RegistryName -Key "$script:Windows\WindowsUpdate\Services\Pending").Count -gt 0) {
        $signs.Add('update_services')
    }
    foreach ($value in $script:Values) {
        $told = Get-RegistryValue -Key $value['key'] -Name $value['name']
        if (@($told | Where-Object -FilterScript { $_ }).Count -gt 0 -and -not $signs.Contains($value['sign'])) {
            $signs.Add($value['sign'])
        }
    }
    $names = foreach ($key in 'ActiveComputerName', 'ComputerName') {
        Get-RegistryValue -Key "$script:Control\ComputerName\$key" -Name 'ComputerName'
    }
    if (@($names | Sort-Object -Unique).Count -gt 1) {
        $signs.Add('computer_rename')
    }
    , $signs
}

Function Get-ActiveHour {
    <#
    .SYNOPSIS
    When Windows Update does not restart by itself: as a policy says, else as somebody has chosen; $null where neither has.
    #>
    [CmdletBinding()]
    param ()

    $policy = "$script:Machine\SOFTWARE\Policies\Microsoft\Windows\WindowsUpdate"
    $key = "$script:Machine\SOFTWARE\Microsoft\WindowsUpdate\UX\Settings"
    if ((Get-RegistryValue -Key $policy -Name 'SetActiveHours') -eq 1) {
        $key = $policy
    }
    $hours = [ordered]@{
        start = Get-RegistryValue -Key $key -Name 'ActiveHoursStart'
        end = Get-RegistryValue -Key $key -Name 'ActiveHoursEnd'
    }
    if ($null -ne $hours['start'] -or $null -ne $hours['end']) {
        $hours
    }
}

Function Get-ScheduledRestart {
    <#
    .SYNOPSIS
    When tasks will take Windows down next, each moment once.
    #>
    [CmdletBinding()]
    param ()

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

Export-ModuleMember -Function @('Get-HostFact', 'Get-PowerFact')
