# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Makes of a fresh Wine machine the host of a scenario: registry, services, who is trusted. The file beside it says what.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$said = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText("$PSScriptRoot\setup.json")) -AsHashtable

foreach ($key in $said['registry'].Keys) {
    $path = "Registry::$key"
    if (-not (Test-Path -LiteralPath $path)) {
        $null = New-Item -Path $path -Force
    }
    foreach ($name in $said['registry'][$key].Keys) {
        $value = $said['registry'][$key][$name]
        switch ($value['kind']) {
            'dword' { $typed = @{ PropertyType = 'DWord'; Value = [int]$value['data'] } }
            'binary' { $typed = @{ PropertyType = 'Binary'; Value = [System.Convert]::FromHexString($value['data']) } }
            'multi' { $typed = @{ PropertyType = 'MultiString'; Value = [string[]]$value['data'] } }
            default { $typed = @{ PropertyType = 'String'; Value = [string]$value['data'] } }
        }
        if ($name) {
            $null = New-ItemProperty -LiteralPath $path -Name $name -Force @typed
        }
        else {
            Set-Item -LiteralPath $path -Value $typed['Value']
        }
    }
}

$store = [System.Security.Cryptography.X509Certificates.X509Store]::new('Root', 'LocalMachine')
$store.Open('ReadWrite')
$store.Add([System.Security.Cryptography.X509Certificates.X509Certificate2]::CreateFromPem($said['trusted']))
$store.Close()

foreach ($service in $said['services']) {
    $null = New-Service -Name $service['name'] -BinaryPathName "`"$($service['program'])`"" -StartupType Automatic
    if ($service['running']) {
        Start-Service -Name $service['name']
    }
}
