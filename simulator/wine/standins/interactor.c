/* Copyright: Contributors to the project
 * GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Stands in for a service on a Wine machine of the simulator. Where HKLM\SOFTWARE\InteractorSimulator\<the service's name>
 * names a "Listen" (address:port) and a "VersionKey", it tells its version there, as Interactor does. */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stdio.h>

static SERVICE_STATUS_HANDLE handle;
static HANDLE stop;

static void tell(DWORD state)
{
    SERVICE_STATUS status = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state };
    if (state == SERVICE_RUNNING) status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN;
    SetServiceStatus(handle, &status);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    if (code == SERVICE_CONTROL_STOP || code == SERVICE_CONTROL_SHUTDOWN) {
        tell(SERVICE_STOP_PENDING);
        SetEvent(stop);
    }
    return NO_ERROR;
}

static int told(const char *service, const char *name, char *text, DWORD room)
{
    char key[256];
    snprintf(key, sizeof key, "SOFTWARE\\InteractorSimulator\\%s", service);
    return RegGetValueA(HKEY_LOCAL_MACHINE, key, name, RRF_RT_REG_SZ, NULL, text, &room) == ERROR_SUCCESS;
}

static DWORD WINAPI serve(void *given)
{
    SOCKET listening = *(SOCKET *)given;
    const char *key = (const char *)given + sizeof(SOCKET);
    for (;;) {
        SOCKET one = accept(listening, NULL, NULL);
        if (one == INVALID_SOCKET) return 0;
        char asked[2048], body[256], answer[512];
        int count = recv(one, asked, sizeof asked - 1, 0);
        asked[count > 0 ? count : 0] = 0;
        int known = !strncmp(asked, "GET /version ", 13);
        snprintf(body, sizeof body, known ? "{\"%s\": \"%s\"}" : "{}", key, VERSION);
        snprintf(answer, sizeof answer, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
                 known ? "200 OK" : "404 Not Found", (int)strlen(body), body);
        send(one, answer, (int)strlen(answer), 0);
        shutdown(one, SD_SEND);
        closesocket(one);
    }
}

static void WINAPI service(DWORD count, char **names)
{
    (void)count;
    static struct { SOCKET socket; char key[64]; } served;
    char address[64];
    stop = CreateEventA(NULL, TRUE, FALSE, NULL);
    handle = RegisterServiceCtrlHandlerExA(names[0], control, NULL);
    tell(SERVICE_START_PENDING);
    if (told(names[0], "Listen", address, sizeof address) && told(names[0], "VersionKey", served.key, sizeof served.key)) {
        WSADATA data;
        WSAStartup(MAKEWORD(2, 2), &data);
        char *colon = strrchr(address, ':');
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((u_short)atoi(colon + 1)) };
        *colon = 0;
        at.sin_addr.s_addr = inet_addr(address);
        served.socket = socket(AF_INET, SOCK_STREAM, 0);
        if (bind(served.socket, (struct sockaddr *)&at, sizeof at) || listen(served.socket, 16)) {
            SERVICE_STATUS status = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = SERVICE_STOPPED,
                                      .dwWin32ExitCode = WSAGetLastError() };
            SetServiceStatus(handle, &status);
            return;
        }
        CreateThread(NULL, 0, serve, &served, 0, NULL);
    }
    tell(SERVICE_RUNNING);
    WaitForSingleObject(stop, INFINITE);
    tell(SERVICE_STOPPED);
}

int main(void)
{
    SERVICE_TABLE_ENTRYA table[] = { { "", service }, { NULL, NULL } };
    return StartServiceCtrlDispatcherA(table) ? 0 : 1;
}
