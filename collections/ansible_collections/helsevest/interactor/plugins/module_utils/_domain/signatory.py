# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who signs the agreement (P4, P6): what a signatory's entry must hold, in words that never repeat what it holds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

FIELDS = ("name", "born", "address")
YOUNGEST, OLDEST = 18, 120

_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'\u2019-])*")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_NORWEGIAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, repr=False)
class Signatory:
    """A person, for one look-up and one dispatch; never shown, not even by repr."""

    name: str
    born: date
    address: str | None = None

    def __repr__(self) -> str:
        return "Signatory(hidden)"

    def is_told_in(self, text: str) -> bool:
        """Whether `text` holds the address, the date of birth, or a word of the name (of three letters or more)."""
        told, born = text.casefold(), self.born
        dates = (f"{born}", f"{born:%d.%m.%Y}", f"{born.day}.{born.month}.{born.year}", f"{born:%d%m%y}")
        words = set(re.findall(r"\w{3,}", self.name.casefold()))
        return (
            any(day in told for day in dates)
            or not words.isdisjoint(re.findall(r"\w+", told))
            or bool(self.address and self.address.casefold() in told)
        )


@dataclass(frozen=True, repr=False)
class RawField:
    """A field as it was typed: `value` is None for nothing, `plain` false for a list, a mapping or a formula."""

    name: str
    line: int
    value: str | None
    plain: bool = True


@dataclass(frozen=True, repr=False)
class RawEntry:
    """A site's entry as it was typed, lines from 1; `fields` is None where it is no mapping."""

    site: str
    line: int
    fields: Sequence[RawField] | None = field(default=None)


class SignatoryError(ValueError):
    """The file cannot be used; `problems` holds all that is wrong, in order of place, and no value of it."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def read_signatories(
    file: str, entries: Sequence[RawEntry], known: Collection[str], today: date
) -> dict[str, Signatory]:
    """The signatories of `file` by site; `known` are the ids that may stand there, `today` is the day in Norway.

    Raises SignatoryError with every problem: file, line, site, field and what is allowed, never the value.
    """
    problems: list[str] = []
    signatories: dict[str, Signatory] = {}
    seen: set[str] = set()
    for entry in entries:
        # A key may be a person's name that slipped to the wrong place, so that only a known id is repeated.
        if entry.site not in known:
            problems.append(f"{file}:{entry.line}: is no site of the register (allowed: the id of one of its sites)")
            continue
        if entry.site in seen:
            problems.append(f"{file}:{entry.line}: site {entry.site}: stands twice (allowed: one entry for each site)")
            continue
        seen.add(entry.site)
        wrong = list(_wrong(entry, today))
        problems += [f"{file}:{line}: site {entry.site}: {what}" for line, what in wrong]
        if not wrong:
            typed = {one.name: (one.value or "").strip() for one in entry.fields or ()}
            signatories[entry.site] = Signatory(
                typed["name"], _date(typed["born"]) or date.min, typed.get("address") or None
            )
    if problems:
        raise SignatoryError(problems)
    return signatories


def merge(
    file: str, before: Mapping[str, Signatory], told: Mapping[str, Signatory], *, overwrite: bool = False
) -> dict[str, Signatory]:
    """What is in the file with what the answers of `file` tell of more sites.

    Raises SignatoryError with each site and field in which the two differ, unless the answers may `overwrite`.
    """
    problems = [
        f"{file}: site {site}: {name}: is another than that of the signatories' file "
        "(allowed: the same, or agreements_overwrite=true)"
        for site, person in told.items()
        for name in FIELDS
        if site in before and getattr(person, name) != getattr(before[site], name)
    ]
    if problems and not overwrite:
        raise SignatoryError(problems)
    return {**before, **told}


def _wrong(entry: RawEntry, today: date) -> Iterator[tuple[int, str]]:
    """Line and words of all that is wrong in one entry."""
    if entry.fields is None:
        yield entry.line, f"is no mapping (allowed: {', '.join(FIELDS)})"
        return
    seen: set[str] = set()
    for one in entry.fields:
        if one.name not in FIELDS:
            yield one.line, f"holds a field that is not known here (allowed: {', '.join(FIELDS)})"
        elif one.name in seen:
            yield one.line, f"{one.name}: stands twice (allowed: once)"
        elif not one.plain:
            yield one.line, f"{one.name}: is no plain value (allowed: {_ALLOWED[one.name]})"
        elif one.value is not None and (what := _CHECKS[one.name](one.value.strip(), today)):
            yield one.line, f"{one.name}: {what} (allowed: {_ALLOWED[one.name]})"
        seen.add(one.name)
    for name in ("name", "born"):
        given = [one for one in entry.fields if one.name == name]
        if not given or (given[0].plain and given[0].value is None):
            yield (given[0] if given else entry).line, f"{name}: is missing (allowed: {_ALLOWED[name]})"


def _date(text: str) -> date | None:
    if found := _ISO.fullmatch(text):
        year, month, day = found.groups()
    elif found := _NORWEGIAN.fullmatch(text):
        day, month, year = found.groups()
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _check_name(text: str, _today: date) -> str:
    return "" if len(text) <= 100 and _NAME.fullmatch(text) else "is no name"


def _check_born(text: str, today: date) -> str:
    born = _date(text)
    if born is None:
        return "is no date"
    if born > today:
        return "lies in the future"
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return "" if YOUNGEST <= age <= OLDEST else "is no date of birth of somebody who can sign"


def _check_address(text: str, _today: date) -> str:
    return "" if 0 < len(text) <= 200 and text.isprintable() else "is no address"


_CHECKS = {"name": _check_name, "born": _check_born, "address": _check_address}
_ALLOWED = {
    "name": "one line of at most 100 letters, with spaces, hyphens, apostrophes and periods between",
    "born": f"1970-01-31 or 31.1.1970, {YOUNGEST} to {OLDEST} years ago",
    "address": "one line of at most 200 characters, or null",
}
