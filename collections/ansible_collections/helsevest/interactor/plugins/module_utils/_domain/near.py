# Copyright: Contributors to the project
# GNU General Public License v3.0 or later (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may have meant who typed a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Those of `known` that look like `word`, whatever their case, the nearest first; `most` of them at the most."""
    folded = {candidate.casefold(): candidate for candidate in known}
    return [folded[close] for close in difflib.get_close_matches(word.casefold(), folded, n=most, cutoff=0.6)]
