# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The ledger of a server and the folder that it lies in: docs/contracts.md, Ledger. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Schema = 1
# The dead man's task comes on the same quarters of an hour as we do, and is done in seconds.
$script:LockSeconds = 30
# SYSTEM and the group of the administrators.
$script:Trusted = @('S-1-5-18', 'S-1-5-32-544')
$script:LeaseStates = @('held', 'free')
$script:UpgradeStates = @('staged', 'done', 'failed', 'restart', 'incident')
$script:AttemptStates = @('prepared', 'running', 'completed', 'failed', 'switched', 'rolled_back')
# What an attempt holds beside number, key and state.
$script:AttemptParts = [ordered]@{
    mode = 'text'
    history_months = 'number'
    prepared = 'moment'
    started = 'moment'
    finished = 'moment'
    switching = 'moment'
    switched = 'moment'
    ended = 'moment'
    before = 'object'
    counts = 'object'
    untouched = 'object'
    as_before = 'object'
}

Function New-WorkFolder {
    <#
    .SYNOPSIS
    Makes the folder where ledger, installer and backups lie, closed to all but SYSTEM and the administrators. One that is
    there must be as closed: what SYSTEM runs and trusts lies in it.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $work = Get-ContractValue -Contract $Contract -Path 'paths.work'
    if (Test-Path -LiteralPath $work) {
        Assert-Closed -Path $work
        return
    }
    $null = New-Item -Path $work -ItemType Directory -Force
    # Below ProgramData every user may make files.
    # 5.1 puts a name with blanks in quotation marks, and a backslash before the last one would be read as a part of it.
    $null = icacls.exe $work.TrimEnd('\') /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F'
    if ($LASTEXITCODE -ne 0) {
        # The next run would take it for a closed one.
        Remove-Item -LiteralPath $work -Force
        throw "icacls ended with code $LASTEXITCODE for $work"
    }
    if (@(Get-ChildItem -LiteralPath $work -Force).Count -gt 0) {
        # Out of the way, or the next run would take it for ours.
        $aside = "$($work.TrimEnd('\')).$([guid]::NewGuid())"
        Move-Item -LiteralPath $work -Destination $aside
        throw "somebody put something into $work before it was closed: it lies in $aside now, see what it is"
    }
}

Function Assert-Closed {
    <#
    .SYNOPSIS
    An error where somebody else than SYSTEM and the administrators owns the folder or may be at it.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Path)

    $access = Get-FolderAccess -Path $Path
    $strangers = @($access['allowed'] | Where-Object -FilterScript { $_ -notin $script:Trusted })
    if ($access['owner'] -notin ($script:Trusted + $access['own'])) {
        $strangers += $access['owner']
    }
    if ($strangers.Count -gt 0) {
        $who = ($strangers | Sort-Object -Unique) -join ', '
        throw "$Path is open to ${who}: only SYSTEM and the administrators may own it and be at it. " +
        'See who made it and what is in it; then close it, or remove it if nothing of it is ours'
    }
}

Function Lock-Work {
    <#
    .SYNOPSIS
    Keeps every other run out of this server until the answer is disposed of, and ends what a power cut has left of a
    write; $null in check mode. Who is there already is waited for, unless there are no seconds for it.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [bool] $CheckMode,
        [int] $Seconds = $script:LockSeconds
    )

    if ($CheckMode) {
        return $null
    }
    New-WorkFolder -Contract $Contract
    $work = Get-ContractValue -Contract $Contract -Path 'paths.work'
    $lock = Lock-File -Path (Join-Path -Path $work -ChildPath 'run.lock') -Seconds $Seconds
    try {
        Complete-DurableJson -Path (Get-LedgerPath -Contract $Contract)
        Complete-DurableJson -Path (Get-ContractValue -Contract $Contract -Path 'paths.config')
    }
    catch {
        $lock.Dispose()
        throw
    }
    $lock
}

Function Get-LedgerPath {
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    Join-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -ChildPath 'ledger.json'
}

Function Get-Ledger {
    <#
    .SYNOPSIS
    The ledger of this server; $null before the first entry. An error where it is damaged or another site's.
    A lease that it has held is lost where the flag is gone: then people may have been in Interactor since.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $path = Get-LedgerPath -Contract $Contract
    $ledger = Read-DurableJson -What 'ledger' -Path $path
    if ($null -eq $ledger) {
        return $null
    }
    if ($ledger['schema'] -ne $script:Schema) {
        throw "ledger $path has schema '$($ledger['schema'])', this version writes $($script:Schema)"
    }
    if ($ledger['site'] -cne $Site) {
        throw "ledger $path belongs to site '$($ledger['site'])', not to '$Site'"
    }
    $damage = Find-LedgerDamage -Ledger $ledger
    if ($damage) {
        throw "ledger $path is damaged: $damage"
    }
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    if ($null -ne $ledger['lease'] -and $ledger['lease']['state'] -eq 'held' -and -not (Test-Path -LiteralPath $flag)) {
        $ledger['lease']['state'] = 'lost'
    }
    $ledger
}

Function Find-LedgerDamage {
    <#
    .SYNOPSIS
    What is wrong inside a ledger; an empty text where it is sound.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger)

    foreach ($part in 'upgrade', 'lease') {
        if ($null -ne $Ledger[$part] -and $Ledger[$part] -isnot [System.Collections.IDictionary]) {
            return "$part is no object"
        }
    }
    if ($null -ne $Ledger['upgrade'] -and $script:UpgradeStates -cnotcontains $Ledger['upgrade']['state']) {
        return "upgrade.state is '$($Ledger['upgrade']['state'])'"
    }
    if ($null -ne $Ledger['lease'] -and $script:LeaseStates -cnotcontains $Ledger['lease']['state']) {
        return "lease.state is '$($Ledger['lease']['state'])'"
    }
    if ($Ledger['attempts'] -isnot [System.Collections.IList]) {
        return 'attempts is no list'
    }
    $number = 0
    foreach ($attempt in $Ledger['attempts']) {
        $number++
        if ($attempt -isnot [System.Collections.IDictionary] -or -not (Test-LedgerPart -Value $attempt['number'] -Kind 'number') -or
            $attempt['number'] -ne $number) {
            return "attempt $number is not where it should be"
        }
        if ($script:AttemptStates -cnotcontains $attempt['state'] -or -not (Test-LedgerPart -Value $attempt['key'] -Kind 'text')) {
            return "attempt $number has state '$($attempt['state'])' and key '$($attempt['key'])'"
        }
        foreach ($name in $script:AttemptParts.Keys) {
            if (-not (Test-LedgerPart -Value $attempt[$name] -Kind $script:AttemptParts[$name])) {
                return "$name of attempt $number is no $($script:AttemptParts[$name])"
            }
        }
    }
    ''
}

Function Test-LedgerPart {
    <#
    .SYNOPSIS
    Whether a value is what it should be: a text or a number; a moment or an object, or null.
    #>
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [AllowNull()] [object] $Value,
        [Parameter(Mandatory)] [string] $Kind
    )

    switch ($Kind) {
        'text' { return $Value -is [string] -and $Value -ne '' }
        'number' { return $Value -is [int] -or $Value -is [long] }
        'moment' { return $null -eq $Value -or ($Value -is [string] -and $Value -match '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$') }
        default { return $null -eq $Value -or $Value -is [System.Collections.IDictionary] }
    }
}

Function Get-LedgerOrNew {
    <#
    .SYNOPSIS
    The ledger of this server, or an empty one that is not yet written.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Site
    )

    $ledger = Get-Ledger -Contract $Contract -Site $Site
    if ($null -ne $ledger) {
        return $ledger
    }
    [ordered]@{
        schema = $script:Schema
        site = $Site
        upgrade = $null
        lease = $null
        attempts = [System.Collections.Generic.List[object]]::new()
    }
}

Function Save-Ledger {
    <#
    .SYNOPSIS
    Writes the ledger, whole or not at all.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Ledger
    )

    New-WorkFolder -Contract $Contract
    $lost = $null -ne $Ledger['lease'] -and $Ledger['lease']['state'] -eq 'lost'
    if ($lost) {
        # Lost is what the flag tells, and never written: whoever reads it looks at the flag.
        $Ledger['lease']['state'] = 'held'
    }
    $text = ConvertTo-Json -InputObject $Ledger -Depth 20
    if ($lost) {
        $Ledger['lease']['state'] = 'lost'
    }
    Write-DurableText -Path (Get-LedgerPath -Contract $Contract) -Text $text
}

Function Get-LastAttempt {
    <#
    .SYNOPSIS
    The newest attempt of a ledger; $null before the first.
    #>
    [CmdletBinding()]
    param ([AllowNull()] [System.Collections.IDictionary] $Ledger)

    if ($null -eq $Ledger -or $Ledger['attempts'].Count -eq 0) {
        return $null
    }
    $Ledger['attempts'][$Ledger['attempts'].Count - 1]
}

Function Get-FencedAttempt {
    <#
    .SYNOPSIS
    The attempt that a step names, if it is the ledger's last one; an error otherwise, so that nothing is moved twice.
    #>
    [CmdletBinding()]
    param (
        [AllowNull()] [System.Collections.IDictionary] $Ledger,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Named
    )

    $last = Get-LastAttempt -Ledger $Ledger
    if ($null -eq $last) {
        throw "refused: attempt $($Named['number']) ($($Named['key'])) is not in the ledger, which has none"
    }
    if ($last['number'] -ne $Named['number'] -or $last['key'] -cne $Named['key']) {
        throw ("refused: attempt $($Named['number']) ($($Named['key'])) is not the ledger's last, " +
            "which is attempt $($last['number']) ($($last['key']))")
    }
    $last
}

Export-ModuleMember -Function @(
    'Get-FencedAttempt', 'Get-LastAttempt', 'Get-Ledger', 'Get-LedgerOrNew', 'Lock-Work', 'New-WorkFolder', 'Save-Ledger'
)
