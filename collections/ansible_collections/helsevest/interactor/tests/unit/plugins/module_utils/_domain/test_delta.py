# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has changed since the last whole preflight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.delta import (
    Asked,
    delta,
    delta_list,
    last_whole_run,
    tell_delta,
)
from hypothesis import given
from hypothesis import strategies as st

MONDAY = datetime(2027, 5, 10, 7, tzinfo=UTC)
SITES = [str(1001 + number) for number in range(20)]
VERDICTS = (None, "error", "unreachable", "not_ready", "ready")


def asked(run: str, sites: list[str], hours: int) -> list[Asked]:
    return [Asked(run, site, MONDAY + timedelta(hours=hours, seconds=number)) for number, site in enumerate(sites)]


def row(site: str, verdict: str | None, *owes: str, why: str = "") -> dict[str, Any]:
    return {"site": site, "name": f"Legekontor {site}", "verdict": verdict, "owes": list(owes), "why": why}


class TestLastWholeRun:
    def test_it_is_the_newest_that_asked_nearly_all(self):
        seen = [
            *asked("older", SITES, 0),
            *asked("whole", SITES[:18], 1),
            *asked("tick", SITES[:3], 2),
            *asked("now", SITES, 3),
        ]
        found = last_whole_run(seen, SITES, "now")
        assert found is not None
        assert (found.run_id, found.at) == ("whole", MONDAY + timedelta(hours=1, seconds=17))
        assert last_whole_run(seen, SITES[:3], "now") == asked("tick", SITES[:3], 2)[2]

    @pytest.mark.parametrize("count", [0, 1, 17])
    def test_fewer_are_no_whole_run(self, count: int):
        assert last_whole_run(asked("tick", SITES[:count], 0), SITES, "now") is None

    def test_neither_other_sites_nor_this_run_count(self):
        assert last_whole_run(asked("other", [f"x{site}" for site in SITES], 0), SITES, "now") is None
        assert last_whole_run(asked("now", SITES, 0), SITES, "now") is None
        assert last_whole_run([], SITES, "now") is None


class TestDelta:
    RUN = Asked("whole", "1001", MONDAY)

    def test_who_became_ready_and_who_fell_back(self):
        before = [
            row("1001", "not_ready", "P5", why="no"),
            row("1002", "ready"),
            row("1003", "ready"),
            row("1004", "unreachable", why="srv: not reached (timeout: …)"),
            row("1006", None),
        ]
        now = [
            row("1006", "ready"),
            row("1001", "ready"),
            row("1002", "not_ready", "P8", why="1002-server: the server stays on: no"),
            row("1003", "ready"),
            row("1004", "ready"),
            row("1005", "ready"),
        ]
        found = delta(self.RUN, before, now)
        assert [(one["site"], one["was"], one["reason"]) for one in found["ready"]] == [
            ("1001", "not_ready", "settled: P5"),
            ("1004", "unreachable", "no longer: srv: not reached (timeout: …)"),
            ("1006", None, "no longer: not measured"),
        ]
        assert [(one["site"], one["is"], one["reason"]) for one in found["back"]] == [
            ("1002", "not_ready", "1002-server: the server stays on: no")
        ]
        assert (found["same"], found["new"]) == (1, ["1005"])
        assert tell_delta(found) == (
            "Since Monday 10.05.2027 09:00: 3 sites became ready, 1 fell back, 1 as before, 1 new"
        )
        table = delta_list(found)
        assert table["rows"][0][:3] == ["1002", "Legekontor 1002", "fell back: ready → not ready"]
        assert table["rows"][3][2] == "became ready: none → ready"
        assert table["notes"] == [tell_delta(found)]

    def test_nothing_has_changed(self):
        found = delta(self.RUN, [row("1001", "not_ready")], [row("1001", "unreachable")])
        assert (found["ready"], found["back"], found["same"]) == ([], [], 1)
        table = delta_list(found)
        assert (table["headings"], table["rows"]) == ([], [])
        assert tell_delta({**found, "ready": [{}]}).startswith("Since Monday 10.05.2027 09:00: 1 site became ready, 0")

    @given(st.dictionaries(st.sampled_from(SITES), st.tuples(st.sampled_from(VERDICTS), st.sampled_from(VERDICTS))))
    def test_every_site_is_counted_once(self, verdicts: dict[str, tuple[str | None, str | None]]):
        before = [row(site, was) for site, (was, _) in verdicts.items() if was != "error"]
        now = [row(site, after) for site, (_, after) in verdicts.items()]
        found = delta(self.RUN, before, now)
        assert len(found["ready"]) + len(found["back"]) + found["same"] + len(found["new"]) == len(now)
        assert all(one["is"] == "ready" != one["was"] for one in found["ready"])
        assert all(one["was"] == "ready" != one["is"] for one in found["back"])
