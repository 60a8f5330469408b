# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The scheduled tasks of a Wine machine by the commands of Windows' module, over the machine's own schtasks.exe and the
# definitions that it keeps in System32\Tasks. No trigger ever fires; what is started runs as the one account there is.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Root = Join-Path -Path $env:SystemRoot -ChildPath 'System32\Tasks'
$script:Namespace = 'http://schemas.microsoft.com/windows/2004/02/mit/task'

Function New-ScheduledTaskAction {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Execute, [string] $Argument = '')

    [pscustomobject]@{ Execute = $Execute; Arguments = $Argument }
}

Function New-ScheduledTaskPrincipal {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $UserId, [string] $LogonType = '', [string] $RunLevel = 'Limited')

    [pscustomobject]@{ UserId = $UserId; LogonType = $LogonType; RunLevel = $RunLevel }
}

Function New-ScheduledTaskSettingsSet {
    [CmdletBinding()]
    param (
        [switch] $AllowStartIfOnBatteries, [switch] $DontStopIfGoingOnBatteries, [timespan] $ExecutionTimeLimit,
        [string] $MultipleInstances = 'IgnoreNew', [switch] $StartWhenAvailable
    )

    [pscustomobject]@{
        StopIfGoingOnBatteries = -not $DontStopIfGoingOnBatteries
        DisallowStartIfOnBatteries = -not $AllowStartIfOnBatteries
        StartWhenAvailable = [bool]$StartWhenAvailable
        ExecutionTimeLimit = [System.Xml.XmlConvert]::ToString($ExecutionTimeLimit)
        MultipleInstancesPolicy = $MultipleInstances
    }
}

Function New-ScheduledTaskTrigger {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory, ParameterSetName = 'Once')] [switch] $Once,
        [Parameter(Mandatory, ParameterSetName = 'Once')] [datetime] $At,
        [Parameter(ParameterSetName = 'Once')] [timespan] $RepetitionInterval,
        [Parameter(ParameterSetName = 'Once')] [timespan] $RepetitionDuration,
        [Parameter(Mandatory, ParameterSetName = 'Startup')] [switch] $AtStartup
    )

    if ($AtStartup) {
        return [pscustomobject]@{ Xml = '<BootTrigger/>' }
    }
    $repeated = ''
    if ($RepetitionInterval) {
        $interval = [System.Xml.XmlConvert]::ToString($RepetitionInterval)
        $duration = [System.Xml.XmlConvert]::ToString($RepetitionDuration)
        $repeated = "<Repetition><Interval>$interval</Interval><Duration>$duration</Duration></Repetition>"
    }
    $begin = $At.ToString('s', [cultureinfo]::InvariantCulture)
    [pscustomobject]@{ Xml = "<TimeTrigger>$repeated<StartBoundary>$begin</StartBoundary></TimeTrigger>" }
}

Function Register-ScheduledTask {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $TaskName,
        [Parameter(Mandatory)] [object[]] $Action,
        [object[]] $Trigger = @(),
        [object] $Principal,
        [object] $Settings,
        [switch] $Force
    )

    $quote = { param ($text) [System.Security.SecurityElement]::Escape("$text") }
    $told = -join @($Settings.PSObject.Properties | ForEach-Object -Process {
            $word = if ($_.Value -is [bool]) { "$($_.Value)".ToLowerInvariant() } else { & $quote $_.Value }
            "<$($_.Name)>$word</$($_.Name)>"
        })
    $programs = -join @($Action | ForEach-Object -Process {
            "<Exec><Command>$(& $quote $_.Execute)</Command><Arguments>$(& $quote $_.Arguments)</Arguments></Exec>"
        })
    $level = if ($Principal.RunLevel -eq 'Highest') { 'HighestAvailable' } else { 'LeastPrivilege' }
    $text = "<?xml version=`"1.0`" encoding=`"UTF-16`"?><Task version=`"1.2`" xmlns=`"$script:Namespace`">" +
    "<Triggers>$(-join @($Trigger | ForEach-Object -Process { $_.Xml }))</Triggers>" +
    "<Principals><Principal id=`"Author`"><UserId>$(& $quote $Principal.UserId)</UserId><RunLevel>$level</RunLevel></Principal></Principals>" +
    "<Settings><Enabled>true</Enabled>$told</Settings><Actions Context=`"Author`">$programs</Actions></Task>"
    $file = [System.IO.Path]::GetTempFileName()
    try {
        [System.IO.File]::WriteAllText($file, $text, [System.Text.Encoding]::Unicode)
        $replace = @(if ($Force) { '/f' })
        Invoke-TaskProgram -Argument (@('/create', '/tn', $TaskName, '/xml', $file) + $replace)
    }
    finally {
        [System.IO.File]::Delete($file)
    }
    Get-ScheduledTask -TaskName $TaskName -TaskPath '\'
}

Function Invoke-TaskProgram {
    param ([Parameter(Mandatory)] [string[]] $Argument)

    $said = & schtasks.exe @Argument 2>&1
    if ($LASTEXITCODE -ne 0) {
        throw "schtasks.exe $($Argument[0]): $($said -join ' ')"
    }
}

Function Get-ScheduledTask {
    [CmdletBinding()]
    param ([string] $TaskName = '*', [string] $TaskPath = '*')

    $found = @()
    if ([System.IO.Directory]::Exists($script:Root)) {
        $found = @([System.IO.Directory]::GetFiles($script:Root, '*', 'AllDirectories') |
                Where-Object -FilterScript { -not $_.EndsWith('.job') } | ForEach-Object -Process { Read-Definition -Path $_ } |
                Where-Object -FilterScript { $_.TaskName -like $TaskName -and $_.TaskPath -like $TaskPath })
    }
    if ($found.Count -eq 0 -and $TaskName -ne '*') {
        $error = [System.Management.Automation.ErrorRecord]::new([System.Exception]::new("there is no task '$TaskName'"),
            'CmdletizationQuery_NotFound_TaskName', 'ObjectNotFound', $TaskName)
        $PSCmdlet.WriteError($error)
    }
    $found
}

Function Read-Definition {
    param ([Parameter(Mandatory)] [string] $Path)

    $xml = [xml][System.IO.File]::ReadAllText($Path)
    $name = $Path.Substring($script:Root.Length + 1)
    $at = $name.LastIndexOf('\')
    $state = 'Ready'
    if ($null -ne (Get-TaskProcess -Path $Path)) {
        $state = 'Running'
    }
    [pscustomobject]@{
        TaskName = $name.Substring($at + 1)
        TaskPath = '\' + $name.Substring(0, $at + 1)
        State = $state
        Actions = @(foreach ($exec in $xml.Task.Actions.ChildNodes) {
                [pscustomobject]@{ Execute = "$($exec.Command)"; Arguments = "$($exec.Arguments)" }
            })
    }
}

Function Get-DefinitionPath {
    param ([Parameter(Mandatory)] [string] $TaskName, [Parameter(Mandatory)] [string] $TaskPath)

    Join-Path -Path $script:Root -ChildPath "$TaskPath$TaskName".Trim('\')
}

Function Get-TaskProcess {
    param ([Parameter(Mandatory)] [string] $Path)

    if ([System.IO.File]::Exists("$Path.job")) {
        Get-Process -Id ([int][System.IO.File]::ReadAllText("$Path.job")) -ErrorAction Ignore
    }
}

Function Get-ScheduledTaskInfo {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $TaskName, [string] $TaskPath = '\')

    $result = 0
    if (@(Get-ScheduledTask -TaskName $TaskName -TaskPath $TaskPath)[0].State -eq 'Running') {
        $result = 267009
    }
    [pscustomobject]@{ TaskName = $TaskName; TaskPath = $TaskPath; NextRunTime = $null; LastTaskResult = $result }
}

Function Start-ScheduledTask {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $TaskName, [string] $TaskPath = '\')

    # As schtasks.exe does it; what that starts would hold the pipe open that its words come through, and never let go of us.
    $task = @(Get-ScheduledTask -TaskName $TaskName -TaskPath $TaskPath)[0]
    $line = 'hidden.exe "{0}" {1}' -f [System.Environment]::ExpandEnvironmentVariables($task.Actions[0].Execute), $task.Actions[0].Arguments
    $started = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = $line }
    if ($started.ReturnValue -ne 0) {
        throw "task '$TaskName' cannot be started ($($started.ReturnValue))"
    }
    [System.IO.File]::WriteAllText((Get-DefinitionPath -TaskName $TaskName -TaskPath $TaskPath) + '.job', "$($started.ProcessId)")
}

Function Stop-ScheduledTask {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $TaskName, [string] $TaskPath = '\')

    # Windows ends all that a task has started; schtasks.exe here ends the first program alone, which waits for the other.
    $own = Get-TaskProcess -Path (Get-DefinitionPath -TaskName $TaskName -TaskPath $TaskPath)
    $started = @(Get-CimInstance -ClassName Win32_Process | Where-Object -FilterScript { $own -and $_.ParentProcessId -eq $own.Id })
    Invoke-TaskProgram -Argument @('/end', '/tn', "$TaskPath$TaskName")
    foreach ($process in $started) {
        Stop-Process -Id $process.ProcessId -Force -ErrorAction Ignore
    }
}

Function Unregister-ScheduledTask {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param ([Parameter(Mandatory)] [string] $TaskName, [string] $TaskPath = '\')

    if ($PSCmdlet.ShouldProcess($TaskName)) {
        Invoke-TaskProgram -Argument @('/delete', '/tn', "$TaskPath$TaskName", '/f')
    }
}

Export-ModuleMember -Function '*-ScheduledTask*'
