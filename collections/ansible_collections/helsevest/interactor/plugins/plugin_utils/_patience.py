# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long one host may take, and a second connection to it (docs/decisions/0026-a-dead-host-and-a-part.md)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OutOfTimeError(Exception):
    """The host has spent its time limit."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `OutOfTimeError` inside the block when it has taken so many seconds; only in a worker's main thread.

    A connection plugin may make an error of its own of it, whose text then has this one's.
    """

    def end(*_: object) -> None:
        raise OutOfTimeError(f"timed out: no answer within {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def another_connection(connection: Any) -> None:  # noqa: ANN401
    """End a connection, so that whoever uses it next makes a new one. Raises what the plugin raises where it cannot."""
    try:
        connection.close()
    except Exception:
        # The line is broken: its shell cannot be ended, and is left to time out.
        connection.reset()
