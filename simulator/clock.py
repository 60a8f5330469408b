"""The simulated world's clock: still unless moved, or running at a rate; never backwards.

TLS and the time-outs of the wire stay on real time. Nothing here sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def instant(text: str) -> datetime:
    """Read an ISO 8601 moment with a zone; a ValueError names the text when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a moment such as 2027-05-18T18:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write it in UTC with a trailing Z")
    return moment.astimezone(UTC)


def stamp(moment: datetime) -> str:
    """Write a moment as the contracts want it: UTC, whole seconds, trailing Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """Simulated time. `rate` is simulated seconds per real second (default 0: it stands still)."""

    def __init__(self, start: datetime, rate: float = 0.0, ticks: Callable[[], float] = time.monotonic) -> None:
        if start.tzinfo is None:
            raise ValueError("the clock's start has no time zone")
        if rate < 0:
            raise ValueError(f"the clock's rate is {rate}; it is 0 or more")
        self._base = start.astimezone(UTC)
        self._rate = rate
        self._ticks = ticks
        self._since = ticks()

    def now(self) -> datetime:
        """The simulated moment, in UTC."""
        if not self._rate:
            return self._base
        return self._base + timedelta(seconds=(self._ticks() - self._since) * self._rate)

    def advance_to(self, moment: datetime) -> datetime:
        """Move forward to `moment`; an earlier one changes nothing. Answers the moment it then is."""
        if moment.tzinfo is None:
            raise ValueError("the moment to move the clock to has no time zone")
        now = self.now()
        self._base = max(now, moment.astimezone(UTC))
        self._since = self._ticks()
        return self._base
