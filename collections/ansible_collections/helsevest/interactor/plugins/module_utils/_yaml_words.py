# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a file that is no YAML, told for a person: the parser's words are about the parser."""

from __future__ import annotations

import yaml  # Ansible itself needs it, so it is always there

_BEFORE = "a value and fields below it, a quote that is not closed, or a wrong indentation before this line?"
_HINTS = {
    "mapping values are not allowed": "a value and fields below it, a wrong indentation, or a ': ' in a text that has "
    "no quotes?",
    "did not find expected key": _BEFORE,
    "did not find expected '-' indicator": _BEFORE,
    "expected <block end>": _BEFORE,  # of the parser in Python
    "did not find expected ',' or": "a bracket that is not closed, or a comma that is missing?",
    "expected ',' or": "a bracket that is not closed, or a comma that is missing?",
}
"""What is likely meant, by how the parser's words begin."""


def yaml_fault(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str]:
    """Line and column (from 1) at which to look, and what is wrong there. `text` is what was parsed.

    Nothing that stands in the file is quoted by libyaml's words, nor is it here.
    """
    mark, began = error.problem_mark or error.context_mark, error.context_mark
    place = _place(mark) if mark else (1, 1)
    problem, context = error.problem or "", error.context or ""
    if began and "quoted scalar" in context and problem.startswith("found unexpected"):
        line, column = _place(began)
        return line, column, f"the quote opened at line {line}, column {column} is not closed"
    if began and problem.startswith("could not find expected ':'"):
        return *_place(began), "a line without a ':' and a blank between the field and its value"
    if problem.startswith("found a tab character"):
        return *place, "a tab; use blanks to indent"
    if problem.startswith("found character") and mark:
        if _character(text, mark) == "\t":
            return *place, "a tab; use blanks to indent"
        return *place, "a text that begins with this character needs quotes"
    if began and _place(began) != place:
        line, column = _place(began)
        context += f" that begins at line {line}, column {column}"
    hint = next((f"; {words}" for start, words in _HINTS.items() if problem.startswith(start)), "")
    return *place, ", ".join(part for part in (context, problem) if part) + hint


def _place(mark: yaml.Mark) -> tuple[int, int]:
    return mark.line + 1, mark.column + 1


def _character(text: str, mark: yaml.Mark) -> str:
    lines = text.split("\n")
    return lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
