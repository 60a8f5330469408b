# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What more than one host module finds out: pages, and what a move must leave alone. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-PageFact {
    <#
    .SYNOPSIS
    What one page of the contract (P1, P2) answers from here.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Id
    )

    $url = Get-ContractValue -Contract $Contract -Path "pages.$Id.url"
    $answer = Get-WebAnswer -Uri $url
    $text = $null
    $heading = $null
    if ($answer['status'] -ne 0) {
        $text = Get-PlainText -Html $answer['content']
        if ($text.Length -gt 2000) {
            $text = $text.Substring(0, 2000)
        }
        if ($answer['content'] -match '(?is)<h[123][^>]*>(.*?)</h[123]\s*>') {
            $heading = Get-PlainText -Html $Matches[1]
        }
    }
    [ordered]@{
        id = $Id
        url = $url
        status = $answer['status']
        text = $text
        heading = $heading
        final_url = $answer['final_url']
        issuer = $answer['issuer']
        milliseconds = $answer['milliseconds']
        error = $answer['error']
    }
}

Function Get-PlainText {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Html)

    $text = $Html -replace '(?is)<(script|style)\b.*?</\1\s*>', ' ' -replace '(?s)<!--.*?-->', ' ' -replace '(?s)<[^>]*>', ' '
    ([System.Net.WebUtility]::HtmlDecode($text) -replace '\s+', ' ').Trim()
}

Function Get-UntouchedHash {
    <#
    .SYNOPSIS
    A hash for each thing that a move must leave alone (A1): how a service is set up, what a folder or a file holds.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $hashes = [ordered]@{}
    foreach ($name in (Get-ContractValue -Contract $Contract -Path 'untouched.services')) {
        $service = @(Get-CimInstance -ClassName Win32_Service | Where-Object -FilterScript { $_.Name -eq $name })
        $told = ''
        if ($service.Count -gt 0) {
            $told = "$($service[0].PathName)`n$($service[0].StartMode)`n$($service[0].StartName)"
        }
        $hashes["service:$name"] = Get-Sha256 -Text $told
    }
    foreach ($folder in (Get-ContractValue -Contract $Contract -Path 'untouched.folders')) {
        $lines = [System.Collections.Generic.List[string]]::new()
        if (Test-Path -LiteralPath $folder) {
            $root = (Get-Item -LiteralPath $folder).FullName
            foreach ($file in (Get-ChildItem -LiteralPath $folder -Recurse -File -Force)) {
                $name = $file.FullName.Substring($root.Length).TrimStart('\', '/').Replace('\', '/')
                $lines.Add("$name`t$(Get-FileSha256 -Path $file.FullName)")
            }
        }
        $lines.Sort([System.StringComparer]::Ordinal)
        $hashes["folder:$folder"] = Get-Sha256 -Text ($lines -join "`n")
    }
    foreach ($file in (Get-ContractValue -Contract $Contract -Path 'untouched.files')) {
        $hashes["file:$file"] = 'missing'
        if (Test-Path -LiteralPath $file -PathType Leaf) {
            $hashes["file:$file"] = Get-FileSha256 -Path $file
        }
    }
    $hashes
}

Export-ModuleMember -Function @('Get-PageFact', 'Get-UntouchedHash')
