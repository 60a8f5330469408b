# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs scripts one after the other in one engine. Each line on standard input is a JSON object that names files: a script
# with its standard input, or a module with its arguments and utilities; `output` is written, and "done" answers it.

$ErrorActionPreference = 'Stop'

Function Invoke-Script {
    param([object] $Case, [object] $Shell)
    $null = $Shell.AddScript([System.IO.File]::ReadAllText($Case.script))
    @($Shell.Invoke([System.IO.File]::ReadAllText($Case.input).Split("`n"))) -join "`n"
}

Function Get-Session {
    <#
    .SYNOPSIS
    The session of a module, with its utilities; they keep nothing from one run to the next.
    #>
    param([object] $Case)
    if (-not $sessions.ContainsKey($Case.module)) {
        $shell = [PowerShell]::Create()
        $shell.Runspace.SessionStateProxy.SetVariable('ErrorActionPreference', 'Stop')
        foreach ($utility in $Case.utilities) {
            $load = 'param($name, $text) New-Module -Name $name -ScriptBlock ([ScriptBlock]::Create($text)) | Import-Module -Scope Global'
            $null = $shell.AddScript($load, $true).AddArgument([System.IO.Path]::GetFileNameWithoutExtension($utility))
            $null = $shell.AddArgument([System.IO.File]::ReadAllText($utility)).AddStatement()
        }
        $null = $shell.AddScript('${function:<AnsibleModule>} = [ScriptBlock]::Create($args[0])')
        $null = $shell.AddArgument([System.IO.File]::ReadAllText($Case.module)).Invoke()
        $sessions[$Case.module] = $shell.Runspace
    }
    $sessions[$Case.module]
}

Function Invoke-Module {
    <#
    .SYNOPSIS
    What ansible-core's module_wrapper.ps1 does, without the wrappers around it: they cost more than our scripts.
    #>
    param([object] $Case, [object] $Shell)
    [System.Environment]::SetEnvironmentVariable('PRETEND_STATE', $Case.state)
    $Shell.Runspace = Get-Session -Case $Case
    $arguments = ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Case.arguments)) -AsHashtable
    $Shell.Runspace.SessionStateProxy.SetVariable('complex_args', $arguments)
    # A scope of its own, so that a run finds no variable of an earlier one.
    $null = $Shell.AddCommand('Reset-PretendWindows').AddStatement().AddCommand('<AnsibleModule>', $true)
    $console = [Console]::Out
    $written = [System.IO.StringWriter]::new()
    [Console]::SetOut($written)
    try {
        $null = $Shell.Invoke()
    }
    finally {
        [Console]::SetOut($console)
    }
    $written.ToString()
}

Function New-Mark {
    <#
    .SYNOPSIS
    The type that the marks of tests/pwsh/coverage.ps1 call: a byte for every statement. A compiler would take a second.
    #>
    $name = [System.Reflection.AssemblyName]::new('InteractorCoverage')
    $module = [System.Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, 'Run').DefineDynamicModule('InteractorCoverage')
    $type = $module.DefineType('InteractorCoverage', 'Public, Abstract, Sealed')
    $hits = $type.DefineField('Hits', [byte[]], 'Public, Static')
    $code = $type.DefineMethod('Hit', 'Public, Static', [void], @([int])).GetILGenerator()
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldsfld, $hits)
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldarg_0)
    $code.Emit([System.Reflection.Emit.OpCodes]::Ldc_I4_1)
    $code.Emit([System.Reflection.Emit.OpCodes]::Stelem_I1)
    $code.Emit([System.Reflection.Emit.OpCodes]::Ret)
    $made = $type.CreateType()
    $made.GetField('Hits').SetValue($null, [byte[]]::new(10000))
    $made
}

if ($env:INTERACTOR_COVERAGE) { $mark = New-Mark }
$sessions = @{}
# Streams of our own: the scripts on the way set the console's.
$in = [System.IO.StreamReader]::new([Console]::OpenStandardInput())
$out = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput())
$out.AutoFlush = $true
while ($null -ne ($line = $in.ReadLine())) {
    $case = ConvertFrom-Json -InputObject $line
    $shell = [PowerShell]::Create()
    try {
        if ($case.PSObject.Properties['module']) {
            $text = Invoke-Module -Case $case -Shell $shell
        }
        else {
            $text = Invoke-Script -Case $case -Shell $shell
        }
        if ($shell.Streams.Error.Count -gt 0) {
            $text += "`nERROR: $($shell.Streams.Error[0] | Out-String)"
        }
    }
    catch {
        $text = "ERROR: $_`n$($_.ScriptStackTrace)"
    }
    finally {
        $shell.Dispose()
    }
    [System.IO.File]::WriteAllText($case.output, $text)
    $out.WriteLine('done')
}
if ($env:INTERACTOR_COVERAGE) {
    [System.IO.File]::WriteAllBytes((Join-Path -Path $env:INTERACTOR_COVERAGE -ChildPath "$(New-Guid).hits"), $mark.GetField('Hits').GetValue($null))
}
