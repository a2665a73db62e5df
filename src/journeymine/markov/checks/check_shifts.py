"""Where the rows of a state are furthest apart: the group and the target that add most to the deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from journeymine.uncertainty import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.checks.check_tables import StateMoves

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shift:
    """A target that follows more or less often in one group.

    Attributes
    ----------
    group, column
        Their numbers; POOLED for rare ones together.
    share, usual
        Share of the target in the group and in all moves of the state.
    lower, upper
        95 % interval of `share` less `usual`. The cell was chosen because it stands out, so it is read as a
        description, not as a test.
    n
        Moves of the group.
    """

    group: int
    column: int
    share: float
    usual: float
    lower: float
    upper: float
    n: int


def largest_shift(moves: StateMoves) -> Shift:
    """The cell that adds most to the squared distance of the rows.

    Examples
    --------
    >>> from journeymine.markov.checks.check_tables import GroupedMoves, moves_by_state
    >>> ids, came = np.arange(200), np.arange(200) // 100
    >>> column = 1 + (ids % 100 >= np.where(came, 40, 60))
    >>> moves = GroupedMoves(ids, ids * 0, came, column, ids * 0 + 1, ("a", "b"), 1, 200)
    >>> found = largest_shift(next(moves_by_state(moves)))
    >>> found.group, found.column, found.share, found.usual, round(found.lower, 3), round(found.upper, 3)
    (0, 1, 0.6, 0.5, 0.03, 0.17)
    """
    counts = moves.counts
    total = counts.sum(axis=0)
    by_group, n = total.sum(axis=1), total.sum()
    row, usual = total / by_group[:, None], total.sum(axis=0) / n
    weight = by_group[:, None] * (row - usual) ** 2
    g, t = np.unravel_index(int(np.argmax(weight)), weight.shape)
    visits, in_group, to_target = (
        counts.sum(axis=(1, 2)),
        counts[:, g].sum(axis=1),
        counts[:, :, t].sum(axis=1),
    )
    pooled = (to_target - usual[t] * visits) / n
    apart = (counts[:, g, t] - row[g, t] * in_group) / by_group[g] - pooled
    # Where all or none of a group go there its own moves do not tell how much they vary: then as if it were like all.
    alike = (counts[:, g, t] - usual[t] * in_group) / by_group[g] - pooled
    alike = alike - alike.sum() * visits / n
    active = int((visits > 0).sum())
    variance = max(float(apart @ apart), float(alike @ alike)) * active / max(active - 1, 1)
    half = float(special.stdtrit(max(active - 1, 1), 0.5 + LEVEL / 2)) * float(np.sqrt(variance))
    middle = float(row[g, t] - usual[t])
    return Shift(
        int(moves.groups[g]),
        int(moves.columns[t]),
        float(row[g, t]),
        float(usual[t]),
        max(middle - half, -1.0),
        min(middle + half, 1.0),
        round(float(by_group[g])),
    )
