# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_selfcheck does: a folder of files that offices have sent in, results of clients in the journal out."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.contract import contract_problems
from ._domain.events import Event, read_events
from ._domain.selfcheck import (
    MOST_BYTES,
    SelfCheck,
    SelfCheckError,
    judge_selfcheck,
    read_selfcheck,
    selfcheck_event,
)
from ._domain.site import Site
from ._domain.times import format_time, parse_time
from ._domain.words import EventKind, Origin
from ._gate import ARGUMENT_SPEC as GATE_SPEC
from ._gate import validity_from
from ._journal import Journal, JournalError, new_run_id

ARGUMENT_SPEC: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    **{name: GATE_SPEC[name] for name in ("sites", "contract", "journal", "clock_url", "settings")},
}


class FolderError(Exception):
    """The folder, the clock, the journal or the input is at fault; the text is for whoever started the run."""


@dataclass
class _Answer:
    """What came of each file, in the order in which they were looked at."""

    files: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def add(self, found: SelfCheck, outcome: str, verdict: str | None = None) -> None:
        told = {"file": found.file, "site": found.site, "host": found.host, "made": format_time(found.made)}
        self.files.append({**told, "outcome": outcome, "verdict": verdict})


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Read every file of the folder, judge it, and record what is new (docs/selfcheck.md).

    A file that is at fault stops no other one: `problems` tells of each. Raises FolderError where none can be read.
    """
    try:
        return _answer(params, check_mode)
    except (ClockError, JournalError, KeyError, TypeError, ValueError) as exc:
        # What a site's variables hold may be about its contact.
        told = f": {exc}" if isinstance(exc, ClockError | JournalError | ValueError) else ""
        raise FolderError(f"site_selfcheck: {type(exc).__name__}{told}") from None


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    if problems := contract_problems(params["contract"]):
        raise FolderError("\n".join(["site_selfcheck: what is assumed of the vendor cannot be right:", *problems]))
    now, valid = clock_now(params["clock_url"]), validity_from(params["settings"]).self_checked
    sites = {site.id: site for site in (Site.from_vars(variables) for variables in params["sites"])}
    journal, told = Journal(params["journal"]), _Answer()
    read = list(_read(Path(params["path"]), sites, told))
    keys, newest = _recorded(journal, read, now), _newest(journal.latest(list(sites)))
    first: dict[str, str] = {}
    new: list[dict[str, Any]] = []
    # The newest of a client is the last that is recorded.
    for found in sorted(read, key=lambda one: (one.made, one.key, one.file)):
        # Before its age is looked at: a file may lie in the folder long after it was read.
        if found.key in keys:
            told.add(found, "known")
        elif found.key in first:
            told.add(found, f"the same as {first[found.key]}")
        elif found.made <= newest.get(found.host, datetime.min.replace(tzinfo=now.tzinfo)):
            told.add(found, "older than what is known")
        else:
            try:
                checks = judge_selfcheck(found, sites[found.site], params["contract"], now, valid)
            except SelfCheckError as exc:
                told.problems.append(str(exc))
                continue
            first[found.key] = found.file
            new.append(selfcheck_event(found, checks))
            told.add(found, "recorded", new[-1]["data"]["verdict"])
    run_id = new_run_id(now)
    events = read_events(new, now)
    if events and not check_mode:
        journal.record(run_id, now, events)
    lines = [
        f"{one['file']}: {one['host']}, {one['outcome']}" + (f": {one['verdict']}" if one["verdict"] else "")
        for one in told.files
    ]
    return {
        "changed": bool(events),
        "files": told.files,
        "lines": lines,
        "problems": told.problems,
        "run_id": run_id,
    }


def _recorded(journal: Journal, found: Iterable[SelfCheck], now: datetime) -> set[str]:
    """The keys of the files that are in the journal."""
    events = {each.key: Event.from_dict(selfcheck_event(each, ()), now) for each in found}
    return {key for key, is_new in zip(events, journal.unrecorded(list(events.values())), strict=True) if not is_new}


def _newest(latest: Iterable[Event]) -> dict[str, datetime]:
    """When the newest self-check of each client was made; an older one is never recorded after it."""
    measured = [event for event in latest if event.kind is EventKind.MEASURED]
    return {
        event.host or "": parse_time(event.data["made"])
        for event in measured
        if event.data["origin"] == Origin.SELF_CHECKED
    }


def _read(folder: Path, sites: Mapping[str, Site], told: _Answer) -> Iterable[SelfCheck]:
    """The files of the folder that can be read; of the others `told` learns what is wrong."""
    try:
        paths = sorted(path for path in folder.expanduser().iterdir() if path.suffix.lower() == ".json")
    except OSError as exc:
        raise FolderError(f"site_selfcheck: {folder}: cannot be read: {exc.strerror}") from None
    for path in paths:
        try:
            yield read_selfcheck(path.name, _content(path), sites)
        except SelfCheckError as exc:
            told.problems.append(str(exc))


def _content(path: Path) -> bytes:
    """What a file holds, and a byte more than may be of one that is too large; a link may lead anywhere."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise SelfCheckError(f"{path.name}: is no file; allowed are files in the folder itself, no links")
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as exc:
        raise SelfCheckError(f"{path.name}: cannot be read: {exc.strerror}") from None
