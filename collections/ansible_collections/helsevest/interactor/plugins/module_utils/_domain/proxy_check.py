# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy the programs of a host's users would really take, and what of that is wrong (P5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .proxy import Flags, Profile, ProfileProxy, SetUp, View, look_at, parse_winhttp_settings, plain_url
from .proxy_takes import Scripts, Way, by_hand, fallbacks, too_long
from .proxy_way import DIRECT, Evaluations, in_words, is_too_long
from .results import CheckResult, result
from .site import Site
from .words import Severity

MACHINE = 0
"""The number that stands for the machine's own set-up where a policy makes it that of all."""
_VARIABLES = ("http_proxy", "https_proxy")


@dataclass(frozen=True)
class _Finding:
    """Something that is wrong: the code of its remedy, whether it blocks, and how operations reads it."""

    code: str
    blocks: bool
    told: str = ""


def judge_proxy(
    facts: Mapping[str, Any],
    site: Site,
    role: str,
    contract: Mapping[str, Any],
    evaluations: Evaluations | None = None,
) -> list[CheckResult]:
    """Judge the proxy of a host: P5 for its users' programs, P5.machine for those that go by WinHTTP or the variables.

    `evaluations` are what the automatic scripts come to by our own evaluation (`_pac.evaluate_scripts`).
    """
    proxy: Mapping[str, Any] = facts.get("proxy") or {}
    urls = [page["url"] for page in contract["pages"].values()]
    scripts = Scripts(facts, evaluations or {})
    users = _Users(proxy, contract["proxy"]["script"], urls, scripts)
    return [users.judge(site, role), _machine(proxy, site, urls, scripts)]


class _Users:
    """The set-ups of a host's profiles, or the machine's where it is that of all."""

    def __init__(self, proxy: Mapping[str, Any], script: str, urls: Sequence[str], scripts: Scripts) -> None:
        self._script, self._urls, self._scripts = script, urls, scripts
        self._known: bool = proxy.get("profiles") is not None
        # The probe numbers them in their order.
        raw = [
            {**told, "profile": told["profile"] or place} for place, told in enumerate(proxy.get("profiles") or (), 1)
        ]
        self._kinds = {profile["profile"]: profile["kind"] for profile in raw}
        self._profiles = [look_at(profile, script) for profile in raw]
        if proxy.get("per_machine"):
            own = {"profile": MACHINE, "kind": None, "policy": True, "error": None}
            nothing = dict.fromkeys(("proxy_enable", "connections", "saved"))
            machine = look_at({**own, **(proxy.get("machine") or nothing)}, script)
            self._known = True
            self._profiles = [machine, *(replace(profile, is_used=False) for profile in self._profiles)]

    def judge(self, site: Site, role: str) -> CheckResult:
        used = [profile for profile in self._profiles if profile.is_used]
        rest = [profile for profile in self._profiles if not profile.is_used]
        ways = {profile.number: self._ways(profile.set_up) for profile in self._profiles}
        found = [finding for profile in used for finding in _findings(profile)]
        found += self._of_scripts(used, ways)
        detected = self._of_detection([profile.set_up for profile in used if profile.set_up])
        found += [each for each in detected if each.code]
        found.sort(key=lambda finding: not finding.blocks)
        kinds = {profile.kind for profile in used}
        unknown = ProfileProxy.UNKNOWN in kinds
        outcome: bool | None = not found
        if not found and (unknown or not self._known or (not used and role == "client")):
            outcome = None
        told = [*_by_kind(used), *_by_views(used), *dict.fromkeys(finding.told for finding in found if finding.told)]
        told += [each.told for each in detected if not each.code]
        told += fallbacks(way for profile in used for way in ways[profile.number].items())
        told += [f"told only: {text}" for text in (*_by_kind(rest), *_by_views(rest))]
        told += _names({name for profile in used for way in ways[profile.number].values() for name in way.unknown})
        # A PC without any proxy, or with another one, may do as well: whether it reaches the cloud is P1's to say. Only
        # a double set-up, or one that may be double, is the known cause of failures.
        harmless = bool(found) and not unknown and not any(finding.blocks for finding in found)
        return result(
            site,
            "P5",
            outcome,
            observed="; ".join(told) or ("no profiles" if self._known else "not found out"),
            expected=f"script_only ({self._script}) in every profile",
            severity=Severity.WARNING if harmless else Severity.BLOCKER,
            remedies=list(dict.fromkeys(finding.code for finding in found)),
            evidence=self._evidence(ways),
            script=self._script,
        )

    def _name(self, profile: Profile) -> str:
        return "machine" if profile.number == MACHINE else str(profile.number)

    def _evidence(self, ways: Mapping[int, Mapping[str, Way]]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if any(profile.set_up and profile.set_up.detects for profile in self._profiles):
            found = {"url": self._scripts.detected, "error": self._scripts.detection_error}
            told = {"detected": {key: value for key, value in found.items() if value}}
        told["profiles"] = {self._name(profile): self._shown(profile, ways) for profile in self._profiles}
        return {key: value for key, value in told.items() if value or key == "profiles"}

    def _shown(self, profile: Profile, ways: Mapping[int, Mapping[str, Way]]) -> dict[str, Any]:
        shown = {
            "setup": profile.kind.value,
            "kind": self._kinds.get(profile.number),
            "by": profile.view.value if profile.view else None,
            "detects": profile.set_up is not None and profile.set_up.detects,
            "disagree": [" and ".join(pair) for pair in profile.disagreeing],
            "takes": _known(ways[profile.number]),
            "otherwise": {view.value: _known(self._ways(set_up)) for view, set_up in profile.others.items()},
        }
        return {key: value for key, value in shown.items() if value}

    def _ways(self, set_up: SetUp | None) -> dict[str, Way]:
        return {url: self._scripts.way(set_up, url) for url in self._urls} if set_up else {}

    def _of_scripts(self, used: Iterable[Profile], ways: Mapping[int, Mapping[str, Way]]) -> list[_Finding]:
        """What is wrong with the scripts that count, each finding once."""
        found: list[_Finding] = []
        for profile in used:
            script = self._scripts.of(profile.set_up) if profile.set_up else None
            if script is None:
                continue
            if why := self._scripts.why_not(plain_url(script["url"])):
                found.append(_Finding("P5.unfetched", False, f"the script is not fetched: {why}"))
                continue
            if is_too_long(script):
                found.append(_Finding("P5.long", False, too_long(script)))
            found += [each for url, way in ways[profile.number].items() for each in _of_way(url, way)]
        return list(dict.fromkeys(found))

    def _of_detection(self, set_ups: Iterable[SetUp]) -> list[_Finding]:
        """What automatic detection brings, each thing once; without a code what is no fault."""
        url = self._scripts.detected
        found: list[_Finding] = []
        for set_up in set_ups:
            if not (set_up.detects and url):
                continue
            if not self._scripts.is_detected(set_up):
                why, failed = self._scripts.why_not(url), self._scripts.why_failed(url)
                told = f"is not fetched: {why}" if why else f"fails: {failed}" if failed else "was not asked for"
                found.append(_Finding("", False, f"automatic detection names {url}, which {told}"))
                continue
            both = [
                (each, self._scripts.way(set_up, each, detection=False), way)
                for each, way in self._ways(set_up).items()
            ]
            others = [
                f"{each}: {in_words(way.known)} in place of {in_words(own.known)}"
                for each, own, way in both
                if own.first and way.first and own.first != way.first
            ]
            told = f"automatic detection finds {url}, which comes first"
            if others:
                found.append(_Finding("P5.detected", False, "; ".join([told, *others])))
            else:
                same = all(own.first and own.first == way.first for _, own, way in both)
                found.append(_Finding("", False, f"{told} and leads the same way" if same else told))
        return list(dict.fromkeys(found))


def _known(ways: Mapping[str, Way]) -> dict[str, Any]:
    return {url: told for url, way in ways.items() if any((told := way.to_dict()).values())}


def _of_way(url: str, way: Way) -> Iterator[_Finding]:
    """What is wrong with the way that a script names for an address."""
    if way.error:
        yield _Finding("P5.script", False, f"the script fails for {url}: {way.error}")
    elif way.ours and way.host and way.ours[0] != way.host[0]:
        told = f"{url}: {in_words(way.ours)} by our evaluation, {in_words(way.host)} by the host's"
        yield _Finding("P5.difference", False, told)
    if way.unanswered and way.first not in (None, DIRECT):
        rest = (
            f"what comes after it is tried then: {in_words(way.known[1:])}"
            if way.known[1:]
            else "there is no other way"
        )
        yield _Finding("P5.first", False, f"{way.first} does not bring {url} ({way.unanswered}); {rest}")


def _findings(profile: Profile) -> list[_Finding]:
    """What is wrong with one profile; a policy's doing is nothing that the user could change in the dialog."""
    found: list[tuple[str, bool]] = []
    twisted = (View.CONNECTIONS, View.REGISTRY) in profile.disagreeing
    if profile.kind is ProfileProxy.DOUBLE:
        found.append(("P5.double", True))
    elif profile.kind not in (ProfileProxy.SCRIPT_ONLY, ProfileProxy.UNKNOWN) and not twisted:
        found.append(("P5.other", False))
    if profile.disagreeing:
        found.append(("P5.disagreeing", True) if twisted else ("P5.saved", False))
    return [_Finding("P5.managed" if profile.is_managed else code, blocks) for code, blocks in found]


def _by_kind(profiles: Sequence[Profile]) -> list[str]:
    kinds = sorted({profile.kind for profile in profiles})
    return [_listed(kind, [profile for profile in profiles if profile.kind is kind]) for kind in kinds]


def _by_views(profiles: Sequence[Profile]) -> list[str]:
    pairs = sorted({pair for profile in profiles for pair in profile.disagreeing})
    return [
        _listed(f"{one} and {other} disagree", [profile for profile in profiles if (one, other) in profile.disagreeing])
        for one, other in pairs
    ]


def _listed(what: str, profiles: Sequence[Profile]) -> str:
    numbers = ", ".join(str(profile.number) for profile in profiles if profile.number != MACHINE)
    return f"{what}: {f'profile {numbers}' if numbers else 'the machine'}"


def _names(names: set[str]) -> list[str]:
    return [f"asked for by the script and not known: {', '.join(sorted(names))}"] if names else []


def _machine(proxy: Mapping[str, Any], site: Site, urls: Sequence[str], scripts: Scripts) -> CheckResult:
    """Programs that do not go by a user's set-up: services go by WinHTTP, some go by the environment."""
    faults: dict[str, str] = {}
    unknown: list[str] = []
    evidence: dict[str, Any] = {}
    try:
        # An empty value is what a Windows has that was never told of a proxy.
        raw = proxy.get("winhttp")
        winhttp = None if raw == "" else parse_winhttp_settings(raw or "")
    except ValueError:
        winhttp = None
        unknown.append("WinHTTP")
    if winhttp and Flags.MANUAL in winhttp.flags:
        faults["P5.winhttp"] = "WinHTTP: a manual proxy"
        evidence["winhttp"] = {url: by_hand(winhttp.proxy, winhttp.bypass, url).to_dict()["ours"] for url in urls}
    told = list(faults.values())
    if winhttp and winhttp.script_url:
        # No manual proxy, and the services' own: it is told and is no fault.
        by_script = SetUp("", "", plain_url(winhttp.script_url))
        told.append(f"WinHTTP: the script {by_script.script_url}")
        evidence["winhttp_script"] = _known({url: scripts.way(by_script, url) for url in urls})
    environment = proxy.get("environment")
    if environment is None:
        unknown.append("environment")
    elif names := [name for name in _VARIABLES if (environment[name] or "").strip()]:
        faults["P5.environment"] = f"environment: {', '.join(names)}"
        told.append(faults["P5.environment"])
        evidence["environment"] = names
    return result(
        site,
        "P5.machine",
        False if faults else None if unknown else True,
        observed="; ".join([*told, *(f"{what} not found out" for what in unknown)]) or "no manual proxy",
        expected="no manual proxy in WinHTTP and in the environment",
        severity=Severity.WARNING,
        remedies=list(faults),
        evidence=evidence,
    )
