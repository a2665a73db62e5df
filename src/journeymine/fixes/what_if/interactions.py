"""Fixes whose effects do not add up."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from journeymine.fixes.what_if.what_if import WhatIf

    Floats = NDArray[np.float64]

MOST_FIXES = 8
"""Pairs are looked at among so many fixes with the largest effects."""
DIFFERENCE = 0.25
"""Of the larger single effect: from there the sum of two misleads. Two fixes on one path differ by their product."""


def interacting(what_if: WhatIf, effect: Floats) -> list[tuple[int, int]]:
    """Places of pairs of fixes that together bring much more or much less than the sum.

    The found ones and the user's are looked at; assumed drop-outs all lie on the same paths.

    Parameters
    ----------
    effect
        Effects of the single fixes, shape (n_fixes,).
    """
    pool = [i for i, candidate in enumerate(what_if.candidates) if candidate.block != "assumed"]
    pool = sorted(pool, key=lambda i: (-abs(effect[i]), what_if.candidates[i].fix.id))[:MOST_FIXES]
    found: list[tuple[int, int]] = []
    for a, b in combinations(pool, 2):
        joint = float(what_if.joint([a, b])[0])
        if abs(joint - effect[a] - effect[b]) > DIFFERENCE * max(abs(effect[a]), abs(effect[b])):
            found.append((a, b))
    return found
