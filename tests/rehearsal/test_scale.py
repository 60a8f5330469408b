"""A whole country rehearsed at once costs no more than a cup of coffee (processor time)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _rehearsal
from ansible_collections.helsevest.interactor.plugins.module_utils._inventory import inventory_of, wider_vars
from ansible_collections.helsevest.interactor.plugins.module_utils._register import load_register

from tests.fleet import wave_count, write_register
from tests.second import shipped_contract

SECONDS = 20


@pytest.mark.night
def test_1600_sites_are_rehearsed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_register(tmp_path / "register", sites=1600, clients=8)
    inventory = inventory_of(load_register(tmp_path / "register"))
    said = {"name": "Kari", "reason": "r", "until": "2028-01-01T00:00:00Z"}
    # Before the first move, and every wave released: the longest way that there is.
    monkeypatch.setattr(_rehearsal, "clock_now", lambda _url: datetime(2027, 1, 4, 7, tzinfo=UTC))
    params: dict[str, Any] = {
        "sites": [wider_vars(inventory, site) for site in inventory["sites"]],
        "contract": shipped_contract(),
        "journal": f"sqlite:///{tmp_path / 'journal.sqlite'}",
        "clock_url": None,
        "calendar": None,
        "settings": {
            "upgrade_minutes": 30,
            "move_minutes": None,
            "retry_minutes": 15,
            "lease_wait_minutes": 240,
            "switch_tolerates": ["favourite_packages"],
        },
        "unrecorded": [
            {"kind": "released", "subject": str(wave), "data": said} for wave in range(1, wave_count(1600) + 1)
        ],
        "check_at": None,
        "tick_minutes": 15,
    }
    started = process_time()
    told = _rehearsal.answer(params, check_mode=True)
    took = process_time() - started
    assert took <= SECONDS, f"{took:.1f} s"
    outcomes = [rehearsal["outcome"] for rehearsal in told["sites"].values()]
    assert len(outcomes) > 1000
    assert {"verified", "not_started"} == set(outcomes)
    assert outcomes.count("verified") > 300
