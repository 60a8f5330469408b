# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which proxy the programs of a host's users would really take, and what of that is wrong (P5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .proxy import Flags, Profile, ProfileProxy, SetUp, View, look_at, parse_winhttp_settings, plain_url
from .proxy_way import DIRECT, Evaluation, Evaluations, is_fetched, manual_way, parse_answer
from .results import CheckResult, result
from .site import Site
from .words import Severity

MACHINE = 0
"""The number that stands for the machine's own set-up where a policy makes it that of all."""

NO_TIME = "no time was left"
"""How the probe begins to say that it did not ask at all."""
_VARIABLES = ("http_proxy", "https_proxy")


@dataclass(frozen=True)
class _Finding:
    """Something that is wrong: the code of its remedy, whether it blocks, and how operations reads it."""

    code: str
    blocks: bool
    told: str = ""


@dataclass(frozen=True)
class _Way:
    """What one address would take: by our evaluation, by the host's own answer, and what there is to say of it."""

    ours: tuple[str, ...] | None = None
    host: tuple[str, ...] | None = None
    error: str | None = None
    unknown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        told = {"ours": _text(self.ours), "host": _text(self.host), "error": self.error, "unknown": list(self.unknown)}
        return {key: value for key, value in told.items() if value or key in ("ours", "host")}


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
    users = _Users(proxy, contract["proxy"]["script"], urls, evaluations or {})
    return [users.judge(site, role), _machine(proxy, site, urls)]


class _Users:
    """The set-ups of a host's profiles, or the machine's where it is that of all."""

    def __init__(self, proxy: Mapping[str, Any], script: str, urls: Sequence[str], evaluations: Evaluations) -> None:
        self._script, self._urls, self._evaluations = script, urls, evaluations
        self._known: bool = proxy.get("profiles") is not None
        self._scripts = {plain_url(found["url"]): found for found in proxy.get("scripts") or () if found["url"]}
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
        ways = {profile.number: self._ways(profile) for profile in self._profiles}
        found = [finding for profile in used for finding in _findings(profile)]
        found += self._of_scripts(used, ways)
        found.sort(key=lambda finding: not finding.blocks)
        kinds = {profile.kind for profile in used}
        unknown = ProfileProxy.UNKNOWN in kinds
        outcome: bool | None = not found
        if not found and (unknown or not self._known or (not used and role == "client")):
            outcome = None
        told = [*_by_kind(used), *_by_views(used), *dict.fromkeys(finding.told for finding in found if finding.told)]
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
            evidence={"profiles": {self._name(profile): self._shown(profile, ways) for profile in self._profiles}},
            script=self._script,
        )

    def _name(self, profile: Profile) -> str:
        return "machine" if profile.number == MACHINE else str(profile.number)

    def _shown(self, profile: Profile, ways: Mapping[int, Mapping[str, _Way]]) -> dict[str, Any]:
        shown = {
            "setup": profile.kind.value,
            "kind": self._kinds.get(profile.number),
            "by": profile.view.value if profile.view else None,
            "disagree": [" and ".join(pair) for pair in profile.disagreeing],
            "takes": {url: told for url, way in ways[profile.number].items() if any((told := way.to_dict()).values())},
        }
        return {key: value for key, value in shown.items() if value}

    def _ways(self, profile: Profile) -> dict[str, _Way]:
        return {url: self._way(profile.set_up, url) for url in self._urls} if profile.set_up else {}

    def _way(self, set_up: SetUp, url: str) -> _Way:
        script = self._scripts.get(set_up.script_url)
        if set_up.script_url and not (script and _is_unfetched(script)):
            evaluation = self._evaluations.get((set_up.script_url, url)) or Evaluation()
            return _Way(evaluation.ways or None, _answer(script, url), evaluation.error, evaluation.unknown)
        # Where Windows gets no script it goes on with the manual proxy, or with none.
        return _manual(set_up.proxy, set_up.bypass, url) if set_up.proxy else _Way((DIRECT,))

    def _of_scripts(self, used: Iterable[Profile], ways: Mapping[int, Mapping[str, _Way]]) -> list[_Finding]:
        found: list[_Finding] = []
        for profile in used:
            script = self._scripts.get(profile.set_up.script_url) if profile.set_up else None
            if script is None:
                continue
            if _is_unfetched(script):
                why = script["error"] or f"it answers {script['status']}"
                found.append(_Finding("P5.unfetched", False, f"the script is not fetched: {why}"))
                continue
            for url, way in ways[profile.number].items():
                if way.error:
                    found.append(_Finding("P5.script", False, f"the script fails for {url}: {way.error}"))
                elif way.ours and way.host and way.ours[0] != way.host[0]:
                    told = f"{url}: {_text(way.ours)} by our evaluation, {_text(way.host)} by the host's"
                    found.append(_Finding("P5.difference", False, told))
        return list(dict.fromkeys(found))


def _manual(proxy: str, bypass: str, url: str) -> _Way:
    try:
        return _Way((manual_way(proxy, bypass, url),))
    except ValueError as error:
        return _Way(error=str(error))


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


def _is_unfetched(script: Mapping[str, Any]) -> bool:
    """Whether the host asked for the script and did not get it; one that it had no time to ask for is not known."""
    if is_fetched(script) or (script["error"] or "").startswith(NO_TIME):
        return False
    return script["error"] is not None or script["status"] is not None


def _answer(script: Mapping[str, Any] | None, url: str) -> tuple[str, ...] | None:
    """The host's own answer for the address; None where it gave none that can be understood."""
    wanted = plain_url(url).rstrip("/")
    for answer in (script or {}).get("answers") or ():
        if answer["proxy"] is not None and plain_url(answer["url"]).rstrip("/") == wanted:
            try:
                return parse_answer(answer["proxy"])
            except ValueError:
                return None
    return None


def _text(ways: tuple[str, ...] | None) -> str | None:
    return "; ".join(ways) if ways else None


def _machine(proxy: Mapping[str, Any], site: Site, urls: Sequence[str]) -> CheckResult:
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
        evidence["winhttp"] = {url: _manual(winhttp.proxy, winhttp.bypass, url).to_dict()["ours"] for url in urls}
    environment = proxy.get("environment")
    if environment is None:
        unknown.append("environment")
    elif names := [name for name in _VARIABLES if (environment[name] or "").strip()]:
        faults["P5.environment"] = f"environment: {', '.join(names)}"
        evidence["environment"] = names
    return result(
        site,
        "P5.machine",
        False if faults else None if unknown else True,
        observed="; ".join([*faults.values(), *(f"{what} not found out" for what in unknown)]) or "no manual proxy",
        expected="no manual proxy in WinHTTP and in the environment",
        severity=Severity.WARNING,
        remedies=list(faults),
        evidence=evidence,
    )
