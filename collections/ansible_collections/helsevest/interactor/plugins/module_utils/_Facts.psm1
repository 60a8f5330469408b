# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What more than one host module finds out: pages, and what a move must leave alone. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Find-Fact {
    <#
    .SYNOPSIS
    What a block answers; $null where it fails or answers nothing.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [scriptblock] $Block)

    try {
        & $Block
    }
    catch {
        $null
    }
}

Function Get-PageFact {
    <#
    .SYNOPSIS
    What one page of the contract (P1, P2) answers from here.

    .PARAMETER Way
    How it is asked: with the proxy that this account has, or in place of that directly, or by a script with `-Proxy`,
    which is empty for none.

    .PARAMETER Problem
    Why it cannot be asked in this way; that is its error then.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Id,
        [ValidateSet('account', 'direct', 'script')] [string] $Way = 'account',
        [string] $Script = '',
        [string] $Proxy = '',
        [string] $Problem = '',
        [double] $Seconds = 20
    )

    $url = Get-ContractValue -Contract $Contract -Path "pages.$Id.url"
    $answer = [ordered]@{ status = 0; final_url = $null; issuer = $null; milliseconds = 0; error = 'no time was left to ask' }
    if ($Problem) {
        $answer['error'] = $Problem
    }
    elseif ($Seconds -gt 0) {
        $limit = @{ TimeoutSeconds = [Math]::Ceiling($Seconds); MaximumSeconds = $Seconds }
        if ($Way -ne 'account') {
            $limit['Proxy'] = $Proxy
        }
        $answer = Get-WebAnswer -Uri $url @limit
    }
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
    $fact = [ordered]@{
        id = $Id
        url = $url
        status = $answer['status']
        text = $text
        heading = $heading
        final_url = $answer['final_url']
        issuer = $answer['issuer']
        milliseconds = $answer['milliseconds']
        error = $answer['error']
        way = $Way
        script = $null
        proxy = $null
        trusted = Test-TrustedAnswer -Answer $answer
    }
    if ($Script) {
        $fact['script'] = $Script
    }
    if ($Proxy) {
        $fact['proxy'] = $Proxy
    }
    $fact
}

Function Test-TrustedAnswer {
    <#
    .SYNOPSIS
    Whether Windows trusted the certificate; $null where there was none, or nobody got as far.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Answer)

    if ($Answer['status'] -ne 0 -and "$($Answer['final_url'])".StartsWith('https:', [System.StringComparison]::OrdinalIgnoreCase)) {
        return $true
    }
    if ("$($Answer['error'])".StartsWith('TrustFailure', [System.StringComparison]::Ordinal)) {
        return $false
    }
    $null
}

Function Get-PlainText {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Html)

    $text = $Html -replace '(?is)<(script|style)\b.*?</\1\s*>', ' ' -replace '(?s)<!--.*?-->', ' ' -replace '(?s)<[^>]*>', ' '
    ([System.Net.WebUtility]::HtmlDecode($text) -replace '\s+', ' ').Trim()
}

Function Get-InteractorFact {
    <#
    .SYNOPSIS
    Interactor on a server: its service, version and mode, and our ledger or why there is none.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $fact = [ordered]@{
        service = Find-Fact -Block { Get-ServiceWord -Contract $Contract }
        version = Find-Fact -Block { Get-InteractorVersion -Contract $Contract }
        mode = Find-Fact -Block { Get-ModeWord -Contract $Contract -Configuration (Read-Configuration -Contract $Contract) }
        ledger = $null
        ledger_error = $null
    }
    try {
        $fact['ledger'] = Get-Ledger -Contract $Contract -Site $Site
    }
    catch {
        $fact['ledger_error'] = $_.Exception.Message
    }
    $fact
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

Export-ModuleMember -Function @('Find-Fact', 'Get-InteractorFact', 'Get-PageFact', 'Get-UntouchedHash')
