# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How plain data is written in the register, so that YAML and the eye read it alike, and when two are the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What is not plainly a text gets quotes: what begins with a digit or a sign, and the words that YAML guesses at.
_BARE = re.compile(r"[^\W\d_](?:[\w./@+-]| (?=\w))*")
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "y", "n", "null"))
_TRUTHS = {True: ("true", "yes"), False: ("false", "no")}


def inline(value: object, *, quote: str = "") -> str:
    """A value on one line; a text gets quotes where it needs them, or always with `quote`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and value.isprintable() and value.lower() not in _WORDS
        return value if bare and not quote else _quoted(value)
    return "null" if value is None else str(plain(value))


def block(value: object, indent: int) -> list[str]:
    """The lines of a mapping or a list, written over several lines."""
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in pair(key, item, indent)]
    lines = []
    for item in value if isinstance(value, list | tuple) else ():
        inner = block(item, indent + 2) if spread(item) else [" " * (indent + 2) + inline(item)]
        lines += [" " * indent + "- " + inner[0][indent + 2 :], *inner[1:]]
    return lines


def pair(key: str, value: object, indent: int) -> list[str]:
    """The lines of a key and its value in a mapping that is written over several lines."""
    if spread(value):
        return [" " * indent + f"{key}:", *block(value, indent + 2)]
    return [" " * indent + f"{key}: {inline(value)}"]


def spread(value: object) -> bool:
    """Whether a value is written over several lines: a mapping, or a list of mappings."""
    if isinstance(value, list | tuple):
        return any(isinstance(item, Mapping | list | tuple) for item in value)
    return isinstance(value, Mapping) and bool(value)


def plain(value: object) -> object:
    """A value as it comes back when the register is read: all that is not null is text."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def same(current: object, wanted: object) -> bool:
    """Whether what was typed means what is wanted; what is left out is null."""
    if isinstance(wanted, Mapping):
        return isinstance(current, Mapping) and all(
            same(current.get(key), wanted.get(key)) for key in {*wanted, *current}
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(current, list)
            and len(current) == len(wanted)
            and all(same(one, other) for one, other in zip(current, wanted, strict=True))
        )
    if not isinstance(current, str) or wanted is None:
        return current is None and wanted is None
    if isinstance(wanted, bool):
        return current.strip().lower() in _TRUTHS[wanted]
    return current.strip() == str(wanted).strip()


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
