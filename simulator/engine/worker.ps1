# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A warm PowerShell of the simulator: runs one command after the other, each as powershell.exe would that is started for it.
# A line on standard input is a JSON object with script, input, root, environment and culture; {"done": …} answers it, and
# between the two this process asks the simulator what its Windows tells (Engine.cs).

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Add-Type -Path ('Engine.cs', 'Providers.cs' | ForEach-Object -Process { Join-Path -Path $PSScriptRoot -ChildPath $_ })

# Aliases come before all functions: in place of what the scripts ask of .NET.
$standIns = @{
    'Add-CSharpType' = 'Add-CompiledType'
    'Get-ClockOffset' = 'Get-PretendedOffset'
    'Get-DetectedScript' = 'Get-PretendedDetection'
    'Get-FolderAccess' = 'Get-PretendedAccess'
    'Get-HostAddress' = 'Get-PretendedAddress'
    'Get-ScriptProxy' = 'Get-PretendedProxy'
    'Get-TimeLeft' = 'Get-PretendedLeft'
    'Get-WebAnswer' = 'Get-PretendedAnswer'
    'Open-Session' = 'Open-PretendedSession'
    'Open-WebExchange' = 'Open-PretendedExchange'
    # What waits for a service there asks .NET; here it is as it should be at once, or says why not.
    'Restart-ServiceInTime' = 'Restart-Service'
    'Start-Exit' = 'Start-PretendedExit'
    'Start-ServiceInTime' = 'Start-Service'
    'Stop-ServiceInTime' = 'Stop-Service'
    'Test-InstallerService' = 'Test-PretendedInstaller'
    'Test-TlsServer' = 'Test-PretendedServer'
    'Wait-Session' = 'Wait-PretendedSession'
}

Function New-SessionState {
    <#
    .SYNOPSIS
    What a session of a command begins with, and each that the command opens itself.
    #>
    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    # Read once: all sessions show and know the same types.
    $state.Types.Clear()
    $state.Types.Add([System.Management.Automation.Runspaces.TypeTable]::LoadDefaultTypeFiles())
    $state.Formats.Clear()
    $state.Formats.Add([System.Management.Automation.Runspaces.FormatTable]::LoadDefaultFormatFiles())
    foreach ($provider in 'Registry', 'Nowhere') {
        $type = ([type]"Interactor.Simulator.${provider}Provider")
        $state.Providers.Add([System.Management.Automation.Runspaces.SessionStateProviderEntry]::new($provider, $type, $null))
    }
    foreach ($name in $standIns.Keys) {
        $alias = [System.Management.Automation.Runspaces.SessionStateAliasEntry]::new($name, $standIns[$name], '', 'AllScope')
        $state.Commands.Add($alias)
    }
    $state.ImportPSModule([string[]]@('Windows.psm1', 'Session.psm1' | ForEach-Object -Process { Join-Path -Path $PSScriptRoot -ChildPath $_ }))
    $state
}

# Ansible's wrapper opens a session of its own for a module with [PowerShell]::Create(): a class of the session comes
# before the engine's short name, so that this one, too, finds Windows in it. A method of the class itself would belong to
# the session that was the first to have the class.
$ownSessions = 'class PowerShell : Interactor.Simulator.Sessions { }'

Function ConvertTo-CliXmlText {
    <#
    .SYNOPSIS
    The lines of a console's streams as powershell.exe writes them to standard error when its caller gave an encoded command.
    #>
    param ([object[]] $Told)

    if ($Told.Count -eq 0) { return '' }
    $texts = foreach ($line in $Told) {
        $text = [System.Security.SecurityElement]::Escape($line.Value)
        $text = [regex]::Replace($text, '[\x00-\x1f]|_(?=x[0-9A-Fa-f]{4}_)', { param ($match) '_x{0:X4}_' -f [int]$match.Value[0] })
        "<S S=`"$($line.Key)`">$text</S>"
    }
    "#< CLIXML`r`n<Objs Version=`"1.1.0.1`" xmlns=`"http://schemas.microsoft.com/powershell/2004/04`">$($texts -join '')</Objs>"
}

Function ConvertTo-Shown {
    <#
    .SYNOPSIS
    What a console shows of a command's output.
    #>
    param ([AllowEmptyCollection()] [object[]] $Output)

    if (@($Output | Where-Object -FilterScript { $_ -isnot [string] }).Count -gt 0) {
        return ($Output | Out-String -Width 120).TrimEnd("`r", "`n") + "`r`n"
    }
    -join @(foreach ($line in $Output) { "$line`r`n" })
}

Function Set-Process {
    <#
    .SYNOPSIS
    Makes this process that of another host: its environment, clock's zone, culture, folder.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Job)

    foreach ($name in @([System.Environment]::GetEnvironmentVariables().Keys)) {
        if (-not $kept.ContainsKey($name)) { [System.Environment]::SetEnvironmentVariable($name, $null) }
    }
    foreach ($name in $kept.Keys) { [System.Environment]::SetEnvironmentVariable($name, $kept[$name]) }
    foreach ($name in $Job['environment'].Keys) { [System.Environment]::SetEnvironmentVariable($name, $Job['environment'][$name]) }
    [System.TimeZoneInfo]::ClearCachedData()
    $culture = [cultureinfo]::GetCultureInfo($Job['culture'])
    [cultureinfo]::CurrentCulture = [cultureinfo]::CurrentUICulture = $culture
    [cultureinfo]::DefaultThreadCurrentCulture = [cultureinfo]::DefaultThreadCurrentUICulture = $culture
    [Interactor.Simulator.Sessions]::Root = $Job['root']
    [System.Environment]::CurrentDirectory = $Job['root']
}

Function Invoke-Job {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Job)

    $begun = [System.Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime
    Set-Process -Job $Job
    $console = [Interactor.Simulator.EngineHost]::new()
    $shell = [System.Management.Automation.PowerShell]::Create()
    try {
        $shell.Runspace = [Interactor.Simulator.Sessions]::Open($console)
        $null = $shell.AddScript($ownSessions, $false).Invoke()
        $shell.Commands.Clear()
        $shell.Streams.ClearStreams()
        $null = $shell.AddScript($Job['script'], $false)
        $lines = @()
        if ($Job['input']) { $lines = $Job['input'].TrimEnd("`n").Split("`n") }
        $code = 0
        $output = @()
        try {
            $output = @($shell.Invoke($lines))
        }
        catch {
            $console.UI.WriteErrorLine("$($_.Exception.GetBaseException().Message)")
            $code = 1
        }
        foreach ($fault in $shell.Streams.Error) { $console.UI.WriteErrorLine("$fault") }
        if ($null -ne $console.ExitCode) { $code = $console.ExitCode }
        @{
            stdout = $console.Shown + (ConvertTo-Shown -Output $output)
            stderr = ConvertTo-CliXmlText -Told $console.Told
            code = $code
            cpu = ([System.Diagnostics.Process]::GetCurrentProcess().TotalProcessorTime - $begun).TotalSeconds
        }
    }
    finally {
        $shell.Dispose()
        [Interactor.Simulator.Sessions]::Close()
    }
}

# Nothing of the machine that this runs on is found by its name.
$env:PATH = ''
$kept = @{}
foreach ($name in [System.Environment]::GetEnvironmentVariables().Keys) { $kept[$name] = [System.Environment]::GetEnvironmentVariable($name) }
[Interactor.Simulator.Sessions]::State = New-SessionState
[Interactor.Simulator.Line]::Write('{"ready": true}')
while ($null -ne ($line = [Interactor.Simulator.Line]::Read())) {
    $done = Invoke-Job -Job (ConvertFrom-Json -InputObject $line -AsHashtable -DateKind String)
    [Interactor.Simulator.Line]::Write((ConvertTo-Json -InputObject @{ done = $done } -Depth 3 -Compress))
}
