# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's fixtures, and the marker for all that is here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pwsh.fixtures import contract, engine, server

__all__ = ["contract", "engine", "server"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a PowerShell engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pwsh)
