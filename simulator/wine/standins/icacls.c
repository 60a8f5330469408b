/* Copyright: Contributors to the project
 * GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * icacls.exe for Wine, whose own does nothing and says that it did: a folder is closed to all but some SIDs. Who they are
 * is kept in HKLM\SOFTWARE\InteractorSimulator\Access, where Get-Acl of the machine reads it. Other uses end with code 87. */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

int wmain(int count, WCHAR **words)
{
    WCHAR sids[1024] = L"";
    if (count < 5 || wcscmp(words[2], L"/inheritance:r") || wcscmp(words[3], L"/grant:r")) return 87;
    if (GetFileAttributesW(words[1]) == INVALID_FILE_ATTRIBUTES) return 2;
    for (int at = 4; at < count; at++) {
        WCHAR *end = wcschr(words[at], L':');
        if (*words[at] != L'*' || !end || wcscmp(end, L":(OI)(CI)F")) return 87;
        *end = 0;
        if (*sids) wcscat(sids, L",");
        wcscat(sids, words[at] + 1);
    }
    CharLowerW(words[1]);
    LSTATUS status = RegSetKeyValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\InteractorSimulator\\Access", words[1], REG_SZ, sids,
                                     (DWORD)((wcslen(sids) + 1) * sizeof *sids));
    return status ? 5 : 0;
}
