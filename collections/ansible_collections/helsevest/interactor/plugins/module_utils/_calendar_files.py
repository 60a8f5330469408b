# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The team's events as iCalendar files (RFC 5545), written with the package `icalendar`.

All times are in UTC, so that no program has to know Norway's clock changes to show them right. What was in the file and
is no longer planned stays in it, cancelled: a calendar that imports the file takes it out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ._domain.plan_events import TeamEvent

try:
    import icalendar
except ImportError as _error:
    ICALENDAR_IMPORT_ERROR: ImportError | None = _error
else:
    ICALENDAR_IMPORT_ERROR = None

CALLED_OFF = "Avlyst: "


def calendar_file(name: str, events: Iterable[TeamEvent], made: datetime, before: bytes | None = None) -> bytes:
    """The file of `events`, for a calendar that shows `name`; `before` is the file as it is.

    The events that `before` holds, that lie ahead of `made` and are not in `events` are cancelled. Every plan has a
    higher sequence number than the one before (its minute), by which a calendar knows what is newer.
    Raises ImportError without the package, ValueError where `before` is no calendar.
    """
    if ICALENDAR_IMPORT_ERROR is not None:
        raise ImportError(
            "calendar files need the Python package icalendar, 6 or later; "
            f"make setup installs it ({ICALENDAR_IMPORT_ERROR})"
        )
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//helsevest.interactor//plan//NO")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    events = list(events)
    kept = {event.uid for event in events}
    gone = [event for event in read_events(before) if event.uid not in kept and event.start > made] if before else []
    for event in events:
        calendar.add_component(_component(event, "TENTATIVE" if event.is_tentative else "CONFIRMED", made))
    for event in gone:
        # In words too, for not every calendar program heeds the status of an event that is imported.
        called_off = replace(event, summary=CALLED_OFF + event.summary.removeprefix(CALLED_OFF))
        calendar.add_component(_component(called_off, "CANCELLED", made))
    return calendar.to_ical()


def read_events(file: bytes) -> list[TeamEvent]:
    """The events of a file that `calendar_file` wrote; ValueError if it is none."""
    try:
        return [_read(component) for component in icalendar.Calendar.from_ical(file).walk("VEVENT")]
    except (KeyError, AttributeError, IndexError) as exc:
        raise ValueError(f"an event lacks {exc}") from exc


def _read(component: Any) -> TeamEvent:  # noqa: ANN401 - a class of the guarded package
    start, end = (component.decoded(field).astimezone(UTC) for field in ("DTSTART", "DTEND"))
    uid, summary, description = (str(component[field]) for field in ("UID", "SUMMARY", "DESCRIPTION"))
    return TeamEvent(uid, start, end, summary, description, component.get("STATUS") == "TENTATIVE")


def _component(event: TeamEvent, status: str, made: datetime) -> Any:  # noqa: ANN401 - as above
    component = icalendar.Event()
    component.add("uid", event.uid)
    component.add("dtstamp", made)
    component.add("sequence", int(made.timestamp()) // 60)
    component.add("dtstart", event.start)
    component.add("dtend", event.end)
    component.add("summary", event.summary)
    component.add("description", event.description)
    component.add("status", status)
    # It shows in the calendar and leaves the person free: not all of the team are in on every night.
    component.add("transp", "TRANSPARENT")
    return component
