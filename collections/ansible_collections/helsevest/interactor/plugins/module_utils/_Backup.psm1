# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Copies of files with a manifest, and the way back to them, proven by it (U1, M5). Windows PowerShell 5.1 must run it.
# A source is a file or a folder with a name; a path in a list of files is that name, with the path below it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# The drive is the office's as well: a full one stops the EPJ.
$script:LeftFree = 1GB

Function Get-BackupFolder {
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name
    )

    if ($Name -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]*$') {
        throw "the name of a backup is '$Name': letters, digits, dot, dash and underscore are allowed"
    }
    Join-Path -Path (Join-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -ChildPath 'backup') -ChildPath $Name
}

Function Test-Elsewhere {
    param ([Parameter(Mandatory)] [object] $Item)

    $Item -is [System.IO.DirectoryInfo] -and [bool]($Item.Attributes -band [System.IO.FileAttributes]::ReparsePoint)
}

Function Get-ItemBelow {
    <#
    .SYNOPSIS
    Every file and folder below a folder. One that leads elsewhere, as a junction does, is told and not gone into.
    #>
    param ([Parameter(Mandatory)] [string] $Path)

    $folders = [System.Collections.Generic.Queue[string]]::new()
    $folders.Enqueue($Path)
    # One level at a time: -Recurse of Windows PowerShell 5.1 goes through junctions, even in a circle.
    while ($folders.Count -gt 0) {
        foreach ($item in (Get-ChildItem -LiteralPath $folders.Dequeue() -Force)) {
            if ($item -is [System.IO.DirectoryInfo] -and -not (Test-Elsewhere -Item $item)) {
                $folders.Enqueue($item.FullName)
            }
            $item
        }
    }
}

Function Assert-OwnFolder {
    <#
    .SYNOPSIS
    An error where a folder below the sources leads elsewhere: what is there is not ours to copy, or to remove.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Source)

    foreach ($path in $Source.Values) {
        if (-not (Test-Path -LiteralPath $path -PathType Container)) {
            continue
        }
        foreach ($item in (Get-ItemBelow -Path $path)) {
            if (Test-Elsewhere -Item $item) {
                throw "refused: the folder $($item.FullName) leads elsewhere, so there is no backup of it"
            }
        }
    }
}

Function Get-SourceFile {
    <#
    .SYNOPSIS
    Every file of the sources by its path in a list of files, sorted. A source that is not there has none.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [System.Collections.IDictionary] $Source)

    $found = [System.Collections.Generic.SortedDictionary[string, object]]::new([System.StringComparer]::Ordinal)
    foreach ($name in $Source.Keys) {
        if (-not (Test-Path -LiteralPath $Source[$name])) {
            continue
        }
        $files = @(Get-Item -LiteralPath $Source[$name] -Force)
        # A folder's own path keeps a backslash that was written at its end, and its files' paths do not double it.
        $root = $files[0].FullName.TrimEnd('\', '/')
        if ($files[0] -is [System.IO.DirectoryInfo]) {
            $files = @(Get-ItemBelow -Path $Source[$name] | Where-Object -FilterScript { $_ -is [System.IO.FileInfo] })
        }
        foreach ($file in $files) {
            $found[($name + $file.FullName.Substring($root.Length)).Replace('\', '/')] = $file
        }
    }
    , $found
}

Function Get-FileList {
    <#
    .SYNOPSIS
    Path, length and SHA-256 of every file of the sources, sorted by path.

    .PARAMETER Unread
    A file that cannot be read is no error: its hash is empty, and like no other.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source,
        [switch] $Unread
    )

    $list = [System.Collections.Generic.List[object]]::new()
    $files = Get-SourceFile -Source $Source
    foreach ($path in $files.Keys) {
        $file = $files[$path]
        $hash = ''
        try {
            $hash = Get-FileSha256 -Path $file.FullName
        }
        catch {
            if (-not $Unread) {
                throw
            }
        }
        $list.Add([ordered]@{ path = $path; bytes = $file.Length; sha256 = $hash })
    }
    , $list
}

Function Compare-FileList {
    <#
    .SYNOPSIS
    The paths that differ, are missing or are new, sorted; none where two lists of files are equal.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Before,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $After
    )

    # Windows does not tell names apart by case.
    $hashes = [System.Collections.Generic.Dictionary[string, string]]::new([System.StringComparer]::OrdinalIgnoreCase)
    foreach ($file in $Before) {
        $hashes[$file['path']] = $file['sha256']
    }
    $differ = [System.Collections.Generic.List[string]]::new()
    foreach ($file in $After) {
        if (-not $hashes.ContainsKey($file['path']) -or $hashes[$file['path']] -ne $file['sha256']) {
            $differ.Add($file['path'])
        }
        $null = $hashes.Remove($file['path'])
    }
    $differ.AddRange($hashes.Keys)
    $differ.Sort([System.StringComparer]::Ordinal)
    , $differ
}

Function Get-Backup {
    <#
    .SYNOPSIS
    The list of the files that a backup holds; $null where there is no backup of that name.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name
    )

    $folder = Get-BackupFolder -Contract $Contract -Name $Name
    if (-not (Test-Path -LiteralPath $folder)) {
        return $null
    }
    , (Read-BackupManifest -Folder $folder)
}

Function Read-BackupManifest {
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Folder)

    $manifest = Read-JsonFile -What 'manifest' -Path (Join-Path -Path $Folder -ChildPath 'manifest.json')
    if ($null -eq $manifest -or $manifest['files'] -isnot [System.Collections.IList]) {
        throw "backup $Folder has no manifest"
    }
    , $manifest['files']
}

Function Select-SavedFile {
    <#
    .SYNOPSIS
    Those files of a backup's list that are of the sources.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.IList] $Saved,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    $wanted = [System.Collections.Generic.List[object]]::new()
    foreach ($file in $Saved) {
        if (@($Source.Keys) -contains $file['path'].Split('/')[0]) {
            $wanted.Add($file)
        }
    }
    , $wanted
}

Function Compare-Backup {
    <#
    .SYNOPSIS
    The paths of the sources that are not as a backup has them, or cannot be read; an error where there is no such backup.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    $saved = Get-Backup -Contract $Contract -Name $Name
    if ($null -eq $saved) {
        throw "backup $(Get-BackupFolder -Contract $Contract -Name $Name) is not there"
    }
    $before = Select-SavedFile -Saved $saved -Source $Source
    , (Compare-FileList -Before $before -After (Get-FileList -Source $Source -Unread))
}

Function Save-Backup {
    <#
    .SYNOPSIS
    Copies the sources to <work>\backup\<name> and proves the copy; a backup of that name that is there already is kept
    as it is. Answers the list of its files. An error where a source is missing or the drive has too little room.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    $there = Get-Backup -Contract $Contract -Name $Name
    if ($null -ne $there) {
        return , $there
    }
    foreach ($part in $Source.Keys) {
        if (-not (Test-Path -LiteralPath $Source[$part])) {
            throw "refused: $($Source[$part]) is missing, so there is no backup of it"
        }
    }
    $folder = Get-BackupFolder -Contract $Contract -Name $Name
    Assert-OwnFolder -Source $Source
    Assert-BackupRoom -Contract $Contract -Source $Source
    $files = Get-FileList -Source $Source
    $copy = [ordered]@{}
    if (Test-Path -LiteralPath "$folder.part") {
        Remove-Item -LiteralPath "$folder.part" -Recurse -Force
    }
    $null = New-Item -Path "$folder.part" -ItemType Directory -Force
    foreach ($part in $Source.Keys) {
        $copy[$part] = Join-Path -Path "$folder.part" -ChildPath $part
    }
    foreach ($file in $files) {
        $from = Get-SourcePath -Source $Source -File $file['path']
        Copy-BackupFile -Path $from -Destination (Get-SourcePath -Source $copy -File $file['path'])
    }
    $differ = Compare-FileList -Before $files -After (Get-FileList -Source $copy)
    if ($differ.Count -gt 0) {
        throw "refused: the backup is not what it was made from: $($differ -join ', ')"
    }
    # An older Windows reads no JSON of more than 2,097,152 characters.
    $text = ConvertTo-Json -InputObject ([ordered]@{ files = $files }) -Depth 5 -Compress
    Write-DurableText -Path (Join-Path -Path "$folder.part" -ChildPath 'manifest.json') -Text $text
    # What cannot be read now could not be read on the way back.
    $differ = Compare-FileList -Before $files -After (Read-BackupManifest -Folder "$folder.part")
    if ($differ.Count -gt 0) {
        throw "refused: the backup's manifest does not hold what was written: $($differ -join ', ')"
    }
    Move-Item -LiteralPath "$folder.part" -Destination $folder
    , $files
}

Function Assert-BackupRoom {
    <#
    .SYNOPSIS
    An error where the drive has no room for a backup of the sources and for what its way back sets aside.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    [long]$bytes = 0
    foreach ($file in (Get-SourceFile -Source $Source).Values) {
        $bytes += $file.Length
    }
    $drive = Split-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -Qualifier
    $disk = @(Get-CimInstance -ClassName Win32_LogicalDisk -Filter "DeviceID = '$drive'")
    if ($disk.Count -eq 0) {
        throw "refused: how much room drive $drive has is not known"
    }
    $needed = [Math]::Ceiling((2 * $bytes + $script:LeftFree) / 1MB)
    $free = [Math]::Floor($disk[0].FreeSpace / 1MB)
    if ($free -lt $needed) {
        throw ("refused: the backup needs $needed MB free on drive $drive (its $bytes bytes twice, " +
            "and 1024 MB for the others), and $free MB are free")
    }
}

Function Remove-Backup {
    <#
    .SYNOPSIS
    Removes a backup, if there is one of that name; what ways back to it have set aside stays.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name
    )

    $folder = Get-BackupFolder -Contract $Contract -Name $Name
    if (Test-Path -LiteralPath $folder) {
        Remove-Item -LiteralPath $folder -Recurse -Force
    }
}

Function Get-SourcePath {
    <#
    .SYNOPSIS
    Where a path of a list of files lies.
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source,
        [Parameter(Mandatory)] [string] $File
    )

    $name, $below = $File.Split([char[]]'/', 2)
    if ($null -eq $below) {
        return $Source[$name]
    }
    Join-Path -Path $Source[$name] -ChildPath $below.Replace('/', '\')
}

Function Copy-BackupFile {
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Destination
    )

    $folder = Split-Path -Path $Destination -Parent
    if (-not (Test-Path -LiteralPath $folder)) {
        $null = New-Item -Path $folder -ItemType Directory -Force
    }
    Copy-DurableFile -Path $Path -Destination $Destination
    # A file that came back must not look as if somebody had been at work in it just now.
    (Get-Item -LiteralPath $Destination -Force).LastWriteTimeUtc = (Get-Item -LiteralPath $Path -Force).LastWriteTimeUtc
}

Function Restore-Backup {
    <#
    .SYNOPSIS
    Brings the sources back to a backup. What it replaces or removes is kept in <work>\backup\<name>-set-aside, as far as
    it can be read. Answers the paths that still differ from the manifest afterwards, as those of files that could not be
    put back: none, where it is proven that all is as before.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [string] $Name,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Source
    )

    $folder = Get-BackupFolder -Contract $Contract -Name $Name
    $saved = Get-Backup -Contract $Contract -Name $Name
    if ($null -eq $saved) {
        throw "backup $folder is not there"
    }
    $wanted = Select-SavedFile -Saved $saved -Source $Source
    $known = [System.Collections.Generic.HashSet[string]]::new([System.StringComparer]::OrdinalIgnoreCase)
    foreach ($file in $wanted) {
        $null = $known.Add($file['path'])
    }
    $copy = [ordered]@{}
    foreach ($part in $Source.Keys) {
        $copy[$part] = Join-Path -Path $folder -ChildPath $part
    }
    foreach ($path in (Compare-FileList -Before $wanted -After (Get-FileList -Source $Source -Unread))) {
        $live = Get-SourcePath -Source $Source -File $path
        try {
            if ($known.Contains($path)) {
                Restore-BackupFile -Path (Get-SourcePath -Source $copy -File $path) -Live $live -Folder "$folder-set-aside" -File $path
            }
            else {
                Save-Aside -Path $live -Folder "$folder-set-aside" -File $path
                Remove-Item -LiteralPath $live -Force
            }
        }
        catch {
            # The others have to come back all the same; the comparison tells which did not.
            Write-Verbose -Message "$path could not be put back: $($_.Exception.Message)"
        }
    }
    , (Compare-FileList -Before $wanted -After (Get-FileList -Source $Source -Unread))
}

Function Restore-BackupFile {
    <#
    .SYNOPSIS
    Puts a file of a backup in its place, and keeps what is there if that can be read.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Live,
        [Parameter(Mandatory)] [string] $Folder,
        [Parameter(Mandatory)] [string] $File
    )

    try {
        if (Test-Path -LiteralPath $Live) {
            Save-Aside -Path $Live -Folder $Folder -File $File
        }
    }
    catch {
        # A file that is whole in the backup is worth more than half of a new one.
        Write-Verbose -Message "$File could not be set aside: $($_.Exception.Message)"
    }
    try {
        Copy-BackupFile -Path $Path -Destination $Live
    }
    catch {
        Remove-Leftover -Live $Live
        throw
    }
}

Function Remove-Leftover {
    <#
    .SYNOPSIS
    Nothing of ours stays beside a file that could not be replaced, as far as it can be removed.
    #>
    [CmdletBinding()]
    param ([Parameter(Mandatory)] [string] $Live)

    if (-not (Test-Path -LiteralPath $Live) -or -not (Test-Path -LiteralPath "$Live.new" -PathType Leaf)) {
        return
    }
    try {
        Remove-Item -LiteralPath "$Live.new" -Force
    }
    catch {
        # Why the file could not be replaced is what has to be told.
        Write-Verbose -Message "$Live.new could not be removed: $($_.Exception.Message)"
    }
}

Function Save-Aside {
    <#
    .SYNOPSIS
    Keeps a copy of a file; one that is kept already is not kept twice, and nothing that is kept is overwritten.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [string] $Path,
        [Parameter(Mandatory)] [string] $Folder,
        [Parameter(Mandatory)] [string] $File
    )

    $first = Join-Path -Path $Folder -ChildPath $File.Replace('/', '\')
    $target = $first
    $number = 1
    while (Test-Path -LiteralPath $target) {
        if ((Get-FileSha256 -Path $target) -eq (Get-FileSha256 -Path $Path)) {
            return
        }
        $number++
        $target = "$first.$number"
    }
    Copy-BackupFile -Path $Path -Destination $target
}

Export-ModuleMember -Function @(
    'Assert-BackupRoom', 'Assert-OwnFolder', 'Compare-Backup', 'Compare-FileList', 'Get-Backup', 'Get-FileList', 'Remove-Backup',
    'Restore-Backup', 'Save-Backup'
)
