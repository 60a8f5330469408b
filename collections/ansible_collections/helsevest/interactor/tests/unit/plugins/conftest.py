# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests of plugins: a web server on loopback that answers as it is told, and plans to show."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import EVERY_DAY, Window


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@pytest.fixture
def web() -> Iterator[SimpleNamespace]:
    """A web server of the test's own: its `url`, what was `asked` of it, and how it is to `answer`.

    `answer` gives status and body (bytes as they are, else JSON) for a request; None breaks off.
    """
    web = SimpleNamespace(url="", asked=[], answer=lambda _asked: (404, {"error": "nothing here"}))

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            asked = Asked(self.command, self.path, dict(self.headers), body)
            web.asked.append(asked)
            answer = web.answer(asked)
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(content, bytes) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            if 300 <= status < 400:
                self.send_header("Location", f"{web.url}/elsewhere")
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    web.url = f"http://127.0.0.1:{server.server_port}"
    yield web
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Plans:
    """Makes plans as docs/contracts.md has them, from sites that `site` makes; what is given replaces the default."""

    def site(self, number: int, day: date, window: tuple[int, int] = (20, 6), **given: Any) -> dict[str, Any]:
        """A site that moves on `day`, with its window in hours."""
        opening = Window(EVERY_DAY, time(window[0]), time(window[1])).opening_on(day)
        assert opening
        year, week, _ = day.isocalendar()
        return {
            "site": str(number),
            "name": f"Kontor {number}",
            "county": "Vestland",
            "epj": "Journalen",
            "wave": week,
            "wave_name": f"Week {week}, {year}",
            "move_date": str(day),
            "upgrade_date": str(day - timedelta(days=1)),
            "opens": format_time(opening.start),
            "ends": format_time(opening.end),
            "morning": str(day + timedelta(days=1)),
            "promised": False,
            "answered": True,
            "signed": True,
            "was": {"wave": None, "move_date": None},
            "shared_server": None,
            **given,
        }

    def plan(self, *sites: dict[str, Any], **given: Any) -> dict[str, Any]:
        """A plan of `sites`, 20 moves a night and 20 calls a morning."""
        moves, calls = (Counter(site[field] for site in sites if site[field]) for field in ("move_date", "morning"))
        promised = Counter(site["move_date"] for site in sites if site["promised"])
        return {
            "schema": 1,
            "made": "2027-01-04T08:00:00Z",
            "from": "2027-01-25",
            "to": "2027-07-24",
            "status": "optimal",
            "distance": 0.0,
            "goals": [],
            "previous": "2027-01-03T08:00:00Z",
            "changed": len(given.get("changes", [])),
            "changes": [],
            "settings": {},
            "sites": sorted(sites, key=lambda site: (site["move_date"], site["site"])),
            "nights": [
                {"date": day, "moves": moves[day], "capacity": 20, "promised": promised[day]} for day in sorted(moves)
            ],
            "mornings": [{"date": day, "calls": calls[day], "capacity": 20} for day in sorted(calls)],
            "new_waves": [],
            "left_out": [],
            "warnings": [],
            **given,
        }


@pytest.fixture(scope="session")
def plans() -> Plans:
    """What makes plans."""
    return Plans()
