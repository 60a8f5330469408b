# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What Windows and .NET tell of the net, but for pages (_Windows.psm1): other computers' clocks and names, TLS, and what
# WinHTTP makes of a proxy script. As there, every call of ours to Windows is here. Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:NtpEpoch = [datetime]::new(1900, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc)
$script:WinHttp = @'
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Interactor
{
    /// <summary>What Windows' own service answers to an address, by a proxy script.</summary>
    public static class WinHttp
    {
        [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
        private struct Options
        {
            public uint Flags;
            public uint DetectFlags;
            [MarshalAs(UnmanagedType.LPWStr)] public string Script;
            public IntPtr Reserved;
            public uint Reserved2;
            [MarshalAs(UnmanagedType.Bool)] public bool LogOn;
        }

        [StructLayout(LayoutKind.Sequential)]
        private struct Info
        {
            public uint Access;
            public IntPtr Proxy;
            public IntPtr Bypass;
        }

        [DllImport("winhttp.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        private static extern IntPtr WinHttpOpen(string agent, uint access, string proxy, string bypass, uint flags);

        [DllImport("winhttp.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool WinHttpSetTimeouts(IntPtr session, int resolve, int connect, int send, int receive);

        [DllImport("winhttp.dll", CharSet = CharSet.Unicode, SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool WinHttpGetProxyForUrl(IntPtr session, string url, ref Options options, out Info info);

        [DllImport("winhttp.dll")]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool WinHttpCloseHandle(IntPtr handle);

        [DllImport("kernel32.dll")]
        private static extern IntPtr GlobalFree(IntPtr memory);

        /// <summary>The proxies that are named, with a semicolon between them; empty for none.</summary>
        public static string Ask(string script, string url, int milliseconds)
        {
            IntPtr session = WinHttpOpen("InteractorMove/1", 1, null, null, 0);
            if (session == IntPtr.Zero) { throw new Win32Exception(); }
            try
            {
                bool set = WinHttpSetTimeouts(session, milliseconds, milliseconds, milliseconds, milliseconds);
                if (!set) { throw new Win32Exception(); }
                Options options = new Options { Flags = 2, Script = script };
                Info info;
                if (!WinHttpGetProxyForUrl(session, url, ref options, out info)) { throw new Win32Exception(); }
                try { return info.Access == 3 ? Marshal.PtrToStringUni(info.Proxy) ?? "" : ""; }
                finally
                {
                    if (info.Proxy != IntPtr.Zero) { GlobalFree(info.Proxy); }
                    if (info.Bypass != IntPtr.Zero) { GlobalFree(info.Bypass); }
                }
            }
            finally { WinHttpCloseHandle(session); }
        }
    }
}
'@

Function Get-ClockOffset {
    <#
    .SYNOPSIS
    Seconds by which this computer's clock is ahead of a time server's (SNTP, RFC 4330). Throws where none answers in time.
    #>
    [CmdletBinding()]
    [OutputType([double])]
    param (
        [Parameter(Mandatory)] [string] $Server,
        [Parameter(Mandatory)] [double] $Seconds,
        [int] $Port = 123
    )

    # Not the time, which nobody needs to know: an answer that has these bytes is one to this question.
    $mark = [guid]::NewGuid().ToByteArray()
    $question = [byte[]]::new(48)
    $question[0] = 0x23
    [System.Array]::Copy($mark, 0, $question, 40, 8)
    $client = [System.Net.Sockets.UdpClient]::new()
    try {
        $client.Client.ReceiveTimeout = [int]($Seconds * 1000)
        $client.Connect($Server, $Port)
        $from = [System.Net.IPEndPoint]::new([System.Net.IPAddress]::Any, 0)
        $asked = [datetime]::UtcNow
        $since = [System.Diagnostics.Stopwatch]::StartNew()
        $null = $client.Send($question, $question.Length)
        $answer = $client.Receive([ref]$from)
        Read-ClockOffset -Answer $answer -Mark $mark -Asked $asked -Answered ($asked + $since.Elapsed)
    }
    finally {
        $client.Close()
    }
}

Function Read-ClockOffset {
    <#
    .SYNOPSIS
    Seconds by which our clock is ahead, from the answer of a time server to a question that was sent and answered then.
    #>
    [CmdletBinding()]
    [OutputType([double])]
    param (
        [Parameter(Mandatory)] [byte[]] $Answer,
        [Parameter(Mandatory)] [byte[]] $Mark,
        [Parameter(Mandatory)] [datetime] $Asked,
        [Parameter(Mandatory)] [datetime] $Answered
    )

    if ($Answer.Length -lt 48 -or [System.BitConverter]::ToString($Answer, 24, 8) -ne [System.BitConverter]::ToString($Mark, 0, 8)) {
        throw 'the answer is none to what was asked'
    }
    # Not synchronised, or it says that it will not serve us.
    if (($Answer[0] -shr 6) -eq 3 -or ($Answer[0] -band 7) -ne 4 -or $Answer[1] -eq 0 -or $Answer[1] -gt 15) {
        throw 'the time server does not know the time'
    }
    $there = (Read-NtpMoment -Bytes $Answer -At 32) - $Asked
    $back = (Read-NtpMoment -Bytes $Answer -At 40) - $Answered
    [Math]::Round(-($there.TotalSeconds + $back.TotalSeconds) / 2, 3)
}

Function Read-NtpMoment {
    [CmdletBinding()]
    [OutputType([datetime])]
    param (
        [Parameter(Mandatory)] [byte[]] $Bytes,
        [Parameter(Mandatory)] [int] $At
    )

    $whole = [double]0
    $part = [double]0
    foreach ($offset in 0..3) {
        $whole = $whole * 256 + $Bytes[$At + $offset]
        $part = $part * 256 + $Bytes[$At + 4 + $offset]
    }
    # The count begins again in 2036.
    if ($whole -lt 2147483648) {
        $whole += 4294967296
    }
    $script:NtpEpoch.AddSeconds($whole).AddTicks([long]($part / 4294967296 * 10000000))
}

Function Get-HostAddress {
    <#
    .SYNOPSIS
    The addresses of names, all asked for at once.

    .OUTPUTS
    A dictionary for each name: name, addresses (a list, empty where error is set), error.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string[]] $Name,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $lookups = @(foreach ($each in $Name) { @{ name = $each; task = [System.Net.Dns]::GetHostAddressesAsync($each) } })
    foreach ($lookup in $lookups) {
        $told = [ordered]@{ name = $lookup['name']; addresses = [string[]]@(); error = $null }
        try {
            if ($lookup['task'].Wait([int][Math]::Max(0, 1000 * ($Seconds - $since.Elapsed.TotalSeconds)))) {
                $told['addresses'] = [string[]]@($lookup['task'].Result | ForEach-Object -Process { "$_" } | Sort-Object)
            }
            else {
                $told['error'] = "no answer in $Seconds seconds"
            }
        }
        catch {
            $told['error'] = $_.Exception.GetBaseException().Message
        }
        $told
    }
}

Function Test-TlsServer {
    <#
    .SYNOPSIS
    A handshake in TLS 1.2 with a server, directly; whether Windows trusts its certificate ends nothing here.

    .OUTPUTS
    A dictionary: name, protocol, trusted, issuer (each $null where no handshake came about), error.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [double] $Seconds,
        [int] $Port = 443
    )

    $told = [ordered]@{ name = $Name; protocol = $null; trusted = $null; issuer = $null; error = $null }
    $client = [System.Net.Sockets.TcpClient]::new()
    $seen = @{ faults = $null }
    # It is called on this thread, before the handshake ends.
    $look = {
        param ($from, $certificate, $chain, $faults)

        $null = $from, $certificate, $chain
        $seen['faults'] = $faults
        $true
    }.GetNewClosure()
    try {
        $milliseconds = [int]($Seconds * 1000)
        if (-not $client.ConnectAsync($Name, $Port).Wait($milliseconds)) {
            throw "no connection in $Seconds seconds"
        }
        $client.ReceiveTimeout = $milliseconds
        $client.SendTimeout = $milliseconds
        $stream = [System.Net.Security.SslStream]::new($client.GetStream(), $false, $look)
        try {
            $stream.AuthenticateAsClient($Name, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false)
            $told['protocol'] = "$($stream.SslProtocol)"
            $told['trusted'] = [int]$seen['faults'] -eq 0
            $told['issuer'] = $stream.RemoteCertificate.Issuer
        }
        finally {
            $stream.Dispose()
        }
    }
    catch {
        $told['error'] = $_.Exception.GetBaseException().Message
    }
    finally {
        $client.Close()
    }
    $told
}

Function Get-ScriptProxy {
    <#
    .SYNOPSIS
    What WinHTTP says for an address by a proxy script, in the words of scripts: `PROXY a:1; PROXY b:2`, or `DIRECT`. It
    does not tell whether the script would also allow to go directly where no proxy answers. Throws where it says nothing.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [string] $Script,
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [double] $Seconds
    )

    if ($null -eq ('Interactor.WinHttp' -as [type])) {
        Add-Type -TypeDefinition $script:WinHttp
    }
    ConvertTo-ScriptAnswer -Proxies ([Interactor.WinHttp]::Ask($Script, $Uri, [int]($Seconds * 1000)))
}

Function ConvertTo-ScriptAnswer {
    <#
    .SYNOPSIS
    WinHTTP's list of proxies in the words of scripts.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Proxies)

    $named = @($Proxies -split '[;\s]+' | Where-Object -FilterScript { $_ } | ForEach-Object -Process { "PROXY $_" })
    if ($named.Count -eq 0) {
        return 'DIRECT'
    }
    $named -join '; '
}

Export-ModuleMember -Function @(
    'ConvertTo-ScriptAnswer', 'Get-ClockOffset', 'Get-HostAddress', 'Get-ScriptProxy', 'Read-ClockOffset', 'Test-TlsServer'
)
