# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the signatories' file and the look-up list in step with the register; see modules/site_agreements.py."""

from __future__ import annotations

import traceback
from datetime import date
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils._clock import ClockError, now
from ..module_utils._domain.agreement import Work, lines, noted_events, remember, removed_events, work_for
from ..module_utils._domain.events import SIGNATORY_KINDS
from ..module_utils._domain.signatory import Signatory, SignatoryError
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
from ..module_utils._signatories import lookup_table, parse, render
from ..plugin_utils._vault_file import VaultFile, open_vault_file

ARGUMENT_SPEC: dict[str, Any] = {
    "signatories": {"type": "path", "required": True},
    "list": {"type": "path", "required": True},
    "sites": {"type": "list", "elements": "dict", "required": True},
    "known": {"type": "list", "elements": "str", "required": True},
    "journal": {"type": "str", "required": True, "no_log": True},
    "name": {"type": "str", "required": True},
    "remove": {"type": "list", "elements": "str", "default": []},
    "reason": {"type": "str", "default": ""},
    "clock_url": {"type": "str"},
}


class AgreementsError(Exception):
    """What was asked for cannot be done; the text is for the person who started the run."""


class ActionModule(ActionBase):
    """Runs on the controller, where the vault's secrets are; nothing that it reads leaves it but by the list."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Check the arguments, do what is due, and answer with sites' ids only."""
        result = super().run(tmp, task_vars)
        _checked, params = self.validate_argument_spec(ARGUMENT_SPEC)
        try:
            return {**result, **self._reconcile(params)}
        except (AgreementsError, ClockError, JournalError, PrivateFileError, SignatoryError) as exc:
            return {**result, "failed": True, "msg": f"site_agreements: {exc}"}
        except Exception as exc:  # an error that nobody foresaw may hold what must not be shown
            last = traceback.extract_tb(exc.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            message = f"site_agreements: {type(exc).__name__} in {where}; its text is not shown, for it may be personal"
            return {**result, "failed": True, "msg": message}

    def _reconcile(self, params: dict[str, Any]) -> dict[str, Any]:
        """The order is such that a run that dies is made up for by the next: see docs/security.md (Deletion)."""
        at = now(params["clock_url"])
        journal, run_id = Journal(params["journal"]), new_run_id(at)
        target = _absolute(params["list"])
        refuse_git(target)
        memory = remember(journal.events(kinds=SIGNATORY_KINDS))
        _check_removal(params, {*params["known"], *memory})
        file, people = self._read(params, at.astimezone(OSLO).date())
        open_ones = [site for site, of in memory.items() if of.is_open and site not in params["remove"]]
        if file is None and open_ones:
            raise AgreementsError(
                f"{params['signatories']}: is not there, and it held entries of {', '.join(sorted(open_ones))}. "
                "Is the path right? If it was removed on purpose, say so with agreements_remove and agreements_reason"
            )
        if any(people[site].is_told_in(params["reason"]) for site in params["remove"] if site in people):
            raise AgreementsError(
                "agreements_reason: holds something of the signatory's own data, and it goes on record; say it without"
            )
        sites = [Site.from_vars(variables) for variables in params["sites"]]
        work = work_for(sites, people, memory, params["remove"], params["reason"])
        noted = noted_events(work, memory, at)
        removed = removed_events(work, memory, params["name"], at)
        content = lookup_table([site for site in sites if site.id in work.look_up], people) if work.look_up else None
        list_changes = read_private(target) != content
        if not self._task.check_mode:
            for left_by in (target, file.path if file else target):
                remove_leftovers(left_by)
            journal.record(run_id, at, noted)
            if content is None:
                remove_private(target)
            elif list_changes:
                write_private(target, content)
            if file and work.remove:
                file.replace(render({site: who for site, who in people.items() if site not in work.remove}))
            journal.record(run_id, at, removed)
        return _answer(work, changed=bool(list_changes or noted or removed), target=target)

    def _read(self, params: dict[str, Any], today: date) -> tuple[VaultFile | None, dict[str, Signatory]]:
        path = _absolute(params["signatories"]).resolve()
        refuse_git(path)
        file = open_vault_file(path, self._loader._vault)
        known = [*params["known"], *params["remove"]]
        return file, parse(file.text, str(path), known, today) if file else {}


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
