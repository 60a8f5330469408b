# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody listens where a connection would go: known in seconds, where the connection itself takes minutes."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

SECONDS = 3.0
PLAIN_PORT = 5985


def knock(connection: Any, seconds: float = SECONDS) -> str:  # noqa: ANN401
    """Try the port that `connection` (a winrm connection plugin with its options set) would use.

    Where it goes through a proxy the proxy is asked for a way there. Answers why nobody is there, or nothing.
    """
    host, port = str(connection.get_option("remote_addr")), int(connection.get_option("port"))
    # An option of pywinrm's own, which the plugin hands on; without it pywinrm takes the environment's.
    proxy = connection.get_option("_extras").get("ansible_winrm_proxy")
    if not proxy and not proxy_bypass(host):
        proxy = getproxies().get("http" if port == PLAIN_PORT else "https")
    try:
        if proxy:
            return _through(str(proxy), host, port, seconds)
        with socket.create_connection((host, port), seconds):
            return ""
    except OSError as exc:
        return f"{host}:{port}: {exc}"


def _through(proxy: str, host: str, port: int, seconds: float) -> str:
    address = urlsplit(proxy)
    with socket.create_connection((address.hostname or "", address.port or 80), seconds) as line:
        line.settimeout(seconds)
        line.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        status = line.makefile("rb").readline(1024).decode("latin-1").split(" ", 2)
    if status[1:2] == ["200"]:
        return ""
    # As requests tells it, so that its cause is found.
    told = " ".join(status[1:]).strip()
    return f"Tunnel connection failed: {told or 'no answer'}"
