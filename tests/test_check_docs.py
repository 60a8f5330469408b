"""Every check has its page in docs/checks, every page its check, and every text to the office its place on one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.page_check import _REMEDIES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.page_kind import PageKind
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES, TITLES

CHECKS = Path(__file__).resolve().parent.parent / "docs" / "checks"
IDS = list(dict.fromkeys(title.partition(".")[0] for title in TITLES))
SHARED = {"PAGE": "P1"}
"""Texts of more than one check, and on whose page they stand."""
HEADINGS = [
    "What it looks at",
    "What it means",
    "How much it weighs",
    "How to mend it by hand",
    "What the office is told",
]


def read(name: str) -> str:
    return (CHECKS / f"{name}.md").read_text(encoding="utf-8")


def parts(name: str) -> dict[str, str]:
    """The text below each heading of a page, in order."""
    found = re.split(r"^## (.+)\n", read(name), flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def table(text: str) -> list[list[str]]:
    """The cells of a text's first table, its head left out; codes without their backticks."""
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    cells = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines[0].splitlines()] if lines else []
    return [[cell.strip("`") for cell in line] for line in cells[2:]]


def page_of(code: str) -> str:
    """The page on which a remedy's text is told; a general one stands in the index."""
    name = code.partition(".")[0]
    name = SHARED.get(name, name)
    return name if name in IDS else "README"


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    assert sorted(path.stem for path in CHECKS.iterdir()) == sorted([*IDS, "README"])


@pytest.mark.parametrize("name", IDS)
def test_a_page_says_all_that_it_has_to(name: str) -> None:
    own = [title for title in TITLES if title.partition(".")[0] == name]
    title = re.match(r"# (\w+): (.+)\n", read(name))
    assert title
    assert title[1] == name
    assert title[2] == TITLES.get(name, title[2])
    assert own == [name] or [cells[0] for cells in table(read(name))][: len(own)] == own
    found = parts(name)
    assert list(found) == HEADINGS
    for heading in HEADINGS[:-1]:
        assert len(found[heading].split()) > 5, heading
    assert re.findall(r"^\d\. ", found["How to mend it by hand"], re.MULTILINE) or "As [P1]" in found[HEADINGS[3]]


@pytest.mark.parametrize("name", [*IDS, "README"])
def test_a_page_tells_the_texts_of_its_check_and_no_other(name: str) -> None:
    heading = "Texts of several checks" if name == "README" else HEADINGS[-1]
    told = [(code, who) for code, who, _when in table(parts(name)[heading])]
    assert told == [(code, remedy.who) for code, remedy in REMEDIES.items() if page_of(code) == name]


def test_the_index_names_every_page_with_its_title() -> None:
    told = {cells[0]: cells[1] for cells in table(read("README"))}
    assert told == {f"[{name}]({name}.md)": read(name).splitlines()[0].partition(": ")[2] for name in IDS}


def test_every_kind_of_page_is_told_and_has_a_remedy() -> None:
    cells = "\n".join(line.split(" | ")[0] for line in parts("P1")["What it means"].splitlines() if line[:1] == "|")
    told = re.findall(r"`(\w+)`", cells)
    assert sorted(told) == sorted({kind.value for kind in PageKind} - {PageKind.UNKNOWN})
    without = {PageKind.AS_WANTED, PageKind.UNKNOWN, PageKind.WRONG_TEXT}
    assert set(_REMEDIES) == set(PageKind) - without
    assert set(_REMEDIES.values()) | {"PAGE.vendor"} == {code for code in REMEDIES if code.startswith("PAGE.")}
