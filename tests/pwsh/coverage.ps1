# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Puts a mark before every statement of scripts: [InteractorCoverage]::Hit(n). Standard input is a JSON list of scripts; the
# answer is a JSON object: `texts` with the marks, no line moved, and for each script the lines of its statements, in the
# order of their numbers, which go on from script to script.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$all = @{ texts = [System.Collections.Generic.List[string]]::new(); lines = [System.Collections.Generic.List[object]]::new() }
$next = 0
foreach ($text in (ConvertFrom-Json -InputObject (@($input) -join "`n"))) {
    $tokens = $null
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$errors)
    if ($errors.Count -gt 0) { throw "$($errors[0])" }
    $blocks = $tree.FindAll({
            $args[0] -is [System.Management.Automation.Language.NamedBlockAst] -or $args[0] -is [System.Management.Automation.Language.StatementBlockAst]
        }, $true)
    $statements = foreach ($block in $blocks) {
        # What stands in $(…) or @(…) is a part of a statement.
        if ($block.Parent -is [System.Management.Automation.Language.SubExpressionAst] -or $block.Parent -is [System.Management.Automation.Language.ArrayExpressionAst]) { continue }
        # A definition is run when its file is loaded, which says nothing.
        $block.Statements | Where-Object { $_ -isnot [System.Management.Automation.Language.FunctionDefinitionAst] }
    }
    $lines = [System.Collections.Generic.List[int]]::new()
    $marked = [System.Text.StringBuilder]::new()
    $done = 0
    foreach ($statement in ($statements | Sort-Object -Property { $_.Extent.StartOffset })) {
        $start = $statement.Extent.StartOffset
        $null = $marked.Append($text, $done, $start - $done).Append("[InteractorCoverage]::Hit($next);")
        $done = $start
        $next++
        $lines.Add($statement.Extent.StartLineNumber)
    }
    $all['texts'].Add($marked.Append($text, $done, $text.Length - $done).ToString())
    $all['lines'].Add($lines)
}
ConvertTo-Json -InputObject $all -Compress -Depth 4
