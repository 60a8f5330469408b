"""What breaks on purpose, and for whom."""

from __future__ import annotations

import asyncio

import pytest

from simulator.calls import HostDown
from simulator.faults import Fault, Faults, cloud_of, is_cloud


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
