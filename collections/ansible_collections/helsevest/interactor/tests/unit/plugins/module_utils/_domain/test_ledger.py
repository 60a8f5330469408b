# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger as the controller reads it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.ledger import Ledger, LedgerError
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import AttemptState

ATTEMPT = {"number": 1, "key": "k", "state": "running", "started": "2027-05-18T18:31:00Z", "finished": None}
LEDGER: dict[str, Any] = {
    "schema": 1,
    "site": "1001",
    "upgrade": {"state": "done", "from": "5.4.1", "to": "6.2.0", "finished": "2027-05-14T16:05:00Z", "reason": ""},
    "lease": {"state": "held", "since": "2027-05-18T18:30:00Z", "run": "r"},
    "attempts": [ATTEMPT],
}


def test_a_whole_ledger_is_read() -> None:
    ledger = Ledger.from_dict(LEDGER, "1001")
    assert ledger.lease_held
    assert ledger.upgrade is not None
    assert ledger.upgrade.state == "done"
    assert ledger.last is not None
    assert (ledger.last.state, ledger.last.finished) == (AttemptState.RUNNING, None)


def test_absent_parts_are_absent() -> None:
    ledger = Ledger.from_dict({"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": []}, "1001")
    assert (ledger.upgrade, ledger.lease_held, ledger.last) == (None, False, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "schema is 2"),
        ({"site": "1002"}, "belongs to site '1002'"),
        ({"attempts": [{**ATTEMPT, "number": 2}]}, r"numbered \[2\]"),
        ({"attempts": [ATTEMPT, ATTEMPT]}, r"numbered \[1, 1\]"),
        ({"attempts": [{**ATTEMPT, "state": "flying"}]}, "flying"),
        ({"attempts": [{**ATTEMPT, "started": "yesterday"}]}, "yesterday"),
        ({"attempts": ["x"]}, "malformed"),
        ({"lease": "held"}, "malformed"),
        ({"upgrade": {"state": "done"}}, "to"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_its_reason(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        Ledger.from_dict({**LEDGER, **changes}, "1001")
