# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site, a host's facts and a vendor contract where all is well, for tests to spoil."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.site import Site
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.window import DEFAULT_MOVE_WINDOW

SITE = Site(
    id="1001",
    name="Prøvesund legekontor",
    kind="gp_office",
    county="Vestland",
    language="nb",
    wave=1,
    move_date=date(2027, 5, 18),
    mode="server_in_cloud",
    window=DEFAULT_MOVE_WINDOW,
    closed=(),
    contact={"name": "Kari Prøve", "email": "kari@prove.example", "phone": "55 00 00 00", "weekends": False},
    agreement_status="signed",
    signatory_known=True,
    ros_requested=False,
    ros_sent=None,
    urls_confirmed=date(2027, 4, 20),
    proxy_confirmed=date(2027, 4, 20),
    history_months=12,
    clients=("pc1", "pc2"),
)

CONTRACT: dict[str, Any] = {
    "service": {"name": "DIPSInteractor"},
    "pages": {
        "P1": {"url": "https://interactor.dips.no", "status": 404, "text": "default backend - 404"},
        "P2": {"url": "https://dipsupsvr.dips.no", "status": 200, "heading": "Testing 123"},
    },
    "cloud": {"api": "https://interactor.dips.no/migration/v1"},
    "config": {"modes": {"server_in_cloud": {"mode": "sic", "endpoint": "https://dipsupsvr.dips.no"}, "second": {}}},
    "tls": {"public_issuers": ["Buypass", "Let's Encrypt"]},
    "proxy": {"script": "http://config.nhn.no/kunde.pac"},
    "speed": {"recommended_mbit": 20, "samples": 3},
    "disk": {"free_gb": 5},
}

PAGE = {
    "way": "direct",
    "script": None,
    "proxy": None,
    "text": None,
    "heading": None,
    "final_url": None,
    "issuer": "O=Buypass",
    "trusted": True,
    "milliseconds": 31,
    "error": None,
}
NO_PROXY = dict.fromkeys(("proxy_server", "proxy_override", "auto_config_url", "connections", "saved"))
FACTS: dict[str, Any] = {
    "probe": 3,
    "host": {
        "name": "SRV1001",
        "os": "Microsoft Windows Server 2022 Standard",
        "build": "20348",
        "memory_mb": 16384,
        "free_gb": 81.5,
        "uptime_hours": 120.5,
        "time_zone": "W. Europe Standard Time",
        "utc": "2027-05-10T07:00:00Z",
        "addresses": ["10.20.1.5"],
    },
    "clock": {"server": "ntp.example", "offset_seconds": 0.2, "error": None},
    "interactor": {"service": "running", "version": "5.4.1", "mode": "local", "ledger": None, "ledger_error": None},
    "dns": [{"name": "interactor.dips.no", "addresses": ["192.0.2.1"], "error": None}],
    "tls": {
        "enabled": True,
        "endpoints": [
            {
                "name": "interactor.dips.no",
                "protocol": "Tls12",
                "trusted": True,
                "issuer": "O=Buypass",
                "error": None,
            }
        ],
    },
    "pages": [
        {**PAGE, "id": "P1", "url": "https://interactor.dips.no", "status": 404, "text": "default backend – 404"},
        {**PAGE, "id": "P2", "url": "https://dipsupsvr.dips.no", "status": 200, "heading": "Testing 123"},
    ],
    "speed": {
        "url": "https://speedtest.dips.no/2mb.bin",
        "samples": [{"bytes": 2_000_000, "seconds": 0.32}],
        "error": None,
    },
    "proxy": {
        "profiles": [
            {
                "profile": 1,
                "kind": "local",
                "loaded": True,
                **NO_PROXY,
                "proxy_enable": 0,
                "auto_config_url": "http://config.nhn.no/kunde.pac",
                "policy": False,
                "error": None,
            }
        ],
        "per_machine": False,
        "machine": {"proxy_enable": None, **NO_PROXY},
        "winhttp": "1800000000000000010000000000000000000000",
        "environment": {"http_proxy": None, "https_proxy": None, "no_proxy": None},
        "detected": None,
        "scripts": [
            {
                "url": "http://config.nhn.no/kunde.pac",
                "status": 200,
                "text": 'function FindProxyForURL(url, host) { return "DIRECT"; }',
                "characters": 56,
                "error": None,
                "answers": [{"url": "https://interactor.dips.no", "proxy": "DIRECT", "error": None}],
            }
        ],
    },
    "power": {
        "plan": "High performance",
        "sleep_minutes": 0,
        "hibernate_minutes": 0,
        "pending_restart": [],
        "scheduled_restarts": [],
        "active_hours": {"start": 8, "end": 17},
    },
    "overdue": [],
    "seconds": 3.2,
}


@pytest.fixture
def make_site() -> Callable[..., Site]:
    """Builds the site with some fields changed."""
    return lambda **changes: dataclasses.replace(SITE, **changes)


@pytest.fixture
def facts() -> dict[str, Any]:
    """The facts of a server; a copy that may be changed."""
    return copy.deepcopy(FACTS)


@pytest.fixture
def contract() -> dict[str, Any]:
    return copy.deepcopy(CONTRACT)


@pytest.fixture
def now() -> datetime:
    return datetime(2027, 5, 10, 7, tzinfo=UTC)
