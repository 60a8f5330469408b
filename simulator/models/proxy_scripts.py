"""The part of the probe that asks of proxy scripts, and which of them a machine names."""

from __future__ import annotations

import re
from typing import Any

from simulator.calls import FetchError
from simulator.models.common import Work
from simulator.scenario import Machine, Settings
from simulator.windows import connection_settings, hidden, hidden_hex

MOST_SCRIPTS, LONGEST_SCRIPT = 6, 65_536
VALUES = ("proxy_enable", "proxy_server", "proxy_override", "auto_config_url")
"""What of Internet Options has a value of its own in the registry."""


class Scripts:
    """What proxy scripts say, and the pages as they say."""

    def __init__(self, work: Work, checks: tuple[str, ...]) -> None:
        self._work, self._checks = work, checks
        self.told: list[dict[str, Any]] = []
        self.pages: list[dict[str, Any]] = []
        self.detected: dict[str, Any] | None = None

    async def ask(self, urls: list[str], ways: list[str], detects: bool) -> None:
        """Ask for scripts, for the pages by some of them, and for the one that automatic detection finds."""
        for url in urls[:MOST_SCRIPTS]:
            told = await self._add(url)
            if url in ways:
                await self._add_pages(told)
        for url in urls[MOST_SCRIPTS:]:
            self.told.append({**_script(url), "error": f"no more than {MOST_SCRIPTS} scripts are asked for"})
        if detects:
            self.detected = {"url": None, "error": None}
            try:
                found = self._work.host.surroundings.detected()
            except FetchError as error:
                self.detected["error"] = f"WinHTTP: {error}"
                return
            if found:
                self.detected["url"] = hidden(found)
                asked = urls[:MOST_SCRIPTS]
                told = self.told[asked.index(found)] if found in asked else await self._add(found)
                # Where there is no script, or what is there is none, Windows goes on, and no program asks by it.
                failed = any(answer["error"] for answer in told["answers"])
                if found not in ways and told["status"] == 200 and told["characters"] and not failed:
                    await self._add_pages(told)

    async def _add(self, url: str) -> dict[str, Any]:
        told = {**_script(url), **await self._read(url)}
        for check in self._checks:
            page = self._work.contract(f"pages.{check}.url")
            answer: dict[str, Any] = {"url": page, "proxy": None, "error": None}
            try:
                answer["proxy"] = self._work.host.surroundings.script_answer(url, page)
            except FetchError as error:
                answer["error"] = f"WinHTTP: {error}"
            told["answers"].append(answer)
        self.told.append(told)
        return told

    async def _add_pages(self, told: dict[str, Any]) -> None:
        for check, answer in zip(self._checks, told["answers"], strict=True):
            named = re.match(r"(?:PROXY|HTTPS?) ([^;\s]+)", answer["proxy"] or "")
            by = named[1] if named else ""
            self.pages.append(await self._work.page_by(check, "script", told["url"], by, answer["error"]))

    async def _read(self, url: str) -> dict[str, Any]:
        if not url.lower().startswith(("http://", "https://")):
            return {"error": "it is no address of the web"}
        try:
            page = await self._work.host.surroundings.page(url, "")
        except FetchError as error:
            return {"error": str(error)}
        text = page.body.decode("utf-8", "replace")
        characters = len(text.encode("utf-16-le")) // 2
        whole = text if characters <= LONGEST_SCRIPT else None
        return {"status": page.status, "text": whole, "characters": characters}


def _script(url: str) -> dict[str, Any]:
    nothing = {"status": 0, "text": None, "characters": None, "error": None}
    return {"url": hidden(url), **nothing, "answers": []}


def settings(values: Settings, connections: Settings, saved: Settings) -> dict[str, Any]:
    """Internet Options as the facts have them."""
    return {
        **{name: getattr(values, name) for name in VALUES},
        "connections": hidden_hex(connection_settings(connections)),
        "saved": hidden_hex(connection_settings(saved)),
    }


def machine_setting(machine: Machine) -> dict[str, Any]:
    """The machine's own Internet Options; what a policy says of them comes first."""
    own, policy = machine.machine_proxy, machine.machine_policy
    told = settings(own, own, own) if own else dict.fromkeys((*VALUES, "connections", "saved"))
    said = {name: getattr(policy, name) for name in VALUES} if policy else {}
    return {**told, **{name: value for name, value in said.items() if value is not None}}


def named_scripts(machine: Machine) -> tuple[list[str], list[str], bool]:
    """The scripts that are named, those by which programs go, and whether somebody lets Windows look for one."""
    ways: list[str | None] = []
    others: list[str | None] = []
    detects = False
    for proxy in machine.proxies:
        if proxy.loaded or proxy.hive == "ok":
            connections = proxy.connections or proxy
            ways += [connections.auto_config_url, proxy.auto_config_url]
            others.append((proxy.saved or connections).auto_config_url)
            detects = detects or connections.auto_detect
    if own := machine.machine_proxy:
        if machine.proxy_per_machine:
            ways.append(own.auto_config_url)
            detects = detects or own.auto_detect
        others.append(own.auto_config_url)
    ways.append(machine_setting(machine)["auto_config_url"])
    if machine.winhttp_proxy != "":
        others.append(machine.winhttp_script)
    counting = [url for url in dict.fromkeys(ways) if url]
    return [*counting, *(url for url in dict.fromkeys(others) if url and url not in counting)], counting, detects
