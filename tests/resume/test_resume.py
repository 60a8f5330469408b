"""Whatever breaks, wherever: the site ends as in an undisturbed run, with exactly one completed migration."""

from __future__ import annotations

import pytest

from tests.resume.cases import RESUMES, Case, Ran, all_cases, play, random_case, undisturbed

SEEDS = range(150)
LOST = {
    "migration": "the migration program ended without saying so",
    "installer": "the server was restarted while the installer ran; version 5.4.1 is back",
}
"""Why a night may be lost, by the program of the vendor's that ran when the server went down."""
ROW = ("state", "outcome", "counts", "owes", "needs_us", "why")


def agrees_with_the_undisturbed(ran: Ran) -> None:
    """The end is that of the undisturbed run of the same date; a night is lost only where a migration was killed."""
    expected = undisturbed(ran.date)
    assert ran.end == expected.end
    assert {name: ran.row[name] for name in ROW} == {name: expected.row[name] for name in ROW}
    for why in ran.lost:
        assert any(program in ran.killed and told in why for program, told in LOST.items()), why


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_one_fault_at_every_boundary(case: Case) -> None:
    ran = play(case)
    assert ran.broken == len(case.faults)
    agrees_with_the_undisturbed(ran)


@pytest.mark.parametrize("seed", SEEDS)
def test_several_faults_at_random_places(seed: int) -> None:
    case = random_case(seed)
    try:
        agrees_with_the_undisturbed(play(case))
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, case {case}: {error}") from error


def test_there_are_at_least_500_cases_and_every_kind_at_every_step() -> None:
    cases = all_cases()
    assert len({str(case) for case in cases}) == len(cases) >= 500
    places = undisturbed().places
    dies = {(str(places[case.faults[0].at]), case.resume) for case in cases if case.faults[0].do == "die"}
    assert dies == {(str(place), resume) for place in places for resume in RESUMES}
    lost = {str(places[case.faults[0].at]) for case in cases if case.faults[0].do == "lose"}
    assert lost == {str(place) for place in places if place.kind != "record"}
