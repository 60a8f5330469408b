# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a host sent can be an answer of a module at all; why not, without a word of what it sent."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

DEEPEST = 40
"""So many levels of lists and mappings an answer may have; a ledger within facts has about ten."""

_NO_UTF8 = re.compile("[\ud800-\udfff]")
"""Bytes that are no UTF-8 arrive as lone surrogates, and so does a letter that was cut in two."""


def text_problem(text: str, most: int) -> str | None:
    """What is wrong with the text of an answer of at most `most` characters; None where it may be JSON.

    Lines before the object are allowed, as a log-on script may print some; what follows it is not.
    """
    bare = text.strip()
    if not bare:
        return "the answer is empty"
    if len(bare) > most:
        return f"the answer has {len(bare)} characters; at most {most} are taken"
    if _NO_UTF8.search(bare):
        return "the answer is no UTF-8"
    if not any(line.lstrip().startswith("{") for line in bare.splitlines()):
        return "the answer is no JSON object"
    if not bare.endswith("}"):
        return "the answer is cut off, or something follows it"
    return None


def value_problem(value: object) -> str | None:
    """What is wrong with an answer that was read; None where nothing is.

    Python reads numbers that are no JSON (NaN, Infinity), and nests deeper than others can take.
    """
    if not isinstance(value, Mapping):
        return "the answer is no JSON object"
    left: list[tuple[object, int]] = [(value, 1)]
    while left:
        one, depth = left.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return "the answer has a number that is none (NaN or Infinity)"
        if isinstance(one, str) and _NO_UTF8.search(one):
            return "the answer is no UTF-8"
        below = [*one, *one.values()] if isinstance(one, Mapping) else one if isinstance(one, list | tuple) else ()
        if below and depth > DEEPEST:
            return f"the answer is nested more than {DEEPEST} levels deep"
        left += [(each, depth + 1) for each in below]
    return None
