# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Windows' binary form of a user's proxy settings (DefaultConnectionSettings, SavedLegacySettings): read, and changed so
# that all else in it stays. Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The second is what older versions wrote.
$script:Versions = @(0x46, 0x3C)
# Windows looks at the counter to see that something is new; it has four bytes.
$script:Counters = 4294967296

Function Read-ConnectionSetting {
    <#
    .SYNOPSIS
    What the bytes say: counter, flags, proxy, bypass, script; script_at is where the script's length stands, rest where
    what follows it begins. An error where something else was expected, which tells nothing of the texts.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [byte[]] $Bytes)

    $version = Read-Number -Bytes $Bytes -At 0
    if ($script:Versions -notcontains $version) {
        throw "connection settings: version $version at byte 0; $($script:Versions -join ' and ') are known"
    }
    $found = [ordered]@{
        counter = Read-Number -Bytes $Bytes -At 4
        flags = Read-Number -Bytes $Bytes -At 8
    }
    $at = 12
    foreach ($name in 'proxy', 'bypass', 'script') {
        $length = Read-Number -Bytes $Bytes -At $at
        $start = $at + 4
        if ($length -gt $Bytes.Length - $start) {
            throw "connection settings: $name at byte $start needs $length bytes, $($Bytes.Length - $start) are left"
        }
        $text = ''
        if ($length -gt 0) {
            $text = -join [char[]]$Bytes[$start..($start + $length - 1)]
        }
        if ($text -match '[\x00-\x1f]') {
            throw "connection settings: $name at byte $start has a control character"
        }
        $found["${name}_at"] = $at
        $found[$name] = $text
        $at = $start + $length
    }
    $found['rest'] = $at
    $found
}

Function Edit-ConnectionSetting {
    <#
    .SYNOPSIS
    The bytes with other flags and another script, and with the counter raised; all other bytes as they were.
    #>
    [CmdletBinding()]
    [OutputType([byte[]])]
    param (
        [Parameter(Mandatory)] [byte[]] $Bytes,
        [Parameter(Mandatory)] [long] $Flags,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Script
    )

    $now = Read-ConnectionSetting -Bytes $Bytes
    if ($Script -match '[^\x20-\xff]') {
        throw 'the address of the script has letters that the settings cannot hold'
    }
    $edited = [System.Collections.Generic.List[byte]]::new()
    $edited.AddRange([byte[]]$Bytes[0..3])
    $edited.AddRange((ConvertTo-Number -Value (($now['counter'] + 1) % $script:Counters)))
    $edited.AddRange((ConvertTo-Number -Value $Flags))
    $edited.AddRange([byte[]]$Bytes[12..($now['script_at'] - 1)])
    $edited.AddRange((ConvertTo-Number -Value $Script.Length))
    foreach ($letter in [char[]]$Script) {
        $edited.Add([byte]$letter)
    }
    if ($now['rest'] -lt $Bytes.Length) {
        $edited.AddRange([byte[]]$Bytes[$now['rest']..($Bytes.Length - 1)])
    }
    , $edited.ToArray()
}

Function Read-Number {
    [OutputType([long])]
    param (
        [Parameter(Mandatory)] [byte[]] $Bytes,
        [Parameter(Mandatory)] [int] $At
    )

    if ($At + 4 -gt $Bytes.Length) {
        throw "connection settings: a number at byte $At needs 4 bytes, $($Bytes.Length - $At) are left"
    }
    [long]$Bytes[$At] + 256 * $Bytes[$At + 1] + 65536 * $Bytes[$At + 2] + 16777216 * [long]$Bytes[$At + 3]
}

Function ConvertTo-Number {
    [OutputType([byte[]])]
    param ([Parameter(Mandatory)] [long] $Value)

    , [byte[]](($Value % 256), ([Math]::Floor($Value / 256) % 256), ([Math]::Floor($Value / 65536) % 256), [Math]::Floor($Value / 16777216))
}

Function ConvertTo-Hex {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [byte[]] $Bytes)

    [System.BitConverter]::ToString($Bytes).Replace('-', '').ToLowerInvariant()
}

Function ConvertFrom-Hex {
    [CmdletBinding()]
    [OutputType([byte[]])]
    param ([Parameter(Mandatory)] [string] $Text)

    $bytes = [System.Collections.Generic.List[byte]]::new()
    for ($at = 0; $at -lt $Text.Length; $at += 2) {
        $bytes.Add([System.Convert]::ToByte($Text.Substring($at, 2), 16))
    }
    , $bytes.ToArray()
}

Export-ModuleMember -Function @('ConvertFrom-Hex', 'ConvertTo-Hex', 'Edit-ConnectionSetting', 'Read-ConnectionSetting')
