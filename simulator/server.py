"""Starts and ends a simulation: proxy, hosts, cloud and control API, all in one process on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.calls import Credential, World
from simulator.control import Calls, control
from simulator.engines import USER
from simulator.faults import Faults
from simulator.fetch import Fetcher
from simulator.lines import opened
from simulator.ntlm import accept
from simulator.pki import Authority
from simulator.proxy import Peers, Proxy
from simulator.traffic import Traffic
from simulator.web import Web

_BACKLOG = 1_024
_FILES = ("simulation.json", "ca.pem", "accounts")


@asynccontextmanager
async def serving(build: Callable[[Fetcher], World], run_dir: Path) -> AsyncIterator[dict[str, Any]]:
    """Run a simulation until the block ends.

    Args:
        build: makes the world; it gets what fetches pages as a simulated host would.
        run_dir: an existing folder for `ca.pem`, `accounts` and `simulation.json` (0600); they are removed at the end.

    Yields:
        The content of `simulation.json`: proxy, ca, clock_url, control_url, user, password, cloud_token, pid, lines
        (the proxy of each host that has something between it and its pages). Password and token are new at each start.
    """
    credential = Credential(USER, secrets.token_urlsafe(24))
    token = secrets.token_urlsafe(24)
    authority, peers, calls, faults, traffic = Authority(), Peers(), Calls(), Faults(), Traffic()
    proxy_socket, control_socket = (socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG) for _ in range(2))
    proxy_url, control_url = (f"http://127.0.0.1:{one.getsockname()[1]}" for one in (proxy_socket, control_socket))
    fetcher = Fetcher(proxy_url, authority.client_context)
    try:
        accept(credential, run_dir / "accounts")
        authority.write(run_dir / "ca.pem")
        world = build(fetcher)
        internet = Web(world, credential, token, peers, calls.record, faults, traffic)
        http = web.Server(internet.handle, access_log=None)
        proxy = Proxy(authority, internet.reach, http, peers)
        server = await asyncio.get_running_loop().create_server(proxy, sock=proxy_socket, backlog=_BACKLOG)
        runner = web.AppRunner(control(world, calls, faults, traffic), access_log=None)
        await runner.setup()
        await web.SockSite(runner, control_socket).start()
        troubles = world.page_troubles
        async with opened(troubles.values(), internet, authority, peers, world.pages) as lines:
            fetcher.lines = lines
            facts: dict[str, Any] = {
                "proxy": proxy_url,
                "ca": str(run_dir / "ca.pem"),
                "clock_url": f"{control_url}/clock",
                "control_url": control_url,
                "user": credential.user,
                "password": credential.password,
                "cloud_token": token,
                "pid": os.getpid(),
                "lines": {name: lines[trouble] for name, trouble in troubles.items()},
            }
            _write(run_dir / "simulation.json", facts)
            try:
                yield facts
            finally:
                server.close()
                # At once: a machine takes seconds to end.
                await asyncio.gather(*[host.engine.close() for host in world.hosts.values() if host.engine is not None])
                await fetcher.close()
                await http.shutdown(1.0)
                await runner.cleanup()
    finally:
        proxy_socket.close()
        control_socket.close()
        for name in _FILES:
            (run_dir / name).unlink(missing_ok=True)


def _write(path: Path, facts: dict[str, Any]) -> None:
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
    new.replace(path)
