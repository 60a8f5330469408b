# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built self-check in the engine: it runs as an office runs it, and shows what Python makes of its file."""

from __future__ import annotations

import itertools
import json
import re
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.page_check import screen_rules
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.results import CheckResult
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck import (
    SelfCheck,
    judge_selfcheck,
    read_selfcheck,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_build import (
    SCRIPT,
    assemble,
    build_script,
    pruned,
    required,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_words import remedies
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.words import CheckOutcome, Severity
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.conftest import SITE
from ansible_collections.helsevest.interactor.tests.unit.plugins.module_utils._domain.test_selfcheck import (
    client_facts,
    content,
)

from tests.pwsh.audit import audit, read_known
from tests.pwsh.engine import HERE, MODULE_UTILS, PRETEND, Engine
from tests.pwsh.fixtures import Server

MODULES = sorted(MODULE_UTILS.glob("*.psm1"))
SETTINGS = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
SHELL = "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\User Shell Folders"
SHARE = "C:\\Felles område\\selvsjekk æøå"
PAC = "http://config.nhn.no/kunde.pac"
NOW = datetime(2027, 5, 10, 7, tzinfo=UTC)
MONTH = timedelta(days=30)
# The mark of a module's last statement stands before it, where the build looks for the statement.
EXPORT_MARK = re.compile(r"(?m)^\[InteractorCoverage\]::Hit\(\d+\);(?=Export-)")


@pytest.fixture
def office(server: Server) -> Server:
    """A PC on which all is well, for whoever is signed in."""
    server.update(registry={SETTINGS: {"ProxyEnable": 0, "AutoConfigURL": PAC}})
    server.write(f"{SHARE}\\LESMEG.txt", "x")
    # What the pretended pages' certificates are of.
    server.contract["tls"]["public_issuers"] = ["Test"]
    return server


def run(office: Server, tmp_path: Path, client: str = "pc1", folder: str = SHARE, typed: str = "") -> list[str]:
    """What the screen shows, and the exit code last."""
    modules = {
        path.stem: EXPORT_MARK.sub("", office.engine.marked(path).read_text(encoding="utf-8")) for path in MODULES
    }
    frame, data = build_script(modules, office.contract).replace("\r\n", "\n").split("$data = @'")
    typing = f"""
    Import-Module -Name '{HERE / PRETEND}' -Force -Global
    $global:Typed = [System.Collections.Generic.Queue[string]]::new([string[]]@('{typed}'.Split(' ')))
    Function global:Read-Host {{ param($Prompt) $null = $Prompt; $global:Typed.Dequeue() }}
    # The engine of the tests has no screen.
    $global:Screen = [System.Collections.Generic.List[string]]::new()
    Function global:Write-Host {{
        param($Object, $ForegroundColor)
        if ($ForegroundColor -notin 'Gray', 'Green', 'Yellow', 'Red') {{ throw "the colour $ForegroundColor" }}
        $global:Screen.Add($Object)
    }}
    """
    script = tmp_path / "mappe med blank æøå" / SCRIPT
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"{frame}{typing}\n$data = @'{data}", encoding="utf-8")
    told = office.engine.script(
        f"""
        $env:PRETEND_STATE = '{office.file}'
        & '{script}' -Site 1001 -Client '{client}' -Folder '{folder}'
        $global:Screen
        "code $LASTEXITCODE"
        """
    )
    assert "ERROR:" not in told, told
    assert not office.state["refused"], office.state["refused"]
    # The engine of the tests joins paths in its own way.
    return told.replace("/", "\\").splitlines()


def sent(office: Server, folder: str = SHARE) -> tuple[str, bytes]:
    (path,) = office.path(folder).glob("selvsjekk-*.json")
    return path.name, path.read_bytes()


def judged(office: Server) -> tuple[SelfCheck, dict[str, CheckResult]]:
    found = read_selfcheck(*sent(office), {"1001": SITE})
    checks = judge_selfcheck(found, SITE, office.contract, NOW, MONTH)
    return found, {check.id: check for check in checks}


def test_a_pc_on_which_all_is_well(office: Server, tmp_path: Path):
    lines = run(office, tmp_path)
    assert lines[0] == "Selvsjekk for DIPS Interactor – kontor 1001, PC pc1"
    assert [line for line in lines if line.startswith("[")] == [
        "[ OK ] PC-en når DIPS Interactor i skyen",
        "[ OK ] Bare det automatiske proxyskriptet er i bruk",
        "[ OK ] Linjen er rask nok",
        "[ OK ] Klokken går riktig",
    ]
    assert "Alt er i orden på denne PC-en." in lines
    name, raw = sent(office)
    assert f"Resultatet ligger i filen {SHARE}\\{name}." in "\n".join(lines)
    assert lines[-1] == "code 0"
    assert re.fullmatch(r"selvsjekk-1001-pc1-\d{8}-\d{6}\.json", name)
    found, checks = judged(office)
    assert (found.host, found.made) == ("1001-pc1", NOW - timedelta(seconds=0.2))
    assert {checks[name].outcome for name in ("P1", "P3", "P5", "CLOCK")} == {CheckOutcome.PASS}
    assert b"SRV1001" not in raw
    assert b"10.20.1.5" not in raw
    assert {page["way"] for page in found.facts["pages"]} == {"direct", "script"}


def test_a_double_proxy_is_red_and_says_what_to_do(office: Server, tmp_path: Path):
    office.update(registry={SETTINGS: {"ProxyEnable": 1, "ProxyServer": "sikker:8080", "AutoConfigURL": PAC}})
    lines = run(office, tmp_path)
    at = lines.index("[FEIL] Bare det automatiske proxyskriptet er i bruk")
    assert lines[at + 1].startswith("        PC-en har dobbelt proxyoppsett. Åpne «Alternativer for Internett»")
    assert "Noe må rettes. Gjør det som står ved FEIL, og kjør selvsjekken på nytt." in lines
    assert lines[-1] == "code 1"
    assert judged(office)[1]["P5"].outcome is CheckOutcome.FAIL


def shown(check: CheckResult) -> str:
    """What is to be done, with the slash that `run` gives all paths."""
    return check.remedy.replace("/", "\\")


def test_who_reads_along_is_yellow_and_named(office: Server, tmp_path: Path):
    office.contract["tls"]["public_issuers"] = ["Buypass", "Let's Encrypt"]
    lines = run(office, tmp_path)
    at = lines.index("[OBS!] PC-en når DIPS Interactor i skyen")
    check = judged(office)[1]["P1"]
    assert lines[at + 1] == f"        {shown(check)}"
    assert "sertifikatet er utstedt av «CN=Test»" in check.remedy
    assert lines[-1] == "code 0"


def test_a_page_of_another_host_is_red_and_names_it(office: Server, tmp_path: Path):
    sent_on = {"final_url": "https://sperret.filter.example/?fra=1", "status": 200, "content": "Sperret"}
    office.update(web={url: {**page, **sent_on} for url, page in office.state["web"].items()})
    lines = run(office, tmp_path)
    at = lines.index("[FEIL] PC-en når DIPS Interactor i skyen")
    assert lines[at + 1] == f"        {shown(judged(office)[1]['P1'])}"
    assert "videre til sperret.filter.example." in lines[at + 1]
    assert lines[-1] == "code 1"


def test_what_automatic_detection_finds_is_in_the_file_and_is_judged_when_it_is_read(office: Server, tmp_path: Path):
    wpad, proxy = "http://wpad.kontor.example/wpad.dat", "inne.example:3128"
    page = office.contract["pages"]["P1"]["url"]
    settings = struct.pack("<IIIIII", 0x46, 3, 13, 0, 0, len(PAC)) + PAC.encode()
    office.update(
        registry={
            SETTINGS: {"ProxyEnable": 0, "AutoConfigURL": PAC},
            f"{SETTINGS}\\Connections": {"DefaultConnectionSettings": {"hex": settings.hex()}},
        },
        detected=wpad,
        web={**office.state["web"], wpad: {"status": 200, "content": "function FindProxyForURL() {}"}},
        script_answers={f"{PAC} {page}": "DIRECT", f"{wpad} {page}": f"PROXY {proxy}"},
    )
    lines = run(office, tmp_path)
    assert "[ OK ] Bare det automatiske proxyskriptet er i bruk" in lines
    found, checks = judged(office)
    assert found.facts["proxy"]["detected"] == {"url": wpad, "error": None}
    assert [told["url"] for told in found.facts["proxy"]["scripts"]] == [PAC, wpad]
    assert checks["P5"].evidence["remedies"] == ["P5.detected"]
    assert f"{page}: PROXY {proxy} in place of DIRECT" in checks["P5"].observed


def test_what_stops_no_move_is_yellow(office: Server, tmp_path: Path):
    late = {**office.state["computer"], "utc": "2027-05-10T06:50:00Z"}
    office.update(ntp={"offset_seconds": -600.0, "error": None}, computer=late)
    lines = run(office, tmp_path)
    at = lines.index("[OBS!] Klokken går riktig")
    assert lines[at + 1].startswith("        Klokken på maskinen går 10 minutter feil.")
    assert "Ingenting hindrer flyttingen, men se på det som er merket OBS!" in lines
    assert lines[-1] == "code 0"
    found, checks = judged(office)
    assert found.made == NOW
    assert checks["CLOCK"].outcome is CheckOutcome.FAIL


def test_nothing_tells_who_it_is(office: Server, tmp_path: Path):
    script = "http://kari:hemmelig@config.nhn.no/C:\\Users\\kari\\kunde.pac"
    url = office.contract["pages"]["P1"]["url"]
    state = office.state
    office.update(
        registry={SETTINGS: {"ProxyEnable": 1, "ProxyServer": "ola:pass@p:1", "AutoConfigURL": script}},
        script_answers={f"{script} {url}": "DIRECT"},
        web={**state["web"], script: state["web"][PAC]},
    )
    lines = run(office, tmp_path)
    name, raw = sent(office)
    for told in (*lines, name, raw.decode()):
        assert not re.search("kari|hemmelig|ola:|pass@", told), told
    assert judged(office)[1]["P5"].outcome is CheckOutcome.FAIL


def test_of_several_pcs_somebody_says_which_this_is(office: Server, tmp_path: Path):
    lines = run(office, tmp_path, client="pc1,pc2", typed="3 x 2")
    assert lines[:3] == ["Hvilken PC er dette?", "  1  pc1", "  2  pc2"]
    assert judged(office)[0].client == "pc2"
    run(office, tmp_path, client="pc1,pc2", typed="PC1")
    assert {json.loads(path.read_bytes())["client"] for path in office.path(SHARE).glob("*.json")} == {"pc1", "pc2"}


@pytest.mark.parametrize("desktop", ["C:\\Hjem\\Skrivebord", None])
def test_where_the_folder_cannot_be_written_to(office: Server, tmp_path: Path, desktop: str | None):
    office.write("C:\\Hjem\\Skrivebord\\x.txt", "x")
    registry = {**office.state["registry"], **({SHELL: {"Desktop": desktop}} if desktop else {})}
    office.update(registry=registry)
    lines = run(office, tmp_path, folder="C:\\ingen\\slik")
    if desktop is None:
        assert lines[-1] == "code 2"
        assert lines[-2].startswith("Resultatet kunne ikke lagres.")
        return
    name, _raw = sent(office, desktop)
    assert f"filen {desktop}\\{name}" in lines[-2]
    assert lines[-1] == "code 0"


def test_a_pc_without_a_time_a_proxy_or_a_net(office: Server, tmp_path: Path):
    office.update(
        registry={},
        broken_cim=["Win32_OperatingSystem"],
        ntp={"offset_seconds": None, "error": "no answer"},
        web={
            url: {**page, "status": 0, "error": "NameResolutionFailure: x"} for url, page in office.state["web"].items()
        },
    )
    lines = run(office, tmp_path)
    assert [line[:6] for line in lines if line.startswith("[")] == ["[FEIL]", "[OBS!]", "[OBS!]", "[OBS!]"]
    file = json.loads(sent(office)[1])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", file["made_at"])


# ---- what the screen says and what Python makes of the same facts

P1 = client_facts()["pages"][0]
BLOB = "4600000001000000{flags:02x}000000{proxy}00000000{script}"


def blob(flags: int, proxy: str = "", script: str = "") -> str:
    def text(value: str) -> str:
        return len(value).to_bytes(4, "little").hex() + value.encode("latin-1").hex()

    return BLOB.format(flags=flags, proxy=text(proxy), script=text(script))


PAGES: list[list[dict[str, Any]] | None] = [
    None,
    [],
    [P1],
    *([{**P1, **change}] for change in (
        {"text": "Default  backend - 404 "}, {"text": "default backend — 404"}, {"text": "default backend 404"},
        {"status": 200}, {"status": 200, "text": None}, {"text": None}, {"status": None}, {"text": "Logg inn"},
        {"status": 0, "text": None, "error": "NameResolutionFailure: x"}, {"way": "script", "script": PAC},
        {"way": "script", "script": PAC, "status": 502, "text": "Bad Gateway"},
    )),
]  # fmt: skip
OURS, THEIRS = "CN=R11, O=Let's Encrypt, C=US", "E=it@kontor.example, CN=Kontorets brannmur, O=Fortinet"
CAME: list[dict[str, Any]] = [
    {"status": status, "text": text, "heading": heading}
    for status, text, heading in (
        (404, "DEFAULT\u00a0BACKEND – 404", None), (404, "noe annet", None), (404, None, None), (200, "", None),
        (204, "\u00a0 ", None), (200, "Logg inn på gjestenettet", None), (403, "Sperret", "Du må godta vilkårene"),
        (401, "", None), (407, "default backend - 404", None), (511, "", None), (503, "Nede", None), (None, None, None),
        (0, None, None), (300, "", None), (200, None, None),
    )
]  # fmt: skip
FINALS = [
    "https://interactor.dips.no/", "https://INTERACTOR.dips.no.:443/x", "https://sperret.filter.example/?b=1", None,
    "http://login.gjestenett.example:8080/",
]  # fmt: skip
ERRORS = [
    "TrustFailure: x", "NameResolutionFailure: x", "ProxyNameResolutionFailure: x", "Timeout: certificate", "(407) x",
    "SecureChannelFailure: x", "ConnectFailure: x", "ReceiveFailure: x", "WinHTTP: error 12175", "FORBINDELSEN AVVISTE",
]  # fmt: skip
WHOSE = [
    {"issuer": issuer, "trusted": trusted}
    for issuer in (None, "", OURS, THEIRS, "CN=Buypassende AS")
    for trusted in (True, False, None)
]
HANDSHAKES: list[Any] = [
    None,
    *({"enabled": True, "endpoints": endpoints} for endpoints in (
        None, [],
        *([{"name": name, "protocol": "Tls12", "trusted": trusted, "issuer": issuer, "error": None}]
          for name in ("Interactor.dips.no", "speedtest.dips.no")
          for trusted in (True, False)
          for issuer in (None, OURS, THEIRS)),
    )),
]  # fmt: skip
PROFILES: list[dict[str, Any]] = [
    {},
    {"proxy_enable": None, "auto_config_url": None},
    {"auto_config_url": None},
    {"auto_config_url": "http://other.example/x.pac"},
    {"auto_config_url": " HTTP://Config.NHN.no/annen.pac "},
    {"auto_config_url": "file://config.nhn.no/x.pac"},
    {"proxy_enable": 1, "proxy_server": "p:1"},
    {"proxy_enable": 1, "proxy_server": None},
    {"proxy_enable": 1, "proxy_server": "p:1", "auto_config_url": None},
    *({"proxy_enable": None, "auto_config_url": None, "connections": each} for each in (
        blob(5, script=PAC), blob(7, "p:1", PAC), blob(3, "p:1", PAC), blob(1, "p:1", PAC), blob(13, script=PAC),
        blob(5, script="http://other.example/x"), blob(5), blob(7, script=PAC), blob(5, script="\x01" + PAC),
        blob(5, script=PAC).replace("46", "47", 1),
        blob(5, script=PAC)[:-2], blob(5, script=PAC) + "0000", "", "zz", "46", blob(5).replace("00", "ff"),
    )),
]  # fmt: skip
SPEEDS: list[Any] = [
    None,
    *({"url": "u", "samples": samples, "error": error} for samples, error in (
        (None, None), ([], None), ([(2_500_000, 1.0)], None), ([(2_500_001, 1.0)], None), ([(1, 0)], None),
        ([(None, 1.0), (9_000_000, 1)], None), ([(9_000_000, 1.0)], "it answers 503"),
        ([(1_000_000, 1.0), (9_000_000, 1.0)], None), ([(1_000, 1.0), (2_600_000, 1.0), (9_000_000, 1.0)], None),
    )),
]  # fmt: skip
OFFSETS = [None, 0.2, 300, -300, 300.4, -301, 86_400]


NOT_COME = {"status": 0, "text": None, "heading": None, "final_url": None, "issuer": None}
PAGE_CODES = [code for code in REMEDIES if code.startswith("PAGE.")]


def cases() -> list[dict[str, Any]]:
    found = []

    def case(**changes: Any) -> None:
        facts = client_facts()
        facts["clock"]["offset_seconds"] = 0.2
        facts["host"]["utc"] = "2027-05-10T07:00:00Z"
        found.append({**facts, **changes})

    for pages in PAGES:
        case(pages=pages)
    for (row, came), (column, whose) in itertools.product(enumerate(CAME), enumerate(WHOSE)):
        # The wanted page comes from everywhere, each other one from somewhere.
        for final in FINALS if row == 0 else [FINALS[(row + column) % len(FINALS)]]:
            case(pages=[{**P1, **came, **whose, "final_url": final}])
    for error, issuer in itertools.product(ERRORS, (None, OURS, THEIRS)):
        case(pages=[{**P1, **NOT_COME, "error": error, "issuer": issuer, "trusted": False}])
    for tls, proxy in itertools.product(HANDSHAKES, (None, "p.example:8080")):
        case(tls=tls, pages=[{**P1, **NOT_COME, "error": ERRORS[0], "trusted": False, "proxy": proxy}])
    for change in PROFILES:
        proxy = client_facts()["proxy"]
        proxy["profiles"][0] |= change
        proxy["scripts"] = []
        case(proxy=proxy)
    case(proxy={**client_facts()["proxy"], "profiles": None})
    case(proxy={**client_facts()["proxy"], "profiles": []})
    case(proxy=None)
    for speed in SPEEDS:
        samples = speed and speed["samples"] and [{"bytes": b, "seconds": s} for b, s in speed["samples"]]
        case(speed=speed and {**speed, "samples": samples if samples else speed["samples"]})
    for offset in OFFSETS:
        case(clock={"server": "ntp", "offset_seconds": offset, "error": None})
    case(clock={"server": "ntp", "offset_seconds": None, "error": "no answer"})
    case(clock=None)
    return found


def colour_of(check: CheckResult) -> tuple[str, bool]:
    """The colour that a check has, and whether it is known."""
    if check.outcome is CheckOutcome.PASS:
        return "green", True
    if check.outcome is CheckOutcome.UNKNOWN:
        return "yellow", False
    return ("red" if check.severity is Severity.BLOCKER else "yellow"), True


def colours(engine: Engine, facts: list[dict[str, Any]], contract: dict[str, Any]) -> list[dict[str, dict[str, Any]]]:
    files = "".join(
        f"Import-Module -Name '{MODULE_UTILS / name}.psm1' -Force -Global\n"
        for name in ("_Connection", "_Interactor", "_SelfCheckPage", "_SelfCheckJudge")
    )
    told = engine.script(
        files
        + """
        $given = ConvertFrom-StrictJson -Text (@($input) -join "`n")
        $all = [System.Collections.Generic.List[object]]::new()
        foreach ($fact in $given['facts']) {
            $all.Add(@(Get-SelfCheckColour -Fact $fact -Contract $given['contract'] -Rule $given['rules']))
        }
        ConvertTo-Json -InputObject $all -Depth 5 -Compress
        """,
        json.dumps({"facts": facts, "contract": contract, "rules": screen_rules(contract)}),
    )
    assert "ERROR:" not in told, told
    return [{one["id"]: one for one in each} for each in json.loads(told)]


def told_on_screen(contract: dict[str, Any], shown: dict[str, Any]) -> str:
    """What is to be done, as the screen has it."""
    text = remedies(contract)[shown["code"]]
    for name, value in shown["values"].items():
        text = text.replace(f"{{{name}}}", "" if value is None else str(value))
    return text


def test_the_screen_says_what_python_makes_of_the_same_facts(engine: Engine, contract: dict[str, Any]):
    facts = cases()
    differing = []
    found = colours(engine, facts, contract)
    for number, (one, shown) in enumerate(zip(facts, found, strict=True)):
        file = read_selfcheck("x.json", content(one), {"1001": SITE})
        checks = {check.id: check for check in judge_selfcheck(file, SITE, contract, NOW + MONTH / 2, MONTH)}
        for id in ("P1", "P5", "P3", "CLOCK"):
            wanted = colour_of(checks[id])
            if (shown[id]["colour"], shown[id]["code"] != "UNKNOWN") != wanted:
                differing.append((number, id, shown[id], wanted, checks[id].observed))
            # What is to be done is told in the same words.
            if shown[id]["colour"] == "red" or (id == "P1" and shown[id]["code"]):
                assert [shown[id]["code"]] == checks[id].evidence["remedies"]
            if id == "P1" and shown[id]["code"] and told_on_screen(contract, shown[id]) != checks[id].remedy:
                differing.append((number, id, told_on_screen(contract, shown[id]), checks[id].remedy, ""))
    assert differing == []
    assert len(facts) > 400
    assert {code for one in found for code in [one["P1"]["code"]]} == {"", "P1", "UNKNOWN", *PAGE_CODES}


def test_what_came_by_a_script_counts_and_the_worst_of_it(engine: Engine, contract: dict[str, Any]):
    good, bad = {**P1, "way": "script"}, {**P1, "way": "script", "status": 200}
    unknown, untrusted = {**P1, "way": "script", "status": None}, {**P1, "trusted": False}
    wanted = {
        "green": [[{**P1, "status": 200}, good], [good, good]],
        "red": [[P1, bad], [good, bad, unknown], [untrusted]],
        "yellow": [[good, unknown]],
    }
    for colour, several in wanted.items():
        found = colours(engine, [{**client_facts(), "pages": pages} for pages in several], contract)
        assert {one["P1"]["colour"] for one in found} == {colour}


# ---- Windows PowerShell 5.1, and what everybody may run


def test_5_1_runs_it(engine: Engine, contract: dict[str, Any]):
    """Each part as the modules it comes from, and the frame around them; what is open there is open here."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in MODULES}
    parts = pruned(texts, required(texts))
    frame = assemble({"_Empty": ""}, "{}", "1")
    faults, _ = audit(engine, {**parts, "frame": frame}, read_known())
    of_modules, _ = audit(engine, texts, read_known())

    def bare(found: list[str]) -> set[str]:
        return {fault.partition(": ")[2] for fault in found}

    new = {name: bare(found) - bare(of_modules.get(name, [])) for name, found in faults.items()}
    assert {name: found for name, found in new.items() if found} == {}
    script = build_script(texts, contract)
    assert re.findall(r"(?m)^(?:.*\b)?(?:reg|icacls|schtasks|msiexec)\.exe\b.*$", script) == []
    for word in ("HKEY_USERS", "Set-ItemProperty", "New-ItemProperty", "Start-Process", "RunAs"):
        assert word not in script
