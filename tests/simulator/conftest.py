"""Offices for the tests of the simulated world."""

from __future__ import annotations

import pytest

from tests.simulator.office import Office, Opened


@pytest.fixture
def opened() -> Opened:
    """Makes an office; what is given goes into the scenario's site."""
    return lambda **said: Office(said)


@pytest.fixture
def office(opened: Opened) -> Office:
    """An office where all is well."""
    return opened()
