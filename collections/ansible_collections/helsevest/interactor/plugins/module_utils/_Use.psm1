# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Who has Interactor open on this host, and what can be done about it (M2). Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# A message stands until the next tick brings another.
$script:WarningSeconds = 900

Function Test-Below {
    [CmdletBinding()]
    [OutputType([bool])]
    param (
        [AllowNull()] [AllowEmptyString()] [string] $Path,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [string[]] $Folder
    )

    foreach ($each in $Folder) {
        # The backslash at the end, or a folder whose name only begins the same would count.
        if ($Path -and $Path.StartsWith($each.TrimEnd('\') + '\', [System.StringComparison]::OrdinalIgnoreCase)) {
            return $true
        }
    }
    $false
}

Function Get-OpenProgram {
    <#
    .SYNOPSIS
    The processes that mean that somebody has Interactor open. Interactor's service may have the same name: it is none.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $names = Get-ContractValue -Contract $Contract -Path 'processes'
    $found = @(Get-Process | Where-Object -FilterScript { $names -contains $_.ProcessName })
    if ($found.Count -eq 0) {
        return
    }
    $own = @()
    try {
        $own = @(Get-ServiceProcess -Contract $Contract)
    }
    catch {
        # The service counts as somebody then: that only makes us wait.
        Write-Verbose -Message "which process the service is, is not known: $($_.Exception.Message)"
    }
    $found | Where-Object -FilterScript { $own -notcontains $_.Id }
}

Function Get-OpenFileCount {
    <#
    .SYNOPSIS
    How many of Interactor's files others hold open over the net; $null where Windows does not tell.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $folders = @(
        Get-ContractValue -Contract $Contract -Path 'paths.install'
        Get-ContractValue -Contract $Contract -Path 'paths.data'
        foreach ($folder in (Get-ContractValue -Contract $Contract -Path 'use.folders')) { $folder }
    )
    try {
        $open = @(Get-SmbOpenFile)
    }
    catch {
        return $null
    }
    @($open | Where-Object -FilterScript { Test-Below -Path $_.Path -Folder $folders }).Count
}

Function Get-LastWrite {
    <#
    .SYNOPSIS
    When a data file was written last; $null where there is none, or it cannot be seen.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $data = Get-ContractValue -Contract $Contract -Path 'paths.data'
    $flag = Get-ContractValue -Contract $Contract -Path 'paths.maintenance_flag'
    if (-not (Test-Path -LiteralPath $data)) {
        return $null
    }
    try {
        $newest = Get-ChildItem -LiteralPath $data -Recurse -File -Force |
            # Our own flag is no sign of a user.
            Where-Object -FilterScript { $_.Name -ne (Split-Path -Path $flag -Leaf) } |
            Sort-Object -Property LastWriteTimeUtc | Select-Object -Last 1
    }
    catch {
        return $null
    }
    if ($null -ne $newest) {
        $newest.LastWriteTimeUtc
    }
}

Function Get-InteractorUse {
    <#
    .SYNOPSIS
    Whether somebody has Interactor open on this host: programs and, on the server, files and what was written just now.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [switch] $Client
    )

    $use = [ordered]@{
        active = $false
        sessions = @(Get-OpenProgram -Contract $Contract).Count
        open_files = $null
        last_activity = $null
        warned = $null
        closed = $null
    }
    $recent = $false
    if (-not $Client) {
        $use['open_files'] = Get-OpenFileCount -Contract $Contract
        $quiet = Get-ContractValue -Contract $Contract -Path 'use.quiet_minutes'
        if ($quiet -gt 0) {
            $last = Get-LastWrite -Contract $Contract
            if ($null -ne $last) {
                $use['last_activity'] = Format-Moment -Moment $last
                # A file from the future was dated by a wrong clock, and would be recent for ever.
                $recent = [Math]::Abs(((Get-Date).ToUniversalTime() - $last).TotalMinutes) -lt $quiet
            }
        }
    }
    $use['active'] = $use['sessions'] -gt 0 -or $use['open_files'] -gt 0 -or $recent
    $use
}

Function Get-UseText {
    <#
    .SYNOPSIS
    In words, why Interactor counts as in use.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Use)

    $signs = @()
    if ($Use['sessions'] -gt 0) {
        $signs += "$($Use['sessions']) open"
    }
    if ($Use['open_files'] -gt 0) {
        $signs += "$($Use['open_files']) files open from PCs"
    }
    if ($signs.Count -eq 0) {
        $signs += "data written at $($Use['last_activity'])"
    }
    "Interactor is in use: $($signs -join ', ')"
}

Function Send-Warning {
    <#
    .SYNOPSIS
    Shows a text to everybody who is logged on; how many they are, 0 where it could not be shown.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param ([Parameter(Mandatory)] [string] $Text)

    try {
        $null = msg.exe '*' "/TIME:$($script:WarningSeconds)" $Text
        if ($LASTEXITCODE -ne 0) {
            return 0
        }
    }
    catch {
        # Some editions of Windows have no such program.
        return 0
    }
    try {
        # A line for each of them, below one of headings. Their names stay here.
        $lines = @(quser.exe).Count
        return [Math]::Max(1, $lines - 1)
    }
    catch {
        return 1
    }
}

Function Close-Interactor {
    <#
    .SYNOPSIS
    Closes Interactor for who has it open: asks, waits, then ends it. How many programs it ended.

    .NOTES
    Only the contract's programs, and of those only the ones that lie in Interactor's own folders: another program may
    have the same name.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $open = @(Get-ClosableProgram -Contract $Contract)
    foreach ($process in $open) {
        Close-ProcessWindow -Process $process
    }
    $grace = Get-ContractValue -Contract $Contract -Path 'use.grace_seconds'
    $left = @(Get-ClosableProgram -Contract $Contract)
    for ($second = 1; $second -le $grace -and $left.Count -gt 0; $second++) {
        Start-Sleep -Seconds 1
        $left = @(Get-ClosableProgram -Contract $Contract)
    }
    foreach ($process in $left) {
        try {
            Stop-Process -Id $process.Id -Force
        }
        catch {
            # One that has ended by itself is no error; one that does not end is still there when it is counted again.
            Write-Verbose -Message "process $($process.Id) could not be ended: $($_.Exception.Message)"
        }
    }
    $still = @(Get-ClosableProgram -Contract $Contract | ForEach-Object -Process { $_.Id })
    @($open | Where-Object -FilterScript { $still -notcontains $_.Id }).Count
}

Function Get-ClosableProgram {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Contract)

    $folders = @(
        Get-ContractValue -Contract $Contract -Path 'paths.install'
        foreach ($folder in (Get-ContractValue -Contract $Contract -Path 'use.folders')) { $folder }
    )
    # Not to know which process the service is means to end none.
    $own = @(Get-ServiceProcess -Contract $Contract)
    Get-OpenProgram -Contract $Contract |
        Where-Object -FilterScript { $own -notcontains $_.Id -and (Test-Below -Path $_.Path -Folder $folders) }
}

Function Resolve-InteractorUse {
    <#
    .SYNOPSIS
    Get-InteractorUse; where somebody is in it they are warned, and where the site has agreed to that it is closed.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [object] $Module,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [switch] $Client
    )

    $use = Get-InteractorUse -Contract $Contract -Client:$Client
    if (-not $use['active'] -or $Module.CheckMode) {
        return $use
    }
    $warned = $null
    $closed = $null
    if ($Module.Params.warning) {
        $warned = Send-Warning -Text $Module.Params.warning
    }
    if ($Module.Params.close) {
        $closed = Close-Interactor -Contract $Contract
        $Module.Result.changed = $closed -gt 0
        $use = Get-InteractorUse -Contract $Contract -Client:$Client
    }
    $use['warned'] = $warned
    $use['closed'] = $closed
    $use
}

Export-ModuleMember -Function @(
    'Get-InteractorUse', 'Get-UseText', 'Resolve-InteractorUse'
)
