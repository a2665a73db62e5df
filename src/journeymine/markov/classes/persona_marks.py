"""What marks a persona: states, moves and segments that it has more or less of than the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from journeymine.uncertainty import Estimates, quantile_of_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.classes.persona_draws import PersonaNumbers

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LEVEL = 0.05
"""False discovery rate of the marks of all personas together."""
SEEN = 0.01
"""A state or move marks only if a journey makes it this often, in the persona or in the others."""
LEAST = 0.005
"""What is rarer counts as this often where a lift is computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A state or a move that marks a persona.

    Attributes
    ----------
    kind
        "state": visits per journey; "start": where journeys start; "move": what follows a state.
    source, target
        State and what follows it; of a start only the target, of a state only the source.
    share, others
        Visits per journey or probability, in the persona and in the others.
    lift
        Their ratio with its interval.
    q_value
        Of the difference, over all marks of all personas that were compared.
    """

    kind: str
    source: str | None
    target: str | None
    share: float
    others: float
    lift: Estimates
    q_value: float


@dataclass(frozen=True, slots=True, eq=False)
class SegmentMark:
    """A value of a segment that is more or less frequent in a persona than in the others.

    Attributes
    ----------
    column
        Number of the segment column.
    value
        The value.
    share, others
        Share of the journeys, in the persona and in the others.
    lift
        Their ratio with its interval.
    q_value
        Of the difference, over all values and personas.
    """

    column: int
    value: str
    share: float
    others: float
    lift: Estimates
    q_value: float


def log_interval(estimate: Floats, draws: Floats, n: Ints | int) -> Estimates:
    """Interval of positive numbers from the spread of the logarithms of their draws."""
    size = _log_spread(draws)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        far = np.exp(quantile_of_normal(0.95) * size)
        low, high = estimate / far, estimate * far
    return Estimates(estimate, np.where(estimate == 0, 0.0, low), high, np.asarray(n, dtype=np.int64))


def _log_spread(draws: Floats) -> Floats:
    """Standard deviation of the logarithms of draws that are positive; nan where fewer than two are."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(draws > 0, np.log(np.where(draws > 0, draws, 1.0)), np.nan)
    known = np.isfinite(logs).sum(axis=0) > 1
    size = np.full(known.shape, np.nan)
    if known.any():
        size[known] = np.nanstd(logs[:, known], axis=0, ddof=1)
    return size


def lifts(
    own: Floats, others: Floats, own_draws: Floats, other_draws: Floats, n: Ints
) -> tuple[Estimates, Floats]:
    """Ratios with their intervals, and p values of their logarithms against 0.

    What is rarer than one in 200 counts as one in 200: a quotient of next to nothing says nothing.

    The test takes the personas as given: it says what tells them apart, not that they exist.
    """
    ratio, ratios = _divided(own, others), _divided(own_draws, other_draws)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(np.log(ratio)) / _log_spread(ratios)
    z = np.where(np.isfinite(z), z, 0.0)
    return log_interval(ratio, ratios, n), np.asarray(2 * special.ndtr(-z))


def _divided(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.maximum(a, LEAST) / np.maximum(b, LEAST))


def marks_of(
    states: tuple[str, ...],
    columns: tuple[str, ...],
    edges: Ints,
    point: PersonaNumbers,
    draws: PersonaNumbers,
    n: Ints,
) -> tuple[tuple[Mark, ...], ...]:
    """Marks of each persona at a false discovery rate of 5 %, the surest difference first.

    Parameters
    ----------
    states, columns
        Names of the states, and of all columns.
    edges
        Source and column of each edge; source k is the start.
    point, draws
        Numbers and their replicates.
    n
        Journeys of each persona.
    """
    k, n_edges = len(states), len(edges)
    size = n[:, None] + np.zeros((1, k + n_edges), np.int64)
    own, others, own_draws, other_draws = (
        np.concatenate([getattr(numbers, a), getattr(numbers, b)], axis=-1)
        for numbers, a, b in (
            (point, "visits", "moves"),
            (point, "other_visits", "other_moves"),
            (draws, "visits", "moves"),
            (draws, "other_visits", "other_moves"),
        )
    )
    often = np.concatenate([np.maximum(point.visits, point.other_visits), point.made], axis=1) >= SEEN
    lift, p = lifts(own, others, own_draws, other_draws, size)
    chosen = _kept(lift, p, often)
    found: list[tuple[Mark, ...]] = []
    for i, (places, q) in enumerate(chosen):
        marks = []
        for place, q_value in zip(places.tolist(), q.tolist(), strict=True):
            kind, source, target = "state", None, None
            if place < k:
                source = states[place]
            else:
                at, column = edges[place - k].tolist()
                kind, source = ("start", None) if at == k else ("move", states[at])
                target = columns[column]
            numbers = float(own[i, place]), float(others[i, place])
            marks.append(Mark(kind, source, target, *numbers, _scalar(lift, (i, place)), q_value))
        found.append(tuple(marks))
    return tuple(found)


def segments_of(
    names: tuple[tuple[int, str], ...], point: PersonaNumbers, draws: PersonaNumbers, n: Ints
) -> tuple[tuple[SegmentMark, ...], ...]:
    """Values of segments that mark each persona at a false discovery rate of 5 %, the surest first."""
    size = n[:, None] + np.zeros((1, len(names)), np.int64)
    lift, p = lifts(point.segments, point.other_segments, draws.segments, draws.other_segments, size)
    chosen = _kept(lift, p, np.ones(p.shape, dtype=bool))
    return tuple(
        tuple(
            SegmentMark(
                names[place][0],
                names[place][1],
                float(point.segments[i, place]),
                float(point.other_segments[i, place]),
                _scalar(lift, (i, place)),
                q_value,
            )
            for place, q_value in zip(places.tolist(), q.tolist(), strict=True)
        )
        for i, (places, q) in enumerate(chosen)
    )


def _kept(lift: Estimates, p: Floats, often: NDArray[np.bool_]) -> list[tuple[Ints, Floats]]:
    """Places and q values of each persona's marks: those that differ, the largest surely known difference first."""
    compared = often & np.isfinite(lift.estimate)
    q = np.ones(p.shape)
    if compared.any():
        q[compared] = stats.false_discovery_control(p[compared], method="bh")
    with np.errstate(divide="ignore", invalid="ignore"):
        sure = np.maximum(np.log(lift.lower), -np.log(lift.upper))
    found = []
    for i in range(len(p)):
        places = np.flatnonzero(compared[i] & (q[i] <= LEVEL) & (sure[i] > 0))
        places = places[np.argsort(-sure[i, places], kind="stable")]
        found.append((places, q[i, places]))
    return found


def _scalar(values: Estimates, at: tuple[int, int]) -> Estimates:
    return Estimates(values.estimate[at], values.lower[at], values.upper[at], values.n[at])
