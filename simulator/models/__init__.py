"""Which model answers which module. What is not listed here is unknown, and says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.calls import ModuleCall, Unknown
from simulator.models import fix, migrate, postcheck, preflight, stock, stock_facts, upgrade, verify
from simulator.models.common import COMMON, Options, Refused, Work, arguments_of

if TYPE_CHECKING:
    from simulator.host import SimulatedHost


@dataclass(frozen=True)
class Model:
    """One of our modules: its options beside the common ones, and what fills in its result."""

    options: Options
    answer: Callable[[Work], Awaitable[None]]
    failure: str = ""


OURS = {
    "interactor_preflight": Model(preflight.OPTIONS, preflight.answer, "the probe"),
    "interactor_upgrade": Model(upgrade.OPTIONS, upgrade.answer),
    "interactor_migrate": Model(migrate.OPTIONS, migrate.answer),
    "interactor_postcheck": Model({}, postcheck.answer, "the check"),
    "interactor_verify": Model(verify.OPTIONS, verify.answer),
    "interactor_fix": Model(fix.OPTIONS, fix.answer),
}


def _failed(result: dict[str, Any], message: object) -> dict[str, Any]:
    return {**result, "failed": True, "msg": str(message)}


async def answer(host: SimulatedHost, call: ModuleCall) -> dict[str, Any]:
    """The module's result. A refusal is `failed` with `msg`; a module that no model knows raises Unknown."""
    collection, _dot, name = call.name.rpartition(".")
    stock_model = stock.MODELS.get(call.name)
    looks = call.name in stock_facts.NAMES
    if stock_model is None and not looks and (collection != "helsevest.interactor" or name not in OURS):
        raise Unknown(f"module {call.name}")
    try:
        if stock_model is not None:
            return stock_model(call)
        if looks:
            return await stock_facts.answer(host, call)
        model = OURS[name]
        work = Work(host, arguments_of(name, {**COMMON, **model.options}, call.arguments), call.check_mode)
    except Refused as refusal:
        return _failed({"changed": False}, refusal)
    try:
        await model.answer(work)
    except Refused as refusal:
        return _failed(work.result, f"{model.failure or work.arguments['step']}: {refusal}")
    if not call.diff:
        work.result.pop("diff", None)
    return work.result
