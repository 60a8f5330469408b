# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments as the parts of the project write them to each other: UTC, whole seconds, with a trailing Z."""

from __future__ import annotations

from datetime import UTC, datetime

from .window import OSLO


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 moment that names its offset (`2027-05-18T18:30:00Z`); the answer is in UTC.

    Raises ValueError for anything else, a moment without an offset included.
    """
    allowed = "an ISO 8601 moment with its offset, as 2027-05-18T18:30:00Z, is wanted"
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no moment: {allowed}")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no moment: {allowed}") from exc
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: {allowed}")
    return moment.astimezone(UTC)


def format_time(moment: datetime) -> str:
    """Write a moment as `2027-05-18T18:30:00Z`, parts of a second cut off; ValueError if it has no offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_local(moment: datetime) -> str:
    """Write a moment as operations reads it, in Norwegian time to the minute: `2027-05-18 20:30`."""
    return moment.astimezone(OSLO).strftime("%Y-%m-%d %H:%M")
