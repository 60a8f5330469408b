"""The control API, plain HTTP on a loopback port: clock, calls that arrived, what breaks, the world's state."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import TypeAdapter, ValidationError

from simulator.calls import Call, FetchFile, ModuleCall, PutFile, Unknown, World
from simulator.clock import instant, stamp
from simulator.faults import Fault, Faults, is_cloud
from simulator.traffic import Traffic

_FAULT = TypeAdapter(Fault)
_OURS = "helsevest.interactor."
_TELLING = ("step", "operation")


class Calls:
    """Which calls arrived, in order, without any argument but the step or operation of our own modules."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self._seconds: dict[str, float] = {}

    def slow(self, host: str, seconds: float) -> None:
        """Let every call to `host` take so many real seconds more."""
        self._seconds[host] = seconds

    async def record(self, host: str, call: Call) -> None:
        """Remember a call and let it wait where its host is slow (a `Record`)."""
        match call:
            case ModuleCall(name, arguments):
                told = [str(arguments[key]) for key in _TELLING if name.startswith(_OURS) and arguments.get(key)]
                text = " ".join([name, *told])
            case PutFile():
                text = "put_file"
            case FetchFile():
                text = "fetch_file"
            case _:
                text = "raw"
        self.seen.append({"host": host, "call": text})
        await asyncio.sleep(self._seconds.get(host, 0))


def control(world: World, calls: Calls, faults: Faults, traffic: Traffic) -> web.Application:
    """The application: `/clock`, `/hosts/{name}/restart`, `/calls`, `/engines`, `/faults`, `/slow`, `/state` and
    `/traffic`.
    """

    async def get_clock(_: web.Request) -> web.Response:
        return _json(200, {"now": stamp(world.clock.now())})

    async def post_clock(request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.read())
        except ValueError:
            return _json(400, {"error": "the body is no JSON"})
        if not isinstance(asked, dict) or set(asked) != {"until"} or not isinstance(asked["until"], str):
            return _json(400, {"error": 'the body has to be {"until": "…Z"}'})
        try:
            moment = instant(asked["until"])
        except ValueError as error:
            return _json(400, {"error": str(error)})
        return _json(200, {"now": stamp(await world.advance_to(moment))})

    async def post_slow(request: web.Request) -> web.Response:
        try:
            asked = json.loads(await request.read())
        except ValueError:
            return _json(400, {"error": "the body is no JSON"})
        fields = asked if isinstance(asked, dict) else {}
        host, seconds = str(fields.get("host")), fields.get("seconds")
        if host not in world.hosts or not isinstance(seconds, int) or seconds < 1 or len(fields) != 2:
            return _json(400, {"error": 'the body has to be {"host": a host\'s name, "seconds": a number from 1}'})
        calls.slow(host, seconds)
        return _json(200, asked)

    async def post_restart(request: web.Request) -> web.Response:
        host = world.hosts.get(request.match_info["name"].lower())
        if host is None or not hasattr(host, "restart"):
            return _json(404, {"error": f"{request.match_info['name']} is no host that can be restarted"})
        host.restart()
        await world.catch_up()
        return _json(200, {"host": host.name})

    async def get_calls(_: web.Request) -> web.Response:
        return _json(200, calls.seen)

    async def get_state(_: web.Request) -> web.Response:
        snapshot = getattr(world, "snapshot", None)
        if snapshot is None:
            return _json(404, {"error": "this world has no snapshot"})
        await world.catch_up()
        return _json(200, snapshot())

    async def get_engines(_: web.Request) -> web.Response:
        figures = getattr(world, "engine_figures", None)
        return _json(404, {"error": "this world has no engines"}) if figures is None else _json(200, figures)

    async def post_faults(request: web.Request) -> web.Response:
        try:
            fault = _FAULT.validate_json(await request.read())
        except ValidationError as error:
            return _json(400, {"error": str(error)})
        if fault.host not in world.hosts and not is_cloud(fault.host):
            return _json(400, {"error": f"{fault.host} is neither a host nor the cloud of a site, cloud/1001"})
        faults.arm(fault)
        return _json(200, asdict(fault))

    async def get_faults_came(request: web.Request) -> web.Response:
        host = request.query.get("host", "")
        try:
            await faults.came(host)
        except KeyError:
            return _json(404, {"error": f"nothing is armed for {host!r}"})
        return _json(200, {"came": host})

    async def post_faults_mend(request: web.Request) -> web.Response:
        faults.mend(request.query.get("host"), drop=request.query.get("drop") == "true")
        return _json(200, {})

    async def get_traffic(_: web.Request) -> web.Response:
        return _json(200, {host: asdict(line) for host, line in traffic.lines.items()})

    async def post_traffic(_: web.Request) -> web.Response:
        traffic.begin()
        return _json(200, {})

    @web.middleware
    async def loud(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Unknown as unknown:
            return _json(500, {"error": f"the simulator does not know {unknown}"})

    application = web.Application(middlewares=[loud])
    application.router.add_get("/clock", get_clock)
    application.router.add_post("/clock", post_clock)
    application.router.add_post("/hosts/{name}/restart", post_restart)
    application.router.add_get("/calls", get_calls)
    application.router.add_post("/faults", post_faults)
    application.router.add_get("/faults/came", get_faults_came)
    application.router.add_post("/faults/mend", post_faults_mend)
    application.router.add_get("/state", get_state)
    application.router.add_get("/engines", get_engines)
    application.router.add_post("/slow", post_slow)
    application.router.add_get("/traffic", get_traffic)
    application.router.add_post("/traffic", post_traffic)
    return application


def _json(status: int, value: Mapping[str, object] | list[dict[str, str]]) -> web.Response:
    return web.json_response(value, status=status)
