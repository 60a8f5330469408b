# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Automatic proxy scripts (P5): which are named in a computer's settings, what each says, and what Windows makes of it.
# Windows PowerShell 5.1 must run it. A time limit is that of all that a function asks.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:NoTime = 'no time was left to ask'
$script:ScriptCharacters = 65536
$script:MostScripts = 6
# So long automatic detection may take: where nobody answers, as in most networks, it waits for all of it.
$script:DetectSeconds = 4
# Settings in a binary form: where the flags and the first text stand, and two of the flags.
$script:FlagsAt = 8
$script:TextsAt = 12
$script:ScriptTick = 4
$script:DetectTick = 8

Function Get-NamedScript {
    <#
    .SYNOPSIS
    Every script that a view of the facts names, each once: first those by which programs go, then those of connections that
    are dialled, of the machine where it is nobody's, and of services.

    .OUTPUTS
    A dictionary: scripts, ways, detects.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Fact)

    $ways = [System.Collections.Generic.List[string]]::new()
    $others = [System.Collections.Generic.List[string]]::new()
    $detects = $false
    foreach ($each in @($Fact['profiles']) + $Fact['machine']) {
        if ($null -eq $each) {
            continue
        }
        $counts = $each.Contains('profile') -or $Fact['per_machine'] -eq $true
        $read = Read-NamedScript -Byte $each['connections']
        $detects = $detects -or ($counts -and $read['detects'])
        if ($counts) {
            $ways.Add($read['script'])
        }
        $ways.Add([string]$each['auto_config_url'])
        $others.Add($read['script'])
        $others.Add((Read-NamedScript -Byte $each['saved'])['script'])
    }
    if ($Fact['winhttp'] -is [byte[]]) {
        $others.Add((Read-NamedScript -Byte $Fact['winhttp'])['script'])
    }
    @{
        scripts = [string[]]@(@($ways) + @($others) | Where-Object -FilterScript { $_ } | Select-Object -Unique)
        ways = [string[]]@($ways | Where-Object -FilterScript { $_ } | Select-Object -Unique)
        detects = $detects
    }
}

Function Read-NamedScript {
    <#
    .SYNOPSIS
    What settings in a binary form have ticked: script (its address or empty), detects (automatic detection). Of bytes that
    are something else: nothing.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [AllowNull()] [AllowEmptyCollection()] [byte[]] $Byte)

    $told = @{ script = ''; detects = $false }
    if ($null -eq $Byte -or $Byte.Length -lt $script:TextsAt) {
        return $told
    }
    $flags = [System.BitConverter]::ToUInt32($Byte, $script:FlagsAt)
    $told['detects'] = ($flags -band $script:DetectTick) -ne 0
    $start = 0
    $length = 0
    $next = $script:TextsAt
    # The script is the third text.
    for ($text = 0; $text -lt 3; $text++) {
        $start = $next + 4
        if ($start -gt $Byte.Length) {
            return $told
        }
        $length = [System.BitConverter]::ToUInt32($Byte, $next)
        if ($length -gt $Byte.Length - $start) {
            return $told
        }
        $next = $start + $length
    }
    $address = [System.Text.Encoding]::GetEncoding(28591).GetString($Byte, $start, $length)
    if (($flags -band $script:ScriptTick) -ne 0 -and $address -notmatch '[\x00-\x1f]') {
        $told['script'] = $address
    }
    $told
}

Function Get-ScriptFact {
    <#
    .SYNOPSIS
    Proxy scripts: what each says, what WinHTTP makes of it for the contract's pages, and these by the proxy that it names.

    .PARAMETER Way
    Those of the scripts by which pages are asked for.

    .PARAMETER Detect
    Whether the script that automatic detection finds is asked for as well, after the others: it may take its time.

    .OUTPUTS
    A dictionary: detected, scripts, pages (all as docs/contracts.md has them).
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string[]] $Page,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [string[]] $Script,
        [AllowEmptyCollection()] [string[]] $Way = $Script,
        [bool] $Detect = $false,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $told = @{
        detected = $null
        scripts = [System.Collections.Generic.List[object]]::new()
        pages = [System.Collections.Generic.List[object]]::new()
    }
    $of = @{ Told = $told; Contract = $Contract; Page = $Page; Since = $since; Seconds = $Seconds }
    $asked = [System.Collections.Generic.Dictionary[string, object]]::new([System.StringComparer]::Ordinal)
    foreach ($url in ($Script | Select-Object -First $script:MostScripts)) {
        $asked[$url] = Add-ScriptFact -Uri $url @of
        if ($Way -ccontains $url) {
            Add-ScriptPage -Fact $asked[$url] @of
        }
    }
    foreach ($url in ($Script | Select-Object -Skip $script:MostScripts)) {
        $fact = New-ScriptFact -Uri $url
        $fact['error'] = "no more than $script:MostScripts scripts are asked for"
        $told['scripts'].Add($fact)
    }
    if ($Detect) {
        $found = Get-DetectionFact -Seconds ([Math]::Min($script:DetectSeconds, (Get-TimeLeft -Since $since -Seconds $Seconds)))
        $url = $found['url']
        if ($null -ne $url) {
            if (-not $asked.ContainsKey($url)) {
                $asked[$url] = Add-ScriptFact -Uri $url @of
            }
            # Where there is no script, or what is there is none, Windows goes on: nobody asks for a page by it.
            $failed = @($asked[$url]['answers'] | Where-Object -FilterScript { $null -ne $_['error'] }).Count -gt 0
            $there = $asked[$url]['status'] -eq 200 -and $asked[$url]['characters'] -gt 0
            if ($Way -cnotcontains $url -and $there -and -not $failed) {
                Add-ScriptPage -Fact $asked[$url] @of
            }
            $found['url'] = $asked[$url]['url']
        }
        $told['detected'] = $found
    }
    $told
}

Function Add-ScriptFact {
    <#
    .SYNOPSIS
    Adds a script, with what WinHTTP makes of it, to what is told already, and answers it.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Told,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string[]] $Page,
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [System.Diagnostics.Stopwatch] $Since,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $fact = Read-ProxyScript -Uri $Uri -Seconds (Get-TimeLeft -Since $Since -Seconds $Seconds)
    $Told['scripts'].Add($fact)
    foreach ($id in $Page) {
        $left = Get-TimeLeft -Since $Since -Seconds $Seconds
        $answer = Get-ScriptAnswer -Script $Uri -Uri (Get-ContractValue -Contract $Contract -Path "pages.$id.url") -Seconds $left
        $fact['answers'].Add($answer)
    }
    $fact
}

Function Add-ScriptPage {
    <#
    .SYNOPSIS
    Adds the pages as a script says, by the proxy that WinHTTP has named for each, to what is told already.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Told,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string[]] $Page,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [System.Diagnostics.Stopwatch] $Since,
        [Parameter(Mandatory)] [double] $Seconds
    )

    foreach ($place in 0..($Page.Count - 1)) {
        $answer = $Fact['answers'][$place]
        $way = @{ Way = 'script'; Script = $Fact['url']; Proxy = ''; Problem = $answer['error'] }
        if ($answer['proxy'] -match '^(?:PROXY|HTTPS?) ([^;\s]+)') {
            $way['Proxy'] = $Matches[1]
        }
        $left = Get-TimeLeft -Since $Since -Seconds $Seconds
        $Told['pages'].Add((Get-PageFact -Contract $Contract -Id $Page[$place] -Seconds $left @way))
    }
}

Function Get-DetectionFact {
    <#
    .SYNOPSIS
    The address that automatic detection finds, as it is; $null for none.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [double] $Seconds)

    $fact = [ordered]@{ url = $null; error = $null }
    if ($Seconds -le 0) {
        $fact['error'] = $script:NoTime
        return $fact
    }
    try {
        $found = Get-DetectedScript -Seconds $Seconds
        if ($found) {
            $fact['url'] = $found
        }
    }
    catch {
        $fact['error'] = "WinHTTP: $($_.Exception.GetBaseException().Message)"
    }
    $fact
}

Function New-ScriptFact {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Uri)

    [ordered]@{
        url = Hide-Person -Text $Uri
        status = 0
        text = $null
        characters = $null
        error = $null
        answers = [System.Collections.Generic.List[object]]::new()
    }
}

Function Read-ProxyScript {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $fact = New-ScriptFact -Uri $Uri
    if ($Uri -notmatch '^(?i)https?://') {
        $fact['error'] = 'it is no address of the web'
    }
    elseif ($Seconds -le 0) {
        $fact['error'] = $script:NoTime
    }
    else {
        # Who asks for a proxy script has no proxy yet.
        $answer = Get-WebAnswer -Uri $Uri -Proxy '' -TimeoutSeconds ([Math]::Ceiling($Seconds)) -MaximumSeconds $Seconds
        $fact['status'] = $answer['status']
        $fact['error'] = $answer['error']
        if ($answer['status'] -ne 0) {
            $fact['characters'] = ([string]$answer['content']).Length
            # A part of a script is another script: of one that is too long its length alone is told.
            if ($fact['characters'] -le $script:ScriptCharacters) {
                $fact['text'] = [string]$answer['content']
            }
        }
    }
    $fact
}

Function Get-ScriptAnswer {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Script,
        [Parameter(Mandatory)] [string] $Uri,
        [Parameter(Mandatory)] [double] $Seconds
    )

    $answer = [ordered]@{ url = $Uri; proxy = $null; error = $null }
    if ($Seconds -le 0) {
        $answer['error'] = $script:NoTime
        return $answer
    }
    try {
        $answer['proxy'] = Get-ScriptProxy -Script $Script -Uri $Uri -Seconds $Seconds
    }
    catch {
        $answer['error'] = "WinHTTP: $($_.Exception.GetBaseException().Message)"
    }
    $answer
}

Export-ModuleMember -Function @('Get-NamedScript', 'Get-ScriptFact')
