# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a move takes, counted and hashed in one pass over the vendor's list (docs/contracts.md, Manifest), and the ids of it
# that are kept. Neither an id nor a date may end up in an error. Windows PowerShell 5.1 must run it.

#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Interactor
#AnsibleRequires -PowerShell ansible_collections.helsevest.interactor.plugins.module_utils._Windows

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

# Less than the hour after which the lease would be lost.
$script:ListSeconds = 1800

$script:Categories = @('orders', 'started_requisitions', 'favourite_packages')
$script:Fields = @('category', 'id', 'date')
# Ordinal and in one culture: -match would take letters of other alphabets for these.
$script:AllowedId = [regex]::new('\A[A-Za-z0-9._:-]{1,64}\z')
# Not beside a to f: one in 250 random UUIDs has a group of eleven digits and one such letter.
$script:IdentityNumber = [regex]::new('(?<![0-9A-Fa-f])[0-9]{11}(?![0-9A-Fa-f])')
$script:AllowedDate = [regex]::new('\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z')
# So many lines go through the parser at once; 5.1 takes no text above 2 MB.
$script:BatchLines = 500
$script:BatchLength = 500000

Function Test-Date {
    param ([Parameter(Mandatory)] [AllowEmptyString()] [string] $Text)

    $parsed = [datetime]::MinValue
    $style = [System.Globalization.DateTimeStyles]::None
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    $script:AllowedDate.IsMatch($Text) -and [datetime]::TryParseExact($Text, 'yyyy-MM-dd', $culture, $style, [ref]$parsed)
}

Function ConvertFrom-Line {
    <#
    .SYNOPSIS
    The objects of lines of JSON, one a line; an error with the number of the line that is none.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.Generic.List[string]] $Line,
        [Parameter(Mandatory)] [System.Collections.Generic.List[int]] $Number
    )

    $options = Get-JsonOption
    $entries = $null
    try {
        # Not into @(): 5.1 gives the array as one object, newer engines each of its items.
        $entries = ConvertFrom-Json -InputObject "[$($Line -join ',')]" @options
    }
    catch {
        $entries = $null
    }
    if ($entries -is [array] -and $entries.Count -eq $Line.Count) {
        return , $entries
    }
    # Rarely needed: alone it shows which line it is, or that there is but one.
    $found = [System.Collections.Generic.List[object]]::new()
    for ($index = 0; $index -lt $Line.Count; $index++) {
        try {
            $found.Add((ConvertFrom-Json -InputObject $Line[$index] @options))
        }
        catch {
            throw "the list's line $($Number[$index]) is no JSON object"
        }
    }
    return , $found.ToArray()
}

Function Add-Entry {
    <#
    .SYNOPSIS
    Counts the entries of some lines into the totals, and writes their ids.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.Generic.List[string]] $Line,
        [Parameter(Mandatory)] [System.Collections.Generic.List[int]] $Number,
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Total,
        [Parameter(Mandatory)] [AllowEmptyCollection()] [System.Collections.Generic.HashSet[string]] $Day,
        [Parameter(Mandatory)] [System.Security.Cryptography.HashAlgorithm] $Hasher,
        [Parameter(Mandatory)] [System.IO.TextWriter] $Writer
    )

    $encoding = [System.Text.UTF8Encoding]::new($false)
    # Little-endian, and one more byte than the hash has: else the highest bit would be a sign.
    $bytes = [byte[]]::new(33)
    $index = 0
    foreach ($entry in (ConvertFrom-Line -Line $Line -Number $Number)) {
        $what = "the list's line $($Number[$index])"
        # A list of one object is unwrapped by newer engines.
        if ($entry -isnot [System.Management.Automation.PSCustomObject] -or $Line[$index].TrimStart()[0] -ne '{') {
            throw "$what is no JSON object"
        }
        $index++
        $properties = $entry.PSObject.Properties
        foreach ($name in $script:Fields) {
            $property = $properties[$name]
            if ($null -eq $property -or $property.Name -cne $name -or $property.Value -isnot [string]) {
                throw "$what lacks category, id or date"
            }
        }
        $id = $entry.id
        $date = $entry.date
        if (-not $Total.Contains($entry.category)) {
            throw "$what names another category: allowed are $($script:Categories -join ', ')"
        }
        if (-not $script:AllowedId.IsMatch($id)) {
            throw "$what has an id that is not allowed: 1 to 64 letters, digits, dots, colons, dashes and underscores"
        }
        if ($script:IdentityNumber.IsMatch($id)) {
            throw "$what has an id with 11 digits in a row, as a national identity number has"
        }
        if (-not $Day.Contains($date)) {
            if (-not (Test-Date -Text $date)) {
                throw "$what has a date that is none: YYYY-MM-DD is wanted"
            }
            $null = $Day.Add($date)
        }
        $sum = $Total[$entry.category]
        $digest = $Hasher.ComputeHash($encoding.GetBytes($id))
        [array]::Reverse($digest)
        $digest.CopyTo($bytes, 0)
        $sum['hash'] = [bigint]::Add($sum['hash'], [bigint]::new($bytes))
        $sum['count']++
        if ($null -eq $sum['first'] -or [string]::CompareOrdinal($date, $sum['first']) -lt 0) {
            $sum['first'] = $date
        }
        if ($null -eq $sum['last'] -or [string]::CompareOrdinal($date, $sum['last']) -gt 0) {
            $sum['last'] = $date
        }
        $Writer.WriteLine("$($entry.category)`t$id")
    }
}

Function Get-Manifest {
    <#
    .SYNOPSIS
    Count, hash, first and last date of each category, from lines {"category": …, "id": …, "date": …}, in one pass.
    #>
    [CmdletBinding()]
    param (
        [Parameter(Mandatory)] [System.IO.TextReader] $Reader,
        [Parameter(Mandatory)] [System.IO.TextWriter] $Writer
    )

    # Not @{}: its keys do not tell capitals from small letters.
    $total = [System.Collections.Specialized.OrderedDictionary]::new([System.StringComparer]::Ordinal)
    foreach ($category in $script:Categories) {
        $total[$category] = @{ count = 0; hash = [bigint]::Zero; first = $null; last = $null }
    }
    $hasher = [System.Security.Cryptography.SHA256]::Create()
    $batch = @{
        Line = [System.Collections.Generic.List[string]]::new()
        Number = [System.Collections.Generic.List[int]]::new()
        Total = $total
        Day = [System.Collections.Generic.HashSet[string]]::new()
        Hasher = $hasher
        Writer = $Writer
    }
    $number = 0
    $length = 0
    try {
        while ($null -ne ($line = $Reader.ReadLine())) {
            $number++
            if ([string]::IsNullOrWhiteSpace($line)) {
                continue
            }
            $batch['Line'].Add($line)
            $batch['Number'].Add($number)
            $length += $line.Length
            if ($batch['Line'].Count -ge $script:BatchLines -or $length -ge $script:BatchLength) {
                Add-Entry @batch
                $batch['Line'].Clear()
                $batch['Number'].Clear()
                $length = 0
            }
        }
        if ($batch['Line'].Count -gt 0) {
            Add-Entry @batch
        }
    }
    catch [System.Text.DecoderFallbackException] {
        throw 'the list is no UTF-8 text'
    }
    finally {
        $hasher.Dispose()
    }
    $modulus = [bigint]::Pow(2, 256)
    $manifest = [ordered]@{}
    foreach ($category in $script:Categories) {
        $sum = $total[$category]
        # A sign stands before a digit above 7, and not always all zeros.
        $digits = [bigint]::Remainder($sum['hash'], $modulus).ToString('x').TrimStart('0').PadLeft(64, '0')
        $manifest[$category] = [ordered]@{ count = $sum['count']; hash = $digits; first = $sum['first']; last = $sum['last'] }
    }
    $manifest
}

Function Test-Span {
    <#
    .SYNOPSIS
    An error where a manifest holds what lies outside the span that a move takes (M3).
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Manifest,
        [Parameter(Mandatory)] [string] $Day,
        [Parameter(Mandatory)] [int] $Month
    )

    if (-not (Test-Date -Text $Day)) {
        throw "day is '$Day': a date as 2027-05-18 is wanted"
    }
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    # The last day of a month that is shorter.
    $since = [datetime]::ParseExact($Day, 'yyyy-MM-dd', $culture).AddMonths(-$Month).ToString('yyyy-MM-dd', $culture)
    $spans = [ordered]@{ orders = @($since, $Day); started_requisitions = @($Day, '9999-12-31') }
    foreach ($category in $spans.Keys) {
        $sum = $Manifest[$category]
        if ($sum['count'] -gt 0 -and ([string]::CompareOrdinal($sum['first'], $spans[$category][0]) -lt 0 -or
                [string]::CompareOrdinal($sum['last'], $spans[$category][1]) -gt 0)) {
            throw "the list holds $category outside the agreed span of $Month months: the vendor's program does not keep it"
        }
    }
}

Function Remove-File {
    param ([Parameter(Mandatory)] [string] $Path)

    if (Test-Path -LiteralPath $Path) {
        Remove-Item -LiteralPath $Path -Force
    }
}

Function Get-IdPath {
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number
    )

    $folder = Join-Path -Path (Get-ContractValue -Contract $Contract -Path 'paths.work') -ChildPath 'manifest'
    Join-Path -Path $folder -ChildPath "attempt-$Number.ids"
}

Function Read-List {
    <#
    .SYNOPSIS
    Has the vendor's program list what attempt Number would move; the manifest of it. Of the list only the ids are kept.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number,
        [Parameter(Mandatory)] [string] $Day,
        [Parameter(Mandatory)] [int] $Month
    )

    $list = Get-ContractValue -Contract $Contract -Path 'migration.list_file'
    $values = @{ months = $Month; day = $Day; list_file = $list }
    Remove-File -Path $list
    $run = @{
        Path = Get-ContractValue -Contract $Contract -Path 'migration.program'
        Argument = Expand-Argument -Template (Get-ContractValue -Contract $Contract -Path 'migration.list_arguments') -Value $values
        Seconds = $script:ListSeconds
    }
    $code = Invoke-ProgramInTime @run
    if ($code -ne 0) {
        throw "the list program ended with code $code"
    }
    $reader = Open-SharedReader -Path $list
    if ($null -eq $reader) {
        throw "the list program wrote no $list"
    }
    $path = Get-IdPath -Contract $Contract -Number $Number
    $null = New-Item -Path (Split-Path -Path $path -Parent) -ItemType Directory -Force
    $writer = $null
    try {
        $writer = Open-DurableWriter -Path $path
        $manifest = Get-Manifest -Reader $reader -Writer $writer
        Test-Span -Manifest $manifest -Day $Day -Month $Month
        Save-DurableWriter -Writer $writer -Path $path
    }
    finally {
        $reader.Dispose()
        if ($null -ne $writer) {
            $writer.Dispose()
        }
        # Of a list that was refused nothing stays.
        Remove-File -Path $list
        Remove-File -Path "$path.new"
    }
    $manifest
}

Function Get-KeptId {
    <#
    .SYNOPSIS
    The ids of some categories that were kept when attempt Number was opened.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number,
        [Parameter(Mandatory)] [object[]] $Category
    )

    $ids = [ordered]@{}
    foreach ($name in $Category) {
        $ids[[string]$name] = [System.Collections.Generic.List[string]]::new()
    }
    $reader = Open-SharedReader -Path (Get-IdPath -Contract $Contract -Number $Number)
    if ($null -eq $reader) {
        throw "the ids of attempt $Number are not kept on this server"
    }
    try {
        while ($null -ne ($line = $reader.ReadLine())) {
            $name, $id = $line.Split("`t")
            if ($ids.Contains($name)) {
                $ids[$name].Add($id)
            }
        }
    }
    finally {
        $reader.Dispose()
    }
    $ids
}

Function Remove-KeptId {
    <#
    .SYNOPSIS
    Removes the ids of an attempt that is over: the cloud has nothing any more to compare them with.
    #>
    param (
        [Parameter(Mandatory)] [System.Collections.IDictionary] $Contract,
        [Parameter(Mandatory)] [int] $Number
    )

    Remove-File -Path (Get-IdPath -Contract $Contract -Number $Number)
}

Export-ModuleMember -Function @(
    'Get-KeptId', 'Read-List', 'Remove-KeptId'
)
