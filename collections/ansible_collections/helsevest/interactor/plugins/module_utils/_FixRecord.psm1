# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a remediation has changed on a host: the record from which it is put back, and the task that puts back what was for a
# night. docs/decisions/0027-remediation.md. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Schema = 1
$script:PowerShell = '%SystemRoot%\System32\WindowsPowerShell\v1.0\powershell.exe'
$script:RepeatMinutes = 15
$script:MostMinutes = 5
# Windows Server 2012 wants an end of the repetition, newer ones refuse the largest of all.
$script:RepeatDays = 3650
$script:Kinds = @('value', 'connection', 'idle', 'task')
# These are for a night alone.
$script:Night = @('sleep', 'restart')
$script:Unended = @('prepared', 'running', 'completed', 'failed')

Function Assert-AtRest {
    <#
    .SYNOPSIS
    An error where a move or an upgrade is under way on this host: nothing of it is touched then.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [System.Collections.IDictionary] $Ledger
    )

    $attempt = Get-LastAttempt -Ledger $Ledger
    if ($null -ne $attempt -and $script:Unended -contains $attempt['state']) {
        throw "refused: a move is under way: attempt $($attempt['number']) is $($attempt['state'])"
    }
    if (Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag')) {
        throw 'refused: a move is under way: people are kept out of Interactor'
    }
    if ($null -eq $Ledger -or $null -eq $Ledger['upgrade']) {
        return
    }
    if ($null -ne $Ledger['upgrade']['started'] -and $null -eq $Ledger['upgrade']['finished']) {
        throw 'refused: an upgrade is under way'
    }
}

Function Get-FixTask {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    "$(Get-ContractValue -Contract $Contract -Path 'lease.task') fix"
}

Function Get-FixPath {
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name
    )

    (Get-ContractValue -Contract $Contract -Path 'paths.work').TrimEnd('\') + "\$Name"
}

Function Get-FixRecord {
    <#
    .SYNOPSIS
    What has been changed on this host and not been put back; an empty record where nothing was. An error where it cannot
    be trusted.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $path = Get-FixPath -Contract $Contract -Name 'fix.json'
    $record = Read-DurableJson -What 'record of fixes' -Path $path
    if ($null -eq $record) {
        return [ordered]@{
            schema = $script:Schema
            site = $Site
            until = $null
            settings = [System.Collections.Generic.List[object]]::new()
        }
    }
    if ($record['schema'] -ne $script:Schema) {
        throw "record of fixes $path has schema '$($record['schema'])', this version writes $($script:Schema)"
    }
    if ($record['site'] -cne $Site) {
        throw "record of fixes $path belongs to site '$($record['site'])', not to '$Site'"
    }
    if ($record['settings'] -isnot [System.Collections.IList]) {
        throw "record of fixes $path is damaged: settings is no list"
    }
    foreach ($setting in $record['settings']) {
        if ($setting -isnot [System.Collections.IDictionary] -or $script:Kinds -cnotcontains $setting['kind'] -or
            -not $setting['where'] -or -not $setting['name']) {
            throw "record of fixes $path is damaged: a setting is none"
        }
    }
    $night = @($record['settings'] | Where-Object -FilterScript { $script:Night -contains $_['check'] })
    # The task goes when it has put back what was for the night.
    if ($night.Count -gt 0 -and $null -eq (Get-TaskState -Name (Get-FixTask -Contract $Contract))) {
        Remove-FromRecord -Record $record -Setting $night
    }
    $record
}

Function Remove-FromRecord {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [object[]] $Setting
    )

    foreach ($each in $Setting) {
        $null = $Record['settings'].Remove($each)
    }
    if (-not (Test-Night -Record $Record)) {
        $Record['until'] = $null
    }
}

Function Test-Night {
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Record)

    @($Record['settings'] | Where-Object -FilterScript { $script:Night -contains $_['check'] }).Count -gt 0
}

Function Save-FixRecord {
    <#
    .SYNOPSIS
    Writes the record whole or not at all; an empty one goes, and so does the task where nothing is left for it.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record
    )

    $path = Get-FixPath -Contract $Contract -Name 'fix.json'
    if ($Record['settings'].Count -gt 0) {
        Write-DurableText -Path $path -Text (ConvertTo-Json -InputObject $Record -Depth 5)
    }
    else {
        Remove-WholeFile -Path $path
    }
    if (Test-Night -Record $Record) {
        return
    }
    $name = Get-FixTask -Contract $Contract
    if ($null -ne (Get-TaskState -Name $name)) {
        Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false
    }
    Remove-WholeFile -Path (Get-FixPath -Contract $Contract -Name 'fix.ps1')
}

Function Add-ToRecord {
    <#
    .SYNOPSIS
    Takes a change into the record; where the setting is there already its first value stays what is put back.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Record,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Change,
        [Parameter(Mandatory)] [string] $Run,
        [Parameter(Mandatory)] [string] $Now
    )

    foreach ($known in $Record['settings']) {
        if ($known['kind'] -eq $Change['kind'] -and $known['where'] -eq $Change['where'] -and $known['name'] -eq $Change['name']) {
            $known['after'] = $Change['after']
            return
        }
    }
    $entry = [ordered]@{}
    foreach ($name in $Change.Keys) {
        $entry[$name] = $Change[$name]
    }
    $entry['run'] = $Run
    $entry['at'] = $Now
    $Record['settings'].Add($entry)
}

Function Register-Return {
    <#
    .SYNOPSIS
    Puts the script on the host and has Windows run it as SYSTEM: at the end of the night, again and again, and at startup.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Until,
        [Parameter(Mandatory)] [string] $Script
    )

    $path = Get-FixPath -Contract $Contract -Name 'fix.ps1'
    Write-DurableText -Path $path -Text $Script
    $name = Get-FixTask -Contract $Contract
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    foreach ($value in $path, $flag, $name) {
        if ($value -match '["\r\n]') {
            throw "contract: '$value' cannot be an argument of a task"
        }
    }
    $action = @{
        Execute = $script:PowerShell
        Argument = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$path`" -Until `"$Until`" -Flag `"$flag`" " +
        "-FixTask `"$name`""
    }
    $repeated = @{
        Once = $true
        At = (ConvertFrom-Moment -Text $Until).ToLocalTime()
        RepetitionInterval = New-TimeSpan -Minutes $script:RepeatMinutes
        RepetitionDuration = New-TimeSpan -Days $script:RepeatDays
    }
    $trigger = @((New-ScheduledTaskTrigger @repeated), (New-ScheduledTaskTrigger -AtStartup))
    Register-SystemTask -Name $name -Action $action -Trigger $trigger -Limit (New-TimeSpan -Minutes $script:MostMinutes)
}

Function ConvertFrom-Moment {
    <#
    .SYNOPSIS
    A moment as 2027-05-18T18:30:00Z, in UTC.
    #>
    [CmdletBinding()]
    [OutputType([datetime])]
    param ([Parameter(Mandatory)] [string] $Text)

    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    [datetime]::ParseExact($Text, "yyyy-MM-dd'T'HH:mm:ss'Z'", $culture)
}

Export-ModuleMember -Function @(
    'Add-ToRecord', 'Assert-AtRest', 'ConvertFrom-Moment', 'Get-FixRecord', 'Register-Return', 'Remove-FromRecord', 'Save-FixRecord',
    'Test-Night'
)
