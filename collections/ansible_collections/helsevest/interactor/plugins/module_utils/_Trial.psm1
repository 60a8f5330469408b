# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Tries on a server what a move relies on, in a folder and with a task of its own that are gone again afterwards: the very
# functions of a move, by a contract in which only our own paths and names are others. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Lease
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Ledger
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Manifest
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:TaskTries = 30
$script:Unended = @('prepared', 'running', 'completed')

Function Get-TrialContract {
    <#
    .SYNOPSIS
    The contract with a folder, a flag, a configuration and a lease's task of the trial's own, beside those of a move.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $work = (Get-ContractValue -Contract $Contract -Path 'paths.work').TrimEnd('\') + '-verify'
    $own = @{
        paths = @{ work = $work; config = "$work\configuration.json"; maintenance_flag = "$work\maintenance.flag" }
        lease = @{ task = "$(Get-ContractValue -Contract $Contract -Path 'lease.task') verify" }
        migration = @{ list_file = "$work\list.jsonl" }
    }
    $trial = @{}
    foreach ($name in $Contract.Keys) {
        $trial[$name] = $Contract[$name]
    }
    foreach ($section in $own.Keys) {
        $copy = @{}
        foreach ($name in $Contract[$section].Keys) {
            $copy[$name] = $Contract[$section][$name]
        }
        foreach ($name in $own[$section].Keys) {
            $copy[$name] = $own[$section][$name]
        }
        $trial[$section] = $copy
    }
    $trial
}

Function Test-RootTask {
    <#
    .SYNOPSIS
    Whether there is a scheduled task of that name where ours are.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param ([Parameter(Mandatory)] [string] $Name)

    @(Get-ScheduledTask | Where-Object -FilterScript { $_.TaskName -eq $Name -and $_.TaskPath -eq '\' }).Count -gt 0
}

Function Assert-NoMove {
    <#
    .SYNOPSIS
    An error where a move or an upgrade of this server is under way: nothing is tried beside it.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $ledger = Get-Ledger -Contract $Contract -Site $Site
    $last = Get-LastAttempt -Ledger $ledger
    if ($null -ne $last -and $script:Unended -contains $last['state']) {
        throw "refused: attempt $($last['number']) is $($last['state'])"
    }
    if (Test-LeaseKept -Contract $Contract -Ledger $ledger) {
        throw 'refused: people are kept out of Interactor'
    }
}

Function Lock-Beside {
    <#
    .SYNOPSIS
    Keeps a run of a move out while something is tried; $null where our folder is not there yet. To be disposed of.
    #>
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $work = Get-ContractValue -Contract $Contract -Path 'paths.work'
    if (-not (Test-Path -LiteralPath $work)) {
        return $null
    }
    try {
        Lock-File -Path "$work\run.lock"
    }
    catch {
        if ($_.Exception.Message -like 'another run *') {
            throw "refused: $($_.Exception.Message)"
        }
        throw
    }
}

Function Get-MissingFolder {
    <#
    .SYNOPSIS
    The folders on the way to a path that are not there yet, the deepest first.
    #>
    param ([Parameter(Mandatory)] [string] $Path)

    $missing = [System.Collections.Generic.List[string]]::new()
    $parts = $Path.Split('\')
    for ($count = $parts.Count - 1; $count -gt 1; $count--) {
        $folder = $parts[0..($count - 1)] -join '\'
        if (Test-Path -LiteralPath $folder) {
            break
        }
        $missing.Add($folder)
    }
    , $missing
}

Function Test-Durable {
    <#
    .SYNOPSIS
    Whether the ledger is written whole, replaces itself, also while somebody reads it, and outlasts a cut-off write;
    and whether the lock keeps a second run out.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $told = [ordered]@{
        written = $false
        replaced = $false
        replaced_while_read = $false
        completed = $false
        locked = $false
        error = $null
    }
    $path = (Get-ContractValue -Contract $Contract -Path 'paths.work') + '\ledger.json'
    $reader = $null
    $lock = $null
    try {
        $ledger = Get-LedgerOrNew -Contract $Contract -Site $Site
        foreach ($part in 'written', 'replaced', 'replaced_while_read') {
            if ($part -eq 'replaced_while_read') {
                $reader = Open-SharedReader -Path $path
            }
            $ledger['lease'] = [ordered]@{ state = 'free'; since = $null; run = $part }
            Save-Ledger -Contract $Contract -Ledger $ledger
            $whole = (Get-Ledger -Contract $Contract -Site $Site)['lease']['run'] -eq $part
            $told[$part] = $whole -and -not (Test-Path -LiteralPath "$path.new")
        }
        $reader.Dispose()
        # As a power cut leaves it between the two halves of a replacement.
        Move-Item -LiteralPath $path -Destination "$path.new"
        $lock = Lock-Work -Contract $Contract -CheckMode $false
        $told['completed'] = Test-Path -LiteralPath $path
        try {
            (Lock-Work -Contract $Contract -CheckMode $false).Dispose()
        }
        catch {
            $told['locked'] = $true
        }
    }
    catch {
        $told['error'] = $_.Exception.Message
    }
    finally {
        foreach ($open in $reader, $lock) {
            if ($null -ne $open) {
                $open.Dispose()
            }
        }
    }
    $told
}

Function Test-LeaseTask {
    <#
    .SYNOPSIS
    Whether Windows runs the lease's own script as SYSTEM: it finds a flag that nobody has renewed, and takes it away.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Script
    )

    $told = [ordered]@{ registered = $false; ran = $false; result = $null; error = $null }
    $name = Get-ContractValue -Contract $Contract -Path 'lease.task'
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    $minutes = Get-ContractValue -Contract $Contract -Path 'lease.minutes'
    try {
        Enter-Maintenance -Contract $Contract -Text 'a trial' -Script $Script
        $told['registered'] = Test-RootTask -Name $name
        Set-ItemProperty -LiteralPath $flag -Name 'LastWriteTime' -Value (Get-Date).AddMinutes(-2 * $minutes)
        Start-ScheduledTask -TaskName $name
        for ($try = 1; $try -le $script:TaskTries -and (Test-RootTask -Name $name); $try++) {
            Start-Sleep -Seconds 1
        }
        $told['ran'] = -not (Test-RootTask -Name $name) -and -not (Test-Path -LiteralPath $flag)
        if (-not $told['ran']) {
            $told['result'] = (Get-ScheduledTaskInfo -TaskName $name -TaskPath '\').LastTaskResult
        }
    }
    catch {
        $told['error'] = $_.Exception.Message
    }
    $told
}

Function Measure-Manifest {
    <#
    .SYNOPSIS
    How long listing and counting take, how much memory, and how many there are; $null before the program is installed.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Day,
        [Parameter(Mandatory)] [int] $Month
    )

    if (-not (Test-Path -LiteralPath (Get-ContractValue -Contract $Contract -Path 'migration.program'))) {
        return $null
    }
    $told = [ordered]@{ counts = $null; seconds = $null; megabytes = $null; error = $null }
    $before = (Get-MemoryUse)['now']
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    try {
        $manifest = Read-List -Contract $Contract -Number 0 -Day $Day -Month $Month
        $told['seconds'] = [Math]::Round($watch.Elapsed.TotalSeconds, 3)
        # What it had before at its most counts as well: too much rather than too little.
        $told['megabytes'] = [long][Math]::Round(((Get-MemoryUse)['most'] - $before) / 1MB)
        $counts = [ordered]@{}
        foreach ($category in $manifest.Keys) {
            $counts[$category] = $manifest[$category]['count']
        }
        $told['counts'] = $counts
    }
    catch {
        $told['error'] = $_.Exception.Message
    }
    $told
}

Function Remove-Trial {
    <#
    .SYNOPSIS
    Takes away all that a trial has made; what is still there then.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.Generic.List[string]] $Folder
    )

    $left = [System.Collections.Generic.List[object]]::new()
    $name = Get-ContractValue -Contract $Contract -Path 'lease.task'
    $work = Get-ContractValue -Contract $Contract -Path 'paths.work'
    try {
        if (Test-RootTask -Name $name) {
            Unregister-ScheduledTask -TaskName $name -TaskPath '\' -Confirm:$false
        }
    }
    catch {
        $left.Add("task ${name}: $($_.Exception.Message)")
    }
    try {
        if (Test-Path -LiteralPath $work) {
            Remove-Item -LiteralPath $work -Recurse -Force
        }
        foreach ($made in $Folder) {
            if ((Test-Path -LiteralPath $made) -and @(Get-ChildItem -LiteralPath $made -Force).Count -eq 0) {
                Remove-Item -LiteralPath $made -Force
            }
        }
    }
    catch {
        $left.Add("folder ${work}: $($_.Exception.Message)")
    }
    , $left
}

Function Invoke-Trial {
    <#
    .SYNOPSIS
    Tries all of it, and takes away what it made; what a trial that died has left is taken away first.
    #>
    [CmdletBinding()]
    [OutputType([System.Collections.IDictionary])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site,
        [Parameter(Mandatory)] [string] $Script,
        [Parameter(Mandatory)] [string] $Day,
        [Parameter(Mandatory)] [int] $Month
    )

    $lock = Lock-Beside -Contract $Contract
    try {
        Assert-NoMove -Contract $Contract -Site $Site
        Invoke-TrialAlone @PSBoundParameters
    }
    finally {
        if ($null -ne $lock) {
            $lock.Dispose()
        }
    }
}

Function Invoke-TrialAlone {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site,
        [Parameter(Mandatory)] [string] $Script,
        [Parameter(Mandatory)] [string] $Day,
        [Parameter(Mandatory)] [int] $Month
    )

    $trial = Get-TrialContract -Contract $Contract
    $work = $trial['paths']['work']
    $told = [ordered]@{
        leftover = (Test-Path -LiteralPath $work) -or (Test-RootTask -Name $trial['lease']['task'])
        durable = $null
        task = $null
        manifest = $null
        left = $null
    }
    $null = Remove-Trial -Contract $trial -Folder ([System.Collections.Generic.List[string]]::new())
    $made = Get-MissingFolder -Path $work
    try {
        New-WorkFolder -Contract $trial
        $told['durable'] = Test-Durable -Contract $trial -Site $Site
        $told['task'] = Test-LeaseTask -Contract $trial -Script $Script
        $told['manifest'] = Measure-Manifest -Contract $trial -Day $Day -Month $Month
    }
    finally {
        $told['left'] = Remove-Trial -Contract $trial -Folder $made
    }
    $told
}

Export-ModuleMember -Function @('Invoke-Trial', 'Test-RootTask')
