# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remediation in the engine: what was asked for is changed, all else stays, and one undo puts back what was."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy import parse_connection_settings

from tests.pwsh.engine import Engine
from tests.pwsh.fixtures import Server
from tests.whole_state import differences

INTERNET = "Microsoft\\Windows\\CurrentVersion\\Internet Settings"
KARI, OLA = "S-1-5-21-111-222-333-1001", "S-1-12-1-444-555-666-777"
KEY = {who: f"HKEY_USERS\\{who}\\Software\\{INTERNET}" for who in (KARI, OLA)}
SCRIPT, MANUAL = "http://config.nhn.no/kunde.pac", "sikker.proxy.nhn.no:8080"
SLEEP, HIBERNATE = "{29f6c1db-86da-48c5-9fdb-f2b67b1f44da}", "{9d7815a6-7ee4-497e-8888-515a05f02364}"
UNTIL = "2027-05-19T04:00:00Z"
LONG_PAST, FAR_AHEAD = "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
ALL = ["proxy", "sleep", "restart"]
PLACES = ("DefaultConnectionSettings", "SavedLegacySettings")


def binary(
    flags: int, *, proxy: str = MANUAL, script: str = SCRIPT, counter: int = 3, rest: bytes = b"\x01\x02"
) -> str:
    texts = b"".join(struct.pack("<I", len(text)) + text.encode() for text in (proxy, "<local>", script))
    return (struct.pack("<III", 0x46, counter, flags) + texts + rest).hex().upper()


def profile(
    who: str = KARI, *, enable: int | None = 1, url: str | None = SCRIPT, flags: int = 7, script: str = SCRIPT
) -> dict[str, dict[str, Any]]:
    """A user's keys in the registry, as a double proxy unless something else is said."""
    said = {"ProxyEnable": enable, "ProxyServer": MANUAL, "ProxyOverride": "<local>", "AutoConfigURL": url}
    return {
        KEY[who]: {name: value for name, value in said.items() if value is not None},
        f"{KEY[who]}\\Connections": {place: {"hex": binary(flags, script=script)} for place in PLACES},
    }


def restart(moment: str | None, *, path: str = "\\", execute: str = "shutdown.exe", **more: Any) -> dict[str, Any]:
    action = {"Execute": execute, "Arguments": "/r"}
    return {"path": path, "state": "Ready", "actions": [action], "next": moment, **more}


def fix(server: Server, *checks: str, **options: Any) -> dict[str, Any]:
    result = server.ask("fix", step="fix", checks=list(checks or ALL), **{"until": UNTIL, **options})
    assert not result.get("failed"), result
    return result


def undo(server: Server, *checks: str, **options: Any) -> dict[str, Any]:
    result = server.ask("fix", step="undo", checks=list(checks or ALL), fix_script=None, **options)
    assert not result.get("failed"), result
    return result


def told(result: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [(each["what"], each["name"], each["before"], each["after"]) for each in result["changes"]]


def why(result: dict[str, Any]) -> dict[str, str]:
    return {each["what"]: each["why"] for each in result["left"]}


def of_windows(server: Server) -> dict[str, Any]:
    """What of Windows a fix may change; a counter tells only that something was written."""
    state = server.state
    registry = json.loads(json.dumps(state["registry"]))
    for values in registry.values():
        for name in PLACES:
            if name in values:
                raw = bytes.fromhex(values[name]["hex"])
                values[name] = (raw[:4] + raw[8:]).hex()
    return {"registry": registry, "seconds": state["computer"]["seconds"], "tasks": state["tasks"]}


@pytest.fixture
def troubled(server: Server) -> Server:
    """A server with everything that a fix is for, and with much beside it."""
    server.update(
        registry={
            **profile(),
            r"HKEY_LOCAL_MACHINE\SOFTWARE\EPJ": {"Path": r"C:\EPJ\epj.exe"},
            f"HKEY_USERS\\S-1-5-18\\Software\\{INTERNET}": {"ProxyEnable": 1},
        },
        tasks={
            "Weekly": restart("2027-05-19T01:00:00Z"),
            "Monthly": restart("2027-05-19T04:00:01Z"),
            "EPJ backup": {"path": "\\", "state": "Ready", "actions": [], "next": "2027-05-19T01:00:00Z"},
        },
        computer={**server.state["computer"], "seconds": {SLEEP: 1800, HIBERNATE: 61}},
    )
    return server


def test_all_that_was_asked_for_is_changed_and_nothing_else(troubled: Server):
    before, files = troubled.state, troubled.files()
    result = fix(troubled)
    assert result["changed"] is True
    work = troubled.contract["paths"]["work"].removeprefix("C:\\")
    made = {path.replace("/", "\\") for (path,) in differences(files, troubled.files())}
    assert made == {f"{work}\\fix.json", f"{work}\\fix.ps1"}
    assert told(result) == [
        ("profile 1", "ProxyEnable", "1", "0"),
        (
            "profile 1",
            "DefaultConnectionSettings",
            f"counter 3, flags 7, script {SCRIPT}",
            f"counter 4, flags 5, script {SCRIPT}",
        ),
        (
            "profile 1",
            "SavedLegacySettings",
            f"counter 3, flags 7, script {SCRIPT}",
            f"counter 4, flags 5, script {SCRIPT}",
        ),
        ("sleep", "state", "1800 seconds", "0 seconds"),
        ("hibernate", "state", "61 seconds", "0 seconds"),
        ("\\Weekly", "state", "enabled", "disabled"),
    ]
    assert (result["left"], result["until"]) == ([], UNTIL)
    settings = f"{KEY[KARI]}\\Connections"
    changed = {
        ("registry", KEY[KARI], "ProxyEnable"): (1, 0),
        ("computer", "seconds", SLEEP): (1800, 0),
        ("computer", "seconds", HIBERNATE): (61, 0),
        ("tasks", "Weekly", "state"): ("Ready", "Disabled"),
        **{("registry", settings, place, "hex"): (binary(7), binary(5, counter=4)) for place in PLACES},
    }
    after = troubled.state
    task = after["tasks"].pop("HelseVest Interactor lease fix")
    assert differences(before, {**after, "calls": []}) == changed
    assert '-Until "2027-05-19T04:00:00Z"' in task["actions"][0]["Arguments"]
    assert task["triggers"][1] == {"startup": True}


def test_check_mode_tells_the_same_and_changes_nothing(troubled: Server):
    dry = troubled.unchanged_by("fix", step="fix", checks=ALL, until=UNTIL, _ansible_diff=True)
    wet = fix(troubled, _ansible_diff=True)
    assert dry == wet
    assert dry["diff"]["before"].splitlines()[0] == "proxy, profile 1, ProxyEnable: 1"
    assert dry["diff"]["after"].splitlines()[-1] == "restart, \\Weekly, state: disabled"
    assert troubled.unchanged_by("fix", step="undo", checks=ALL)["changed"] is True


def test_a_second_fix_changes_nothing(troubled: Server):
    fix(troubled)
    before = troubled.files(), troubled.state
    again = fix(troubled)
    assert (again["changed"], again["changes"]) == (False, [])
    assert (troubled.files(), troubled.state) == before


def test_one_undo_puts_everything_back_and_a_second_one_nothing(troubled: Server):
    before = of_windows(troubled)
    files = troubled.files()
    fix(troubled)
    back = undo(troubled)
    assert [(each["before"], each["after"]) for each in back["changes"]][:3] == [
        ("disabled", "enabled"),
        ("0 seconds", "61 seconds"),
        ("0 seconds", "1800 seconds"),
    ]
    assert of_windows(troubled) == before
    assert troubled.files() == files, "nothing of ours is left"
    raw = troubled.state["registry"][f"{KEY[KARI]}\\Connections"][PLACES[0]]["hex"]
    assert parse_connection_settings(raw).counter == 5, "raised once more, so that Windows sees it"
    state = troubled.state
    again = undo(troubled)
    assert (again["changed"], again["changes"], again["left"]) == (False, [], [])
    assert (troubled.files(), troubled.state) == (files, state)


def test_a_check_alone_and_back_alone(troubled: Server):
    fix(troubled, "sleep")
    assert troubled.state["registry"][KEY[KARI]]["ProxyEnable"] == 1
    assert troubled.state["tasks"]["Weekly"]["state"] == "Ready"
    fix(troubled, "proxy")
    undo(troubled, "proxy")
    assert troubled.state["registry"][KEY[KARI]]["ProxyEnable"] == 1
    assert troubled.state["computer"]["seconds"] == {SLEEP: 0, HIBERNATE: 0}
    assert [each["check"] for each in undo(troubled)["changes"]] == ["sleep", "sleep"]


def test_a_host_with_nothing_to_fix_gets_nothing_of_ours(server: Server):
    before = server.files(), server.state
    assert fix(server)["changed"] is False
    assert (server.files(), server.state) == before


@pytest.mark.parametrize(
    ("said", "script"),
    [
        ({"url": None, "flags": 3, "script": ""}, SCRIPT),
        (
            {"url": "http://config.nhn.no/vest.pac", "script": "http://config.nhn.no/vest.pac"},
            "http://config.nhn.no/vest.pac",
        ),
        ({"url": "http://egen.example/p.pac", "script": "http://egen.example/p.pac"}, "http://egen.example/p.pac"),
        ({"enable": 0}, SCRIPT),
        ({"flags": 5}, SCRIPT),
        ({"enable": 0, "flags": 1}, SCRIPT),
        ({"enable": 0, "url": None, "flags": 5}, SCRIPT),
        ({"enable": None, "url": None, "flags": 7}, SCRIPT),
        ({"flags": 0x8F}, SCRIPT),
    ],
)
def test_the_tick_goes_in_both_places_and_the_script_is_kept_or_set(server: Server, said: dict[str, Any], script: str):
    server.update(registry=profile(**said))
    assert fix(server, "proxy")["changed"] is True
    registry = server.state["registry"]
    assert registry[KEY[KARI]].get("ProxyEnable", 0) == 0
    assert registry[KEY[KARI]]["AutoConfigURL"] == script
    assert registry[KEY[KARI]]["ProxyServer"] == MANUAL, "only the tick goes"
    for place in PLACES:
        settings = parse_connection_settings(registry[f"{KEY[KARI]}\\Connections"][place]["hex"])
        assert (settings.flags & 7, settings.proxy, settings.script_url) == (5, MANUAL, script)
    assert fix(server, "proxy")["changed"] is False
    before = profile(**said)
    undo(server)
    assert server.state["registry"][KEY[KARI]] == before[KEY[KARI]]


def test_a_profile_without_binary_settings(server: Server):
    server.update(registry={KEY[KARI]: {"ProxyEnable": 1, "ProxyServer": MANUAL}})
    assert told(fix(server, "proxy")) == [
        ("profile 1", "ProxyEnable", "1", "0"),
        ("profile 1", "AutoConfigURL", "(none)", SCRIPT),
    ]
    undo(server)
    assert server.state["registry"] == {KEY[KARI]: {"ProxyEnable": 1, "ProxyServer": MANUAL}}


def test_who_has_no_second_proxy_is_left_and_told(server: Server):
    registry = profile(enable=0, url=None, flags=1, script="")
    registry |= profile(OLA, enable=0, url="http://a:b@egen.example/x", flags=5, script="http://a:b@egen.example/x")
    server.update(registry=registry)
    result = fix(server, "proxy")
    assert result["changed"] is False
    # By their names S-1-12 comes before S-1-5.
    assert why(result) == {
        "profile 1": "another script, http://xxx@egen.example/x, and no second proxy to remove",
        "profile 2": "no proxy and no script: no second proxy to remove",
    }


def test_who_is_not_signed_in_is_told_and_left(server: Server):
    known = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
    accounts = {f"{known}\\{who}": {} for who in (KARI, OLA, "S-1-5-18", "S-1-5-21-9-9-9-1002")}
    server.update(registry={**profile(), **accounts})
    result = fix(server, "proxy")
    assert len(result["changes"]) == 3
    assert [each["what"] for each in result["changes"]] == ["profile 2"] * 3, "numbered as the probe does"
    assert list(why(result)) == ["profile 1", "profile 3"]
    assert all("to be done at its next log-on" in each for each in why(result).values())


POLICY = f"Software\\Policies\\{INTERNET}"
PANEL = "Software\\Policies\\Microsoft\\Internet Explorer\\Control Panel"


@pytest.mark.parametrize(
    ("hive", "key", "values", "words"),
    [
        ("HKEY_LOCAL_MACHINE", POLICY.replace("Software", "SOFTWARE", 1), {"ProxySettingsPerUser": 0}, "per-machine"),
        ("HKEY_LOCAL_MACHINE", POLICY, {"ProxyEnable": 0}, "of the machine"),
        (f"HKEY_USERS\\{KARI}", POLICY, {"AutoConfigURL": SCRIPT}, "AutoConfigURL"),
        (f"HKEY_USERS\\{KARI}", PANEL, {"Proxy": 1}, "Prevent changing proxy settings (of the user"),
        (f"HKEY_USERS\\{KARI}", PANEL, {"Autoconfig": 1}, "Disable changing Automatic Configuration settings"),
    ],
)
def test_what_a_group_policy_sets_is_not_touched_and_the_policy_is_named(
    server: Server, hive: str, key: str, values: dict[str, Any], words: str
):
    server.update(registry={**profile(), f"{hive}\\{key}": values})
    result = fix(server, "proxy")
    assert result["changed"] is False
    (reason,) = why(result).values()
    assert reason.startswith("Group Policy: ")
    assert words in reason
    assert "S-1-5" not in json.dumps(result)


def test_a_policy_that_forbids_nothing_is_none(server: Server):
    server.update(registry={**profile(), f"HKEY_USERS\\{KARI}\\{PANEL}": {"Proxy": 0}})
    assert fix(server, "proxy")["changed"] is True


def test_a_policy_for_sleep(troubled: Server):
    policy = f"HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\Power\\PowerSettings\\{SLEEP.strip('{}')}"
    troubled.update(registry={policy: {"ACSettingIndex": 1800}})
    result = fix(troubled, "sleep")
    assert [what for what, *_ in told(result)] == ["hibernate"]
    assert why(result)["sleep"].startswith("Group Policy: ")


def test_a_profile_that_cannot_be_read_or_written_stops_no_other(server: Server):
    registry = {**profile(), **profile(OLA)}
    registry[f"{KEY[OLA]}\\Connections"][PLACES[1]]["hex"] = "4700000003000000"
    server.update(registry=registry)
    result = fix(server, "proxy")
    assert "version 71 at byte 0" in why(result)["profile 1"]
    assert {each["what"] for each in result["changes"]} == {"profile 2"}
    undo(server)
    server.update(kept_keys=[KEY[KARI]])
    result = fix(server, "proxy")
    assert [each["name"] for each in result["changes"]] == list(PLACES)
    assert "it cannot be changed" in why(result)["profile 2, ProxyEnable"]
    assert "S-1-5" not in json.dumps(result)
    server.update(kept_keys=[])
    assert {each["name"] for each in undo(server)["changes"]} == set(PLACES)
    assert server.state["registry"][KEY[KARI]]["ProxyEnable"] == 1


def test_what_somebody_has_changed_meanwhile_is_told_and_stays(troubled: Server):
    fix(troubled)
    state = troubled.state
    state["registry"][KEY[KARI]]["AutoConfigURL"] = "http://ny.example/x"
    state["registry"][KEY[KARI]]["ProxyEnable"] = 2
    state["computer"]["seconds"][SLEEP] = 600
    settings = state["registry"][f"{KEY[KARI]}\\Connections"]
    settings[PLACES[0]]["hex"] = binary(5, script="http://ny.example/x")
    # Windows has raised the counter, and found something out of the network.
    settings[PLACES[1]]["hex"] = binary(5, counter=99, rest=b"\xaa" * 9)
    troubled.update(registry=state["registry"], computer=state["computer"])
    back = undo(troubled)
    assert {each["name"] for each in back["changes"]} == {PLACES[1], "state"}
    assert why(back) == {
        f"profile 1, {PLACES[0]}": "somebody has changed it meanwhile, to counter 3, flags 5, script http://ny.example/x",
        "profile 1, ProxyEnable": "somebody has changed it meanwhile, to 2",
        f"sleep, {SLEEP}": "somebody has changed it meanwhile, to 600 seconds",
    }
    assert troubled.state["registry"][f"{KEY[KARI]}\\Connections"][PLACES[1]]["hex"] == binary(
        7, counter=100, rest=b"\xaa" * 9
    )
    assert troubled.state["computer"]["seconds"] == {SLEEP: 600, HIBERNATE: 61}
    again = undo(troubled)
    assert (again["changed"], again["left"]) == (False, back["left"])


def test_the_first_old_value_stays_until_it_is_put_back(server: Server):
    server.update(registry=profile(url="http://config.nhn.no/a.pac", script="http://config.nhn.no/a.pac"))
    fix(server, "proxy")
    state = server.state["registry"]
    state[KEY[KARI]]["ProxyEnable"] = 5
    server.update(registry=state)
    assert told(fix(server, "proxy")) == [("profile 1", "ProxyEnable", "5", "0")]
    undo(server)
    assert server.state["registry"][KEY[KARI]]["ProxyEnable"] == 1


def test_what_is_back_already_goes_from_the_record(server: Server):
    server.update(registry={KEY[KARI]: {"ProxyEnable": 1, "AutoConfigURL": SCRIPT}})
    files = server.files()
    fix(server, "proxy")
    server.update(registry={KEY[KARI]: {"ProxyEnable": 1, "AutoConfigURL": SCRIPT}})
    assert undo(server)["changes"] == []
    assert server.files() == files


def test_the_host_puts_back_by_itself_what_was_for_a_night(troubled: Server):
    before = of_windows(troubled)
    task = "HelseVest Interactor lease fix"
    fix(troubled, until=FAR_AHEAD)
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"][SLEEP] == 0, "the night is not over"
    assert fix(troubled, until=LONG_PAST)["until"] == LONG_PAST
    troubled.write(troubled.contract["paths"]["maintenance_flag"], "run-2")
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"][SLEEP] == 0, "a move is under way"
    troubled.path(troubled.contract["paths"]["maintenance_flag"]).unlink()
    troubled.fire(task)
    after = of_windows(troubled)
    assert task not in after["tasks"]
    assert (after["seconds"], after["tasks"]) == (before["seconds"], before["tasks"])
    assert after["registry"] != before["registry"], "the proxy is for good"
    # The next night begins anew: what the office has set since is what comes back.
    troubled.update(computer={**troubled.state["computer"], "seconds": {SLEEP: 3600, HIBERNATE: 0}})
    fix(troubled, "sleep")
    undo(troubled)
    assert troubled.state["computer"]["seconds"] == {SLEEP: 3600, HIBERNATE: 0}
    assert of_windows(troubled)["registry"] == before["registry"]


def test_by_itself_it_leaves_what_somebody_has_changed(troubled: Server):
    task = "HelseVest Interactor lease fix"
    fix(troubled, "sleep", "restart", until=LONG_PAST)
    state = troubled.state
    state["computer"]["seconds"] = {SLEEP: 600, HIBERNATE: 0}
    state["computer"]["plan"] = "{00000000-0000-0000-0000-000000000001}"
    del state["tasks"]["Weekly"]
    troubled.update(computer=state["computer"], tasks=state["tasks"])
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"] == {SLEEP: 600, HIBERNATE: 0}
    assert set(troubled.state["tasks"]) == {"Monthly", "EPJ backup"}


def test_by_itself_it_keeps_out_of_the_way_of_a_run_of_ours(troubled: Server, engine: Engine):
    task = "HelseVest Interactor lease fix"
    fix(troubled, "sleep", until=LONG_PAST)
    lock = troubled.path(troubled.contract["paths"]["work"]) / "run.lock"
    held = f"[System.IO.FileStream]::new('{lock}', 'OpenOrCreate', 'ReadWrite', 'None')"
    engine.script(f"[AppDomain]::CurrentDomain.SetData('fix', {held})")
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"][SLEEP] == 0
    engine.script("[AppDomain]::CurrentDomain.GetData('fix').Dispose()")
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"][SLEEP] == 1800


@pytest.mark.parametrize(("left", "seconds"), [("fix.json.new", 1800), ("", 0)])
def test_by_itself_it_knows_what_a_power_cut_leaves_of_the_record(troubled: Server, left: str, seconds: int):
    task = "HelseVest Interactor lease fix"
    fix(troubled, "sleep", until=LONG_PAST)
    work = troubled.path(troubled.contract["paths"]["work"])
    (work / "fix.json").rename(work / (left or "gone"))
    troubled.fire(task)
    assert troubled.state["computer"]["seconds"][SLEEP] == seconds
    assert task not in troubled.state["tasks"]


def test_by_itself_it_comes_again_where_windows_does_not_do_it(troubled: Server):
    task = "HelseVest Interactor lease fix"
    fix(troubled, "sleep", until=LONG_PAST)
    troubled.update(powercfg_fails=1)
    troubled.fire(task, fails="powercfg ended with code 1")
    assert task in troubled.state["tasks"]


def test_a_restart_that_cannot_be_postponed_is_told(server: Server):
    path = "\\Microsoft\\Windows\\UpdateOrchestrator\\"
    server.update(
        tasks={
            "Reboot_AC": restart("2027-05-18T23:30:00Z", path=path),
            "Locked": restart("2027-05-18T23:30:00Z", locked=True),
            "Late": restart("2027-05-18T23:30:00Z", late=True),
            "Never": restart(None),
        }
    )
    result = fix(server, "restart")
    assert result["changed"] is False
    assert "keeps that to itself" in why(result)[f"{path}Reboot_AC"]
    assert "would restart the machine at once" in why(result)["\\Late"]
    assert why(result)["\\Locked, Locked"] == "it cannot be changed: Access is denied."


def test_what_cannot_be_found_out_stops_no_other_check(troubled: Server):
    troubled.update(broken_cim=["Win32_PowerPlan"], damaged_task="listing")
    result = fix(troubled)
    assert {each["check"] for each in result["changes"]} == {"proxy"}
    assert {each["check"] for each in result["left"]} == {"sleep", "restart"}
    assert all("it cannot be found out" in each["why"] for each in result["left"])


def test_windows_has_to_keep_what_is_written(troubled: Server):
    troubled.update(powercfg_deaf=True)
    result = fix(troubled, "sleep")
    assert result["changed"] is False
    assert why(result)[f"sleep, {SLEEP}"] == "it cannot be changed: Windows has not kept what was written"
    troubled.update(powercfg_deaf=False, powercfg_fails=1)
    assert "powercfg ended with code 1" in why(fix(troubled, "sleep"))[f"sleep, {SLEEP}"]


ATTEMPT = {"number": 1, "key": "1001-1-a", "mode": None, "history_months": 12}


@pytest.mark.parametrize("step", ["fix", "undo"])
@pytest.mark.parametrize(
    ("ledger", "words"),
    [
        ({"attempts": [{**ATTEMPT, "state": "failed"}]}, "attempt 1 is failed"),
        ({"attempts": [{**ATTEMPT, "state": "running"}]}, "attempt 1 is running"),
        ({"upgrade": {"state": "staged", "started": "2027-05-17T16:00:00Z", "finished": None}}, "upgrade is under way"),
        (None, "people are kept out"),
    ],
)
def test_a_host_on_which_a_move_is_under_way_is_not_touched(
    troubled: Server, step: str, ledger: dict[str, Any] | None, words: str
):
    if ledger is None:
        troubled.write(troubled.contract["paths"]["maintenance_flag"], "run-2")
    else:
        for attempt in ledger.get("attempts", []):
            attempt["mode"] = "server_in_cloud"
        whole = {"schema": 1, "site": "1001", "upgrade": None, "lease": None, "attempts": [], **ledger}
        troubled.write(troubled.ledger_file, json.dumps(whole))
    before = troubled.files(), troubled.state
    result = troubled.ask("fix", step=step, checks=ALL, until=UNTIL)
    assert result["failed"] is True
    assert words in result["msg"]
    assert (troubled.files(), troubled.state) == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON"),
        ('{"schema": 2}', "has schema '2', this version writes 1"),
        ('{"schema": 1, "site": "1002"}', "belongs to site '1002', not to '1001'"),
        ('{"schema": 1, "site": "1001", "settings": {}}', "settings is no list"),
        ('{"schema": 1, "site": "1001", "settings": [{"kind": "file"}]}', "a setting is none"),
    ],
)
def test_a_record_that_cannot_be_trusted_stops_everything(troubled: Server, text: str, complaint: str):
    troubled.write(troubled.contract["paths"]["work"] + "\\fix.json", text)
    for step in ("fix", "undo"):
        result = troubled.unchanged_by("fix", step=step, checks=ALL, until=UNTIL)
        assert complaint in result["msg"]


def test_a_run_that_dies_leaves_the_way_back(troubled: Server):
    before = of_windows(troubled)
    troubled.die_at(f"write {KEY[KARI]}\\Connections SavedLegacySettings")
    fix(troubled, "proxy")
    troubled.thaw()
    assert undo(troubled)["changed"] is True
    assert of_windows(troubled) == before


def test_options_are_checked(server: Server):
    assert "missing: until" in server.ask("fix", step="fix", checks=["proxy"])["msg"]
    assert "proxy, sleep, restart" in server.ask("fix", step="fix", checks=["dns"], until=UNTIL)["msg"]
    server.contract["paths"]["maintenance_flag"] = 'C:\\a"b'
    server.update(computer={**server.state["computer"], "seconds": {SLEEP: 60, HIBERNATE: 0}})
    assert "cannot be an argument of a task" in server.ask("fix", step="fix", checks=["sleep"], until=UNTIL)["msg"]
    assert server.state["computer"]["seconds"][SLEEP] == 60
