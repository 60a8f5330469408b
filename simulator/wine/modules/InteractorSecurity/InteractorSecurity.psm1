# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a Wine machine lacks of Microsoft.PowerShell.Security. Who signed a file is the scenario's word: the simulator is
# asked. Who may be at a folder is what icacls.exe was told: Wine keeps a mode of Unix, in which no SYSTEM has a part.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-AuthenticodeSignature {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $LiteralPath)

    $port = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\InteractorSimulator').Port
    $line = [System.Net.Sockets.TcpClient]::new('127.0.0.1', $port)
    try {
        $stream = $line.GetStream()
        $asked = [System.Text.Encoding]::UTF8.GetBytes("signer`t$LiteralPath`n")
        $stream.Write($asked, 0, $asked.Length)
        $publisher = [System.IO.StreamReader]::new($stream).ReadToEnd().Trim()
    }
    finally {
        $line.Dispose()
    }
    if (-not $publisher) {
        return [pscustomobject]@{ Status = 'NotSigned'; SignerCertificate = $null }
    }
    $certificate = [pscustomobject]@{ Subject = "CN=$publisher"; Publisher = $publisher }
    $certificate | Add-Member -MemberType ScriptMethod -Name GetNameInfo -Value { $this.Publisher }
    [pscustomobject]@{ Status = 'Valid'; SignerCertificate = $certificate }
}

Function Get-Acl {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $LiteralPath)

    $told = Microsoft.PowerShell.Security\Get-Acl -LiteralPath $LiteralPath
    $key = Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\InteractorSimulator\Access' -ErrorAction Ignore
    $granted = if ($key) { $key.PSObject.Properties[$LiteralPath.TrimEnd('\').ToLowerInvariant()] }
    if (-not $granted) {
        return $told
    }
    $closed = [System.Security.AccessControl.DirectorySecurity]::new()
    $closed.SetAccessRuleProtection($true, $false)
    $closed.SetOwner($told.GetOwner([System.Security.Principal.SecurityIdentifier]))
    foreach ($sid in $granted.Value.Split(',')) {
        $closed.AddAccessRule([System.Security.AccessControl.FileSystemAccessRule]::new(
                [System.Security.Principal.SecurityIdentifier]::new($sid), 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
    }
    $closed
}

Export-ModuleMember -Function @('Get-Acl', 'Get-AuthenticodeSignature')
