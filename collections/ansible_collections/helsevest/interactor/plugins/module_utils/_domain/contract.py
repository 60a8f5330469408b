# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor contract as data: which keys it has, what each may hold, and everything that is wrong with one.

A new key is a line in KEYS; what the keys mean stands in docs/vendor-contract.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .near import nearest


@dataclass(frozen=True)
class Kind:
    """What a key may hold: whether a value is one, and what is allowed in words."""

    is_one: Callable[[object], bool]
    allowed: str

    def many(self) -> Kind:
        """A list of such values, which may be empty."""
        return Kind(
            lambda value: isinstance(value, list) and all(map(self.is_one, value)), f"a list, each {self.allowed}"
        )


def _matching(pattern: str, allowed: str) -> Kind:
    compiled = re.compile(pattern)
    return Kind(lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None, allowed)


def _whole(least: int, most: int, allowed: str) -> Kind:
    def is_one(value: object) -> bool:
        # True is a whole number to Python and a mistake to everybody else; Ansible's have a type of their own.
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return Kind(is_one, allowed)


def _arguments(*names: str) -> Kind:
    """A command line in which only these {names} are filled in."""

    def is_one(value: object) -> bool:
        return TEXT.is_one(value) and set(re.findall(r"\{(\w*)\}", str(value))) <= set(names)

    return Kind(is_one, f"a command line in which {', '.join(f'{{{name}}}' for name in names)} are filled in")


def _without_restart(value: object) -> bool:
    return TEXT.is_one(value) and "/norestart" in str(value).casefold().split()


TEXT = _matching(r"[^\r\n]*[^\s][^\r\n]*", "a text of one line")
ANY_TEXT = _matching(r"[^\r\n]*", "a text of one line, or an empty one")
PATH = _matching(r'[A-Za-z]:(\\(?!\.\.?(\\|$))[^\\/:*?"<>|\r\n]+)+', r"an absolute Windows path such as D:\Mappe")
URL = _matching(r"https?://[^\s/]+(/\S*)?", "an address that begins with http:// or https://")
SECURE_URL = _matching(r"https://[^\s/]+(/\S*[^\s/])?", "an address that begins with https:// and does not end with /")
HOST = _matching(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", "the name of a host, such as ntp.example.no")
SHA256 = _matching(r"([0-9A-Fa-f]{64})?", "64 hex digits, or an empty text: nothing is installed then")
VERSION = _matching(r"\d+(\.\d+){1,3}", "two to four numbers with dots between them, in quotes")
COUNT = _whole(1, 10**9, "a whole number from 1 up")
COUNT_OR_NONE = _whole(0, 10**9, "a whole number from 0 up")
# Together they cap what a measurement takes of an office's line, for each host: 90 MB and ten seconds.
SPEED_BYTES = _whole(1, 10_000_000, "a whole number from 1 to 10000000: an office's line is not to be filled")
SPEED_SECONDS = _whole(1, 10, "a whole number from 1 to 10: an office's line is not to be filled")
SPEED_SAMPLES = _whole(1, 9, "a whole number from 1 to 9: an office's line is not to be filled")
STATUS = _whole(100, 599, "an HTTP status from 100 to 599")
CODE = _whole(-(2**31), 2**32 - 1, "an exit code")
INSTALLER = _matching(
    r"https?://\S+/[A-Za-z0-9._-]+\.(exe|msi)", "an address that ends with the name of an .exe or .msi"
)
NO_RESTART = Kind(_without_restart, "a command line with /norestart: the EPJ may run on the same server")
MODE = Kind(
    lambda value: isinstance(value, Mapping) and (not value or {"mode", "endpoint"} <= set(value)),
    "{} where the vendor has not described it, else both `mode` and `endpoint`",
)
ALSO = Kind(
    lambda value: (
        isinstance(value, Mapping) and all(isinstance(each, str | int | float | bool | None) for each in value.values())
    ),
    "a mapping of the configuration's keys to plain values",
)

KEYS: Mapping[str, Kind] = {
    "service.name": TEXT,
    "service.version_url": URL,
    "service.version_key": TEXT,
    "paths.install": PATH,
    "paths.data": PATH,
    "paths.config": PATH,
    "paths.work": PATH,
    "paths.maintenance_flag": PATH,
    "processes": TEXT.many(),
    "use.folders": PATH.many(),
    "use.quiet_minutes": COUNT_OR_NONE,
    "use.grace_seconds": COUNT,
    "lease.task": TEXT,
    "lease.minutes": COUNT,
    "installer.version": VERSION,
    "installer.url": INSTALLER,
    "installer.sha256": SHA256,
    "installer.publisher": TEXT,
    "installer.arguments": NO_RESTART,
    "installer.success_codes": CODE.many(),
    "installer.busy_codes": CODE.many(),
    "installer.restart_codes": CODE.many(),
    "installer.restarted_codes": CODE.many(),
    "installer.fetch_seconds": COUNT,
    "config.mode_key": TEXT,
    "config.endpoint_key": TEXT,
    "config.modes.local": MODE,
    "config.modes.local.mode": TEXT,
    "config.modes.local.endpoint": ANY_TEXT,
    "config.modes.server_in_cloud": MODE,
    "config.modes.server_in_cloud.mode": TEXT,
    "config.modes.server_in_cloud.endpoint": ANY_TEXT,
    "config.modes.second": MODE,
    "migration.task": TEXT,
    "migration.program": PATH,
    "migration.arguments": _arguments("site", "sites", "attempt", "key", "months", "day", "status_file"),
    "migration.list_arguments": _arguments("months", "day", "list_file"),
    "migration.status_file": PATH,
    "migration.list_file": PATH,
    "migration.status_keys.state": TEXT,
    "migration.status_keys.progress": TEXT,
    "migration.status_keys.counts": TEXT,
    "migration.status_keys.message": TEXT,
    "migration.states.running": TEXT,
    "migration.states.completed": TEXT,
    "migration.states.failed": TEXT,
    "migration.expected_minutes": COUNT,
    "cloud.api": SECURE_URL,
    "pages.P1.url": URL,
    "pages.P1.status": STATUS,
    "pages.P1.text": TEXT,
    "pages.P2.url": URL,
    "pages.P2.status": STATUS,
    "pages.P2.heading": TEXT,
    "clock.server": HOST,
    "tls.public_issuers": TEXT.many(),
    "proxy.script": URL,
    "speed.url": URL,
    "speed.bytes": SPEED_BYTES,
    "speed.seconds": SPEED_SECONDS,
    "speed.samples": SPEED_SAMPLES,
    "speed.recommended_mbit": COUNT,
    "disk.free_gb": COUNT_OR_NONE,
    "untouched.services": TEXT.many(),
    "untouched.folders": PATH.many(),
    "untouched.files": PATH.many(),
}
"""Every key that a contract has, by its path."""

OPTIONAL: Mapping[str, Kind] = {
    "config.modes.server_in_cloud.also": ALSO,
    "config.modes.second.mode": TEXT,
    "config.modes.second.endpoint": ANY_TEXT,
    "config.modes.second.also": ALSO,
}
"""Keys that only a contract with more than the shipped one's assumptions has."""

_KNOWN = {**KEYS, **OPTIONAL}
_GROUPS = {path.rsplit(".", depth)[0] for path in _KNOWN for depth in range(1, path.count(".") + 1)}
_DIFFERENT = ("migration.states", "migration.status_keys")
"""Groups whose values must differ: of two that are the same nobody could say which is meant."""


def contract_problems(contract: Mapping[str, object]) -> list[str]:
    """Everything that is wrong with a contract: key, value and what is allowed, one line each; empty where it is sound.

    A key that is missing, one that is not known, and one that holds something else than it may.
    """
    found = dict(_leaves(contract))
    # What lies below a group that is no mapping is told by the group.
    broken = tuple(f"{path}." for path in found if path in _GROUPS and path not in _KNOWN)
    lines = [
        f"{path}: is missing; allowed is {KEYS[path].allowed}"
        for path in KEYS
        if path not in found and not path.startswith(broken)
    ]
    for path, value in found.items():
        kind = _KNOWN.get(path)
        if kind is None:
            if path in _GROUPS:
                lines.append(f"{path}: is {value!r}; allowed is a mapping of {', '.join(_below(path))}")
            else:
                lines.append(f"{path}: is no key of the contract{_meant(path)}")
        elif not kind.is_one(value):
            lines.append(f"{path}: is {value!r}; allowed is {kind.allowed}")
    for group in _DIFFERENT:
        values = [(path, value) for path, value in found.items() if path.startswith(f"{group}.")]
        lines += [
            f"{path}: is {value!r}, and so is vendor_contract.{earlier}; the values of {group} must differ"
            for number, (path, value) in enumerate(values)
            for earlier, other in values[:number]
            if value == other
        ]
    return [f"vendor_contract.{line}" for line in lines]


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every key by its path, with its value; a mapping is one where a kind says what it may hold."""
    if path and (path in _KNOWN or not isinstance(value, Mapping) or path not in _GROUPS):
        yield path, value
    if isinstance(value, Mapping) and (not path or path in _GROUPS):
        for name, below in value.items():
            yield from _leaves(below, f"{path}.{name}" if path else str(name))


def _below(group: str) -> list[str]:
    """The names that a mapping may have."""
    return list(dict.fromkeys(path[len(group) + 1 :].split(".")[0] for path in _KNOWN if path.startswith(f"{group}.")))


def _meant(path: str) -> str:
    group, _dot, name = path.rpartition(".")
    names = _below(group) if group else list(dict.fromkeys(known.split(".")[0] for known in _KNOWN))
    close = nearest(name, names, most=1)
    where = f"allowed in {group}" if group else "allowed"
    return f"; did you mean {close[0]}?" if close else f"; {where}: {', '.join(names)}"
