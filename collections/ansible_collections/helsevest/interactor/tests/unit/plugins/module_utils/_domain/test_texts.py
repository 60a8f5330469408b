# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts to the sites: complete, in both languages, each in its own."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES, TITLES

ONLY_NB = {"ikke", "hvis", "dere", "deres", "noe", "fra", "hver", "navn", "velg", "gi", "flyttingen", "svarene", "åpne"}
ONLY_NN = {"ikkje", "dykk", "dykkar", "noko", "frå", "kvar", "namn", "vel", "gje", "flyttinga", "svara", "opne", "ein"}


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


@pytest.mark.parametrize("code", REMEDIES)
def test_each_language_is_its_own(code: str):
    remedy = REMEDIES[code]
    assert not words(remedy.nb) & ONLY_NN
    assert not words(remedy.nn) & ONLY_NB
    assert remedy.who in ("site", "vendor", "us")


@pytest.mark.parametrize("code", REMEDIES)
def test_both_languages_name_the_same_values(code: str):
    remedy = REMEDIES[code]
    named = [sorted(name for _, name, _, _ in Formatter().parse(text) if name) for text in (remedy.nb, remedy.nn)]
    assert named[0] == named[1]
    values = dict.fromkeys(named[0], "VERDI")
    for language in ("nb", "nn"):
        assert remedy.text(language, values).count("VERDI") == len(named[0])


def test_another_language_is_our_mistake():
    with pytest.raises(KeyError):
        REMEDIES["UNKNOWN"].text("en", {})


def test_every_remedy_belongs_to_a_check():
    assert {code for code in REMEDIES if code not in TITLES and code.partition(".")[0] not in TITLES} == {
        "UNKNOWN",
        "OURS",
    }
