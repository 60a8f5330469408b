# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The registry, read. Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Test-RegistryKey {
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [string] $Key)

    Test-Path -LiteralPath "Registry::$Key"
}

Function Get-RegistryValue {
    <#
    .SYNOPSIS
    A value of a key (HKEY_…); $null where there is no such key or value.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Key,
        [Parameter(Mandatory)] [string] $Name
    )

    if (-not (Test-RegistryKey -Key $Key)) {
        return $null
    }
    $property = (Get-ItemProperty -LiteralPath "Registry::$Key").PSObject.Properties[$Name]
    if ($null -eq $property) {
        return $null
    }
    if ($property.Value -is [array]) {
        return , $property.Value
    }
    $property.Value
}

Function Get-RegistryName {
    <#
    .SYNOPSIS
    The names of the keys below a key, in order; none where there is no such key.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Key)

    if (-not (Test-RegistryKey -Key $Key)) {
        return
    }
    $names = [System.Collections.Generic.List[string]]::new()
    # Their names alone: to open one that is locked is an error that would take the others with it.
    foreach ($name in (Get-ChildItem -LiteralPath "Registry::$Key" -Name)) {
        $names.Add($name)
    }
    $names.Sort([System.StringComparer]::Ordinal)
    $names
}

Export-ModuleMember -Function @('Get-RegistryName', 'Get-RegistryValue', 'Test-RegistryKey')
