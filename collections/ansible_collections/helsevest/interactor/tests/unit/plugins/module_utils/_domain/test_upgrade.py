# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade that is not well (U1): what it means for its site, and who allows one outside its evening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.calendar import Calendar
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.decision import Decision, decide
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.events import read_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate import may
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Ledger, Upgrade
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.standing import (
    Override,
    Release,
    Standing,
    StepRecord,
    standings,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.step import Settings, Situation
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.times import parse_time
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.upgrade import upgrade_events
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verdict import HostMeasurement
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import Phase, Step, Verdict

MakeSite = Callable[..., Site]
RUN = "run-1"
# The move of Tuesday 18 May 2027, after the 17th; so the upgrade's evening is Friday the 14th, 17:00 to 22:00.
EVENING = parse_time("2027-05-14T15:00:00Z")
NIGHT = parse_time("2027-05-18T18:00:00Z")
CALENDAR = Calendar(frozenset({date(2027, 5, 17)}))
SETTINGS = Settings(target_version="6.2.0", described_modes=frozenset({"server_in_cloud"}))
HOSTS = ("1001-server", "1001-pc1", "1001-pc2")


@pytest.fixture
def at(make_site: MakeSite) -> Callable[..., Situation]:
    """The site at a moment, measured and released, with an upgrade in its ledger."""

    def build(now: datetime, upgrade: Upgrade | None = None, **changes: Any) -> Situation:
        measured = tuple(
            HostMeasurement(host, "server" if host.endswith("server") else "client", now, "measured", True, None, ())
            for host in HOSTS
        )
        fields: dict[str, Any] = {
            "measurements": measured,
            "version": "5.4.1",
            "mode": "local",
            "ledger_run": RUN,
            "ledger": Ledger("1001", upgrade=upgrade),
            "release": Release("Kari", now + timedelta(days=9)),
        }
        site_changes = changes.pop("site", {})
        return Situation(make_site(**site_changes), Standing(**{**fields, **changes}), CALENDAR, SETTINGS, now, RUN)

    return build


def failed(finished: datetime | None = EVENING, code: int = 1603) -> Upgrade:
    return Upgrade("failed", "6.2.0", finished, f"the installer ended with code {code}; version 5.4.1 is back", code)


RESTART = Upgrade("restart", "6.2.0", EVENING, "the installer wants a restart of the server (code 3010)", 3010)
INCIDENT = Upgrade("incident", "6.2.0", EVENING, "the installer restarts the server by itself (code 1641)", 1641)


def taken(situation: Situation) -> tuple[Step | None, bool]:
    answer = may(situation)
    return answer.next.step, answer.allowed


# ---- the verdict


@pytest.mark.parametrize(
    ("upgrade", "who", "remedy"),
    [
        (failed(), "us", "tar kontakt om en ny dato"),
        (RESTART, "site", "Start serveren på nytt"),
        (INCIDENT, "us", "Det skulle ikke ha skjedd"),
    ],
)
def test_the_site_is_not_ready_and_is_told_why(at: Callable[..., Situation], upgrade: Upgrade, who: str, remedy: str):
    case = at(EVENING + timedelta(hours=1), upgrade)
    assert case.verdict is not None
    assert case.verdict.verdict is Verdict.NOT_READY
    (finding,) = case.verdict.findings
    assert (finding.check.id, finding.who, finding.check.blocks) == ("U1", who, True)
    assert upgrade.reason in finding.check.told
    assert remedy in finding.check.remedy
    assert finding.check.evidence["code"] == upgrade.code
    reasons = {reason.code for reason in may(case, Step.LEASE).reasons}
    assert "U1" in reasons, "nothing of a move begins"


@pytest.mark.parametrize(
    "upgrade",
    [
        None,
        Upgrade("staged", "6.2.0", None, ""),
        Upgrade("staged", "6.2.0", None, "", None, EVENING),
        Upgrade("done", "6.2.0", EVENING, "", 0),
        Upgrade("done", "6.2.0", EVENING, INCIDENT.reason, 1641),
        Upgrade("failed", "6.1.0", EVENING, "1603", 1603),
    ],
)
def test_any_other_upgrade_is_no_blocker(at: Callable[..., Situation], upgrade: Upgrade | None):
    case = at(EVENING, upgrade)
    assert case.verdict is not None
    assert (case.verdict.verdict, case.findings) == (Verdict.READY, ())


def test_it_is_found_before_the_server_was_measured_as_well(at: Callable[..., Situation]):
    case = at(EVENING, failed(), measurements=())
    assert case.verdict is None
    assert [finding.check.id for finding in case.findings] == ["U1"]


def test_nynorsk(at: Callable[..., Situation]):
    (finding,) = at(EVENING, RESTART, site={"language": "nn"}).findings
    assert finding.check.remedy.startswith("Start serveren på nytt når det passar for dykk")


# ---- what needs us


def decision_of(case: Situation) -> Decision:
    return decide(case)


@pytest.mark.parametrize(
    ("upgrade", "needs_us"),
    [
        (failed(), True),
        (RESTART, False),
        (INCIDENT, True),
        (Upgrade("done", "6.2.0", EVENING, INCIDENT.reason, 1641), True),
        (Upgrade("done", "6.2.0", EVENING, "", 3010), False),
        (None, False),
    ],
)
def test_an_incident_and_a_failure_need_us_whatever_was_done_since(
    at: Callable[..., Situation], upgrade: Upgrade | None, needs_us: bool
):
    probed = StepRecord(Step.PROBE, EVENING, ok=True, detail="")
    decision = decision_of(at(EVENING + timedelta(hours=12), upgrade, last_step=probed))
    assert decision.needs_us is needs_us
    if upgrade and upgrade.reason:
        assert upgrade.reason in decision.row()["why"]


def test_a_restart_is_waited_for_and_the_site_owes_it(at: Callable[..., Situation]):
    asked = StepRecord(Step.CONFIRM, EVENING + timedelta(hours=1), ok=True, detail="")
    decision = decision_of(at(EVENING + timedelta(hours=1, minutes=5), RESTART, last_step=asked))
    assert (decision.next.phase, decision.next.step) == (Phase.UPGRADE, None)
    assert [reason.code for reason in decision.reasons] == ["U1"]
    assert [owed.code for owed in decision.owes] == ["U1"]
    assert decision.verdict is Verdict.NOT_READY


# ---- what comes next


def test_an_upgrade_that_was_cut_off_is_brought_to_its_end_whatever_the_hour(at: Callable[..., Situation]):
    cut = Upgrade("staged", "6.2.0", None, "", None, EVENING + timedelta(hours=4))
    for moment in (EVENING + timedelta(hours=4, minutes=15), EVENING + timedelta(hours=5), NIGHT - timedelta(hours=9)):
        assert taken(at(moment, cut)) == (Step.CONFIRM, True)
        assert taken(at(moment, cut, ledger_run="run-0")) == (Step.LOOK, True)
        assert taken(at(moment, cut, release=None)) == (Step.CONFIRM, True), "no rule of beginning holds it up"
    assert not at(NIGHT, cut, version="6.2.0").is_upgraded


def test_what_is_not_proven_is_proven_also_where_another_version_is_wanted_by_now(at: Callable[..., Situation]):
    case = at(EVENING, replace(RESTART, to="6.1.0"))
    assert taken(case) == (Step.CONFIRM, True)
    assert [finding.check.id for finding in case.findings] == ["U1"]


def test_a_failed_upgrade_is_not_tried_again_in_its_evening(at: Callable[..., Situation]):
    for finished in (EVENING, EVENING + timedelta(hours=1), None):
        assert taken(at(EVENING + timedelta(hours=2), failed(finished))) == (None, False)


def test_another_move_date_brings_another_evening_for_it(at: Callable[..., Situation]):
    later = {"move_date": date(2027, 5, 25)}
    evening = parse_time("2027-05-24T15:00:00Z")
    case = at(evening, failed(), site=later)
    assert case.findings == ()
    assert taken(case) == (Step.STAGE, True)
    assert taken(at(evening, failed(evening), site=later)) == (None, False)


def test_somebody_may_allow_another_try(at: Callable[..., Situation]):
    now = EVENING + timedelta(hours=2)
    allowed = Override("Kari", "the antivirus is told", now, now + timedelta(hours=1))
    assert taken(at(now, failed(EVENING + timedelta(hours=1)), override=allowed)) == (Step.STAGE, True)
    again = failed(now + timedelta(minutes=5))
    assert taken(at(now + timedelta(minutes=10), again, override=allowed)) == (None, False)


def test_the_override_lifts_the_evening_and_nothing_else(at: Callable[..., Situation]):
    noon = parse_time("2027-05-12T10:00:00Z")
    staged = Upgrade("staged", "6.2.0", None, "")
    allowed = Override("Kari", "the office asks", noon, noon + timedelta(hours=2))
    at_noon = {"override": allowed}
    assert taken(at(noon, staged)) == (None, False)
    assert taken(at(noon, staged, **at_noon)) == (Step.INSTALL, True)
    assert taken(at(noon, None, **at_noon)) == (Step.STAGE, True)
    assert taken(at(noon - timedelta(seconds=1), staged, **at_noon)) == (None, False)
    assert taken(at(noon + timedelta(hours=2), staged, **at_noon)) == (None, False)
    for against, code in (
        ({"release": None}, "not_released"),
        ({"halts": {"1": "Ola: the vendor asks"}}, "halted"),
        ({"site": {"mode": "second"}}, "mode_not_described"),
        ({"site": {"agreement_status": "sent"}}, "P4"),
    ):
        answer = may(at(noon, staged, **{**at_noon, **against}))
        assert (answer.allowed, code in {reason.code for reason in answer.reasons}) == (False, True)
    late = replace(allowed, until=noon + timedelta(minutes=29))
    assert {reason.code for reason in may(at(noon, staged, override=late)).reasons} == {"does_not_fit"}


def test_the_override_ends_when_the_moves_window_opens(at: Callable[..., Situation]):
    staged = Upgrade("staged", "6.2.0", None, "")
    allowed = Override("Kari", "late", NIGHT - timedelta(hours=3), NIGHT + timedelta(hours=4))
    opening = at(NIGHT - timedelta(hours=1), staged, override=allowed).upgrade_opening
    assert opening is not None
    assert opening.end == NIGHT
    assert taken(at(NIGHT - timedelta(minutes=30), staged, override=allowed)) == (Step.INSTALL, True)
    assert not may(at(NIGHT - timedelta(minutes=29), staged, override=allowed)).allowed
    assert taken(at(NIGHT, staged, override=allowed)) == (None, False)


# ---- who allows it


ANSWER = {
    "now": "2027-05-12T20:00:00Z",
    "run_id": "run-7",
    "sites": {
        name: {"state": name} for name in ("registered", "answered", "dated", "upgraded", "moving", "moved", "verified")
    },
}


def test_every_site_that_is_not_upgraded_gets_an_event():
    events = upgrade_events(ANSWER, " Kari  Prøve", "the office\nasks")
    assert [event["site"] for event in events] == ["answered", "dated", "registered"]
    assert events[1] == {
        "site": "dated",
        "kind": "upgrade_allowed",
        "key": "upgrade_allowed/dated/run-7",
        "data": {"name": "Kari Prøve", "reason": "the office asks", "until": "2027-05-12T22:00:00Z"},
    }
    read_events(events, parse_time(ANSWER["now"]))


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2027-05-13", "2027-05-13T22:00:00Z"),
        ("2027-05-12T23:30:00+02:00", "2027-05-12T21:30:00Z"),
        (" ", "2027-05-12T22:00:00Z"),
    ],
)
def test_until_when_is_said_as_for_a_release(until: str, expected: str):
    assert upgrade_events(ANSWER, "Kari", "why", until)[0]["data"]["until"] == expected


def test_without_a_word_it_counts_to_the_end_of_the_day_in_norway():
    after_midnight = {**ANSWER, "now": "2027-05-12T22:30:00Z"}
    assert upgrade_events(after_midnight, "Kari", "why")[0]["data"]["until"] == "2027-05-13T22:00:00Z"


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (("", "why", ""), ["upgrade_name: is missing or blank; allowed: who says so, in words"]),
        (("Kari", " ", ""), ["upgrade_reason: is missing or blank; allowed: why, in words"]),
        (("Kari", "a\x07b", ""), ["upgrade_reason: holds a character that cannot be printed"]),
        (("Kari", "why", "2027-05-11"), ["upgrade_until: '2027-05-11' has passed; allowed: a date as"]),
        (("", "", "soon"), ["upgrade_name: ", "upgrade_reason: ", "upgrade_until: 'soon' is no date and no moment"]),
    ],
)
def test_all_that_is_wrong_is_told_at_once(said: tuple[str, str, str], lines: list[str]):
    with pytest.raises(ValueError, match="upgrade_") as error:
        upgrade_events(ANSWER, *said)
    told = str(error.value).splitlines()
    assert len(told) == len(lines)
    assert all(one.startswith(start) for one, start in zip(told, lines, strict=True))


def test_the_journal_brings_it_back(make_site: MakeSite):
    now = parse_time(ANSWER["now"])
    answer = {**ANSWER, "sites": {"1001": {"state": "dated"}}}
    events = read_events(upgrade_events(answer, "Kari", "the office asks", "2027-05-13"), now)
    (standing,) = standings([make_site()], events).values()
    assert standing.override == Override("Kari", "the office asks", now, datetime(2027, 5, 13, 22, tzinfo=UTC))
