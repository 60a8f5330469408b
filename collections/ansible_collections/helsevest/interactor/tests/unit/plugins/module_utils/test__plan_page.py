# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a plan."""

from __future__ import annotations

from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _plan_page
from ansible_collections.helsevest.interactor.plugins.module_utils._plan_page import HEADINGS, plan_page

ROOT = next(folder for folder in Path(__file__).parents if (folder / "ansible.cfg").exists())
TEMPLATE = ROOT / "roles" / "plan" / "templates" / "plan.html.j2"
TUESDAY = date(2027, 3, 16)
EVIL = "<script>alert(1)</script>\"'&"
VOID = {"meta", "br", "col", "input"}


class Page(HTMLParser):
    """The page's tags, attributes and texts; every tag has to be closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def page(plan: dict[str, Any], title: str = "Plan") -> Page:
    return Page(plan_page(TEMPLATE, title, plan))


@pytest.fixture
def plan(plans: Any) -> dict[str, Any]:
    return plans.plan(
        plans.site(1001, TUESDAY, promised=True, county="Rogaland", epj="Legekartotek"),
        plans.site(1002, TUESDAY, answered=False),
        plans.site(1003, TUESDAY + timedelta(days=20)),
        left_out=[{"site": "9", "name": "Utelatt", "reasons": [{"code": "closed", "text": "It is closed then."}]}],
        warnings=["Site 1001 is promised a holiday."],
        new_waves=[{"id": 4, "name": "Week 11, 2027", "from": "2027-03-15", "to": "2027-03-21"}],
        status="feasible",
        distance=0.013,
        changes=[
            {"site": str(n), "from": "2027-05-16", "to": None if n == 1003 else "2027-05-10"} for n in range(1001, 1004)
        ],
    )


def test_all_that_a_person_wants_to_know_is_there(plan: dict[str, Any]):
    text = page(plan, "Flytting").text
    for words in (
        "Flytting",
        "Nights from 25.01.2027 to 24.07.2027. Made 04.01.2027 09:00.",
        "within 1.3 % of the best possible. 2 sites have another date than in the previous plan, 1 has none any more.",
        "3 dates have changed 1001 (16.05 → 10.05), 1002 (16.05 → 10.05), 1003 (16.05 → none)",
        "1 warning Site 1001 is promised a holiday.",
        "March 2027",
        "April 2027",
        "Week 11, 2027 Mon 15.03 to Sun 21.03: 2 moves",
        "Tue 16.03.2027 2 of 20 moves 1 promised 1 reserved calls Wed 17.03: 2 of 20",
        "1001 Kontor 1001 Rogaland Legekartotek 20:00–06:00 Week 11, 2027 Mon 15.03 Wed 17.03 promised",
        "1002 Kontor 1002 Vestland Journalen 20:00–06:00 Week 11, 2027 Mon 15.03 Wed 17.03 reserved: not answered",
        "Left out 1 site without a date closed: 1 site Sites without a date Site Name Why 9 Utelatt It is closed then.",
    ):
        assert words in text


def test_what_stands_in_the_data_is_text_and_nothing_else(plans: Any):
    evil = plans.site(1, TUESDAY, name=EVIL, county=EVIL, epj=EVIL, wave_name=EVIL, shared_server=EVIL)
    plan = plans.plan(
        evil,
        warnings=[EVIL],
        left_out=[{"site": "9", "name": EVIL, "reasons": [{"code": EVIL, "text": EVIL}]}],
    )
    html = plan_page(TEMPLATE, EVIL, plan)
    shown = Page(html)
    assert shown.tags.count("script") == 1, "the page's own"
    assert "alert(1)</script>" not in html
    assert shown.text.count(EVIL) >= 10
    assert not [name for _, name, _ in shown.attributes if name.startswith("on")]


def test_it_is_one_file_that_fetches_nothing(plan: dict[str, Any]):
    html = plan_page(TEMPLATE, "Plan", plan)
    shown = Page(html)
    assert not {"link", "img", "iframe", "object", "form"} & set(shown.tags)
    assert not [name for _, name, _ in shown.attributes if name in ("src", "srcset", "action")]
    links = [value for _, name, value in shown.attributes if name == "href"]
    ids = {value for _, name, value in shown.attributes if name == "id"}
    assert {"#night-2027-03-16", "#left-out"} <= set(links)
    assert {link.removeprefix("#") for link in links if link} <= ids
    assert "http:" not in html
    assert "https:" not in html
    policy = [value for tag, name, value in shown.attributes if tag == "meta" and name == "content"]
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in policy


def test_whoever_cannot_see_it_finds_their_way(plan: dict[str, Any]):
    shown = page(plan)
    assert ("html", "lang", "en") in shown.attributes
    assert shown.tags.count("table") == shown.tags.count("caption")
    scopes = [value for tag, name, value in shown.attributes if (tag, name) == ("th", "scope")]
    assert shown.tags.count("th") == len(scopes)
    nights, months, sites = 2, 2, 4
    assert scopes.count("row") == sites
    assert scopes.count("col") == nights * len(HEADINGS) + months * 7 + 3
    assert shown.tags.count("h1") == 1
    assert shown.tags.count("label") == shown.tags.count("input") == 1


def test_the_filter_shows_only_where_it_works(plan: dict[str, Any]):
    assert ("div", "hidden", None) in page(plan).attributes


def test_all_of_a_large_plan_is_there(plans: Any):
    sites = [plans.site(1000 + n, TUESDAY + timedelta(days=n // 20)) for n in range(1600)]
    shown = page(plans.plan(*sites))
    assert [value for tag, name, value in shown.attributes if (tag, name) == ("th", "scope")].count("row") == 1600
    nights = {value for _, name, value in shown.attributes if name == "id"}
    assert len(nights) == 80
    assert {f"#{night}" for night in nights} == {value for _, name, value in shown.attributes if name == "href"}


def test_a_plan_of_nothing_is_a_page(plans: Any):
    assert "No night has a move." in page(plans.plan()).text


def test_a_template_that_is_wrong_is_named(plans: Any, tmp_path: Path):
    template = tmp_path / "page.j2"
    template.write_text("{{ nonsense }}")
    with pytest.raises(ValueError, match=r"page\.j2: UndefinedError: 'nonsense' is undefined"):
        plan_page(template, "Plan", plans.plan())


def test_without_jinja2_it_says_so(plans: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_plan_page, "JINJA2_IMPORT_ERROR", ImportError("No module named 'jinja2'"))
    with pytest.raises(ImportError, match="the page needs the Python package jinja2"):
        plan_page(TEMPLATE, "Plan", plans.plan())
