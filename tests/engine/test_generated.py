"""Model = engine over generated offices and generated orders of steps, also such as no controller would send."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from simulator.clock import stamp
from simulator.scenario import Scenario
from tests.engine.twins import Twins

pytestmark = pytest.mark.pwsh
EXAMPLES = int(os.environ.get("INTERACTOR_ENGINE_EXAMPLES", "6"))
"""How many offices; more are for by hand."""
SITE, SERVER, CLIENT = "9001", "srv.laget.example", "pc1.laget.example"
ATTEMPT = {"number": 1, "key": "9001-1-4f3a"}
OPENING = {"history_months": 12, "day": "2027-05-10", "mode": "server_in_cloud"}
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "preflight": ("preflight", {"role": "server"}),
    "stage": ("upgrade", {"step": "stage"}),
    "install": ("upgrade", {"step": "install"}),
    "confirm": ("upgrade", {"step": "confirm"}),
    "look": ("migrate", {"step": "look"}),
    "lease": ("migrate", {"step": "lease", "warning": "Lukk Interactor, vær så snill.", "close": True}),
    "manifest": ("migrate", {"step": "manifest", "attempt": ATTEMPT, **OPENING}),
    "ids": ("migrate", {"step": "ids", "attempt": ATTEMPT, "categories": ["orders"]}),
    "start": ("migrate", {"step": "start", "attempt": ATTEMPT}),
    "follow": ("migrate", {"step": "follow", "attempt": ATTEMPT}),
    "switch": ("migrate", {"step": "switch", "attempt": ATTEMPT}),
    "handback": ("migrate", {"step": "handback"}),
    "restore": ("migrate", {"step": "restore", "attempt": ATTEMPT}),
    "postcheck": ("postcheck", {}),
}
EVENTS = ("pass 20 minutes", "pass 70 minutes", "restart", "lose the flag", "cut off the ledger")
NATURAL = (
    "stage", "install", "lease", "manifest", "start", "pass 20 minutes", "follow", "pass 20 minutes", "follow",
    "switch", "handback", "restore",
)  # fmt: skip

small = st.integers(0, 5)
proxies = st.fixed_dictionaries(
    {"proxy_enable": st.sampled_from([0, 1]), "proxy_server": st.sampled_from([None, "", "p.nhn.no:8080"])}
)
machines = st.fixed_dictionaries(
    {},
    optional={
        "memory_mb": st.integers(1024, 65_536),
        "free_gb": st.sampled_from([0.0, 0.5, 3.14, 81.5]),
        "uptime_hours": st.sampled_from([0.02, 9.55, 4000.0]),
        "clock_offset_seconds": st.integers(-700, 700),
        "time_zone": st.sampled_from(["W. Europe Standard Time", "UTC", "FLE Standard Time"]),
        "sleep_minutes": st.sampled_from([None, 0, 1, 30]),
        "hibernate_minutes": st.sampled_from([None, 0, 180]),
        "pending_restart": st.sets(st.sampled_from(["windows_update", "component_servicing", "file_rename"])).map(list),
        "scheduled_restarts": st.lists(st.sampled_from(["2027-05-19T03:00:00+02:00", "2027-05-18T23:00:00Z"])),
        "proxies": st.lists(proxies, max_size=3),
        "proxy_per_machine": st.booleans(),
        "users": small,
        "in_use": st.fixed_dictionaries({"sessions": st.integers(0, 2), "closes_when_warned": st.booleans()}),
        "link_mbit": st.sampled_from([0.5, 2.0, 52.0]),
        "tells_open_files": st.booleans(),
    },
)
offices = st.fixed_dictionaries(
    {"server": machines},
    optional={
        "interactor": st.fixed_dictionaries(
            {
                "version": st.sampled_from(["5.4.1", "6.2.0", "6.10"]),
                "mode": st.sampled_from(["local", "local", "server_in_cloud", "noe annet"]),
                "service": st.sampled_from(["running", "running", "stopped", "missing"]),
            }
        ),
        "data": st.fixed_dictionaries(
            {"orders": st.integers(0, 40), "started_requisitions": small, "favourite_packages": small},
            optional={"list": st.sampled_from(["ok", "malformed", "identity_number", "outside"])},
        ),
        "migration": st.fixed_dictionaries(
            {"minutes": st.integers(1, 60), "ends": st.sampled_from(["completed", "failed"]), "doubles": st.just({})}
        ),
        "upgrade": st.fixed_dictionaries(
            {"ends": st.sampled_from(["ok", "ok", "wrong_version", "no_start", "code_3010", "code_1641", "code_1603"])},
            optional={"cut_after": st.integers(100_000, 399_999)},
        ),
    },
)
acts = st.tuples(st.sampled_from([*STEPS, *EVENTS]), st.booleans(), st.booleans())


def happen(twins: Twins, event: str) -> None:
    """Something that is no call happens to both."""
    if event.startswith("pass"):
        minutes = timedelta(minutes=int(event.split()[1]))
        twins.set_clock(stamp(twins.model.clock.now() + minutes))
        twins.catch_up()
        return
    paths = twins.contract["paths"]
    for host in twins.hosts(SERVER):
        if event == "restart":
            host.restart()
        elif event == "lose the flag":
            host.drive.remove(paths["maintenance_flag"])
        else:
            ledger = paths["work"] + "\\ledger.json"
            if host.drive.is_file(ledger):
                host.drive.move(ledger, ledger + ".new")
    twins.catch_up()


def take(twins: Twins, name: str, check: bool, diff: bool) -> None:
    """Take a step on both; where it opens an attempt, the cloud opens it as well."""
    module, options = STEPS[name]
    answer = twins.ask(SERVER, module, site=SITE, check=check, diff=diff, **options)
    if name == "manifest" and answer["changed"] and not answer.get("failed") and not check:
        for fleet in twins.both:
            fleet.world.cloud.open_attempt(SITE, ATTEMPT["number"], ATTEMPT["key"], 12)  # type: ignore[arg-type]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # To make an example smaller takes minutes here; what differs is printed, and so is the example.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(office=offices, come=st.integers(0, len(NATURAL)), then=st.lists(acts, max_size=4))
def test_generated_offices(
    office: dict[str, Any], come: int, then: list[tuple[str, bool, bool]], twins_of: Callable[[Scenario], Twins]
) -> None:
    site = {"domain": "laget.example", "clients": ["pc1"], **office}
    twins = twins_of(Scenario.model_validate({"sites": {SITE: site}}))
    for name, check, diff in [*((each, False, False) for each in NATURAL[:come]), *then]:
        if name in STEPS:
            take(twins, name, check, diff)
        else:
            happen(twins, name)
