# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a preflight answer, recorded as it comes, and each site's row once its last host has answered.

It works in ansible's own process, where results arrive (docs/decisions/0030-rows-as-they-come.md). What it cannot
record the task after the preflight does, by the same keys, so that nothing is recorded twice and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._clock import ClockError
from ..module_utils._clock import now as clock_now
from ..module_utils._domain.events import Event, read_events
from ..module_utils._domain.recording import StepResult, events_of
from ..module_utils._domain.site import Site
from ..module_utils._domain.times import parse_time
from ..module_utils._domain.words import Phase, Step
from ..module_utils._gate import ARGUMENT_SPEC, decide_all
from ..module_utils._holidays import MissingPackageError
from ..module_utils._journal import Journal, JournalError

ERRORS = (
    AnsibleError,
    ClockError,
    JournalError,
    MissingPackageError,
    AttributeError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
)

BUSY_SECONDS = 5.0
"""So long it waits for another writer: meanwhile no host is begun with."""
PAUSE = 9
"""While there are hosts to begin with, so many times as long as the last recording took is waited before the next."""


class NotRecordedError(Exception):
    """Nothing is recorded as it comes any more; the text says why."""


@dataclass
class _Play:
    """A play whose hosts are being asked: what the gate was asked with, and who has not answered yet."""

    params: dict[str, Any]
    run_id: str
    dry: bool
    journal: Journal
    sites: Mapping[str, Site]
    site_of: Mapping[str, str]
    awaited: dict[str, set[str]]
    left: int
    waiting: list[Event] = field(default_factory=list)
    complete: list[str] = field(default_factory=list)
    found: list[Event] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    """The sites of which something is missing: only the end of the play tells their rows."""


class SiteRows:
    """Knows one play at a time; `forks` hosts are asked at once."""

    def __init__(self, forks: int, timer: Callable[[], float] = perf_counter) -> None:
        self._forks, self._timer = forks, timer
        self._asked: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
        self._hosts: Callable[[], Sequence[str]] = tuple
        self._play: _Play | None = None
        self._gone: list[str] = []
        self._broken = False
        self._not_before = 0.0

    def begin(self, hosts: Callable[[], Sequence[str]]) -> None:
        """A play begins, with these hosts; they are asked for once one of them has answered."""
        self._hosts, self._play, self._gone = hosts, None, []

    def gate(self, asked: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """The run has asked site_gate with these arguments and was given this answer."""
        self._asked = asked, answer

    def answered(self, host: str, result: Mapping[str, Any] | None, *, dry: bool) -> list[dict[str, Any]]:
        """A host has answered, or never will (None): the rows that can be told now.

        Raises NotRecordedError, once and for all, where they cannot be had.
        """
        if self._broken or self._asked is None:
            return []
        if result is None and self._play is None:
            self._gone.append(host)
            return []
        try:
            self._play = self._play or self._open(*self._asked, dry=dry)
            self._take(self._play, host, result)
            return self._told(self._play)
        except ERRORS as exc:
            self._broken = True
            raise NotRecordedError(f"{type(exc).__name__}: {exc}") from exc

    def _open(self, asked: Mapping[str, Any], answer: Mapping[str, Any], *, dry: bool) -> _Play:
        # site_gate has checked the sites; the rest gets its defaults here.
        checked = ArgumentSpecValidator(ARGUMENT_SPEC).validate({**asked, "sites": []})
        if checked.error_messages:
            raise ValueError("; ".join(checked.error_messages))
        params = {**checked.validated_parameters, "expected": answer["expected"]}
        sites = {site.id: site for site in map(Site.from_vars, asked["sites"])}
        of_all = {host: site.id for site in sites.values() for host in (site.server_host, *site.client_hosts)}
        site_of = {host: of_all[host] for host in self._hosts() if host in of_all}
        awaited: dict[str, set[str]] = {}
        for host, site in site_of.items():
            awaited.setdefault(site, set()).add(host)
        journal = Journal(params["journal"], busy_seconds=BUSY_SECONDS)
        play = _Play(params, answer["run_id"], dry, journal, sites, site_of, awaited, len(site_of))
        for host in self._gone:
            self._take(play, host, None)
        return play

    def _take(self, play: _Play, host: str, result: Mapping[str, Any] | None) -> None:
        site = play.site_of.get(host)
        if site is None or host not in play.awaited[site]:
            return
        play.awaited[site].discard(host)
        play.left -= 1
        events = _events(play, site, host, result)
        play.waiting += events
        if not events:
            play.silent.add(site)
        if not play.awaited[site] and site not in play.silent:
            play.complete.append(site)

    def _told(self, play: _Play) -> list[dict[str, Any]]:
        """Record what waits, and give the rows of the sites that are complete.

        While there are hosts to begin with it takes no more than a tenth of the time, for it is this process that
        begins with them. Once all are begun with, nothing waits.
        """
        begun = self._timer()
        if not (play.waiting or play.complete) or (play.left > self._forks and begun < self._not_before):
            return []
        now = clock_now(play.params.get("clock_url"))
        # As the journal gives them back, so that the row is the one that is told at the end.
        new = [replace(event, run_id=play.run_id, at=now.replace(microsecond=0)) for event in play.waiting]
        play.found += new if play.dry else []
        group = {member for site in play.complete for member in play.sites[site].group}
        of_group = [site for site in play.sites.values() if site.id in group]
        unrecorded = play.found if play.dry else new
        told = decide_all(play.params, of_group, play.journal, now, play.run_id, unrecorded) if of_group else {}
        if not play.dry:
            rows = read_events([told[site].row_event() for site in play.complete], now)
            play.journal.record(play.run_id, now, [*new, *rows])
        complete, play.waiting, play.complete = play.complete, [], []
        ended = self._timer()
        self._not_before = ended + PAUSE * (ended - begun)
        return [told[site].row() for site in complete]


def _events(play: _Play, site: str, host: str, result: Mapping[str, Any] | None) -> list[Event]:
    """The events of an answer; none where it is not what it should be, which the task after the preflight tells."""
    if result is None:
        return []
    try:
        at = parse_time(result["asked"])
        is_server = host == play.sites[site].server_host
        of = StepResult(site, host, is_server, None, "", result, play.run_id)
        return read_events(events_of(Phase.PREFLIGHT, Step.PROBE, [of]), at)
    except (AttributeError, KeyError, TypeError, ValueError):
        return []
