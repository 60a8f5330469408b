# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site_verify does: checklist and answers in, a protocol written where nobody else reads it."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import yaml  # Ansible itself needs it, so it is always there

from ._clock import ClockError
from ._clock import now as clock_now
from ._domain.checklist import Checklist, ChecklistError, Result, Seen, read_checklist, read_seen
from ._domain.contract import contract_problems
from ._domain.protocol import Walk, lists, make_protocol, of_result, read_earlier, to_markdown
from ._domain.verify import MEASURES
from ._domain.window import OSLO
from ._private_file import PrivateFileError, read_private, remove_leftovers, write_private
from ._yaml_words import yaml_fault

ARGUMENT_SPEC: dict[str, Any] = {
    "step": {"type": "str", "required": True, "choices": ["read", "write"]},
    "checklist": {"type": "path", "required": True},
    "answers": {"type": "path"},
    "seen": {"type": "raw"},
    "name": {"type": "str", "required": True},
    "clock_url": {"type": "str"},
    "found": {"type": "dict"},
    "contract": {"type": "dict", "required": True},
    "host": {"type": "str"},
    "site": {"type": "str"},
    "commit": {"type": "str"},
    "begun": {"type": "float"},
    "dir": {"type": "path"},
}
NEEDED = ("found", "host", "site", "begun", "dir")


class VerifyError(Exception):
    """A file cannot be read or written, or says what is not allowed; the text is for a person."""


def answer(params: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Read and check (V(read)), or make the protocol and write it (V(write)); VerifyError where something is wrong."""
    try:
        return _answer(params, check_mode)
    except (ChecklistError, ClockError, PrivateFileError) as exc:
        raise VerifyError(str(exc)) from None


def _answer(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    begun = time.time()
    now = clock_now(params["clock_url"])
    checklist = read_checklist(_yaml(params["checklist"]), params["checklist"], MEASURES)
    seen = _seen(params, checklist, now.astimezone(OSLO).date())
    problems = contract_problems(params["contract"])
    if problems:
        raise VerifyError("\n".join(problems))
    if params["step"] == "read":
        return {"changed": False, "begun": begun, "rows": len(checklist.rows), "seen": sorted(seen)}
    missing = [name for name in NEEDED if params[name] is None]
    if missing:
        raise VerifyError(f"step is write but all of the following are missing: {', '.join(missing)}")
    seconds = round(begun - params["begun"], 1)
    walk = Walk(now, params["name"], params["host"], params["site"], params["commit"] or None, check_mode, seconds)
    stem = Path(params["dir"]).expanduser().absolute() / f"verify-{params['host']}"
    earlier = read_earlier(_earlier(stem.with_name(f"{stem.name}.json")), walk)
    protocol = make_protocol(walk, checklist, params["found"], params["contract"], seen, earlier)
    files = {
        stem.with_name(f"{stem.name}.json"): json.dumps(protocol, ensure_ascii=False, indent=2) + "\n",
        stem.with_name(f"{stem.name}.md"): to_markdown(protocol),
    }
    if not check_mode:
        for path, text in files.items():
            remove_leftovers(path)
            write_private(path, text.encode())
    return {
        "changed": not check_mode,
        "protocol": protocol,
        "files": [] if check_mode else [str(path) for path in files],
        "failed_rows": [
            f"{row['id']} {row['question']}: {row['observed']}" for row in of_result(protocol, Result.FAILED)
        ],
        "site_lists": lists(protocol),
    }


def _seen(params: dict[str, Any], checklist: Checklist, today: date) -> dict[str, Seen]:
    found: dict[str, Seen] = {}
    faults: list[str] = []
    told = [(_yaml(params["answers"]), params["answers"])] if params["answers"] else []
    for data, source in (*told, (_given(params["seen"]), "verify_seen")):
        try:
            found |= read_seen(data, source, checklist, params["name"], today)
        except ChecklistError as exc:
            faults.append(str(exc))
    if faults:
        raise ChecklistError("\n".join(faults))
    return found


def _given(seen: object) -> object:
    """What -e verify_seen=… gives: data, or a text that is YAML."""
    if not isinstance(seen, str):
        return seen
    try:
        return yaml.safe_load(seen)
    except yaml.YAMLError:
        raise ChecklistError(f"verify_seen: is {seen!r}; a mapping of rows to what was seen is allowed") from None


def _yaml(path: str) -> object:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as exc:
        raise ChecklistError(f"{path}: cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise ChecklistError(f"{path}: is no UTF-8 text") from None
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as exc:
        line, column, fault = yaml_fault(exc, text)
        raise ChecklistError(f"{path}:{line}:{column}: {fault}") from None
    except yaml.YAMLError as exc:
        raise ChecklistError(f"{path}: is no YAML: {exc}") from None


def _earlier(path: Path) -> object:
    content = read_private(path)
    if content is None:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise ChecklistError(f"{path}: is no JSON; it holds what people have seen: mend it, or move it away") from None
