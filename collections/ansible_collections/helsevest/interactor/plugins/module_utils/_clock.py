# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one clock: the controller's, or the simulator's where the inventory says so (docs/contracts.md, The clock)."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ._domain.times import format_time, parse_time

TIMEOUT_SECONDS = 30
NAP_SECONDS = 60.0


class ClockError(RuntimeError):
    """The simulator's clock gave no answer, or one that is no time."""


def now(clock_url: str | None = None) -> datetime:
    """Give the present moment in UTC: the controller's without `clock_url`, else the simulator's (ClockError)."""
    if clock_url:
        return _ask(clock_url)
    return datetime.now(UTC)


def wait_until(moment: datetime, clock_url: str | None = None) -> datetime:
    """Return the time once `moment` (with an offset) has come: sleep in real life, move the clock in a simulation.

    A moment that has passed returns at once. Raises ValueError for a naive moment, ClockError as `now` does.
    """
    until = format_time(moment)
    if clock_url:
        return _ask(clock_url, {"until": until})
    # Short naps, because a controller that was suspended meanwhile would oversleep a single long one.
    while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(min(left, NAP_SECONDS))
    return datetime.now(UTC)


def _ask(clock_url: str, body: dict[str, str] | None = None) -> datetime:
    # Imported here, because it costs more than all the rest and real life never needs it. Not Ansible's open_url: that
    # reads the system's certificate authorities for every question, and a tick asks after each step.
    from http.client import HTTPConnection, HTTPException

    method = "POST" if body else "GET"
    parts = urlsplit(clock_url)
    try:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        with closing(connection):
            connection.request(
                method,
                parts.path or "/",
                json.dumps(body) if body else None,
                {"Content-Type": "application/json"} if body else {},
            )
            response = connection.getresponse()
            text = response.read().decode("utf-8")
        if response.status != 200:
            raise ClockError(f"the simulator's clock at {clock_url} did not answer {method}: status {response.status}")
    except (OSError, HTTPException, ValueError) as exc:
        raise ClockError(f"the simulator's clock at {clock_url} did not answer {method}: {exc}") from exc
    try:
        return parse_time(json.loads(text)["now"])
    except (ValueError, KeyError, TypeError) as exc:
        raise ClockError(
            f'the simulator\'s clock at {clock_url} answered {text[:200]!r} to {method}: {{"now": "…Z"}} is wanted'
        ) from exc
