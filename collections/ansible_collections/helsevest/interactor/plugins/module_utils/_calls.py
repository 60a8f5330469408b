# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_calls does: sites and journal in, the list of whom to call written where nobody else reads it (A2)."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.calls import call_entry, call_of, call_rows
from ._domain.site import Site
from ._domain.texts import MAIL
from ._domain.times import format_time
from ._excel_csv import excel_csv
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._gate import decide_all
from ._holidays import MissingPackageError
from ._journal import Journal, JournalError
from ._private_file import PrivateFileError, read_private, refuse_git, remove_leftovers, write_private

ARGUMENT_SPEC: dict[str, Any] = {
    "dir": {"type": "path", "required": True},
    "to": {"type": "str", "default": ""},
    "copy": {"type": "str", "default": MAIL},
    **{name: GATE_SPEC[name] for name in ("sites", "calendar", "contract", "journal", "clock_url", "settings")},
}


class CallsError(Exception):
    """The list cannot be made or written; the text tells nothing of a contact."""


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Write the list (docs/contracts.md, The call list) and tell who is on it, without the contacts.

    Raises CallsError when the folder, the clock, the journal, a package or the input is at fault.
    """
    try:
        return _answer(params, check_mode)
    except (ClockError, JournalError, MissingPackageError, PrivateFileError) as exc:
        raise CallsError(f"site_calls: {exc}") from None
    except (KeyError, TypeError, ValueError) as exc:  # its text may hold what a contact's field holds
        raise CallsError(f"site_calls: {type(exc).__name__} in the sites or the journal") from None


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    sites = [Site.from_vars(variables) for variables in params["sites"]]
    events = Journal(params["journal"]).latest([site.id for site in sites])
    # No run of this name exists: nothing here is taken for read by this run.
    decisions = decide_all(params, sites, events, clock_now(params["clock_url"]), run_id="")
    due = [(decision, call) for decision in decisions.values() if (call := call_of(decision))]
    entries = [call_entry(decision, call) for decision, call in due]
    told = {
        "as_of": format_time(max(event.at for event in events)) if events else None,
        "to": params["to"] or None,
        "copy": params["copy"],
        "calls": entries,
    }
    contents = {
        "calls.json": (json.dumps(told, ensure_ascii=False, indent=2) + "\n").encode(),
        "calls.csv": excel_csv(call_rows(entries)),
    }
    folder = _folder(params["dir"])
    new = {folder / name: content for name, content in contents.items() if read_private(folder / name) != content}
    if not check_mode:
        for path, content in new.items():
            remove_leftovers(path)
            write_private(path, content)
    return {
        "changed": bool(new),
        "to": params["to"] or None,
        "calls": [{"site": decision.site.id, "code": call.code, "why": call.why} for decision, call in due],
        "lines": [f"{decision.site.id}: {call.code}: {call.why}" for decision, call in due] + _unsent(params, entries),
    }


def _unsent(params: dict[str, Any], entries: list[dict[str, Any]]) -> list[str]:
    if not entries or params["to"]:
        return []
    return ["no address of DIPS is set (calls_to): hand the list over by another way"]


def _folder(told: str) -> Path:
    """The folder, which others must not look into and git must not take."""
    folder = Path(told).expanduser().absolute().resolve()
    try:
        mode = stat.S_IMODE(folder.stat().st_mode) if folder.exists() else 0o700
    except OSError as exc:
        raise PrivateFileError(f"{folder}: cannot be looked at: {exc.strerror}") from None
    if folder.exists() and not folder.is_dir():
        raise PrivateFileError(f"{folder}: is no folder")
    if mode & 0o077:
        raise PrivateFileError(
            f"{folder}: others may look into it, mode {mode:04o} (allowed: 0700); chmod 700 {folder}"
        )
    refuse_git(folder / "calls.json")
    return folder
