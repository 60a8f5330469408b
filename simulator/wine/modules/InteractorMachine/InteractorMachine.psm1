# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a Wine machine lacks, or does otherwise than Windows. Who signed a file is the scenario's word: the simulator is
# asked. Who may be at a folder is what icacls.exe was told: Wine keeps a mode of Unix. A file that is no program is
# opened by what the registry says of its kind, as Windows PowerShell does; this engine's Start-Process starts programs only.

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

Function Start-Process {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory, Position = 0)] [string] $FilePath,
        [Parameter(Position = 1)] [string[]] $ArgumentList,
        [switch] $Wait,
        [switch] $PassThru
    )

    $kind = [System.IO.Path]::GetExtension($FilePath)
    if ($kind -notin '', '.exe', '.com', '.bat', '.cmd') {
        $classes = [Microsoft.Win32.Registry]::ClassesRoot
        $class = $classes.OpenSubKey($kind).GetValue('')
        $opened = $classes.OpenSubKey("$class\shell\Open\command").GetValue('')
        $line = $opened.Replace('%1', $FilePath).Replace('%*', "$ArgumentList")
        $split = [regex]::Match($line, '^"([^"]+)"\s*(.*)$')
        $PSBoundParameters['FilePath'] = $split.Groups[1].Value
        $PSBoundParameters['ArgumentList'] = $split.Groups[2].Value
    }
    Microsoft.PowerShell.Management\Start-Process @PSBoundParameters
}

Export-ModuleMember -Function @('Get-Acl', 'Get-AuthenticodeSignature', 'Start-Process')
