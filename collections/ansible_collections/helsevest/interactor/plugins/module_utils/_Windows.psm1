# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every call of ours to Windows that is neither a cmdlet nor a program stands here. Windows PowerShell 5.1 must run it.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# A scanner that looks into a new file, or a program that is just ending, lets go of it in a moment.
$script:HeldFor = [timespan]'00:00:05'
# Windows' own commands wait for a service for as long as it says that it is about to start or stop.
$script:ServiceSeconds = 180
$script:StartSeconds = 5
$script:NtpEpoch = [datetime]::new(1900, 1, 1, 0, 0, 0, [System.DateTimeKind]::Utc)
$script:WinHttp = @'
using System;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

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

        [DllImport("winhttp.dll", SetLastError = true)]
        [return: MarshalAs(UnmanagedType.Bool)]
        private static extern bool WinHttpDetectAutoProxyConfigUrl(uint ways, out IntPtr url);

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

        /// <summary>The script that automatic detection finds, by DHCP and then by DNS; empty for none.</summary>
        public static string Detect(int milliseconds)
        {
            // It has no time limit of its own. A thread of the pool holds up no process that wants to end.
            Task<string> looking = Task.Run(() => Find());
            if (!looking.Wait(milliseconds)) { throw new TimeoutException("automatic detection has not ended in time"); }
            return looking.Result;
        }

        private static string Find()
        {
            IntPtr url;
            if (!WinHttpDetectAutoProxyConfigUrl(3, out url))
            {
                int error = Marshal.GetLastWin32Error();
                // ERROR_WINHTTP_AUTODETECTION_FAILED: the network has no such script.
                if (error == 12180) { return ""; }
                throw new Win32Exception(error);
            }
            try { return Marshal.PtrToStringUni(url) ?? ""; }
            finally { GlobalFree(url); }
        }
    }
}
'@

Function Resolve-NativePath {
    <#
    .SYNOPSIS
    The path as .NET knows it; .NET does not know PowerShell's drives.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [string] $Path)

    $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Path)
}

Function Open-SharedReader {
    <#
    .SYNOPSIS
    Reads the UTF-8 text of a file that another program may be writing; $null where there is none. To be disposed of.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.StreamReader])]
    param ([Parameter(Mandatory)] [string] $Path)

    $native = Resolve-NativePath -Path $Path
    if (-not [System.IO.File]::Exists($native)) {
        return $null
    }
    $stream = Open-SharedFile -Path $native
    # A reader that looks for a byte order mark would take UTF-16 as well, which nobody writes here.
    if (-not (Skip-ByteOrderMark -Stream $stream)) {
        $stream.Position = 0
    }
    [System.IO.StreamReader]::new($stream, [System.Text.UTF8Encoding]::new($false, $true), $false)
}

Function Skip-ByteOrderMark {
    <#
    .SYNOPSIS
    Whether the first three bytes that are read are UTF-8's byte order mark.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.IO.Stream] $Stream)

    $mark = [byte[]]::new(3)
    $Stream.Read($mark, 0, 3) -eq 3 -and [System.BitConverter]::ToString($mark) -eq 'EF-BB-BF'
}

Function Test-ByteOrderMark {
    <#
    .SYNOPSIS
    Whether a file begins with UTF-8's byte order mark.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [string] $Path)

    $stream = Open-SharedFile -Path $Path
    try {
        Skip-ByteOrderMark -Stream $stream
    }
    finally {
        $stream.Dispose()
    }
}

Function Read-SharedText {
    <#
    .SYNOPSIS
    The UTF-8 text of a file that another program may be writing; $null where there is none.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [string] $Path)

    $reader = Open-SharedReader -Path $Path
    if ($null -eq $reader) {
        return $null
    }
    try {
        $reader.ReadToEnd()
    }
    finally {
        $reader.Dispose()
    }
}

Function Open-DurableWriter {
    <#
    .SYNOPSIS
    Writes a file of UTF-8 lines piece by piece; nobody sees it before Save-DurableWriter. To be disposed of.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.StreamWriter])]
    param ([Parameter(Mandatory)] [string] $Path)

    $native = Resolve-NativePath -Path $Path
    $stream = [System.IO.FileStream]::new("$native.new", [System.IO.FileMode]::Create, [System.IO.FileAccess]::Write)
    $writer = [System.IO.StreamWriter]::new($stream, [System.Text.UTF8Encoding]::new($false))
    $writer.NewLine = "`n"
    $writer
}

Function Save-DurableWriter {
    <#
    .SYNOPSIS
    Puts what Open-DurableWriter has written in its place, whole: flush to disk, rename.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.IO.StreamWriter] $Writer,
        [Parameter(Mandatory)] [string] $Path
    )

    $Writer.Flush()
    $Writer.BaseStream.Flush($true)
    $Writer.Dispose()
    Move-WholeFile -Path (Resolve-NativePath -Path $Path)
}

Function Move-WholeFile {
    <#
    .SYNOPSIS
    Renames a file's .new to the file, which may be there already, be read-only, or be held by others for a moment.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    while ($true) {
        try {
            Clear-ReadOnly -Path $Path
            Move-WholeFileOnce -Path $Path
            return
        }
        catch [System.IO.IOException], [System.UnauthorizedAccessException] {
            if ($since.Elapsed -ge $script:HeldFor) {
                throw
            }
        }
        Wait-Moment
    }
}

Function Wait-Moment {
    [System.Threading.Thread]::Sleep(250)
}

Function Clear-ReadOnly {
    param ([Parameter(Mandatory)] [string] $Path)

    if ([System.IO.File]::Exists($Path)) {
        $attributes = [System.IO.File]::GetAttributes($Path)
        if ($attributes -band [System.IO.FileAttributes]::ReadOnly) {
            [System.IO.File]::SetAttributes($Path, $attributes -band -bnot [System.IO.FileAttributes]::ReadOnly)
        }
    }
}

Function Move-WholeFileOnce {
    param ([Parameter(Mandatory)] [string] $Path)

    if ([System.IO.File]::Exists($Path)) {
        try {
            # A plain $null would arrive as an empty string, which is no path.
            [System.IO.File]::Replace("$Path.new", $Path, [NullString]::Value)
        }
        catch [System.IO.IOException] {
            if ([System.IO.File]::Exists($Path)) {
                throw
            }
            # It failed half-way: the old one is gone, the new one is whole.
            [System.IO.File]::Move("$Path.new", $Path)
        }
    }
    else {
        [System.IO.File]::Move("$Path.new", $Path)
    }
}

Function Write-DurableStream {
    <#
    .SYNOPSIS
    Writes a whole file so that a power cut leaves the old one or the new one: temporary file, flush to disk, rename.
    The new one may then still have its temporary name, <path>.new: Replace takes the old one away first.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [System.IO.Stream] $Source
    )

    $native = Resolve-NativePath -Path $Path
    $stream = [System.IO.FileStream]::new("$native.new", [System.IO.FileMode]::Create, [System.IO.FileAccess]::Write)
    try {
        $Source.CopyTo($stream, 1MB)
        $stream.Flush($true)
    }
    finally {
        $stream.Dispose()
    }
    Move-WholeFile -Path $native
}

Function Write-DurableText {
    <#
    .SYNOPSIS
    A whole file or the old one, with a text: UTF-8, without a byte order mark unless it shall have one.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Text,
        [bool] $Mark = $false
    )

    if ($Mark) {
        $Text = "$([char]0xFEFF)$Text"
    }
    $bytes = [System.Text.UTF8Encoding]::new($false).GetBytes($Text)
    Write-DurableStream -Path $Path -Source ([System.IO.MemoryStream]::new($bytes))
}

Function Open-SharedFile {
    <#
    .SYNOPSIS
    A file to be read that another program may have open, or be writing.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param ([Parameter(Mandatory)] [string] $Path)

    $share = [System.IO.FileShare]'ReadWrite, Delete'
    [System.IO.FileStream]::new((Resolve-NativePath -Path $Path), [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, $share)
}

Function Copy-DurableFile {
    <#
    .SYNOPSIS
    A whole file or the old one, with the bytes of another file, which are never all in memory.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Destination
    )

    $source = Open-SharedFile -Path $Path
    try {
        Write-DurableStream -Path $Destination -Source $source
    }
    finally {
        $source.Dispose()
    }
}

Function Update-FileTime {
    <#
    .SYNOPSIS
    Says of a file that it was written just now. It stays where it is meanwhile, as one that is replaced does not.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    [System.IO.File]::SetLastWriteTimeUtc((Resolve-NativePath -Path $Path), [datetime]::UtcNow)
}

Function Get-FileLength {
    <#
    .SYNOPSIS
    The bytes of a file; 0 where there is none.
    #>
    [CmdletBinding()]
    [OutputType([long])]
    param ([Parameter(Mandatory)] [string] $Path)

    $file = [System.IO.FileInfo]::new((Resolve-NativePath -Path $Path))
    if ($file.Exists) {
        return $file.Length
    }
    [long]0
}

Function Remove-WholeFile {
    <#
    .SYNOPSIS
    Removes a file, if there is one.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    [System.IO.File]::Delete((Resolve-NativePath -Path $Path))
}

Function Open-FileEnd {
    <#
    .SYNOPSIS
    A file to be written on from its end. To be disposed of.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param ([Parameter(Mandatory)] [string] $Path)

    [System.IO.FileStream]::new((Resolve-NativePath -Path $Path), [System.IO.FileMode]::Append, [System.IO.FileAccess]::Write)
}

Function Lock-File {
    <#
    .SYNOPSIS
    Holds a file that nobody else can hold until it is disposed of; it is gone then. An error says that somebody has held
    it for as many seconds as there were.
    #>
    [CmdletBinding()]
    [OutputType([System.IO.FileStream])]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [int] $Seconds = 0
    )

    $native = Resolve-NativePath -Path $Path
    for ($left = $Seconds; ; $left--) {
        try {
            return [System.IO.FileStream]::new($native, [System.IO.FileMode]::OpenOrCreate, [System.IO.FileAccess]::ReadWrite,
                [System.IO.FileShare]::None, 1, [System.IO.FileOptions]::DeleteOnClose)
        }
        catch [System.IO.IOException] {
            if ($left -le 0) {
                throw "another run is at work on this server: $Path is held ($($_.Exception.Message))"
            }
        }
        Start-Sleep -Seconds 1
    }
}

Function Get-ServiceControl {
    param ([Parameter(Mandatory)] [string] $Name)

    $service = @(Get-Service | Where-Object -FilterScript { $_.Name -eq $Name })
    if ($service.Count -eq 0) {
        throw "there is no service '$Name'"
    }
    $service[0]
}

Function Wait-ServiceStatus {
    <#
    .SYNOPSIS
    Waits until a service is as it should be; an error where it is not in time, or has stopped while it should start.
    #>
    param (
        [Parameter(Mandatory)] [object] $Service,
        [Parameter(Mandatory)] [string] $Status,
        [Parameter(Mandatory)] [int] $Seconds
    )

    for ($waited = 0; ; $waited++) {
        $Service.Refresh()
        $word = [string]$Service.Status
        if ($word -eq $Status) {
            return
        }
        $ended = $Status -eq 'Running' -and $word -eq 'Stopped' -and $waited -ge $script:StartSeconds
        if ($waited -ge $Seconds -or $ended) {
            throw "service '$($Service.Name)' is $word after $waited seconds, not $Status"
        }
        Start-Sleep -Seconds 1
    }
}

Function Stop-ServiceInTime {
    <#
    .SYNOPSIS
    Stops a service; an error where it does not stop in time, or where another one needs it. One that is stopped stays so.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [int] $Seconds = $script:ServiceSeconds
    )

    $service = Get-ServiceControl -Name $Name
    $needed = @($service.DependentServices | Where-Object -FilterScript { "$($_.Status)" -ne 'Stopped' })
    if ($needed.Count -gt 0) {
        # .NET would stop them as well, and nobody would start them again.
        throw "service '$Name' is needed by $(@($needed | ForEach-Object -Process { $_.Name }) -join ', ')"
    }
    if ("$($service.Status)" -notin 'Stopped', 'StopPending') {
        $service.Stop()
    }
    Wait-ServiceStatus -Service $service -Status 'Stopped' -Seconds $Seconds
}

Function Start-ServiceInTime {
    <#
    .SYNOPSIS
    Starts a service; an error where it does not come up in time. One that runs runs on.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [int] $Seconds = $script:ServiceSeconds
    )

    $service = Get-ServiceControl -Name $Name
    if ("$($service.Status)" -notin 'Running', 'StartPending') {
        $service.Start()
    }
    Wait-ServiceStatus -Service $service -Status 'Running' -Seconds $Seconds
}

Function Restart-ServiceInTime {
    <#
    .SYNOPSIS
    Stops a service that runs, and starts it, each in time.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [int] $Seconds = $script:ServiceSeconds
    )

    Stop-ServiceInTime -Name $Name -Seconds $Seconds
    Start-ServiceInTime -Name $Name -Seconds $Seconds
}

Function Invoke-ProgramInTime {
    <#
    .SYNOPSIS
    Runs a program; the code that it ends with. One that does not end in time is ended, and that is an error. What it has
    started and left behind is not waited for, as Start-Process -Wait would.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Argument,
        [Parameter(Mandatory)] [int] $Seconds
    )

    $process = Start-Process -FilePath $Path -ArgumentList $Argument -PassThru
    # Asked for while it runs: else Windows PowerShell 5.1 does not know the code in the end.
    $null = $process.Handle
    if (-not $process.WaitForExit($Seconds * 1000)) {
        $process.Kill()
        throw "$Path has not ended after $Seconds seconds, and was ended"
    }
    $process.ExitCode
}

Function Close-ProcessWindow {
    <#
    .SYNOPSIS
    Asks a program to close as if its user had: it may ask whether to save. A window of another session cannot be asked.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [object] $Process)

    try {
        $null = $Process.CloseMainWindow()
    }
    catch [System.InvalidOperationException] {
        Write-Verbose -Message 'it has ended by itself'
    }
}

Function Get-MemoryUse {
    <#
    .SYNOPSIS
    How many bytes of memory this process takes now, and how many it took at its most.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ()

    $process = [System.Diagnostics.Process]::GetCurrentProcess()
    [ordered]@{ now = $process.WorkingSet64; most = $process.PeakWorkingSet64 }
}

Function Test-InstallerService {
    <#
    .SYNOPSIS
    Whether Windows Installer is at work on some package; it does one at a time, and holds this while it does.

    .PARAMETER Name
    What it holds.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([string] $Name = 'Global\_MSIExecute')

    [System.Threading.Mutex]$held = $null
    try {
        if (-not [System.Threading.Mutex]::TryOpenExisting($Name, [ref]$held)) {
            return $false
        }
    }
    catch [System.UnauthorizedAccessException] {
        return $true
    }
    try {
        # Its service keeps the name for some minutes after a package; only who is at work holds it.
        if (-not $held.WaitOne(0)) {
            return $true
        }
    }
    catch [System.Threading.AbandonedMutexException] {
        # Who held it has died: it is ours now.
        Write-Verbose -Message "$Name was left behind"
    }
    $held.ReleaseMutex()
    $held.Dispose()
    $false
}

Function Get-Sha256 {
    <#
    .SYNOPSIS
    The SHA-256 of a text in UTF-8, as 64 hex digits in lower case.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Text)

    Get-StreamSha256 -Stream ([System.IO.MemoryStream]::new([System.Text.UTF8Encoding]::new($false).GetBytes($Text)))
}

Function Get-FileSha256 {
    <#
    .SYNOPSIS
    The SHA-256 of a file that another program may have open, as 64 hex digits in lower case.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [string] $Path)

    $stream = Open-SharedFile -Path $Path
    try {
        Get-StreamSha256 -Stream $stream
    }
    finally {
        $stream.Dispose()
    }
}

Function Get-StreamSha256 {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.IO.Stream] $Stream)

    $hash = [System.Security.Cryptography.SHA256]::Create()
    try {
        $digest = $hash.ComputeHash($Stream)
    }
    finally {
        $hash.Dispose()
    }
    [System.BitConverter]::ToString($digest).Replace('-', '').ToLowerInvariant()
}

Function Open-WebExchange {
    <#
    .SYNOPSIS
    Asks with the proxy that this account has: request and response, to be closed. Time-outs are milliseconds.
    A status that says no is an answer; no answer throws.

    .PARAMETER Proxy
    Another proxy, as `host:port`; empty for none.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [int] $Timeout,
        [Parameter(Mandatory)] [int] $ReadTimeout,
        [long] $From = 0,
        [string] $Proxy
    )

    $request = [System.Net.WebRequest]::CreateHttp($Uri)
    $request.Timeout = $Timeout
    $request.ReadWriteTimeout = $ReadTimeout
    $request.KeepAlive = $false
    $request.UserAgent = 'InteractorMove/1'
    if ($From -gt 0) {
        $request.AddRange($From)
    }
    if ($PSBoundParameters.ContainsKey('Proxy')) {
        $request.Proxy = $null
        if ($Proxy) {
            $request.Proxy = [System.Net.WebProxy]::new("http://$Proxy")
        }
    }
    try {
        $response = $request.GetResponse()
    }
    catch {
        # A page that answers 404 is an answer; .NET throws it.
        $failure = Get-WebException -Exception $_.Exception
        if ($null -eq $failure -or $null -eq $failure.Response) {
            throw
        }
        $response = $failure.Response
    }
    @{ request = $request; response = $response }
}

Function Get-WebAnswer {
    <#
    .SYNOPSIS
    One GET, with the proxy that this account has. It never throws: status is 0 and error set where no answer came.
    With -From the part that begins at that byte is asked for; 206 says that it came. With -Proxy (`host:port`) another proxy
    is asked, with an empty one none.

    .OUTPUTS
    A dictionary: status, content (text), length (bytes read), seconds (reading the body), milliseconds (all of it),
    final_url, issuer (of the certificate; empty over plain HTTP, null where Windows does not tell), error.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Uri,
        [int] $TimeoutSeconds = 20,
        [long] $MaximumBytes = 1MB,
        [double] $MaximumSeconds = 20,
        [long] $From = 0,
        [string] $Proxy
    )

    $answer = [ordered]@{
        status = 0
        content = ''
        length = 0
        seconds = 0.0
        milliseconds = 0
        final_url = $null
        issuer = $null
        error = $null
    }
    $total = [System.Diagnostics.Stopwatch]::StartNew()
    $response = $null
    try {
        Enable-Tls12
        $limit = @{ Timeout = $TimeoutSeconds * 1000; ReadTimeout = [int]($MaximumSeconds * 1000); From = $From }
        if ($PSBoundParameters.ContainsKey('Proxy')) {
            $limit['Proxy'] = $Proxy
        }
        $exchange = Open-WebExchange -Uri $Uri @limit
        $request = $exchange['request']
        $response = $exchange['response']
        $answer['status'] = [int]$response.StatusCode
        $answer['final_url'] = $response.ResponseUri.AbsoluteUri
        $answer['issuer'] = Get-CertificateIssuer -Request $request -Uri $response.ResponseUri

        $body = [System.IO.MemoryStream]::new()
        $buffer = New-Object -TypeName byte[] -ArgumentList 65536
        $stream = $response.GetResponseStream()
        $reading = [System.Diagnostics.Stopwatch]::StartNew()
        while ($body.Length -lt $MaximumBytes -and $reading.Elapsed.TotalSeconds -lt $MaximumSeconds) {
            $wanted = [int][Math]::Min([long]$buffer.Length, $MaximumBytes - $body.Length)
            $count = $stream.Read($buffer, 0, $wanted)
            if ($count -eq 0) {
                break
            }
            $body.Write($buffer, 0, $count)
        }
        $answer['seconds'] = [Math]::Round($reading.Elapsed.TotalSeconds, 3)
        $answer['length'] = [long]$body.Length
        $answer['content'] = (Get-PageEncoding -ContentType $response.ContentType).GetString($body.ToArray())
    }
    catch {
        $failure = Get-WebException -Exception $_.Exception
        $answer['status'] = 0
        if ($null -ne $failure) {
            $answer['error'] = "$($failure.Status): $($failure.Message)"
        }
        else {
            $answer['error'] = [string]$_.Exception.GetBaseException().Message
        }
    }
    finally {
        if ($null -ne $response) {
            $response.Close()
        }
        $answer['milliseconds'] = [int]$total.ElapsedMilliseconds
    }
    $answer
}

Function Enable-Tls12 {
    <#
    .SYNOPSIS
    Allows TLS 1.2 for .NET's requests in this process: an older Windows does not offer it by itself.
    #>
    [CmdletBinding()]
    param ()

    $allowed = [System.Net.ServicePointManager]::SecurityProtocol
    if ([int]$allowed -ne 0) {
        [System.Net.ServicePointManager]::SecurityProtocol = $allowed -bor [System.Net.SecurityProtocolType]::Tls12
    }
}

Function Get-WebException {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Exception] $Exception)

    $each = $Exception
    while ($null -ne $each -and $each -isnot [System.Net.WebException]) {
        $each = $each.InnerException
    }
    $each
}

Function Get-CertificateIssuer {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Net.HttpWebRequest] $Request,
        [Parameter(Mandatory)] [uri] $Uri
    )

    if ($Uri.Scheme -ne 'https') {
        return ''
    }
    $certificate = $Request.ServicePoint.Certificate
    if ($null -eq $certificate) {
        return $null
    }
    $certificate.Issuer
}

Function Get-PageEncoding {
    [CmdletBinding()]
    [OutputType([System.Text.Encoding])]
    param ([AllowNull()] [AllowEmptyString()] [string] $ContentType)

    if ($ContentType -match 'charset="?([A-Za-z0-9._-]+)') {
        try {
            return [System.Text.Encoding]::GetEncoding($Matches[1])
        }
        catch [System.ArgumentException] {
            return [System.Text.Encoding]::UTF8
        }
    }
    [System.Text.Encoding]::UTF8
}

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

    Add-WinHttp
    ConvertTo-ScriptAnswer -Proxies ([Interactor.WinHttp]::Ask($Script, $Uri, [int]($Seconds * 1000)))
}

Function Get-DetectedScript {
    <#
    .SYNOPSIS
    The address of the proxy script that Windows finds by itself in this network (WPAD): by DHCP's option 252, or by the DNS
    name `wpad`; empty for none. Throws where it is not found out in time, or Windows does not look.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [double] $Seconds)

    Add-WinHttp
    [Interactor.WinHttp]::Detect([int]($Seconds * 1000))
}

Function Add-WinHttp {
    [CmdletBinding()]
    param ()

    if ($null -eq ('Interactor.WinHttp' -as [type])) {
        Add-Type -TypeDefinition $script:WinHttp
    }
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

Function Open-Session {
    <#
    .SYNOPSIS
    A session of PowerShell beside this one, in this process: what runs there runs at the same time.
    #>
    [CmdletBinding()]
    [OutputType([System.Management.Automation.PowerShell])]
    param ()

    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    $session = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    $session.Open()
    $shell = [System.Management.Automation.PowerShell]::Create()
    $shell.Runspace = $session
    $shell
}

Function Wait-Session {
    <#
    .SYNOPSIS
    Waits for what runs in another session; whether it has ended in time.

    .PARAMETER Name
    What it is called; for those who only pretend to be Windows.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.IAsyncResult] $Running,
        [Parameter(Mandatory)] [double] $Seconds
    )

    Write-Verbose -Message "waiting for $Name"
    $Running.AsyncWaitHandle.WaitOne([int]($Seconds * 1000))
}

Function Get-TimeLeft {
    <#
    .SYNOPSIS
    What is left of so many seconds since a watch was started; none, or less, where they are over.
    #>
    [CmdletBinding()]
    [OutputType([double])]
    param (
        [Parameter(Mandatory)] [System.Diagnostics.Stopwatch] $Since,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $Seconds - $Since.Elapsed.TotalSeconds
}

Function Start-Exit {
    <#
    .SYNOPSIS
    Ends this process in so many seconds, whatever still runs in it: PowerShell does not end while another session of it waits
    for ever. Until then the answer goes out.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [int] $Seconds)

    $shell = Open-Session
    $null = $shell.AddScript('param ($Seconds) Start-Sleep -Seconds $Seconds; [System.Environment]::Exit(0)').AddArgument($Seconds)
    $null = $shell.BeginInvoke()
}

Function Clear-Memory {
    <#
    .SYNOPSIS
    Lets go of what nobody uses any more: a key of the registry that was read is held open until then.
    #>
    [CmdletBinding()]
    param ()

    [System.GC]::Collect()
    [System.GC]::WaitForPendingFinalizers()
}

Function Get-FolderAccess {
    <#
    .SYNOPSIS
    Who owns a folder, who is allowed something there, and who we are (own): each as a SID.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.Specialized.OrderedDictionary])]
    param ([Parameter(Mandatory)] [string] $Path)

    $sid = [System.Security.Principal.SecurityIdentifier]
    $acl = Get-Acl -LiteralPath $Path
    $rules = @($acl.GetAccessRules($true, $true, $sid) | Where-Object -FilterScript { "$($_.AccessControlType)" -eq 'Allow' })
    [ordered]@{
        owner = $acl.GetOwner($sid).Value
        allowed = @($rules | ForEach-Object -Process { $_.IdentityReference.Value } | Sort-Object -Unique)
        own = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    }
}

Export-ModuleMember -Function @(
    'Clear-Memory', 'Close-ProcessWindow', 'ConvertTo-ScriptAnswer', 'Copy-DurableFile', 'Enable-Tls12', 'Get-ClockOffset',
    'Get-DetectedScript', 'Get-FileLength', 'Get-FileSha256', 'Get-FolderAccess', 'Get-HostAddress', 'Get-MemoryUse',
    'Get-ScriptProxy', 'Get-Sha256', 'Get-TimeLeft', 'Get-WebAnswer', 'Get-WebException', 'Invoke-ProgramInTime', 'Lock-File',
    'Open-DurableWriter', 'Open-FileEnd', 'Open-Session', 'Open-SharedReader', 'Open-WebExchange', 'Read-ClockOffset',
    'Read-SharedText', 'Remove-WholeFile', 'Resolve-NativePath', 'Restart-ServiceInTime', 'Save-DurableWriter', 'Start-Exit',
    'Start-ServiceInTime', 'Stop-ServiceInTime', 'Test-ByteOrderMark', 'Test-InstallerService', 'Test-TlsServer',
    'Update-FileTime', 'Wait-Session', 'Write-DurableText'
)
