"""What breaks on purpose, and for whom."""

from __future__ import annotations

import asyncio

import pytest

from simulator.calls import Answer, HostDown
from simulator.faults import Fault, Faults, cloud_of, is_cloud
from simulator.spoil import SPOILS, Spoil, spoil


def meet(faults: Faults, host: str, words: str) -> None:
    asyncio.run(faults.meet(host, words, "before", lambda: None))


def test_the_cloud_breaks_for_one_site_and_for_no_other() -> None:
    faults = Faults()
    faults.arm(Fault(cloud_of("1001"), "attempts GET", 1, "before", "cut"))
    meet(faults, cloud_of("1002"), "/migration/v1/sites/1002/attempts GET")
    with pytest.raises(HostDown):
        meet(faults, cloud_of("1001"), "/migration/v1/sites/1001/attempts GET")
    assert [faults.is_broken(cloud_of(site)) for site in ("1001", "1002")] == [True, False]
    faults.mend(cloud_of("1002"))
    assert faults.is_broken(cloud_of("1001"))
    faults.mend(cloud_of("1001"))
    assert not faults.is_broken(cloud_of("1001"))


def test_only_a_sites_cloud_is_the_cloud() -> None:
    assert [is_cloud(name) for name in ("cloud/1001", "cloud/", "cloud", "srv.cloud.example")] == [
        True, False, False, False,
    ]  # fmt: skip


def test_an_answer_that_is_spoiled_leaves_the_line_whole() -> None:
    faults = Faults()
    faults.arm(Fault("srv.x.example", "preflight", 1, "after", "spoil", "empty"))
    calls = [faults.meet("srv.x.example", "interactor_preflight", "after", lambda: None) for _ in range(3)]
    assert all(asyncio.run(call) for call in calls[:2]), "who asks once more gets no better answer"
    assert not faults.is_broken("srv.x.example")
    faults.mend("srv.x.example")
    assert asyncio.run(calls[2]) is None


@pytest.mark.parametrize("how", SPOILS)
def test_every_bad_answer_is_another_one_and_most_name_somebody(how: Spoil) -> None:
    good = Answer(b'{"changed": false, "facts": {"probe": 1, "host": {"free_gb": 1.5, "utc": "2027-05-10T07:00:00Z"}}}')
    bad = spoil(good, how, "P\u00e5l " * 30)
    assert bad.stdout != good.stdout
    assert (b"P" in bad.stdout) == (how != "empty")
    assert bad.code == good.code
