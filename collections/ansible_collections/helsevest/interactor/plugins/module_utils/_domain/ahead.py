# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the register and the plan tell of one site: what was done on which day, and what lies ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from .site import Site
from .step import Situation
from .timeline import Entry, told_time
from .window import OSLO, Opening
from .words import AttemptState, Origin

REGISTER, PLAN = "register", "plan"
_LAST_MINUTE = time(23, 59)


def register_entries(site: Site, raw: Mapping[str, Any]) -> list[Entry]:
    """What the register dates: `raw` is the site's `interactor_site`."""
    form, signed = raw["agreement"]["form"], raw["agreement"]["signed"]
    dated = (
        (site.asked, "Asked for its answers (P6)"),
        (site.urls_confirmed, "Confirmed that it reaches the web pages (P6)"),
        (site.proxy_confirmed, "Confirmed its proxy setting (P6)"),
        (site.agreement_sent, f"Agreement sent for signing, {form} (P4)"),
        (date.fromisoformat(signed) if signed else None, f"Agreement signed, {form} (P4)"),
        (site.ros_sent, "Risk assessment sent (P4)"),
    )
    return [Entry(day, what, REGISTER) for day, what in dated if day is not None]


def plan_entries(situation: Situation) -> list[Entry]:
    """Windows, ends and closures that register, release and measurements set; of days off only those not over."""
    site, standing = situation.site, situation.standing
    entries = [*_windows(situation), *_validity(situation)]
    entries += [entry for entry in _days(site) if entry.ends > situation.now]
    if standing.release:
        what = f"End of the release of wave {site.wave} by {standing.release.name}"
        entries.append(Entry(standing.release.until, what, PLAN))
    for waiver in site.waivers:
        end = datetime.combine(waiver.until, _LAST_MINUTE, OSLO)
        entries.append(Entry(end, f"End of the waiver of {waiver.check}", REGISTER, f"{waiver.who}: {waiver.reason}"))
    return entries


def told_opening(opening: Opening) -> str:
    """An opening in Norwegian time with its real length, and why that is not what the clocks show."""
    start, end = (moment.astimezone(OSLO) for moment in (opening.start, opening.end))
    until = f"{end:%H:%M}" if start.date() == end.date() else told_time(end, weekday=True)
    return f"{told_time(start, weekday=True)} to {until} ({told_length(opening)})"


def told_length(opening: Opening) -> str:
    """The real length of an opening as `10 h` or `4 h 30 min`, and why that is not what the clocks show."""
    start, end = (moment.astimezone(OSLO).replace(tzinfo=None) for moment in (opening.start, opening.end))
    hours, minutes = divmod(int(opening.length.total_seconds() // 60), 60)
    parts = (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
    change = "" if end - start == opening.length else ", for the clocks change that night"
    return " ".join(filter(None, parts)) + change


def _windows(situation: Situation) -> Iterator[Entry]:
    site, attempt, move = situation.site, situation.attempt, situation.move_opening
    for opening, name in ((situation.upgrade_opening, "Upgrade evening (U1)"), (move, "Move window (M1)")):
        if opening:
            yield Entry(opening.start, name, PLAN, told_length(opening), opening.end)
    if site.move_date and move is None:
        yield Entry(site.move_date, "Move date, on which the windows of site, wave and vendor do not meet", PLAN)
    checked = attempt is not None and str(attempt.number) in situation.standing.checked
    if not checked and (_has_moved(situation) or (move and situation.now < move.end)):
        yield Entry(situation.check_due, "Check after the move, with the contact at work (A2)", PLAN)


def _has_moved(situation: Situation) -> bool:
    return situation.attempt is not None and situation.attempt.state is AttemptState.SWITCHED


_ENDS = {Origin.SELF_CHECKED: "End of the self-check of", Origin.CONFIRMED: "End of the office's own word for"}


def _validity(situation: Situation) -> Iterator[Entry]:
    if _has_moved(situation):
        return
    site, validity = situation.site, situation.settings.validity
    measured = [m for m in situation.standing.measurements if m.is_judged and m.origin == Origin.MEASURED]
    newest = {m.host: m for m in measured}
    for host in (site.server_host, *site.client_hosts):
        if host in newest:
            lasts = validity.server if host == site.server_host else validity.client
            yield Entry(newest[host].at + lasts, f"End of the preflight of {host}: it is measured again", PLAN)
    for client in situation.clients:
        if client.until and client.origin in _ENDS:
            yield Entry(client.until, f"{_ENDS[client.origin]} {client.host}", PLAN)


def _days(site: Site) -> Iterator[Entry]:
    for span in site.closed or ():
        yield Entry(span.first, "Closed", REGISTER, until=span.last)
    for freeze in site.freezes:
        whose = freeze.whose.replace("_", " ")
        yield Entry(freeze.days.first, f"Freeze of the {whose}", REGISTER, freeze.reason, freeze.days.last)
    if site.wave_dates:
        what = f"The days of wave {site.wave}"
        yield Entry(site.wave_dates.first, what, REGISTER, until=site.wave_dates.last)
