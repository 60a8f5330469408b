"""Which model answers which module. What is not listed here is unknown, and says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.calls import ModuleCall, Unknown
from simulator.models import migrate, postcheck, preflight, stock, upgrade
from simulator.models.common import COMMON, Kind, Refused, Work, arguments_of

if TYPE_CHECKING:
    from simulator.host import SimulatedHost


@dataclass(frozen=True)
class Model:
    """One of our modules: its options beside the common ones (True: required) and what answers."""

    options: Mapping[str, tuple[Kind, bool]]
    answer: Callable[[Work], Awaitable[dict[str, Any]]]


OURS = {
    "interactor_preflight": Model(preflight.OPTIONS, preflight.answer),
    "interactor_upgrade": Model(upgrade.OPTIONS, upgrade.answer),
    "interactor_migrate": Model(migrate.OPTIONS, migrate.answer),
    "interactor_postcheck": Model({}, postcheck.answer),
}


async def answer(host: SimulatedHost, call: ModuleCall) -> dict[str, Any]:
    """The module's result. A refusal is `failed` with `msg`; a module that no model knows raises Unknown."""
    collection, _dot, name = call.name.rpartition(".")
    try:
        if call.name in stock.MODELS:
            return stock.MODELS[call.name](call)
        if collection != "helsevest.interactor" or name not in OURS:
            raise Unknown(f"module {call.name}")
        model = OURS[name]
        given = arguments_of(name, {**COMMON, **model.options}, call.arguments)
        return await model.answer(Work(host, given, call.check_mode))
    except Refused as refusal:
        return {"changed": False, "failed": True, "msg": str(refusal)}
