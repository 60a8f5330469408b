# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a session on a simulated host has beside Windows.psm1: paths as Windows tells them, the net, and what is compiled
# once.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Import-Module -Name (Microsoft.PowerShell.Management\Join-Path -Path $PSScriptRoot -ChildPath 'Ask.psm1')

# ---- files: what Windows tells of paths, with its own slash

Function ConvertTo-WindowsPath {
    <#
    .SYNOPSIS
    A path with Windows' slash, where what it was made of is a path of Windows: no folder of the engine's own.
    #>
    param ([Parameter(ValueFromPipeline)] [AllowNull()] [object] $Path, [Parameter(Mandatory)] [AllowEmptyString()] [string] $Of)

    process {
        if ($Path -is [string] -and $Of -match '^[A-Za-z]+:|\\') { return $Path.Replace('/', '\') }
        $Path
    }
}

Function Join-Path {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Path,
        [Parameter(Mandatory, Position = 1)] [AllowNull()] [AllowEmptyString()] [string] $ChildPath,
        [Parameter(Position = 2, ValueFromRemainingArguments)] [string[]] $AdditionalChildPath = @()
    )

    process {
        foreach ($each in $Path) {
            $with = @{ Path = $each; ChildPath = $ChildPath; AdditionalChildPath = $AdditionalChildPath }
            Microsoft.PowerShell.Management\Join-Path @with | ConvertTo-WindowsPath -Of $each
        }
    }
}

Function Split-Path {
    [CmdletBinding(DefaultParameterSetName = 'Path')]
    param (
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ParameterSetName = 'Path')] [string[]] $Path,
        [Parameter(Mandatory, ParameterSetName = 'LiteralPath')] [string[]] $LiteralPath,
        [switch] $Parent, [switch] $Leaf, [switch] $LeafBase, [switch] $Extension, [switch] $Qualifier,
        [switch] $NoQualifier, [switch] $IsAbsolute
    )

    process {
        $with = @{} + $PSBoundParameters
        if ($with.ContainsKey('LiteralPath')) {
            if ($with.Count -gt 1) { Deny -Text 'Split-Path -LiteralPath with another parameter' }
            return Microsoft.PowerShell.Management\Split-Path @with | ConvertTo-WindowsPath -Of $LiteralPath[0]
        }
        foreach ($each in $Path) {
            $with['Path'] = $each
            Microsoft.PowerShell.Management\Split-Path @with | ConvertTo-WindowsPath -Of $each
        }
    }
}

Function Get-AuthenticodeSignature {
    param ([Alias('LiteralPath')] [string] $FilePath)

    if (-not (Test-Path -LiteralPath $FilePath -PathType Leaf)) { throw "File $FilePath was not found." }
    $signer = Request-Simulator -What 'signer' -Of @{ path = $FilePath.Replace('/', '\') }
    if ($null -eq $signer) { return [pscustomobject]@{ Status = 'NotSigned'; SignerCertificate = $null } }
    $certificate = [pscustomobject]@{ Name = $signer }
    Add-Member -InputObject $certificate -MemberType ScriptMethod -Name GetNameInfo -Value {
        param ($type, $ofIssuer)
        if ("$type" -ne 'SimpleName' -or $ofIssuer) { throw 'GetNameInfo' }
        $this.Name
    }
    [pscustomobject]@{ Status = 'Valid'; SignerCertificate = $certificate }
}

Function Get-Command {
    <#
    .SYNOPSIS
    What all sessions have, by name and type. ansible-core 2.21 asks by it for the interpreter that it names: the one that runs.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Position = 0)] [string[]] $Name,
        [Alias('Type')] [System.Management.Automation.CommandTypes] $CommandType,
        [Parameter(ValueFromRemainingArguments)] [object[]] $Other
    )

    if ($Other) { Deny -Text "Get-Command $Other" }
    if ("$Name" -eq 'powershell' -and "$CommandType" -eq 'Application') {
        # Whatever lies there: what counts is whether its folder is this one's.
        return [pscustomobject]@{ Path = Microsoft.PowerShell.Management\Join-Path -Path $PSHOME -ChildPath 'System.Management.Automation.dll' }
    }
    Microsoft.PowerShell.Core\Get-Command @PSBoundParameters
}

# ---- the net: in place of what _Windows.psm1 asks of .NET. Aliases lead here, for they come before all functions.

Function Get-PretendedAnswer {
    param ([string] $Uri, [int] $TimeoutSeconds = 20, [long] $MaximumBytes = 1MB, [double] $MaximumSeconds = 20, [long] $From = 0, [string] $Proxy)

    $null = $TimeoutSeconds
    $by = $null
    if ($PSBoundParameters.ContainsKey('Proxy')) { $by = $Proxy }
    if ($From -gt 0 -and $null -ne $by) { Deny -Text 'Get-WebAnswer -From with -Proxy' }
    $told = Request-Simulator -What 'page' -Of @{ url = $Uri; start = $From; bytes = $MaximumBytes; seconds = $MaximumSeconds; proxy = $by }
    $content = ''
    if ($null -ne $told['body']) {
        $encoding = [System.Text.Encoding]::UTF8
        if ("$($told['content_type'])" -match 'charset="?([A-Za-z0-9._-]+)') { $encoding = [System.Text.Encoding]::GetEncoding($Matches[1]) }
        $content = $encoding.GetString([System.Convert]::FromBase64String($told['body']))
    }
    [ordered]@{
        status = [int]$told['status']
        content = $content
        length = [long]$told['length']
        seconds = [double]$told['seconds']
        milliseconds = [int]$told['milliseconds']
        final_url = $told['final_url']
        issuer = $told['issuer']
        error = $told['error']
    }
}

Function Open-PretendedExchange {
    [CmdletBinding()]
    param ([string] $Uri, [int] $Timeout, [int] $ReadTimeout, [long] $From = 0)

    $null = $Timeout, $ReadTimeout
    # How long the caller reads: what the line brings in that time is all that comes.
    $seconds = $PSCmdlet.SessionState.PSVariable.GetValue('MaximumSeconds', 20)
    $told = Request-Simulator -What 'download' -Of @{ url = $Uri; start = $From; seconds = [double]$seconds }
    if ($told['error']) { throw $told['error'] }
    $body = [System.IO.MemoryStream]::new([System.Convert]::FromBase64String($told['body']))
    $response = [pscustomobject]@{
        StatusCode = [int]$told['status']; Headers = $told['headers']; ContentLength = [long]$told['length']; Body = $body
    }
    Add-Member -InputObject $response -MemberType ScriptMethod -Name GetResponseStream -Value { , $this.Body }
    Add-Member -InputObject $response -MemberType ScriptMethod -Name Close -Value { $this.Body.Dispose() }
    $request = [pscustomobject]@{}
    Add-Member -InputObject $request -MemberType ScriptMethod -Name Abort -Value { }
    @{ request = $request; response = $response }
}

Function Get-PretendedAccess {
    <#
    .SYNOPSIS
    Every folder is closed to all but SYSTEM and the administrators: the simulated drive has no rights.
    #>
    param ([Parameter(Mandatory)] [string] $Path)

    if (-not (Test-Path -LiteralPath $Path -PathType Container)) { throw "Cannot find path '$Path' because it does not exist." }
    [ordered]@{ owner = 'S-1-5-32-544'; allowed = @('S-1-5-18', 'S-1-5-32-544'); own = 'S-1-5-18' }
}

Function Get-PretendedOffset {
    param ([string] $Server, [double] $Seconds)

    $null = $Server, $Seconds
    $told = Request-Simulator -What 'clock offset'
    if ($told['error']) { throw $told['error'] }
    [double]$told['offset']
}

Function Get-PretendedAddress {
    param ([string[]] $Name, [double] $Seconds)

    $null = $Seconds
    foreach ($each in $Name) {
        $told = Request-Simulator -What 'addresses' -Of @{ name = $each }
        [ordered]@{ name = $each; addresses = [string[]]@($told['addresses'] | Where-Object -FilterScript { $_ }); error = $told['error'] }
    }
}

Function Test-PretendedServer {
    param ([string] $Name, [double] $Seconds, [int] $Port)

    $null = $Seconds, $Port
    $told = Request-Simulator -What 'handshake' -Of @{ name = $Name }
    [ordered]@{ name = $Name; protocol = $told['protocol']; trusted = $told['trusted']; issuer = $told['issuer']; error = $told['error'] }
}

Function Get-PretendedProxy {
    param ([string] $Script, [string] $Uri, [double] $Seconds)

    $null = $Seconds
    $told = Request-Simulator -What 'script answer' -Of @{ script = $Script; url = $Uri }
    if ($told['error']) { throw $told['error'] }
    $told['proxy']
}

Function Get-PretendedDetection {
    param ([double] $Seconds)

    $null = $Seconds
    $told = Request-Simulator -What 'detected'
    if ($told['error']) { throw $told['error'] }
    $told['url']
}

# ---- parts of a script that run beside it

Function Open-PretendedSession {
    <#
    .SYNOPSIS
    A session of this Windows: with its drives, its registry and its cmdlets.
    #>
    [Interactor.Simulator.Sessions]::Create()
}

Function Wait-PretendedSession {
    <#
    .SYNOPSIS
    Whether a part would have ended in time is the scenario's to say, not this machine's: each is waited for.
    #>
    param ([string] $Name, [System.IAsyncResult] $Running, [double] $Seconds)

    $null = $Seconds
    $null = $Running.AsyncWaitHandle.WaitOne()
    (Request-Simulator -What 'overdue') -notcontains $Name
}

Function Get-PretendedLeft {
    <#
    .SYNOPSIS
    No time passes here but the scenario's.
    #>
    param ([object] $Since, [double] $Seconds)

    $null = $Since
    $Seconds
}

Function Start-PretendedExit { param ([int] $Seconds) $null = $Seconds }

Function Test-PretendedInstaller { [bool](Request-Simulator -What 'installer at work') }

# ---- what is compiled once

Function Add-CompiledType {
    <#
    .SYNOPSIS
    Ansible's Add-CSharpType: the same text is compiled once in a process, for its types stay in it.
    #>
    param ([string[]] $References, [switch] $IgnoreWarnings, [switch] $PassThru, [object] $AnsibleModule, [string[]] $CompileSymbols = @())

    $null = $IgnoreWarnings, $PassThru, $AnsibleModule, $CompileSymbols
    $bytes = [System.Text.Encoding]::UTF8.GetBytes(($References + $CompileSymbols) -join "`0")
    $name = 'interactor.compiled.' + [System.Convert]::ToBase64String([System.Security.Cryptography.SHA256]::HashData($bytes))
    if (-not $PassThru -and [System.AppDomain]::CurrentDomain.GetData($name)) { return }
    Ansible.ModuleUtils.AddType\Add-CSharpType @PSBoundParameters
    [System.AppDomain]::CurrentDomain.SetData($name, $true)
}

Export-ModuleMember -Function @(
    'Add-CompiledType', 'Get-AuthenticodeSignature', 'Get-Command', 'Get-PretendedAccess', 'Get-PretendedAddress', 'Get-PretendedAnswer',
    'Get-PretendedDetection', 'Get-PretendedLeft', 'Get-PretendedOffset', 'Get-PretendedProxy', 'Join-Path', 'Open-PretendedExchange', 'Open-PretendedSession',
    'Split-Path', 'Start-PretendedExit', 'Test-PretendedInstaller', 'Test-PretendedServer', 'Wait-PretendedSession'
)
