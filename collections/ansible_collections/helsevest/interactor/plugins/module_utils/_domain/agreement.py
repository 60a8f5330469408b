# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about the agreements (P4, P6, P7): whom to look up, whose data go, and what goes on record."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from .checks import answered
from .events import Event
from .site import Site
from .words import EventKind

REMOVED, GONE = "removed", "gone"
"""What had become of an entry whose removal is recorded: taken out by this run, or found to be out already."""


@dataclass(frozen=True)
class Remembered:
    """How often the journal says that a signatory's entry of a site was seen, and was removed."""

    noted: int = 0
    removed: int = 0

    @property
    def is_open(self) -> bool:
        """Whether an entry was seen of which no removal is on record."""
        return self.noted > self.removed


def remember(events: Iterable[Event]) -> dict[str, Remembered]:
    """What the journal says of the signatories' entries, by site."""
    memory: dict[str, Remembered] = {}
    for event in events:
        if event.site is None:
            continue
        of = memory.get(event.site, Remembered())
        if event.kind is EventKind.SIGNATORY_NOTED:
            memory[event.site] = Remembered(of.noted + 1, of.removed)
        elif event.kind is EventKind.SIGNATORY_REMOVED:
            memory[event.site] = Remembered(of.noted, of.removed + 1)
    return memory


@dataclass(frozen=True)
class Work:
    """What a run has to do, by the sites' ids.

    `noted` are entries seen for the first time; `look_up` those for the list; `remove` gives the reason for each entry
    that goes, `gone` that for each that is out of the file already and not on record as removed. The rest is only told:
    `waiting` for the site's answers, `lacking` an entry although the register says that we know who signs,
    `not_in_register` the other way round, `unsigned` since when the agreement is out, `unexplained` entries that are
    gone without a reason, `nothing` asked for of which there is no entry; `incomplete` rows of a
    table of answers, `removed_before` those that are not taken in again.
    """

    noted: Sequence[str] = ()
    look_up: Sequence[str] = ()
    remove: Mapping[str, str] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    waiting: Sequence[str] = ()
    lacking: Sequence[str] = ()
    not_in_register: Sequence[str] = ()
    unsigned: Mapping[str, date | None] = field(default_factory=dict)
    unexplained: Sequence[str] = ()
    nothing: Sequence[str] = ()
    incomplete: Sequence[str] = ()
    removed_before: Sequence[str] = ()


def work_for(
    sites: Sequence[Site],
    entries: Collection[str],
    memory: Mapping[str, Remembered],
    asked: Collection[str] = (),
    reason: str = "",
    *,
    today: date,
) -> Work:
    """Find out what to do: `entries` are the sites with an entry in the file, `asked` those to remove for `reason`.

    An agreement whose signature is dated after `today` is not signed: nobody's data go before it is.
    """
    why = {site.id: "signed" for site in sites if site.is_signed(today)} | dict.fromkeys(asked, reason)
    absent = {site for site, of in memory.items() if of.is_open} - set(entries)
    of_run = {site.id for site in sites}
    missing = [site for site in sites if site.agreement_status == "missing" and site.id not in why]
    here = [site for site in missing if site.id in entries]
    kept = [site for site in sites if site.id in entries and site.id not in why]
    return Work(
        noted=[site for site in sorted(entries) if not memory.get(site, Remembered()).is_open],
        look_up=[site.id for site in here if answered(site, today)],
        remove={site: why[site] for site in sorted(entries) if site in why},
        gone={site: why[site] for site in sorted(absent) if site in why},
        waiting=[site.id for site in here if not answered(site, today)],
        lacking=[site.id for site in missing if site.signatory_known and site.id not in entries],
        not_in_register=[site.id for site in kept if not site.signatory_known],
        unsigned={site.id: site.agreement_sent for site in sites if site.agreement_status == "sent"},
        unexplained=sorted((absent & of_run) - set(why)),
        nothing=sorted(set(asked) - set(entries) - absent),
    )


def to_take_in(
    sites: Sequence[Site],
    told: Collection[str],
    entries: Collection[str],
    memory: Mapping[str, Remembered],
    *,
    overwrite: bool = False,
) -> tuple[list[str], list[str]]:
    """Of the sites that a table tells of: those whose answers are taken in, and those that were removed before.

    Nobody of a site that has signed is, nor of one that is not of this run; one that was removed only to `overwrite`.
    """
    wanted = [site.id for site in sites if site.id in told and site.agreement_status != "signed"]
    before = [site for site in wanted if site not in entries and memory.get(site, Remembered()).removed]
    return [site for site in wanted if overwrite or site not in before], [] if overwrite else before


def noted_events(work: Work, memory: Mapping[str, Remembered], at: datetime) -> list[Event]:
    """That entries were seen: on record before any is removed, so that an unrecorded removal is noticed."""
    return [
        Event(
            kind=EventKind.SIGNATORY_NOTED, at=at, site=site, key=f"signatory_noted/{site}/{_times(site, memory) + 1}"
        )
        for site in work.noted
    ]


def removed_events(work: Work, memory: Mapping[str, Remembered], name: str, at: datetime) -> list[Event]:
    """That entries are out of the file, who ran it and why. Recorded when they are out; `memory` is from before."""
    return [
        Event(
            kind=EventKind.SIGNATORY_REMOVED,
            at=at,
            site=site,
            key=f"signatory_removed/{site}/{_times(site, memory) + (site in work.noted)}",
            data={"name": name, "reason": reason, "entry": entry},
        )
        for entry, reasons in ((REMOVED, work.remove), (GONE, work.gone))
        for site, reason in reasons.items()
    ]


def _times(site: str, memory: Mapping[str, Remembered]) -> int:
    return memory.get(site, Remembered()).noted


def lines(work: Work) -> Iterator[str]:
    """All that a person should know, a line each, by the sites' ids alone."""
    told = {
        "look up and send the agreement": work.look_up,
        "not to be sent yet, answers are missing (P6)": work.waiting,
        "the register says who signs is known, and the file has nobody": work.lacking,
        "the file says who signs, and the register does not (signatory_known)": work.not_in_register,
        "gone from the file without a reason on record (agreements_remove, agreements_reason)": work.unexplained,
        "nothing to remove": work.nothing,
        "not taken in, name or date of birth is missing in the table": work.incomplete,
        "not taken in, removed before (agreements_overwrite takes them in again)": work.removed_before,
    }
    for what, sites in told.items():
        if sites:
            yield f"{what}: {', '.join(sites)}"
    for site, since in work.unsigned.items():
        yield f"sent {since} and not signed: {site}"
    for site, reason in work.remove.items():
        yield f"entry removed ({reason}): {site}"
    for site, reason in work.gone.items():
        yield f"entry gone already, put on record ({reason}): {site}"
