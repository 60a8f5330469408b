# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module vendor_migration does; it runs inside the worker (plugins/action/vendor_migration.py)."""

from __future__ import annotations

from typing import Any

from ._cloud import Cloud, CloudError, CloudRefusedError, told
from ._domain.words import Category

ARGUMENT_SPEC: dict[str, Any] = {
    "operation": {"type": "str", "choices": ["start", "status", "discard", "ids", "made"], "required": True},
    "api": {"type": "str", "required": True},
    "token": {"type": "str", "required": True, "no_log": True},
    "site": {"type": "str", "required": True},
    "number": {"type": "int"},
    "key": {"type": "str", "no_log": False},
    "history_months": {"type": "int"},
    "categories": {"type": "list", "elements": "str", "choices": [category.value for category in Category]},
    "timeout": {"type": "int", "default": 30},
    "ca_path": {"type": "path"},
}
NEEDED = {
    "start": ["number", "key", "history_months"],
    "discard": ["number", "key"],
    "ids": ["number", "key", "categories"],
    "made": ["number", "key"],
}


def status(cloud: Cloud, params: dict[str, Any]) -> dict[str, Any]:
    """Read the attempts."""
    attempts = cloud.attempts()
    result: dict[str, Any] = {"changed": False, "attempts": attempts}
    if params["number"] is not None:
        result["attempt"] = cloud.find(attempts, params["number"], params["key"])
        if result["attempt"] is None:
            raise CloudError(f"status of attempt {params['number']} of site {params['site']}: {told(attempts)}")
    return result


def start(cloud: Cloud, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Open the attempt, and prove by the status that it is there."""
    number, key = params["number"], params["key"]
    if not check_mode:
        try:
            changed = cloud.start(number, key, params["history_months"])
        except CloudRefusedError as exc:
            raise CloudRefusedError(f"{exc}; {told(cloud.attempts())}") from None
        found = {**status(cloud, params), "changed": changed}
        if found["attempt"]["state"] in ("failed", "discarded"):
            # The same number and key again are no error to the cloud, and it brings nothing back.
            raise CloudRefusedError(f"start of attempt {number} of site {params['site']}: {told(found['attempts'])}")
        return found
    attempts = cloud.attempts()
    attempt = cloud.find(attempts, number, key)
    if attempt is None and (refusal := cloud.refusal(attempts, number)):
        raise refusal
    planned = {"number": number, "key": key, "state": "open", "counts": {}, "manifest": None}
    return {"changed": attempt is None, "dry": attempt is None, "attempts": attempts, "attempt": attempt or planned}


def made(cloud: Cloud, params: dict[str, Any]) -> dict[str, Any]:
    """Read what users have made in the cloud since the switch to the attempt, which must be there."""
    return {**status(cloud, params), "made": cloud.made(params["number"])}


def ids(cloud: Cloud, params: dict[str, Any]) -> dict[str, Any]:
    """Read the ids of some categories of the attempt, which must be there."""
    found = {category: cloud.ids(params["number"], category) for category in params["categories"]}
    return {**status(cloud, params), "ids": found}


def discard(cloud: Cloud, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Discard the attempt unless that is done already."""
    number, key = params["number"], params["key"]
    attempts = cloud.attempts()
    attempt = cloud.find(attempts, number, key)
    if attempt is None or attempt["state"] == "discarded":
        return {"changed": False, "attempts": attempts, "attempt": attempt}
    if check_mode:
        return {"changed": True, "dry": True, "attempts": attempts, "attempt": {**attempt, "state": "discarded"}}
    cloud.discard(number, key)
    return {**status(cloud, params), "changed": True}


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """What the cloud said to one operation. Raises CloudError."""
    operation = params["operation"]
    try:
        # A template gives a null for what is not there.
        if missing := [name for name in NEEDED.get(operation, []) if params[name] is None]:
            raise CloudError(f"{operation} needs {', '.join(missing)}")
        cloud = Cloud(
            params["api"], params["token"], params["site"], timeout=params["timeout"], ca_path=params["ca_path"]
        )
        match operation:
            case "status":
                return status(cloud, params)
            case "ids":
                return ids(cloud, params)
            case "made":
                return made(cloud, params)
            case "start":
                return start(cloud, params, check_mode)
            case _:
                return discard(cloud, params, check_mode)
    except CloudError as exc:
        raise CloudError(f"vendor_migration: {exc}") from exc
