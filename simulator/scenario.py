"""What a scenario file says; docs/scenario.md tells every field.

A scenario is the truth about an invented fleet. `expected` is what a person would expect of each site: tests compare
with it, and nothing else may read it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FilePath,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from simulator.calls import AtConnect, AtPage, AtRequest

Category = Literal["orders", "started_requisitions", "favourite_packages"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
Count = Annotated[int, Field(ge=0)]
DnsName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")]
M = TypeVar("M", bound=BaseModel)


class Model(BaseModel):
    """Strict: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Settings(Model):
    """Internet Options as one place of the registry has them."""

    proxy_enable: Literal[0, 1] = 0
    proxy_server: str | None = None
    proxy_override: str | None = None
    auto_config_url: str | None = "http://config.nhn.no/kunde.pac"
    auto_detect: bool = False
    # How often Windows has written it; nothing that a scenario would say.
    _counter = PrivateAttr(default=3)

    @property
    def counter(self) -> int:
        """How often Windows has written its binary form."""
        return int(self._counter)

    def written(self, counter: int, **said: Any) -> Self:  # noqa: ANN401
        """The same place after it was written again."""
        found = self.model_copy(update=said)
        found._counter = counter
        return found


class Proxy(Settings):
    """The Internet Options of one Windows profile; its binary values say the same unless they are told."""

    connections: Settings | None = None
    saved: Settings | None = None
    policy: bool = False
    kind: Literal["local", "roaming", "temporary", "backup"] = "local"
    loaded: bool = True
    hive: Literal["ok", "damaged", "missing"] = "ok"


class Use(Model):
    """People who have Interactor open on a host."""

    sessions: Count = 1
    until: AwareDatetime | None = None
    open_files: Count | None = None
    writes: bool = False
    closes_when_warned: bool = False


def _counted(value: Any) -> Any:  # noqa: ANN401
    return {"sessions": value} if isinstance(value, int) else value


Part = Literal["clock", "dns", "host", "interactor", "pages", "power", "proxy", "scripts", "speed", "tls"]
"""A part of the probe."""
RestartSign = Literal[
    "windows_update", "update_report", "component_servicing", "component_in_progress", "component_packages",
    "server_manager", "configuration_manager", "update_services", "file_rename", "domain_join", "update_program",
    "run_once", "computer_rename",
]  # fmt: skip
"""A sign that Windows waits for a restart, in the order in which the probe tells them."""
RESTART_SIGNS: tuple[RestartSign, ...] = get_args(RestartSign)
EngineName = Literal["model", "powershell", "wine"]


class Trouble(Model):
    """Why a host's WinRM service is not reached, and by how many connections."""

    kind: AtConnect | AtRequest
    times: Annotated[int, Field(ge=1)] | None = None


class PageTrouble(Model):
    """What stands between a host and some pages."""

    kind: AtPage
    names: tuple[DnsName, ...] = ("interactor.dips.no", "dipsupsvr.dips.no")
    trusted: bool | None = None

    @field_validator("trusted")
    @classmethod
    def _has_a_firewall(cls, trusted: bool | None, told: ValidationInfo) -> bool | None:
        if trusted is not None and told.data.get("kind") in _WITHOUT_FIREWALL:
            raise ValueError(f"allowed is nothing where the kind is one of {', '.join(_WITHOUT_FIREWALL)}")
        return trusted

    @property
    def is_caught(self) -> bool:
        """Whether the certificate of these names is a firewall's own."""
        return self.kind not in _WITHOUT_FIREWALL

    @property
    def is_accepted(self) -> bool:
        """Whether the host's Windows trusts the certificate of these names."""
        return self.trusted is not False and self.kind != "no_root"


_WITHOUT_FIREWALL: tuple[AtPage, ...] = ("reworded", "no_root")


def _of_kind(value: Any) -> Any:  # noqa: ANN401
    return {"kind": value} if isinstance(value, str) else value


class Machine(Model):
    """What a Windows host is like."""

    engine: EngineName = "model"
    powered_on: bool = True
    computer_name: str | None = None
    os: str = "Microsoft Windows 11 Pro"
    build: str = "22631"
    powershell: str = "5.1.22621.4391"
    culture: str = "nb-NO"
    channel_binding: Literal["None", "Relaxed", "Strict"] = "Relaxed"
    memory_mb: Count = 16384
    free_gb: float = 120.5
    uptime_hours: float = 9.5
    time_zone: str = "W. Europe Standard Time"
    clock_offset_seconds: int = 0
    sleep_minutes: Count | None = 0
    hibernate_minutes: Count | None = 0
    addresses: tuple[str, ...] = ("10.20.1.5",)
    time_server: bool = True
    unknown_names: tuple[DnsName, ...] = ()
    direct: bool = True
    dead_proxies: tuple[str, ...] = ()
    page_trouble: Annotated[PageTrouble | None, BeforeValidator(_of_kind)] = None
    tls_allowed: bool = True
    power_plan: str | None = "Balanced"
    active_hours: tuple[int, int] | None = (8, 17)
    overdue: tuple[Part, ...] = ()
    pending_restart: tuple[RestartSign, ...] = ()
    scheduled_restarts: tuple[AwareDatetime, ...] = ()
    link_mbit: float = Field(default=52.0, gt=0)
    proxies: tuple[Proxy, ...] = (Proxy(),)
    proxy_per_machine: bool = False
    machine_proxy: Settings | None = None
    machine_policy: Settings | None = None
    winhttp_proxy: str | None = None
    winhttp_script: str | None = None
    detection: bool = True
    wpad: str | None = None
    environment: dict[Literal["http_proxy", "https_proxy", "no_proxy"], str] = {}
    users: Count = 1
    in_use: Annotated[Use, BeforeValidator(_counted)] = Use(sessions=0)
    trouble: Annotated[Trouble | None, BeforeValidator(_of_kind)] = None


class Client(Machine):
    """A PC of the office; its DNS name is `<name>.<domain>`."""

    name: DnsName


class Server(Machine):
    """The office's server."""

    os: str = "Microsoft Windows Server 2022 Standard"
    build: str = "20348"
    powershell: str = "5.1.20348.2849"
    free_gb: float = 81.5
    uptime_hours: float = 120.5
    tells_open_files: bool = True


class Interactor(Model):
    """Interactor as it is installed on the server."""

    version: str = "5.4.1"
    mode: str = "local"
    endpoint: str = ""
    service: Literal["running", "stopped", "missing"] = "running"


class Data(Model):
    """What Interactor holds when the clock starts."""

    orders: Count = 480
    started_requisitions: Count = 14
    favourite_packages: Count = 12
    months: int = Field(default=24, ge=1)
    seed: int | None = None
    twice: dict[Category, Count] = {}
    list: Literal["ok", "malformed", "identity_number", "outside"] = "ok"


class Migration(Model):
    """How the vendor's migration program fares at this site."""

    minutes: int = Field(default=42, ge=1)
    ends: Literal["completed", "failed"] = "completed"
    message: str = ""
    loses: dict[Category, Count] = {}
    makes: Count = 0
    doubles: dict[Category, Count] = {}
    sends_outside: Count = 0


class Upgrade(Model):
    """How the vendor's installer fares at this site."""

    ends: Annotated[
        str,
        Field(pattern=r"^(ok|wrong_version|no_start|dies|bad_hash|unsigned|other_publisher|code_[1-9]\d*)$"),
    ] = "ok"
    times: Annotated[int, Field(ge=1)] | None = None
    cut_after: Annotated[int, Field(ge=1)] | None = None


class Expected(Model):
    """The row that a person would expect; for tests only."""

    verdict: Literal["error", "unreachable", "not_ready", "ready"]
    outcome: Literal["verified", "uncertain", "failed", "rolled_back", "not_started", "moved_outside"]
    state: Literal["registered", "answered", "dated", "upgraded", "moving", "moved", "verified"]
    owes: tuple[str, ...] = ()
    counts: dict[Category, Annotated[str, Field(pattern=r"^\d+/\d+$")]] = {}


def _shares_text(site: Any) -> Any:  # noqa: ANN401
    """An office's number may be written without quotes, here as among the keys."""
    if isinstance(site, dict) and isinstance(site.get("shares"), int):
        return {**site, "shares": str(site["shares"])}
    return site


def _named(value: Any) -> Any:  # noqa: ANN401
    return {"name": value} if isinstance(value, str) else value


class Site(Model):
    """One office: its server is `srv.<domain>`, or that of the office which it shares it with."""

    domain: DnsName
    shares: str | None = None
    server: Server = Server()
    clients: tuple[Annotated[Client, BeforeValidator(_named)], ...]
    interactor: Interactor = Interactor()
    data: Data = Data()
    migration: Migration = Migration()
    upgrade: Upgrade = Upgrade()
    expected: Expected | None = None


class Defaults(Model):
    """What holds for every site that does not say otherwise."""

    server: Server = Server()
    client: Machine = Machine()
    interactor: Interactor = Interactor()
    data: Data = Data()
    migration: Migration = Migration()
    upgrade: Upgrade = Upgrade()


class Installer(Model):
    """The download; its bytes follow from these fields."""

    url: str = "https://nedlasting.dips.no/interactor/InteractorSetup-6.2.0.exe"
    version: str = "6.2.0"
    publisher: str = "DIPS AS"
    size: int = Field(default=400_000, ge=1_000)
    file: FilePath | None = None


class Options(Model):
    """What the migration program calls the things that it is told."""

    site: str = "--site"
    attempt: str = "--attempt"
    key: str = "--key"
    months: str = "--months"
    day: str = "--until"
    status: str = "--status"
    output: str = "--output"


class StatusKeys(Model):
    """What the status file calls what it tells."""

    state: str = "state"
    progress: str = "progress"
    counts: str = "counts"
    message: str = "message"


class Vendor(Model):
    """The vendor's programs as they really are here; the contract that the controller sends is another thing."""

    service: str = "DIPSInteractor"
    process: str = "Interactor"
    version_url: str = "http://127.0.0.1:8731/version"
    version_key: str = "version"
    program: str = "Interactor.exe"
    installer_arguments: str = "/quiet /norestart"
    install: str = r"C:\Program Files\DIPS\Interactor"
    data: str = r"C:\ProgramData\DIPS\Interactor\Data"
    config: str = r"C:\ProgramData\DIPS\Interactor\interactor.json"
    mode_key: str = "mode"
    endpoint_key: str = "endpoint"
    migrate: str = r"C:\Program Files\DIPS\Interactor\InteractorMigrate.exe"
    run: str = "run"
    list: str = "list"
    options: Options = Options()
    status_keys: StatusKeys = StatusKeys()
    running: str = "running"
    completed: str = "completed"
    failed: str = "failed"
    cloud: Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(/[A-Za-z0-9._-]+)+$")] = (
        "https://interactor.dips.no/migration/v1"
    )


class Page(Model):
    """A page of the cloud or of another server in the net; the path `*` answers what no other does."""

    status: int = Field(default=200, ge=200, le=599)
    content_type: str = "text/html; charset=utf-8"
    body: str = ""
    location: str = ""


class Scenario(Model):
    """An invented fleet and the moment at which it begins."""

    clock: AwareDatetime = datetime(2027, 5, 10, 7, tzinfo=UTC)
    installer: Installer = Installer()
    vendor: Vendor = Vendor()
    pages: dict[DnsName, dict[str, Page]] = {}
    scripts: dict[str, dict[str, str]] = {}
    defaults: Defaults = Defaults()
    sites: dict[str, Site]

    def site(self, number: str) -> Site:
        """The site with the scenario's defaults filled in."""
        said = self.sites[number]
        clients = tuple(
            Client.model_validate({"name": client.name, **overlay(self.defaults.client, client).model_dump()})
            for client in said.clients
        )
        update: dict[str, Any] = {
            part: overlay(getattr(self.defaults, part), getattr(said, part))
            for part in ("server", "interactor", "data", "migration", "upgrade")
        }
        return said.model_copy(update={"clients": clients, **update})

    def on(self, engine: EngineName, *, clients: bool = False) -> Scenario:
        """The same fleet with every server on an engine, where it does not say otherwise; with the PCs as well."""
        parts = ("server", "client") if clients else ("server",)
        machines = {part: getattr(self.defaults, part).model_copy(update={"engine": engine}) for part in parts}
        return self.model_copy(update={"defaults": self.defaults.model_copy(update=machines)})


def overlay(base: M, said: BaseModel) -> M:
    """`base` with those fields that `said` was given, where `base` has them."""
    known = type(base).model_fields
    return base.model_copy(update={field: getattr(said, field) for field in said.model_fields_set if field in known})


class ScenarioError(ValueError):
    """All that is wrong with a scenario file, one line each."""


class _Loader(yaml.SafeLoader):
    """Refuses a key that is written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Read a mapping."""
        seen: set[Any] = set()
        for key_node, _value in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is written twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _fields_at(location: tuple[int | str, ...]) -> list[str]:
    """The fields that are allowed beside the one at `location`."""
    models: dict[str, type[BaseModel]] = {
        "": Scenario, "installer": Installer, "vendor": Vendor, "defaults": Defaults, "sites": Site, "server": Server,
        "client": Machine, "clients": Client, "interactor": Interactor, "data": Data, "migration": Migration,
        "upgrade": Upgrade, "expected": Expected, "proxies": Proxy, "connections": Settings,
        "saved": Settings, "machine_proxy": Settings, "machine_policy": Settings, "pages": Page, "in_use": Use,
        "options": Options, "status_keys": StatusKeys, "trouble": Trouble,
        "page_trouble": PageTrouble,
    }  # fmt: skip
    names = [part for part in location[:-1] if isinstance(part, str) and part in models]
    return sorted(models[names[-1] if names else ""].model_fields)


def _lines(file: Path, error: ValidationError) -> list[str]:
    lines = []
    for each in error.errors():
        location = each["loc"]
        path = ".".join(str(part) for part in location) or "(the whole file)"
        if each["type"] == "extra_forbidden":
            lines.append(f"{file}: {path}: is no field; allowed are {', '.join(_fields_at(location))}")
        elif each["type"] == "missing":
            lines.append(f"{file}: {path}: is missing")
        else:
            lines.append(f"{file}: {path}: is {each['input']!r}; {each['msg']}")
    return lines


def _conflicts(file: Path, scenario: Scenario) -> list[str]:
    """What no single field shows: names that two hosts have, more lost than there is."""
    lines = []
    owner: dict[str, str] = {}
    for number in scenario.sites:
        site = scenario.site(number)
        lines += _shared(file, scenario, number)
        servers = () if site.shares else (f"srv.{site.domain}",)
        for name in (*servers, *(f"{client.name}.{site.domain}" for client in site.clients)):
            if name in owner:
                lines.append(f"{file}: sites.{number}: host {name} is there already, in sites.{owner[name]}")
            owner[name] = number
        of_categories = {
            "migration.loses": site.migration.loses,
            "migration.doubles": site.migration.doubles,
            "data.twice": site.data.twice,
        }
        for field, wanted in of_categories.items():
            for category, count in wanted.items():
                there = getattr(site.data, category)
                if count > there:
                    lines.append(f"{file}: sites.{number}.{field}.{category}: is {count}; allowed is 0 to {there}")
    return lines


def _shared(file: Path, scenario: Scenario, number: str) -> list[str]:
    """What is wrong with an office that has no server of its own."""
    said = scenario.sites[number]
    if said.shares is None:
        return []
    own = [name for name, site in scenario.sites.items() if site.shares is None]
    lines = []
    if said.shares not in own:
        lines.append(f"{file}: sites.{number}.shares: is {said.shares!r}; allowed are {', '.join(sorted(own))}")
    for name in ("server", "interactor", "migration", "upgrade"):
        if name in said.model_fields_set:
            lines.append(f"{file}: sites.{number}.{name}: is the server's; it stands at the office {said.shares}")
    return lines


def load(path: Path | str) -> Scenario:
    """Read a scenario. ScenarioError tells all that is wrong: file, path of the field, value, what is allowed."""
    file = Path(path)
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise ScenarioError(f"{file}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: is no YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ScenarioError(f"{file}: is a {type(raw).__name__}; a mapping with the field sites is needed")
    if isinstance(raw.get("sites"), dict):
        raw["sites"] = {str(number): _shares_text(site) for number, site in raw["sites"].items()}
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        raise ScenarioError("\n".join(_lines(file, error))) from error
    lines = _conflicts(file, scenario)
    if lines:
        raise ScenarioError("\n".join(lines))
    return scenario
