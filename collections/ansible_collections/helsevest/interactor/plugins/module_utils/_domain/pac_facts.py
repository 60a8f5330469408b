# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host knows that its automatic proxy script may ask for, read off its facts (P5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from .pac import PacHost, is_address
from .times import parse_time
from .window import OSLO

OSLO_ZONES = ("W. Europe Standard Time", "Central Europe Standard Time", "Romance Standard Time")
"""Windows' names of the zones whose clocks go as Norway's do; Norway is in the first."""


def pac_host(facts: Mapping[str, Any]) -> PacHost:
    """What the host whose `facts` these are knows (docs/contracts.md, Facts); what it does not know is left out."""
    host = facts.get("host") or {}
    addresses = tuple(address for address in host.get("addresses") or () if is_address(address))
    names = {
        found["name"].casefold(): tuple(address for address in found["addresses"] or () if is_address(address))
        for found in facts.get("dns") or ()
        if found["name"]
    }
    if host.get("name") and addresses:
        names.setdefault(host["name"].casefold(), addresses)
    at = parse_time(host["utc"]) if host.get("utc") else None
    ahead = None
    if at is not None:
        zone = host.get("time_zone")
        ahead = at.astimezone(OSLO).utcoffset() if zone in OSLO_ZONES else timedelta() if zone == "UTC" else None
    return PacHost(addresses, names, at, ahead)
