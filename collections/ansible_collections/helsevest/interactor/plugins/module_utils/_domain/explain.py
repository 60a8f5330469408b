# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is known of one site: its past and what lies ahead in order of time, why it is where it is, what next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .ahead import plan_entries, register_entries, told_opening
from .checks import missing_contact
from .decision import Decision
from .durations import Expected
from .events import Event
from .gate_rules import Reason
from .site import Site
from .step import Situation
from .table import words
from .timeline import journal_entries, told_time
from .times import format_time
from .window import EVERY_DAY, WEEKDAYS, Window
from .words import Outcome


def explain(
    situation: Situation,
    decision: Decision,
    events: Iterable[Event],
    variables: Mapping[str, Any],
    expected: Mapping[str, Expected] | None = None,
) -> dict[str, Any]:
    """Everything about `situation.site` as plain data (docs/contracts.md, What explain answers).

    `events` are all that tell of the site, and those of waves, in the order of recording, `variables` its
    `interactor_*` variables, `expected` how long an upgrade and a move take. Of the contact it says only whether there
    is one.
    """
    site = situation.site
    planned = [*register_entries(site, variables["interactor_site"]), *plan_entries(situation)]
    ahead = [entry for entry in planned if entry.ends > situation.now]
    past = [entry for entry in planned if entry not in ahead] + journal_entries(site, events)
    # While hosts are to be measured, what will stand against the step after that.
    reasons = decision.reasons or decision.ahead
    return {
        "site": site.id,
        "now": format_time(situation.now),
        "head": _head(situation, variables),
        "past": [entry.to_dict() for entry in sorted(past, key=lambda entry: entry.begins)],
        "ahead": [entry.to_dict() for entry in sorted(ahead, key=lambda entry: entry.begins)],
        "standing": {
            "state": decision.state.value,
            "verdict": decision.verdict.value if decision.verdict else None,
            "outcome": decision.outcome.value if decision.outcome else None,
            "needs_us": decision.needs_us,
            "why": decision.row()["why"],
            "point_of_no_return": decision.point_of_no_return,
            "reasons": [reason.to_dict() for reason in reasons],
            "owes": [owed.to_dict() for owed in decision.owes],
            "clients": [client.to_dict() for client in decision.clients],
        },
        "next": _next(situation, decision, reasons),
        "expected": {name: {**one.to_dict(), "text": one.told()} for name, one in (expected or {}).items()},
    }


def _head(situation: Situation, variables: Mapping[str, Any]) -> dict[str, Any]:
    site, move, evening = situation.site, situation.move_opening, situation.upgrade_opening
    others = [other for other in site.group if other != site.id]
    shared = f"{site.shared_server}, with {', '.join(others) or 'no other site'}" if site.shared_server else "no"
    return {
        "site": site.id,
        "name": site.name,
        "kind": words(site.kind),
        "county": site.county,
        "epj": site.epj or "not known",
        "language": {"nb": "bokmål", "nn": "nynorsk"}[site.language],
        "mode": words(site.mode),
        "wave": _wave(site, variables.get("interactor_wave") or {}),
        "window": _window(site.window),
        "move_date": told_time(site.move_date, weekday=True) if site.move_date else "not set",
        "upgrade_evening": told_opening(evening) if evening else "not set",
        "move_window": told_opening(move) if move else "none that day" if site.move_date else "not set",
        "close_agreed": "yes" if site.close_agreed else "no",
        "shared_server": shared,
        "hosts": ", ".join((site.server_host, *site.client_hosts)),
        "contact": "not known" if missing_contact(site) else "known",
        "waivers": [
            f"{waiver.check} until {told_time(waiver.until)}, by {waiver.who}: {waiver.reason}"
            for waiver in site.waivers
        ],
    }


def _wave(site: Site, wave: Mapping[str, Any]) -> str:
    if site.wave is None:
        return "none yet"
    days = site.wave_dates
    span = f", {told_time(days.first)} to {told_time(days.last)}" if days else ""
    return f"{site.wave}, {wave['name']}{span}" if wave.get("name") else f"{site.wave}{span}"


def _window(window: Window) -> str:
    days = "every day" if window.weekdays == EVERY_DAY else ", ".join(WEEKDAYS[day] for day in sorted(window.weekdays))
    next_day = " on the next day" if window.passes_midnight else ""
    return f"{window.start:%H:%M} to {window.end:%H:%M}{next_day}, {days}"


def _next(situation: Situation, decision: Decision, reasons: Sequence[Reason]) -> dict[str, Any]:
    site, following = situation.site, decision.next
    name = words(f"{following.phase.value} {following.step or ''}".strip()) if following.phase else ""
    if following.phase is None:
        text = _nothing(site, decision)
    elif following.step is None and following.at:
        text = f"{name}, when its time comes: {told_time(following.at, weekday=True)}"
    else:
        when = "with the next tick" if decision.allowed else "as soon as nothing stands against it"
        text = f"{name} on {', '.join(following.hosts)}, {when}"
    needed = [] if decision.outcome is Outcome.VERIFIED else _needed(decision, reasons)
    return {
        "text": text[:1].upper() + text[1:],
        "phase": following.phase.value if following.phase else None,
        "step": following.step.value if following.step else None,
        "hosts": list(following.hosts),
        "at": format_time(following.at) if following.at else None,
        "allowed": decision.allowed,
        "needed": needed,
    }


def _nothing(site: Site, decision: Decision) -> str:
    match decision.outcome:
        case Outcome.VERIFIED:
            return "nothing: the site is moved and verified"
        case Outcome.MOVED_OUTSIDE:
            return "nothing: the site is in the cloud without an attempt of ours and is left alone"
        case Outcome.UNCERTAIN:
            return "nothing by itself: one of us and the contact have to find out whether the move succeeded (A2)"
    if not site.leads:
        return f"nothing of its own: it moves with {site.leader}, on whose server the steps are taken"
    if site.move_date is None:
        return "nothing before the site has a move date"
    return "nothing before what stands against it is settled"


def _needed(decision: Decision, reasons: Sequence[Reason]) -> list[dict[str, str]]:
    """What has to happen before the site goes on: who has to do what."""
    needed = [{"code": reason.code, "who": reason.who, "text": reason.do} for reason in reasons]
    told = {reason.code for reason in reasons}
    return needed + [
        {"code": owed.code, "who": owed.who, "text": owed.text} for owed in decision.owes if owed.code not in told
    ]
