# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a self-check shows on the PC itself: the few checks that an office can do something about, in colours. What counts is
# what Python makes of the same facts later (_domain/checks.py); a test holds the two together. Windows PowerShell 5.1 must
# run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Connection
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._SelfCheckPage

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Bits of the connection settings' flags.
$script:ManualTick = 2
$script:ScriptTick = 4
$script:ClockSeconds = 300
# The lower, the worse.
$script:Rank = @{ red = 0; unknown = 1; warned = 2; green = 3 }

Function Get-SelfCheckColour {
    <#
    .SYNOPSIS
    What the facts come to: for each check its id, a colour (green, yellow, red) and the codes of what is to be done.
    Yellow is what stops no move, or could not be found out (UNKNOWN).

    .OUTPUTS
    Dictionaries: id, colour, code (empty where there is nothing to do), values (of what its remedy names).

    .PARAMETER Rule
    What pages are judged by, made of Python's own patterns (screen_rules in _domain/page_check.py).
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Rule
    )

    $found = @(
        Get-PageColour -Fact $Fact -Contract $Contract -Rule $Rule
        Get-ProxyColour -Fact $Fact -Script (Get-ContractValue -Contract $Contract -Path 'proxy.script')
        Get-SpeedColour -Fact $Fact -Wanted (Get-ContractValue -Contract $Contract -Path 'speed.recommended_mbit')
        Get-ClockColour -Fact $Fact
    )
    $found
}

Function New-Colour {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Id,
        [Parameter(Mandatory)] [string] $Colour,
        [string] $Code = '',
        [System.Collections.IDictionary] $Value = @{}
    )

    [ordered]@{ id = $Id; colour = $Colour; code = $Code; values = $Value }
}

Function Get-PageColour {
    <#
    .SYNOPSIS
    The page of every client (P1): by the ways that scripts name, where there are scripts, else directly. The worst counts,
    of equal ones the first.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Rule
    )

    $pages = @($Fact['pages'] | Where-Object -FilterScript { $null -ne $_ -and $_['id'] -eq 'P1' })
    $scripted = @($pages | Where-Object -FilterScript { $_['way'] -eq 'script' })
    if ($scripted.Count -gt 0) {
        $pages = $scripted
    }
    $worst = $null
    foreach ($page in $pages) {
        $issuer = Get-PageIssuer -Page $page -Fact $Fact -Rule $Rule
        $look = Get-PageLook -Page $page -Issuer $issuer -Contract $Contract -Rule $Rule
        if ($null -eq $worst -or $script:Rank[$look['colour']] -lt $script:Rank[$worst['colour']]) {
            $worst = $look
        }
    }
    if ($null -eq $worst) {
        return New-Colour -Id 'P1' -Colour 'yellow' -Code 'UNKNOWN'
    }
    $shown = @{ red = 'red'; unknown = 'yellow'; warned = 'yellow'; green = 'green' }
    New-Colour -Id 'P1' -Colour $shown[$worst['colour']] -Code $worst['code'] -Value $worst['values']
}

Function Get-ProxyColour {
    <#
    .SYNOPSIS
    The proxy of the profile that was looked at (P5): a double one is red, another than the script alone is yellow.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [string] $Script
    )

    $setting = $null
    if ($null -ne $Fact['proxy'] -and $null -ne $Fact['proxy']['profiles']) {
        foreach ($each in $Fact['proxy']['profiles']) {
            $setting = Read-ProxySetting -Setting $each
        }
    }
    if ($null -eq $setting) {
        return New-Colour -Id 'P5' -Colour 'yellow' -Code 'UNKNOWN'
    }
    if ($setting['script'] -and $setting['manual']) {
        return New-Colour -Id 'P5' -Colour 'red' -Code 'P5.double'
    }
    if (-not $setting['script'] -or (Get-WebHost -Address $setting['script']) -cne (Get-WebHost -Address $Script)) {
        return New-Colour -Id 'P5' -Colour 'yellow' -Code 'P5.other'
    }
    New-Colour -Id 'P5' -Colour 'green'
}

Function Read-ProxySetting {
    <#
    .SYNOPSIS
    What is ticked, by Windows' own binary form, or by the registry's values where there is none: script (an address or
    empty), manual; $null where neither tells.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Setting)

    if ($null -ne $Setting['connections']) {
        try {
            $told = Read-ConnectionSetting -Bytes (ConvertFrom-Hex -Text $Setting['connections'])
        }
        catch {
            # It ends too early, or is no hex.
            return $null
        }
        $address = ''
        if (($told['flags'] -band $script:ScriptTick) -ne 0) {
            $address = $told['script'].Trim()
        }
        return @{ script = $address; manual = ($told['flags'] -band $script:ManualTick) -ne 0 }
    }
    if ($null -eq $Setting['proxy_enable']) {
        return $null
    }
    @{ script = ([string]$Setting['auto_config_url']).Trim(); manual = [bool]$Setting['proxy_enable'] }
}

Function Get-SpeedColour {
    <#
    .SYNOPSIS
    The line, by the median of its samples (P3): slow is yellow, for it stops no move.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [double] $Wanted
    )

    $rates = @()
    if ($null -ne $Fact['speed'] -and -not $Fact['speed']['error']) {
        $rates = @($Fact['speed']['samples'] |
                Where-Object -FilterScript { $null -ne $_ -and $null -ne $_['bytes'] -and $_['seconds'] -gt 0 } |
                ForEach-Object -Process { $_['bytes'] * 8 / $_['seconds'] / 1000000 } | Sort-Object)
    }
    if ($rates.Count -eq 0) {
        return New-Colour -Id 'P3' -Colour 'yellow' -Code 'UNKNOWN'
    }
    $half = ($rates.Count - 1) / 2
    $median = ($rates[[int][Math]::Floor($half)] + $rates[[int][Math]::Ceiling($half)]) / 2
    if ($median -gt $Wanted) {
        return New-Colour -Id 'P3' -Colour 'green'
    }
    New-Colour -Id 'P3' -Colour 'yellow' -Code 'P3'
}

Function Get-ClockColour {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Fact)

    $offset = $null
    if ($null -ne $Fact['clock'] -and -not $Fact['clock']['error']) {
        $offset = $Fact['clock']['offset_seconds']
    }
    if ($null -eq $offset) {
        return New-Colour -Id 'CLOCK' -Colour 'yellow' -Code 'UNKNOWN'
    }
    if ([Math]::Abs($offset) -le $script:ClockSeconds) {
        return New-Colour -Id 'CLOCK' -Colour 'green'
    }
    New-Colour -Id 'CLOCK' -Colour 'yellow' -Code 'CLOCK' -Value @{ minutes = [int][Math]::Round([Math]::Abs($offset) / 60) }
}

Export-ModuleMember -Function @('Get-SelfCheckColour')
