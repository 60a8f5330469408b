# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What of the net a computer reaches: names, clocks, TLS, pages, speed; proxy scripts are in _ProxyScripts.psm1. Windows
# PowerShell 5.1 must run it. A time limit is that of all that a function asks, and nothing is asked any more when it is up.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Schannel = 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols'
$script:NoTime = 'no time was left to ask'

Function Get-EndPoint {
    <#
    .SYNOPSIS
    The addresses of the contract that a computer has to reach, each once: those of the pages first.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $found = [System.Collections.Generic.List[uri]]::new()
    foreach ($path in 'pages.P1.url', 'pages.P2.url', 'cloud.api', 'speed.url', 'installer.url', 'proxy.script') {
        $found.Add([uri](Get-ContractValue -Contract $Contract -Path $path))
    }
    , $found
}

Function Get-ClockFact {
    <#
    .SYNOPSIS
    How far the clock is from a time server's.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Server,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $fact = [ordered]@{ server = $Server; offset_seconds = $null; error = $null }
    try {
        $fact['offset_seconds'] = Get-ClockOffset -Server $Server -Seconds $Seconds
    }
    catch {
        $fact['error'] = $_.Exception.GetBaseException().Message
    }
    $fact
}

Function Get-NameFact {
    <#
    .SYNOPSIS
    The addresses of the contract's end points.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $names = @((Get-EndPoint -Contract $Contract) | ForEach-Object -Process { $_.DnsSafeHost } | Sort-Object -Unique)
    , @(Get-HostAddress -Name $names -Seconds $Seconds)
}

Function Get-TlsFact {
    <#
    .SYNOPSIS
    Whether Windows lets TLS 1.2 be used, and a handshake with every end point that wants one.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $told = [System.Collections.Generic.List[object]]::new()
    $asked = [System.Collections.Generic.List[string]]::new()
    foreach ($uri in (Get-EndPoint -Contract $Contract)) {
        $place = "$($uri.DnsSafeHost):$($uri.Port)"
        if ($uri.Scheme -ne 'https' -or $asked.Contains($place)) {
            continue
        }
        $asked.Add($place)
        $left = Get-TimeLeft -Since $since -Seconds $Seconds
        if ($left -le 0) {
            $told.Add([ordered]@{ name = $uri.DnsSafeHost; protocol = $null; trusted = $null; issuer = $null; error = $script:NoTime })
            continue
        }
        $told.Add((Test-TlsServer -Name $uri.DnsSafeHost -Port $uri.Port -Seconds $left))
    }
    [ordered]@{
        enabled = Find-Fact -Block { (Get-RegistryValue -Key "$script:Schannel\TLS 1.2\Client" -Name 'Enabled') -ne 0 }
        endpoints = $told
    }
}

Function Get-SpeedFact {
    <#
    .SYNOPSIS
    How long a file takes, with the proxy that this account has, so often that the samples take that long together.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Url,
        [Parameter(Mandatory)] [long] $Bytes,
        [Parameter(Mandatory)] [double] $Seconds,
        [Parameter(Mandatory)] [int] $Samples
    )

    $left = $Seconds
    $taken = [System.Collections.Generic.List[object]]::new()
    $problem = $null
    while ($taken.Count -lt $Samples -and $left -gt 0 -and $null -eq $problem) {
        $answer = Get-WebAnswer -Uri $Url -MaximumBytes $Bytes -MaximumSeconds $left -TimeoutSeconds ([Math]::Ceiling($left))
        $problem = $answer['error']
        if ($null -eq $problem -and $answer['status'] -ne 200) {
            $problem = "it answers $($answer['status'])"
        }
        if ($null -eq $problem) {
            $taken.Add([ordered]@{ bytes = $answer['length']; seconds = $answer['seconds'] })
            $left -= $answer['seconds']
        }
    }
    [ordered]@{ url = $Url; samples = $taken; error = $problem }
}

Function Get-DirectFact {
    <#
    .SYNOPSIS
    Pages of the contract, past every proxy.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string[]] $Page,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $pages = [System.Collections.Generic.List[object]]::new()
    foreach ($id in $Page) {
        $left = Get-TimeLeft -Since $since -Seconds $Seconds
        $pages.Add((Get-PageFact -Contract $Contract -Id $id -Way 'direct' -Proxy '' -Seconds $left))
    }
    , $pages
}

Export-ModuleMember -Function @(
    'Get-ClockFact', 'Get-DirectFact', 'Get-EndPoint', 'Get-NameFact', 'Get-SpeedFact', 'Get-TlsFact'
)
