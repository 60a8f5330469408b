# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# What a syntax tree holds that Windows PowerShell 5.1 cannot run, or that our scripts shall not have. Standard input is a
# JSON list of scripts; the answer is a JSON list of lists of findings.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$newParameters = @('AsHashtable', 'AsUTC', 'Parallel', 'SkipCertificateCheck', 'SkipHttpErrorCheck', 'NoProxy', 'DateKind')
$newMembers = @('ToHexString', 'FromHexString', 'HashData', 'ReadExactly', 'GetSHA256')
$words = 'DIPS|HelseVest|dips\.no|nhn\.no|Program Files|ProgramData\\'

Function Find-Fault {
    param([string] $Text)
    $tokens = $null
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$errors)
    foreach ($fault in $errors) { "line $($fault.Extent.StartLineNumber): $($fault.Message)" }
    $strict = $false
    foreach ($node in $tree.FindAll({ $true }, $true)) {
        $kind = $node.GetType().Name
        $at = "line $($node.Extent.StartLineNumber)"
        if ($kind -in 'TernaryExpressionAst', 'PipelineChainAst') { "${at}: $kind" }
        if ($kind -eq 'BinaryExpressionAst' -and "$($node.Operator)" -eq 'QuestionQuestion') { "${at}: ??" }
        if ($kind -eq 'AssignmentStatementAst' -and "$($node.Operator)" -eq 'QuestionQuestionEquals') { "${at}: ??=" }
        if ($node.PSObject.Properties['NullConditional'] -and $node.NullConditional) { "${at}: ?." }
        if ($node.PSObject.Properties['CleanBlock'] -and $null -ne $node.CleanBlock) { "${at}: clean" }
        if ($kind -eq 'CommandParameterAst' -and $node.ParameterName -in $newParameters) { "${at}: -$($node.ParameterName)" }
        if ($kind -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' -and "$($node.Member)" -in $newMembers) { "${at}: $($node.Member)" }
        if ($kind -in 'StringConstantExpressionAst', 'ExpandableStringExpressionAst' -and $node.Value -cmatch $words) {
            "${at}: '$($node.Value)' belongs into the contract"
        }
        if ($kind -eq 'CommandAst' -and $node.InvocationOperator -eq 'Unknown') {
            $name = $node.GetCommandName()
            if ($name -eq 'Set-StrictMode') { $strict = $true }
            if ($name -eq 'Invoke-Expression') { "${at}: Invoke-Expression" }
            if ($name -eq 'Get-FileHash') { "${at}: Get-FileHash reads no file that another program has open to write; Get-FileSha256 does" }
            if ($name -cnotmatch '^([A-Z][A-Za-z]+-[A-Z][A-Za-z0-9]+|[a-z]+\.exe)$') { "${at}: $name is an alias or no full name" }
            $encodes = $node.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.CommandParameterAst] -and $_.ParameterName -eq 'Encoding' }
            if ($name -in 'Get-Content', 'Set-Content', 'Add-Content', 'Out-File' -and -not $encodes) { "${at}: $name without -Encoding" }
        }
    }
    if (-not $strict) { 'no Set-StrictMode' }
    if ($Text -notmatch "(?m)^\`$ErrorActionPreference = 'Stop'$") { 'errors do not end it' }
}

$all = [System.Collections.Generic.List[object]]::new()
foreach ($text in (ConvertFrom-Json -InputObject (@($input) -join "`n"))) {
    $all.Add(@(Find-Fault -Text $text))
}
ConvertTo-Json -InputObject $all -Compress
