# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Tells what the syntax trees of scripts hold, for tests/pwsh/audit.py to judge. Standard input is a JSON list of scripts;
# the answer is a JSON list with one object for each of them. Every entry begins with its line.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

Function Get-TypeText {
    param([object] $TypeName)
    # The names of all types that are written: of a list of texts both the list and the text.
    if ($TypeName -is [System.Management.Automation.Language.ArrayTypeName]) { return Get-TypeText -TypeName $TypeName.ElementType }
    if ($TypeName -is [System.Management.Automation.Language.GenericTypeName]) {
        "$($TypeName.TypeName.FullName)``$($TypeName.GenericArguments.Count)"
        foreach ($argument in $TypeName.GenericArguments) { Get-TypeText -TypeName $argument }
        return
    }
    $type = $TypeName.GetReflectionType()
    if ($null -eq $type) { $type = $TypeName.GetReflectionAttributeType() }
    if ($null -eq $type) { return $TypeName.FullName }
    $type.FullName
}

Function Get-ArgumentText {
    param([object] $Argument)
    if ($Argument -is [System.Management.Automation.Language.StringConstantExpressionAst]) { return "'$($Argument.Value)'" }
    if ($Argument -is [System.Management.Automation.Language.ExpandableStringExpressionAst] -and $Argument.NestedExpressions.Count -eq 0) { return "'$($Argument.Value)'" }
    if ($Argument -is [System.Management.Automation.Language.ConvertExpressionAst]) { return "[$($Argument.Type.TypeName.FullName)]" }
    $Argument.GetType().Name
}

# What may be lacking, by the kind of node that it would be.
$lacks = @{
    TernaryExpressionAst = { 'TernaryExpressionAst' }
    PipelineChainAst = { 'PipelineChainAst' }
    BinaryExpressionAst = { if ("$($node.Operator)" -eq 'QuestionQuestion') { '??' } }
    AssignmentStatementAst = { if ("$($node.Operator)" -eq 'QuestionQuestionEquals') { '??=' } }
    MemberExpressionAst = { if ($node.NullConditional) { '?.' } }
    InvokeMemberExpressionAst = { if ($node.NullConditional) { '?.' } }
    IndexExpressionAst = { if ($node.NullConditional) { '?[]' } }
    ScriptBlockAst = { if ($null -ne $node.CleanBlock) { 'clean' } }
    PipelineAst = { if ($node.Background) { '&' } }
    FileRedirectionAst = { 'a redirection into a file, whose encoding differs' }
    ExpandableStringExpressionAst = { if ($node.Extent.Text -cmatch '(?<!`)`[eu]') { '`e and `u{}' } }
    StringConstantExpressionAst = {
        if ($node.StringConstantType -eq 'DoubleQuoted' -and $node.Extent.Text -cmatch '(?<!`)`[eu]') { '`e and `u{}' }
    }
}

Function Get-Splat {
    param([object] $Variable)
    # The keys of the table that a command is splatted with: of the nearest one above it in the same function, and those
    # that are added to it one by one. Nothing where it is no table that stands there.
    $name = $Variable.VariablePath.UserPath
    $scope = Get-Scope -Node $Variable
    $tables = @($scope.FindAll({
                $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] -and
                "$($args[0].Left)" -eq "`$$name" -and $args[0].Extent.StartOffset -lt $Variable.Extent.StartOffset
            }.GetNewClosure(), $true))
    # At most these are bound; which of them no tree can tell.
    if ($name -eq 'PSBoundParameters') { return @{ keys = @(Get-ParameterName -Scope $scope); from = '' } }
    if ($tables.Count -eq 0) { return @{ keys = @(); from = "`$$name" } }
    $right = $tables[-1].Right
    $table = $right.Find({ $args[0] -is [System.Management.Automation.Language.HashtableAst] }, $false)
    if ($null -eq $table -or $table.Extent.Text -ne $right.Extent.Text) { return @{ keys = @(); from = $right.Extent.Text } }
    $keys = @($table.KeyValuePairs | ForEach-Object { "$($_.Item1)" })
    $keys += @($scope.FindAll({
                $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] -and
                $args[0].Left -is [System.Management.Automation.Language.IndexExpressionAst] -and "$($args[0].Left.Target)" -eq "`$$name"
            }.GetNewClosure(), $true) | ForEach-Object { $_.Left.Index.Value })
    @{ keys = @($keys); from = '' }
}

Function Get-Scope {
    param([object] $Node)
    # The function that a node stands in, or the whole script. A block in it sees its variables.
    while ($null -ne $Node.Parent -and $Node -isnot [System.Management.Automation.Language.FunctionDefinitionAst]) { $Node = $Node.Parent }
    $Node
}

Function Get-ParameterName {
    param([object] $Scope)
    # Of a function, or of the whole script.
    $block = $Scope
    if ($Scope -is [System.Management.Automation.Language.FunctionDefinitionAst]) { $block = $Scope.Body }
    if ($null -ne $block.ParamBlock) { foreach ($parameter in $block.ParamBlock.Parameters) { $parameter.Name.VariablePath.UserPath } }
}

Function Test-ReadAfter {
    param([object] $Node, [string] $Name)
    # Whether a variable is read after a node in the same function, and not only given another value.
    $targets = [System.Collections.Generic.HashSet[object]]::new()
    $scope = Get-Scope -Node $Node
    foreach ($assignment in $scope.FindAll({ $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] }, $true)) {
        foreach ($target in (Get-Target -Left $assignment.Left)) { $null = $targets.Add($target) }
    }
    foreach ($variable in $scope.FindAll({ $args[0] -is [System.Management.Automation.Language.VariableExpressionAst] }, $true)) {
        if ($variable.VariablePath.UserPath -eq $Name -and $variable.Extent.StartOffset -ge $Node.Extent.EndOffset -and
            (Get-Scope -Node $variable) -eq $scope -and -not $targets.Contains($variable)) { return $true }
    }
    $false
}

Function Get-CommandFact {
    param([object] $Node)
    $parameters = [System.Collections.Generic.List[object]]::new()
    $splats = [System.Collections.Generic.List[object]]::new()
    $told = $false
    $elements = @($Node.CommandElements)
    for ($index = 1; $index -lt $elements.Count; $index++) {
        $element = $elements[$index]
        if ($element -is [System.Management.Automation.Language.CommandParameterAst]) {
            $value = $element.Argument
            if ($null -eq $value -and $index + 1 -lt $elements.Count) { $value = $elements[$index + 1] }
            $text = ''
            if ($value -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $text = $value.Value }
            $parameters.Add(@($element.ParameterName, $text))
            if ($text -and $element.ParameterName -eq 'ErrorVariable') { $told = Test-ReadAfter -Node $Node -Name $text.TrimStart('+') }
        }
        elseif ($element -is [System.Management.Automation.Language.VariableExpressionAst] -and $element.Splatted) {
            $splats.Add((Get-Splat -Variable $element))
        }
    }
    @{
        line = $Node.Extent.StartLineNumber; name = $Node.GetCommandName(); operator = "$($Node.InvocationOperator)"
        text = $elements[0].Extent.Text; parameters = $parameters; splats = $splats; told = $told; scope = (Get-Scope -Node $Node).Extent.StartOffset; at = $Node.Extent.StartOffset
    }
}

Function Get-MemberFact {
    param([object] $Node, [string] $Kind)
    $invoked = $Kind -eq 'InvokeMemberExpressionAst'
    $arguments = [System.Collections.Generic.List[object]]::new()
    if ($invoked -and $null -ne $Node.Arguments) {
        foreach ($argument in $Node.Arguments) { $arguments.Add((Get-ArgumentText -Argument $argument)) }
    }
    $type = ''
    if ($Node.Static -and $Node.Expression -is [System.Management.Automation.Language.TypeExpressionAst]) {
        $type = @(Get-TypeText -TypeName $Node.Expression.TypeName)[0]
    }
    $below = ''
    if ($Node.Expression -is [System.Management.Automation.Language.MemberExpressionAst]) { $below = "$($Node.Expression.Member)" }
    @{
        line = $Node.Extent.StartLineNumber; name = "$($Node.Member)"; static = [bool]$Node.Static; type = $type; invoked = $invoked
        arguments = $arguments; below = $below; on = $Node.Expression.Extent.Text
    }
}

# ---- variables

Function Get-Target {
    param([object] $Left)
    # The variables that an assignment names.
    if ($Left -is [System.Management.Automation.Language.VariableExpressionAst]) { return $Left }
    if ($Left -is [System.Management.Automation.Language.AttributedExpressionAst]) { return Get-Target -Left $Left.Child }
    if ($Left -is [System.Management.Automation.Language.ArrayLiteralAst]) {
        foreach ($element in $Left.Elements) { Get-Target -Left $element }
    }
}

Function Test-Leaving {
    param([object] $Block)
    # Whether nothing after this block is reached from it.
    $last = @($Block.Statements)[-1]
    $last -is [System.Management.Automation.Language.ThrowStatementAst] -or $last -is [System.Management.Automation.Language.ReturnStatementAst]
}

Function Test-Given {
    param([object] $Statement, [string] $Name)
    # Whether a variable has a value whenever a statement has been passed.
    if ($Statement -is [System.Management.Automation.Language.AssignmentStatementAst]) {
        foreach ($target in (Get-Target -Left $Statement.Left)) { if ($target.VariablePath.UserPath -eq $Name) { return $true } }
        return $false
    }
    if ($Statement -is [System.Management.Automation.Language.IfStatementAst]) {
        if ($null -eq $Statement.ElseClause) { return $false }
        foreach ($block in @($Statement.Clauses | ForEach-Object { $_.Item2 }) + $Statement.ElseClause) {
            if (-not (Test-Leaving -Block $block) -and -not (Test-GivenIn -Statements $block.Statements -Name $Name)) { return $false }
        }
        return $true
    }
    if ($Statement -is [System.Management.Automation.Language.TryStatementAst]) {
        if ($null -ne $Statement.Finally -and (Test-GivenIn -Statements $Statement.Finally.Statements -Name $Name)) { return $true }
        if (-not (Test-GivenIn -Statements $Statement.Body.Statements -Name $Name)) { return $false }
        foreach ($clause in $Statement.CatchClauses) {
            if (-not (Test-Leaving -Block $clause.Body) -and -not (Test-GivenIn -Statements $clause.Body.Statements -Name $Name)) { return $false }
        }
        return $true
    }
    $false
}

Function Test-GivenIn {
    param([object[]] $Statements, [string] $Name, [int] $Before = [int]::MaxValue)
    foreach ($statement in $Statements) {
        if ($statement.Extent.EndOffset -gt $Before) { return $false }
        if (Test-Given -Statement $statement -Name $Name) { return $true }
    }
    $false
}

Function Test-Reached {
    param([object] $Read, [string] $Name, [object] $Scope)
    # Whether every way to where a variable is read leads through something that gives it a value.
    $node = $Read
    while ($null -ne $node) {
        $parent = $node.Parent
        if ($node -is [System.Management.Automation.Language.ForEachStatementAst] -and
            $node.Variable.VariablePath.UserPath -eq $Name -and $Read.Extent.StartOffset -ge $node.Body.Extent.StartOffset) { return $true }
        if ($node -is [System.Management.Automation.Language.ForStatementAst] -and $null -ne $node.Initializer -and
            (Test-Given -Statement $node.Initializer -Name $Name)) { return $true }
        if ($node -is [System.Management.Automation.Language.LoopStatementAst] -and $null -ne $node.Condition -and
            $Read.Extent.StartOffset -ge $node.Condition.Extent.StartOffset -and
            $null -ne $node.Condition.Find({ $args[0] -is [System.Management.Automation.Language.AssignmentStatementAst] -and "$($args[0].Left)" -eq "`$$Name" }.GetNewClosure(), $true)) { return $true }
        $block = $null
        $given = @()
        if ($parent -is [System.Management.Automation.Language.StatementBlockAst] -or $parent -is [System.Management.Automation.Language.NamedBlockAst]) { $block = $parent }
        if ($null -ne $block -and (Test-GivenIn -Statements $block.Statements -Name $Name -Before $node.Extent.StartOffset)) { return $true }
        if ($node -is [System.Management.Automation.Language.ScriptBlockAst] -and $null -ne $node.ParamBlock) {
            $given += @($node.ParamBlock.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath })
        }
        if ($node -is [System.Management.Automation.Language.FunctionDefinitionAst] -and $null -ne $node.Parameters) {
            $given += @($node.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath })
        }
        if ($given -contains $Name) { return $true }
        if ($node -eq $Scope) { return $false }
        $node = $parent
    }
    $false
}

$automatic = @(
    '_', 'args', 'ErrorActionPreference', 'ExecutionContext', 'false', 'LASTEXITCODE', 'Matches', 'null', 'PID', 'PSBoundParameters',
    'PSItem', 'PSScriptRoot', 'PSVersionTable', 'this', 'true'
)

Function Get-VariableFault {
    param([object] $Tree, [hashtable] $Kinds)
    $targets = [System.Collections.Generic.HashSet[object]]::new()
    $given = @{}
    $used = @{}
    foreach ($assignment in $Kinds['AssignmentStatementAst']) {
        foreach ($target in (Get-Target -Left $assignment.Left)) {
            # What is added to is read as well.
            if ("$($assignment.Operator)" -eq 'Equals') { $null = $targets.Add($target) }
        }
    }
    foreach ($loop in $Kinds['ForEachStatementAst']) { $null = $targets.Add($loop.Variable) }
    foreach ($parameter in $Kinds['ParameterAst']) { $null = $targets.Add($parameter.Name) }
    foreach ($node in $Kinds['VariableExpressionAst']) {
        $name = $node.VariablePath.UserPath
        if ($name -eq 'PSBoundParameters' -and $node.Splatted) {
            $scope = Get-Scope -Node $node
            foreach ($bound in (Get-ParameterName -Scope $scope)) { $used["$($scope.Extent.StartOffset) $bound"] = $true }
        }
        if ($automatic -contains $name -or $node.VariablePath.DriveName) { continue }
        if ($node.VariablePath.IsScript) { $scope = $Tree; $name = $name.Substring('script:'.Length) }
        else { $scope = Get-Scope -Node $node }
        $key = "$($scope.Extent.StartOffset) $name"
        if ($targets.Contains($node)) {
            if (-not $given.ContainsKey($key)) { $given[$key] = $node }
            continue
        }
        $used[$key] = $true
        if ($node.VariablePath.IsScript) {
            if (-not (Test-GivenIn -Statements $Tree.EndBlock.Statements -Name "script:$name")) { , @($node.Extent.StartLineNumber, "`$script:$name", 'unassigned') }
        }
        elseif (-not (Test-Reached -Read $node -Name $name -Scope $scope)) { , @($node.Extent.StartLineNumber, "`$$name", 'unassigned') }
    }
    foreach ($key in $given.Keys) {
        if (-not $used.ContainsKey($key)) { , @($given[$key].Extent.StartLineNumber, "`$$($given[$key].VariablePath.UserPath)", 'unused') }
    }
}

Function Get-Fact {
    param([string] $Text)
    $tokens = $null
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseInput($Text, [ref]$tokens, [ref]$errors)
    $fact = [ordered]@{}
    foreach ($part in 'errors', 'lacks', 'commands', 'types', 'members', 'functions', 'variables', 'strings', 'codes', 'head') {
        $fact[$part] = [System.Collections.Generic.List[object]]::new()
    }
    foreach ($fault in $errors) { $fact['errors'].Add(@($fault.Extent.StartLineNumber, $fault.Message)) }
    if ($errors.Count -gt 0) { return $fact }
    foreach ($statement in $tree.EndBlock.Statements) { $fact['head'].Add(@($statement.Extent.StartLineNumber, $statement.Extent.Text.Split("`n")[0])) }
    $kinds = @{}
    foreach ($kind in 'AssignmentStatementAst', 'ForEachStatementAst', 'ParameterAst', 'VariableExpressionAst') { $kinds[$kind] = [System.Collections.Generic.List[object]]::new() }
    foreach ($node in $tree.FindAll({ $true }, $true)) {
        $kind = $node.GetType().Name
        $line = $node.Extent.StartLineNumber
        if ($kinds.ContainsKey($kind)) { $kinds[$kind].Add($node) }
        if ($lacks.ContainsKey($kind)) { foreach ($lack in @(& $lacks[$kind])) { $fact['lacks'].Add(@($line, $lack)) } }
        switch ($kind) {
            'CommandAst' { $fact['commands'].Add((Get-CommandFact -Node $node)) }
            { $_ -in 'TypeExpressionAst', 'TypeConstraintAst' } {
                foreach ($name in (Get-TypeText -TypeName $node.TypeName)) { $fact['types'].Add(@($line, $name)) }
            }
            { $_ -in 'MemberExpressionAst', 'InvokeMemberExpressionAst' } { $fact['members'].Add((Get-MemberFact -Node $node -Kind $kind)) }
            'FunctionDefinitionAst' {
                $fact['functions'].Add(@($line, $node.Name, @(Get-ParameterName -Scope $node)))
            }
            { $_ -in 'StringConstantExpressionAst', 'ExpandableStringExpressionAst' } { $fact['strings'].Add(@($line, $node.Value)) }
            'VariableExpressionAst' {
                if ($node.VariablePath.UserPath -eq 'LASTEXITCODE') { $fact['codes'].Add(@((Get-Scope -Node $node).Extent.StartOffset, $node.Extent.StartOffset)) }
            }
        }
    }
    foreach ($found in @(Get-VariableFault -Tree $tree -Kinds $kinds)) { $fact['variables'].Add($found) }
    $fact
}

$all = [System.Collections.Generic.List[object]]::new()
foreach ($text in (ConvertFrom-Json -InputObject (@($input) -join "`n"))) { $all.Add((Get-Fact -Text $text)) }
ConvertTo-Json -InputObject $all -Compress -Depth 8
