"""A dry run walks the whole move: it says what would happen when and what stands against it, and changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.conftest import RELEASE, Controller, controlling


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    """Day 0: wave 1 is released, wave 2 is not, and every host has been measured."""
    with controlling(tmp_path_factory.mktemp("dry")) as fleet:
        assert fleet.play("release", **RELEASE).code == 0
        assert fleet.play("wave").code in (0, 2)
        yield fleet


def files(folder: Path) -> dict[str, str]:
    """Every file below a folder by its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def told(output: str, site: str) -> list[str]:
    """The lines of a site in the rehearsal, as they stand in its columns."""
    table = output.partition("What would happen from ")[2]
    return [" ".join(line.split()) for line in table.splitlines() if line.strip().startswith(f"{site} ")]


@pytest.mark.parametrize("playbook", ["wave", "migrate", "upgrade"])
def test_a_dry_run_tells_the_whole_move_and_changes_nothing(measured: Controller, playbook: str) -> None:
    before = measured.simulation.state(), measured.simulation.now(), files(measured.state)
    done = measured.play(playbook, "--check")
    assert done.code in (0, 2), done.output
    assert (measured.simulation.state(), measured.simulation.now(), files(measured.state)) == before
    first = told(done.output, "1001")
    assert first[0].startswith("1001 11.05.2027 09:00 preflight: probe"), first
    for line in (
        "1001 11.05.2027 17:00 upgrade: look, stage",
        "1001 14.05.2027 17:00 upgrade: look, install",
        "1001 18.05.2027 20:00 migrate: look, cloud, lease, users, manifest, start, follow",
        "1001 18.05.2027 20:15 to 18.05.2027 20:45, 3 times migrate: follow",
        "1001 18.05.2027 21:00 migrate: follow, reconcile, switch, handback",
        "1001 19.05.2027 07:00 postcheck: check",
        "1001 19.05.2027 07:00 ends: verified",
    ):
        assert line in first
    # Wave 2 is not released: each of its sites stops at the first thing that the gate would not allow.
    assert any("stops before upgrade look: not started" in line for line in told(done.output, "2001"))
    assert "wave 2 is not released: run playbooks/release.yml (us)" in done.output
    assert measured.secrets_found(done.output) == []


def test_a_dry_run_starts_at_the_moment_that_is_given(measured: Controller) -> None:
    before = measured.simulation.state(), measured.simulation.now(), files(measured.state)
    done = measured.play("wave", "--check", "--limit", "wave_1", wave_check_at="2027-05-14T17:00+02:00")
    assert done.code in (0, 2), done.output
    assert "What would happen from Friday 14.05.2027 17:00 on" in done.output
    # Nothing was staged by then, so it is staged and installed at once.
    assert "1001 14.05.2027 17:00 upgrade: stage, install" in told(done.output, "1001")
    assert (measured.simulation.state(), measured.simulation.now(), files(measured.state)) == before


@pytest.mark.parametrize(
    ("playbook", "arguments", "moment", "words"),
    [
        ("wave", (), "2027-05-18T20:00+02:00", "only a dry run starts at another moment; add --check"),
        ("wave", ("--check",), "2027-05-09T20:00+02:00", "what is past cannot be rehearsed; allowed is now or later"),
        ("wave", ("--check",), "Tuesday", "is no moment: an ISO 8601 moment with its offset"),
        ("migrate", ("--check",), "2027-05-18T20:00", "has no offset: an ISO 8601 moment with its offset"),
        ("upgrade", (), "2027-05-18T20:00+02:00", "only a dry run starts at another moment; add --check"),
    ],
)
def test_a_moment_that_no_dry_run_can_start_at_is_refused_before_any_host_is_asked(
    measured: Controller, playbook: str, arguments: tuple[str, ...], moment: str, words: str
) -> None:
    before = files(measured.state), len(measured.simulation.calls())
    done = measured.play(playbook, *arguments, wave_check_at=moment)
    assert done.code == 2, done.output
    assert f"wave_check_at: '{moment}'" in done.output.replace('\\"', '"')
    assert words in done.output
    assert (files(measured.state), len(measured.simulation.calls())) == before
