# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a Wine machine lacks, or does otherwise than Windows. Who signed a file is the scenario's word: the simulator is
# asked. Who may be at a folder is what icacls.exe was told: Wine keeps a mode of Unix. A file that is no program is
# opened by what the registry says of its kind, as Windows PowerShell does; this engine's Start-Process starts programs only.
# The simulated internet has one way in, its proxy: which other ways are open, what names, clocks and handshakes say is the
# scenario's word. Aliases lead from our scripts' functions to those here, for they come before all functions.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Read-Line {
    param ([Parameter(Mandatory)] [string] $What, [Parameter(Mandatory)] [string] $About)

    $port = (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\InteractorSimulator').Port
    $line = [System.Net.Sockets.TcpClient]::new('127.0.0.1', $port)
    try {
        $stream = $line.GetStream()
        $asked = [System.Text.Encoding]::UTF8.GetBytes("$What`t$About`n")
        $stream.Write($asked, 0, $asked.Length)
        [System.IO.StreamReader]::new($stream).ReadToEnd().Trim()
    }
    finally {
        $line.Dispose()
    }
}

Function Request-Simulator {
    param ([Parameter(Mandatory)] [string] $What, [System.Collections.IDictionary] $Of = @{})

    ConvertFrom-Json -InputObject (Read-Line -What $What -About (ConvertTo-Json -InputObject $Of -Compress)) -AsHashtable
}

Function Get-AuthenticodeSignature {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $LiteralPath)

    $publisher = Read-Line -What 'signer' -About $LiteralPath
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

# ---- the net

Function Get-ToldAnswer {
    <#
    .SYNOPSIS
    Get-WebAnswer by the one way that there is, where the scenario says that the way which is asked for is open. How slow
    this machine is with TLS is no fault of the page.
    #>
    param ([string] $Uri, [int] $TimeoutSeconds = 20, [long] $MaximumBytes = 1MB, [double] $MaximumSeconds = 20, [long] $From = 0, [string] $Proxy)

    $null = $TimeoutSeconds
    $asked = @{ Uri = $Uri; MaximumBytes = $MaximumBytes; MaximumSeconds = $MaximumSeconds; From = $From; TimeoutSeconds = 60 }
    if ($PSBoundParameters.ContainsKey('Proxy') -and -not ([uri]$Uri).IsLoopback) {
        $told = Request-Simulator -What 'way' -Of @{ url = $Uri; proxy = $Proxy }
        if ($told['error']) {
            return [ordered]@{
                status = 0; content = ''; length = 0; seconds = 0.0; milliseconds = 0; final_url = $null; issuer = $null
                error = $told['error']
            }
        }
    }
    & (Get-Command -Name Get-WebAnswer -CommandType Function) @asked
}

Function Get-ToldOffset {
    $told = Request-Simulator -What 'clock'
    if ($told['error']) { throw $told['error'] }
    [double]$told['offset']
}

Function Get-ToldAddress {
    param ([string[]] $Name, [double] $Seconds)

    $null = $Seconds
    foreach ($each in $Name) {
        $told = Request-Simulator -What 'addresses' -Of @{ name = $each }
        [ordered]@{ name = $each; addresses = [string[]]@($told['addresses'] | Where-Object -FilterScript { $_ }); error = $told['error'] }
    }
}

Function Test-ToldServer {
    param ([string] $Name, [double] $Seconds, [int] $Port)

    $null = $Seconds, $Port
    $told = Request-Simulator -What 'handshake' -Of @{ name = $Name }
    [ordered]@{ name = $Name; protocol = $told['protocol']; trusted = $told['trusted']; issuer = $told['issuer']; error = $told['error'] }
}

Function Get-ToldProxy {
    param ([string] $Script, [string] $Uri, [double] $Seconds)

    $null = $Seconds
    $told = Request-Simulator -What 'script' -Of @{ script = $Script; url = $Uri }
    if ($told['error']) { throw $told['error'] }
    $told['proxy']
}

Function Get-ToldDetection {
    param ([double] $Seconds)

    $null = $Seconds
    $told = Request-Simulator -What 'detected'
    if ($told['error']) { throw $told['error'] }
    $told['url']
}

# ---- parts of a script that run beside it

Function Open-ToldSession {
    <#
    .SYNOPSIS
    A session with this module.
    #>
    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    $state.ImportPSModule('InteractorMachine')
    $session = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    $session.Open()
    $shell = [System.Management.Automation.PowerShell]::Create()
    $shell.Runspace = $session
    $shell
}

Function Wait-ToldSession {
    <#
    .SYNOPSIS
    Whether a part would have ended in time is the scenario's to say, not this machine's: each is waited for.
    #>
    param ([string] $Name, [System.IAsyncResult] $Running, [double] $Seconds)

    $null = $Seconds
    $null = $Running.AsyncWaitHandle.WaitOne()
    (Request-Simulator -What 'overdue')['parts'] -notcontains $Name
}

Function Get-ToldLeft {
    param ([object] $Since, [double] $Seconds)

    $null = $Since
    $Seconds
}

$instead = @{
    'Get-ClockOffset' = 'Get-ToldOffset'
    'Get-DetectedScript' = 'Get-ToldDetection'
    'Get-HostAddress' = 'Get-ToldAddress'
    'Get-ScriptProxy' = 'Get-ToldProxy'
    'Get-TimeLeft' = 'Get-ToldLeft'
    'Get-WebAnswer' = 'Get-ToldAnswer'
    'Open-Session' = 'Open-ToldSession'
    'Test-TlsServer' = 'Test-ToldServer'
    'Wait-Session' = 'Wait-ToldSession'
}
foreach ($name in $instead.Keys) {
    Set-Alias -Name $name -Value $instead[$name]
}
Export-ModuleMember -Alias @($instead.Keys) -Function @(
    'Get-Acl', 'Get-AuthenticodeSignature', 'Get-ToldAddress', 'Get-ToldAnswer', 'Get-ToldDetection', 'Get-ToldLeft', 'Get-ToldOffset', 'Get-ToldProxy',
    'Open-ToldSession', 'Start-Process', 'Test-ToldServer', 'Wait-ToldSession'
)
