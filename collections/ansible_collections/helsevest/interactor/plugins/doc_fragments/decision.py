# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of all modules that decide about sites."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragment helsevest.interactor.decision."""

    DOCUMENTATION = r"""
options:
  calendar:
    description: Which half days are days off, as C(interactor_calendar); all three when not given.
    type: dict
  contract:
    description: The vendor contract. The newest version and the described modes are read from it.
    type: dict
    required: true
  journal:
    description: URL of the journal, as SQLAlchemy reads it.
    type: str
    required: true
  clock_url:
    description: The simulator's clock; only in a simulated inventory.
    type: str
  settings:
    description: What operations may set.
    type: dict
    default: {}
    suboptions:
      upgrade_minutes:
        description:
          - How long an upgrade is expected to take.
          - When not given, as long as 95 of 100 earlier ones took once 20 are known, and 30 minutes before that.
        type: int
      move_minutes:
        description:
          - How long a move is expected to take, from the lease to the switch.
          - When not given, as long as 95 of 100 earlier ones took once 20 are known, and the contract's
            C(migration.expected_minutes) before that.
        type: int
      retry_minutes:
        description: How soon a host that was not found ready is asked again inside its window.
        type: int
        default: 15
      lease_wait_minutes:
        description: >-
          How long people in Interactor are waited for after the move's window has opened; then the night is given
          up, or Interactor is closed where the site has agreed to that.
        type: int
        default: 240
      server_valid_hours:
        description: For how many hours the measurement of a server counts.
        type: int
        default: 24
      client_valid_days:
        description: For how many days the measurement of a client counts.
        type: int
        default: 14
      self_checked_valid_days:
        description: For how many days the self-check of a client counts.
        type: int
        default: 30
      confirmed_valid_days:
        description: For how many days the office's word (P6) covers a client without a result; 0 is never.
        type: int
        default: 90
      switch_tolerates:
        description: Categories in which a difference does not keep a site from being switched; it is then C(uncertain).
        type: list
        elements: str
        choices: [orders, started_requisitions, favourite_packages]
        default: [favourite_packages]
      failure_budget:
        description:
          - How many sites of a wave may fail before it halts, C(ours) (our side) and C(theirs) (the offices' side).
            Each has C(count) and C(share) (0 to 1, of the wave's sites, rounded down), of which the larger holds.
          - The default is C(count) 2 and C(share) 0.05 for C(ours), C(count) 5 and C(share) 0.2 for C(theirs).
          - C(waves) says the same for single waves, by their numbers.
        type: dict
        default: {}
"""
