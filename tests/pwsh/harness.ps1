# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs what arrives on the wire, several times in one engine: each line on standard input is a JSON object with the files
# of a bootstrap script, of its standard input and of the output to write; "done" answers it.

$ErrorActionPreference = 'Stop'
# Streams of our own: the scripts on the way set the console's.
$in = [System.IO.StreamReader]::new([Console]::OpenStandardInput())
$out = [System.IO.StreamWriter]::new([Console]::OpenStandardOutput())
$out.AutoFlush = $true
while ($null -ne ($line = $in.ReadLine())) {
    $case = ConvertFrom-Json -InputObject $line
    try {
        $shell = [PowerShell]::Create()
        $null = $shell.AddScript([System.IO.File]::ReadAllText($case.script))
        $text = @($shell.Invoke([System.IO.File]::ReadAllText($case.input).Split("`n"))) -join "`n"
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
