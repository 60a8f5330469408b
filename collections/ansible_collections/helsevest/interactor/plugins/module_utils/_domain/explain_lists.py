# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `explain` tells of a site as lists that a person reads on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .lost_list import made_list
from .owed_list import since_words
from .table import BY_WHOM, local_day, local_time, words

DATE = "%d.%m.%Y"


def explain_lists(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The answer of `explain` as the callback prints lists: head, past, ahead, standing, next, made in the cloud."""
    standing, following = told["standing"], told["next"]
    where = ", ".join(words(standing[name] or f"no {name} yet") for name in ("state", "verdict", "outcome"))
    return [
        _list(f"Site {told['site']} as of {_when(told['now'])}", ["", ""], _head(told["head"])),
        _list("What has happened", ["When (Oslo)", "Told by", "What"], map(_entry, told["past"])),
        _list("What lies ahead", ["When (Oslo)", "Told by", "What"], map(_entry, told["ahead"])),
        _list(
            f"Why it is where it is: {where}" + ("; needs us" if standing["needs_us"] else ""),
            ["Who", "Check or rule", "Why, and what to do"],
            [*_why(standing), *_reasons(standing)],
        ),
        _list(
            "What is known of its clients", ["Client", "By whom", "Checked (Oslo)", "Counts until"], _clients(standing)
        ),
        _list(
            "What comes next",
            ["", ""],
            [
                ["next", following["text"]],
                *map(_needed, following["needed"]),
                *([f"expected, {name}", each["text"]] for name, each in told["expected"].items()),
            ],
        ),
        *_made(told["site"], standing["point_of_no_return"]),
    ]


def _made(site: str, found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What was made in the cloud, where the point of no return is passed or may be."""
    if found is None or found["passed"] is False:
        return []
    return [made_list("Past the point of no return: made in the cloud since the switch", {site: found})]


def _list(title: str, headings: list[str], rows: Iterable[list[str]]) -> dict[str, Any]:
    rows = list(rows)
    nothing = [*[""] * (len(headings) - 1), "nothing"]
    return {"title": title, "headings": headings, "rows": rows or [nothing]}


def _when(at: str) -> str:
    return local_time(at, form=DATE) if "T" in at else local_day(at, form=DATE)


def _head(head: Mapping[str, Any]) -> list[list[str]]:
    return [
        [words(name), value if isinstance(value, str) else "\n".join(value) or "none"] for name, value in head.items()
    ]


def _entry(entry: Mapping[str, Any]) -> list[str]:
    lines = [entry["what"]]
    if entry["times"] > 1:
        lines[0] += f" – {entry['times']} times the same, the last {_when(entry['until'])}"
    elif entry["until"]:
        lines[0] += f", to {_when(entry['until'])}"
    return [_when(entry["at"]), entry["source"], "\n".join(filter(None, (*lines, entry["detail"])))]


def _why(standing: Mapping[str, Any]) -> list[list[str]]:
    """The row's own words, where no reason says the same."""
    told = "; ".join(reason["text"] for reason in standing["reasons"])
    return [["us", "the row", standing["why"]]] if standing["why"] and standing["why"] != told else []


BY = {"measured": " by us", "self_checked": " by the office", "confirmed": " by the office"}


def _clients(standing: Mapping[str, Any]) -> list[list[str]]:
    """One row per client: who found out what counts of it, when, and until when it counts."""
    return [
        [
            client["host"],
            f"{BY_WHOM[client['origin']]}{BY[client['origin']]}: {words(client['verdict'])}"
            if client["origin"]
            else "nothing that counts",
            _when(client["at"]) if client["at"] else "",
            _when(client["until"]) if client["until"] else "",
        ]
        for client in standing["clients"]
    ]


def _reasons(standing: Mapping[str, Any]) -> list[list[str]]:
    """Every reason, and what is owed besides, with what to do, in English and quoted in the site's language."""
    owes = {owed["code"]: owed for owed in standing["owes"]}
    others = [owed for owed in standing["owes"] if owed["code"] not in {each["code"] for each in standing["reasons"]}]
    rows = []
    for each in (*standing["reasons"], *others):
        lines = [each["text"], each.get("do"), f"«{each['remedy']}»" if each["remedy"] else ""]
        if each["code"] in owes:
            lines.insert(1, f"owed since: {since_words(owes[each['code']])}")
        rows.append([each["who"], each["code"], "\n".join(filter(None, lines))])
    return rows


def _needed(needed: Mapping[str, str]) -> list[str]:
    return [f"still needed, {needed['who']}", f"{needed['code']}: {needed['text']}"]
