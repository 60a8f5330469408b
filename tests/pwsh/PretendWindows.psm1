# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A Windows host made of a JSON file: the commands that our scripts call, and no others. Functions come before cmdlets,
# so the scripts run unchanged. What is not known here is refused, and remembered, since a script may catch the error.
# tests/pwsh/engine.py tells what the state holds.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Read-State {
    $text = Get-Content -LiteralPath $script:File -Raw -Encoding utf8
    $script:State = ConvertFrom-Json -InputObject $text -AsHashtable -DateKind String
}

Function Reset-PretendWindows {
    $script:File = $env:PRETEND_STATE
    $env:TEMP = 'C:\Windows\Temp'
    Read-State
    Get-PSDrive -Name C -ErrorAction Ignore | Remove-PSDrive -Scope Global
    $null = New-PSDrive -Name C -PSProvider FileSystem -Root $script:State['drive'] -Scope Global
    Get-PSDrive -Name D -ErrorAction Ignore | Remove-PSDrive -Scope Global
    if (Microsoft.PowerShell.Management\Test-Path -LiteralPath $script:State['other_drive']) {
        $null = New-PSDrive -Name D -PSProvider FileSystem -Root $script:State['other_drive'] -Scope Global
    }
}

Function Save-State {
    $text = ConvertTo-Json -InputObject $script:State -Depth 30
    [System.IO.File]::WriteAllText($script:File, $text, [System.Text.UTF8Encoding]::new($false))
}

Function Add-Call {
    param([string] $Text)
    if ($script:State['freeze'] -and $Text.StartsWith($script:State['freeze'])) {
        # The host as it is at this moment, for a test in which the run dies here.
        $script:State.Remove('freeze')
        Save-State
        /bin/cp -a $script:State['drive'] "$($script:State['drive']).frozen"
        /bin/cp $script:File "$($script:File).frozen"
    }
    $script:State['calls'] = @($script:State['calls']) + $Text
    Save-State
}

Function Deny {
    param([string] $Text)
    $script:State['refused'] = @($script:State['refused']) + $Text
    Save-State
    throw "PretendWindows does not know $Text"
}

Function Save-Written {
    param([System.Collections.IDictionary] $Effect)
    foreach ($path in @($Effect['writes'].Keys)) {
        $null = New-Item -Path (Split-Path -Path $path -Parent) -ItemType Directory -Force
        $native = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path)
        $content = $Effect['writes'][$path]
        if ($content -is [System.Collections.IDictionary] -and $content.Contains('copy')) {
            [System.IO.File]::Copy($content['copy'], $native, $true)
        }
        elseif ($content -is [System.Collections.IDictionary]) {
            [System.IO.File]::WriteAllBytes($native, [System.Convert]::FromBase64String($content['base64']))
        }
        else {
            [System.IO.File]::WriteAllText($native, $content)
        }
    }
}

# ---- services: their version is what the program's file holds, so that files that come back bring it back

Function Get-Service {
    foreach ($name in $script:State['services'].Keys) {
        [pscustomobject]@{ Name = $name; Status = $script:State['services'][$name]['status'] }
    }
}

Function Get-ProgramVersion {
    $program = $script:State['program']
    if (-not (Microsoft.PowerShell.Management\Test-Path -LiteralPath $program)) {
        return $null
    }
    $text = (Get-Content -LiteralPath $program -Raw).Trim()
    if ($text -match '^[0-9.]+$') { $text } else { $null }
}

Function Set-ServiceStatus {
    param([string] $Name, [string] $Verb, [string] $Status)
    Add-Call -Text "$Verb $Name"
    if (-not $script:State['services'].ContainsKey($Name)) {
        throw "Cannot find any service with service name '$Name'."
    }
    if ($Status -eq 'Running' -and ($script:State['service_fails'] -gt 0 -or $null -eq (Get-ProgramVersion))) {
        if ($script:State['service_fails'] -gt 0) { $script:State['service_fails'] -= 1 }
        $script:State['services'][$Name]['status'] = 'Stopped'
        Save-State
        throw "Service '$Name' cannot be started."
    }
    $script:State['services'][$Name]['status'] = $Status
    Save-State
    if ($Status -eq 'Running') { Save-Written -Effect $script:State['service_start'] }
}

Function Start-Service { param([string] $Name) Set-ServiceStatus -Name $Name -Verb 'start' -Status 'Running' }
Function Stop-Service { param([string] $Name) Set-ServiceStatus -Name $Name -Verb 'stop' -Status 'Stopped' }
Function Restart-Service { param([string] $Name) Set-ServiceStatus -Name $Name -Verb 'restart' -Status 'Running' }

Function Start-ServiceInTime { param([string] $Name) Start-Service -Name $Name }
Function Stop-ServiceInTime { param([string] $Name) Stop-Service -Name $Name }
Function Restart-ServiceInTime { param([string] $Name) Restart-Service -Name $Name }

# ---- programs and processes

# A process is its name, or a dictionary: name, path, session, window (closes: it goes when it is asked to; stays: not even
# by force), lingers (so many seconds until it ends by itself). Its number is its place in the list, from 1.

Function Get-Process {
    $number = 0
    foreach ($process in @($script:State['processes'])) {
        $number++
        if ($process -is [string]) { $process = @{ name = $process } }
        if ($process['ended']) { continue }
        $told = [pscustomobject]@{ Id = $number; ProcessName = $process['name']; Path = $process['path']; SessionId = [int]$process['session'] }
        Add-Member -InputObject $told -MemberType ScriptMethod -Name CloseMainWindow -Value { Close-PretendedWindow -Id $this.Id }
        $told
    }
}

Function Close-PretendedWindow {
    param([int] $Id)
    $process = $script:State['processes'][$Id - 1]
    Add-Call -Text "ask $($process['name']) $Id to close"
    $process['ended'] = $process['window'] -eq 'closes'
    Save-State
    $process['ended']
}

Function Stop-Process {
    [CmdletBinding()]
    param([int] $Id, [switch] $Force)
    if (-not $Force) { Deny -Text 'Stop-Process without -Force' }
    $process = $script:State['processes'][$Id - 1]
    Add-Call -Text "end $($process['name']) $Id"
    if ($process['window'] -eq 'stays') { Write-Error -Message 'Access is denied'; return }
    $process['ended'] = $true
    Save-State
}

Function Get-SmbOpenFile {
    if ($null -eq $script:State['open_files']) { throw 'The specified service does not exist.' }
    foreach ($path in @($script:State['open_files'])) { [pscustomobject]@{ Path = $path; ClientUserName = 'somebody' } }
}

Function msg.exe {
    Add-Call -Text "msg $args"
    if ($null -eq $script:State['users']) { throw 'The term msg.exe is not recognized' }
    $global:LASTEXITCODE = [int](@($script:State['users']).Count -eq 0)
}

Function quser.exe {
    if ($script:State['quser_fails']) { throw 'The term quser.exe is not recognized' }
    ' USERNAME              SESSIONNAME        ID  STATE'
    foreach ($user in @($script:State['users'])) { " $user" }
}

Function Start-Process {
    param([string] $FilePath, [string] $ArgumentList, [switch] $Wait, [switch] $PassThru)
    Add-Call -Text "run $($FilePath.Replace('/', '\')) $ArgumentList"
    if (-not (Microsoft.PowerShell.Management\Test-Path -LiteralPath $FilePath)) {
        throw "This command cannot be run: $FilePath is missing."
    }
    $effect = $script:State['programs'][(Split-Path -Path $FilePath -Leaf)]
    if ($null -eq $effect -or -not $PassThru) { Deny -Text "the program $FilePath run like this" }
    if ($effect['throws']) { throw $effect['throws'] }
    if (-not $effect['hangs']) { Save-Written -Effect $effect }
    elseif ($Wait) { Deny -Text "the program $FilePath waited for for ever" }
    $process = [pscustomobject]@{ ExitCode = $effect['exit_code']; Handle = 1; Ends = -not $effect['hangs'] }
    Add-Member -InputObject $process -MemberType ScriptMethod -Name WaitForExit -Value { param($milliseconds) $null = $milliseconds; $this.Ends }
    Add-Member -InputObject $process -MemberType ScriptMethod -Name Kill -Value { Add-Call -Text 'kill' }
    $process
}

Function Test-InstallerService { [bool]$script:State['msi_at_work'] }

Function icacls.exe {
    Add-Call -Text "icacls $args"
    if ($script:State['slips_in']) { Set-Content -LiteralPath (Join-Path -Path $args[0] -ChildPath $script:State['slips_in']) -Value 'x' }
    $global:LASTEXITCODE = [int][bool]$script:State['icacls_fails']
}

Function Get-FolderAccess {
    param([string] $Path)
    if (-not (Microsoft.PowerShell.Management\Test-Path -LiteralPath $Path -PathType Container)) { throw "$Path is no folder" }
    $trusted = 'S-1-5-18', 'S-1-5-32-544'
    $access = @{ owner = $trusted[1]; allowed = $trusted; own = 'S-1-5-21-1-2-3-1001' }
    foreach ($name in @($script:State['access'].Keys)) { $access[$name] = $script:State['access'][$name] }
    $access
}

# `frees`: after so many sleeps what a test holds (AppDomain data `lease`) is let go.

Function Start-Sleep {
    param([int] $Seconds)
    foreach ($process in @($script:State['processes'])) {
        if ($process -is [string] -or -not $process['lingers']) { continue }
        $process['lingers'] = [Math]::Max(0, $process['lingers'] - $Seconds)
        $process['ended'] = $process['lingers'] -eq 0
    }
    $script:State['slept'] += $Seconds
    $script:State['frees'] -= 1
    if ($script:State['frees'] -eq 0) { [AppDomain]::CurrentDomain.GetData('lease').Dispose() }
    Save-State
}

# ---- scheduled tasks

Function Get-TaskObject {
    param([string] $Name)
    $task = $script:State['tasks'][$Name]
    $actions = foreach ($action in @($task['actions'])) { [pscustomobject]$action }
    [pscustomobject]@{ TaskName = $Name; TaskPath = $task['path']; State = $task['state']; Actions = @($actions); Settings = [pscustomobject]@{ StartWhenAvailable = [bool]$task['late'] } }
}

# Windows goes through all tasks for one as well, and ends at one that is damaged. `damaged_task`: listing, or all.

Function Get-ScheduledTask {
    [CmdletBinding()]
    param([string] $TaskName, [string] $TaskPath)
    if ($script:State['damaged_task'] -eq 'all') { throw 'The task scheduler is not available.' }
    if ($script:State['damaged_task']) { Write-Error -Message 'The task XML contains a value which is incorrectly formatted or out of range.'; return }
    $found = @($script:State['tasks'].Keys | Where-Object -FilterScript {
            (-not $TaskName -or $_ -eq $TaskName) -and (-not $TaskPath -or $script:State['tasks'][$_]['path'] -eq $TaskPath)
        })
    if ($TaskName -and $found.Count -eq 0) {
        Write-Error -Message "No MSFT_ScheduledTask objects found with property 'TaskName' equal to '$TaskName'." -Category ObjectNotFound
    }
    foreach ($name in $found) { Get-TaskObject -Name $name }
}

Function Get-ScheduledTaskInfo {
    [CmdletBinding()]
    param([string] $TaskName, [string] $TaskPath)
    if ($script:State['damaged_task'] -eq 'all') { Write-Error -Message 'The task scheduler is not available.'; return }
    $task = $script:State['tasks'][$TaskName]
    if ($null -eq $task -or $task['path'] -ne $TaskPath) {
        Write-Error -Message 'The system cannot find the file specified.' -Category ObjectNotFound
        return
    }
    $next = $task['next']
    if ($null -ne $next) { $next = [datetimeoffset]::Parse($next).LocalDateTime }
    $results = @{ Running = 267009; Queued = 267045 }
    $result = $results["$($task['state'])"]
    if ($null -eq $result) { $result = $script:State['task_start']['result'] }
    [pscustomobject]@{ NextRunTime = $next; LastTaskResult = [uint32]$result }
}

Function New-ScheduledTaskAction {
    param([string] $Execute, [string] $Argument)
    @{ Execute = $Execute; Arguments = $Argument }
}

Function New-ScheduledTaskPrincipal {
    param([string] $UserId, [string] $LogonType, [string] $RunLevel)
    "$UserId $LogonType $RunLevel"
}

Function New-ScheduledTaskTrigger {
    param([switch] $Once, [datetime] $At, [timespan] $RepetitionInterval, [timespan] $RepetitionDuration, [switch] $AtStartup)
    if ($AtStartup) { return @{ startup = $true } }
    if (-not $Once) { Deny -Text 'a trigger that is neither once nor at startup' }
    @{ minutes = [Math]::Round(($At - [datetime]::Now).TotalMinutes); every = "$RepetitionInterval"; during = "$RepetitionDuration" }
}

Function New-ScheduledTaskSettingsSet {
    param(
        [switch] $AllowStartIfOnBatteries, [switch] $DontStopIfGoingOnBatteries, [timespan] $ExecutionTimeLimit,
        [string] $MultipleInstances, [switch] $StartWhenAvailable
    )
    $late = if ($StartWhenAvailable) { ' late' } else { '' }
    "$AllowStartIfOnBatteries $DontStopIfGoingOnBatteries $ExecutionTimeLimit $MultipleInstances$late"
}

Function Register-ScheduledTask {
    param([string] $TaskName, [hashtable] $Action, [string] $Principal, [string] $Settings, [switch] $Force, [object[]] $Trigger = @())
    if ($script:State['register_fails']) { throw 'The task scheduler is not available.' }
    if (-not $Force -and $script:State['tasks'].ContainsKey($TaskName)) { throw 'Cannot create a file when that file already exists.' }
    $script:State['tasks'][$TaskName] = @{ path = '\'; state = 'Ready'; actions = @($Action); principal = $Principal; settings = $Settings; next = $null; triggers = @($Trigger) }
    Add-Call -Text "register $TaskName"
}

Function Start-ScheduledTask {
    param([string] $TaskName)
    $script:State['tasks'][$TaskName]['state'] = $script:State['task_start']['state']
    Add-Call -Text "start task $TaskName"
    Save-Written -Effect $script:State['task_start']
    if ($script:State['task_start']['runs']) { Invoke-TaskScript -Action $script:State['tasks'][$TaskName]['actions'][0] -Module $script:State['task_start']['runs'] }
}

Function Invoke-TaskScript {
    <#
    .SYNOPSIS
    Runs the script of a task's action here and now; `runs` is where this module lies.
    #>
    param([System.Collections.IDictionary] $Action, [string] $Module)
    if ($Action['Arguments'] -notmatch '^-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "([^"]+)" (.*)$') { Deny -Text "the task's action $($Action['Arguments'])" }
    $path = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Matches[1])
    # In a session of its own, as Windows does; what it changes is in the file.
    $shell = [PowerShell]::Create()
    $null = $shell.AddScript("Import-Module -Name '$Module'; & '$path' $($Matches[2])").Invoke()
    Read-State
    $shell.Dispose()
}

Function Stop-ScheduledTask {
    param([string] $TaskName)
    $script:State['tasks'][$TaskName]['state'] = $script:State['task_stop_state']
    Add-Call -Text "stop task $TaskName"
}

Function Set-TaskState {
    param([string] $TaskName, [string] $TaskPath, [string] $State, [string] $Verb)
    $task = $script:State['tasks'][$TaskName]
    if ($null -eq $task -or $task['path'] -ne $TaskPath) { throw 'The system cannot find the file specified.' }
    if ($task['locked']) { throw 'Access is denied.' }
    Add-Call -Text "$Verb $TaskName"
    $task['state'] = $State
    Save-State
}

Function Enable-ScheduledTask { param([string] $TaskName, [string] $TaskPath) Set-TaskState @PSBoundParameters -State 'Ready' -Verb 'enable' }
Function Disable-ScheduledTask { param([string] $TaskName, [string] $TaskPath) Set-TaskState @PSBoundParameters -State 'Disabled' -Verb 'disable' }

Function Unregister-ScheduledTask {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $TaskName, [string] $TaskPath)
    if ($script:State['damaged_task']) { throw 'The task XML contains a value which is incorrectly formatted or out of range.' }
    if ($TaskPath -ne '\') { Deny -Text "the task $TaskPath$TaskName" }
    $script:State['tasks'].Remove($TaskName)
    Add-Call -Text "unregister $TaskName"
}

# ---- CIM

Function Get-CimInstance {
    [CmdletBinding()]
    param([string] $Namespace = 'root\cimv2', [string] $ClassName, [string] $Filter = '')
    $computer = $script:State['computer']
    if ($script:State['broken_cim'] -contains $ClassName) { Write-Error -Message 'Provider load failure'; return }
    switch ("$Namespace $ClassName $Filter".Trim()) {
        'root\cimv2 Win32_OperatingSystem' {
            return [pscustomobject]@{
                Caption = $computer['os']; BuildNumber = $computer['build']
                LocalDateTime = [datetimeoffset]::Parse($computer['utc']).LocalDateTime
                LastBootUpTime = [datetimeoffset]::Parse($computer['booted']).LocalDateTime
            }
        }
        'root\cimv2 Win32_ComputerSystem' {
            return [pscustomobject]@{ Name = $computer['name']; TotalPhysicalMemory = $computer['memory_bytes'] }
        }
        # Both drives have the same room.
        { $_ -match "^root\\cimv2 Win32_LogicalDisk DeviceID = '[CD]:'$" } {
            return [pscustomobject]@{ FreeSpace = $computer['free_bytes']; FileSystem = 'NTFS' }
        }
        'root\cimv2 Win32_NetworkAdapterConfiguration IPEnabled = TRUE' {
            return [pscustomobject]@{ IPAddress = [string[]]@($computer['addresses']) }
        }
        'root\cimv2 Win32_Service' {
            foreach ($name in $script:State['services'].Keys) {
                $service = $script:State['services'][$name]
                [pscustomobject]@{ Name = $name; PathName = $service['path']; StartMode = $service['mode']; StartName = $service['account']; ProcessId = [int]$service['process'] }
            }
            return
        }
        'root\cimv2\power Win32_PowerPlan IsActive = TRUE' {
            return [pscustomobject]@{ InstanceID = "Microsoft:PowerPlan\$($computer['plan'])"; ElementName = $computer['plan_name'] }
        }
        { $_.StartsWith('root\cimv2\power Win32_PowerSettingDataIndex InstanceID = ') } {
            foreach ($setting in $computer['seconds'].Keys) {
                # WQL doubles a backslash.
                if ($Filter -eq "InstanceID = 'Microsoft:PowerSettingDataIndex\\$($computer['plan'])\\AC\\$setting'") {
                    return [pscustomobject]@{ SettingIndexValue = [uint32]$computer['seconds'][$setting] }
                }
            }
            return
        }
    }
    Deny -Text "Get-CimInstance $Namespace $ClassName $Filter"
}

# ---- parts of a script beside it: each has a state of its own, so that what they do is told in files of its own

Function Wait-Session {
    <#
    .SYNOPSIS
    A part ends unless the test says that it hangs: how fast the machine is that tests run on is no matter.
    #>
    param([string] $Name, [System.IAsyncResult] $Running, [double] $Seconds)
    $null = $Seconds
    $Running.AsyncWaitHandle.WaitOne(120000) -and $script:State['hangs'] -notcontains $Name
}

Function Clear-Memory { }

Function Get-TimeLeft { param([object] $Since, [double] $Seconds) $null = $Since; $Seconds }

Function Start-Exit { param([int] $Seconds) Add-Call -Text "end this process in $Seconds seconds" }

Function reg.exe {
    <#
    .SYNOPSIS
    Loads a file whose text is one of `hives` (keys with values below it), and unloads what it has loaded.
    #>
    $registry = $script:State['registry']
    $key = $args[1].Replace('HKU\', 'HKEY_USERS\')
    $global:LASTEXITCODE = 1
    [System.IO.File]::AppendAllText("$($script:File).hives", "$($args[0]) $key`n")
    if ($args[0] -eq 'load') {
        $hive = (Get-Content -LiteralPath $args[2] -Raw).Trim()
        if (-not $script:State['hives'].ContainsKey($hive)) { return }
        $registry[$key] = @{}
        foreach ($name in $script:State['hives'][$hive].Keys) { $registry["$key\$name"] = $script:State['hives'][$hive][$name] }
    }
    elseif ($args[0] -eq 'unload') {
        if ($script:State['stays_loaded']) { return }
        foreach ($name in @($registry.Keys | Where-Object -FilterScript { $_ -eq $key -or $_ -like "$key\*" })) { $registry.Remove($name) }
    }
    else { Deny -Text "reg.exe $args" }
    $global:LASTEXITCODE = 0
}

Function powercfg.exe {
    <#
    .SYNOPSIS
    Writes a time of a plan, which counts when that plan is made the one in use.
    #>
    $computer = $script:State['computer']
    $said = "$args"
    Add-Call -Text "powercfg $said"
    $global:LASTEXITCODE = [int]$script:State['powercfg_fails']
    if ($global:LASTEXITCODE -ne 0) { return }
    if ($said -match '^/setactive ([0-9a-f-]+)$') { $computer['plan'] = "{$($Matches[1])}" }
    elseif ($said -match '^/setacvalueindex ([0-9a-f-]+) 238c9fa8-0aad-41ed-83f4-97be242c8f20 ([0-9a-f-]+) (\d+)$') {
        if ("{$($Matches[1])}" -eq $computer['plan'] -and -not $script:State['powercfg_deaf']) { $computer['seconds']["{$($Matches[2])}"] = [int]$Matches[3] }
    }
    else { Deny -Text "powercfg.exe $said" }
    Save-State
}

Function Get-TimeZone { [pscustomobject]@{ Id = $script:State['computer']['time_zone'] } }

# ---- registry

Function Get-RegistryKey {
    param([string] $Path)
    $key = $Path.Substring('Registry::'.Length)
    if ($script:State['denied_keys'] -contains $key) { throw [System.Security.SecurityException]::new('Requested registry access is not allowed.') }
    $key
}

Function Test-Path {
    param([string] $LiteralPath, [string] $PathType = 'Any')
    if (-not $LiteralPath.StartsWith('Registry::')) {
        return Microsoft.PowerShell.Management\Test-Path -LiteralPath $LiteralPath -PathType $PathType
    }
    $key = Get-RegistryKey -Path $LiteralPath
    $null -ne ($script:State['registry'].Keys | Where-Object -FilterScript { $_ -eq $key -or $_ -like "$key\*" } | Select-Object -First 1)
}

Function Get-ItemProperty {
    param([string] $LiteralPath)
    if (-not $LiteralPath.StartsWith('Registry::')) { Deny -Text "Get-ItemProperty $LiteralPath" }
    $values = $script:State['registry'][(Get-RegistryKey -Path $LiteralPath)]
    $item = [pscustomobject]@{ PSPath = $LiteralPath }
    if ($null -ne $values) {
        foreach ($name in $values.Keys) {
            $value = $values[$name]
            if ($value -is [System.Collections.IDictionary]) { $value = [System.Convert]::FromHexString($value['hex']) }
            if ($value -is [long]) { $value = [int]$value }
            Add-Member -InputObject $item -MemberType NoteProperty -Name $name -Value $value
        }
    }
    $item
}

Function New-ItemProperty {
    param([string] $LiteralPath, [string] $Name, [string] $PropertyType, [object] $Value, [switch] $Force)
    $null = $Force
    $key = Get-RegistryKey -Path $LiteralPath
    if ($script:State['kept_keys'] -contains $key) { throw "Requested registry access is not allowed: $key" }
    if (-not $script:State['registry'].ContainsKey($key)) { throw "Cannot find path '$key' because it does not exist." }
    Add-Call -Text "write $key $Name"
    switch ($PropertyType) {
        'Binary' { $Value = @{ hex = [System.Convert]::ToHexString([byte[]]$Value) } }
        'DWord' { $Value = [int]$Value }
        'String' { $Value = [string]$Value }
        default { Deny -Text "the registry type $PropertyType" }
    }
    $script:State['registry'][$key][$Name] = $Value
    Save-State
}

Function Remove-ItemProperty {
    param([string] $LiteralPath, [string] $Name)
    $key = Get-RegistryKey -Path $LiteralPath
    Add-Call -Text "remove $key $Name"
    $script:State['registry'][$key].Remove($Name)
    Save-State
}

Function Get-Item {
    param([string] $LiteralPath, [switch] $Force)
    if (-not $LiteralPath.StartsWith('WSMan:')) {
        return Microsoft.PowerShell.Management\Get-Item @PSBoundParameters
    }
    if ($LiteralPath -ne 'WSMan:\localhost\Service\Auth\CbtHardeningLevel') { Deny -Text "Get-Item $LiteralPath" }
    [pscustomobject]@{ Value = $script:State['computer']['channel_binding'] }
}

Function Get-ChildItem {
    [CmdletBinding()]
    param([string] $LiteralPath, [switch] $Recurse, [switch] $File, [switch] $Force, [switch] $Name)
    if (-not $LiteralPath.StartsWith('Registry::')) {
        return Microsoft.PowerShell.Management\Get-ChildItem @PSBoundParameters
    }
    $key = Get-RegistryKey -Path $LiteralPath
    $below = $script:State['registry'].Keys | Where-Object -FilterScript { $_ -like "$key\*" } |
        ForEach-Object -Process { $_.Substring($key.Length + 1).Split('\')[0] } | Sort-Object -Unique
    foreach ($child in @($below)) {
        if ($Name) { $child; continue }
        # Without -Name the provider opens each.
        if ($script:State['denied_keys'] -contains "$key\$child") { Write-Error -Message 'Requested registry access is not allowed.'; continue }
        [pscustomobject]@{ PSChildName = $child }
    }
}

# ---- the net and signatures

Function Get-WebAnswer {
    param([string] $Uri, [int] $TimeoutSeconds = 20, [long] $MaximumBytes = 1MB, [double] $MaximumSeconds = 20, [long] $From = 0, [string] $Proxy)
    $null = $From
    $answer = [ordered]@{ status = 0; content = ''; length = 0; seconds = 0.0; milliseconds = 1; final_url = $null; issuer = $null; error = $null }
    if ($Uri -eq $script:State['version_url']) {
        $running = @($script:State['services'].Values | Where-Object -FilterScript { $_['main'] -and $_['status'] -eq 'Running' })
        if ($running.Count -gt 0) {
            $answer['status'] = 200
            $answer['content'] = '{"' + $script:State['version_key'] + '": "' + (Get-ProgramVersion) + '"}'
        }
        else {
            $answer['error'] = 'ConnectFailure: Unable to connect to the remote server'
        }
        return $answer
    }
    # `web` is by address, and by address and proxy where it differs: `https://a via p:8080`, `https://a via ` for none.
    if ($PSBoundParameters.ContainsKey('Proxy') -and $script:State['web'].ContainsKey("$Uri via $Proxy")) { $Uri = "$Uri via $Proxy" }
    if (-not $script:State['web'].ContainsKey($Uri)) { Deny -Text "the page $Uri" }
    foreach ($name in $script:State['web'][$Uri].Keys) { $answer[$name] = $script:State['web'][$Uri][$name] }
    if ($answer['length'] -gt $MaximumBytes) { $answer['length'] = $MaximumBytes }
    $null = $TimeoutSeconds, $MaximumSeconds
    $answer
}

Function Get-ClockOffset {
    param([string] $Server, [double] $Seconds)
    $null = $Server, $Seconds
    if ($script:State['ntp']['error']) { throw $script:State['ntp']['error'] }
    $script:State['ntp']['offset_seconds']
}

Function Get-HostAddress {
    param([string[]] $Name, [double] $Seconds)
    $null = $Seconds
    foreach ($each in $Name) {
        $addresses = $script:State['names'][$each]
        if ($addresses) { [ordered]@{ name = $each; addresses = [string[]]@($addresses); error = $null } }
        else { [ordered]@{ name = $each; addresses = [string[]]@(); error = "$each is not a known name" } }
    }
}

Function Test-TlsServer {
    param([string] $Name, [double] $Seconds, [int] $Port)
    $null = $Seconds, $Port
    $told = [ordered]@{ name = $Name; protocol = $null; trusted = $null; issuer = $null; error = $null }
    $server = $script:State['tls'][$Name]
    if ($null -eq $server) { $server = @{ protocol = 'Tls12'; trusted = $true; issuer = 'CN=Test' } }
    foreach ($key in $server.Keys) { $told[$key] = $server[$key] }
    $told
}

Function Get-ScriptProxy {
    param([string] $Script, [string] $Uri, [double] $Seconds)
    $null = $Seconds
    $answer = $script:State['script_answers']["$Script $Uri"]
    if ($null -eq $answer) { throw 'The PAC script could not be run.' }
    $answer
}

Function Get-DetectedScript {
    <#
    .SYNOPSIS
    `detected` is the address that is found, or nothing; a dictionary has the error.
    #>
    param([double] $Seconds)
    $null = $Seconds
    $found = $script:State['detected']
    if ($found -is [System.Collections.IDictionary]) { throw $found['error'] }
    "$found"
}

Function Enable-Tls12 { }

Function Receive-WebFile {
    <#
    .SYNOPSIS
    A download holds the content, or `content` with `each`: so many bytes come in one call, then the line breaks.
    #>
    param([string] $Uri, [string] $Path, [double] $MaximumSeconds)
    Add-Call -Text "download $Uri"
    $null = $MaximumSeconds
    $answer = [ordered]@{ whole = $false; length = [long]0; total = $null; received = [long]0; error = $null }
    $offered = $script:State['downloads'][$Uri]
    if ($null -eq $offered) {
        $answer['error'] = "NameResolutionFailure: The remote name could not be resolved: '$(([uri]$Uri).Host)'"
        return $answer
    }
    $native = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
    $bytes = [System.Text.Encoding]::UTF8.GetBytes([string]$offered)
    $each = [int]::MaxValue
    if ($offered -is [System.Collections.IDictionary]) {
        $bytes = [System.Convert]::FromBase64String($offered['base64'])
        if ($null -ne $offered['each']) { $each = $offered['each'] }
    }
    if (Microsoft.PowerShell.Management\Test-Path -LiteralPath $Path) { $answer['length'] = [System.IO.FileInfo]::new($native).Length }
    $answer['received'] = [Math]::Min($each, $bytes.Length - $answer['length'])
    $answer['length'] += $answer['received']
    $answer['total'] = [long]$bytes.Length
    [System.IO.File]::WriteAllBytes($native, $bytes[0..($answer['length'] - 1)])
    $answer['whole'] = $answer['length'] -eq $bytes.Length
    if (-not $answer['whole']) { $answer['error'] = 'the line broke' }
    $answer
}

Function Get-AuthenticodeSignature {
    param([string] $LiteralPath)
    if (-not (Microsoft.PowerShell.Management\Test-Path -LiteralPath $LiteralPath)) { throw "File $LiteralPath was not found." }
    $signer = [pscustomobject]@{ Name = $script:State['signature']['publisher'] }
    Add-Member -InputObject $signer -MemberType ScriptMethod -Name GetNameInfo -Value { param($type, $ofIssuer) if ("$type" -ne 'SimpleName' -or $ofIssuer) { throw 'GetNameInfo' }; $this.Name }
    [pscustomobject]@{ Status = $script:State['signature']['status']; SignerCertificate = $signer }
}

Reset-PretendWindows
Export-ModuleMember -Function @(
    'Clear-Memory', 'Disable-ScheduledTask', 'Enable-ScheduledTask', 'Enable-Tls12', 'Get-AuthenticodeSignature', 'Get-ChildItem', 'Get-CimInstance', 'Get-ClockOffset',
    'Get-DetectedScript', 'Get-FolderAccess', 'Get-HostAddress', 'Get-Item', 'Get-ItemProperty', 'Get-Process', 'Get-ScheduledTask', 'Get-ScheduledTaskInfo', 'Get-Service', 'Get-SmbOpenFile',
    'Get-ScriptProxy', 'Get-TimeLeft', 'Start-Exit', 'Get-TimeZone', 'Get-WebAnswer', 'reg.exe', 'Test-TlsServer', 'Wait-Session',
    'icacls.exe', 'Invoke-WebRequest', 'msg.exe', 'New-ItemProperty', 'New-ScheduledTaskAction', 'New-ScheduledTaskPrincipal',
    'New-ScheduledTaskSettingsSet', 'New-ScheduledTaskTrigger', 'powercfg.exe', 'quser.exe', 'Receive-WebFile', 'Remove-ItemProperty',
    'Register-ScheduledTask', 'Reset-PretendWindows', 'Restart-Service', 'Restart-ServiceInTime', 'Start-Process',
    'Start-ScheduledTask', 'Start-Service', 'Start-ServiceInTime', 'Start-Sleep', 'Stop-Process', 'Stop-ScheduledTask',
    'Stop-Service', 'Stop-ServiceInTime', 'Test-InstallerService', 'Test-Path', 'Unregister-ScheduledTask'
)
