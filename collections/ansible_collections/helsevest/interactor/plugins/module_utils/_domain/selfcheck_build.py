# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One script of the probe's own functions that a PC without WinRM can run, and what goes with it to a site.

The script is the same for every site, so that it is signed once; whose copy it is stands in the starter beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from .page_check import screen_rules
from .selfcheck_words import LOCKED, README, WORDS, remedies
from .site import Site
from .texts import MAIL

ROOT = "_SelfCheck"
"""The module that the script is built of, with all that it requires."""
MAIN = "Invoke-SelfCheck"
SCRIPT, STARTER, LETTER = "Selvsjekk.ps1", "Selvsjekk.cmd", "LESMEG.txt"
BUILT_IN = (
    "pages.P1", "pages.P2.url", "cloud.api", "installer.url", "speed.url", "speed.bytes", "speed.seconds",
    "speed.samples", "speed.recommended_mbit", "clock.server", "proxy.script",
)  # fmt: skip
"""What of the vendor contract leaves the house; of what only its host matters, only that."""
_HOST_ALONE = ("cloud.api", "installer.url")

_REQUIRES = re.compile(r"(?m)^#AnsibleRequires -PowerShell \S+\.(\w+)$")
_FUNCTION = re.compile(r"(?ms)^Function ([A-Za-z]+-[A-Za-z0-9]+) \{.*?^\}\n")
_EXPORT = re.compile(r"(?ms)^Export-ModuleMember -Function @\((.*?)\)\n?")
_NAME = re.compile(r"\b[A-Z][A-Za-z]+-[A-Z][A-Za-z0-9]+\b")
_SETTING = re.compile(r"(?ms)^\$script:(\w+) = (?:@'\n.*?^'@\n|[^\n]*\n(?:[ )}][^\n]*\n)*)")
_BLANK = re.compile(r"\n{3,}")
_HEAD = re.compile(r"\A(?:#[^\n]*\n|\n)*")


def required(modules: Mapping[str, str], root: str = ROOT) -> list[str]:
    """The names of `root` and of all modules that it needs, what is needed before who needs it.

    `modules` are the texts of ours by their names. KeyError for one that is not there.
    """
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above:
            return
        for needed in _REQUIRES.findall(modules[name]):
            visit(needed, (*above, name))
        order.append(name)

    visit(root, ())
    return order


def pruned(modules: Mapping[str, str], names: Iterable[str], main: str = MAIN) -> dict[str, str]:
    """The modules without the functions that `main` never comes to, and what only those use; without any, no module.

    What a text names counts as called, also where it stands in a comment: a function too many does no harm.
    """
    bodies: dict[str, tuple[str, str]] = {}
    for module in names:
        for found in _FUNCTION.finditer(modules[module]):
            bodies[found[1]] = (module, found[0])
    used, left = set[str](), [main]
    while left:
        name = left.pop()
        if name in bodies and name not in used:
            used.add(name)
            left += _NAME.findall(bodies[name][1])
    kept = {}
    for module in names:
        if any(name in used for name, (where, _) in bodies.items() if where == module):
            kept[module] = _without(modules[module], used)
    return kept


def _without(text: str, used: Iterable[str]) -> str:
    wanted = set(used)
    text = _FUNCTION.sub(lambda found: found[0] if found[1] in wanted else "", text)
    exported = [name for each in _EXPORT.findall(text) for name in re.findall(r"'([^']+)'", each) if name in wanted]
    text = _EXPORT.sub("", _HEAD.sub("", text))
    while unused := [found for found in _SETTING.finditer(text) if text.count(f"$script:{found[1]}") == 1]:
        for found in unused:
            text = text.replace(found[0], "")
    listed = "".join(f"    '{name}'\n" for name in exported)
    plain = _BLANK.sub("\n\n", text).rstrip()
    return f"{plain}\n\nExport-ModuleMember -Function @(\n{listed})\n"


def built_in(contract: Mapping[str, Any]) -> dict[str, Any]:
    """What of the contract a self-check needs."""
    told: dict[str, Any] = {}
    for path in BUILT_IN:
        value: Any = contract
        for name in path.split("."):
            value = value[name]
        if path in _HOST_ALONE:
            parts = urlsplit(value)
            value = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
        below = told
        *groups, last = path.split(".")
        for group in groups:
            below = below.setdefault(group, {})
        below[last] = value
    return told


def build_script(modules: Mapping[str, str], contract: Mapping[str, Any]) -> str:
    """The whole script, in ASCII and with the line ends of Windows, ready to be signed.

    `modules` are the texts of our PowerShell modules by name. ASCII, for Windows PowerShell reads a script without a
    mark in the code page of the PC, and what signs a script may take the mark away.
    """
    kept = pruned(modules, required(modules))
    data = {
        "contract": built_in(contract),
        "rules": screen_rules(contract),
        "words": {**WORDS, "remedies": remedies(contract)},
        "mail": MAIL,
    }
    version = sha256(json.dumps([kept, data], sort_keys=True).encode()).hexdigest()[:12]
    # It stands between quotes.
    inner = json.dumps({"version": version, **data}, indent=1, sort_keys=True).replace("'", "\\u0027")
    return _ascii(assemble(kept, inner, version)).replace("\n", "\r\n")


def assemble(modules: Mapping[str, str], data: str, version: str) -> str:
    """The script of `modules`, in their order, with `data` (JSON) built in."""
    parts = [_START.replace("{version}", version).replace("{locked}", LOCKED)]
    parts += [
        f"$null = New-Module -Name '{name}' -ScriptBlock {{\n{text}}} | Import-Module -Scope Global\n"
        for name, text in modules.items()
    ]
    return "\n".join([*parts, _END.replace("{data}", data)])


_START = """# Self-check of a PC for DIPS Interactor, version {version}. It changes nothing, and everybody may run it.
# Made by playbooks/selfcheck.yml of the functions that measure the PCs that can be reached: do not edit.
param (
    [Parameter(Mandatory = $true)] [string] $Site,
    [Parameter(Mandatory = $true)] [string] $Client,
    [string] $Folder = $PSScriptRoot
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    Write-Host -Object '{locked}' -ForegroundColor Red
    exit 3
}
try {
    # What the console does not show itself goes through its code page, which may lack letters of ours.
    [System.Console]::OutputEncoding = [System.Text.UTF8Encoding]::new($false)
}
catch {
    Write-Verbose -Message 'There is no console.'
}
"""
_END = """$data = @'
{data}
'@
exit (Invoke-SelfCheck -Data $data -Site $Site -Client $Client -Folder $Folder)
"""
_COMMENT = str.maketrans({"…": "...", "–": "-", "«": '"', "»": '"', "\u2019": "'"})


def _ascii(text: str) -> str:
    """The text with what comments may hold told otherwise; ValueError for anything else that is not ASCII."""
    plain = text.translate(_COMMENT)
    for number, line in enumerate(plain.split("\n"), 1):
        if not line.isascii():
            raise ValueError(f"{SCRIPT}, line {number}: holds {line!a}; allowed is ASCII")
    return plain


def starter(site: Site) -> str:
    """What is double-clicked: says whose copy it is. Works in any folder, a share among them."""
    clients = ",".join(site.clients)
    lines = [
        "@echo off",
        "setlocal",
        "title Selvsjekk",
        'set "SHELL=%SystemRoot%\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"',
        f'"%SHELL%" -NoProfile -ExecutionPolicy Bypass -File "%~dp0{SCRIPT}" -Site "{site.id}" -Client "{clients}"',
        "set RESULT=%ERRORLEVEL%",
        "echo.",
        "pause",
        "exit /b %RESULT%",
    ]
    return "\r\n".join([*lines, ""])


def letter(site: Site) -> str:
    """How the office uses it, in bokmål, as Notepad of any age shows it."""
    values = {"name": site.name, "site": site.id, "clients": ", ".join(site.clients), "starter": STARTER, "mail": MAIL}
    return "\ufeff" + README.format_map(values).replace("\n", "\r\n")


def signed_script(name: str, content: bytes, script: bytes) -> bytes:
    """The signed copy of `script`, as Set-AuthenticodeSignature leaves it; `name` is the file's, for errors.

    ValueError for the copy of another script, and for one that nobody has signed. Whether Windows trusts the signature
    is for Windows to say.
    """
    bare, begin, rest = content.removeprefix(b"\xef\xbb\xbf").partition(b"# SIG # Begin signature block")
    if bare.rstrip() != script.rstrip():
        raise ValueError(f"signed: {name}: is a signed copy of another script; allowed is one of {SCRIPT} as it is now")
    if not begin or b"# SIG # End signature block" not in rest:
        raise ValueError(f"signed: {name}: has no signature; allowed is what Set-AuthenticodeSignature has signed")
    return content
