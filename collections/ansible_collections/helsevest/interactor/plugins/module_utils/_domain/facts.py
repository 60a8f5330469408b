# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of one host as the probe sends them (docs/contracts.md, Facts): their shape, checked before judging."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .times import parse_time

PROBE = 3
"""The version of the probe whose facts are understood here."""

_PROXY = {
    "proxy_enable": "whole number",
    "proxy_server": "text",
    "proxy_override": "text",
    "auto_config_url": "text",
    "connections": "text",
    "saved": "text",
}
_SHAPE: dict[str, Any] = {
    "host": {
        "name": "text",
        "os": "text",
        "build": "text",
        "memory_mb": "number",
        "free_gb": "number",
        "uptime_hours": "number",
        "time_zone": "text",
        "utc": "moment",
        "addresses": ["text"],
    },
    "clock": {"server": "text", "offset_seconds": "number", "error": "text"},
    "interactor": {"service": "text", "version": "text", "mode": "text", "ledger": "anything", "ledger_error": "text"},
    "dns": [{"name": "text", "addresses": ["text"], "error": "text"}],
    "tls": {
        "enabled": "flag",
        "endpoints": [{"name": "text", "protocol": "text", "trusted": "flag", "issuer": "text", "error": "text"}],
    },
    "pages": [
        {
            "id": "text",
            "way": "text",
            "script": "text",
            "proxy": "text",
            "url": "text",
            "status": "whole number",
            "text": "text",
            "heading": "text",
            "final_url": "text",
            "issuer": "text",
            "trusted": "flag",
            "milliseconds": "number",
            "error": "text",
        }
    ],
    "speed": {"url": "text", "samples": [{"bytes": "number", "seconds": "number"}], "error": "text"},
    "proxy": {
        "profiles": [
            {
                "profile": "whole number",
                "kind": "text",
                "loaded": "flag",
                **_PROXY,
                "policy": "flag",
                "error": "text",
            }
        ],
        "per_machine": "flag",
        "machine": _PROXY,
        "winhttp": "text",
        "detected": {"url": "text", "error": "text"},
        "environment": {"http_proxy": "text", "https_proxy": "text", "no_proxy": "text"},
        "scripts": [
            {
                "url": "text",
                "status": "whole number",
                "text": "text",
                "characters": "whole number",
                "error": "text",
                "answers": [{"url": "text", "proxy": "text", "error": "text"}],
            }
        ],
    },
    "power": {
        "plan": "text",
        "sleep_minutes": "number",
        "hibernate_minutes": "number",
        "pending_restart": ["text"],
        "scheduled_restarts": ["moment"],
        "active_hours": {"start": "whole number", "end": "whole number"},
    },
    "overdue": ["text"],
    "seconds": "number",
}


def check_shape(facts: object) -> None:
    """Raise ValueError that names the place, unless `facts` have the shape of the contract.

    Every value may be null ("could not be found out"), but none may be absent; what is not in the contract is ignored.
    """
    if not isinstance(facts, Mapping):
        raise ValueError(f"facts: a mapping is wanted, not {type(facts).__name__}")
    version = facts.get("probe")
    if version != PROBE or isinstance(version, bool):
        number = version if isinstance(version, int) and not isinstance(version, bool) else None
        earlier = number is not None and number < PROBE
        raise ValueError(
            f"facts.probe: {type(version).__name__ if number is None else number}; {PROBE} is understood"
            + (": an earlier version of this collection has measured the host, measure it again" if earlier else "")
        )
    _check(facts, _SHAPE, "facts")


def _check(value: object, shape: object, path: str) -> None:
    if value is None:
        return
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise ValueError(f"{path}: a mapping is wanted, not {type(value).__name__}")
        for key, inner in shape.items():
            if key not in value:
                raise ValueError(f"{path}.{key}: is missing; null is what could not be found out")
            _check(value[key], inner, f"{path}.{key}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise ValueError(f"{path}: a list is wanted, not {type(value).__name__}")
        for index, item in enumerate(value):
            if item is None:
                raise ValueError(f"{path}[{index}]: {_leaf(shape[0])} is wanted, not null")
            _check(item, shape[0], f"{path}[{index}]")
    elif not _is(value, shape):
        # The value itself may hold what a person has written: only its type is told.
        raise ValueError(f"{path}: a {shape} is wanted, not {type(value).__name__}")


def _leaf(shape: object) -> str:
    return f"a {shape}" if isinstance(shape, str) else "a mapping"


def _is(value: object, kind: object) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "whole number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "flag":
            return isinstance(value, bool)
        case "moment":
            try:
                parse_time(value)  # type: ignore[arg-type]
            except ValueError:
                return False
            return True
        case _:
            return True
