"""What goes over the lines to each host: a benchmark's figures that are the same on every machine."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass
class Line:
    """HTTP requests to a host, bytes of their bodies, of the answers', and when the last came, in real seconds.

    The seconds are counted from the beginning of the count.
    """

    requests: int = 0
    received: int = 0
    sent: int = 0
    last: float = 0.0


class Traffic:
    """By host: what has gone over its line since the count began."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count anew."""
        self.lines: dict[str, Line] = {}
        self._begun = time.monotonic()

    def count(self, host: str, received: int, sent: int) -> None:
        """A request with its answer."""
        line = self.lines.setdefault(host, Line())
        line.requests += 1
        line.received += received
        line.sent += sent
        line.last = round(time.monotonic() - self._begun, 3)
