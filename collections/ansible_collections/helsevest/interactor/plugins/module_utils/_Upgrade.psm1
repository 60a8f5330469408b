# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs the installer with a way back, and brings every run to a proven end, also one that was cut off (U1). The ledger
# says how far it came: started and not finished is a run that was cut off, and code is what the installer ended with.
# Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Backup
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Installer
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Use
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:BootTolerance = [timespan]'00:01:00'
$script:EndSeconds = 60

Function Get-UpgradeSource {
    <#
    .SYNOPSIS
    What an upgrade may change, and a way back brings back.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    [ordered]@{
        install = Get-ContractValue -Contract $Contract -Path 'paths.install'
        configuration = Get-ContractValue -Contract $Contract -Path 'paths.config'
        data = Get-ContractValue -Contract $Contract -Path 'paths.data'
    }
}

Function Get-UpgradeBackup {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Upgrade)

    "upgrade-$($Upgrade['from'])"
}

Function Get-BootTime {
    <#
    .SYNOPSIS
    When this server was started, by its own clock.
    #>
    [OutputType([string])]
    param ()

    $booted = @(Get-CimInstance -ClassName Win32_OperatingSystem)[0].LastBootUpTime
    $booted.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
}

Function Test-Restarted {
    <#
    .SYNOPSIS
    Whether this server was started again after the boot time that the ledger noted. Both are of its own clock.
    #>
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Upgrade)

    # Windows tells the same start a second earlier or later when it sets its clock.
    ([datetimeoffset](Get-BootTime) - [datetimeoffset]$Upgrade['booted']) -gt $script:BootTolerance
}

Function Test-Unproven {
    <#
    .SYNOPSIS
    Whether it is not known what an installer has left: it was cut off, or wants a restart first, or made one by itself.
    #>
    [OutputType([bool])]
    param ([AllowNull()] [System.Collections.IDictionary] $Upgrade)

    if ($null -eq $Upgrade) {
        return $false
    }
    $Upgrade['state'] -in 'restart', 'incident' -or (Test-CutOff -Upgrade $Upgrade)
}

Function Test-CutOff {
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Upgrade)

    $Upgrade['state'] -eq 'staged' -and $null -ne $Upgrade['started'] -and $null -eq $Upgrade['finished']
}

Function Test-KeptOut {
    <#
    .SYNOPSIS
    Whether nobody has been let into Interactor since the installer was begun: the flag is still that run's own.
    #>
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Upgrade
    )

    if ($Upgrade['state'] -ne 'staged') {
        # A restart is waited for with people in Interactor.
        return $false
    }
    try {
        $text = Read-SharedText -Path (Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag')
    }
    catch {
        return $false
    }
    # One that a later run has set tells nothing of the time before.
    "$text".Trim() -ceq "$($Upgrade['run']) $($Upgrade['started'])"
}

Function Test-WayBackOpen {
    <#
    .SYNOPSIS
    Whether the service may be stopped for the way back: nobody was let in, or nobody is in it now that nobody new gets in.
    #>
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [bool] $KeptOut
    )

    # Nobody works with a service that is down: who waits for it to be brought back is no reason to leave it so.
    if ($KeptOut -or (Get-ServiceWord -Contract $Contract) -ne 'running') {
        return $true
    }
    Enter-WhenEmpty -Module $Module -Contract $Contract
}

Function Enter-WhenEmpty {
    <#
    .SYNOPSIS
    Keeps new people out, and tells whether nobody is in; where somebody is, the answer says who and asks to come again.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract
    )

    $text = "$($Module.Params.run_id) $($Module.Params.now)"
    Enter-Maintenance -Contract $Contract -Text $text -Script $Module.Params.lease_script
    $users = Get-InteractorUse -Contract $Contract
    if ($users['active']) {
        $Module.Result.changed = $false
        $Module.Result.again = $true
        $Module.Result.reason = Get-UseText -Use $users
    }
    -not $users['active']
}

Function Assert-NotNewer {
    <#
    .SYNOPSIS
    Throws where the service tells a newer version than the given one: nobody goes back by an upgrade.
    #>
    param (
        [AllowNull()] [AllowEmptyString()] [string] $Version,
        [Parameter(Mandatory)] [string] $Target
    )

    # As text, 6.10 would be older than 6.2.
    $told = $Version -as [version]
    $wanted = $Target -as [version]
    if ($null -ne $told -and $null -ne $wanted -and $told -gt $wanted) {
        throw "refused: version $Version runs, which is newer than $Target"
    }
}

Function Stop-Interactor {
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    # An installer that was cut short may have taken the service away: its files have to come back all the same.
    if ((Get-ServiceWord -Contract $Contract) -in 'stopped', 'missing') {
        return
    }
    $process = @()
    try {
        $process = @(Get-ServiceProcess -Contract $Contract)
    }
    catch {
        # Its end is not waited for then.
        Write-Verbose -Message "which process the service is, is not known: $($_.Exception.Message)"
    }
    Stop-ServiceInTime -Name (Get-ContractValue -Contract $Contract -Path 'service.name')
    # Windows calls a service stopped before its process has ended, and let go of its files.
    for ($second = 1; $second -le $script:EndSeconds; $second++) {
        if (@(Get-Process | Where-Object -FilterScript { $process -contains $_.Id }).Count -eq 0) {
            return
        }
        Start-Sleep -Seconds 1
    }
}

Function Test-Version {
    <#
    .SYNOPSIS
    Starts the service and lets it tell its version: why it is not proven, or an empty text. Without a version any does.
    #>
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [AllowNull()] [AllowEmptyString()] [string] $Version
    )

    if ((Get-ServiceWord -Contract $Contract) -ne 'running') {
        try {
            Start-ServiceInTime -Name (Get-ContractValue -Contract $Contract -Path 'service.name')
        }
        catch {
            return "the service does not start: $($_.Exception.Message)"
        }
    }
    $told = Wait-InteractorVersion -Contract $Contract -Version $Version
    if ($told -and (-not $Version -or $told -eq $Version)) {
        return ''
    }
    if (-not $Version) {
        return 'the service does not tell its version'
    }
    "the service tells version '$told', not $Version"
}

Function Undo-Upgrade {
    <#
    .SYNOPSIS
    Brings the old version back; the data too, where nobody has been let in since they were saved.

    .OUTPUTS
    A dictionary: problem (an empty text where version and files prove that it is back, else why not) and newer (the
    data files that were left as they are, and are not those of the backup).
    #>
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Upgrade,
        [Parameter(Mandatory)] [bool] $KeptOut
    )

    $problem = ''
    $newer = @()
    $source = Get-UpgradeSource -Contract $Contract
    $data = @{ data = $source['data'] }
    if (-not $KeptOut) {
        # What is newer may be the office's work.
        $source.Remove('data')
    }
    try {
        Stop-Interactor -Contract $Contract
        $backup = Get-UpgradeBackup -Upgrade $Upgrade
        $differ = Restore-Backup -Contract $Contract -Name $backup -Source $source
        if ($differ.Count -gt 0) {
            $problem = "not as before: $($differ -join ', ')"
        }
        if (-not $KeptOut) {
            $newer = Compare-Backup -Contract $Contract -Name $backup -Source $data
        }
    }
    catch {
        $problem = $_.Exception.Message
    }
    # Whatever is wrong with the files: the office needs what can be had.
    $version = Test-Version -Contract $Contract -Version $Upgrade['from']
    @{ problem = @($problem, $version).Where({ $_ }) -join '; '; newer = $newer }
}

Function Save-Upgrade {
    <#
    .SYNOPSIS
    Writes what came of it into the ledger and the answer.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger,
        [Parameter(Mandatory)] [string] $State,
        [AllowEmptyString()] [string] $Reason = ''
    )

    $upgrade = $Ledger['upgrade']
    $upgrade['state'] = $State
    $upgrade['reason'] = $Reason
    $upgrade['finished'] = $Module.Params.now
    if ($State -eq 'staged') {
        # Nothing was changed, or all is as before: the next run begins anew.
        $upgrade['started'] = $null
        $upgrade['finished'] = $null
        $upgrade['code'] = $null
        $upgrade['reason'] = ''
    }
    Save-Ledger -Contract $Contract -Ledger $Ledger
    $Module.Result.ledger = $Ledger
    $Module.Result.upgraded = $State -eq 'done'
    $Module.Result.again = $State -in 'staged', 'restart'
    $Module.Result.reason = $Reason
}

Function Reset-Upgrade {
    <#
    .SYNOPSIS
    Goes back to the old version because of a reason, and says whether that is proven. Where somebody works with
    Interactor nothing is done, and the next run tries again.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger,
        [Parameter(Mandatory)] [string] $Reason,
        [string] $State = 'failed'
    )

    $kept = Test-KeptOut -Contract $Contract -Upgrade $Ledger['upgrade']
    if (-not (Test-WayBackOpen -Module $Module -Contract $Contract -KeptOut $kept)) {
        return
    }
    $undone = Undo-Upgrade -Contract $Contract -Upgrade $Ledger['upgrade'] -KeptOut $kept
    $end = "version $($Ledger['upgrade']['from']) is back"
    if ($undone['problem']) {
        $State = 'failed'
        $end = "the way back failed too: $($undone['problem'])"
    }
    if ($undone['newer'].Count -gt 0) {
        # Another try would save these over what the evening has saved; a person has to see whose they are.
        $State = 'failed'
        $end += "; people had been let in, so the data are left as they are, newer than the backup: $($undone['newer'] -join ', ')"
    }
    Save-Upgrade -Module $Module -Contract $Contract -Ledger $Ledger -State $State -Reason "$Reason; $end"
}

Function Invoke-Upgrade {
    <#
    .SYNOPSIS
    Stops the service, backs up, installs and proves the version, or goes back. The installer must have been verified.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    $upgrade = $Ledger['upgrade']
    $upgrade['from'] = $Module.Result.version
    $source = Get-UpgradeSource -Contract $Contract
    $backup = Get-UpgradeBackup -Upgrade $upgrade
    Assert-OwnFolder -Source $source
    Assert-BackupRoom -Contract $Contract -Source $source
    # Of an earlier evening: nothing that is there now was taken back from it, or it was and is there itself.
    Remove-Backup -Contract $Contract -Name $backup
    $upgrade['started'] = $Module.Params.now
    $upgrade['booted'] = Get-BootTime
    $upgrade['run'] = $Module.Params.run_id
    Save-Ledger -Contract $Contract -Ledger $Ledger
    try {
        Stop-Interactor -Contract $Contract
        $null = Save-Backup -Contract $Contract -Name $backup -Source $source
    }
    catch {
        $problem = $_.Exception.Message
        $old = Test-Version -Contract $Contract -Version $upgrade['from']
        if ($old) {
            throw "$problem; $old"
        }
        Save-Upgrade -Module $Module -Contract $Contract -Ledger $Ledger -State 'staged'
        throw "$problem; version $($upgrade['from']) runs on"
    }
    $start = @{
        FilePath = Get-InstallerPath -Contract $Contract
        ArgumentList = Get-ContractValue -Contract $Contract -Path 'installer.arguments'
        Wait = $true
        PassThru = $true
    }
    try {
        $upgrade['code'] = (Start-Process @start).ExitCode
    }
    catch {
        $reason = "the installer could not be run: $($_.Exception.Message)"
        Reset-Upgrade -Module $Module -Contract $Contract -Ledger $Ledger -Reason $reason
        return
    }
    if ((Get-ContractValue -Contract $Contract -Path 'installer.restarted_codes') -contains $upgrade['code']) {
        # At once, before anything else: in a moment the server is down, and whoever comes next has to know why.
        $reason = "the installer restarts the server by itself (code $($upgrade['code']))"
        Save-Upgrade -Module $Module -Contract $Contract -Ledger $Ledger -State 'incident' -Reason $reason
        return
    }
    Save-Ledger -Contract $Contract -Ledger $Ledger
    Complete-Upgrade -Module $Module -Contract $Contract -Ledger $Ledger
}

Function Complete-Upgrade {
    <#
    .SYNOPSIS
    Brings an upgrade to its end by the code that the installer ended with.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    $end = @{ Module = $Module; Contract = $Contract; Ledger = $Ledger }
    $upgrade = $Ledger['upgrade']
    $code = $upgrade['code']
    if ((Get-ContractValue -Contract $Contract -Path 'installer.busy_codes') -contains $code) {
        Reset-Upgrade @end -Reason "another installation is at work on the server (code $code)" -State 'staged'
    }
    elseif ((Get-ContractValue -Contract $Contract -Path 'installer.restart_codes') -contains $code) {
        $problem = Test-Version -Contract $Contract
        if ($problem) {
            Reset-Upgrade @end -Reason "the installer wants a restart of the server (code $code), and $problem"
        }
        else {
            Save-Upgrade @end -State 'restart' -Reason "the installer wants a restart of the server (code $code)"
        }
    }
    elseif ((Get-ContractValue -Contract $Contract -Path 'installer.success_codes') -contains $code) {
        $problem = Test-Version -Contract $Contract -Version $upgrade['to']
        if ($problem) {
            Reset-Upgrade @end -Reason $problem
        }
        else {
            Save-Upgrade @end -State 'done'
        }
    }
    else {
        Reset-Upgrade @end -Reason "the installer ended with code $code"
    }
}

Function Resume-Upgrade {
    <#
    .SYNOPSIS
    Brings an upgrade that was cut off to a proven end: done, failed with the old version back, or as if never begun.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    $end = @{ Module = $Module; Contract = $Contract; Ledger = $Ledger }
    $upgrade = $Ledger['upgrade']
    if ($null -ne $upgrade['code']) {
        Complete-Upgrade @end
    }
    elseif ($null -eq (Get-Backup -Contract $Contract -Name (Get-UpgradeBackup -Upgrade $upgrade))) {
        # The installer is not run before there is a backup.
        $problem = Test-Version -Contract $Contract -Version $upgrade['from']
        if ($problem) {
            throw "the upgrade was cut off before the installer ran, and $problem"
        }
        Save-Upgrade @end -State 'staged' -Reason 'the upgrade was cut off before the installer ran'
    }
    elseif (Test-Restarted -Upgrade $upgrade) {
        # An installer that was cut short may have left half of the new version, and one that restarts the office's
        # server is not run a second time by itself.
        Reset-Upgrade @end -Reason 'the server was restarted while the installer ran'
    }
    elseif (Test-Version -Contract $Contract -Version $upgrade['to']) {
        Reset-Upgrade @end -Reason 'the upgrade was cut off' -State 'staged'
    }
    else {
        # The installer went on to its end when we were gone.
        Save-Upgrade @end -State 'done'
    }
}

Function Confirm-Upgrade {
    <#
    .SYNOPSIS
    After the restart that an installer wanted, or made: proves the new version, or goes back.
    #>
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    $end = @{ Module = $Module; Contract = $Contract; Ledger = $Ledger }
    $upgrade = $Ledger['upgrade']
    $problem = Test-Version -Contract $Contract -Version $upgrade['to']
    $kept = ''
    if ($upgrade['state'] -eq 'incident') {
        # The office has to be told, however it ended.
        $kept = $upgrade['reason']
    }
    if ($problem) {
        Reset-Upgrade @end -Reason (@($kept, "after the restart $problem").Where({ $_ }) -join '; ')
        return
    }
    Save-Upgrade @end -State 'done' -Reason $kept
}

Export-ModuleMember -Function @(
    'Assert-NotNewer', 'Confirm-Upgrade', 'Enter-WhenEmpty', 'Invoke-Upgrade', 'Resume-Upgrade', 'Test-CutOff',
    'Test-Restarted', 'Test-Unproven', 'Test-Version'
)
