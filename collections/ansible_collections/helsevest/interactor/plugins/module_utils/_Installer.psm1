# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The vendor's installer: fetched, bit by bit if need be, and verified (U1). Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Download
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-InstallerPath {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = ([uri](Get-ContractValue -Contract $Contract -Path 'installer.url')).Segments[-1]
    if ($name -notmatch '^[A-Za-z0-9._-]+\.(exe|msi)$') {
        throw "contract: installer.url ends with '$name'; the name of an .exe or .msi file is wanted"
    }
    Join-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -ChildPath $name
}

Function Test-InstallerContract {
    <#
    .SYNOPSIS
    Why nothing can be installed by this contract; an empty text where it can.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $wanted = Get-ContractValue -Contract $Contract -Path 'installer.sha256'
    if ($wanted -notmatch '^[0-9A-Fa-f]{64}$') {
        return "contract: installer.sha256 is '$wanted', 64 hex digits are wanted: nothing unverified is installed"
    }
    $arguments = Get-ContractValue -Contract $Contract -Path 'installer.arguments'
    if ($arguments.Split(' ') -notcontains '/norestart') {
        return "contract: installer.arguments is '$arguments', without /norestart: the office's EPJ may live on this server"
    }
    ''
}

Function Test-Installer {
    <#
    .SYNOPSIS
    Why a file is not the installer of the contract; an empty text where it is.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Path
    )

    $wanted = Get-ContractValue -Contract $Contract -Path 'installer.sha256'
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) {
        return "$Path is missing"
    }
    $hash = Get-FileSha256 -Path $Path
    if ($hash -ne $wanted) {
        return "its SHA-256 is $hash, not $($wanted.ToLowerInvariant())"
    }
    $signature = Get-AuthenticodeSignature -LiteralPath $Path
    if ([string]$signature.Status -ne 'Valid') {
        return "its signature is $($signature.Status)"
    }
    $publisher = Get-ContractValue -Contract $Contract -Path 'installer.publisher'
    $signer = $signature.SignerCertificate.GetNameInfo('SimpleName', $false)
    if ($signer -cne $publisher) {
        return "it is signed by '$signer', not by '$publisher'"
    }
    ''
}

Function Get-Installer {
    <#
    .SYNOPSIS
    Fetches the installer, for as long as the contract allows, and keeps it if it is the one of the contract.

    .OUTPUTS
    A dictionary: reason (why it is not there; empty where it is) and again (whether the next call goes on with it).
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Path
    )

    # Another start of the name and not of the end: Windows looks at the end to know what kind of signature a file has.
    $part = Join-Path -Path (Split-Path -Path $Path -Parent) -ChildPath "part-$(Split-Path -Path $Path -Leaf)"
    $url = Get-ContractValue -Contract $Contract -Path 'installer.url'
    $seconds = Get-ContractValue -Contract $Contract -Path 'installer.fetch_seconds'
    $fetched = Receive-WebFile -Uri $url -Path $part -MaximumSeconds $seconds
    if (-not $fetched['whole']) {
        if ($fetched['error'] -and $fetched['received'] -eq 0) {
            return [ordered]@{ reason = "$url could not be fetched: $($fetched['error'])"; again = $false }
        }
        $total = 'an unknown number of'
        if ($null -ne $fetched['total']) {
            $total = $fetched['total']
        }
        return [ordered]@{ reason = "$($fetched['length']) of $total bytes fetched"; again = $true }
    }
    $problem = Test-Installer -Contract $Contract -Path $part
    if (Test-Path -LiteralPath "$part.note") {
        Remove-Item -LiteralPath "$part.note" -Force
    }
    if ($problem) {
        Remove-Item -LiteralPath $part -Force
        return [ordered]@{ reason = "$url is not the installer: $problem"; again = $false }
    }
    Move-Item -LiteralPath $part -Destination $Path -Force
    [ordered]@{ reason = ''; again = $false }
}

Export-ModuleMember -Function @('Get-Installer', 'Get-InstallerPath', 'Test-Installer', 'Test-InstallerContract')
