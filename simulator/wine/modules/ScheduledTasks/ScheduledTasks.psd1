# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

@{
    RootModule = 'ScheduledTasks.psm1'
    ModuleVersion = '1.0'
    GUID = 'd3d6b1f5-6c13-4a53-9d0e-6b8f5e1f6c01'
    FunctionsToExport = @(
        'Get-ScheduledTask', 'Get-ScheduledTaskInfo', 'New-ScheduledTaskAction', 'New-ScheduledTaskPrincipal',
        'New-ScheduledTaskSettingsSet', 'New-ScheduledTaskTrigger', 'Register-ScheduledTask', 'Start-ScheduledTask',
        'Stop-ScheduledTask', 'Unregister-ScheduledTask'
    )
}
