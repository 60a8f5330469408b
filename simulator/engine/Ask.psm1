# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# How the modules of this folder ask the simulator.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Request-Simulator {
    <#
    .SYNOPSIS
    Asks the simulator; its answer as hashtables, arrays and scalars. An error says why it says no.
    #>
    param ([Parameter(Mandatory)] [string] $What, [System.Collections.IDictionary] $Of = @{})

    $answer = [Interactor.Simulator.Line]::AskJson($What, (ConvertTo-Json -InputObject $Of -Depth 9 -Compress))
    $told = ConvertFrom-Json -InputObject $answer -AsHashtable -DateKind String -NoEnumerate
    if ($told -is [array]) { return , $told }
    $told
}

Function Deny {
    param ([Parameter(Mandatory)] [string] $Text)

    $null = Request-Simulator -What 'unknown' -Of @{ text = $Text }
    throw "the engine does not know $Text"
}

Export-ModuleMember -Function @('Deny', 'Request-Simulator')
