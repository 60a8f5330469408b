# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts to the sites: complete, in both languages, each in its own."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.gate_texts import REASONS
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES, TITLES

TOLD = {**REMEDIES, **REASONS}
INTERNAL = {
    *("attempt", "fase", "fencing", "gate", "journal", "journalen", "ledger", "loggen", "preflight", "port", "porten"),
    *("register", "registeret", "release", "steg", "steget", "tick", "verdict", "wave", "bølge", "bølgen", "bølgja"),
}

ONLY_NB = {"ikke", "hvis", "dere", "deres", "noe", "fra", "hver", "navn", "velg", "gi", "flyttingen", "svarene", "åpne"}
ONLY_NN = {"ikkje", "dykk", "dykkar", "noko", "frå", "kvar", "namn", "vel", "gje", "flyttinga", "svara", "opne", "ein"}


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def test_a_reason_and_a_remedy_do_not_share_a_code():
    assert not set(REASONS) & {*REMEDIES, *TITLES}


@pytest.mark.parametrize("code", TOLD)
def test_everything_is_told(code: str):
    told = TOLD[code]
    assert told.nb != told.nn
    for text in (told.nb, told.nn):
        assert text == text.strip()
        assert text[0].isupper()
        assert text.endswith(".")
    assert told.do == told.do.strip()
    assert told.do[0].islower() or told.do[0] == "`"
    assert not told.do.endswith(".")
    assert "{" not in told.do


@pytest.mark.parametrize("code", REASONS)
def test_a_reason_names_no_value_and_says_what_it_means(code: str):
    told = REASONS[code]
    assert told.means
    assert "{" not in told.nb + told.nn + told.means


@pytest.mark.parametrize("code", TOLD)
def test_a_site_reads_none_of_our_own_words(code: str):
    told = TOLD[code]
    assert not words(told.nb + " " + told.nn) & INTERNAL
    assert not re.search(r"[`_]|\.ya?ml", told.nb + told.nn)


@pytest.mark.parametrize("code", TOLD)
def test_each_language_is_its_own(code: str):
    remedy = TOLD[code]
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
    general = {"UNKNOWN", "AHEAD", "OURS", "PAGE"}
    assert {code.partition(".")[0] for code in REMEDIES} - {title.partition(".")[0] for title in TITLES} == general
