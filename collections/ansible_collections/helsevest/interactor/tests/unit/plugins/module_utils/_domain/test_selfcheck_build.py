# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of a self-check is made of our own functions, as they are, and of nothing that it does not need."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.page_check import screen_rules
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_build import (
    LETTER,
    SCRIPT,
    STARTER,
    build_script,
    built_in,
    letter,
    pruned,
    required,
    signed_script,
    starter,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.selfcheck_words import (
    REMEDY_CODES,
    WORDS,
    remedies,
)
from ansible_collections.helsevest.interactor.plugins.module_utils._domain.texts import REMEDIES

from .conftest import SITE

ROOT = Path(__file__).resolve().parents[9]
MODULE_UTILS = Path(__file__).resolve().parents[5] / "plugins" / "module_utils"
MODULES = {path.stem: path.read_text(encoding="utf-8") for path in MODULE_UTILS.glob("*.psm1")}
CONTRACT: dict[str, Any] = yaml.safe_load(
    (ROOT / "roles/vendor_contract/defaults/main.yml").read_text(encoding="utf-8")
)["vendor_contract"]
FUNCTION = re.compile(r"(?ms)^Function [A-Za-z]+-[A-Za-z0-9]+ \{.*?^\}\n")
SIGNATURE = "\r\n# SIG # Begin signature block\r\n# MIIa\r\n# SIG # End signature block\r\n"


def module(*needs: str, functions: str = "", head: str = "", exports: str = "") -> str:
    lines = [f"#AnsibleRequires -PowerShell ansible_collections.x.y.plugins.module_utils.{name}" for name in needs]
    return "\n".join(["# licence", "", *lines, "", "Set-StrictMode -Version Latest", head, functions, exports])


def test_what_is_needed_comes_before_who_needs_it():
    modules = {"_A": module("_B", "_C"), "_B": module("_C"), "_C": module("_A"), "_D": module()}
    assert required(modules, "_A") == ["_C", "_B", "_A"]
    with pytest.raises(KeyError):
        required({"_A": module("_B")}, "_A")


HEAD = """$script:Used = 1
$script:Table = @{
    a = 2
}
$script:Text = @'
b
'@
$script:Word = $script:Only
$script:Only = 3
"""
ONE = "Function Get-One {\n    Get-Two -A $script:Used\n}\n"
LOST = "Function Get-Lost {\n    $script:Table, $script:Text\n}\n"
TWO, THREE, FOUR = (f"Function Get-{name} {{\n    2\n}}\n" for name in ("Two", "Three", "Four"))
START = "Set-StrictMode -Version Latest\n"


def export(*names: str) -> str:
    return f"Export-ModuleMember -Function @({', '.join(map(repr, names))})\n"


def test_what_is_never_called_is_left_out_with_what_it_alone_uses():
    modules = {
        "_A": module("_B", functions=f"{ONE}\n{LOST}", head=HEAD, exports=export("Get-One", "Get-Lost")),
        "_B": module(functions=f"{TWO}\n{THREE}", exports=export("Get-Three", "Get-Two")),
        "_C": module(functions=FOUR, exports=export("Get-Four")),
    }
    kept = pruned(modules, ["_C", "_B", "_A"], "Get-One")
    assert kept == {
        "_B": f"{START}\n{TWO}\nExport-ModuleMember -Function @(\n    'Get-Two'\n)\n",
        "_A": f"{START}$script:Used = 1\n\n{ONE}\nExport-ModuleMember -Function @(\n    'Get-One'\n)\n",
    }


def test_it_is_built_of_the_probes_own_functions_as_they_are():
    """No copy by hand: what is in the script stands in our modules, character by character, and once."""
    script = build_script(MODULES, CONTRACT)
    comments = str.maketrans({"…": "...", "–": "-", "«": '"', "»": '"', "\u2019": "'"})
    ours = {found.translate(comments) for text in MODULES.values() for found in FUNCTION.findall(text)}
    built = FUNCTION.findall(script.replace("\r\n", "\n"))
    assert set(built) <= ours
    assert len(built) == len(set(built)) > 50
    assert build_script(MODULES, CONTRACT) == script
    for name in ("Get-OwnProfileFact", "Get-DirectFact", "Get-ScriptFact", "Get-SpeedFact", "Get-ClockFact"):
        assert f"Function {name} {{" in script
    for name in ("Get-CopiedSetting", "Get-ProfileFact", "Get-Ledger", "Stop-ServiceInTime", "Get-PowerFact"):
        assert f"Function {name} {{" not in script


def test_windows_powershell_reads_it_in_any_code_page():
    script = build_script(MODULES, CONTRACT)
    assert script.isascii()
    assert script.count("\n") == script.count("\r\n")
    assert script.endswith("\r\n")
    with pytest.raises(ValueError, match=r"Selvsjekk.ps1, line \d+: holds '    \\xe6'; allowed is ASCII"):
        build_script(
            {**MODULES, "_SelfCheck": MODULES["_SelfCheck"].replace("    $built =", "    æ\n    $built =")}, CONTRACT
        )


def data_of(script: str) -> dict[str, Any]:
    found = re.search(r"(?ms)^\$data = @'\r\n(.*?)^'@\r$", script)
    assert found
    assert "'" not in found[1]
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def test_what_is_built_in_is_what_it_needs():
    data = data_of(build_script(MODULES, CONTRACT))
    assert data["contract"] == built_in(CONTRACT)
    assert set(data["contract"]) == {"pages", "cloud", "installer", "speed", "clock", "proxy"}
    assert data["words"]["checks"]["P5"] == WORDS["checks"]["P5"]
    secret = {**CONTRACT, "cloud": {"api": "https://u:p@cloud.example/api/v1?key=x"}}
    assert built_in(secret)["cloud"]["api"] == "https://cloud.example/"
    assert data["rules"] == screen_rules(CONTRACT)
    assert "Let's Encrypt".casefold() in data["rules"]["public"].replace("\\", "")


def test_another_content_is_another_version():
    first = data_of(build_script(MODULES, CONTRACT))["version"]
    other = {**CONTRACT, "speed": {**CONTRACT["speed"], "recommended_mbit": 50}}
    assert data_of(build_script(MODULES, other))["version"] != first
    assert re.fullmatch("[0-9a-f]{12}", first)


def test_what_is_to_be_done_is_told_in_the_words_of_the_letters():
    told = remedies(CONTRACT)
    assert set(told) == set(REMEDY_CODES) <= set(REMEDIES)
    assert told["CLOCK"].startswith("Klokken på maskinen går {minutes} minutter feil.")
    assert "http://config.nhn.no/kunde.pac" in told["P5.double"]
    assert set(re.findall(r"\{.*?\}", "".join(told.values()))) == {"{minutes}", "{issuer}", "{host}", "{status}"}


def test_the_starter_says_whose_copy_it_is():
    text = starter(SITE)
    assert text.isascii()
    assert text.count("\n") == text.count("\r\n")
    line = next(line for line in text.splitlines() if "-File" in line)
    assert line == (
        '"%SHELL%" -NoProfile -ExecutionPolicy Bypass -File "%~dp0Selvsjekk.ps1" -Site "1001" -Client "pc1,pc2"'
    )


def test_the_letter_names_the_site_and_its_pcs():
    text = letter(SITE)
    assert text.startswith("\ufeffSelvsjekk for DIPS Interactor – Prøvesund legekontor (1001)\r\n")
    assert "Velg hvilken PC det er: pc1, pc2." in text
    assert STARTER in text
    assert "{" not in text
    assert "Kari" not in text
    assert (SCRIPT, LETTER) == ("Selvsjekk.ps1", "LESMEG.txt")


class TestSigned:
    SCRIPT = b"a\r\nb\r\n"

    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_a_signed_copy_is_taken_as_it_is(self, mark: bytes):
        signed = mark + self.SCRIPT + SIGNATURE.encode()
        assert signed_script("x.ps1", signed, self.SCRIPT) == signed

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            (SCRIPT, "x.ps1: has no signature; allowed is what Set-AuthenticodeSignature has signed"),
            (SCRIPT + b"# SIG # Begin signature block\r\n# MIIa\r\n", "has no signature"),
            (b"a\r\nc\r\n" + SIGNATURE.encode(), "is a signed copy of another script; allowed is one of Selvsjekk.ps1"),
            (b"", "is a signed copy of another script"),
        ],
    )  # fmt: skip
    def test_anything_else_is_refused(self, content: bytes, what: str):
        with pytest.raises(ValueError, match=re.escape(what)):
            signed_script("x.ps1", content, self.SCRIPT)
