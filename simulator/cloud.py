"""The vendor's cloud: it keeps at most one living attempt per site, and says what it has received."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from simulator.calls import CloudRefusal
from simulator.data import Record, by_category, counts, manifest
from simulator.scenario import CATEGORIES


@dataclass
class Attempt:
    """One attempt to move a site's data here."""

    number: int
    key: str
    history_months: int
    state: str = "open"
    counts: dict[str, int] = field(default_factory=dict)
    manifest: dict[str, Any] | None = None
    ids: dict[str, list[str]] = field(default_factory=dict)
    made: list[dict[str, str]] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """As docs/contracts.md tells it."""
        return {
            "number": self.number,
            "key": self.key,
            "state": self.state,
            "counts": dict(self.counts),
            "manifest": self.manifest,
        }


class Cloud:
    """The migration service. `settle` brings the running migrations up to the clock before anything is answered."""

    def __init__(self, sites: Collection[str], settle: Callable[[], None]) -> None:
        self._attempts: dict[str, list[Attempt]] = {site: [] for site in sites}
        self._settle = settle

    def _of(self, site: str) -> list[Attempt]:
        self._settle()
        if site not in self._attempts:
            raise CloudRefusal(404, f"site {site} is not known")
        return self._attempts[site]

    def list_attempts(self, site: str) -> list[dict[str, Any]]:
        """Every attempt of the site, oldest first."""
        return [attempt.answer() for attempt in self._of(site)]

    def open_attempt(self, site: str, number: int, key: str, history_months: int) -> tuple[dict[str, Any], bool]:
        """Open an attempt; the same number and key again answers the one that is there."""
        attempts = self._of(site)
        if number < 1 or not key or history_months < 1:
            raise CloudRefusal(
                400, f"number {number}, key {key!r}, history_months {history_months}: one is not allowed"
            )
        for attempt in attempts:
            if (attempt.number, attempt.key) == (number, key):
                return attempt.answer(), False
        living = next((attempt for attempt in attempts if attempt.state != "discarded"), None)
        if living:
            raise CloudRefusal(
                409,
                f"site {site}: attempt {living.number} ({living.key}) is {living.state}; {number} ({key}) is refused",
            )
        if attempts and number <= attempts[-1].number:
            last = attempts[-1]
            raise CloudRefusal(
                409, f"site {site}: {number} ({key}) is not above the last attempt, {last.number} ({last.key})"
            )
        attempts.append(Attempt(number, key, history_months))
        return attempts[-1].answer(), True

    def made(self, site: str, number: int) -> list[dict[str, str]]:
        """What users have made in the cloud since the switch to an attempt."""
        return list(self._numbered(site, number).made)

    def ids(self, site: str, number: int, category: str) -> list[str]:
        """The ids of a category that an attempt brought and that are still here."""
        if category not in CATEGORIES:
            raise CloudRefusal(400, f"category {category!r}: one of {', '.join(CATEGORIES)} is wanted")
        return list(self._numbered(site, number).ids.get(category, ()))

    def _numbered(self, site: str, number: int) -> Attempt:
        attempt = next((each for each in self._of(site) if each.number == number), None)
        if attempt is None:
            raise CloudRefusal(404, f"site {site} has no attempt {number}")
        return attempt

    def discard(self, site: str, number: int, key: str) -> dict[str, Any]:
        """Throw away what an attempt brought; again is no error."""
        attempt = self._numbered(site, number)
        if attempt.key != key:
            raise CloudRefusal(409, f"site {site}: attempt {number} has the key {attempt.key}, not {key}")
        attempt.state, attempt.ids = "discarded", {}
        return attempt.answer()

    def receive(self, site: str, number: int, key: str) -> bool:
        """Whether the migration program may send: an attempt with that number and key is open."""
        for attempt in self._attempts.get(site, ()):
            if (attempt.number, attempt.key, attempt.state) == (number, key, "open"):
                attempt.state = "receiving"
                return True
        return False

    def receiving(self, site: str, number: int, key: str) -> Attempt | None:
        """The attempt that is being received, None once it ended."""
        for attempt in self._attempts.get(site, ()):
            if (attempt.number, attempt.key, attempt.state) == (number, key, "receiving"):
                return attempt
        return None

    def complete(self, attempt: Attempt, records: list[Record]) -> None:
        """All that will come has come."""
        attempt.state = "completed"
        attempt.counts = counts(records)
        attempt.manifest = manifest(records)
        attempt.ids = by_category(records)

    def snapshot(self) -> dict[str, Any]:
        """Every site's attempts."""
        return {site: [attempt.answer() for attempt in attempts] for site, attempts in self._attempts.items()}
