# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manifest costs in the engine; `python -m tests.bench` has the whole list of 100,000 orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.manifest_cost import MOST_MEGABYTES, MOST_SECONDS, ORDERS, measure_manifest
from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server, contract, engine, server

__all__ = ["contract", "engine", "server"]
pytestmark = pytest.mark.pwsh


def test_a_fifth_of_a_large_office_costs_no_more_than_its_share(server: Server, engine: Engine, tmp_path: Path):
    orders = ORDERS // 5
    found: Any = measure_manifest(server, engine, orders, tmp_path)
    assert found.manifest["orders"] == found.expected
    assert found.seconds <= MOST_SECONDS / 5
    assert found.megabytes <= MOST_MEGABYTES
