# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What tells who somebody is, or opens a door, is masked before it leaves a host. Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Settings in a binary form: so many bytes stand before the first text, and so many texts there are at most.
$script:Head = 12
$script:Texts = 3

Function Hide-Person {
    <#
    .SYNOPSIS
    Puts an x for every character of a user and password in an address, of a user's folder in a path, and of an account's
    number in a SID: the text stays as long as it is, for a binary form tells its length.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Text)

    # Most texts have nothing of it, and a block that stands in for a delegate is compiled each time.
    if ($Text -notmatch '@|S-1-|[\\/]Users[\\/]') {
        return $Text
    }
    $hide = { param ($found) $found.Groups[1].Value + 'x' * $found.Groups[2].Length + $found.Groups[3].Value }
    # With a scheme all before the last @ is a password's; without one a list's separators end it.
    $hidden = [regex]::Replace($Text, '(://)([^/\s\x00-\x1f]+)(@)', $hide)
    $hidden = [regex]::Replace($hidden, '(?<![^/\s;=\x00-\x1f])()([^/\s;=\x00-\x1f]+)(@)', $hide)
    $hidden = [regex]::Replace($hidden, '(S-1-)([0-9-]+)()', $hide)
    [regex]::Replace($hidden, '(?i)([\\/]Users[\\/])([^\\/;\x00-\x1f]+)([\\/]?)', $hide)
}

Function Hide-PersonInByte {
    <#
    .SYNOPSIS
    The bytes of DefaultConnectionSettings, SavedLegacySettings or WinHttpSettings with their texts masked, each by itself:
    the length of the next one may look like a letter. What follows, and bytes of another form, are masked as one text.
    #>
    [CmdletBinding()]
    [OutputType([byte[]])]
    param ([Parameter(Mandatory)] [AllowEmptyCollection()] [byte[]] $Byte)

    # This encoding keeps every byte.
    $latin = [System.Text.Encoding]::GetEncoding(28591)
    $told = $latin.GetString($Byte)
    $done = 0
    $masked = ''
    for ($text = 0; $text -lt $script:Texts; $text++) {
        $start = [Math]::Max($done, $script:Head)
        if ($start + 4 -gt $Byte.Length) {
            break
        }
        $length = [System.BitConverter]::ToUInt32($Byte, $start)
        if ($length -gt $Byte.Length - $start - 4) {
            break
        }
        $masked += $told.Substring($done, $start + 4 - $done) + (Hide-Person -Text $told.Substring($start + 4, $length))
        $done = $start + 4 + $length
    }
    $masked += Hide-Person -Text $told.Substring($done)
    , $latin.GetBytes($masked)
}

Export-ModuleMember -Function @('Hide-Person', 'Hide-PersonInByte')
