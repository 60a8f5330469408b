# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check results, their way through the journal, and waivers."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import (
    CheckResult,
    apply_waivers,
    result,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site, Waiver
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity

MakeSite = Callable[..., Site]


def check(site: Site, outcome: bool | None, severity: Severity = Severity.BLOCKER) -> CheckResult:
    return result(
        site, "P8", outcome, observed="o", expected="e", severity=severity, remedies=["P8.sleep", "P8.pending"]
    )


def test_a_result_survives_the_journal(make_site: MakeSite):
    for outcome in (True, False, None):
        before = check(make_site(), outcome)
        assert CheckResult.from_dict(json.loads(json.dumps(before.to_dict()))) == before


def test_the_plain_form_is_that_of_the_contract(make_site: MakeSite):
    assert check(make_site(), True).to_dict() == {
        "id": "P8",
        "title": "The server stays on",
        "severity": "blocker",
        "outcome": "pass",
        "observed": "o",
        "expected": "e",
        "remedy": "",
        "evidence": {},
    }


def test_an_unknown_word_or_field_is_refused(make_site: MakeSite):
    plain = check(make_site(), True).to_dict()
    with pytest.raises(ValueError, match="fatal"):
        CheckResult.from_dict({**plain, "severity": "fatal"})
    with pytest.raises(TypeError, match="colour"):
        CheckResult.from_dict({**plain, "colour": "red"})


def test_remedies_are_in_the_sites_language_and_only_where_something_failed(make_site: MakeSite):
    assert check(make_site(language="nb"), False).remedy.startswith("Slå av hvilemodus")
    assert check(make_site(language="nn"), False).remedy.startswith("Slå av kvilemodus")
    assert "Start han på nytt" in check(make_site(language="nn"), False).remedy
    assert check(make_site(), True).remedy == ""
    assert check(make_site(), None).remedy.startswith("Dette fikk vi ikke undersøkt")


def test_the_site_acts_on_what_failed_and_we_on_what_is_unknown(make_site: MakeSite):
    assert check(make_site(), False).who == "site"
    assert check(make_site(), None).who == "us"


@pytest.mark.parametrize(
    ("outcome", "severity", "is_open", "blocks"),
    [
        (True, Severity.BLOCKER, False, False),
        (False, Severity.BLOCKER, True, True),
        (None, Severity.BLOCKER, True, True),
        (False, Severity.WARNING, True, False),
        (None, Severity.INFO, True, False),
    ],
)
def test_what_blocks(make_site: MakeSite, outcome: bool | None, severity: Severity, is_open: bool, blocks: bool):
    found = check(make_site(), outcome, severity)
    assert (found.is_open, found.blocks) == (is_open, blocks)


class TestWaivers:
    waiver = Waiver("P8", "ny server i juni", "Ola", date(2027, 5, 20))
    # In Norway the 20th of May ends at 22:00 UTC.
    last_minute, too_late = datetime(2027, 5, 20, 21, 59, tzinfo=UTC), datetime(2027, 5, 20, 22, 0, tzinfo=UTC)

    @pytest.mark.parametrize("outcome", [False, None])
    def test_until_its_last_day_has_ended_in_norway(self, make_site: MakeSite, outcome: bool | None):
        site = make_site(waivers=(self.waiver,))
        before = check(site, outcome)
        (waived,) = apply_waivers([before], site, self.last_minute)
        assert waived.outcome is CheckOutcome.WAIVED
        assert not waived.is_open
        assert waived.evidence["waived"] == {"outcome": before.outcome.value, "until": "2027-05-20"}
        assert apply_waivers([before], site, self.too_late) == [before]

    def test_what_was_waived_once_is_open_again_when_the_waiver_is_over(self, make_site: MakeSite):
        site = make_site(waivers=(self.waiver,))
        before = check(site, False)
        stored = apply_waivers([before], site, self.last_minute)
        assert apply_waivers(stored, site, self.last_minute) == stored
        assert apply_waivers(stored, site, self.too_late) == [before]
        assert apply_waivers(stored, make_site(), self.last_minute) == [before]

    def test_only_the_check_that_it_names_and_only_what_did_not_pass(self, make_site: MakeSite):
        site = make_site(waivers=(self.waiver,))
        passed = check(site, True)
        other = result(site, "P1", False, observed="", expected="", remedies=["P1"], url="u", text="t")
        assert apply_waivers([passed, other], site, self.last_minute) == [passed, other]
