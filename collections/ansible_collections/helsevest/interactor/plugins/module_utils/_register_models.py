# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand in the register: its fields and their defaults (docs/register.md).

Imported by _register.py only, which tells what to do where pydantic is missing.
"""

from __future__ import annotations

from datetime import time
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ._domain.calendar import HALF_DAYS, HalfDay
from ._register_types import (
    DATES,
    Address,
    Check,
    Day,
    Email,
    Host,
    Key,
    Months,
    Name,
    Phone,
    Port,
    Text,
    Time,
    Transport,
    Truth,
    WaveId,
    Weekday,
    refusal,
)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Entry):
    """A time of day on some weekdays, in Norwegian time; `to` before `from` is on the next day (M1)."""

    weekdays: list[Weekday] = Field(default=[*get_args(Weekday)], min_length=1, description="Days on which it opens")
    from_: Time = Field(alias="from", description="When it opens")
    to: Time = Field(description="When it ends; of a window past midnight, on the day after")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if len(set(self.weekdays)) < len(self.weekdays):
            raise refusal("names a day twice", "each day once", "weekdays")
        noon = time(12)
        if self.to == self.from_ or (self.to < self.from_ and not self.to <= noon <= self.from_):
            raise refusal(
                f"must be later than from ({self.from_:%H:%M})",
                "a later time the same day; past midnight only from 12:00 or later to 12:00 or earlier",
                "to",
            )
        return self


class Span(_Entry):
    """Days from `from` to `to`, both included."""

    from_: Day = Field(alias="from", description="First day")
    to: Day = Field(description="Last day")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.to < self.from_:
            raise refusal(f"must not be before from ({self.from_})", f"{self.from_} or later", "to")
        return self


class Freeze(Span):
    """Days on which nothing may be moved."""

    reason: Text = Field(description="Why")


class Contact(_Entry):
    """Whom to call the day after (P6)."""

    name: Text = Field(description="Name")
    email: Email = Field(description="E-mail address")
    phone: Phone = Field(description="Phone number, kept as it is written")
    weekends: Truth = Field(default=False, description="Whether the contact can be reached on days off")


class Agreement(_Entry):
    """The data-processing agreement (P4). The person who signs stands elsewhere."""

    status: Literal["missing", "sent", "signed"] = Field(default="missing", description="How far it is")
    form: Literal["digital", "paper"] = Field(default="digital", description="How it is signed")
    sent: Day | None = Field(default=None, description="When it was sent; not while the status is missing")
    signed: Day | None = Field(
        default=None, description="When it was signed; given if, and only if, the status is signed"
    )
    reference: Text | None = Field(default=None, description="Where it is filed")

    @model_validator(mode="after")
    def _dates_match_status(self) -> Self:
        if self.signed and self.status != "signed":
            raise refusal(f"has a date though status is {self.status}", "null, or status: signed", "signed")
        if self.status == "signed" and not self.signed:
            raise refusal("has no date though status is signed", DATES, "signed")
        if self.sent and self.status == "missing":
            raise refusal("has a date though status is missing", "null, or status: sent", "sent")
        if self.status == "sent" and not self.sent:
            raise refusal("has no date though status is sent", DATES, "sent")
        if self.sent and self.signed and self.signed < self.sent:
            raise refusal(f"must not be before sent ({self.sent})", f"{self.sent} or later", "signed")
        return self


class Ros(_Entry):
    """The risk assessment, sent to a site that asks for it (P4)."""

    requested: Truth = Field(default=False, description="Whether the site asked for it")
    sent: Day | None = Field(default=None, description="When it was sent")


class Confirmed(_Entry):
    """What the site has checked itself (P6)."""

    urls: Day | None = Field(default=None, description="When it said that the web pages can be reached")
    proxy: Day | None = Field(default=None, description="When it said that the proxy is checked")


class Server(_Entry):
    """The Windows server that holds Interactor, and how it is reached."""

    name: Literal["server"] = Field(default="server", description="Its name in the inventory, after the site's id")
    host: Host = Field(description="Host name, as in its certificate")
    address: Address | None = Field(default=None, description="Where to connect instead of `host`")
    port: Port = Field(default=5986, description="WinRM port (HTTPS)")
    transport: Transport = Field(default="ntlm", description="How WinRM authenticates")
    ca: Text | None = Field(default=None, description="File with the CA that its certificate is checked against")
    credential: Name = Field(default="default", description="Which of `interactor_credentials` is used")


class Client(_Entry):
    """A PC that starts Interactor. What is left out is as at the site's server."""

    name: Name = Field(description="Its name in the inventory, after the site's id")
    host: Host = Field(description="Host name, as in its certificate")
    address: Address | None = Field(default=None, description="Where to connect instead of `host`")
    port: Port | None = Field(default=None, description="WinRM port (HTTPS); the server's when left out")
    transport: Transport | None = Field(
        default=None, description="How WinRM authenticates; as the server when left out"
    )
    ca: Text | None = Field(default=None, description="File with the CA; the server's when left out")
    credential: Name | None = Field(
        default=None, description="Which of `interactor_credentials`; the server's when left out"
    )


NIGHT = Window.model_validate({"from": "20:00", "to": "06:00"})


class Site(_Entry):
    """One office."""

    id: Key = Field(description="The id, unique in the register")
    name: Text = Field(description="The office's name")
    kind: Literal["gp_office", "emergency_clinic", "specialist", "nursing_home"] = Field(description="What it is")
    county: Text = Field(description="County")
    language: Literal["nb", "nn"] = Field(default="nb", description="Bokmål or nynorsk, for all that the office reads")
    epj: Text | None = Field(default=None, description="The journal system")
    wave: WaveId | None = Field(
        default=None, description="The wave it moves in, one of `waves`; null: none yet, the plan proposes one"
    )
    move_date: Day | None = Field(
        default=None, description="The day on which its window opens for the move; null: none yet (P7)"
    )
    mode: Literal["server_in_cloud", "second"] = Field(default="server_in_cloud", description="What it becomes (M5)")
    window: Window = Field(
        default=NIGHT, description="When it may be worked on (M1); 20:00 to 06:00 on all days when left out"
    )
    asked: Day | None = Field(default=None, description="When it was asked for its answers (P6)")
    closed: list[Span] | None = Field(default=None, description="When it is closed; null: not answered; []: never (P6)")
    contact: Contact | None = Field(default=None, description="Whom to call the day after; null: not answered (P6)")
    agreement: Agreement = Field(default=Agreement(), description="The data-processing agreement (P4)")
    signatory_known: Truth = Field(
        default=False, description="That we know who signs; the person stands elsewhere (P6)"
    )
    ros: Ros = Field(default=Ros(), description="The risk assessment (P4)")
    confirmed: Confirmed = Field(default=Confirmed(), description="What the site has checked itself (P6)")
    close_agreed: Truth = Field(
        default=False,
        description="That Interactor may be closed for who still has it open when waiting has not helped (M2)",
    )
    history_months: Months = Field(default=12, description="How much order history is moved (M3)")
    server: Server = Field(description="The server")
    clients: list[Client] = Field(min_length=1, description="The PCs that use the solution (P1, P5)")
    shared_server: Name | None = Field(
        default=None, description="One name at all sites that share one server; they move together"
    )


class Wave(_Entry):
    """Sites that are moved together."""

    id: WaveId = Field(description="The number, unique in the register")
    name: Text = Field(description="What people call it")
    dates: Span | None = Field(default=None, description="The days on which its sites move; null: any")
    window: Window | None = Field(
        default=None, description="When the wave's sites may be worked on; null: whenever each may"
    )
    freezes: list[Freeze] = Field(default=[], description="When none of its sites may be moved")


class Vendor(_Entry):
    """When the vendor is there to help."""

    windows: list[Window] = Field(default=[], description="When moves may run; []: always")
    freezes: list[Freeze] = Field(default=[], description="When nothing may be moved")


class HealthTrust(_Entry):
    """When the health trust (Helse Vest) allows no move."""

    freezes: list[Freeze] = Field(default=[], description="When nothing may be moved")


class Calendar(_Entry):
    """Which days count as days off beside weekends and public holidays (U1)."""

    half_days_off: list[HalfDay] = Field(
        default=[*HALF_DAYS], description="Half days that count as days off; []: all three are working days"
    )


class Waiver(_Entry):
    """A check that does not count for a site."""

    check: Check = Field(description="The id of the check")
    site: Key = Field(description="The id of the site")
    reason: Text = Field(description="Why it does not count")
    who: Text = Field(description="Who said so")
    until: Day = Field(description="The last day on which it holds")


class RegisterFile(_Entry):
    """One file of the register. The files of a folder are read as one."""

    waves: list[Wave] = Field(default=[], description="The waves")
    vendor: Vendor = Field(default=Vendor(), description="The vendor's windows and freezes")
    health_trust: HealthTrust = Field(default=HealthTrust(), description="The health trust's freezes")
    calendar: Calendar = Field(default=Calendar(), description="Which half days are days off")
    waivers: list[Waiver] = Field(default=[], description="Checks that do not count")
    sites: list[Site] = Field(default=[], description="The sites")
