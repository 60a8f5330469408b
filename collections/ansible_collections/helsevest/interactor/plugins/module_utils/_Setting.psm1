# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What the remediation of a preflight changes on a host, one setting at a time: a value of the registry, a user's connection
# settings, a time of the power plan, a scheduled task. Each is read, written, compared and told in the same way.
# Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Connection
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Masks
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Registry

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Power = 'root\cimv2\power'
# The group of the power settings that say when a machine sleeps, and the two of it that count here.
$script:SleepGroup = '238c9fa8-0aad-41ed-83f4-97be242c8f20'
$script:Idle = [ordered]@{
    sleep = '{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}'
    hibernate = '{9d7815a6-7ee4-497e-8888-515a05f02364}'
}

Function Get-IdleSetting {
    <#
    .SYNOPSIS
    The power settings that say when a machine sleeps, by their names.
    #>
    [CmdletBinding()]
    param ()

    $script:Idle
}

Function Get-ActivePlan {
    <#
    .SYNOPSIS
    The id of the power plan in use, in braces.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ()

    (Get-CimInstance -Namespace $script:Power -ClassName Win32_PowerPlan -Filter 'IsActive = TRUE').InstanceID.Split('\')[-1]
}

Function Get-Setting {
    <#
    .SYNOPSIS
    What a setting is now: a number, a text (connection settings in hex, a task's enabled or disabled), or $null where it
    is not there.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Setting)

    switch ($Setting['kind']) {
        'idle' {
            $id = "Microsoft:PowerSettingDataIndex\\$($Setting['where'])\\AC\\$($Setting['name'])"
            $index = Get-CimInstance -Namespace $script:Power -ClassName Win32_PowerSettingDataIndex -Filter "InstanceID = '$id'"
            if ($null -ne $index) {
                [long]$index.SettingIndexValue
            }
        }
        'task' {
            foreach ($task in @(Get-ScheduledTask)) {
                if ($task.TaskName -eq $Setting['name'] -and $task.TaskPath -eq $Setting['where']) {
                    return @('enabled', 'disabled')[[string]$task.State -eq 'Disabled']
                }
            }
        }
        'connection' {
            $bytes = Get-RegistryValue -Key $Setting['where'] -Name $Setting['name']
            if ($null -ne $bytes) {
                ConvertTo-Hex -Bytes $bytes
            }
        }
        default { Get-RegistryValue -Key $Setting['where'] -Name $Setting['name'] }
    }
}

Function Set-Setting {
    <#
    .SYNOPSIS
    Gives a setting another value; an error where it is not what was written afterwards.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting,
        [AllowNull()] [object] $Value
    )

    switch ($Setting['kind']) {
        'idle' { Set-Idle -Setting $Setting -Seconds $Value }
        'task' {
            $task = @{ TaskName = $Setting['name']; TaskPath = $Setting['where'] }
            if ($Value -eq 'enabled') {
                $null = Enable-ScheduledTask @task
            }
            else {
                $null = Disable-ScheduledTask @task
            }
        }
        default { Set-KeyValue -Setting $Setting -Value $Value }
    }
    if (-not (Test-SameSetting -Setting $Setting -One $Value -Other (Get-Setting -Setting $Setting))) {
        throw 'Windows has not kept what was written'
    }
}

Function Set-Idle {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting,
        [Parameter(Mandatory)] [long] $Seconds
    )

    $plan = $Setting['where'].Trim('{', '}')
    $null = powercfg.exe /setacvalueindex $plan $script:SleepGroup $Setting['name'].Trim('{', '}') $Seconds
    if ($LASTEXITCODE -ne 0) {
        throw "powercfg ended with code $LASTEXITCODE"
    }
    # What is written into the plan in use counts from when it is made the one in use.
    if ((Get-ActivePlan) -eq $Setting['where']) {
        $null = powercfg.exe /setactive $plan
        if ($LASTEXITCODE -ne 0) {
            throw "powercfg ended with code $LASTEXITCODE"
        }
    }
}

Function Set-KeyValue {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting,
        [AllowNull()] [object] $Value
    )

    $place = @{ LiteralPath = "Registry::$($Setting['where'])"; Name = $Setting['name'] }
    if ($null -eq $Value) {
        Remove-ItemProperty @place
        return
    }
    if ($Setting['kind'] -eq 'connection') {
        $null = New-ItemProperty @place -PropertyType 'Binary' -Value (ConvertFrom-Hex -Text $Value) -Force
        return
    }
    $type = @('DWord', 'String')[$Value -is [string]]
    $null = New-ItemProperty @place -PropertyType $type -Value $Value -Force
}

Function Test-SameSetting {
    <#
    .SYNOPSIS
    Whether two values of a setting are the same for whoever uses it. Windows raises the counter of connection settings by
    itself, and keeps what it has found out of the network behind the texts: neither of them counts.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting,
        [AllowNull()] [object] $One,
        [AllowNull()] [object] $Other
    )

    if ($null -eq $One -or $null -eq $Other) {
        return $null -eq $One -and $null -eq $Other
    }
    if ($Setting['kind'] -ne 'connection') {
        return $One -ceq $Other
    }
    $first = Read-ConnectionSetting -Bytes (ConvertFrom-Hex -Text $One)
    $second = Read-ConnectionSetting -Bytes (ConvertFrom-Hex -Text $Other)
    @('flags', 'proxy', 'bypass', 'script' | Where-Object -FilterScript { $first[$_] -cne $second[$_] }).Count -eq 0
}

Function Get-SettingText {
    <#
    .SYNOPSIS
    A value of a setting as people are told it; nothing of it is a credential.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting,
        [AllowNull()] [object] $Value
    )

    if ($null -eq $Value) {
        return '(none)'
    }
    $text = "$Value"
    if ($Setting['kind'] -eq 'idle') {
        $text = "$Value seconds"
    }
    if ($Setting['kind'] -eq 'connection') {
        $told = Read-ConnectionSetting -Bytes (ConvertFrom-Hex -Text $Value)
        $text = "counter $($told['counter']), flags $($told['flags']), script $($told['script'])"
    }
    Hide-Person -Text $text
}

Export-ModuleMember -Function @(
    'Get-ActivePlan', 'Get-IdleSetting', 'Get-Setting', 'Get-SettingText', 'Set-Setting', 'Test-SameSetting'
)
