# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site as the rest of the domain sees it: read from the inventory's variables, which the register has validated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from .window import Window


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def is_ahead(told: date | None, day: date) -> bool:
    """Whether what the register says was done on `told` is still to come as of `day`."""
    return told is not None and told > day


@dataclass(frozen=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    @classmethod
    def from_vars(cls, raw: Mapping[str, Any]) -> Span:
        """Read `{from, to}`."""
        return cls(date.fromisoformat(raw["from"]), date.fromisoformat(raw["to"]))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Freeze:
    """Days on which nothing may be moved: why, and who says so (`vendor`, `health_trust` or `wave`)."""

    days: Span
    reason: str
    whose: str

    @classmethod
    def from_vars(cls, raw: Mapping[str, Any], whose: str) -> Freeze:
        """Read `{from, to, reason}`."""
        return cls(Span.from_vars(raw), raw["reason"], whose)


@dataclass(frozen=True)
class Waiver:
    """A check that does not count for a site, with who said so and until when."""

    check: str
    reason: str
    who: str
    until: date


@dataclass(frozen=True)
class Site:
    """One office (see docs/contracts.md, Site variables)."""

    id: str
    name: str
    kind: str
    county: str
    language: str
    wave: int | None
    move_date: date | None
    mode: str
    window: Window
    closed: tuple[Span, ...] | None
    contact: Mapping[str, Any] | None
    agreement_status: str
    signatory_known: bool
    ros_requested: bool
    ros_sent: date | None
    urls_confirmed: date | None
    proxy_confirmed: date | None
    history_months: int
    clients: tuple[str, ...]
    epj: str | None = None
    asked: date | None = None
    agreement_sent: date | None = None
    agreement_signed: date | None = None
    agreement_form: str = "digital"
    shared_server: str | None = None
    together: tuple[str, ...] = ()
    close_agreed: bool = False
    wave_dates: Span | None = None
    wave_window: Window | None = None
    vendor_windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def without_wave(self) -> Site:
        """The site as it would be in no wave: without the wave's days, window and freezes."""
        freezes = tuple(freeze for freeze in self.freezes if freeze.whose != "wave")
        return replace(self, wave=None, wave_dates=None, wave_window=None, freezes=freezes)

    @property
    def unit(self) -> str:
        """Whose the ledger is: that of the shared server where there is one, else the site's own."""
        return self.shared_server or self.id

    @property
    def group(self) -> tuple[str, ...]:
        """The ids of all sites on its server, in order; its own alone where it shares none."""
        return self.together or (self.id,)

    @property
    def leader(self) -> str:
        """The id of the site whose server host takes the steps for all on the server."""
        return self.group[0]

    @property
    def leads(self) -> bool:
        """Whether the steps are taken on its own server host: always, where it shares none."""
        return self.leader == self.id

    @property
    def server_host(self) -> str:
        """The server's name in the inventory."""
        return f"{self.id}-server"

    @property
    def client_hosts(self) -> tuple[str, ...]:
        """The clients' names in the inventory."""
        return tuple(f"{self.id}-{client}" for client in self.clients)

    def is_signed(self, day: date) -> bool:
        """Whether the agreement is signed as of `day` (P4): a signature counts from its date on."""
        return self.agreement_status == "signed" and not is_ahead(self.agreement_signed, day)

    @classmethod
    def from_vars(cls, variables: Mapping[str, Any]) -> Site:
        """Read `interactor_site`, `interactor_wave`, `interactor_vendor`, `interactor_health_trust` and
        `interactor_waivers` of one host.

        The register has validated them; a missing key is our error (KeyError).
        """
        raw = variables["interactor_site"]
        wave = variables.get("interactor_wave") or {}
        vendor = variables.get("interactor_vendor") or {}
        frozen_by = {"vendor": vendor, "health_trust": variables.get("interactor_health_trust") or {}, "wave": wave}
        closed = raw["closed"]
        return cls(
            id=raw["id"],
            name=raw["name"],
            kind=raw["kind"],
            county=raw["county"],
            language=raw["language"],
            wave=raw["wave"],
            move_date=_date(raw["move_date"]),
            mode=raw["mode"],
            window=Window.from_vars(raw["window"]),
            closed=None if closed is None else tuple(Span.from_vars(span) for span in closed),
            contact=raw["contact"],
            agreement_status=raw["agreement"]["status"],
            signatory_known=bool(raw["signatory_known"]),
            ros_requested=bool(raw["ros"]["requested"]),
            ros_sent=_date(raw["ros"]["sent"]),
            urls_confirmed=_date(raw["confirmed"]["urls"]),
            proxy_confirmed=_date(raw["confirmed"]["proxy"]),
            history_months=int(raw["history_months"]),
            clients=tuple(client["name"] for client in raw["clients"]),
            epj=raw["epj"],
            asked=_date(raw["asked"]),
            agreement_sent=_date(raw["agreement"]["sent"]),
            agreement_signed=_date(raw["agreement"]["signed"]),
            agreement_form=raw["agreement"].get("form") or "digital",
            shared_server=raw["shared_server"],
            together=tuple(raw.get("together") or ()),
            close_agreed=bool(raw.get("close_agreed", False)),
            wave_dates=Span.from_vars(wave["dates"]) if wave.get("dates") else None,
            wave_window=Window.from_vars(wave["window"]) if wave.get("window") else None,
            vendor_windows=tuple(Window.from_vars(window) for window in vendor.get("windows", ())),
            freezes=tuple(
                Freeze.from_vars(freeze, whose) for whose, of in frozen_by.items() for freeze in of.get("freezes", ())
            ),
            waivers=tuple(
                Waiver(w["check"], w["reason"], w["who"], date.fromisoformat(w["until"]))
                for w in variables.get("interactor_waivers") or ()
            ),
        )
