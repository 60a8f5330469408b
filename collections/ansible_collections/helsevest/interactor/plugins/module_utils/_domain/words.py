# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that everything else is told in: one enumeration for each kind of answer."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """How much a failed check weighs: only a blocker makes a site not ready."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


class CheckOutcome(StrEnum):
    """What a check came to."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"


class Verdict(StrEnum):
    """What preflight says of a host or a site, worst first."""

    ERROR = "error"
    UNREACHABLE = "unreachable"
    NOT_READY = "not_ready"
    READY = "ready"


class Origin(StrEnum):
    """Who found out what is known of a client: we, by WinRM; the office, by the self-check; the office, by its word."""

    MEASURED = "measured"
    SELF_CHECKED = "self_checked"
    CONFIRMED = "confirmed"


class State(StrEnum):
    """Where a site stands on its way to the cloud, in order."""

    REGISTERED = "registered"
    ANSWERED = "answered"
    DATED = "dated"
    UPGRADED = "upgraded"
    MOVING = "moving"
    MOVED = "moved"
    VERIFIED = "verified"


class Outcome(StrEnum):
    """How a move ended."""

    VERIFIED = "verified"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    NOT_STARTED = "not_started"
    MOVED_OUTSIDE = "moved_outside"


class Whose(StrEnum):
    """On whose side a site failed."""

    OURS = "ours"
    THEIRS = "theirs"


class Phase(StrEnum):
    """The parts of a site's way; each is a role and a playbook of the same name."""

    PREFLIGHT = "preflight"
    UPGRADE = "upgrade"
    MIGRATE = "migrate"
    ROLLBACK = "rollback"
    POSTCHECK = "postcheck"


class Step(StrEnum):
    """The smallest thing that is taken, recorded and resumed; each is a task file of its phase's role."""

    PROBE = "probe"
    LOOK = "look"
    STAGE = "stage"
    INSTALL = "install"
    CONFIRM = "confirm"
    CLOUD = "cloud"
    LEASE = "lease"
    USERS = "users"
    MANIFEST = "manifest"
    START = "start"
    FOLLOW = "follow"
    RECONCILE = "reconcile"
    SWITCH = "switch"
    HANDBACK = "handback"
    MADE = "made"
    RESTORE = "restore"
    DISCARD = "discard"
    CHECK = "check"


STEPS: dict[Phase, tuple[Step, ...]] = {
    Phase.PREFLIGHT: (Step.PROBE,),
    Phase.UPGRADE: (Step.LOOK, Step.STAGE, Step.INSTALL, Step.CONFIRM),
    Phase.MIGRATE: (
        Step.LOOK,
        Step.CLOUD,
        Step.LEASE,
        Step.USERS,
        Step.MANIFEST,
        Step.START,
        Step.FOLLOW,
        Step.RECONCILE,
        Step.SWITCH,
        Step.HANDBACK,
    ),
    Phase.ROLLBACK: (Step.LOOK, Step.MADE, Step.RESTORE, Step.DISCARD),
    Phase.POSTCHECK: (Step.CHECK,),
}
"""The one order of steps. A role's task files are named after its steps; a test holds the two together."""


class AttemptState(StrEnum):
    """Where an attempt to move stands, as the ledger on the server tells it."""

    PREPARED = "prepared"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SWITCHED = "switched"
    ROLLED_BACK = "rolled_back"

    @property
    def is_open(self) -> bool:
        """Whether the attempt is neither finished for good nor undone: the next one must wait for it."""
        return self in (AttemptState.PREPARED, AttemptState.RUNNING, AttemptState.COMPLETED, AttemptState.FAILED)


class Category(StrEnum):
    """What is counted before and after a move (M3)."""

    ORDERS = "orders"
    STARTED_REQUISITIONS = "started_requisitions"
    FAVOURITE_PACKAGES = "favourite_packages"


class EventKind(StrEnum):
    """What the journal remembers; docs/contracts.md tells each kind's data."""

    MEASURED = "measured"
    PART_MEASURED = "part_measured"
    LEDGER = "ledger"
    STEP = "step"
    CLOUD = "cloud"
    USERS = "users"
    UPGRADE_ALLOWED = "upgrade_allowed"
    FIXED = "fixed"
    RECONCILED = "reconciled"
    DISCARDED = "discarded"
    CHECKED = "checked"
    ROLLBACK_ASKED = "rollback_asked"
    MADE = "made"
    RESTORED = "restored"
    RELEASED = "released"
    HALTED = "halted"
    RESUMED = "resumed"
    SIGNATORY_NOTED = "signatory_noted"
    SIGNATORY_REMOVED = "signatory_removed"
    ROW = "row"
