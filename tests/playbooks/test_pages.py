"""What stands between a host and the cloud's pages: each kind at an office of its own, in one run of the preflight."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from html import unescape
from typing import Any, NamedTuple

import pytest

from tests.playbooks.conftest import Controller, Done, controlling
from tests.wave import site_ids, write_wave


class Told(NamedTuple):
    """What an office is told of what stands between: the site's verdict, words of its row, and what it has to do."""

    trouble: Any
    verdict: str
    observed: str
    remedy: str


CASES = {
    "log-in page of another host": Told(
        "captive",
        "not_ready",
        "login: status 200",
        "Nettet ber om pålogging før det slipper https://interactor.dips.no",
    ),
    "log-in page in place of the page": Told(
        "captive_form", "not_ready", "login: status 200", "Nettet ber om pålogging før det slipper"
    ),
    "read along": Told(
        "intercepted",
        "ready",
        "inspected: status 404, certificate of OU=simulated internet,O=Simulated firewall",
        "sertifikatet er utstedt av «OU=simulated internet,O=Simulated firewall». Det skal gå pasientopplysninger der.",
    ),
    "read along, and not trusted": Told(
        {"kind": "intercepted", "trusted": False},
        "not_ready",
        "inspected: TrustFailure: ",
        "sertifikatet er utstedt av «O=Simulated firewall». Det skal gå pasientopplysninger der.",
    ),
    "blank": Told("blank", "not_ready", 'blank: status 200, text ""', "gir en tom side på denne maskinen."),
    "another host": Told(
        "elsewhere",
        "not_ready",
        "redirected: status 200, from sperret.filter.example",
        "Nettet sender https://interactor.dips.no videre til sperret.filter.example.",
    ),
    "another dash, case and white space": Told("reworded", "ready", "", ""),
    "a root that is missing": Told(
        "no_root",
        "not_ready",
        "certificate: TrustFailure: ",
        "godtar ikke sertifikatet til https://interactor.dips.no.",
    ),
}
SITES = dict(zip(site_ids(len(CASES)), CASES, strict=True))
SERVERS = ("blank", "another dash, case and white space")
"""Where the server is the one, which is asked for both pages; elsewhere it is a PC."""


class Run(NamedTuple):
    """A preflight of all of them, and what it left."""

    fleet: Controller
    done: Done
    page: str
    owes: dict[str, str]
    warned: dict[str, str]
    checks: dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("pages")
    special: dict[str, dict[str, object]] = {}
    for site, case in SITES.items():
        said = {"page_trouble": CASES[case].trouble}
        special[site] = {"server": said} if case in SERVERS else {"clients": [{"name": "pc1", **said}]}
    scenario, inventory = write_wave(folder, sites=len(SITES), special=special)
    with controlling(folder, scenario, inventory) as fleet:
        report = fleet.state / "report"
        done = fleet.play("preflight", report_dir=str(report))
        assert done.code == 0, done.output
        owes = json.loads((report / "owes.json").read_text(encoding="utf-8"))["sites"]
        with closing(sqlite3.connect(fleet.state / "journal.sqlite")) as journal:
            found = journal.execute("SELECT host, data FROM events WHERE kind = 'measured'").fetchall()
    return Run(
        fleet,
        done,
        (report / "report.html").read_text(encoding="utf-8"),
        *(
            {site["site"]: told["remedy"] for site in owes for told in site[what] if told["code"] == "P1"}
            for what in ("owes", "warnings")
        ),
        {host: {check["id"]: check for check in json.loads(data)["checks"]} for host, data in found},
    )


def host_of(site: str) -> str:
    return f"{site}-server" if SITES[site] in SERVERS else f"{site}-pc1"


@pytest.mark.parametrize("site", SITES, ids=lambda site: SITES[site].replace(" ", "-"))
def test_each_is_told_apart_in_its_offices_row_with_what_to_do(run: Run, site: str) -> None:
    told = CASES[SITES[site]]
    row, check = run.fleet.rows()[site], run.checks[host_of(site)]["P1"]
    assert row["verdict"] == told.verdict
    assert told.remedy in check["remedy"]
    assert bool(check["remedy"]) == bool(told.remedy)
    if told.verdict == "ready":
        # Who reads along stops nobody: it is a warning, which no office owes us.
        assert (row["owes"], "P1" in row["why"], site in run.owes) == ([], False, False)
        assert (check["severity"], check["outcome"]) == (("warning", "fail") if told.remedy else ("blocker", "pass"))
        assert told.observed in check["observed"]
        if told.remedy:
            assert row["warned"] == ["P1"]
            assert run.warned[site] == check["remedy"]
            assert check["remedy"] in unescape(run.page)
            assert f"P1 1 {site}" in " ".join(run.done.output.split())
        return
    words = f"{host_of(site)}: The cloud's first page answers: no, {told.observed}"
    assert "P1" in row["owes"]
    assert words in row["why"]
    assert words in " ".join(run.done.output.split())
    assert words in unescape(run.page)
    assert run.owes[site] == check["remedy"]


def test_each_kind_has_a_remedy_of_its_own(run: Run) -> None:
    codes: dict[str, set[str]] = {}
    for site in SITES:
        for check in run.checks[host_of(site)].values():
            if check["id"] in ("P1", "P2") and check["outcome"] == "fail":
                codes.setdefault(check["evidence"]["kind"], set()).update(check["evidence"]["remedies"])
    assert codes == {kind: {f"PAGE.{kind}"} for kind in ("login", "inspected", "blank", "redirected", "certificate")}


def test_the_second_page_is_judged_alike(run: Run) -> None:
    for site in SITES:
        if SITES[site] in SERVERS:
            first, second = (run.checks[host_of(site)][check] for check in ("P1", "P2"))
            assert second["outcome"] == first["outcome"]
            assert second["remedy"] == first["remedy"].replace("interactor.dips.no", "dipsupsvr.dips.no")


def test_no_other_host_of_these_offices_is_concerned(run: Run) -> None:
    concerned = {host_of(site) for site in SITES}
    others = {host: checks for host, checks in run.checks.items() if host not in concerned}
    assert len(others) == len(SITES)
    for host, checks in others.items():
        assert {check["outcome"] for check in checks.values()} == {"pass"}, host


def test_nothing_of_a_log_in_page_is_kept(run: Run) -> None:
    kept = run.done.output + run.page + json.dumps(run.checks, ensure_ascii=False)
    for words in ("gjestenettet", "Brukernavn", "?fra="):
        assert words not in kept
