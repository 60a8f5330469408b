# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Automatic proxy scripts in the real engine: what they answer, and what they cannot do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils import _pac
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.proxy_way import Evaluation
from ansible_collections.helsevest.interactor.plugins.module_utils._holidays import MissingPackageError
from ansible_collections.helsevest.interactor.plugins.module_utils._pac import Limits, evaluate_scripts
from hypothesis import given, settings
from hypothesis import strategies as st

P1, P2 = "https://interactor.dips.no", "https://dipsupsvr.dips.no"
SCRIPT = "http://config.nhn.no/kunde.pac"
SOON = Limits(cpu=0.3)
KUNDE = """
function FindProxyForURL(url, host) {
  if (isPlainHostName(host)) { return "DIRECT"; }
  if (isInNet(dnsResolve(host), "91.102.26.0", "255.255.255.0") && isInNet(myIpAddress(), "10.0.0.0", "255.0.0.0")) {
    return "PROXY sikker.proxy.nhn.no:8080; DIRECT";
  }
  return "DIRECT";
}
"""


def facts(*texts: str | None, **host: object) -> dict[str, Any]:
    well: dict[str, Any] = {
        "name": "PC1",
        "addresses": ["10.20.1.5"],
        "utc": "2027-05-10T07:00:00Z",
        "time_zone": "Romance Standard Time",
    }
    return {
        "host": {**well, **host},
        "dns": [
            {"name": "interactor.dips.no", "addresses": ["91.102.26.7"], "error": None},
            {"name": "dipsupsvr.dips.no", "addresses": ["192.0.2.1"], "error": None},
        ],
        "proxy": {
            "scripts": [
                {"url": f"{SCRIPT}{number or ''}", "status": 200, "text": text, "error": None, "answers": []}
                for number, text in enumerate(texts)
            ]
        },
    }


def only(text: str, limits: Limits | None = None, **host: object) -> Evaluation:
    """What one script comes to for one address."""
    (found,) = evaluate_scripts(facts(text, **host), [P1], limits).values()
    return found


def returning(expression: str) -> str:
    return f"function FindProxyForURL(url, host) {{ return {expression}; }}"


def test_every_script_answers_for_every_address_as_the_host_would():
    assert evaluate_scripts(facts(KUNDE, returning("'SOCKS b.example'")), [P1, P2]) == {
        (SCRIPT, P1): Evaluation(("PROXY sikker.proxy.nhn.no:8080", "DIRECT")),
        (SCRIPT, P2): Evaluation(("DIRECT",)),
        (f"{SCRIPT}1", P1): Evaluation(("SOCKS b.example:1080",)),
        (f"{SCRIPT}1", P2): Evaluation(("SOCKS b.example:1080",)),
    }


@pytest.mark.parametrize("proxy", [None, {}, {"scripts": None}, {"scripts": []}])
def test_where_there_is_no_script_nothing_is_started(monkeypatch: pytest.MonkeyPatch, proxy: dict[str, Any] | None):
    monkeypatch.setattr(_pac.subprocess, "run", None)
    assert evaluate_scripts({"proxy": proxy}, [P1]) == {}
    assert evaluate_scripts(facts(None, ""), [P1]) == {}
    assert evaluate_scripts(None, [P1]) == {}
    refused = facts("<html>not found</html>")
    refused["proxy"]["scripts"][0]["status"] = 404
    assert evaluate_scripts(refused, [P1]) == {}


def test_the_same_text_is_evaluated_once(monkeypatch: pytest.MonkeyPatch):
    asked: list[Any] = []
    run = _pac._run
    monkeypatch.setattr(_pac, "_run", lambda jobs, *rest: asked.append(list(jobs)) or run(jobs, *rest))
    found = evaluate_scripts(facts(KUNDE, KUNDE), [P1])
    assert [len(jobs) for jobs in asked] == [1]
    assert set(found) == {(SCRIPT, P1), (f"{SCRIPT}1", P1)}


def test_the_script_is_told_no_more_of_an_address_than_its_host():
    text = returning("url === 'https://x.example:8443/' && host === 'x.example' ? 'DIRECT' : 'PROXY ' + host")
    found = evaluate_scripts(facts(text), ["https://x.example:8443/secret?a=b"])
    assert list(found.values()) == [Evaluation(("DIRECT",))]


@pytest.mark.parametrize(
    ("expression", "ways"),
    [
        ("null", ("DIRECT",)),
        ("undefined", ("DIRECT",)),
        ("''", ("DIRECT",)),
        ("'PROXY ' + myIpAddress()", ("PROXY 10.20.1.5:80",)),
        ("'PROXY ' + dnsResolve(host)", ("PROXY 91.102.26.7:80",)),
        ("dnsResolve('gone') === null ? 'DIRECT' : 'PROXY a'", ("DIRECT",)),
        ("shExpMatch(url, '*.dips.no/*') ? 'PROXY a' : 'DIRECT'", ("PROXY a:80",)),
        (
            "timeRange(9) && weekdayRange('MON') && dateRange(10, 'MAY', 11, 'MAY') ? 'PROXY a' : 'DIRECT'",
            ("PROXY a:80",),
        ),
        ("'PROXY h' + new Date().getHours() + '.' + Date().slice(0, 3)", ("PROXY h9.mon:80",)),
        ("Date.now() === 1809932400000 && new Date(5).getTime() === 5 ? 'PROXY a' : 'DIRECT'", ("PROXY a:80",)),
        ("isPlainHostName(undefined) && isInNet(null, {}, []) === false ? 'PROXY a' : 'DIRECT'", ("PROXY a:80",)),
        ("typeof __ask === 'undefined' ? 'PROXY a' : 'DIRECT'", ("PROXY a:80",)),
        ("(alert('here'), 'PROXY a')", ("PROXY a:80",)),
    ],
)
def test_answers(expression: str, ways: tuple[str, ...]):
    assert only(returning(expression)).ways == ways


def test_microsofts_own_function_goes_first():
    assert only(returning("'PROXY a'") + "function FindProxyForURLEx(url, host) { return 'PROXY b'; }").ways == (
        "PROXY b:80",
    )


def test_a_name_that_the_facts_do_not_know_is_told():
    found = only(returning("isResolvable('wpad.intern') ? 'PROXY a' : 'DIRECT'"))
    assert found == Evaluation(("DIRECT",), unknown=("wpad.intern",))


@pytest.mark.parametrize("addresses", [None, []])
def test_an_address_of_the_host_that_is_not_known_is_told(addresses: list[str] | None):
    found = only(returning("'PROXY ' + myIpAddress()"), addresses=addresses)
    assert found == Evaluation(("PROXY 127.0.0.1:80",), unknown=("the host's own address",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "FindProxyForURL is not defined"),
        ("function (", "SyntaxError"),
        ("throw new Error('broken')", "Error: broken"),
        ("throw 10n", "10"),
        (returning("host.nothing.more"), "TypeError"),
        (returning("'FTP a'"), "'FTP a' is no way"),
        (returning("'\\ud800'"), "is no address of a proxy"),
        (returning("Promise.resolve('DIRECT')"), "is no way"),
        (returning("isInNet(1)"), "isInNet: 1 arguments do not fit"),
        (returning("'x'.repeat(1e6)"), "characters; 4096 are allowed"),
        (returning("{toString() { throw 1 }}"), ""),
    ],
)
def test_a_script_that_fails_is_told(text: str, told: str):
    found = only(text or " ")
    assert found.ways == ()
    assert found.error
    assert told in found.error


@settings(deadline=None, max_examples=8, database=None)
@given(
    st.lists(
        st.text(max_size=40) | st.text(st.sampled_from("(){};=+'\"/*\\ abfunctionreturn1.[]"), max_size=40),
        min_size=1,
        max_size=30,
        unique=True,
    )
)
def test_whatever_a_script_is_it_has_a_way_or_an_error(texts: list[str]):
    found = evaluate_scripts(facts(*texts), [P1])
    assert len(found) == sum(bool(text) for text in texts)
    for evaluation in found.values():
        assert bool(evaluation.ways) is (evaluation.error is None)
        json.dumps(vars(evaluation)).encode()


def test_a_time_that_is_not_known_is_told():
    for expression in ("timeRange(9)", "new Date().getHours()", "Date.now()"):
        found = only(returning(expression), utc=None)
        assert found.error
        assert "time of the host, which is not known" in found.error


class TestLimits:
    @pytest.mark.parametrize(
        "body",
        [
            "for (;;) {}",
            "for (;;) { try { for (;;) {} } catch (error) {} }",
            "for (;;) { isPlainHostName(host); }",
            "return /^(a+)+$/.test('a'.repeat(60) + 'b');",
            # In here the engine does not look at its own limit.
            "return Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);",
            "var far = []; far[4e9] = 1; far.sort();",
        ],
    )
    def test_time(self, body: str):
        assert only(f"function FindProxyForURL(url, host) {{ {body} }}", SOON).error == (
            "the script took over 0.3 seconds of the processor"
        )

    @pytest.mark.parametrize(
        "body",
        [
            "var all = []; for (;;) { all.push(new Array(100000).fill('x' + Math.random())); }",
            "var text = 'x'; for (;;) { text += text; }",
            "return new ArrayBuffer(2 ** 32);",
            "return 'x'.repeat(2 ** 29);",
            "return FindProxyForURL(url, host) + 1;",
            "return JSON.parse('['.repeat(1e6));",
            "return eval('('.repeat(1e6));",
            "return isPlainHostName('x'.repeat(2 ** 24).split('').map((x) => x + x + x));",
        ],
    )
    def test_memory(self, body: str):
        found = only(f"function FindProxyForURL(url, host) {{ {body} }}", Limits(cpu=60, wall=60))
        assert found.ways == ()
        assert found.error
        assert "seconds" not in found.error

    def test_one_script_that_hangs_takes_no_other_with_it(self):
        found = evaluate_scripts(facts(KUNDE, "for (;;) {}", returning("'PROXY a'")), [P1, P2], SOON)
        assert [evaluation.error is None for evaluation in found.values()] == [True, True, False, False, True, True]

    def test_a_script_that_waits_is_ended(self):
        slow = (
            "function FindProxyForURL() { for (;;) { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); } }"
        )
        assert only(slow).error

    def test_the_clock_on_the_wall_ends_one_evaluation_and_all_of_them(self):
        hangs = "for (;;) {}"
        assert only(hangs, Limits(cpu=600, wall=0.3)).error == "the script took over 0.3 seconds"
        found = evaluate_scripts(facts(hangs, hangs + ";"), [P1], Limits(cpu=600, wall=600, total=1.0))
        assert {evaluation.error for evaluation in found.values()} == {
            "all scripts together took over 1 seconds",
            "not evaluated: all scripts together took over 1 seconds",
        }

    def test_answers_that_are_too_many_to_be_written_are_their_own_scripts_errors(self):
        long = [returning(f"'PROXY ' + '\\u00e6'.repeat({5000 + number})") for number in range(30)]
        found = evaluate_scripts(facts(*long, returning("'PROXY a'")), [P1], Limits(output=200_000))
        *failed, last = found.values()
        assert all(evaluation.error for evaluation in failed)
        assert last.ways == ("PROXY a:80",)

    def test_an_engine_that_crashes_is_that_scripts_error(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        crashes = tmp_path / "child.py"
        crashes.write_text("import os, signal, sys\nsys.stdin.read()\nos.kill(os.getpid(), signal.SIGSEGV)\n")
        monkeypatch.setattr(_pac, "CHILD", crashes)
        assert only(KUNDE).error == "the engine ended with -11"

    @pytest.mark.parametrize(
        "written",
        ["nonsense", "{}", "[1]", '{"unknown": 1, "answer": "DIRECT"}', '{"unknown": []}', "[" * 5000, '"\xff"'],
    )
    def test_an_engine_that_says_something_else_is_that_scripts_error(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str
    ):
        says = tmp_path / "child.py"
        says.write_text(
            f"import sys\nsys.stdin.read()\nsys.stdout.buffer.write({written.encode('latin-1')!r} + b'\\n')\n"
        )
        monkeypatch.setattr(_pac, "CHILD", says)
        assert only(KUNDE).error == "the engine answered something else"


class TestSandbox:
    @pytest.mark.parametrize(
        "name", ["std", "os", "require", "process", "fetch", "XMLHttpRequest", "ActiveXObject", "print"]
    )
    def test_a_script_finds_nothing_to_reach_out_with(self, name: str):
        assert only(returning(f"typeof {name} === 'undefined' ? 'PROXY a' : 'DIRECT'")).ways == ("PROXY a:80",)

    def test_no_module_can_be_loaded(self):
        text = "var seen = 'none'; import('os').then(() => { seen = 'got'; }, () => {});"
        assert only(text + returning("'PROXY ' + seen")).ways == ("PROXY none:80",)

    def test_what_one_script_leaves_another_does_not_find(self):
        leaves = "globalThis.left = (globalThis.left || 0) + 1; Object.prototype.mine = 1; isPlainHostName = null;"
        text = leaves + returning("'PROXY n' + left + ('mine' in {})")
        found = evaluate_scripts(facts(text, returning("'PROXY n' + typeof left + ('mine' in {})")), [P1, P2])
        assert [one.ways for one in found.values()] == [("PROXY n1true:80",)] * 2 + [("PROXY nundefinedfalse:80",)] * 2

    def test_the_process_has_nothing_of_ours(self, monkeypatch: pytest.MonkeyPatch):
        started: dict[str, Any] = {}
        run = subprocess.run

        def look(command: list[str], **how: Any) -> Any:
            started.update(how, command=command)
            return run(command, **how)

        monkeypatch.setattr(_pac.subprocess, "run", look)
        monkeypatch.setenv("SECRET", "hemmelig")
        assert only(KUNDE).ways
        assert set(started["env"]) == {"TZ"}
        assert started["cwd"] == "/"
        assert b"hemmelig" not in started["input"]

    @pytest.mark.parametrize(
        "deed",
        [
            "open('/etc/passwd')",
            "open('/tmp/x', 'w')",
            "__import__('socket').socket()",
            "__import__('os').pipe()",
            "bytearray(2**30)",
        ],
    )
    def test_what_gets_the_better_of_the_engine_gets_no_further(self, deed: str):
        code = (
            f"import runpy, sys, os, socket\nchild = runpy.run_path({str(_pac.CHILD)!r})\n"
            f"child['give_up']({vars(Limits())!r})\n"
            f"try:\n    {deed}\nexcept (OSError, MemoryError) as error:\n    sys.exit(7)\n"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7


def test_one_process_for_all_that_loads_nothing_heavy(monkeypatch: pytest.MonkeyPatch):
    loaded: list[str] = []
    run = subprocess.run

    def look(command: list[str], **how: Any) -> Any:
        done = run([command[0], "-X", "importtime", *command[1:]], **{**how, "stderr": subprocess.PIPE})
        loaded.append(done.stderr.decode())
        return done

    monkeypatch.setattr(_pac.subprocess, "run", look)
    assert len(evaluate_scripts(facts(KUNDE, returning("'DIRECT'")), [P1, P2])) == 4
    (told,) = loaded
    names = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert {"_quickjs", "_domain.pac"} <= names
    assert not names & {"dataclasses", "inspect", "typing", "quickjs", "threading", "subprocess"}


def test_without_the_engine_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_pac, "find_spec", lambda _name: None)
    with pytest.raises(MissingPackageError, match=r"'quickjs-ng' on the controller \(make setup") as told:
        only(KUNDE)
    assert sys.executable in str(told.value)
    assert evaluate_scripts(facts(), [P1]) == {}
