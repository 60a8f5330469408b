# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what has been done on a server, as the server itself tells it (docs/contracts.md, Ledger).

The controller only reads it; the scripts on the host write it, each change whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .times import parse_time
from .words import AttemptState

SCHEMA = 1


class LedgerError(ValueError):
    """A ledger that cannot be trusted; its text says where and why."""


def _moment(raw: Mapping[str, Any], key: str) -> datetime | None:
    value = raw.get(key)
    return parse_time(value) if value else None


@dataclass(frozen=True)
class Upgrade:
    """The upgrade of Interactor (U1).

    `state` is staged, done, failed (the old version is back), restart (the installer wants one before the new version
    can be proven) or incident (it made one by itself: nothing is proven yet). `code` is the installer's exit code.
    """

    state: str
    to: str
    finished: datetime | None
    reason: str
    code: int | None = None
    started: datetime | None = None

    @property
    def is_cut_off(self) -> bool:
        """Whether a run began it and did not bring it to an end: it died, or is at it now."""
        return self.state == "staged" and self.started is not None and self.finished is None

    @property
    def is_unproven(self) -> bool:
        """Whether it is not yet known what the installer has left."""
        return self.state in ("restart", "incident") or self.is_cut_off

    @property
    def is_incident(self) -> bool:
        """Whether the installer restarted the server by itself: the reason stays, however well it ended."""
        return self.state == "incident" or (self.state == "done" and bool(self.reason))


@dataclass(frozen=True)
class Attempt:
    """One attempt to move the sites of a server; at most one of them is open or switched.

    `sites` are those that it moves; empty where an earlier version opened it. `not_as_before` are the files that a
    rollback did not bring back to what they were. `switching` is when a switch began to write the configuration; that
    it came to its end is told by `switched` alone. `day` is the date in Norway on which its manifest was made:
    `history_months` are counted back from it (M3).
    """

    number: int
    key: str
    state: AttemptState
    day: date | None = None
    history_months: int | None = None
    started: datetime | None = None
    finished: datetime | None = None
    switching: datetime | None = None
    switched: datetime | None = None
    ended: datetime | None = None
    before: Mapping[str, Any] | None = None
    counts: Mapping[str, int] | None = None
    untouched: Mapping[str, str] | None = None
    message: str = ""
    not_as_before: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()

    def moves(self, site: str) -> bool:
        """Whether the data of `site` are moved by it."""
        return not self.sites or site in self.sites

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Attempt:
        """Read one entry of the ledger's `attempts`."""
        return cls(
            number=int(raw["number"]),
            key=str(raw["key"]),
            state=AttemptState(raw["state"]),
            day=date.fromisoformat(raw["day"]) if raw.get("day") else None,
            history_months=None if raw.get("history_months") is None else int(raw["history_months"]),
            started=_moment(raw, "started"),
            finished=_moment(raw, "finished"),
            switching=_moment(raw, "switching"),
            switched=_moment(raw, "switched"),
            ended=_moment(raw, "ended"),
            before=raw.get("before"),
            counts=raw.get("counts"),
            untouched=raw.get("untouched"),
            message=str(raw.get("message") or ""),
            sites=tuple(str(site) for site in raw.get("sites") or ()),
            not_as_before=tuple(map(str, (raw.get("as_before") or {}).get("changed", ()))),
        )


@dataclass(frozen=True)
class Ledger:
    """All that a server's ledger holds of its site.

    The lease is lost where it was held and the server itself has let people in again (the dead man's task).
    """

    site: str
    upgrade: Upgrade | None = None
    lease_held: bool = False
    lease_lost: bool = False
    attempts: tuple[Attempt, ...] = ()

    @property
    def last(self) -> Attempt | None:
        """The newest attempt, or None before the first."""
        return self.attempts[-1] if self.attempts else None

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], site: str) -> Ledger:
        """Read a ledger that a host sent home.

        Raises LedgerError for another schema, another site's ledger, attempts out of order and anything malformed.
        """
        try:
            if raw["schema"] != SCHEMA:
                raise LedgerError(f"site {site}: ledger: schema is {raw['schema']!r}, this version reads {SCHEMA}")
            if raw["site"] != site:
                raise LedgerError(f"site {site}: ledger: it belongs to site {raw['site']!r}")
            attempts = tuple(Attempt.from_dict(entry) for entry in raw.get("attempts") or ())
            upgrade = raw.get("upgrade")
            lease = raw.get("lease") or {"state": "free"}
            ledger = cls(
                site=site,
                upgrade=Upgrade(
                    upgrade["state"],
                    upgrade["to"],
                    _moment(upgrade, "finished"),
                    upgrade.get("reason") or "",
                    upgrade.get("code"),
                    _moment(upgrade, "started"),
                )
                if upgrade
                else None,
                lease_held=lease["state"] == "held",
                lease_lost=lease["state"] == "lost",
                attempts=attempts,
            )
        except LedgerError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise LedgerError(f"site {site}: ledger: malformed: {type(exc).__name__}: {exc}") from exc
        numbers = [attempt.number for attempt in attempts]
        if numbers != list(range(1, len(numbers) + 1)):
            raise LedgerError(f"site {site}: ledger: attempts are numbered {numbers}, not 1, 2, …")
        return ledger
