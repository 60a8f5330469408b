/* Copyright: Contributors to the project
 * GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stands in for the vendor's migration program on a Wine machine of the simulator: a process that lives as long as the
 * simulator's run does. It sends its arguments to HKLM\SOFTWARE\InteractorSimulator\Port on loopback and ends with the
 * code that comes back; where this process is ended first the line breaks, and the simulator ends the run. */
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

int WINAPI WinMain(HINSTANCE self, HINSTANCE before, char *arguments, int show)
{
    (void)self, (void)before, (void)show;
    DWORD port = 0, size = sizeof port;
    if (RegGetValueA(HKEY_LOCAL_MACHINE, "SOFTWARE\\InteractorSimulator", "Port", RRF_RT_REG_DWORD, NULL, &port, &size)) return 70;
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((u_short)port) };
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET line = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(line, (struct sockaddr *)&at, sizeof at)) return 71;
    send(line, "migrate\t", 8, 0);
    send(line, arguments, (int)strlen(arguments), 0);
    send(line, "\n", 1, 0);
    char answer[64];
    int count = 0, got;
    while (count < (int)sizeof answer - 1 && (got = recv(line, answer + count, (int)sizeof answer - 1 - count, 0)) > 0) count += got;
    answer[count] = 0;
    return count ? atoi(answer) : 72;
}
