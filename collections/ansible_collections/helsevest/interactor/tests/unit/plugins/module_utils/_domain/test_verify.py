# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each measure of the checklist for a real server, on answers where all is well and with one thing spoilt at a time."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.checklist import Needs, Result, Row
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.verify import MEASURES, judge_row

from tests.pwsh.fixtures import ROOT

CONTRACT = yaml.safe_load((ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8"))[
    "vendor_contract"
]
LIMITS = {"seconds": 30, "megabytes": 200, "apart_seconds": 3600}
REACHED = {
    "changed": False,
    "reached": True,
    "cause": None,
    "detail": "",
    "error": None,
    "ledger": None,
    "seconds": 1.5,
}
STATE = {"paths.install": "a", "paths.work": "missing", "tasks": "b"}
CHECK = {
    "title": "",
    "severity": "blocker",
    "outcome": "pass",
    "observed": "well",
    "expected": "",
    "remedy": "",
    "evidence": {},
}
GOOD: dict[str, Any] = {
    "look": {
        **REACHED,
        "at": "2027-05-12T10:00:00Z",
        "connection": {"plugin": "winrm", "scheme": "https", "transport": "ntlm", "validation": "validate"},
        "round_trips": [0.9, 0.7, 0.8],
        "facts": {
            "powershell": {
                "version": "5.1.20348.2849",
                "edition": "Desktop",
                "language_mode": "FullLanguage",
                "culture": "nb-NO",
            },
            "service": {
                "state": "running",
                "program": r"c:\program files\dips\interactor\Interactor.exe",
                "signature": "Valid",
                "publisher": "DIPS AS",
            },
            "version": "5.4.1",
            "there": {
                "install": True, "data": True, "config": True, "work": False, "maintenance_flag": False,
            },
            "keys": ["mode", "endpoint", "printer"],
            "mode": "local",
            "tasks": [],
            "channel_binding": "Strict",
            "file_system": "NTFS",
            "web": {
                "installer": {"status": 206, "error": None},
                "script": {"status": 200, "is_script": True, "error": None},
            },
            "booted": "2027-05-10T04:00:00Z",
            "state": STATE,
        },
    },
    "preflight": {
        **REACHED,
        "facts": {
            "host": {"name": "SRV", "os": "Windows", "utc": "2027-05-12T10:00:00Z"},
            "interactor": {"service": "running", "version": "5.4.1", "mode": "local", "ledger": None},
            "power": dict.fromkeys(("sleep_minutes", "hibernate_minutes"), 0)
            | {"pending_restart": [], "scheduled_restarts": []},
            "proxy": {"profiles": [], "per_machine": False},
            "speed": {"samples": [{"bytes": 2_000_000, "seconds": 0.3}], "error": None},
        },
        "checks": [{**CHECK, "id": name} for name in ("P1", "P2", "CLOCK")],
    },
    "stage": {**REACHED, "dry": True},
    "lease": {**REACHED, "users": {"sessions": 0, "open_files": 0, "last_activity": "2027-05-11T10:00:00Z"}},
    "cloud": {"changed": False, "attempts": []},
    "trial": {
        **REACHED,
        "trial": {
            "leftover": False,
            "durable": {
                "written": True, "replaced": True, "replaced_while_read": True, "completed": True, "locked": True,
                "error": None,
            },
            "task": {"registered": True, "ran": True, "result": None, "error": None},
            "manifest": {"counts": {"orders": 412}, "seconds": 2.1, "megabytes": 40, "error": None},
            "left": [],
        },
    },
    "again": {**REACHED, "at": "2027-05-12T10:10:00Z", "facts": {"booted": "2027-05-10T04:00:03Z", "state": STATE}},
}  # fmt: skip
DONE = {"state": "done", "from": "5.4.1", "to": "6.2.0", "reason": ""}
EARLIER = [(datetime(2027, 5, 11, 10, tzinfo=UTC), datetime(2027, 5, 10, 4, 0, 1, tzinfo=UTC))]
NEEDS_EARLIER = {"boot": EARLIER}


def judge(measure: str, answers: dict[str, Any], readings: Any = None) -> tuple[Result, str]:
    row = Row("1", "?", Needs.NOBODY, ("x",), "so", measure, LIMITS)
    found = judge_row(row, answers, CONTRACT, NEEDS_EARLIER.get(measure, []) if readings is None else readings)
    assert found is not None
    return found.result, found.observed


def spoilt(path: str, value: Any) -> dict[str, Any]:
    """The good answers with another value at a path with slashes."""
    answers = copy.deepcopy(GOOD)
    *way, last = path.split("/")
    place: Any = answers
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return answers


@pytest.mark.parametrize("measure", [name for name in MEASURES if name not in ("upgraded", "restored")])
def test_where_all_is_well_it_passes(measure: str):
    assert judge(measure, GOOD)[0] is Result.PASSED, judge(measure, GOOD)


F, OPEN, N = Result.FAILED, Result.OPEN, Result.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("measure", "path", "value", "result", "says"),
    [
        ("connection", "look/connection/scheme", "http", F, "ntlm over http, certificate checked"),
        ("connection", "look/connection/validation", "ignore", F, "certificate not checked"),
        (
            "channel_binding",
            "look/facts/channel_binding",
            "Relaxed",
            OPEN,
            "CbtHardeningLevel is Relaxed, the transport ntlm",
        ),
        ("channel_binding", "look/facts/channel_binding", None, OPEN, "CbtHardeningLevel is not told"),
        ("channel_binding", "look/connection/transport", "basic", OPEN, "the transport basic"),
        ("powershell", "look/facts/powershell/version", "4.0", F, "4.0 Desktop"),
        ("powershell", "look/facts/powershell/version", "7.6.9", F, "7.6.9"),
        ("powershell", "look/facts/powershell/version", "5.10.1", F, "5.10.1"),
        ("powershell", "look/facts/powershell/edition", "Core", F, "Core"),
        ("powershell", "look/facts/powershell/language_mode", "ConstrainedLanguage", F, "ConstrainedLanguage"),
        ("powershell", "look/facts/powershell", None, F, "not found out: powershell"),
        ("facts", "preflight/facts/host/os", None, F, "not found out: host.os"),
        ("facts", "preflight/facts/interactor/mode", None, F, "interactor.mode"),
        ("facts", "preflight/facts/power/sleep_minutes", None, F, "power.sleep_minutes"),
        ("facts", "preflight/facts/proxy/profiles", None, F, "proxy.profiles"),
        ("service", "look/facts/service/state", "missing", F, "no service has the name DIPSInteractor"),
        ("service", "look/facts/service/state", "stopped", F, "DIPSInteractor is stopped"),
        (
            "service",
            "look/facts/service/program",
            r"C:\Program Files\DIPS\Interactor2\x.exe",
            F,
            r"not below C:\Program",
        ),
        ("version", "look/facts/version", None, F, "http://127.0.0.1:8731/version tells no version under version"),
        ("paths", "look/facts/there/data", False, F, r"missing: paths.data: C:\ProgramData\DIPS\Interactor\Data"),
        ("configuration", "look/facts/keys", ["Mode", "endpoint"], F, "not among its keys: mode_key: mode"),
        ("configuration", "look/facts/keys", None, F, "interactor.json is missing, or no JSON object"),
        ("configuration", "look/facts/mode", "cloud9", F, "mode cloud9 is none of config.modes"),
        ("configuration", "look/facts/mode", "second", F, "mode second is none of config.modes"),
        ("signature", "look/facts/service/signature", "NotSigned", F, "NotSigned, signed by DIPS AS, not by DIPS AS"),
        ("signature", "look/facts/service/publisher", "Andre AS", F, "signed by Andre AS, not by DIPS AS"),
        ("signature", "look/facts/service/signature", None, F, "cannot be looked at"),
        (
            "names",
            "look/facts/tasks",
            ["HelseVest Interactor lease"],
            F,
            "there already: task HelseVest Interactor lease",
        ),
        ("names", "look/facts/there/maintenance_flag", True, F, "maintenance.flag"),
        ("names", "look/ledger", {"schema": 1}, N, "our first step has been taken"),
        ("pages", "preflight/checks/1/outcome", "fail", F, "P2: well"),
        ("pages", "preflight/checks", [], OPEN, "not checked"),
        ("clock", "preflight/checks/2/outcome", "unknown", F, "CLOCK: well"),
        (
            "speed",
            "preflight/facts/speed/error",
            "it answers 404",
            F,
            "https://speedtest.dips.no/2mb.bin: it answers 404",
        ),
        ("speed", "preflight/facts/speed/samples", [{"bytes": 1000, "seconds": 0.3}], F, "1000 of 2000000 bytes"),
        ("installer", "look/facts/web/installer/status", 200, F, "status 200 for its bytes from 1000 on"),
        ("installer", "look/facts/web/installer", {"status": 0, "error": "no such name"}, F, "no such name"),
        ("script", "look/facts/web/script/is_script", False, F, "status 200, no proxy script"),
        ("cloud", "cloud", {"changed": False, "failed": True, "msg": "401"}, F, "401"),
        ("unchanged", "again/facts/state", {**STATE, "tasks": "c"}, F, "tasks is not as before"),
        ("unchanged", "trial/trial/left", ["folder C:\\x: in use"], F, "folder C:\\x: in use"),
        ("dry_run", "lease/error", "lease: no", F, "lease: lease: no"),
        ("dry_run", "lease", {}, F, "lease: not asked"),
        ("boot", "again/facts/booted", "2027-05-10T04:01:10Z", F, "differ by 70 s"),
        ("use", "lease/users/open_files", None, F, "not told: open_files"),
        ("use", "lease/users", None, OPEN, "the lease was not tried"),
        ("manifest", "trial/trial/manifest", None, OPEN, "it comes with the upgrade"),
        ("manifest", "trial/trial/manifest/seconds", 30.1, F, "30.1 s, 40 MB for orders 412"),
        ("manifest", "trial/trial/manifest/megabytes", 201, F, "201 MB"),
        ("manifest", "trial/trial/manifest/error", "the list program ended with code 87", F, "code 87"),
        ("durable", "trial/trial/durable/replaced_while_read", False, F, "on NTFS: not replaced_while_read"),
        ("task", "trial/trial/task/registered", False, F, "it was not registered"),
        ("task", "trial/trial/task", {"registered": True, "ran": False, "result": 1, "error": None}, F, "result 1"),
        ("task", "trial/trial", None, OPEN, "nothing is tried in a dry run"),
        ("task", "trial/error", "trial: refused: attempt 1 is running", OPEN, "attempt 1 is running"),
        ("durable", "trial/error", "trial: the drive is full", F, "the drive is full"),
        ("round_trip", "look/round_trips", [50.0, 0.1, 40.0], F, "median 40.00 s of 3, 0.1 to 50.0 s"),
        ("round_trip", "look/round_trips", [], OPEN, "it needs the collection ansible.windows"),
        ("version", "look/reached", False, OPEN, "the server was not reached"),
        ("connection", "look/reached", False, F, "the server was not reached"),
        ("version", "look/error", "look: it broke", F, "it broke"),
        ("version", "look", None, OPEN, "not asked"),
        ("task", "trial", {"changed": False, "skipped": True}, OPEN, "not asked"),
    ],
)
def test_what_is_spoilt_is_seen(measure: str, path: str, value: Any, result: Result, says: str):
    found, observed = judge(measure, spoilt(path, value))
    assert (found, says in observed) == (result, True), observed


def test_a_quiet_time_of_nothing_needs_no_last_write():
    answers = spoilt("lease/users/last_activity", None)
    assert judge("use", answers)[0] is F
    row = Row("1", "?", Needs.NOBODY, ("x",), "so", "use")
    found = judge_row(row, answers, {**CONTRACT, "use": {**CONTRACT["use"], "quiet_minutes": 0}})
    assert found is not None
    assert found.result is Result.PASSED


def test_a_boot_time_is_steady_only_over_an_hour():
    assert judge("boot", GOOD, [])[0] is OPEN
    restarted = [(datetime(2027, 5, 9, tzinfo=UTC), datetime(2027, 5, 8, tzinfo=UTC))]
    assert judge("boot", GOOD, restarted)[0] is OPEN, "that was another start"
    moved = [(at, booted - timedelta(seconds=61)) for at, booted in EARLIER]
    assert judge("boot", GOOD, moved)[0] is F


@pytest.mark.parametrize(
    ("ledger", "version", "result"),
    [
        (None, "5.4.1", OPEN),
        ({"upgrade": None}, "5.4.1", OPEN),
        ({"upgrade": {**DONE, "state": "staged"}}, "5.4.1", OPEN),
        ({"upgrade": DONE}, "6.2.0", Result.PASSED),
        ({"upgrade": DONE}, "5.4.1", F),
        ({"upgrade": {**DONE, "state": "failed"}}, "5.4.1", F),
    ],
)
def test_the_upgrade_is_read_from_the_ledger(ledger: Any, version: str, result: Result):
    answers = spoilt("look/facts/version", version)
    answers["look"]["ledger"] = ledger
    assert judge("upgraded", answers)[0] is result


@pytest.mark.parametrize(
    ("compared", "result"),
    [
        (None, OPEN),
        ({"equal": True, "changed": []}, Result.PASSED),
        ({"equal": False, "changed": [r"C:\x"]}, F),
    ],
)
def test_a_rollback_is_read_from_the_ledger(compared: Any, result: Result):
    attempt = {"number": 1, "state": "rolled_back", "as_before": compared}
    assert judge("restored", spoilt("look/ledger", {"attempts": [attempt]}))[0] is result


def test_what_nothing_measures_is_nobodys_finding():
    assert judge_row(Row("1", "?", Needs.PERSON, ("x",), "so"), GOOD, CONTRACT) is None
