"""How many visits a chain should remember: orders 0, 1, 2, ... and memory of variable length, compared.

Three views of the same moves: likelihood of journeys held out (customers never split), BIC, and tests of each order
against the next. Likelihood alone always prefers the higher order (Singer et al. 2014); BIC with few journeys and many
targets prefers a lower one than the truth; with a million events every test is significant. So the order is raised
while the next one is both certain and worth something.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import special

from journeymine.counts.memory import BEGIN, Memory
from journeymine.errors import NotEnoughDataError, OptionError, shown
from journeymine.markov.memory.context_tree import ContextTree, context_depth, kept_contexts, tree_of_moves
from journeymine.markov.memory.order_likelihood import (
    Moves,
    folds_of_units,
    free_parameters,
    log_likelihood,
    ordered_moves,
    smoothed_levels,
)
from journeymine.markov.memory.order_tests import MemoryTest, memory_test
from journeymine.uncertainty import LEVEL, Estimates

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MAX_ORDER = 3
ALPHA = 0.01
"""A higher order is certain below this p value."""
ALPHA_AFTER_GAP = 1e-4
"""The same, if an order in between was not called for."""
MIN_BITS = 0.002
"""Information about the next move, in bits, that a higher order has to add: below, it is not worth its states."""
VARIABLE = "variable"
Reason = Literal["highest", "not certain", "negligible"]


@dataclass(frozen=True, slots=True, eq=False)
class OrderChoice:
    """Orders compared, and the one to use.

    Attributes
    ----------
    order
        The order chosen.
    reason
        Why not a higher one: none was compared ("highest"), its test did not reject ("not certain"), or it adds
        too little ("negligible").
    states
        Names of the states.
    tests
        Test of each order against the next, orders 0, 1, ..., max_order - 1.
    heldout
        Log-likelihood per journey of journeys that the shares were not learnt from, with its interval over customers;
        orders 0, 1, ..., max_order, then variable length; shape (max_order + 2,).
    versus_chosen
        The same less that of the order chosen, by journey.
    log_likelihood, n_contexts, n_parameters
        Of the same models on all moves, shape (max_order + 2,).
    bic, aic
        Their criteria, with the number of journeys as sample size.
    tree
        The memory of variable length.
    n_moves, n_journeys
        What was compared: watched visits, and journeys with one.
    """

    order: int
    reason: Reason
    states: tuple[str, ...]
    tests: tuple[MemoryTest, ...]
    heldout: Estimates
    versus_chosen: Estimates
    log_likelihood: Floats
    n_contexts: Ints
    n_parameters: Ints
    bic: Floats
    aic: Floats
    tree: ContextTree
    n_moves: int
    n_journeys: int

    @property
    def max_order(self) -> int:
        """The highest order compared."""
        return len(self.tests)

    @property
    def memory(self) -> Memory:
        """What states of a chain of this order remember; order 0 has the states of order 1."""
        return Memory(order=max(self.order, 1))

    @property
    def table(self) -> pd.DataFrame:
        """One row an order, then one for variable length.

        Columns: order, n_contexts, n_parameters, log_likelihood, heldout_per_journey, lower, upper (of held-out
        likelihood), versus_chosen, versus_lower, versus_upper, bic, aic; of the test against the order before:
        lr_statistic, df, p_value, design_effect, bits; chosen.
        """
        import pandas as pd

        tests = [None, *self.tests, None]
        columns = {
            "order": [*range(self.max_order + 1), VARIABLE],
            "n_contexts": self.n_contexts,
            "n_parameters": self.n_parameters,
            "log_likelihood": self.log_likelihood,
            "heldout_per_journey": self.heldout.estimate,
            "lower": self.heldout.lower,
            "upper": self.heldout.upper,
            "versus_chosen": self.versus_chosen.estimate,
            "versus_lower": self.versus_chosen.lower,
            "versus_upper": self.versus_chosen.upper,
            "bic": self.bic,
            "aic": self.aic,
        }
        for name in ("lr_statistic", "df", "p_value", "design_effect", "bits"):
            columns[name] = [np.nan if test is None else float(getattr(test, name)) for test in tests]
        columns["chosen"] = [*(order == self.order for order in range(self.max_order + 1)), False]
        return pd.DataFrame(columns)

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table

    @property
    def sentence(self) -> str:
        """Why this order, in one sentence."""
        return f"Order {self.order}: {self._why_at_least()}; {self._why_no_more()}."

    def _why_at_least(self) -> str:
        if self.order == 0:
            return f"the next step depends on no earlier one as far as {self.n_journeys:,} journeys can tell"
        test = self.tests[self.order - 1]
        what = (
            "the state"
            if self.order == 1
            else f"{_visits(self.order)} and not only {_visits(self.order - 1)}"
        )
        far = ""
        if test.context:
            far = f" (up to {100 * test.distance:.0f} % of the moves change: {self._where(test)})"
        return (
            f"knowing {what} tells {test.bits:.3f} bits a move about the next step, {_p(test.p_value)}{far}"
        )

    def _why_no_more(self) -> str:
        if self.reason == "highest":
            return "no higher order was compared"
        test = self.tests[self.order]
        if self.reason == "negligible":
            return f"one more visit adds only {max(test.bits, 0.0):.4f} bits a move, though not by chance"
        more = f"one more visit adds {max(test.bits, 0.0):.4f} bits a move"
        return f"{more}, no more than chance may ({_p(test.p_value)})"

    def _where(self, test: MemoryTest) -> str:
        names = ["the start" if state == BEGIN else self.states[state] for state in test.context]
        return " > ".join(names)

    def __repr__(self) -> str:
        lines = [self.sentence]
        for at in range(self.max_order + 2):
            order = f"order {at}" if at <= self.max_order else "variable"
            held = self.heldout.estimate[at]
            mark = " <" if at == self.order else ""
            lines.append(
                f"  {order}: {self.n_contexts[at]:,} contexts, held out {held:.4f}, BIC {self.bic[at]:,.1f}{mark}"
            )
        return "\n".join([*lines[:11], "Next: .table, .tree, .tests"])


def _visits(n: int) -> str:
    return "the last visit" if n == 1 else f"the last {n} visits"


def _p(p_value: float) -> str:
    return "p < 0.0001" if p_value < 1e-4 else f"p = {p_value:.4f}"


def compare_orders(sequences: SequenceCounts, *, max_order: int = MAX_ORDER, seed: int = 0) -> OrderChoice:
    """Compare chains of order 0, 1, ..., max_order and memory of variable length on the same moves.

    The order is raised from 0 while the next one is certain (p < 0.01) and adds at least 0.002 bits a move. An order
    that does not call for itself is passed over if the one above it does at p < 0.0001.

    Parameters
    ----------
    sequences
        Journeys. The first visit of each is given; its moves have the beginning as their context.
    seed
        Of the folds and of the tests.

    Raises
    ------
    OptionError
        max_order is no whole number from 1.
    NotEnoughDataError
        There is no move, or all journeys are of one customer.

    Examples
    --------
    >>> from journeymine.markov.lists import count_lists
    >>> paths = [["form", "pay", "paid"], ["form", "pay"], ["pay", "form", "pay", "paid"], ["pay"]]
    >>> _, journeys = count_lists(paths, goal="paid", weights=[90, 110, 95, 105])
    >>> compare_orders(journeys, max_order=2).order
    2
    """
    if isinstance(max_order, bool) or not isinstance(max_order, (int, np.integer)) or max_order < 1:
        raise OptionError(f"max_order is {shown(max_order)}, expected a whole number from 1.")
    moves = ordered_moves(sequences, max_order + 1)
    if int((moves.journeys > 0).sum()) < 2:
        hint = "pass customers, or read a log of more customers."
        raise NotEnoughDataError("all journeys are of one customer: no order can be told from it.", hint=hint)
    orders = range(max_order + 1)
    tests = tuple(memory_test(moves, order, seed=seed) for order in range(max_order))
    chosen = _chosen(tests)
    tree = tree_of_moves(moves, sequences.states)
    likelihoods = np.array(
        [*(log_likelihood(moves.levels[d], moves.cells(d)) for d in orders), tree.log_likelihood]
    )
    parameters = np.array([*(int(free_parameters(moves, d).sum()) for d in orders), tree.n_parameters])
    by_unit = _heldout_by_unit(moves, max_order, seed)
    journeys = int(moves.journeys.sum())
    return OrderChoice(
        order=chosen,
        reason=_reason(tests, chosen),
        states=sequences.states,
        tests=tests,
        heldout=_per_journey(by_unit, moves.journeys),
        versus_chosen=_per_journey(by_unit - by_unit[:, [chosen]], moves.journeys),
        log_likelihood=likelihoods,
        n_contexts=np.array([*(moves.levels[d].n_contexts for d in orders), len(tree.contexts)]),
        n_parameters=parameters,
        bic=-2 * likelihoods + np.log(max(journeys, 2)) * parameters,
        aic=-2 * likelihoods + 2 * parameters,
        tree=tree,
        n_moves=int(moves.n.sum()),
        n_journeys=journeys,
    )


def _chosen(tests: tuple[MemoryTest, ...]) -> int:
    order = 0
    for at, test in enumerate(tests):
        certain = test.p_value < (ALPHA if order == at else ALPHA_AFTER_GAP)
        if certain and test.bits >= MIN_BITS:
            order = at + 1
    return order


def _reason(tests: tuple[MemoryTest, ...], order: int) -> Reason:
    if order == len(tests):
        return "highest"
    return "negligible" if tests[order].p_value < ALPHA else "not certain"


def _heldout_by_unit(moves: Moves, max_order: int, seed: int) -> Floats:
    """Held-out log-likelihood of each unit, shape (n_units, max_order + 2); the last is of variable length."""
    fold = folds_of_units(moves.n_units, seed)[moves.unit]
    price, everything = np.log(max(moves.journeys.sum(), 2)) / 2, moves.deepest()
    total = np.zeros((moves.n_units, max_order + 2))
    for held in np.unique(fold):
        here = fold == held
        learn = everything - moves.deepest(here)
        shares = smoothed_levels(moves, learn)
        depth = context_depth(moves, kept_contexts(moves, learn, price))
        by_depth = np.stack([np.log(p[level.cell]) for p, level in zip(shares, moves.levels, strict=True)])
        variable = np.take_along_axis(by_depth, depth[None], axis=0)
        deep, unit, n = moves.deep[here], moves.unit[here], moves.n[here]
        for at, value in enumerate([*by_depth[: max_order + 1], variable[0]]):
            total[:, at] += np.bincount(unit, n * value[deep], moves.n_units)
    return total


def _per_journey(by_unit: Floats, journeys: Floats) -> Estimates:
    """Sums over units per journey, with Student's interval of a ratio over units (Taylor)."""
    there = journeys > 0
    by_unit, journeys = by_unit[there], journeys[there]
    units, total = len(journeys), journeys.sum()
    mean = by_unit.sum(axis=0) / total
    residual = by_unit - mean * journeys[:, None]
    error = np.sqrt(units / (units - 1) * (residual**2).sum(axis=0)) / total
    half = special.stdtrit(units - 1, 0.5 + LEVEL / 2) * error
    return Estimates(mean, mean - half, mean + half, np.full(mean.shape, int(total)))
