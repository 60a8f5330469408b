"""What a host may send in place of a good answer: cut off, no JSON, of another probe, in another code page …"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args

from simulator.calls import Answer

Spoil = Literal[
    "cut_off", "not_json", "old_probe", "long", "cp865", "empty", "list", "nan", "wrong_type", "deep", "trailing"
]
SPOILS: tuple[Spoil, ...] = get_args(Spoil)
_LONG = 5 * 1024 * 1024
_DEEP = 300


def spoil(answer: Answer, how: Spoil, name: str) -> Answer:
    """The answer of a module, spoiled; a bad one names `name`, which nobody may read again."""
    return replace(answer, stdout=_WAYS[how](answer.stdout, name))


def _cut_off(output: bytes, name: str) -> bytes:
    whole = _with(output, lambda told: told.update(name=name))
    return whole[: len(whole) // 2]


def _with(output: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The output after a change of what it tells."""
    told = json.loads(output)
    change(told)
    return json.dumps(told, ensure_ascii=False).encode()


def _nested(name: str) -> object:
    value: object = name
    for _ in range(_DEEP):
        value = [value]
    return value


_WAYS: Mapping[Spoil, Callable[[bytes, str], bytes]] = {
    "cut_off": _cut_off,
    "not_json": lambda _output, name: f"{name}: Ingen tilgang\r\n".encode(),
    "old_probe": lambda output, name: _with(output, lambda told: told["facts"].update(probe=0, name=name)),
    "long": lambda output, name: _with(output, lambda told: told.update(name=name.ljust(_LONG, "x"))),
    "cp865": lambda output, name: (
        _with(output, lambda told: told.update(name=name)).decode().encode("cp865", "replace")
    ),
    "empty": lambda _output, _name: b"",
    "list": lambda output, name: json.dumps([name, json.loads(output)], ensure_ascii=False).encode(),
    "nan": lambda output, name: _with(output, lambda told: told["facts"]["host"].update(free_gb=float("nan"), os=name)),
    "wrong_type": lambda output, name: _with(output, lambda told: told["facts"]["host"].update(utc=name)),
    "deep": lambda output, name: _with(output, lambda told: told.update(deep=_nested(name))),
    "trailing": lambda output, name: output + f"\r\n{name}\r\n".encode(),
}
