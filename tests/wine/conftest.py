"""The tests of this folder that make machines: by hand, as `make wine` runs them."""

from __future__ import annotations

import pytest

from simulator.wine.discovery import WineMissing, find_tools


@pytest.fixture(scope="session")
def wine() -> None:
    """Skips a test where something that a Wine machine needs is not there, and says what."""
    try:
        find_tools()
    except WineMissing as error:
        pytest.skip(str(error))
