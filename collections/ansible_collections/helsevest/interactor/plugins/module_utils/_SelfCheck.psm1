# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The self-check of a PC that we do not reach: the probe's own functions for a client, as far as everybody may use them, a
# screen that tells what they found, and a file to send in (docs/selfcheck.md). No ansible-core is there: the module
# site_selfcheck_files puts this and what it needs into one script. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Computer
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Net
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Profiles
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._ProxyScripts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._SelfCheckJudge
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Colours = @{ green = 'Green'; yellow = 'Yellow'; red = 'Red' }
$script:Shell = 'HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders'

Function Invoke-SelfCheck {
    <#
    .SYNOPSIS
    Looks, shows and writes the file. Answers 0 where nothing is red, 1 where something is, 2 where there is no file.

    .PARAMETER Data
    What was built in, as JSON: contract, words, version, mail.

    .PARAMETER Client
    The names of the site's PCs in the register, with commas between them; of several somebody is asked which this is.

    .PARAMETER Folder
    Where the file shall lie; on the desktop where that cannot be.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param (
        [Parameter(Mandatory)] [string] $Data,
        [Parameter(Mandatory)] [string] $Site,
        [Parameter(Mandatory)] [string] $Client,
        [Parameter(Mandatory)] [string] $Folder
    )

    $built = ConvertFrom-StrictJson -Text $Data
    $words = $built['words']
    $name = Select-Client -Client $Client.Split(',') -Words $words
    Show-Line -Text $words['title'].Replace('{site}', $Site).Replace('{client}', $name)
    Show-Line -Text $words['working']
    $fact = Get-SelfCheckFact -Contract $built['contract']
    $found = @(Get-SelfCheckColour -Fact $fact -Contract $built['contract'] -Rule $built['rules'])
    Show-Finding -Found $found -Words $words
    $text = ConvertTo-SelfCheckFile -Fact $fact -Site $Site -Client $name -Version $built['version']
    $stamp = (Get-Date).ToString('yyyyMMdd-HHmmss', [System.Globalization.CultureInfo]::InvariantCulture)
    $path = Save-SelfCheck -Text $text -Name "selvsjekk-$Site-$name-$stamp.json" -Folder $Folder
    if (-not $path) {
        Show-Line -Text $words['unwritten'] -Colour 'Red'
        return 2
    }
    Show-Line -Text $words['send'].Replace('{file}', $path).Replace('{mail}', $built['mail'])
    [int](@($found | Where-Object -FilterScript { $_['colour'] -eq 'red' }).Count -gt 0)
}

Function Show-Line {
    [CmdletBinding()]
    param (
        [AllowEmptyString()] [string] $Text = '',
        [string] $Colour = 'Gray'
    )

    Write-Host -Object $Text -ForegroundColor $Colour
}

Function Show-Finding {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [object[]] $Found,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Words
    )

    $worst = 'green'
    Show-Line
    foreach ($each in $Found) {
        $colour = $each['colour']
        # The word too, for not everybody sees the colours apart.
        Show-Line -Text "[$($Words['marks'][$colour])] $($Words['checks'][$each['id']])" -Colour $script:Colours[$colour]
        if ($each['code']) {
            $text = $Words['remedies'][$each['code']]
            foreach ($name in $each['values'].Keys) {
                $text = $text.Replace("{$name}", [string]$each['values'][$name])
            }
            Show-Line -Text "        $text"
        }
        if ($colour -eq 'red' -or ($colour -eq 'yellow' -and $worst -eq 'green')) {
            $worst = $colour
        }
    }
    Show-Line
    Show-Line -Text $Words['conclusions'][$worst] -Colour $script:Colours[$worst]
}

Function Select-Client {
    <#
    .SYNOPSIS
    The name of this PC in the register: the only one, or the one whose number somebody types.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [string[]] $Client,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Words
    )

    if ($Client.Count -eq 1) {
        return $Client[0]
    }
    Show-Line -Text $Words['which']
    foreach ($number in 1..$Client.Count) {
        Show-Line -Text "  $number  $($Client[$number - 1])"
    }
    while ($true) {
        $typed = ([string](Read-Host -Prompt $Words['number'])).Trim()
        if ($typed -match '^[0-9]{1,4}$' -and [int]$typed -ge 1 -and [int]$typed -le $Client.Count) {
            return $Client[[int]$typed - 1]
        }
        if ($Client -contains $typed) {
            return @($Client | Where-Object -FilterScript { $_ -eq $typed })[0]
        }
    }
}

Function Get-SelfCheckFact {
    <#
    .SYNOPSIS
    The facts of a client (docs/contracts.md), as far as whoever is signed in may know them, and nothing that tells who or
    which computer that is.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    $page = [string[]]@('P1')
    $told = Get-HostFact
    $told['name'] = $null
    $told['addresses'] = $null
    $proxy = Get-OwnProxySetting
    $of = @{ Script = $proxy['scripts']; Way = $proxy['ways']; Detect = $proxy['detects'] }
    $scripts = Get-ScriptFact -Contract $Contract -Page $page -Seconds 10 @of
    $proxy['facts']['detected'] = $scripts['detected']
    $proxy['facts']['scripts'] = $scripts['scripts']
    $pages = [System.Collections.Generic.List[object]]::new()
    foreach ($each in (Get-DirectFact -Contract $Contract -Page $page -Seconds 10)) {
        $pages.Add($each)
    }
    $pages.AddRange($scripts['pages'])
    $speed = @{
        Url = Get-ContractValue -Contract $Contract -Path 'speed.url'
        Bytes = Get-ContractValue -Contract $Contract -Path 'speed.bytes'
        Seconds = Get-ContractValue -Contract $Contract -Path 'speed.seconds'
        Samples = Get-ContractValue -Contract $Contract -Path 'speed.samples'
    }
    $fact = [ordered]@{
        probe = 3
        host = $told
        clock = Get-ClockFact -Server (Get-ContractValue -Contract $Contract -Path 'clock.server') -Seconds 3
        interactor = $null
        dns = Find-Fact -Block { , (Get-NameFact -Contract $Contract -Seconds 4) }
        tls = Find-Fact -Block { Get-TlsFact -Contract $Contract -Seconds 10 }
        pages = $pages
        speed = Get-SpeedFact @speed
        proxy = $proxy['facts']
        power = $null
        overdue = [System.Collections.Generic.List[object]]::new()
        seconds = [Math]::Round($since.Elapsed.TotalSeconds, 1)
    }
    Hide-EveryPerson -InputObject $fact
}

Function Hide-EveryPerson {
    <#
    .SYNOPSIS
    The same without what tells who somebody is, in dictionaries and lists of its own: Windows PowerShell writes some arrays
    as objects.
    #>
    [CmdletBinding()]
    param ([AllowNull()] [object] $InputObject)

    if ($InputObject -is [string]) {
        return Hide-Person -Text $InputObject
    }
    if ($InputObject -is [System.Collections.IDictionary]) {
        $map = [ordered]@{}
        foreach ($name in $InputObject.Keys) {
            $map[$name] = Hide-EveryPerson -InputObject $InputObject[$name]
        }
        return $map
    }
    if ($InputObject -is [System.Collections.IList]) {
        $list = [System.Collections.Generic.List[object]]::new()
        foreach ($item in $InputObject) {
            $list.Add((Hide-EveryPerson -InputObject $item))
        }
        return , $list
    }
    $InputObject
}

Function ConvertTo-SelfCheckFile {
    <#
    .SYNOPSIS
    The file's text; the facts are a text in it, for the checksum is of just these characters.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Fact,
        [Parameter(Mandatory)] [string] $Site,
        [Parameter(Mandatory)] [string] $Client,
        [Parameter(Mandatory)] [string] $Version
    )

    $made = $Fact['host']['utc']
    if ($null -eq $made) {
        $made = Format-Moment -Moment (Get-Date)
    }
    $facts = ConvertTo-Json -InputObject $Fact -Depth 20 -Compress
    $file = [ordered]@{ selfcheck = 1; version = $Version; site = $Site; client = $Client; made_at = $made; facts = $facts }
    $file['checksum'] = Get-Sha256 -Text (@($Version, $Site, $Client, $made, $facts) -join "`n")
    ConvertTo-Json -InputObject $file
}

Function Save-SelfCheck {
    <#
    .SYNOPSIS
    Writes the file into the folder, or onto the desktop where that cannot be written to; its path, or nothing.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [string] $Text,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [string] $Folder
    )

    foreach ($place in @($Folder, (Get-RegistryValue -Key $script:Shell -Name 'Desktop'))) {
        if (-not $place) {
            continue
        }
        $path = Join-Path -Path $place -ChildPath $Name
        try {
            Write-DurableText -Path $path -Text $Text
            return $path
        }
        catch {
            Write-Verbose -Message "$place cannot be written to"
        }
    }
    ''
}

Export-ModuleMember -Function @('Invoke-SelfCheck')
