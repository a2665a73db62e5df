"""What fixes change about P(goal within a time): exact what-ifs on the chain with its clock.

For every s of the clock the chain is an absorbing one with moves Q(s) = P phi(s), so changed rows are the same exact
low-rank what-if as without time, in complex numbers. The waits themselves are not resampled: intervals hold what is not
known about where journeys go, not about how long moves take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.absorbing import LEAK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.what_if.clock import Clock
    from journeymine.fixes.what_if.row_change import RowChange

    Floats = NDArray[np.float64]
    Complex = NDArray[np.complex128]
    Ints = NDArray[np.int64]

CHUNK = 2_000_000
"""Complex numbers in one stack of matrices."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedChange:
    """What a fix does to rows of a chain and to their waits.

    Attributes
    ----------
    change
        The rows; a change of the reward is not looked at.
    phi
        Transforms of the waits of these rows with the fix, shape (n_s, r, k + 2); None where they stay.
    part
        Share of the visits whose waits change, shape (..., r); None for all.
    """

    change: RowChange
    phi: Complex | None = None
    part: Floats | None = None


def conversion_within(
    moves: Floats, start: Floats, clock: Clock, changes: Sequence[TimedChange] = ()
) -> tuple[Floats, Floats]:
    """P(goal within the horizon of the clock), now and with each fix.

    Parameters
    ----------
    moves
        P, moves to the k states, the goal and out, shape (..., k, k + 2); leading axes are draws and cells.
    start
        Shares of starts in the states and at the goal, shape (..., k + 1).
    clock
        Of the same states.
    changes
        One for each fix; leading axes those of `moves`, or none.

    Returns
    -------
    now
        Shape (...).
    with_fix
        Shape (..., n_fixes).

    Examples
    --------
    One wait of an hour on average before the goal, for four of five; the fix saves all drop-outs.

    >>> from journeymine.fixes.what_if.clock import Clock, euler_nodes
    >>> from journeymine.fixes.what_if.row_change import RowChange
    >>> s, w = euler_nodes()
    >>> hour = np.broadcast_to((1 / (1 + s))[:, None, None], (len(s), 1, 3))
    >>> fix = TimedChange(RowChange(np.array([0]), np.array([[0, 0.2, -0.2]])))
    >>> P, a = np.array([[0, 0.8, 0.2]]), np.array([1.0, 0])
    >>> now, fixed = conversion_within(P, a, Clock(3_600_000_000, 3.6e9, s, w, hour), [fix])
    >>> round(float(now), 5), fixed.round(5).tolist()
    (0.5057, [0.63212])
    """
    k, leading = moves.shape[-2], moves.shape[:-2]
    n = int(np.prod(leading))
    flat, first = moves.reshape(n, k, k + 2), start.reshape(n, k + 1)
    parts = [_flat(change, leading) for change in changes]
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(p.change.rows for p in parts)]))
    now, gain = np.zeros(n), np.zeros((n, len(parts)))
    size = max(1, CHUNK // max(1, k * (k + 2 + len(rows))))
    for begin in range(0, n, size):
        here = slice(begin, begin + size)
        own = [_piece(part, here) for part in parts]
        for s, weight, phi, at in zip(
            clock.nodes, clock.weights, clock.phi, range(len(clock.nodes)), strict=True
        ):
            solved = _Solved(flat[here], first[here], phi, rows)
            now[here] += weight * (solved.total / s).real
            for f, change in enumerate(own):
                gain[here, f] += weight * (solved.gain(change, at) / s).real
    now += first[:, k]
    for f, part in enumerate(parts):
        if part.change.start is not None:
            gain[:, f] += np.broadcast_to(part.change.start, (n, k + 2))[:, k]
    return now.reshape(leading), (now[:, None] + gain).reshape(*leading, len(parts))


class _Solved:
    """Chains at one point of the transform: h, and the columns of N that fixes change rows of."""

    def __init__(self, moves: Floats, start: Floats, phi: Complex, rows: Ints) -> None:
        n, k = moves.shape[:2]
        self.moves, self.phi, self.rows, self.k = moves, phi, rows, k
        system = moves[..., :k] * (-(1 - LEAK) * phi[:, :k])
        system[:, np.arange(k), np.arange(k)] += 1
        right = np.zeros((n, k, len(rows) + 1), dtype=complex)
        right[..., 0] = moves[..., k] * phi[:, k]
        right[:, rows, np.arange(1, len(rows) + 1)] = 1
        found = np.linalg.solve(system, right)
        self.hit, self.columns = found[..., 0], found[..., 1:]
        self.total = np.einsum("ni,ni->n", start[:, :k], self.hit)
        self.visits = np.einsum("ni,nir->nr", start[:, :k], self.columns)

    def gain(self, timed: TimedChange, at: int) -> Complex:
        """Exact change of the transform at one point: v_K' (I - D_T N_K)^-1 (D h), D the change of P phi."""
        change, k = timed.change, self.k
        rows = change.rows
        here = np.searchsorted(self.rows, rows)
        moved = self._moved(timed, at)
        columns = self.columns[..., here]
        back = moved[..., :k] @ columns
        # Being at the goal is worth 1, being out 0, whenever it happens.
        value = (moved[..., :k] @ self.hit[..., None])[..., 0] + moved[..., k]
        visits = self.visits[:, here]
        added: Complex | float = 0.0
        if change.start is not None:
            states = np.broadcast_to(change.start, (len(self.hit), k + 2))[:, :k]
            visits = visits + np.einsum("ni,nir->nr", states, columns)
            added = np.einsum("ni,ni->n", states, self.hit)
        spread = np.linalg.solve(np.eye(len(rows)) - back, value[..., None])[..., 0]
        return np.asarray(np.einsum("nr,nr->n", visits, spread) + added)

    def _moved(self, timed: TimedChange, at: int) -> Complex:
        """Change of the rows of P phi, shape (n, r, k + 2)."""
        rows, change = timed.change.rows, timed.change.change
        now = self.phi[rows]
        if timed.phi is None:
            return np.broadcast_to(change * now, (len(self.moves), *now.shape))
        part = np.ones(len(rows)) if timed.part is None else timed.part
        waits = part[..., None] * self.moves[:, rows] * (timed.phi[at] - now)
        return np.asarray(change * timed.phi[at] + waits)


def _flat(timed: TimedChange, leading: tuple[int, ...]) -> TimedChange:
    """The leading axes of a change as one, where it has them."""
    from journeymine.fixes.what_if.row_change import RowChange

    def one(x: Floats | None, own: int) -> Floats | None:
        if x is None or x.ndim == own:
            return x
        shape = x.shape[x.ndim - own :]
        return np.broadcast_to(x, (*leading, *shape)).reshape(-1, *shape)

    change = timed.change
    rows = RowChange(change.rows, _given(one(change.change, 2)), one(change.start, 1))
    return TimedChange(rows, timed.phi, one(timed.part, 1))


def _piece(timed: TimedChange, here: slice) -> TimedChange:
    """The part of a change that belongs to some of the chains."""
    from journeymine.fixes.what_if.row_change import RowChange

    def one(x: Floats | None, own: int) -> Floats | None:
        return x if x is None or x.ndim == own else x[here]

    change = timed.change
    rows = RowChange(change.rows, _given(one(change.change, 2)), one(change.start, 1))
    return TimedChange(rows, timed.phi, one(timed.part, 1))


def _given(x: Floats | None) -> Floats:
    assert x is not None
    return x
