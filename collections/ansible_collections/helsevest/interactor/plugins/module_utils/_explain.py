# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_explain does: one site and the journal in, all that is known of it out."""

from __future__ import annotations

from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.decision import decide_each, on_servers
from ._domain.explain import explain
from ._domain.explain_lists import explain_lists
from ._domain.site import Site
from ._domain.standing import standings, tells
from ._domain.step import Situation
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._gate import calendar_for, expected_from, settings_from
from ._holidays import MissingPackageError
from ._journal import Journal, JournalError

ARGUMENT_SPEC: dict[str, Any] = {
    "site": {"type": "dict", "required": True},
    "sharing": {"type": "list", "elements": "dict", "default": []},
    **{name: GATE_SPEC[name] for name in ("calendar", "contract", "journal", "clock_url", "settings")},
}


class ExplainError(Exception):
    """The site cannot be explained; the text is for the person who started the run."""


def answer(params: dict[str, Any]) -> dict[str, Any]:
    """All that is known of one site (docs/contracts.md, What explain answers), and as lists for the terminal.

    Nothing is recorded. Raises ExplainError when the clock, the journal, a package or the input is at fault.
    """
    try:
        return _answer(params)
    except (ClockError, JournalError, MissingPackageError, KeyError, TypeError, ValueError) as exc:
        raise ExplainError(f"site_explain: {type(exc).__name__}: {exc}") from exc


def _answer(params: dict[str, Any]) -> dict[str, Any]:
    now = clock_now(params["clock_url"])
    site = Site.from_vars(params["site"])
    sites = [site, *(Site.from_vars(variables) for variables in params["sharing"])]
    journal = Journal(params["journal"])
    events, expected = journal.events(site.group), expected_from(params, journal.ledgers())
    settings, calendar = settings_from(params, expected), calendar_for(params, sites, now)
    standing = standings(sites, events)
    # No run of this name exists: a ledger that an earlier run read would be read again first, as by any tick.
    situations = on_servers(Situation(one, standing[one.id], calendar, settings, now, run_id="") for one in sites)
    decision = decide_each(situations)[site.id]
    told = explain(situations[0], decision, [event for event in events if tells(event, site)], params["site"], expected)
    return {"changed": False, "explanation": told, "site_lists": explain_lists(told)}
