# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Which proxy everybody and everything on a computer has (P5): all profiles, also of those who are not signed in, the
# machine's own settings, WinHTTP's and the environment's. Nothing that tells who somebody is leaves this file unmasked.
# Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._ProxyScripts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Machine = 'HKEY_LOCAL_MACHINE'
$script:Users = 'HKEY_USERS'
$script:Internet = 'Microsoft\Windows\CurrentVersion\Internet Settings'
$script:Accounts = "$script:Machine\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
# People, of a domain, of the machine itself or of Entra ID; services and Windows' own accounts have others.
$script:Person = '^S-1-(5-21|12-1)-[0-9-]+'
# What a copied hive is called while it is loaded, and the folder that holds it.
$script:Copy = 'InteractorProbe-'
$script:Temporary = 0x800

Function Get-ProxySetting {
    <#
    .SYNOPSIS
    The part `proxy` of the facts but for its scripts, and what there is to ask of these.

    .PARAMETER Seconds
    How long copies of hives are made and loaded; of a profile that is not looked at in time its error says so.

    .OUTPUTS
    A dictionary: facts (masked), scripts (addresses, each once, to be asked and not to be told), ways (those of them by
    which programs go, so that pages are asked for as they say), detects (whether somebody has ticked automatic detection).
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [double] $Seconds)

    Join-ProxySetting -UserProfile (Find-Fact -Block { , (Get-ProfileFact -Seconds $Seconds) })
}

Function Get-OwnProxySetting {
    <#
    .SYNOPSIS
    The same with the profile of whoever runs this alone, which needs no rights that not everybody has.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ()

    Join-ProxySetting -UserProfile (Find-Fact -Block { , (Get-OwnProfileFact) })
}

Function Join-ProxySetting {
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([AllowNull()] [object] $UserProfile)

    $policy = "$script:Machine\SOFTWARE\Policies\$script:Internet"
    $environment = "$script:Machine\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    $machine = "$script:Machine\SOFTWARE\$script:Internet"
    $facts = [ordered]@{
        profiles = $UserProfile
        per_machine = Find-Fact -Block { (Get-RegistryValue -Key $policy -Name 'ProxySettingsPerUser') -eq 0 }
        machine = Get-PolicySetting -Key $machine -Policy $policy
        winhttp = Get-BinaryFact -Key "$machine\Connections" -Name 'WinHttpSettings' -Absent ''
        environment = [ordered]@{}
    }
    $facts['machine'].Remove('policy')
    foreach ($name in 'http_proxy', 'https_proxy', 'no_proxy') {
        $facts['environment'][$name] = Find-Fact -Block { Get-RegistryValue -Key $environment -Name $name }
    }
    $told = Get-NamedScript -Fact $facts
    foreach ($each in @($UserProfile) + $facts['machine'] + $facts['environment'] + $facts) {
        Protect-Fact -Fact $each
    }
    $told['facts'] = $facts
    $told
}

Function Get-ProfileFact {
    <#
    .SYNOPSIS
    The Internet Options of every profile, numbered; who that is stays here.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [double] $Seconds)

    $since = [System.Diagnostics.Stopwatch]::StartNew()
    Clear-CopiedHive
    $loaded = @(Get-RegistryName -Key $script:Users | Where-Object -FilterScript { $_ -match "$script:Person`$" })
    $known = @(Get-RegistryName -Key $script:Accounts | Where-Object -FilterScript { $_ -match "$script:Person(\.bak)?`$" })
    $accounts = [System.Collections.Generic.SortedDictionary[string, bool]]::new([System.StringComparer]::Ordinal)
    foreach ($account in $loaded + $known) {
        $accounts[$account] = $loaded -contains $account
    }
    $profiles = [System.Collections.Generic.List[object]]::new()
    foreach ($account in $accounts.Keys) {
        $fact = [ordered]@{
            profile = $profiles.Count + 1
            kind = Find-Fact -Block { Get-ProfileKind -Account $account }
            loaded = $accounts[$account]
        }
        $told = @{ error = $null; settings = Get-UnknownSetting }
        if ($accounts[$account]) {
            $told['settings'] = Get-UserSetting -Hive "$script:Users\$account"
        }
        elseif ((Get-TimeLeft -Since $since -Seconds $Seconds) -le 0) {
            $told['error'] = 'no time was left to look'
        }
        else {
            $told = Get-CopiedSetting -Account $account -Name "$script:Copy$([guid]::NewGuid())"
        }
        foreach ($name in $told['settings'].Keys) {
            $fact[$name] = $told['settings'][$name]
        }
        $fact['error'] = $told['error']
        $profiles.Add($fact)
    }
    , $profiles
}

Function Get-OwnProfileFact {
    <#
    .SYNOPSIS
    The Internet Options of whoever runs this, as the only profile; which kind it is only its account could tell.
    #>
    [CmdletBinding()]
    param ()

    $fact = [ordered]@{ profile = 1; kind = $null; loaded = $true }
    $settings = Get-UserSetting -Hive 'HKEY_CURRENT_USER'
    foreach ($name in $settings.Keys) {
        $fact[$name] = $settings[$name]
    }
    $fact['error'] = $null
    $profiles = [System.Collections.Generic.List[object]]::new()
    $profiles.Add($fact)
    , $profiles
}

Function Get-ProfileKind {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Account)

    if ($Account.EndsWith('.bak', [System.StringComparison]::Ordinal)) {
        return 'backup'
    }
    if (([int](Get-RegistryValue -Key "$script:Accounts\$Account" -Name 'State') -band $script:Temporary) -ne 0) {
        return 'temporary'
    }
    if (Get-RegistryValue -Key "$script:Accounts\$Account" -Name 'CentralProfile') {
        return 'roaming'
    }
    'local'
}

Function Get-CopiedSetting {
    <#
    .SYNOPSIS
    The Internet Options of a profile that is not loaded, from a copy of its hive, which is gone afterwards in any case.

    .PARAMETER Name
    What the copy is called while it is loaded.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Account,
        [Parameter(Mandatory)] [string] $Name
    )

    $told = @{ error = $null; settings = Get-UnknownSetting }
    $folder = Join-Path -Path $env:TEMP -ChildPath $Name
    try {
        $original = Get-RegistryValue -Key "$script:Accounts\$Account" -Name 'ProfileImagePath'
        if (-not $original -or -not (Test-Path -LiteralPath (Join-Path -Path $original -ChildPath 'NTUSER.DAT'))) {
            $told['error'] = 'there is no NTUSER.DAT'
            return $told
        }
        $null = New-Item -Path $folder -ItemType Directory
        # With what Windows has written beside it and not yet into it.
        $files = @(Get-ChildItem -LiteralPath $original -File -Force |
                Where-Object -FilterScript { $_.Name -match '^NTUSER\.DAT(\.LOG[0-9]*)?$' })
        foreach ($file in $files) {
            Copy-Item -LiteralPath $file.FullName -Destination (Join-Path -Path $folder -ChildPath $file.Name)
        }
        $null = reg.exe load "HKU\$Name" (Join-Path -Path $folder -ChildPath 'NTUSER.DAT')
        if ($LASTEXITCODE -ne 0) {
            $told['error'] = "the copy of its NTUSER.DAT could not be loaded (code $LASTEXITCODE)"
            return $told
        }
        $told['settings'] = Get-UserSetting -Hive "$script:Users\$Name"
    }
    catch {
        # What .NET says would name the folder, and so the account.
        $told['error'] = "its NTUSER.DAT could not be copied ($($_.Exception.GetBaseException().GetType().Name))"
    }
    finally {
        Close-CopiedHive -Name $Name
    }
    $told
}

Function Close-CopiedHive {
    <#
    .SYNOPSIS
    Unloads a copy, if it is loaded, and removes it; a copy that cannot go now goes before the next probe's copies.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Name)

    $folder = Join-Path -Path $env:TEMP -ChildPath $Name
    try {
        if (Test-RegistryKey -Key "$script:Users\$Name") {
            # A key that has been looked at is held open until the memory is tidied up.
            Clear-Memory
            $null = reg.exe unload "HKU\$Name"
            if ($LASTEXITCODE -ne 0) {
                return
            }
        }
        if (Test-Path -LiteralPath $folder) {
            Remove-Item -LiteralPath $folder -Recurse -Force
        }
    }
    catch {
        Write-Verbose -Message "$Name stays until the next probe"
    }
}

Function Clear-CopiedHive {
    <#
    .SYNOPSIS
    Removes the copies that a probe has left behind which was cut off.
    #>
    [CmdletBinding()]
    param ()

    $names = @(Get-RegistryName -Key $script:Users)
    if ($env:TEMP -and (Test-Path -LiteralPath $env:TEMP)) {
        $names += @(Get-ChildItem -LiteralPath $env:TEMP -Name)
    }
    # Another probe may be at work on this computer: only what is older than any probe works is nobody's.
    foreach ($name in ($names | Where-Object -FilterScript { $_ -like "$script:Copy*" } | Sort-Object -Unique)) {
        if (Test-LeftCopy -Name $name) {
            Close-CopiedHive -Name $name
        }
    }
}

Function Test-LeftCopy {
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [string] $Name)

    $folder = Join-Path -Path $env:TEMP -ChildPath $Name
    if (-not (Test-Path -LiteralPath $folder)) {
        return $true
    }
    (Get-Date).ToUniversalTime() - (Get-Item -LiteralPath $folder -Force).LastWriteTimeUtc -gt [timespan]'00:05:00'
}

Function Get-UserSetting {
    <#
    .SYNOPSIS
    The Internet Options in a person's hive.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Hive)

    Get-PolicySetting -Key "$Hive\Software\$script:Internet" -Policy "$Hive\Software\Policies\$script:Internet"
}

Function Get-PolicySetting {
    <#
    .SYNOPSIS
    The Internet Options of a key; what a policy says of them comes before what is set.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Key,
        [Parameter(Mandatory)] [string] $Policy
    )

    $settings = Get-SettingFact -Key $Key
    $set = Get-SettingFact -Key $Policy
    $settings['policy'] = $false
    foreach ($name in 'proxy_enable', 'proxy_server', 'proxy_override', 'auto_config_url') {
        if ($null -ne $set[$name]) {
            $settings[$name] = $set[$name]
            $settings['policy'] = $true
        }
    }
    $settings
}

Function Get-SettingFact {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Key)

    [ordered]@{
        proxy_enable = Find-Fact -Block { Get-RegistryValue -Key $Key -Name 'ProxyEnable' }
        proxy_server = Find-Fact -Block { Get-RegistryValue -Key $Key -Name 'ProxyServer' }
        proxy_override = Find-Fact -Block { Get-RegistryValue -Key $Key -Name 'ProxyOverride' }
        auto_config_url = Find-Fact -Block { Get-RegistryValue -Key $Key -Name 'AutoConfigURL' }
        connections = Get-BinaryFact -Key "$Key\Connections" -Name 'DefaultConnectionSettings'
        saved = Get-BinaryFact -Key "$Key\Connections" -Name 'SavedLegacySettings'
    }
}

Function Get-UnknownSetting {
    [CmdletBinding()]
    param ()

    [ordered]@{
        proxy_enable = $null
        proxy_server = $null
        proxy_override = $null
        auto_config_url = $null
        connections = $null
        saved = $null
        policy = $null
    }
}

Function Get-BinaryFact {
    <#
    .SYNOPSIS
    A binary value as bytes, which Protect-Fact writes; $null where it cannot be read.

    .PARAMETER Absent
    What is told where there is none; by default that is $null as well.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Key,
        [Parameter(Mandatory)] [string] $Name,
        [object] $Absent = $null
    )

    Find-Fact -Block {
        $binary = Get-RegistryValue -Key $Key -Name $Name
        if ($null -eq $binary) {
            $Absent
        }
        else {
            , [byte[]]$binary
        }
    }
}

Function Protect-Fact {
    <#
    .SYNOPSIS
    Masks every text of a dictionary, and what is binary, which it writes in hex in lower case.
    #>
    [CmdletBinding()]
    param ([AllowNull()] [System.Collections.IDictionary] $Fact)

    if ($null -eq $Fact) {
        return
    }
    foreach ($name in @($Fact.Keys)) {
        if ($Fact[$name] -is [string]) {
            $Fact[$name] = Hide-Person -Text $Fact[$name]
        }
        elseif ($Fact[$name] -is [byte[]]) {
            $masked = Hide-PersonInByte -Byte $Fact[$name]
            $Fact[$name] = [System.BitConverter]::ToString($masked).Replace('-', '').ToLowerInvariant()
        }
    }
}

Export-ModuleMember -Function @('Get-OwnProxySetting', 'Get-ProxySetting', 'Hide-Person')
