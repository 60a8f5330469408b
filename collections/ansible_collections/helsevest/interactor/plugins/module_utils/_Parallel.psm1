# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Parts of a script that run at the same time, each in a session of its own and within a time of its own. Windows
# PowerShell 5.1 must run it; docs/decisions/0025 tells why it is done like this.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# What loads modules of ours into a part's session: the functions of them that this session finds, no others.
$script:Load = @'
param ($Modules)

foreach ($module in $Modules) {
    $block = [ScriptBlock]::Create($module['Text'])
    $functions = $module['Functions']
    New-Module -Name $module['Name'] -ScriptBlock $block -Function $functions | Import-Module -Function $functions -Scope Global
}
'@
# Looked up for the first part; a script loads no module after that.
$script:Modules = $null

Function Start-Part {
    <#
    .SYNOPSIS
    Starts a function of ours beside this script; Receive-Part takes what it answers: one value.

    .PARAMETER Argument
    What it is called with. A part reads it, and changes none of it: other parts have the same.

    .PARAMETER Seconds
    How long it may take.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [string] $Command,
        [System.Collections.IDictionary] $Argument = @{},
        [Parameter(Mandatory)] [double] $Seconds
    )

    $part = @{ name = $Name; since = [System.Diagnostics.Stopwatch]::StartNew(); seconds = $Seconds; shell = Open-Session }
    if ($null -eq $script:Modules) {
        $script:Modules = @(Get-LoadedModule)
    }
    $null = $part['shell'].AddScript($script:Load, $true).AddParameters(@{ Modules = $script:Modules }).AddStatement()
    $null = $part['shell'].AddCommand($Command).AddParameters($Argument)
    $part['running'] = $part['shell'].BeginInvoke()
    $part
}

Function Receive-Part {
    <#
    .SYNOPSIS
    Waits for a part until its time is up.

    .OUTPUTS
    A dictionary: ended (whether it has), value ($null where it has not, or failed), problem (why it failed).
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Part)

    $shell = $Part['shell']
    $left = [Math]::Max(0, $Part['seconds'] - $Part['since'].Elapsed.TotalSeconds)
    $told = @{ ended = $true; value = $null; problem = $null }
    if (-not (Wait-Session -Name $Part['name'] -Running $Part['running'] -Seconds $left)) {
        # What it waits for may never come: neither is its end waited for, nor is its session closed.
        $null = $shell.BeginStop($null, $null)
        $told['ended'] = $false
        return $told
    }
    try {
        $answers = $shell.EndInvoke($Part['running'])
        if ($answers.Count -gt 0 -and $null -ne $answers[0]) {
            $told['value'] = $answers[0].PSObject.BaseObject
        }
        elseif ($shell.Streams.Error.Count -gt 0) {
            # After several commands in a row what the last one throws is an error among others.
            $told['problem'] = $shell.Streams.Error[0].Exception.GetBaseException().Message
        }
    }
    finally {
        $shell.Runspace.Dispose()
        $shell.Dispose()
    }
    $told
}

Function Get-LoadedModule {
    <#
    .SYNOPSIS
    The modules that came as texts, each with those of its functions that are the ones found here.
    #>
    [CmdletBinding()]
    param ()

    # A module that lies in a file is the session's own.
    $functions = @(Get-ChildItem -LiteralPath 'Function:\' |
            Where-Object -FilterScript { $null -ne $_.Module -and $_.Module.Path -notmatch '\.(dll|psd1|psm1)$' })
    foreach ($group in ($functions | Group-Object -Property { $_.Module.Path })) {
        $module = $group.Group[0].Module
        @{ Name = $module.Name; Text = $module.Definition; Functions = [string[]]@($group.Group | ForEach-Object -Process { $_.Name }) }
    }
}

Export-ModuleMember -Function @('Receive-Part', 'Start-Part')
