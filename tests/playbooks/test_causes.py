"""Why a host is not reached: each cause at a site of its own, in one run of the preflight."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.playbooks.conftest import controlling
from tests.test_causes import CAUSE_OF
from tests.wave import site_ids, write_wave

AGAIN = ("closed", "unknown", "expired", "quota_shells", "quota_operations")
"""Troubles that one connection meets: the second try is well."""
ONCE = ("silent", "rejects")
"""Troubles that one connection meets, and that are told all the same: nobody tries again."""
LIMITS = {
    "preflight_knock_seconds": 5,
    "ansible_winrm_read_timeout_sec": 20,
    "ansible_winrm_operation_timeout_sec": 15,
}


@pytest.fixture(scope="module")
def fates() -> dict[str, tuple[str, int | None]]:
    """The trouble of each site's server, and how many connections meet it; one site is well."""
    all_of_them = [*((kind, None) for kind in CAUSE_OF), *((kind, 1) for kind in (*AGAIN, *ONCE))]
    return dict(zip(site_ids(len(all_of_them)), all_of_them, strict=True))


def test_each_cause_is_told_in_words_in_its_sites_row(tmp_path: Path, fates: dict[str, tuple[str, int | None]]) -> None:
    special: dict[str, dict[str, object]] = {
        site: {"server": {"trouble": {"kind": kind, "times": times}}} for site, (kind, times) in fates.items()
    }
    well = site_ids(len(fates) + 1)[-1]
    scenario, inventory = write_wave(tmp_path, sites=len(fates) + 1, special=special)
    with controlling(tmp_path, scenario, inventory) as fleet:
        done = fleet.play("preflight", **LIMITS)
        assert done.code == 0, done.output
        rows = fleet.rows()
        probes = [call["host"] for call in fleet.simulation.calls() if call["host"].startswith("srv.")]
        assert fleet.secrets_found(done.output) == []
    assert sorted(rows) == [*fates, well], "a row for every site"
    assert rows[well]["verdict"] == "ready", rows[well]
    for site, (kind, times) in fates.items():
        row = rows[site]
        if times and kind in AGAIN:
            assert row["verdict"] == "ready", (kind, row)
            continue
        cause, words = CAUSE_OF[kind]
        assert row["verdict"] == "unreachable", (kind, row)
        assert f"not reached ({cause}: {words})" in row["why"], (kind, row)
        assert row["owes"] == ([] if cause in ("name", "certificate", "credentials", "quota") else ["SERVER"])
    # No server was asked for its facts twice.
    assert sorted(probes) == sorted(f"srv.k{site}.example" for site in rows if rows[site]["verdict"] == "ready")
