# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# A download that goes on where it ended. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Receive-WebFile {
    <#
    .SYNOPSIS
    Fetches a file, or goes on where an earlier call ended, for at most so many seconds. It never throws.

    .DESCRIPTION
    Beside the part that is there stand its length when whole and the server's ETag or Last-Modified, in a file with the
    end .note: where they are others by now, the server answers another range than was asked for, or the part is too
    long, it starts over. What has arrived is on the disk when this ends.

    .OUTPUTS
    A dictionary: whole (bool), length and total (bytes; total is null where the server does not tell), received (bytes
    of this call), error (null where the time was up, or all is there).
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [double] $MaximumSeconds
    )

    $answer = [ordered]@{ whole = $false; length = [long]0; total = $null; received = [long]0; error = $null }
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $exchange = $null
    try {
        Enable-Tls12
        for ($try = 1; $try -le 2; $try++) {
            $note = Read-PartNote -Path $Path
            $answer['length'] = Get-FileLength -Path $Path
            if ($null -ne $note['total'] -and $answer['length'] -eq $note['total']) {
                $answer['total'] = $note['total']
                $answer['whole'] = $true
                return $answer
            }
            $exchange = Open-WebRange -Uri $Uri -From $answer['length']
            if (Test-WebRange -Exchange $exchange -From $answer['length'] -Note $note) {
                break
            }
            Close-WebRange -Exchange $exchange
            $exchange = $null
            if ($answer['length'] -eq 0) {
                throw 'it does not send the file from its start'
            }
            Remove-WholeFile -Path $Path
        }
        if ($exchange['status'] -notin 200, 206) {
            throw "it answers $($exchange['status'])"
        }
        if ($exchange['status'] -eq 200) {
            # First what the bytes belong to, then the bytes.
            Remove-WholeFile -Path $Path
            Write-DurableText -Path "$Path.note" -Text "$($exchange['total'])`n$($exchange['tag'])"
            $answer['length'] = [long]0
        }
        $answer['total'] = $exchange['total']
        $file = Open-FileEnd -Path $Path
        try {
            $buffer = New-Object -TypeName byte[] -ArgumentList 262144
            $stream = $exchange['response'].GetResponseStream()
            $count = -1
            while ($count -ne 0 -and $clock.Elapsed.TotalSeconds -lt $MaximumSeconds) {
                $count = $stream.Read($buffer, 0, $buffer.Length)
                $file.Write($buffer, 0, $count)
                $answer['length'] += $count
                $answer['received'] += $count
            }
            $answer['whole'] = $count -eq 0
        }
        finally {
            $file.Flush($true)
            $file.Dispose()
        }
        if ($null -ne $answer['total']) {
            if ($answer['whole'] -and $answer['length'] -lt $answer['total']) {
                throw 'the line broke'
            }
            $answer['whole'] = $answer['length'] -eq $answer['total']
        }
    }
    catch {
        $answer['whole'] = $false
        $failure = Get-WebException -Exception $_.Exception
        $answer['error'] = [string]$_.Exception.GetBaseException().Message
        if ($null -ne $failure) {
            $answer['error'] = "$($failure.Status): $($failure.Message)"
        }
    }
    finally {
        if ($null -ne $exchange) {
            Close-WebRange -Exchange $exchange
        }
    }
    $answer
}

Function Read-PartNote {
    <#
    .SYNOPSIS
    What stands beside a part: total (null where it is not known) and tag.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    $note = @{ total = $null; tag = '' }
    $text = Read-SharedText -Path "$Path.note"
    if ($text -match '(?s)^(\d*)\n(.*)$') {
        $note['tag'] = $Matches[2]
        if ($Matches[1]) {
            $note['total'] = [long]$Matches[1]
        }
    }
    $note
}

Function Open-WebRange {
    <#
    .SYNOPSIS
    Asks for a file from a byte on: request, response, status, tag, total (bytes of the whole, null where it is not told)
    and first (the byte that the answer begins with). A status that says no is an answer; no answer throws.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [long] $From
    )

    $exchange = Open-WebExchange -Uri $Uri -Timeout 30000 -ReadTimeout 30000 -From $From
    $response = $exchange['response']
    $exchange['status'] = [int]$response.StatusCode
    $exchange['tag'] = "$($response.Headers['ETag'])"
    $exchange['first'] = [long]0
    $exchange['total'] = $null
    if (-not $exchange['tag']) {
        $exchange['tag'] = "$($response.Headers['Last-Modified'])"
    }
    if ("$($response.Headers['Content-Range'])" -match '^bytes (\d+)-\d+/(\d+|\*)$') {
        $exchange['first'] = [long]$Matches[1]
        if ($Matches[2] -ne '*') {
            $exchange['total'] = [long]$Matches[2]
        }
    }
    elseif ($exchange['status'] -eq 200 -and $response.ContentLength -ge 0) {
        $exchange['total'] = [long]$response.ContentLength
    }
    $exchange
}

Function Test-WebRange {
    <#
    .SYNOPSIS
    Whether an answer can be taken with the part that is there; if not, it has to be started over.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [hashtable] $Exchange,
        [Parameter(Mandatory)] [long] $From,
        [Parameter(Mandatory)] [hashtable] $Note
    )

    if ($Exchange['status'] -eq 206) {
        $same = $Exchange['tag'] -ceq $Note['tag'] -and ($null -eq $Note['total'] -or $Exchange['total'] -eq $Note['total'])
        return $From -gt 0 -and $Exchange['first'] -eq $From -and $same
    }
    $Exchange['status'] -ne 416
}

Function Close-WebRange {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [hashtable] $Exchange)

    # To close an answer that is not read to its end would read it to its end.
    $Exchange['request'].Abort()
    $Exchange['response'].Close()
}

Export-ModuleMember -Function @('Receive-WebFile')
