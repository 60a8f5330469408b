# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Since when a site owes something: the register's dates, and runs of failures against the whole history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import Event
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import result
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.since import Basis, since_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import standing_of
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import format_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import Validity
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import EventKind, Severity
from hypothesis import given
from hypothesis import strategies as st

from .conftest import SITE

MakeSite = Callable[..., Site]
SERVER, PC1, PC2 = "1001-server", "1001-pc1", "1001-pc2"
START = datetime(2027, 5, 3, 7, tzinfo=UTC)
SETTINGS = Settings(
    target_version="6.2.0", described_modes=frozenset({"server_in_cloud"}), validity=Validity(confirmed=timedelta(0))
)


def measured(host: str, seen: str, at: datetime, site: Site = SITE) -> Event:
    """One measurement in which P5 was `seen`: pass, fail, unknown, warning, or the host was off or our_error."""
    outcome = {"pass": True, "unknown": None}.get(seen, False)
    severity = Severity.WARNING if seen == "warning" else Severity.BLOCKER
    check = result(
        site, "P5", outcome, observed="x", expected="y", severity=severity, remedies=["P5.double"], script="s"
    )
    missed = seen in ("off", "our_error")
    data: dict[str, Any] = {
        "origin": "measured",
        "reached": seen != "off",
        "cause": "timeout" if seen == "off" else None,
        "detail": "broken" if seen == "our_error" else "",
        "verdict": {"off": "unreachable", "our_error": "error"}.get(seen, "not_ready"),
        "checks": [] if missed else [check.to_dict()],
        "version": None,
        "mode": None,
    }
    return Event(kind=EventKind.MEASURED, at=at, site=site.id, host=host, data=data)


class Journal:
    """A journal in which a row is recorded whenever somebody has looked."""

    def __init__(self, site: Site = SITE) -> None:
        self.site, self.events, self.rows = site, [], []

    def look(self, at: datetime, **seen: str) -> Decision:
        """Measure hosts (`server`, `pc1`, `pc2`), decide, and record the row."""
        for name, what in seen.items():
            self.events.append(measured(f"1001-{name}", what, at, self.site))
        newest = {(event.kind, event.host, event.slot): event for event in self.events}
        standing = standing_of(self.site, sorted(newest.values(), key=self.events.index))
        decision = decide(Situation(self.site, standing, Calendar(frozenset()), SETTINGS, at, "run"))
        row = decision.row_event()
        if row["key"] not in self.rows:
            self.rows.append(row["key"])
            self.events.append(Event.from_dict(row, at))
        return decision

    def since(self, at: datetime, code: str = "P5", **seen: str) -> object:
        """Since when `code` is owed after another look; `not owed` where it is not."""
        return {owed.code: owed.since.at for owed in self.look(at, **seen).owes}.get(code, "not owed")


def day(number: int) -> datetime:
    return START + timedelta(days=number)


class TestTheRegistersDates:
    @pytest.mark.parametrize("code", ["P6.contact", "P6.urls", "P6.proxy", "P6.closed", "P6.signatory"])
    @pytest.mark.parametrize(
        ("asked", "basis"), [(date(2027, 5, 10), Basis.ASKED), (date(2027, 5, 11), Basis.NOT_ASKED)]
    )
    def test_an_answer_is_owed_since_it_was_asked_for(
        self, make_site: MakeSite, now: datetime, code: str, asked: date, basis: Basis
    ):
        since = since_of(code, make_site(asked=asked), {}, now)
        assert (since.at, since.basis) == (asked if basis is Basis.ASKED else None, basis)

    def test_what_nobody_has_asked_for_is_ours_to_ask(self, make_site: MakeSite, now: datetime):
        journal = Journal(make_site(contact=None, urls_confirmed=None))
        told = [owed.to_dict() for owed in journal.look(now, server="pass").owes if owed.code.startswith("P6")]
        assert [(owed["code"], owed["since"], owed["basis"], owed["who"]) for owed in told] == [
            ("P6.contact", None, "not_asked", "us"),
            ("P6.urls", None, "not_asked", "us"),
        ]

    def test_a_signature_is_owed_since_the_agreement_was_sent(self, make_site: MakeSite, now: datetime):
        sent = make_site(agreement_status="sent", agreement_sent=date(2027, 4, 1))
        (owed,) = [owed for owed in Journal(sent).look(now, server="pass").owes if owed.code == "P4"]
        assert (owed.to_dict()["since"], owed.since.basis) == ("2027-04-01", Basis.AGREEMENT_SENT)
        ahead = make_site(agreement_status="sent", agreement_sent=now.date() + timedelta(days=1))
        (owed,) = [owed for owed in Journal(ahead).look(now, server="pass").owes if owed.code == "P4"]
        assert (owed.to_dict()["since"], owed.since.basis) == (None, Basis.UNKNOWN)
        missing = make_site(agreement_status="missing")
        assert "P4" not in {owed.code for owed in Journal(missing).look(now, server="pass").owes}

    def test_the_day_is_norways(self):
        late = datetime(2027, 5, 3, 22, 30, tzinfo=UTC)
        assert since_of("P5", SITE, {"P5": late}, late).day == date(2027, 5, 4)


class TestRunsOfFailures:
    def test_it_stays_as_old_as_it_is_and_starts_anew_after_a_pass(self):
        journal = Journal()
        assert journal.since(day(0), server="pass", pc1="pass", pc2="pass") == "not owed"
        assert journal.since(day(1), pc1="fail") == day(1)
        assert journal.since(day(2), pc1="fail") == day(1)
        assert journal.since(day(2)) == day(1)
        assert journal.since(day(3), pc1="pass") == "not owed"
        assert journal.since(day(4), pc1="fail") == day(4)

    def test_another_host_carries_the_run_on(self):
        journal = Journal()
        assert journal.since(day(0), server="pass", pc1="fail", pc2="pass") == day(0)
        assert journal.since(day(1), pc2="fail") == day(0)
        assert journal.since(day(2), pc1="pass") == day(0)

    def test_a_host_that_is_off_does_not_end_it(self):
        journal = Journal()
        assert journal.since(day(0), server="fail", pc1="pass", pc2="pass") == day(0)
        assert journal.since(day(1), server="off") == "not owed"
        assert journal.since(day(1), "SERVER") == day(1)
        assert journal.since(day(2), "SERVER", server="off") == day(1)
        assert journal.since(day(3), server="fail") == day(0)
        assert journal.since(day(4), "SERVER", server="off") == day(4)

    def test_a_waiver_does_not_end_it(self):
        journal = Journal()
        assert journal.since(day(0), server="fail", pc1="pass", pc2="pass") == day(0)
        journal.site = Site(**{**vars(SITE), "waivers": (Waiver("P5", "x", "y", day(1).date()),)})
        assert journal.since(day(1), server="fail") == "not owed"
        assert journal.since(day(2), server="fail") == day(0)

    def test_a_client_is_owed_since_its_result_ceased_to_count_or_since_it_was_first_tried(self):
        journal = Journal()
        journal.look(day(0), server="pass", pc1="pass", pc2="off")
        assert journal.since(day(1), f"CLIENT.{PC2}", pc2="off") == day(0)
        assert journal.since(day(20), f"CLIENT.{PC1}", server="pass", pc1="off") == day(14)
        assert journal.since(day(21), f"CLIENT.{PC1}", pc1="pass") == "not owed"

    def test_a_client_that_nobody_ever_tried_is_owed_since_nobody_knows_when(self):
        (owed, _) = Journal().look(day(0), server="pass").owes
        assert (owed.code, owed.since.at, owed.since.basis) == (f"CLIENT.{PC1}", None, Basis.UNKNOWN)

    def test_a_row_of_an_earlier_version_is_none(self):
        journal = Journal()
        journal.look(day(0), server="fail", pc1="pass", pc2="pass")
        row = journal.events.pop()
        journal.events.append(Event.from_dict({**row.to_dict(), "data": {**row.data, "owes_since": None}}, row.at))
        assert journal.since(day(1), server="fail") == day(1)

    def test_the_same_said_again_is_no_new_row(self):
        journal = Journal()
        journal.look(day(0), server="fail", pc1="pass", pc2="pass")
        for hours in (1, 2, 3):
            journal.look(day(0) + timedelta(hours=hours))
        assert len(journal.rows) == 1


LOOKS = st.dictionaries(
    st.sampled_from(["server", "pc1", "pc2"]),
    st.sampled_from(["pass", "fail", "fail", "unknown", "warning", "off", "our_error"]),
)


def oracle(history: list[tuple[datetime, dict[str, str]]]) -> datetime | None:
    """The first failure after the last moment at which no host stood there with P5 open, from the whole history."""
    stands: dict[str, str] = {}
    since = None
    for at, seen in history:
        stands |= {host: what for host, what in seen.items() if what not in ("off", "our_error")}
        if not {"fail", "unknown"} & set(stands.values()):
            since = None
        elif since is None and "fail" in stands.values():
            since = at
    return since


@given(st.lists(st.tuples(st.integers(1, 60), LOOKS), max_size=12))
def test_since_agrees_with_the_whole_history(steps: list[tuple[int, dict[str, str]]]):
    journal, history, at, before = Journal(), [], START, None
    for hours, seen in steps:
        at += timedelta(hours=hours)
        history.append((at, seen))
        decision = journal.look(at, **seen)
        owed = {owed.code: owed.since for owed in decision.owes}
        assert all(since.at is None or since.at <= at for since in owed.values()), "never in the future"
        if "P5" in owed:
            assert owed["P5"].at == oracle(history)
            assert before in (None, owed["P5"].at), "never back or forward while it stays owed"
        before = owed["P5"].at if "P5" in owed else None
        assert decision.row()["owes_since"].get("P5") == (format_time(oracle(history)) if oracle(history) else None)
