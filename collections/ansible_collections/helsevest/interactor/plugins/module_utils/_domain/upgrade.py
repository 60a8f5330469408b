# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade that is not well means for its site, and who allows one outside its evening (U1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from .ledger import Upgrade
from .release import end_of_day, parse_until, read_who_and_why
from .results import CheckResult, result
from .site import Site
from .times import format_time, parse_time
from .window import OSLO, Opening
from .words import EventKind, State

_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*")
_NOT_YET = frozenset({State.REGISTERED, State.ANSWERED, State.DATED})


def is_new_enough(version: str | None, wanted: str) -> bool:
    """Whether `version` is `wanted` or a newer one, number by number; one that is not known is not."""
    if version is None or not (_NUMBERS.fullmatch(version) and _NUMBERS.fullmatch(wanted)):
        return version == wanted
    return _numbers(version) >= _numbers(wanted)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def has_failed(upgrade: Upgrade | None, evening: Opening | None) -> bool:
    """Whether the upgrade failed, and no evening has begun since that was set for another try."""
    if upgrade is None or upgrade.state != "failed":
        return False
    return evening is None or upgrade.finished is None or upgrade.finished >= evening.start


def judge_upgrade(site: Site, upgrade: Upgrade | None, failed: bool) -> Iterator[CheckResult]:
    """U1 as a check, where the ledger tells of an upgrade that failed or is not proven; nothing where it is well."""
    if upgrade is not None and (failed or upgrade.state in ("restart", "incident")):
        yield result(
            site,
            "U1",
            False,
            observed=upgrade.reason or upgrade.state,
            expected=f"version {upgrade.to} runs, proven",
            remedies=[f"U1.{upgrade.state}"],
            evidence={"state": upgrade.state, "code": upgrade.code},
        )


def upgrade_events(answer: Mapping[str, Any], name: str, reason: str, until: str = "") -> list[dict[str, Any]]:
    """The word of `name` that every site of `answer` (site_gate's) that is not upgraded may be, outside its evening.

    It counts from now until `until` (a date or a moment, see `parse_until`; without one the end of today in Norway).
    ValueError tells everything that is wrong, a line each.
    """
    now = parse_time(answer["now"])
    said, errors = read_who_and_why("upgrade", {"name": name, "reason": reason})
    ends: datetime | None = None
    try:
        ends = parse_until(until.strip(), now) if until.strip() else end_of_day(now.astimezone(OSLO).date())
    except ValueError as exc:
        errors.append(f"upgrade_until: {exc}")
    if errors or ends is None:
        raise ValueError("\n".join(errors))
    return [
        {
            "site": site,
            "kind": EventKind.UPGRADE_ALLOWED.value,
            "key": f"upgrade_allowed/{site}/{answer['run_id']}",
            "data": {**said, "until": format_time(ends)},
        }
        for site, decision in sorted(answer["sites"].items())
        if State(decision["state"]) in _NOT_YET
    ]
