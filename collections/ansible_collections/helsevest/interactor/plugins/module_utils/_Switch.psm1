# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# To the cloud's mode and back: what is kept at the manifest, the switch, the way back. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Backup
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Facts
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Manifest
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Migration
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The ledger goes over the wire with every answer.
$script:MostChanged = 100

Function Get-ModeNow {
    <#
    .SYNOPSIS
    The mode that Interactor is in, by its configuration.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    Get-ModeWord -Contract $Contract -Configuration (Read-Configuration -Contract $Contract)
}

Function Test-LocalMode {
    <#
    .SYNOPSIS
    Whether people can work with the data here: not with a configuration that names the cloud, or cannot be read.
    #>
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    try {
        (Get-ModeNow -Contract $Contract) -ceq 'local'
    }
    catch {
        Write-Verbose -Message "the configuration cannot be read: $($_.Exception.Message)"
        $false
    }
}

Function Get-MoveSource {
    <#
    .SYNOPSIS
    What a move may touch, and a rollback brings back.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    [ordered]@{
        install = Get-ContractValue -Contract $Contract -Path 'paths.install'
        data = Get-ContractValue -Contract $Contract -Path 'paths.data'
        configuration = Get-ContractValue -Contract $Contract -Path 'paths.config'
    }
}

Function Save-Before {
    <#
    .SYNOPSIS
    Keeps programs, data and configuration as they are before an attempt; one that an earlier run left is of another time.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number
    )

    Remove-Backup -Contract $Contract -Name "attempt-$Number"
    $null = Save-Backup -Contract $Contract -Name "attempt-$Number" -Source (Get-MoveSource -Contract $Contract)
}

Function Assert-Local {
    <#
    .SYNOPSIS
    An error where Interactor is not in the local mode although no attempt of ours has switched it.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number
    )

    $mode = Get-ModeNow -Contract $Contract
    if ($mode -cne 'local') {
        throw "refused: attempt ${Number}: Interactor is in the mode '$mode' already, without an attempt of ours (moved_outside)"
    }
}

Function Restart-Interactor {
    <#
    .SYNOPSIS
    Restarts Interactor's service and no other; an error where it does not stop or start in time, or does not tell the
    version within a minute.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [AllowEmptyString()] [string] $Version
    )

    Restart-ServiceInTime -Name (Get-ContractValue -Contract $Contract -Path 'service.name')
    $told = Wait-InteractorVersion -Contract $Contract -Version $Version
    if (-not $told) {
        throw 'the service does not answer after its restart'
    }
    if ($Version -and $told -ne $Version) {
        throw "the service tells version '$told' after its restart, not $Version"
    }
}

Function Compare-Hash {
    <#
    .SYNOPSIS
    The names whose hash is another one, or is there only once.
    #>
    param (
        [AllowNull()] [System.Collections.IDictionary] $Before,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $After
    )

    $names = [System.Collections.Generic.List[string]]::new()
    foreach ($name in $After.Keys) {
        if ($null -eq $Before -or $Before[$name] -cne $After[$name]) {
            $names.Add($name)
        }
    }
    if ($null -ne $Before) {
        foreach ($name in $Before.Keys) {
            if (@($After.Keys) -cnotcontains $name) {
                $names.Add($name)
            }
        }
    }
    , $names
}

Function Write-Mode {
    <#
    .SYNOPSIS
    Writes the configuration for a mode: its keys are set, all others stay, and so does a byte order mark.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Setting
    )

    $configuration = Read-Configuration -Contract $Contract
    $configuration[(Get-ContractValue -Contract $Contract -Path 'config.mode_key')] = $Setting['mode']
    $configuration[(Get-ContractValue -Contract $Contract -Path 'config.endpoint_key')] = $Setting['endpoint']
    if ($null -ne $Setting['also']) {
        foreach ($key in $Setting['also'].Keys) {
            $configuration[$key] = $Setting['also'][$key]
        }
    }
    $text = ConvertTo-Json -InputObject $configuration -Depth 50
    $path = Get-ContractValue -Contract $Contract -Path 'paths.config'
    Write-DurableText -Path $path -Text $text -Mark (Test-ByteOrderMark -Path $path)
}

Function Invoke-Switch {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = $Module.Result.ledger
    $attempt = Get-FencedAttempt -Ledger $ledger -Named $Module.Params.attempt
    $mode = $Module.Params.mode
    if (-not $mode) {
        $mode = $attempt['mode']
    }
    if ($mode -cne $attempt['mode']) {
        throw "refused: mode is '$mode', attempt $($attempt['number']) was opened for '$($attempt['mode'])'"
    }
    $setting = Get-ModeSetting -Contract $Contract -Mode $mode
    $Module.Result.mode = Get-ModeNow -Contract $Contract
    $untouched = Get-UntouchedHash -Contract $Contract
    # Not the switch's doing, so no reason against it: the check after the move (A1) tells it as well.
    $Module.Result.changed_meanwhile = Compare-Hash -Before $attempt['untouched'] -After $untouched
    if ($attempt['state'] -eq 'switched') {
        return
    }
    if ($attempt['state'] -ne 'completed') {
        throw "refused: attempt $($attempt['number']) is $($attempt['state']), not completed"
    }
    Assert-LeaseHeld -Ledger $ledger
    $Module.Result.changed = $true
    if ($Module.CheckMode) {
        return
    }
    $backup = "attempt-$($attempt['number'])"
    if ($null -eq (Get-Backup -Contract $Contract -Name $backup)) {
        throw "refused: there is no backup $backup, so there is no way back"
    }
    $attempt['switching'] = $Module.Params.now
    Save-Ledger -Contract $Contract -Ledger $ledger
    try {
        Write-Mode -Contract $Contract -Setting $setting
        Restart-Interactor -Contract $Contract -Version $attempt['version']
        $changed = Compare-Hash -Before $untouched -After (Get-UntouchedHash -Contract $Contract)
        if ($changed.Count -gt 0) {
            throw "the switch has changed what it must leave alone: $($changed -join ', ')"
        }
    }
    catch {
        $reason = $_.Exception.Message
        $source = @{ configuration = Get-ContractValue -Contract $Contract -Path 'paths.config' }
        try {
            Restore-Whole -Contract $Contract -Name $backup -Source $source
        }
        catch {
            $reason = "$reason; the configuration is not as before: $($_.Exception.Message)"
            throw (Complete-Failure -Contract $Contract -Reason $reason)
        }
        try {
            Restart-Interactor -Contract $Contract -Version $attempt['version']
        }
        catch {
            throw "$reason; with the configuration as before: $($_.Exception.Message)"
        }
        throw "$reason; the configuration is as before"
    }
    $attempt['state'] = 'switched'
    $attempt['switched'] = $Module.Params.now
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.mode = Get-ModeNow -Contract $Contract
}

Function Restore-Before {
    <#
    .SYNOPSIS
    Brings programs, data and configuration back to what they were before an attempt, and proves it: what still differs.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Attempt
    )

    $name = "attempt-$($Attempt['number'])"
    $saved = Get-Backup -Contract $Contract -Name $name
    if ($null -eq $saved) {
        if ((Get-ModeNow -Contract $Contract) -cne 'local') {
            throw "there is no backup $name to bring the configuration back from"
        }
        return New-AsBefore -Changed @("there is no backup $name to compare with")
    }
    $source = Get-MoveSource -Contract $Contract
    $differ = Compare-FileList -Before $saved -After (Get-FileList -Source $source)
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    $held = $null -ne $Ledger['lease'] -and $Ledger['lease']['state'] -eq 'held' -and (Test-Path -LiteralPath $flag)
    $files = @{ install = $source['install'] }
    # In the local mode and without the lease somebody may have worked here since: what is newer is theirs.
    if ($held -or -not (Test-LocalMode -Contract $Contract)) {
        $files['data'] = $source['data']
    }
    $back = @($differ | Where-Object -FilterScript { $_ -ceq 'configuration' -or @($files.Keys) -contains $_.Split('/')[0] })
    try {
        if ($back.Count -gt 0) {
            Stop-ServiceInTime -Name (Get-ContractValue -Contract $Contract -Path 'service.name')
            Restore-File -Contract $Contract -Name $name -Source $files
            # Last: as long as it names the cloud, nobody works with the data here.
            Restore-Whole -Contract $Contract -Name $name -Source @{ configuration = $source['configuration'] }
        }
        # What a write that was cut off has left beside it.
        if (Test-Path -LiteralPath "$($source['configuration']).new") {
            Remove-Item -LiteralPath "$($source['configuration']).new" -Force
        }
    }
    catch {
        throw (Complete-Failure -Contract $Contract -Reason $_.Exception.Message)
    }
    $told = Get-InteractorVersion -Contract $Contract
    # A run that was cut off may have written the configuration and not restarted the service.
    if ($back.Count -gt 0 -or $null -ne $Attempt['switching'] -or -not $told -or
        ($Attempt['version'] -and $told -ne $Attempt['version'])) {
        Restart-Interactor -Contract $Contract -Version $Attempt['version']
    }
    New-AsBefore -Changed (Compare-FileList -Before $saved -After (Get-FileList -Source $source))
}

Function Restore-Whole {
    <#
    .SYNOPSIS
    Brings files back; an error where one of them could not be.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    $left = Restore-Backup -Contract $Contract -Name $Name -Source $Source
    if ($left.Count -gt 0) {
        throw "$($left -join ', ') cannot be put back"
    }
}

Function Restore-File {
    <#
    .SYNOPSIS
    Brings programs and data back as far as it goes.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    try {
        $null = Restore-Backup -Contract $Contract -Name $Name -Source $Source
    }
    catch {
        # The office has to work in the morning: what could not be put back is told by the comparison at the end.
        $null = $_
    }
}

Function Complete-Failure {
    <#
    .SYNOPSIS
    Starts the service that a way back has stopped, whatever its configuration says: the office needs what can be had. The
    reason, with what became of the service.
    #>
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Reason
    )

    if ((Get-ServiceWord -Contract $Contract) -eq 'running') {
        return $Reason
    }
    try {
        Restart-Interactor -Contract $Contract
    }
    catch {
        return "$Reason; $($_.Exception.Message)"
    }
    "$Reason; the service runs with what is there"
}

Function New-AsBefore {
    param ([Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Changed)

    $paths = [System.Collections.Generic.List[object]]::new()
    foreach ($path in $Changed) {
        if ($paths.Count -eq $script:MostChanged) {
            $paths.Add("and $($Changed.Count - $script:MostChanged) more")
            break
        }
        $paths.Add($path)
    }
    [ordered]@{ equal = $Changed.Count -eq 0; changed = $paths }
}

Function Invoke-Restore {
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $ledger = $Module.Result.ledger
    $attempt = Get-FencedAttempt -Ledger $ledger -Named $Module.Params.attempt
    $ended = $attempt['state'] -eq 'rolled_back'
    $task = $null -ne (Get-MoveTask -Contract $Contract)
    $Module.Result.changed = -not $ended -or $task -or (Test-LeaseKept -Contract $Contract -Ledger $ledger)
    $Module.Result.as_before = $attempt['as_before']
    if ($Module.CheckMode -or -not $Module.Result.changed) {
        $Module.Result.mode = Get-ModeNow -Contract $Contract
        return
    }
    if ($task) {
        Stop-Move -Contract $Contract
    }
    if (-not $ended) {
        Remove-KeptId -Contract $Contract -Number $attempt['number']
        $attempt['as_before'] = Restore-Before -Contract $Contract -Ledger $ledger -Attempt $attempt
        $attempt['state'] = 'rolled_back'
        $attempt['ended'] = $Module.Params.now
    }
    # People before the record: a run that is cut off between the two is taken again, and nobody is kept out meanwhile.
    Reset-Lease -Module $Module -Contract $Contract -Ledger $ledger
    Save-Ledger -Contract $Contract -Ledger $ledger
    $Module.Result.as_before = $attempt['as_before']
    $Module.Result.mode = Get-ModeNow -Contract $Contract
}

Export-ModuleMember -Function @(
    'Assert-Local', 'Get-ModeNow', 'Invoke-Restore', 'Invoke-Switch', 'Save-Before'
)
