# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_agreements does: register, signatories' file and journal in; list, file and journal in step out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ansible.parsing.vault import VaultLib

from ..module_utils._clock import ClockError, now
from ..module_utils._domain.agreement import (
    Remembered,
    Work,
    lines,
    noted_events,
    remember,
    removed_events,
    to_take_in,
    work_for,
)
from ..module_utils._domain.events import SIGNATORY_KINDS
from ..module_utils._domain.sheet import SheetError
from ..module_utils._domain.signatory import Signatory, SignatoryError, merge, read_signatories
from ..module_utils._domain.site import Site
from ..module_utils._domain.window import OSLO
from ..module_utils._journal import Journal, JournalError, new_run_id
from ..module_utils._private_file import (
    PrivateFileError,
    read_private,
    refuse_git,
    remove_leftovers,
    remove_private,
    write_private,
)
from ..module_utils._signatories import from_table, lookup_table, parse, render
from ._vault_file import VaultFile, new_vault_file, open_vault_file

ARGUMENT_SPEC: dict[str, Any] = {
    "signatories": {"type": "path", "required": True},
    "list": {"type": "path", "required": True},
    "sites": {"type": "list", "elements": "dict", "required": True},
    "known": {"type": "list", "elements": "str", "required": True},
    "journal": {"type": "str", "required": True, "no_log": True},
    "name": {"type": "str", "required": True},
    "remove": {"type": "list", "elements": "str", "default": []},
    "reason": {"type": "str", "default": ""},
    "answers": {"type": "path"},
    "overwrite": {"type": "bool", "default": False},
    "clock_url": {"type": "str"},
}


class AgreementsError(Exception):
    """What was asked for cannot be done; the text is for the person who started the run."""


ERRORS = (AgreementsError, ClockError, ImportError, JournalError, PrivateFileError, SheetError, SignatoryError)
"""The errors whose text tells nothing of a person."""


def reconcile(params: dict[str, Any], vault: VaultLib, *, check_mode: bool) -> dict[str, Any]:
    """Do what is due and give the result, with sites' ids only; one of ERRORS if it cannot be done.

    The order is such that a run that dies is made up for by the next: see docs/security.md (Deletion).
    """
    at = now(params["clock_url"])
    today = at.astimezone(OSLO).date()
    journal, run_id = Journal(params["journal"]), new_run_id(at)
    target, path = _absolute(params["list"]), _absolute(params["signatories"]).resolve()
    refuse_git(target)
    refuse_git(path)
    memory = remember(journal.events(kinds=SIGNATORY_KINDS))
    _check_removal(params, {*params["known"], *memory})
    file = open_vault_file(path, vault)
    before = parse(file.text, str(path), {*params["known"], *params["remove"]}, today) if file else {}
    _check_missing(params, file, memory)
    if any(before[site].is_told_in(params["reason"]) for site in params["remove"] if site in before):
        raise AgreementsError(
            "agreements_reason: holds something of the signatory's own data, and it goes on record; say it without"
        )
    sites = [Site.from_vars(variables) for variables in params["sites"]]
    people, incomplete, again = _with_answers(params, sites, before, memory, today)
    work = work_for(sites, people, memory, params["remove"], params["reason"], today=today)
    work = replace(work, incomplete=incomplete, removed_before=again)
    noted = noted_events(work, memory, at)
    removed = removed_events(work, memory, params["name"], at)
    kept = {site: person for site, person in people.items() if site not in work.remove}
    content = lookup_table([site for site in sites if site.id in work.look_up], people) if work.look_up else None
    list_changes = read_private(target) != content
    if file is None and kept:
        file = new_vault_file(path, vault)
    if not check_mode:
        remove_leftovers(target)
        remove_leftovers(path)
        # What is in the file is on record before it can be removed, and what is new in it only when it is there.
        journal.record(run_id, at, [event for event in noted if event.site in before])
        if content is None:
            remove_private(target)
        elif list_changes:
            write_private(target, content)
        if file and kept != before:
            file.replace(render(kept))
        journal.record(run_id, at, [*(event for event in noted if event.site not in before), *removed])
    changed = bool(list_changes or kept != before or noted or removed)
    return _answer(work, changed=changed, target=target)


def _with_answers(
    params: dict[str, Any],
    sites: list[Site],
    before: dict[str, Signatory],
    memory: Mapping[str, Remembered],
    today: date,
) -> tuple[dict[str, Signatory], list[str], list[str]]:
    """The entries with those of the team's table; the sites whose row is incomplete, and those removed before."""
    if not params["answers"]:
        return before, [], []
    table = _absolute(params["answers"])
    refuse_git(table.resolve())
    complete, incomplete = from_table(table)
    told = read_signatories(str(table), complete, params["known"], today)
    taken, again = to_take_in(sites, told, before, memory, overwrite=params["overwrite"])
    people = merge(str(table), before, {site: told[site] for site in taken}, overwrite=params["overwrite"])
    return people, sorted(set(incomplete) & set(params["known"])), again


def _check_missing(params: dict[str, Any], file: VaultFile | None, memory: Mapping[str, Remembered]) -> None:
    held = sorted(site for site, of in memory.items() if of.is_open and site not in params["remove"])
    if file is None and held:
        raise AgreementsError(
            f"{params['signatories']}: is not there, and it held entries of {', '.join(held)}. Is the path right? "
            "If it was removed on purpose, say so with agreements_remove and agreements_reason"
        )


def _absolute(path: str) -> Path:
    given = Path(path).expanduser().absolute()
    return given.parent.resolve() / given.name


def _check_removal(params: dict[str, Any], known: set[str]) -> None:
    if not known.issuperset(params["remove"]):
        raise AgreementsError("agreements_remove: names what is no site (allowed: ids of the register or the journal)")
    if params["remove"] and not params["reason"].strip():
        raise AgreementsError("agreements_reason: is missing; a removal goes on record with its reason")


def _answer(work: Work, *, changed: bool, target: Path) -> dict[str, Any]:
    return {
        "changed": changed,
        "list": str(target) if work.look_up else None,
        "look_up": list(work.look_up),
        "removed": [*work.remove, *work.gone],
        "waiting": list(work.waiting),
        "lacking": list(work.lacking),
        "not_in_register": list(work.not_in_register),
        "unsigned": {site: since and since.isoformat() for site, since in work.unsigned.items()},
        "unexplained": list(work.unexplained),
        "lines": list(lines(work)),
    }
