# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be an answer of a module, and why it cannot: never a word of what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.answer import (
    DEEPEST,
    text_problem,
    value_problem,
)
from hypothesis import given
from hypothesis import strategies as st

MOST = 200
GOOD = '{"name": "Kari Nordmann"}'


def nested(levels: int, *, lists: bool) -> Any:
    """A mapping with so many levels below the first."""
    value: Any = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return {"a": value}


class TestText:
    @pytest.mark.parametrize("text", [GOOD, f"  {GOOD}\r\n", f"velkommen\r\n{GOOD}", '{"a": "æøå – 😀"}'])
    def test_what_may_be_one(self, text: str):
        assert text_problem(text, MOST) is None

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "is empty"),
            (" \r\n", "is empty"),
            ("Kari Nordmann", "no JSON object"),
            (f"[{GOOD}]", "no JSON object"),
            ("<html>{Kari Nordmann}</html>", "no JSON object"),
            (GOOD[:-1], "cut off"),
            (f"{GOOD}\nKari Nordmann", "something follows"),
            (json.dumps({"a": "Kari" * MOST}), "characters; at most 200"),
            ('{"a": "Kari P\x9aster"}'.encode("latin-1").decode("utf-8", "surrogateescape"), "no UTF-8"),
            ('{"a": "Kari \ud83d"}', "no UTF-8"),
        ],
    )
    def test_what_cannot(self, text: str, reason: str):
        told = text_problem(text, MOST)
        assert told is not None
        assert reason in told
        assert "Kari" not in told

    def test_the_longest_that_is_taken(self):
        text = '{"a": "' + "x" * (MOST - 9) + '"}'
        assert len(text) == MOST
        assert text_problem(f"\n{text}\n", MOST) is None
        assert text_problem(text.replace("x", "xx", 1), MOST) is not None

    @given(end=st.integers(0, len(GOOD) - 1))
    def test_every_cut_is_found(self, end: int):
        assert text_problem(GOOD[:end], MOST)

    @given(text=st.text("æøåÆØÅ é", min_size=1).filter(lambda text: text.strip()))
    def test_a_code_page_is_found(self, text: str):
        raw = f'{{"a": "Kari {text}"}}'.encode("cp865", "replace")
        told = text_problem(raw.decode("utf-8", "surrogateescape"), MOST)
        # Two bytes of a code page may happen to be one letter of UTF-8; such a text is no error to anybody.
        assert told == "the answer is no UTF-8" or raw.decode("utf-8")

    @given(value=st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.none(), max_size=5))
    def test_what_json_writes_is_taken(self, value: dict[str, Any]):
        for ascii_only in (True, False):
            assert text_problem(json.dumps(value, ensure_ascii=ascii_only), 10_000) is None
        assert value_problem(value) is None


class TestValue:
    @pytest.mark.parametrize("value", [None, [], "x", 1, [{"a": 1}]])
    def test_no_mapping(self, value: object):
        assert value_problem(value) == "the answer is no JSON object"

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
    @pytest.mark.parametrize("text", ['{{"a": {}}}', '{{"a": [{{"b": [0, {}]}}]}}'])
    def test_numbers_that_are_none(self, text: str, number: str):
        told = value_problem(json.loads(text.format(number)))
        assert told == "the answer has a number that is none (NaN or Infinity)"

    @pytest.mark.parametrize("lists", [True, False])
    def test_how_deep_it_may_be(self, lists: bool):
        assert value_problem(nested(DEEPEST - 1, lists=lists)) is None
        assert value_problem(nested(DEEPEST, lists=lists)) == f"the answer is nested more than {DEEPEST} levels deep"
        assert value_problem(nested(100_000, lists=lists)) is not None

    @pytest.mark.parametrize("value", [{"a": ["\udc9a"]}, {"\ud83d": 1}])
    def test_half_a_letter(self, value: dict[str, Any]):
        assert value_problem(value) == "the answer is no UTF-8"

    def test_an_empty_list_at_the_bottom_is_no_level(self):
        deep = nested(DEEPEST - 1, lists=True)
        bottom = deep["a"]
        while isinstance(bottom[0], list):
            bottom = bottom[0]
        bottom[0] = []
        assert value_problem(deep) is None
