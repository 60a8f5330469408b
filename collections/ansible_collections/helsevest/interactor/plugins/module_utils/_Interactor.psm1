# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the host modules share: the vendor contract, JSON, Interactor's service and configuration.
# Windows PowerShell 5.1 must run it. Lists are List[object]: its ConvertTo-Json may wrap a bare array.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:ProofTries = 30
$script:ProofSeconds = 2

Function Get-ContractValue {
    <#
    .SYNOPSIS
    A value of the vendor contract by its path (paths.work); an error names the path where it is missing.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Path
    )

    $value = $Contract
    foreach ($name in $Path.Split('.')) {
        if ($value -isnot [System.Collections.IDictionary] -or $value.Keys -cnotcontains $name) {
            throw "contract: $Path is missing"
        }
        $value = $value[$name]
    }
    if ($value -is [System.Collections.IList]) {
        return , $value
    }
    $value
}

Function Format-Moment {
    <#
    .SYNOPSIS
    A moment as 2027-05-18T18:30:00Z.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [datetime] $Moment)

    $Moment.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
}

Function Get-MomentType {
    <#
    .SYNOPSIS
    The type of an option that holds a moment as 2027-05-18T18:30:00Z. Newer engines make a date of it on its way here.
    #>
    [CmdletBinding()]
    param ()

    [System.Func[object, object]] {
        param ($value)
        if ($value -is [datetime]) {
            $value = $value.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
        }
        if ($value -notmatch '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$') {
            throw 'a moment as 2027-05-18T18:30:00Z is wanted'
        }
        [string]$value
    }
}

Function Expand-Argument {
    <#
    .SYNOPSIS
    Fills {name} in a program's arguments; refuses what could become more than one argument, and names nobody filled.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [string] $Template,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Value
    )

    $text = $Template
    foreach ($name in $Value.Keys) {
        $filled = [string]$Value[$name]
        # Several sites are one argument, with commas between them.
        $parts = @($filled)
        if ($name -eq 'sites') {
            $parts = $filled.Split(',')
        }
        $open = $name -notlike '*_file' -and @($parts -notmatch '^[A-Za-z0-9._-]+$').Count -gt 0
        if ($filled -match '["\r\n]' -or $open) {
            throw "$name is '$filled': letters, digits, dot, dash and underscore are allowed"
        }
        $text = $text.Replace("{$name}", $filled)
    }
    if ($text -match '\{(\w+)\}') {
        throw "contract: arguments name {$($Matches[1])}, which is not known here"
    }
    $text
}

Function ConvertFrom-StrictJson {
    <#
    .SYNOPSIS
    JSON as ordered dictionaries, lists and scalars; a moment stays the text that it is.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Text)

    if ([string]::IsNullOrWhiteSpace($Text)) {
        throw 'it is empty'
    }
    # What a power cut leaves of a file; some engines read past them.
    if ($Text.IndexOf([char]0) -ge 0) {
        throw 'it holds NUL bytes'
    }
    $options = Get-JsonOption
    ConvertTo-PlainData -InputObject (ConvertFrom-Json -InputObject $Text @options)
}

Function Get-JsonOption {
    <#
    .SYNOPSIS
    What ConvertFrom-Json needs so that a text that looks like a moment stays a text: newer engines make a date of it.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param ()

    if ((Get-Command -Name ConvertFrom-Json).Parameters.ContainsKey('DateKind')) {
        return @{ DateKind = 'String' }
    }
    @{}
}

Function ConvertTo-PlainData {
    [CmdletBinding()]
    param ([AllowNull()] [object] $InputObject)

    if ($InputObject -is [System.Management.Automation.PSCustomObject]) {
        $map = [ordered]@{}
        foreach ($property in $InputObject.PSObject.Properties) {
            $map[$property.Name] = ConvertTo-PlainData -InputObject $property.Value
        }
        return $map
    }
    if ($InputObject -is [array]) {
        $list = [System.Collections.Generic.List[object]]::new()
        foreach ($item in $InputObject) {
            $list.Add((ConvertTo-PlainData -InputObject $item))
        }
        return , $list
    }
    $InputObject
}

Function Read-JsonFile {
    <#
    .SYNOPSIS
    A JSON object from a file; $null where there is no file, an error that names it where it is no JSON object.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $What,
        [Parameter(Mandatory)] [string] $Path
    )

    try {
        $text = Read-SharedText -Path $Path
        if ($null -eq $text) {
            return $null
        }
        $value = ConvertFrom-StrictJson -Text $text
    }
    catch {
        throw "$What $Path is no JSON: $($_.Exception.Message)"
    }
    if ($value -isnot [System.Collections.IDictionary]) {
        throw "$What $Path is no JSON object"
    }
    $value
}

Function Read-DurableJson {
    <#
    .SYNOPSIS
    Read-JsonFile for a file that Write-DurableFile writes: where a power cut has left the new one under its temporary
    name alone, that is the file. One that was cut off itself never took the place of anything.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $What,
        [Parameter(Mandatory)] [string] $Path
    )

    $value = Read-JsonFile -What $What -Path $Path
    if ($null -ne $value) {
        return $value
    }
    try {
        Read-JsonFile -What $What -Path "$Path.new"
    }
    catch {
        $null
    }
}

Function Complete-DurableJson {
    <#
    .SYNOPSIS
    Ends a Write-DurableFile that a power cut has ended too early: a whole new file takes the place that is empty.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    if (-not (Test-Path -LiteralPath $Path) -and $null -ne (Read-DurableJson -What 'file' -Path $Path)) {
        Move-Item -LiteralPath "$Path.new" -Destination $Path
    }
}

Function Get-ServiceWord {
    <#
    .SYNOPSIS
    How Interactor's service is: running, stopped, missing or another of Windows' words in lower case.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = Get-ContractValue -Contract $Contract -Path 'service.name'
    $service = @(Get-Service | Where-Object -FilterScript { $_.Name -eq $name })
    if ($service.Count -eq 0) {
        return 'missing'
    }
    ([string]$service[0].Status).ToLowerInvariant()
}

Function Get-ServiceProcess {
    <#
    .SYNOPSIS
    The number of the process that Interactor's service is; none where it does not run. An error where Windows cannot tell.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = Get-ContractValue -Contract $Contract -Path 'service.name'
    Get-CimInstance -ClassName 'Win32_Service' |
        Where-Object -FilterScript { $_.Name -eq $name -and $_.ProcessId } | ForEach-Object -Process { $_.ProcessId }
}

Function Get-InteractorVersion {
    <#
    .SYNOPSIS
    The version that the running service tells; $null where it does not answer.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $answer = Get-WebAnswer -Uri (Get-ContractValue -Contract $Contract -Path 'service.version_url') -TimeoutSeconds 10
    if ($answer['status'] -ne 200) {
        return $null
    }
    try {
        $value = ConvertFrom-StrictJson -Text $answer['content']
    }
    catch {
        return $null
    }
    $key = Get-ContractValue -Contract $Contract -Path 'service.version_key'
    if ($value -isnot [System.Collections.IDictionary] -or $value[$key] -notmatch '^\d+(\.\d+){1,3}$') {
        return $null
    }
    $value[$key]
}

Function Wait-InteractorVersion {
    <#
    .SYNOPSIS
    Waits up to a minute until the service tells a version, or the given one; the last that it told, or $null.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [AllowEmptyString()] [string] $Version
    )

    $told = $null
    for ($try = 1; $try -le $script:ProofTries; $try++) {
        $told = Get-InteractorVersion -Contract $Contract
        if ($told -and (-not $Version -or $told -eq $Version)) {
            break
        }
        Start-Sleep -Seconds $script:ProofSeconds
    }
    $told
}

Function Read-Configuration {
    <#
    .SYNOPSIS
    Interactor's configuration as an ordered dictionary; an error where it is missing or no JSON.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $path = Get-ContractValue -Contract $Contract -Path 'paths.config'
    $configuration = Read-DurableJson -What 'configuration' -Path $path
    if ($null -eq $configuration) {
        throw "configuration $path is missing"
    }
    $configuration
}

Function Get-ModeSetting {
    <#
    .SYNOPSIS
    What the configuration must say in a mode; an error where the vendor has not described that mode (M5).
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Mode
    )

    $modes = Get-ContractValue -Contract $Contract -Path 'config.modes'
    if ($modes.Keys -cnotcontains $Mode) {
        throw "mode is '$Mode': allowed are $((@($modes.Keys) | Sort-Object) -join ', ')"
    }
    if ($modes[$Mode] -isnot [System.Collections.IDictionary] -or $modes[$Mode].Keys -cnotcontains 'mode') {
        throw "mode '$Mode' is not described by the vendor"
    }
    $modes[$Mode]
}

Function Get-ModeWord {
    <#
    .SYNOPSIS
    The mode that the configuration names, in the words of the contract; its own word where the contract has none.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Configuration
    )

    $value = $Configuration[(Get-ContractValue -Contract $Contract -Path 'config.mode_key')]
    $modes = Get-ContractValue -Contract $Contract -Path 'config.modes'
    foreach ($word in $modes.Keys) {
        if ($modes[$word] -is [System.Collections.IDictionary] -and $modes[$word].Keys -ccontains 'mode' -and
            $modes[$word]['mode'] -ceq $value) {
            return $word
        }
    }
    $value
}

Function Get-TaskState {
    <#
    .SYNOPSIS
    How a scheduled task of ours is, in Windows' word (Running, Queued, Ready, Disabled); $null where there is none. An
    error where Windows cannot tell.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [string] $Name)

    $task = @{ TaskName = $Name; TaskPath = '\' }
    $failures = @()
    $found = @()
    try {
        $found = @(Get-ScheduledTask @task -ErrorAction SilentlyContinue -ErrorVariable failures |
                Where-Object -FilterScript { $_.TaskName -eq $Name -and $_.TaskPath -eq '\' })
    }
    catch {
        $failures = @($_)
    }
    if ($found.Count -gt 0) {
        return [string]$found[0].State
    }
    if (@($failures | Where-Object -FilterScript { "$($_.CategoryInfo.Category)" -ne 'ObjectNotFound' }).Count -eq 0) {
        return $null
    }
    # For one task Windows may go through all, and end at one that is damaged, whoever's it is; for this it opens one alone.
    try {
        $result = (Get-ScheduledTaskInfo @task -ErrorAction Stop).LastTaskResult
    }
    catch {
        if ("$($_.CategoryInfo.Category)" -eq 'ObjectNotFound') {
            return $null
        }
        throw "Windows does not tell how the task '$Name' is: $($_.Exception.Message)"
    }
    switch ($result) {
        # SCHED_S_TASK_RUNNING, SCHED_S_TASK_QUEUED
        267009 { return 'Running' }
        267045 { return 'Queued' }
        default { return 'Ready' }
    }
}

Function Register-SystemTask {
    <#
    .SYNOPSIS
    Has Windows run a program as SYSTEM: when it is started, or also by itself where there are triggers.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Action,
        [object[]] $Trigger = @(),
        # Zero is none.
        [timespan] $Limit = [timespan]::Zero
    )

    # Power and time limits of a task's defaults would end it half-way.
    $settings = @{
        AllowStartIfOnBatteries = $true
        DontStopIfGoingOnBatteries = $true
        ExecutionTimeLimit = $Limit
        MultipleInstances = 'IgnoreNew'
    }
    $task = @{
        TaskName = $Name
        Action = New-ScheduledTaskAction -Execute $Action['Execute'] -Argument $Action['Argument']
        # SYSTEM by its number: its name is another one on a Norwegian Windows.
        Principal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
        Force = $true
    }
    if ($Trigger.Count -gt 0) {
        $task['Trigger'] = $Trigger
        $settings['StartWhenAvailable'] = $true
    }
    $task['Settings'] = New-ScheduledTaskSettingsSet @settings
    $null = Register-ScheduledTask @task
}

Export-ModuleMember -Function @(
    'Complete-DurableJson', 'ConvertFrom-StrictJson', 'Expand-Argument', 'Format-Moment', 'Get-ContractValue',
    'Get-InteractorVersion', 'Get-JsonOption', 'Get-ModeSetting', 'Get-ModeWord', 'Get-MomentType', 'Get-ServiceProcess', 'Get-ServiceWord',
    'Get-TaskState', 'Read-Configuration', 'Read-DurableJson', 'Read-JsonFile', 'Register-SystemTask', 'Wait-InteractorVersion'
)
