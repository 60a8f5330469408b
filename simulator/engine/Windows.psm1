# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A Windows made of a simulated host's state: the cmdlets and programs of Windows that our scripts call, and no others.
# Whatever has a state or an effect is asked of the simulator, which holds both. What is not known here is refused by its
# name and told to the simulator as well, since a script may catch the error.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module -Name (Microsoft.PowerShell.Management\Join-Path -Path $PSScriptRoot -ChildPath 'Ask.psm1')

Function Confirm-Answer {
    <#
    .SYNOPSIS
    An error with the simulator's words where it says that an act did not come to pass.
    #>
    param ([AllowNull()] [object] $Answer)

    if ($Answer) { throw $Answer }
}

Function ConvertTo-Moment {
    param ([AllowNull()] [string] $Text)

    if ($Text) { [datetimeoffset]::Parse($Text, [cultureinfo]::InvariantCulture).LocalDateTime }
}

# ---- the clock

Function Get-Date {
    <#
    .SYNOPSIS
    This machine's own clock, which is the scenario's.
    #>
    param (
        [Parameter(Position = 0)] [datetime] $Date, [string] $Format, [object] $UFormat, [switch] $AsUTC,
        [int] $Year, [int] $Month, [int] $Day, [int] $Hour, [int] $Minute, [int] $Second, [int] $Millisecond
    )

    $with = @{} + $PSBoundParameters
    if (-not $with.ContainsKey('Date')) { $with['Date'] = ConvertTo-Moment -Text (Request-Simulator -What 'clock') }
    Microsoft.PowerShell.Utility\Get-Date @with
}

Function Start-Sleep {
    <#
    .SYNOPSIS
    No time passes: the scenario's clock is moved by whoever runs it.
    #>
    param ([double] $Seconds, [int] $Milliseconds)

    $null = $Seconds, $Milliseconds
}

Function Get-TimeZone { [pscustomobject]@{ Id = (Request-Simulator -What 'machine')['time_zone'] } }

# ---- services

Function Get-Service {
    param ([Parameter(Position = 0)] [string[]] $Name)

    $all = Request-Simulator -What 'services'
    foreach ($each in $Name) {
        if (@($all | Where-Object -FilterScript { $_['name'] -like $each }).Count -eq 0 -and -not [WildcardPattern]::ContainsWildcardCharacters($each)) {
            throw "Cannot find any service with service name '$each'."
        }
    }
    foreach ($service in $all) {
        if ($Name -and -not ($Name | Where-Object -FilterScript { $service['name'] -like $_ })) { continue }
        [pscustomobject]@{ Name = $service['name']; DisplayName = $service['name']; Status = $service['status']; StartType = $service['mode'] }
    }
}

Function Start-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param ([Parameter(Position = 0)] [string] $Name)

    Confirm-Answer -Answer (Request-Simulator -What 'start service' -Of @{ name = $Name })
}

Function Stop-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param ([Parameter(Position = 0)] [string] $Name, [switch] $Force)

    $null = $Force
    Confirm-Answer -Answer (Request-Simulator -What 'stop service' -Of @{ name = $Name })
}

Function Restart-Service {
    [CmdletBinding(SupportsShouldProcess)]
    param ([Parameter(Position = 0)] [string] $Name, [switch] $Force)

    $null = $Force
    Confirm-Answer -Answer (Request-Simulator -What 'stop service' -Of @{ name = $Name })
    Confirm-Answer -Answer (Request-Simulator -What 'start service' -Of @{ name = $Name })
}

# ---- processes and programs

Function Get-Process {
    param ([Parameter(Position = 0)] [string[]] $Name, [int[]] $Id)

    foreach ($process in (Request-Simulator -What 'processes')) {
        if ($Name -and -not ($Name | Where-Object -FilterScript { $process['name'] -like $_ })) { continue }
        if ($Id -and $Id -notcontains $process['id']) { continue }
        $told = [pscustomobject]@{ Id = [int]$process['id']; ProcessName = $process['name']; Name = $process['name']; Path = $process['path']; SessionId = [int]$process['session'] }
        # The text is parsed where it is called: a block of this module would see this module's names.
        Add-Member -InputObject $told -MemberType ScriptMethod -Name CloseMainWindow -Value { Close-PretendedWindow -Id $this.Id } -PassThru
    }
}

Function Close-PretendedWindow {
    param ([int] $Id)

    Request-Simulator -What 'ask process to close' -Of @{ id = $Id }
}

Function Stop-Process {
    [CmdletBinding()]
    param ([int] $Id, [switch] $Force)

    if (-not $Force) { Deny -Text 'Stop-Process without -Force' }
    $problem = Request-Simulator -What 'end process' -Of @{ id = $Id }
    if ($problem) { Write-Error -Message $problem }
}

Function Start-Process {
    param ([string] $FilePath, [string] $ArgumentList, [switch] $Wait, [switch] $PassThru)

    $path = $FilePath.Replace('/', '\')
    $null = $Wait
    if (-not $PassThru) { Deny -Text "Start-Process $path without -PassThru" }
    $ended = Request-Simulator -What 'run' -Of @{ path = $path; arguments = $ArgumentList }
    if ($null -eq $ended) { throw 'This command cannot be run due to the error: The system cannot find the file specified.' }
    # A simulated program has come to its end by now.
    $process = [pscustomobject]@{ ExitCode = [int]$ended; Handle = 1 }
    Add-Member -InputObject $process -MemberType ScriptMethod -Name WaitForExit -Value { param ($milliseconds) $null = $milliseconds; $true }
    $process
}

Function Get-SmbOpenFile {
    $open = Request-Simulator -What 'open files'
    if ($null -eq $open) { throw 'The specified service does not exist.' }
    foreach ($path in $open) { [pscustomobject]@{ Path = $path; ClientUserName = 'somebody' } }
}

Function msg.exe {
    if ("$($args[0])" -ne '*' -or "$($args[1])" -notmatch '^/TIME:\d+$' -or $args.Count -ne 3) { Deny -Text "msg.exe with $($args.Count) arguments like these" }
    $global:LASTEXITCODE = [int]((Request-Simulator -What 'warn') -eq 0)
}

Function quser.exe {
    ' USERNAME              SESSIONNAME        ID  STATE   IDLE TIME  LOGON TIME'
    foreach ($user in (Request-Simulator -What 'users')) { " $user" }
    $global:LASTEXITCODE = 0
}

Function icacls.exe {
    if ("$args" -notmatch ' /inheritance:r /grant:r \*S-1-5-') { Deny -Text "icacls.exe $(@($args | Select-Object -Skip 1))" }
    # The simulated drive has no rights.
    $global:LASTEXITCODE = [int](-not (Test-Path -LiteralPath $args[0]))
}

Function reg.exe {
    <#
    .SYNOPSIS
    Loads a file as a hive below HKEY_USERS, and unloads it.
    #>
    $key = "$($args[1])".Replace('HKU\', 'HKEY_USERS\')
    $global:LASTEXITCODE = 0
    if ($args[0] -eq 'load' -and $args.Count -eq 3) {
        $global:LASTEXITCODE = [int](-not (Request-Simulator -What 'hive load' -Of @{ key = $key; path = $args[2].Replace('/', '\') }))
    }
    elseif ($args[0] -eq 'unload' -and $args.Count -eq 2) { $null = Request-Simulator -What 'registry remove' -Of @{ key = $key } }
    else { Deny -Text "reg.exe $args" }
}

Function chcp.com {
    if ($args.Count -gt 1 -or ($args.Count -eq 1 -and $args[0] -ne 65001)) { Deny -Text "chcp.com $args" }
    $global:LASTEXITCODE = 0
    'Active code page: 65001'
}

# ---- scheduled tasks

Function Get-ScheduledTask {
    [CmdletBinding()]
    param ([Parameter(Position = 0)] [string] $TaskName = '*', [string] $TaskPath = '*')

    $found = @((Request-Simulator -What 'tasks') | Where-Object -FilterScript { $_['name'] -like $TaskName -and $_['path'] -like $TaskPath })
    if ($found.Count -eq 0 -and -not [WildcardPattern]::ContainsWildcardCharacters($TaskName)) {
        Write-Error -Message "No MSFT_ScheduledTask objects found with property 'TaskName' equal to '$TaskName'." -Category ObjectNotFound
    }
    foreach ($task in $found) {
        $action = [pscustomobject]@{ Execute = $task['program']; Arguments = $task['arguments'] }
        $settings = [pscustomobject]@{ StartWhenAvailable = $false }
        [pscustomobject]@{ TaskName = $task['name']; TaskPath = $task['path']; State = $task['state']; Actions = @($action); Settings = $settings }
    }
}

Function Get-ScheduledTaskInfo {
    param ([string] $TaskName, [string] $TaskPath)

    foreach ($task in (Request-Simulator -What 'tasks')) {
        if ($task['name'] -eq $TaskName -and $task['path'] -eq $TaskPath) {
            $result = if ($task['state'] -eq 'Running') { 267009 } else { $task['result'] }
            return [pscustomobject]@{ TaskName = $TaskName; NextRunTime = ConvertTo-Moment -Text $task['next']; LastTaskResult = [uint32]$result }
        }
    }
    throw "No task '$TaskPath$TaskName' was found."
}

Function New-ScheduledTaskAction {
    param ([string] $Execute, [string] $Argument)

    @{ program = $Execute; arguments = $Argument }
}

Function New-ScheduledTaskPrincipal {
    param ([string] $UserId, [string] $LogonType, [string] $RunLevel)

    @{ user = $UserId; logon = $LogonType; level = $RunLevel }
}

Function New-ScheduledTaskTrigger {
    param ([switch] $Once, [datetime] $At, [timespan] $RepetitionInterval, [timespan] $RepetitionDuration, [switch] $AtStartup)

    if ($AtStartup) { return @{ startup = $true } }
    if (-not $Once -or -not $PSBoundParameters.ContainsKey('RepetitionInterval') -or $RepetitionDuration.TotalDays -lt 365) { Deny -Text 'a trigger that is neither at startup nor once and again for years' }
    @{ startup = $false; at = $At.ToUniversalTime().ToString('o'); minutes = $RepetitionInterval.TotalMinutes }
}

Function New-ScheduledTaskSettingsSet {
    param (
        [switch] $AllowStartIfOnBatteries, [switch] $DontStopIfGoingOnBatteries, [timespan] $ExecutionTimeLimit = '72:00:00',
        [string] $MultipleInstances, [switch] $StartWhenAvailable
    )

    @{
        batteries = $AllowStartIfOnBatteries.IsPresent -and $DontStopIfGoingOnBatteries.IsPresent
        limit_minutes = $ExecutionTimeLimit.TotalMinutes
        instances = $MultipleInstances
        late = $StartWhenAvailable.IsPresent
    }
}

Function Register-ScheduledTask {
    param (
        [string] $TaskName, [hashtable] $Action, [hashtable] $Principal, [hashtable] $Settings, [switch] $Force,
        [object[]] $Trigger = @()
    )

    $of = @{ name = $TaskName; action = $Action; principal = $Principal; settings = $Settings; triggers = @($Trigger); force = $Force.IsPresent }
    Confirm-Answer -Answer (Request-Simulator -What 'register task' -Of $of)
    Get-ScheduledTask -TaskName $TaskName
}

Function Start-ScheduledTask {
    param ([string] $TaskName, [string] $TaskPath = '\')

    $null = $TaskPath
    Confirm-Answer -Answer (Request-Simulator -What 'start task' -Of @{ name = $TaskName })
}

Function Stop-ScheduledTask {
    param ([string] $TaskName, [string] $TaskPath = '\')

    $null = $TaskPath
    Confirm-Answer -Answer (Request-Simulator -What 'stop task' -Of @{ name = $TaskName })
}

Function Unregister-ScheduledTask {
    [CmdletBinding(SupportsShouldProcess)]
    param ([string] $TaskName, [string] $TaskPath = '\')

    $null = $TaskPath
    Confirm-Answer -Answer (Request-Simulator -What 'unregister task' -Of @{ name = $TaskName })
}

Function Enable-ScheduledTask {
    param ([string] $TaskName, [string] $TaskPath = '\')

    $null = $TaskPath
    Confirm-Answer -Answer (Request-Simulator -What 'enable task' -Of @{ name = $TaskName })
}

Function Disable-ScheduledTask {
    param ([string] $TaskName, [string] $TaskPath = '\')

    $null = $TaskPath
    Confirm-Answer -Answer (Request-Simulator -What 'disable task' -Of @{ name = $TaskName })
}

Function powercfg.exe {
    $plan = (Request-Simulator -What 'machine')['plan'].Trim('{', '}')
    $global:LASTEXITCODE = 0
    if ("$args" -eq "/setactive $plan") { return }
    if ("$args" -notmatch "^/setacvalueindex $plan 238c9fa8-0aad-41ed-83f4-97be242c8f20 ([0-9a-f-]+) (\d+)`$") { Deny -Text "powercfg.exe $args" }
    $null = Request-Simulator -What 'set idle' -Of @{ setting = "{$($Matches[1])}"; seconds = [int]$Matches[2] }
}

# ---- CIM

Function Get-CimInstance {
    [CmdletBinding()]
    param ([string] $Namespace = 'root\cimv2', [Parameter(Position = 0)] [string] $ClassName, [string] $Filter = '')

    $machine = Request-Simulator -What 'machine'
    switch ("$Namespace $ClassName $Filter".Trim()) {
        'root\cimv2 Win32_OperatingSystem' {
            return [pscustomobject]@{
                Caption = $machine['os']; BuildNumber = $machine['build']
                LocalDateTime = Get-Date
                LastBootUpTime = ConvertTo-Moment -Text $machine['booted']
            }
        }
        'root\cimv2 Win32_ComputerSystem' {
            return [pscustomobject]@{ Name = $machine['name']; TotalPhysicalMemory = [uint64]$machine['memory_bytes'] }
        }
        # Both drives have the same room.
        { $_ -match "^root\\cimv2 Win32_LogicalDisk DeviceID = '[CD]:'$" } {
            $drive = $Filter.Split("'")[1]
            if ($machine['drives'] -notcontains $drive) { return }
            return [pscustomobject]@{ DeviceID = $drive; FreeSpace = [uint64]$machine['free_bytes']; FileSystem = 'NTFS' }
        }
        'root\cimv2 Win32_NetworkAdapterConfiguration IPEnabled = TRUE' {
            return [pscustomobject]@{ IPAddress = [string[]]@($machine['addresses']) }
        }
        'root\cimv2 Win32_Service' {
            foreach ($service in (Request-Simulator -What 'services')) {
                [pscustomobject]@{
                    Name = $service['name']; PathName = $service['path']; StartMode = $service['mode']
                    StartName = $service['account']; State = $service['status']; ProcessId = [uint32]$service['process']
                }
            }
            return
        }
        'root\cimv2\power Win32_PowerPlan IsActive = TRUE' {
            return [pscustomobject]@{ InstanceID = "Microsoft:PowerPlan\$($machine['plan'])"; ElementName = $machine['plan_name'] }
        }
        { $_.StartsWith('root\cimv2\power Win32_PowerSettingDataIndex InstanceID = ') } {
            foreach ($setting in $machine['seconds'].Keys) {
                # WQL doubles a backslash.
                if ($Filter -eq "InstanceID = 'Microsoft:PowerSettingDataIndex\\$($machine['plan'])\\AC\\$setting'") {
                    return [pscustomobject]@{ SettingIndexValue = [uint32]$machine['seconds'][$setting] }
                }
            }
            return
        }
    }
    Deny -Text "Get-CimInstance $Namespace $ClassName $Filter".TrimEnd()
}

Export-ModuleMember -Function @(
    'chcp.com', 'Disable-ScheduledTask', 'Enable-ScheduledTask', 'Get-CimInstance', 'Get-Date', 'Get-Process', 'Get-ScheduledTask', 'Get-ScheduledTaskInfo', 'Get-Service',
    'Get-SmbOpenFile', 'Get-TimeZone', 'icacls.exe', 'msg.exe', 'New-ScheduledTaskAction', 'New-ScheduledTaskPrincipal',
    'New-ScheduledTaskSettingsSet', 'New-ScheduledTaskTrigger', 'powercfg.exe', 'quser.exe', 'reg.exe', 'Register-ScheduledTask', 'Restart-Service',
    'Start-Process', 'Start-ScheduledTask', 'Start-Service', 'Start-Sleep', 'Stop-Process', 'Stop-ScheduledTask',
    'Stop-Service', 'Unregister-ScheduledTask'
)
