# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom to call, why and what to ask (A2)."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.call_texts import CAUSES, QUESTIONS, Said
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calls import (
    GIVEN_UP,
    HEADINGS,
    call_entry,
    call_of,
    call_rows,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checks import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Attempt, Ledger
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.reconcile import (
    Difference,
    Listing,
    Reconciliation,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Checked,
    RollbackAsked,
    Standing,
    Users,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import (
    AttemptState,
    Category,
    CheckOutcome,
    Outcome,
    Severity,
)

from .test_decision import CALENDAR, SETTINGS
from .test_decision import site as site_of
from .test_decision import upgraded as standing

SITE = site_of()
MOVE_DAY = date(2027, 5, 18)
NIGHT = datetime(2027, 5, 18, 20, tzinfo=UTC)
AFTER = datetime(2027, 5, 19, 7, tzinfo=UTC)


def decided(of: Standing, now: datetime = AFTER, site: Site = SITE) -> Decision:
    return decide(Situation(site, of, CALENDAR, SETTINGS, now, run_id=""))


def with_attempt(state: AttemptState, now: datetime = AFTER, **more: Any) -> Standing:
    attempt = Attempt(
        1,
        "1001-1-k",
        state,
        day=MOVE_DAY,
        history_months=12,
        switched=NIGHT if more.pop("switched", state is AttemptState.SWITCHED) else None,
        ended=NIGHT if state is AttemptState.ROLLED_BACK else None,
        message="the line broke" if state is AttemptState.FAILED else "",
    )
    return replace(standing(now), ledger=Ledger("1001", attempts=(attempt,)), **more)


def lost(*differences: Difference) -> dict[str, Reconciliation]:
    return {"1": Reconciliation(False, differences, {})}


PACKAGE = Difference(Category.FAVOURITE_PACKAGES, 12, 11, False, missing=Listing(1, ("fav-1",)), extra=Listing(0))
EQUAL = {"1": Reconciliation(True)}


def checked(*failing: str) -> dict[str, Checked]:
    checks = tuple(
        CheckResult(
            id=name, title=name, severity=Severity.BLOCKER, outcome=CheckOutcome.FAIL, observed="x", expected="y"
        )
        for name in failing
    )
    return {"1": Checked(AFTER, checks)}


def test_a_package_that_is_missing_is_asked_for_with_its_number():
    decision = decided(with_attempt(AttemptState.SWITCHED, reconciled=lost(PACKAGE)))
    call = call_of(decision)
    assert call is not None
    assert call.code == "uncertain"
    assert call.happened.startswith("Interactor hos dere er flyttet til skyen, men vi er ikke sikre")
    assert call.why == "favourite_packages: 11 of 12 in the cloud, 1 missing, 0 too many"
    assert call.ask == (
        "Får alle åpnet Interactor fra journalsystemet, og finner dere igjen bestillingene deres?",
        "Mangler dere favorittpakker? Vi regner med at 1 ikke er kommet med.",
    )
    entry = call_entry(decision, call)
    assert entry["contact"] == {name: SITE.contact[name] for name in ("name", "phone", "weekends")}  # type: ignore[index]
    assert entry["differences"] == [
        {"category": "favourite_packages", "before": 12, "after": 11, "missing": 1, "extra": 0}
    ]
    assert "fav-1" not in str(entry), "the ids are in the report; who calls does not read them out"
    rows = call_rows([entry])
    assert rows[0] == HEADINGS
    assert rows[1][0] == "1001"
    assert rows[1][6:9] == (SITE.contact["name"], SITE.contact["phone"], "nei")  # type: ignore[index]
    assert rows[1][9].count("\n") == 1


def test_in_nynorsk():
    site = replace(SITE, language="nn")
    call = call_of(decided(with_attempt(AttemptState.SWITCHED, reconciled=lost(PACKAGE)), site=site))
    assert call is not None
    assert call.ask[1] == "Manglar de favorittpakkar? Vi reknar med at 1 ikkje er komne med."


def test_what_was_not_listed_is_asked_for_by_the_counts():
    both = (
        Difference(Category.ORDERS, 412, 410, False),
        Difference(Category.STARTED_REQUISITIONS, 3, 4, False),
        Difference(Category.FAVOURITE_PACKAGES, 5, 5, False),
    )
    call = call_of(decided(with_attempt(AttemptState.SWITCHED, reconciled=lost(*both))))
    assert call is not None
    assert "de siste 12 månedene? Vi regner med at 2 ikke" in call.ask[1]
    assert call.ask[2].startswith("Ser dere påbegynte rekvisisjoner to ganger? Vi regner med at 1 er for mange.")
    assert call.ask[3] == "Mangler dere favorittpakker? Vi regner med at ? ikke er kommet med."


def test_checks_that_failed_are_asked_for_once_each():
    of = with_attempt(AttemptState.SWITCHED, reconciled=EQUAL, checked=checked("P1", "SERVICE", "A1", "LEASE", "MODE"))
    call = call_of(decided(of))
    assert call is not None
    expected = [QUESTIONS[name].nb for name in ("works", "opens", "messages", "let_in", "as_usual")]
    assert list(call.ask) == expected
    assert call_entry(decided(of), call)["checks"] == ["P1", "SERVICE", "A1", "LEASE", "MODE"]


def test_verified_under_way_and_waiting_for_the_morning_are_no_calls():
    for of in (
        with_attempt(AttemptState.SWITCHED, reconciled=EQUAL, checked=checked()),
        with_attempt(AttemptState.SWITCHED, reconciled=EQUAL),
    ):
        assert call_of(decided(of)) is None
    assert call_of(decided(with_attempt(AttemptState.RUNNING, NIGHT), NIGHT)) is None
    assert call_of(decided(standing(NIGHT), NIGHT)) is None


def test_a_failure_asks_whether_it_works_and_the_server_is_on():
    call = call_of(decided(with_attempt(AttemptState.FAILED)))
    assert call is not None
    assert (call.code, call.why) == ("failed", "the line broke")
    assert call.ask == (QUESTIONS["works_locally"].nb, QUESTIONS["server_on"].nb)


@pytest.mark.parametrize("switched", [False, True])
def test_undone_asks_for_a_new_date_and_is_gone_with_it(switched: bool):
    of = with_attempt(AttemptState.ROLLED_BACK, switched=switched, reconciled=lost(PACKAGE))
    call = call_of(decided(of))
    assert call is not None
    assert call.code == "rolled_back"
    assert "dere bruker Interactor lokalt som før" in call.happened
    assert (QUESTIONS["made_meanwhile"].nb in call.ask) == switched
    assert call.ask[-1] == QUESTIONS["new_date"].nb
    assert call_of(decided(of, site=replace(SITE, move_date=date(2027, 6, 1)))) is None
    assert call_of(decided(of, site=replace(SITE, move_date=None))) is not None, "no date is agreed on yet"


def test_why_is_the_reason_that_a_person_gave():
    of = with_attempt(AttemptState.ROLLED_BACK, rollback_asked={"1": RollbackAsked("Kari", "the printer")})
    call = call_of(decided(of))
    assert call is not None
    assert call.why == "rolled back: the printer"


def test_given_up_because_somebody_was_in_it():
    now = NIGHT + timedelta(hours=5)
    users = {"1001-server": Users(now, "r", True, True)}
    call = call_of(decided(replace(standing(now), users=users), now))
    assert call is not None
    assert call.code == "in_use"
    assert QUESTIONS["may_close"].nb in call.ask
    assert call.why == "somebody was in Interactor until it was too late to wait any longer"


def test_a_date_that_has_passed_and_one_ahead():
    call = call_of(decided(standing(AFTER)))
    assert call is not None
    assert call.code == "date_passed"
    assert call.ask == (QUESTIONS["works_locally"].nb, QUESTIONS["new_date"].nb)
    assert call_of(decided(standing(AFTER), site=replace(SITE, move_date=date(2027, 6, 1)))) is None
    assert call_of(decided(standing(AFTER), site=replace(SITE, move_date=None))) is None


def test_moved_outside_is_no_call():
    of = replace(standing(AFTER), mode="server_in_cloud")
    assert decided(of).outcome is Outcome.MOVED_OUTSIDE
    assert call_of(decided(of)) is None


def test_a_site_without_a_contact_is_on_the_list_all_the_same():
    decision = decided(standing(AFTER), site=replace(SITE, contact=None))
    call = call_of(decision)
    assert call is not None
    entry = call_entry(decision, call)
    assert entry["contact"] is None
    assert call_rows([entry])[1][6:9] == ("", "", "")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("said", [*CAUSES.values(), *QUESTIONS.values()], ids=[*CAUSES, *QUESTIONS])
def test_every_text_is_there_in_both_languages_and_they_differ(said: Said):
    assert said.nb != said.nn
    assert places(said.nb) == places(said.nn)
    assert not {" dere ", " ikke ", " hvis "} & {f" {word} " for word in said.nn.lower().split()}


def test_every_cause_has_its_text():
    assert set(CAUSES) == {Outcome.UNCERTAIN, Outcome.FAILED, Outcome.ROLLED_BACK, *GIVEN_UP}
