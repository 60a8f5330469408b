# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: the same words as the table, and nothing that a name could break."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.helsevest.interactor.plugins.filter.report_table import FilterModule, report_table

ROWS: list[dict[str, Any]] = [
    {
        "site": "1004",
        "name": "<script>alert('Ø')</script> & \"Co\"",
        "wave": 1,
        "outcome": "uncertain",
        "counts": {"favourite_packages": "11/12"},
        "needs_us": True,
        "why": "<b>one</b> is missing",
    },
    {"site": "1005", "name": "Havblikk", "wave": 2, "outcome": "verified", "verdict": "ready"},
]
ROOT = next(folder for folder in Path(__file__).parents if (folder / "ansible.cfg").exists())


class Page(HTMLParser):
    """The page's tags, and its cells by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[list[list[str]]] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["div"], ["th"]):
            self.rows[-1][-1].append(data)


LOST = {"title": "What <b>would</b> be lost", "headings": ["Site", "Id"], "rows": [["1001", "<i>ord-1</i>"]]}


def rendered(
    rows: list[dict[str, Any]], as_of: str | None, *differences: dict[str, Any], lost: dict[str, Any] | None = None
) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False)
    for name, function in FilterModule().filters().items():
        environment.filters[f"helsevest.interactor.{name}"] = function
    template = environment.from_string((ROOT / "roles/report/templates/report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        report_rows=rows,
        report_sites=[{"row": row, "differences": differences if row is rows[0] else ()} for row in rows],
        report_title="Flytting <av> & Co",
        report_as_of=as_of,
        report_lost=lost or {"title": "", "headings": [], "rows": []},
        report_warnings={"title": "", "headings": [], "rows": []},
        report_digest="0123abcd",
    )


def test_the_page_has_the_same_words_as_the_table():
    text = rendered(ROWS, "2027-05-19T05:00:00Z")
    page = Page(text)
    table = report_table(ROWS)
    assert page.open == []
    assert page.rows[0] == [[heading] for heading in table["headings"]]
    assert page.rows[1:] == [[[line["text"] for line in cell] for cell in row] for row in table["rows"]]
    assert "2 sites: 1 verified, 1 uncertain; 1 needs us" in text
    assert "as of 19.05.2027 07:00 (Oslo)" in text
    assert "Flytting &lt;av&gt; &amp; Co" in text
    assert '<meta name="rows" content="0123abcd">' in text, "what it was made of"


def test_no_script_no_markup_from_data_and_nothing_from_elsewhere():
    text = rendered(ROWS, None)
    page = Page(text)
    assert not {"script", "b", "link", "img", "iframe"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "http" not in text
    assert "as of no change yet" in text


def test_what_a_rollback_would_lose_stands_below():
    text = rendered(ROWS, None, lost=LOST)
    page = Page(text)
    assert page.open == []
    assert page.rows[-2:] == [[["Site"], ["Id"]], [["1001"], ["<i>ord-1</i>"]]]
    assert "What &lt;b&gt;would&lt;/b&gt; be lost" in text
    assert not {"b", "i"} & set(page.tags)


def test_what_differs_is_shown_with_its_ids():
    lost = {
        "category": "favourite_packages",
        "before": 12,
        "after": 11,
        "outside": [],
        "extra": {"count": 0, "ids": []},
    }
    unlisted = {"category": "orders", "before": 3, "after": 3, "outside": ["after"], "missing": None, "extra": None}
    text = rendered(ROWS, None, {**lost, "missing": {"count": 201, "ids": ["fav-1", "<b>"]}}, unlisted)
    page = Page(text)
    assert page.open == []
    assert page.rows[-2:] == [
        [["favourite packages"], ["12"], ["11"], ["none"], ["fav-1", "<b>"], []],
        [["orders"], ["3"], ["3"], ["cloud"], ["not compared"], ["not compared"]],
    ]
    assert "<summary>201</summary>" in text
    assert text.count("<h2>") == 1
    assert not {"script", "b"} & set(page.tags)


def test_a_wave_without_sites():
    assert len(Page(rendered([], None)).rows) == 1


def test_tones_become_classes():
    page = Page(rendered(ROWS, None))
    assert {value for name, value in page.attributes if name == "class"} == {"good", "bad"}


@pytest.mark.parametrize("rows", [None, ["1001"], [{"upgraded": "soon"}]])
def test_what_are_no_rows(rows: Any):
    with pytest.raises(AnsibleFilterError, match="report_table: these are no rows of sites"):
        report_table(rows)
