"""What each fix would change: exact what-ifs on the chains, standardised over segments, in every bootstrap draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.candidates.steps import gain_of_step
from journeymine.fixes.what_if.cell_model import CellModel
from journeymine.fixes.what_if.horizon import conversion_within
from journeymine.fixes.what_if.operation import Operation
from journeymine.fixes.what_if.outcome import Conversion, Outcome
from journeymine.fixes.what_if.row_change import RowChange, effect_of, solve
from journeymine.fixes.what_if.scope import Scope
from journeymine.uncertainty import N_DRAWS, bootstrap_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.counts.waits import WaitCounts
    from journeymine.fixes.candidates import Candidate
    from journeymine.fixes.classes import Classes
    from journeymine.fixes.what_if.row_change import SolvedChain
    from journeymine.fixes.what_if.timing import Timing

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SMALLEST_COST = 1e-12
NOTHING = 1e-10
"""Effects below this share of the outcome (or this much) are rounding."""
MOST_TIMED_DRAWS = 200
"""Replicates where the outcome is conversion within a time: each takes 45 solutions in complex numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """Effects of fixes on an outcome, and what they rest on; first axis of the draws: replicates.

    Attributes
    ----------
    effect, drop, reference
        Change of the outcome per start (above 0 is better), drop-out share in the scope, and the share it is brought
        down to; shape (n_fixes,).
    effect_draws, drop_draws
        Replicates, shape (n_draws, n_fixes).
    reference_n
        Visits behind each reference; for assumptions the visits of the activity.
    base, base_draws
        The outcome now, and its replicates, shape (n_draws,).
    on_chain, on_chain_draws
        Effects as the chains give them, before draws of shrunk effects are spread again and before anything else is
        known of them: what effects of several fixes at once are compared with.
    """

    effect: Floats
    drop: Floats
    reference: Floats
    reference_n: Ints
    effect_draws: Floats
    drop_draws: Floats
    base: float
    base_draws: Floats
    on_chain: Floats
    on_chain_draws: Floats


class WhatIf:
    """What-ifs for a list of fixes on the chains of all cells and classes.

    Parameters
    ----------
    counts
        The chain whose rows change, with attempts where they were counted.
    chain
        The same journeys without attempts.
    candidates
        The fixes.
    pools
        State -> group of each cell: at these states small cells lean on the row of their group, not of everybody.
    classes
        Classes of customers: what-ifs are made inside each and averaged. Where none has more than one, the effects
        are those without.
    waits
        Waits after each activity.
    standardise
        False: segments are not looked at.
    outcome
        Makes the outcome for the model; conversion by default.
    timing
        Clock of the activities, where the outcome is conversion within a time.
    """

    def __init__(
        self,
        counts: ChainCounts,
        chain: ChainCounts,
        candidates: Sequence[Candidate],
        *,
        pools: Mapping[int, Ints] | None = None,
        classes: Classes | None = None,
        waits: WaitCounts | None = None,
        standardise: bool = True,
        outcome: Callable[[CellModel], Outcome] | None = None,
        timing: Timing | None = None,
    ) -> None:
        parts = classes.parts(counts) if classes is not None and classes.corrected else None
        self.model = CellModel(counts, pools or {}, parts, standardise=standardise)
        self.candidates = tuple(candidates)
        self.starts = np.bincount(counts.start_unit, counts.start_n, counts.n_units).astype(float)
        self.outcome: Outcome = Conversion() if outcome is None else outcome(self.model)
        self.timing = None if timing is None else timing.of_states(counts)
        self.scopes = [self._scope(candidate) for candidate in candidates]
        self.operations = [
            Operation(candidate, scope, counts, chain, self.model, waits)
            for candidate, scope in zip(candidates, self.scopes, strict=True)
        ]

    def _scope(self, candidate: Candidate) -> Scope:
        model = self.model
        if model.parts is None:
            return Scope(candidate, model.n_units, model.cell_of, model.n_cells)
        return Scope(model.parts.spread(candidate), model.n_units, np.arange(model.n_parts), model.n_parts)

    def estimate(self, *, n_draws: int = N_DRAWS, seed: int = 0) -> Effects:
        """Effects of all fixes on the same draws, so that they can be compared draw by draw."""
        point = self.in_draws(np.ones((1, self.model.n_units)))
        draws = self._draws(n_draws)
        chunks = [
            self.in_draws(weights)
            for weights in bootstrap_weights(self.model.n_units, draws, seed, chunk=self.model.chunk)
        ]
        effect, drop, base = (np.concatenate([chunk[part] for chunk in chunks]) for part in (0, 1, 3))
        reference_n = [int((c.reference or c.scope).n.sum()) for c in self.candidates]
        return Effects(
            effect=point[0][0],
            drop=point[1][0],
            reference=point[2][0],
            reference_n=np.array(reference_n, dtype=np.int64),
            effect_draws=self._spread_again(point[0][0], effect),
            drop_draws=drop,
            base=float(point[3][0]),
            base_draws=base,
            on_chain=point[0][0],
            on_chain_draws=effect,
        )

    def _draws(self, wanted: int) -> int:
        """Draws that can be afforded: each takes dozens of solutions where the outcome is conversion within a time."""
        most = wanted if self.timing is None else min(wanted, MOST_TIMED_DRAWS)
        return self.model.affordable_draws(most)

    def _spread_again(self, effect: Floats, draws: Floats) -> Floats:
        """Draws of shrunk effects: a posterior with the factor b has the variance b s^2, shrunk draws have b^2 s^2."""
        believed = np.array([1.0 if c.shrinkage is None else c.shrinkage for c in self.candidates])
        wider = np.sqrt(np.divide(1.0, believed, out=np.ones_like(believed), where=believed > 0))
        return np.asarray(effect + (draws - effect) * wider)

    def in_draws(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Effect, drop-out share and reference of every fix, shape (draws, n_fixes), and the outcome, (draws,)."""
        solved, share, wait = self._solved(weights)
        results = np.zeros((3, len(weights), len(self.operations)))
        for f, operation in enumerate(self.operations):
            results[0, :, f] = self._effect(f, weights, solved, share, wait, self._rho(f))
            results[1, :, f], results[2, :, f] = operation.scope.shares(weights)
        now = (share * solved.total).sum(axis=1)
        if self.timing is not None:
            changes = [
                self._change(f, weights, solved, wait, self._rho(f)) for f in range(len(self.operations))
            ]
            base, results[0] = self._within(solved, share, changes, weights)
            now = base
        # What only rounding and the leak of loops brings is nothing.
        nothing = NOTHING * np.maximum(np.abs(now), 1.0)[:, None]
        results[0] = np.where(np.abs(results[0]) < nothing, 0.0, results[0])
        return results[0], results[1], results[2], now

    def _within(
        self, solved: SolvedChain, share: Floats, changes: Sequence[RowChange], weights: Floats
    ) -> tuple[Floats, Floats]:
        """Conversion within the horizon, shape (draws,), and the effect of every fix on it, (draws, n_fixes)."""
        assert self.timing is not None
        timed = [self.timing.change(self.operations[f], change, weights) for f, change in enumerate(changes)]
        now, fixed = conversion_within(solved.moves, solved.start, self.timing.clock, timed)
        gain = (share[..., None] * (fixed - now[..., None])).sum(axis=1)
        return (share * now).sum(axis=1), gain

    def _effect(
        self,
        f: int,
        weights: Floats,
        solved: SolvedChain,
        share: Floats,
        wait: Floats | None,
        rho: float,
    ) -> Floats:
        """Effect of one fix in every draw, shape (draws,)."""
        if self._measured(f):
            # What a skipped step does to those who take it was seen in their journeys; a chain forgets who took it.
            assert self.outcome.worth is not None
            gain = rho * gain_of_step(self.candidates[f], weights, self.starts)
            return np.asarray(gain * self.outcome.worth(weights))
        change = self._change(f, weights, solved, wait, rho)
        return np.asarray(self.outcome.sign * (share * effect_of(solved, change)).sum(axis=1))

    def _measured(self, f: int) -> bool:
        return self.candidates[f].kind == "step" and self.outcome.worth is not None and self.timing is None

    def _rho(self, f: int, rho: float | None = None) -> float:
        """Rescue factor times what is believed of an excess that was found and scored on the same customers."""
        candidate = self.candidates[f]
        believed = 1.0 if candidate.shrinkage is None else candidate.shrinkage
        return believed * (candidate.fix.rho if rho is None else rho)

    def _solved(self, weights: Floats) -> tuple[SolvedChain, Floats, Floats | None]:
        moves, start, share = self.model.chains(weights)
        wait = self.outcome.of_visit(weights)
        reward = None if wait is None else wait * (1 - moves[..., -1])
        solved = solve(moves, start, reward=reward, at_goal=self.outcome.at_goal(weights))
        return solved, share, wait

    def _change(
        self, f: int, weights: Floats, solved: SolvedChain, wait: Floats | None, rho: float
    ) -> RowChange:
        operation = self.operations[f]
        change = operation.change(weights, solved.moves, solved.start_columns, rho)
        if wait is None:
            return change
        return RowChange(
            change.rows, change.change, change.start, operation.more_time(change, solved.moves, wait)
        )

    @cached_property
    def now(self) -> tuple[SolvedChain, Floats, Floats | None]:
        """The chains of the log itself, solved; the share of the starts of each part; waits, where they count."""
        return self._solved(np.ones((1, self.model.n_units)))

    def effect_at(self, f: int, rho: float) -> float:
        """Effect of one fix at another rescue factor, without replicates and without a horizon."""
        solved, share, wait = self.now
        weights = np.ones((1, self.model.n_units))
        return float(self._effect(f, weights, solved, share, wait, self._rho(f, rho))[0])

    def effect_of_patience(self, f: int, shape: float) -> float:
        """Effect of a fix of a wait, were the patience of those who leave silently Weibull of another shape."""
        operation = self.operations[f]
        before, operation.shape = operation.shape, shape
        try:
            return self.effect_at(f, operation.fix.rho)
        finally:
            operation.shape = before

    def joint(self, chosen: Sequence[int], weights: Floats | None = None) -> Floats:
        """Effect of several fixes together in every draw, shape (draws,).

        Each acts on what the ones before it left, in the order given, and the changed rows are then one exact low-rank
        what-if. Without weights: in the log itself.
        """
        solved, share, wait = self.now if weights is None else self._solved(weights)
        weights = np.ones((1, self.model.n_units)) if weights is None else weights
        moves, start = solved.moves.copy(), solved.start_columns.copy()
        rows: list[Ints] = []
        reward, measured = np.zeros(solved.moves.shape[:-1]), np.zeros(len(weights))
        timed: list[int] = []
        for f in chosen:
            if self._measured(f):
                measured += self._effect(f, weights, solved, share, wait, self._rho(f))
                continue
            timed.append(f)
            change = self.operations[f].change(weights, moves, start, self._rho(f))
            if wait is not None:
                reward[..., change.rows] += self.operations[f].more_time(change, moves, wait)
            moves[..., change.rows, :] += change.change
            if change.start is not None:
                start += change.start
            rows.append(change.rows)
        if not rows:
            return measured
        changed = np.unique(np.concatenate(rows))
        if self.timing is not None:
            change = RowChange(
                changed,
                moves[..., changed, :] - solved.moves[..., changed, :],
                start - solved.start_columns,
            )
            together_timed = self.timing.joint([self.operations[f] for f in timed], change, weights)
            now, fixed = conversion_within(solved.moves, solved.start, self.timing.clock, [together_timed])
            return np.asarray((share * (fixed[..., 0] - now)).sum(axis=1))
        together = RowChange(
            changed,
            moves[..., changed, :] - solved.moves[..., changed, :],
            start - solved.start_columns,
            None if wait is None else reward[..., changed],
        )
        return np.asarray(measured + self.outcome.sign * (share * effect_of(solved, together)).sum(axis=1))

    def together(self, chosen: Sequence[int], *, n_draws: int, seed: int) -> tuple[float, Floats]:
        """Effect of several fixes together, and its replicates on the draws of `estimate`, shape (n_draws,)."""
        point = float(self.joint(chosen)[0])
        weights = bootstrap_weights(self.model.n_units, self._draws(n_draws), seed, chunk=self.model.chunk)
        return point, np.concatenate([self.joint(chosen, chunk) for chunk in weights])

    def greedy(
        self,
        pool: Sequence[int],
        costs: Sequence[float],
        *,
        budget: float | None,
        most: int,
        scale: float = 1.0,
        believed: Sequence[float] | None = None,
    ) -> list[int]:
        """Places in `pool` of fixes chosen one after the other, each the one that adds most to those before.

        Nothing is chosen that costs more than it adds. With a budget the gain for each unit of cost decides, as long as
        the cost fits; what costs nothing comes first.

        Parameters
        ----------
        scale
            What an effect of 1 is worth, in the unit of the costs.
        believed
            Effect of each fix as it is believed over its effect on the chains, where the two differ.
        """
        trust = [1.0] * len(pool) if believed is None else list(believed)
        chosen: list[int] = []
        reached, spent = 0.0, 0.0
        while len(chosen) < most:
            best: tuple[float, int, float] | None = None
            for place, (fix, cost) in enumerate(zip(pool, costs, strict=True)):
                if place in chosen or (budget is not None and spent + cost > budget):
                    continue
                total = float(self.joint([*(pool[c] for c in chosen), fix])[0])
                gain = (total - reached) * scale * trust[place]
                worth = gain - cost if budget is None else gain / max(cost, SMALLEST_COST)
                if gain > cost and (best is None or worth > best[0]):
                    best = (worth, place, total)
            if best is None:
                break
            chosen.append(best[1])
            reached, spent = best[2], spent + costs[best[1]]
        return chosen

    def baseline(self, f: int) -> float:
        """Share of the journeys that meet a fix's activity, in its segments, which convert today."""
        weights = np.ones((1, self.model.n_units))
        solved, share, _ = self.now
        rows = self.operations[f].rows
        first = rows[self.operations[f].attempt[rows] == 1]
        met = share[..., None] * solved.visits[..., first]
        here = self.scopes[f].part_of_visits(weights)[..., None] > 0
        total = float((met * here).sum())
        return float((met * here * solved.value[..., first]).sum() / total) if total > 0 else float("nan")
