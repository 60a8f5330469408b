# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

@{
    RootModule = 'InteractorMachine.psm1'
    ModuleVersion = '1.0'
    GUID = 'd3d6b1f5-6c13-4a53-9d0e-6b8f5e1f6c02'
    FunctionsToExport = @(
        'Get-Acl', 'Get-AuthenticodeSignature', 'Get-ToldAddress', 'Get-ToldAnswer', 'Get-ToldDetection', 'Get-ToldLeft',
        'Get-ToldOffset', 'Get-ToldProxy', 'Open-ToldSession', 'Start-Process', 'Test-ToldServer', 'Wait-ToldSession'
    )
    AliasesToExport = @(
        'Get-ClockOffset', 'Get-DetectedScript', 'Get-HostAddress', 'Get-ScriptProxy', 'Get-TimeLeft', 'Get-WebAnswer', 'Open-Session',
        'Test-TlsServer', 'Wait-Session'
    )
}
