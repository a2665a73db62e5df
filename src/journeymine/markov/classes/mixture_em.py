"""EM for mixtures of absorbing chains: members of a class share a chain, and nobody is told which class is theirs.

A member (a journey, or a customer with all journeys) enters by how often it made each move, where it started
included: that is all the likelihood needs (Cadez, Heckerman, Meek, Smyth and White 2003), so equal members are
counted together, which is exact. What was not watched contributes nothing.

Members of several cells of the segments may be fitted together. Each cell keeps rows of its own, and a class departs
from them by the same factors in every cell (a log-linear model without the interaction of cell and class, fitted
by iterative proportional scaling: Deming and Stephan 1940; Meng and Rubin 1993 for the single sweep per M step), so
that a difference between cells is never taken for a class. With one cell this is the plain mixture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PRIOR = 0.05
"""Moves added to every observed edge of a class, so that no class holds an edge to be impossible."""
TOLERANCE = 1e-6
"""Gain of the log-likelihood per member, in three EM steps, at which a fit has settled; within the next two."""
SMALLEST_GAIN, LARGEST_GAIN = 1e-3, 2e-2
"""Bounds of that gain: in large logs a fit is followed further than that."""
MAX_STEPS = 1500
TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Kinds of members of a mixture.

    Attributes
    ----------
    moves
        How often a member of each kind made each move; sparse, shape (m, n_cells * n_edges): the columns of a cell
        stand together, in the order of `row_of`.
    n
        Members of each kind, shape (m,).
    cell
        Cell of each kind, shape (m,).
    row_of
        Row of the chain that each edge leaves from, sorted, shape (n_edges,); starting is a row of its own.
    """

    moves: sparse.csr_array
    n: Floats
    cell: Ints
    row_of: Ints

    @property
    def n_edges(self) -> int:
        """Edges of a cell."""
        return len(self.row_of)

    @property
    def n_cells(self) -> int:
        """Cells that are fitted together."""
        return int(self.moves.shape[1]) // max(self.n_edges, 1)

    def seen(self) -> NDArray[np.bool_]:
        """Which edges were made in which cell, shape (n_cells, n_edges)."""
        columns = np.zeros(self.moves.shape[1], dtype=bool)
        columns[self.moves.indices] = True
        return columns.reshape(self.n_cells, self.n_edges)

    def take(self, kinds: NDArray[np.int64] | NDArray[np.bool_]) -> Members:
        """Some of the kinds."""
        return Members(self.moves[kinds], self.n[kinds], self.cell[kinds], self.row_of)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A fitted mixture.

    Attributes
    ----------
    log_moves
        Logarithm of the probability of each edge in each cell and class, shape (n_cells, n_edges, K).
    log_shares
        Logarithm of the share of each class in each cell, shape (n_cells, K).
    membership
        Probability that a member of each kind belongs to each class, shape (m, K).
    log_likelihood
        Of all members.
    n_parameters
        Free parameters.
    n_steps
        EM steps of the fit that was kept.
    converged
        Whether it settled before `MAX_STEPS`.
    """

    log_moves: Floats
    log_shares: Floats
    membership: Floats
    log_likelihood: float
    n_parameters: int
    n_steps: int
    converged: bool

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.log_shares.shape[-1])

    def ordered(self, order: Ints) -> Mixture:
        """The same mixture with its classes in another order."""
        return replace(
            self,
            log_moves=self.log_moves[:, :, order],
            log_shares=self.log_shares[:, order],
            membership=self.membership[:, order],
        )


class MixtureModel:
    """EM steps for one set of members, under any weights of theirs.

    Parameters
    ----------
    members
        Kinds of members; their `n` are the default weights.
    observed
        Which edges are possible, shape (n_cells, n_edges); by default those of the members. Folds of
        cross-validation pass those of everybody, so that no edge that is held out is impossible.
    """

    def __init__(self, members: Members, observed: NDArray[np.bool_] | None = None) -> None:
        self.members = members
        self.moves = members.moves
        self.back = members.moves.T.tocsr()
        self.observed = members.seen() if observed is None else observed
        self.shape = self.observed.shape
        self.rows = np.flatnonzero(np.diff(members.row_of, prepend=-1))
        self.row_of = np.repeat(np.arange(len(self.rows)), np.diff(np.append(self.rows, members.n_edges)))
        self.prior = PRIOR * self.observed

    # ------------------------------------------------------------------------------------------------ EM steps

    def log_joint(self, log_moves: Floats, log_shares: Floats) -> Floats:
        """Logarithm of P(class and moves) of each kind, shape (m, K)."""
        flat = log_moves.reshape(-1, log_moves.shape[-1])
        return np.asarray(self.moves @ flat) + log_shares[self.members.cell]

    def expect(self, log_moves: Floats, log_shares: Floats) -> tuple[Floats, Floats]:
        """Memberships, shape (m, K), and log-likelihood of one member of each kind, shape (m,)."""
        joint = self.log_joint(log_moves, log_shares)
        top = joint.max(axis=1, keepdims=True)
        np.exp(np.subtract(joint, top, out=joint), out=joint)
        total = joint.sum(axis=1, keepdims=True)
        joint /= total
        return joint, (np.log(total) + top)[:, 0]

    def maximise(
        self, membership: Floats, weights: Floats, log_moves: Floats | None = None
    ) -> tuple[Floats, Floats]:
        """Log-probabilities of moves and shares from memberships; one sweep of scaling from `log_moves`."""
        made = self.made(membership, weights) + self.prior[:, :, None]
        moves = made / self.totals(made) if len(made) == 1 else self._scaled(made, log_moves)
        weighted = (membership * weights[:, None]).T
        members = np.stack([np.bincount(self.members.cell, w, len(made)) for w in weighted], axis=1)
        # A class that is empty in a cell keeps a trace of it, as its moves do.
        shares = (members + PRIOR) / (members + PRIOR).sum(axis=1, keepdims=True)
        return np.log(np.maximum(moves, TINY)), np.log(shares)

    def made(self, membership: Floats, weights: Floats) -> Floats:
        """Moves that each class is expected to have made, shape (n_cells, n_edges, K)."""
        made = np.asarray(self.back @ (membership * weights[:, None]))
        return made.reshape(*self.shape, membership.shape[1])

    def totals(self, made: Floats) -> Floats:
        """Sums over the edges of each row, by edge; 1 where they are 0."""
        total = np.add.reduceat(made, self.rows, axis=1)
        return np.asarray(np.where(total > 0, total, 1.0)[:, self.row_of])

    def _scaled(self, made: Floats, log_moves: Floats | None) -> Floats:
        """One sweep: the margins cell x edge, class x edge, then cell x class x row are met in turn."""
        if log_moves is None:
            fitted = np.repeat(self.observed[:, :, None].astype(float), made.shape[2], axis=2)
        else:
            fitted = np.exp(log_moves) * self.observed[:, :, None]
        fitted *= self.totals(made) / self.totals(fitted)
        for axis in (2, 0):
            now = fitted.sum(axis=axis, keepdims=True)
            wanted = made.sum(axis=axis, keepdims=True)
            fitted *= np.divide(wanted, now, out=np.zeros_like(now), where=now > 0)
        return np.asarray(fitted / self.totals(fitted))

    def penalty(self, log_moves: Floats, log_shares: Floats) -> float:
        """Logarithm of the prior, which EM adds to what it maximises."""
        return float((self.prior[:, :, None] * log_moves).sum() + PRIOR * log_shares.sum())

    def n_parameters(self, k: int) -> int:
        """Free parameters: rows of every cell, and for each further class its factors and its shares."""
        own = sum(self._free(cell[None, :]) for cell in self.observed)
        return int(own + (k - 1) * (self._free(self.observed) + self.shape[0]))

    def _free(self, observed: NDArray[np.bool_]) -> int:
        possible = observed.any(axis=0)
        rows = np.add.reduceat(possible.astype(np.int64), self.rows)
        return int(possible.sum() - (rows > 0).sum())

    # -------------------------------------------------------------------------------------------------- climbing

    def climb(
        self,
        log_moves: Floats,
        log_shares: Floats,
        weights: Floats | None = None,
        *,
        most: int = MAX_STEPS,
        largest_gain: float = LARGEST_GAIN,
    ) -> Mixture:
        """EM from given parameters, accelerated by squared extrapolation (Varadhan and Roland 2008).

        Steps are taken on the logarithms and renormalised, so that every point is a mixture; one that lowers the
        likelihood is replaced by the plain EM step.
        """
        weights = self.members.n if weights is None else weights
        enough = min(max(SMALLEST_GAIN, TOLERANCE * float(weights.sum())), largest_gain)
        at = (log_moves, log_shares)
        membership, each = self.expect(*at)
        value = self._value(each, weights, at)
        steps, converged = 0, at[1].shape[-1] == 1
        if converged:
            at = self.maximise(membership, weights, at[0])
            for _ in range(1 if self.shape[0] == 1 else 20):
                at = self.maximise(membership, weights, at[0])
            membership, each = self.expect(*at)
        while not converged and steps < most:
            one = self.maximise(membership, weights, at[0])
            membership, each = self.expect(*one)
            two = self.maximise(membership, weights, one[0])
            leap = self._leap(at, one, two)
            leapt_membership, leapt_each = self.expect(*leap)
            leapt = self._value(leapt_each, weights, leap)
            steps += 3
            if not leapt > self._value(each, weights, one):
                leap = two
                leapt_membership, leapt_each = self.expect(*leap)
                leapt = self._value(leapt_each, weights, leap)
            at, membership, each = leap, leapt_membership, leapt_each
            converged = bool(leapt - value < enough)
            value = leapt
        return Mixture(
            *at,
            membership,
            float((each * weights).sum()),
            self.n_parameters(at[1].shape[-1]),
            steps,
            converged,
        )

    def _value(self, each: Floats, weights: Floats, at: tuple[Floats, Floats]) -> float:
        return float((each * weights).sum()) + self.penalty(*at)

    def _leap(
        self, at: tuple[Floats, Floats], one: tuple[Floats, Floats], two: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        first = [b - a for a, b in zip(at, one, strict=True)]
        bend = [c - 2 * b + a for a, b, c in zip(at, one, two, strict=True)]
        size = sum(float((x**2).sum()) for x in bend)
        length = np.sqrt(sum(float((x**2).sum()) for x in first) / size) if size > 0 else 1.0
        length = max(1.0, float(length))
        moves, shares = (a + 2 * length * r + length**2 * v for a, r, v in zip(at, first, bend, strict=True))
        return self._normalised(moves), shares - np.logaddexp.reduce(shares, axis=-1, keepdims=True)

    def _normalised(self, log_moves: Floats) -> Floats:
        kept = np.where(self.observed[:, :, None], log_moves, -np.inf)
        top = np.maximum.reduceat(kept, self.rows, axis=1)
        top = np.where(np.isfinite(top), top, 0.0)[:, self.row_of]
        raised = np.exp(kept - top)
        return np.asarray(np.log(np.maximum(raised / self.totals(raised), TINY)))
