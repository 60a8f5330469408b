# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Which of the users' proxy settings are to be changed (P5), and which are left and why. Windows PowerShell 5.1 must run it.
# docs/decisions/0027-remediation.md tells why a script that is there stays, and why nobody's hive is loaded.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Connection
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Setting

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Internet = 'Microsoft\Windows\CurrentVersion\Internet Settings'
$script:Panel = 'Software\Policies\Microsoft\Internet Explorer\Control Panel'
$script:People = '^S-1-(5-21|12-1)-[0-9-]+(\.bak)?$'
$script:Manual = 2
$script:Automatic = 4
# What a policy may say of the proxy, and how its editor calls that.
$script:Policies = @(
    @{
        key = "Software\Policies\$($script:Internet)"
        names = @('ProxyEnable', 'ProxyServer', 'ProxyOverride', 'AutoConfigURL')
        title = 'Internet Settings'
    }
    @{ key = $script:Panel; names = @('Proxy'); title = 'Prevent changing proxy settings' }
    @{ key = $script:Panel; names = @('Autoconfig'); title = 'Disable changing Automatic Configuration settings' }
)

Function Add-Left {
    <#
    .SYNOPSIS
    Tells what is left as it is, and why.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left,
        [Parameter(Mandatory)] [string] $Check,
        [Parameter(Mandatory)] [string] $What,
        [Parameter(Mandatory)] [string] $Why
    )

    $Left.Add([ordered]@{ check = $Check; what = (Hide-Person -Text $What); why = (Hide-Person -Text $Why) })
}

Function Get-ProxyPlan {
    <#
    .SYNOPSIS
    The settings to change so that the script alone is used, for everyone who is signed in. Who is left goes into Left.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    $planned = [System.Collections.Generic.List[object]]::new()
    $machine = "HKEY_LOCAL_MACHINE\SOFTWARE\Policies\$($script:Internet)"
    if ((Get-RegistryValue -Key $machine -Name 'ProxySettingsPerUser') -eq 0) {
        $why = "Group Policy: Make proxy settings per-machine (rather than per-user) ($machine, ProxySettingsPerUser)"
        Add-Left -Left $Left -Check 'proxy' -What 'every profile' -Why $why
        return , $planned
    }
    $wanted = Get-ContractValue -Contract $Contract -Path 'proxy.script'
    $accounts = Get-Account
    $number = 0
    foreach ($account in $accounts.Keys) {
        $number++
        if (-not $accounts[$account]) {
            $why = 'not signed in, so its settings are not loaded: to be done at its next log-on'
            Add-Left -Left $Left -Check 'proxy' -What "profile $number" -Why $why
            continue
        }
        try {
            $policy = Find-ProxyPolicy -Account $account
            if ($policy) {
                Add-Left -Left $Left -Check 'proxy' -What "profile $number" -Why "Group Policy: $policy"
                continue
            }
            $key = "HKEY_USERS\$account\Software\$($script:Internet)"
            foreach ($setting in (Get-ProfilePlan -Key $key -Number $number -Wanted $wanted -Left $Left)) {
                $planned.Add($setting)
            }
        }
        catch {
            Add-Left -Left $Left -Check 'proxy' -What "profile $number" -Why "it cannot be read, so it is left: $($_.Exception.Message)"
        }
    }
    , $planned
}

Function Get-Account {
    <#
    .SYNOPSIS
    Every account that has a profile here, in the order in which the probe numbers them, and whether it is signed in.
    #>
    $accounts = [System.Collections.Generic.SortedDictionary[string, bool]]::new([System.StringComparer]::Ordinal)
    foreach ($key in 'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList', 'HKEY_USERS') {
        if (-not (Test-Path -LiteralPath "Registry::$key")) {
            continue
        }
        # Their names alone: to open one that is locked is an error that would take the others with it.
        foreach ($name in (Get-ChildItem -LiteralPath "Registry::$key" -Name)) {
            if ($name -match $script:People) {
                $accounts[$name] = $key -eq 'HKEY_USERS'
            }
        }
    }
    $accounts
}

Function Find-ProxyPolicy {
    <#
    .SYNOPSIS
    The policy that the proxy of a user comes from; an empty text where none says anything of it.
    #>
    [OutputType([string])]
    param ([Parameter(Mandatory)] [string] $Account)

    foreach ($hive in 'HKEY_LOCAL_MACHINE', "HKEY_USERS\$Account") {
        foreach ($policy in $script:Policies) {
            foreach ($name in $policy['names']) {
                $value = Get-RegistryValue -Key "$hive\$($policy['key'])" -Name $name
                # Of those that forbid something a zero says that they do not.
                if ($null -ne $value -and ($policy['key'] -ne $script:Panel -or $value -ne 0)) {
                    $whose = @('user', 'machine')[$hive -eq 'HKEY_LOCAL_MACHINE']
                    return "$($policy['title']) (of the $whose, $($policy['key']), $name)"
                }
            }
        }
    }
    ''
}

Function Get-ProfilePlan {
    <#
    .SYNOPSIS
    What to change in one profile: nothing where no manual proxy is ticked anywhere and both places tell the same script.
    #>
    param (
        [Parameter(Mandatory)] [string] $Key,
        [Parameter(Mandatory)] [int] $Number,
        [Parameter(Mandatory)] [string] $Wanted,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    $enable = Get-RegistryValue -Key $Key -Name 'ProxyEnable'
    $url = Get-RegistryValue -Key $Key -Name 'AutoConfigURL'
    $manual = $null -ne $enable -and $enable -ne 0
    $scripts = [System.Collections.Generic.List[string]]::new()
    if ($null -ne $enable) {
        $scripts.Add("$url".Trim())
    }
    $settings = [ordered]@{}
    foreach ($name in 'DefaultConnectionSettings', 'SavedLegacySettings') {
        $bytes = Get-RegistryValue -Key "$Key\Connections" -Name $name
        if ($null -eq $bytes) {
            continue
        }
        $settings[$name] = $bytes
        $told = Read-ConnectionSetting -Bytes $bytes
        $manual = $manual -or ($told['flags'] -band $script:Manual) -ne 0
        # The second is a copy for later: a script that is old in it is in nobody's way.
        if ($name -eq 'DefaultConnectionSettings') {
            $scripts.Add(@('', $told['script'].Trim())[($told['flags'] -band $script:Automatic) -ne 0])
        }
    }
    $agree = @($scripts | Sort-Object -Unique).Count -le 1
    $script = @($scripts | Where-Object -FilterScript { $_ }) + $Wanted | Select-Object -First 1
    if (-not $manual -and $agree) {
        Add-LeftProfile -Number $Number -Script "$($scripts | Select-Object -First 1)" -Wanted $Wanted -Left $Left
        return
    }
    $planned = [System.Collections.Generic.List[object]]::new()
    $common = @{ Check = 'proxy'; What = "profile $Number" }
    if ($null -ne $enable -and $enable -ne 0) {
        $planned.Add((New-Change @common -Kind 'value' -Where $Key -Name 'ProxyEnable' -Before $enable -After 0))
    }
    if ("$url".Trim() -cne $script) {
        $planned.Add((New-Change @common -Kind 'value' -Where $Key -Name 'AutoConfigURL' -Before $url -After $script))
    }
    foreach ($name in $settings.Keys) {
        $told = Read-ConnectionSetting -Bytes $settings[$name]
        $flags = $told['flags'] -bor $script:Automatic
        if ($flags -band $script:Manual) {
            $flags -= $script:Manual
        }
        if ($flags -ne $told['flags'] -or $script -cne $told['script']) {
            $after = ConvertTo-Hex -Bytes (Edit-ConnectionSetting -Bytes $settings[$name] -Flags $flags -Script $script)
            $before = ConvertTo-Hex -Bytes $settings[$name]
            $planned.Add((New-Change @common -Kind 'connection' -Where "$Key\Connections" -Name $name -Before $before -After $after))
        }
    }
    $planned
}

Function Add-LeftProfile {
    param (
        [Parameter(Mandatory)] [int] $Number,
        [Parameter(Mandatory)] [AllowEmptyString()] [string] $Script,
        [Parameter(Mandatory)] [string] $Wanted,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Left
    )

    if (-not $Script) {
        Add-Left -Left $Left -Check 'proxy' -What "profile $Number" -Why 'no proxy and no script: no second proxy to remove'
    }
    elseif (([uri]$Script).Host -ne ([uri]$Wanted).Host) {
        Add-Left -Left $Left -Check 'proxy' -What "profile $Number" -Why "another script, $Script, and no second proxy to remove"
    }
}

Function New-Change {
    <#
    .SYNOPSIS
    One setting with what it is and what it shall be.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [string] $Check,
        [Parameter(Mandatory)] [string] $What,
        [Parameter(Mandatory)] [string] $Kind,
        [Parameter(Mandatory)] [string] $Where,
        [Parameter(Mandatory)] [string] $Name,
        [AllowNull()] [object] $Before,
        [AllowNull()] [object] $After
    )

    [ordered]@{ check = $Check; what = $What; kind = $Kind; where = $Where; name = $Name; before = $Before; after = $After }
}

Export-ModuleMember -Function @('Add-Left', 'Get-ProxyPlan', 'New-Change')
