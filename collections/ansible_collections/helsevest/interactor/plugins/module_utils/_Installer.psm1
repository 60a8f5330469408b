# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The vendor's installer: fetched and verified, run with a way back (U1). Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
# Drawing progress costs Windows PowerShell most of the time of a download.
$ProgressPreference = 'SilentlyContinue'

Function Get-InstallerPath {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $name = ([uri](Get-ContractValue -Contract $Contract -Path 'installer.url')).Segments[-1]
    if ($name -notmatch '^[A-Za-z0-9._-]+\.(exe|msi)$') {
        throw "contract: installer.url ends with '$name'; the name of an .exe or .msi file is wanted"
    }
    Join-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -ChildPath $name
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
    if ($wanted -notmatch '^[0-9A-Fa-f]{64}$') {
        return "contract: installer.sha256 is '$wanted', 64 hex digits are wanted: nothing unverified is installed"
    }
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) {
        return "$Path is missing"
    }
    $hash = (Get-FileHash -LiteralPath $Path -Algorithm SHA256).Hash
    if ($hash -ne $wanted) {
        return "its SHA-256 is $($hash.ToLowerInvariant()), not $($wanted.ToLowerInvariant())"
    }
    $signature = Get-AuthenticodeSignature -FilePath $Path
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
    Downloads the installer and keeps it if it is the one of the contract; why not, or an empty text.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Path
    )

    # Another start of the name and not of the end: Windows looks at the end to know what kind of signature a file has.
    $part = Join-Path -Path (Split-Path -Path $Path -Parent) -ChildPath "part-$(Split-Path -Path $Path -Leaf)"
    $url = Get-ContractValue -Contract $Contract -Path 'installer.url'
    Enable-Tls12
    try {
        $null = Invoke-WebRequest -Uri $url -OutFile $part -UseBasicParsing -TimeoutSec 600
    }
    catch {
        return "$url could not be fetched: $($_.Exception.Message)"
    }
    $problem = Test-Installer -Contract $Contract -Path $part
    if ($problem) {
        Remove-Item -LiteralPath $part -Force
        return "$url is not the installer: $problem"
    }
    Move-Item -LiteralPath $part -Destination $Path -Force
    ''
}

Function Backup-Interactor {
    <#
    .SYNOPSIS
    Copies configuration and install folder to <work>\backup\<version>; a copy that an interrupted run made is kept,
    since what is installed by now may be half of the new version.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Backup,
        [Parameter(Mandatory)] [bool] $Interrupted
    )

    if (Test-Path -LiteralPath $Backup) {
        if ($Interrupted) {
            return
        }
        Remove-Item -LiteralPath $Backup -Recurse -Force
    }
    $part = "$Backup.part"
    if (Test-Path -LiteralPath $part) {
        Remove-Item -LiteralPath $part -Recurse -Force
    }
    $null = New-Item -Path $part -ItemType Directory -Force
    $install = Get-ContractValue -Contract $Contract -Path 'paths.install'
    $configuration = Get-ContractValue -Contract $Contract -Path 'paths.config'
    Copy-Item -LiteralPath $install -Destination (Join-Path -Path $part -ChildPath 'install') -Recurse -Force
    Copy-Item -LiteralPath $configuration -Destination (Join-Path -Path $part -ChildPath 'configuration') -Force
    Move-Item -LiteralPath $part -Destination $Backup
}

Function Restore-Interactor {
    <#
    .SYNOPSIS
    Puts the copy back and proves the old version; an error where it does not come up.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Backup,
        [Parameter(Mandatory)] [string] $Version
    )

    $service = Get-ContractValue -Contract $Contract -Path 'service.name'
    $install = Get-ContractValue -Contract $Contract -Path 'paths.install'
    $configuration = Get-ContractValue -Contract $Contract -Path 'paths.config'
    if ((Get-ServiceWord -Contract $Contract) -ne 'stopped') {
        Stop-Service -Name $service
    }
    if (Test-Path -LiteralPath $install) {
        Remove-Item -LiteralPath $install -Recurse -Force
    }
    Copy-Item -LiteralPath (Join-Path -Path $Backup -ChildPath 'install') -Destination $install -Recurse -Force
    Copy-Item -LiteralPath (Join-Path -Path $Backup -ChildPath 'configuration') -Destination $configuration -Force
    Start-Service -Name $service
    $told = Wait-InteractorVersion -Contract $Contract -Version $Version
    if ($told -ne $Version) {
        throw "the service tells version '$told', not $Version"
    }
}

Function Install-Interactor {
    <#
    .SYNOPSIS
    Stops the service, installs, starts it and proves the version; an error says what went wrong.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Path
    )

    $service = Get-ContractValue -Contract $Contract -Path 'service.name'
    $target = Get-ContractValue -Contract $Contract -Path 'installer.version'
    if ((Get-ServiceWord -Contract $Contract) -ne 'stopped') {
        Stop-Service -Name $service
    }
    $start = @{
        FilePath = $Path
        ArgumentList = Get-ContractValue -Contract $Contract -Path 'installer.arguments'
        Wait = $true
        PassThru = $true
    }
    $code = (Start-Process @start).ExitCode
    $good = Get-ContractValue -Contract $Contract -Path 'installer.success_codes'
    if ($good -notcontains $code) {
        throw "the installer ended with code $code"
    }
    if ((Get-ServiceWord -Contract $Contract) -ne 'running') {
        Start-Service -Name $service
    }
    $told = Wait-InteractorVersion -Contract $Contract -Version $target
    if ($told -ne $target) {
        throw "the service tells version '$told', not $target"
    }
}

Export-ModuleMember -Function @(
    'Backup-Interactor', 'Get-Installer', 'Get-InstallerPath', 'Install-Interactor', 'Restore-Interactor',
    'Test-Installer'
)
