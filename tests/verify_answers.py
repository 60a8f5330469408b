"""Answers of interactor_verify, by the model and by an engine: what of them is to be the same."""

from __future__ import annotations

from typing import Any


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what is each side's own: the engine, how long something takes, and hashes of files with their times."""
    facts, trial = answer.get("facts"), answer.get("trial")
    if facts:
        facts["state"] = {name: mark if mark == "missing" else "there" for name, mark in facts["state"].items()}
        if "powershell" in facts:
            assert facts.pop("powershell").keys() == {"version", "edition", "language_mode", "culture"}
            facts["keys"] = None if facts["keys"] is None else sorted(facts["keys"])
    if trial and trial["manifest"] and not trial["manifest"]["error"]:
        for name in ("seconds", "megabytes"):
            assert trial["manifest"].pop(name) >= 0
    return answer
