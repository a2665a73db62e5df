"""The transition matrix of a chain as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.draw.heat import Bounds, HeatStep, Move, heat
from journeymine.uncertainty import wilson

if TYPE_CHECKING:
    from journeymine.draw.figure import Figure
    from journeymine.markov.chain import MarkovChain

NO_GOAL = (("ended", "data2"),)
WITH_GOAL = (("goal", "good"), ("dropped", "bad"))


def matrix_figure(chain: MarkovChain) -> Figure:
    """Draw the matrix: from each state (row) the share of journeys that go on to each other one, or end.

    States stand in the order in which journeys come to them on average. Above 25 the rarest are drawn as one. Each
    cell says its share, the 95 % interval and the counts when pointed at.

    Examples
    --------
    >>> from journeymine.markov.chain import MarkovChain
    >>> chain = MarkovChain.from_sequences([["visit", "pay", "paid"], ["visit"]], goal="paid", weights=[30, 20])
    >>> figure = matrix_figure(chain)
    >>> figure.to_dicts()
    [{'source': 'visit', 'target': 'pay', 'share': 0.6, 'n': 30}]
    >>> "visit → pay: 60%" in figure.svg(), "visit → dropped: 40%" in figure.svg()
    (True, True)
    """
    k = len(chain.states)
    counts = chain.to_frame()["n"].to_numpy()
    place = {(source, target): e for e, (source, target) in enumerate(chain.edges.tolist())}
    moves = [
        Move(
            source=chain.states[source],
            target=chain.states[target],
            n=int(counts[e]),
            share=float(chain.edge_share.estimate[e]),
            bounds=_bounds(chain, e),
        )
        for (source, target), e in place.items()
        if target < k
    ]
    visits = np.bincount(chain.counts.source, weights=chain.counts.n, minlength=k).astype(np.int64)
    ends = (k, k + 1) if chain.has_goal else (k + 1,)
    steps = [
        _step(chain, i, int(visits[i]), [place.get((i, column)) for column in ends]) for i in _order(chain)
    ]
    alt = f"Transition matrix of {k} states."
    labels = WITH_GOAL if chain.has_goal else NO_GOAL
    return heat(steps, moves, lang="en", alt=alt, other=_other, exit_labels=labels)


def _step(chain: MarkovChain, state: int, n: int, exits: list[int | None]) -> HeatStep:
    """One row, with the edges that end a journey, if there are any."""
    shares = chain.edge_share.estimate
    never = (0.0, float(wilson(0, n)[1]), n) if n else None
    return HeatStep(
        name=chain.states[state],
        n=n,
        exits=tuple(0.0 if e is None else float(shares[e]) for e in exits),
        exit_bounds=tuple(never if e is None else _bounds(chain, e) for e in exits),
        departures=n,
    )


def _bounds(chain: MarkovChain, edge: int) -> Bounds | None:
    share = chain.edge_share
    low, high = float(share.lower[edge]), float(share.upper[edge])
    return (low, high, int(share.n[edge])) if np.isfinite(low) and np.isfinite(high) else None


def _order(chain: MarkovChain) -> list[int]:
    """States by the mean number of the step at which journeys are there.

    With start s, visits are v = s N, and the numbers of their steps sum to w = v N.
    """
    solved = chain.point.solved
    numbers = solved.visits @ solved.fundamental
    mean = np.divide(numbers, solved.visits, out=np.full(len(numbers), np.inf), where=solved.visits > 0)
    return sorted(range(len(mean)), key=lambda i: (round(float(mean[i]), 9), i))


def _other(n: int) -> str:
    return f"other ({n} states)"
