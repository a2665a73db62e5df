"""What each persona does, for the fitted mixture and for mixtures fitted again to resampled customers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

from journeymine.markov.absorbing import absorb
from journeymine.markov.classes.mixture import MOST_FOR_STARTS, fit_mixture
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.persona_paths import path_probability, probable_path
from journeymine.uncertainty import bootstrap_weights, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.markov.classes.mixture_em import Members, Mixture
    from journeymine.markov.classes.mixture_members import MemberTable

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

STEPS_OF_A_DRAW = 150
N_STABILITY = 20
STARTS_OF_STABILITY = 4
WORK_LIMIT = 1.2e10
MIN_DRAWS = 50


@dataclass(frozen=True, slots=True, eq=False)
class PersonaNumbers:
    """Numbers of K personas, or with a leading axis of draws.

    Attributes
    ----------
    size
        Share of the journeys, shape (K,).
    conversion
        Share of its journeys that reach the goal, followed to their ends, shape (K,).
    events
        Expected visits before the goal or the end, shape (K,).
    visits, other_visits
        Expected visits of each state per journey, in the persona and in the others, shape (K, k).
    moves, other_moves
        Probability of each edge, in the persona and in the others, shape (K, n_edges).
    made
        Expected number of times a journey of the persona makes each edge, shape (K, n_edges).
    segments, other_segments
        Share of the persona's journeys, and of the others', with each value of each segment, shape (K, n_values).
    path
        Probability of the journey that is the point estimate's most probable one, shape (K,).
    separation
        1 - entropy of the memberships / log K: 1 where no member is in doubt; shape ().
    """

    size: Floats
    conversion: Floats
    events: Floats
    visits: Floats
    other_visits: Floats
    moves: Floats
    other_moves: Floats
    made: Floats
    segments: Floats
    other_segments: Floats
    path: Floats
    separation: Floats


class PersonaModel:
    """Turns a mixture and a reweighting of the units into numbers.

    Parameters
    ----------
    table
        Members.
    fit
        Point estimate; replicates start from it and are matched with it.
    """

    def __init__(self, table: MemberTable, fit: Mixture) -> None:
        self.table, self.fit = table, fit
        self.model = MixtureModel(table.members)
        self.names, self.values = segment_values(table.sequences.cells)
        self.pairs = _KindsBySegment(table, self.values, len(self.names))
        chains = zip(*self.chains(fit), strict=True)
        self.paths = tuple(probable_path(moves, start) for moves, start in chains)

    def numbers(self, fit: Mixture, unit_weights: Floats) -> PersonaNumbers:
        """Numbers of one mixture."""
        members = np.asarray(unit_weights @ self.table.by_unit)
        journeys = np.asarray(unit_weights @ self.table.journeys)
        of_class = fit.membership.T @ journeys
        size = of_class / of_class.sum()
        moves, start = self.chains(fit)
        k = moves.shape[1]
        solved = absorb(moves[..., :k], moves[..., k], start[:, :k], start[:, k])
        visits = solved.visits
        made = self.model.made(fit.membership, members)[0].T
        totals = self.model.totals(made.T[None])[0].T
        share = np.exp(fit.log_moves[0]).T
        segments = self.pairs.journeys(unit_weights, fit.membership)
        return PersonaNumbers(
            size=size,
            conversion=solved.conversion,
            events=visits.sum(axis=-1),
            visits=visits,
            other_visits=_of_others(visits * size[:, None], size),
            moves=share,
            other_moves=_ratio(made.sum(axis=0) - made, totals.sum(axis=0) - totals),
            made=self._made(visits, share),
            segments=_ratio(segments, of_class[:, None]),
            other_segments=_ratio(segments.sum(axis=0) - segments, (of_class.sum() - of_class)[:, None]),
            path=np.array([path_probability(*each) for each in zip(self.paths, moves, start, strict=True)]),
            separation=np.array(_separation(fit.membership, members)),
        )

    def chains(self, fit: Mixture) -> tuple[Floats, Floats]:
        """Matrices of the classes, shape (K, k, k + 2), and where their journeys start, shape (K, k + 1)."""
        k, edges = self.table.sequences.n_states, self.table.edges
        full = np.zeros((fit.n_classes, k + 1, k + 2))
        full[:, edges[:, 0], edges[:, 1]] = np.exp(fit.log_moves[0]).T
        return full[:, :k], full[:, k, : k + 1]

    def _made(self, visits: Floats, share: Floats) -> Floats:
        """Expected moves of a journey along each edge; one start."""
        once = np.concatenate([visits, np.ones((len(visits), 1))], axis=1)
        return np.asarray(once[:, self.table.edges[:, 0]] * share)

    def replicates(self, n_draws: int, seed: int) -> PersonaNumbers:
        """Numbers of mixtures fitted again to resampled units, from the point estimate, classes matched with it."""
        found = []
        for weights in bootstrap_weights(self.table.sequences.n_units, n_draws, seed, chunk=20):
            for weight in weights:
                members = np.asarray(weight @ self.table.by_unit)
                again = self.model.climb(
                    self.fit.log_moves, self.fit.log_shares, members, most=STEPS_OF_A_DRAW
                )
                found.append(self.numbers(matched(again, self.fit, members), weight))
        return PersonaNumbers(
            **{
                f.name: np.stack([getattr(numbers, f.name) for numbers in found])
                for f in fields(PersonaNumbers)
            }
        )

    def affordable_draws(self, wanted: int) -> int:
        """Fewer draws where each is a long fit; never fewer than 50."""
        work = 20.0 * self.table.members.moves.nnz * self.fit.n_classes
        return min(wanted, max(MIN_DRAWS, int(WORK_LIMIT / max(work, 1.0))))

    def stability(self, n_draws: int, seed: int) -> Floats:
        """Adjusted Rand index between the personas and those found afresh in resampled units, shape (draws,).

        Nothing of the point estimate enters these fits, so that another local maximum would show.
        """
        members = self.table.members
        chosen: Ints = np.arange(len(members.n), dtype=np.int64)
        rng = generator(seed, "stability of personas")
        if len(chosen) > MOST_FOR_STARTS:
            chosen = np.sort(rng.choice(len(members.n), MOST_FOR_STARTS, replace=False))
        some = members.take(chosen)
        here = self.fit.membership[chosen].argmax(axis=1)
        found = []
        for weights in bootstrap_weights(
            self.table.sequences.n_units, min(n_draws, N_STABILITY), seed, chunk=20
        ):
            drawn = np.asarray(weights @ self.table.by_unit)[:, chosen]
            found += [adjusted_rand(here, self._afresh(some, n, rng), some.n) for n in drawn]
        return np.array(found)

    def _afresh(self, some: Members, n: Floats, rng: np.random.Generator) -> Ints:
        """Class of each kind by a mixture fitted to `n` members of them."""
        drawn = type(some)(some.moves[n > 0], n[n > 0], some.cell[n > 0], some.row_of)
        fit = fit_mixture(
            MixtureModel(drawn, self.model.observed), self.fit.n_classes, rng, n_starts=STARTS_OF_STABILITY
        )
        joint = MixtureModel(some, self.model.observed).log_joint(fit.log_moves, fit.log_shares)
        return np.asarray(joint.argmax(axis=1))


class _KindsBySegment:
    """Journeys of each unit by kind of member and value of a segment."""

    def __init__(self, table: MemberTable, values: Ints, n_values: int) -> None:
        from scipy import sparse

        sequences, n_columns = table.sequences, values.shape[1]
        self.n_values = n_values
        key = (table.kind[:, None] * max(n_values, 1) + values[sequences.cell]).ravel()
        self.pairs, place = np.unique(key, return_inverse=True)
        shape = (sequences.n_units, len(self.pairs))
        n = np.repeat(sequences.n, n_columns).astype(float)
        self.by_unit = sparse.csr_array(
            (n, (np.repeat(sequences.unit, n_columns), place.ravel())), shape=shape
        )

    def journeys(self, weights: Floats, membership: Floats) -> Floats:
        """Journeys of each class with each value, shape (K, n_values)."""
        n = np.asarray(weights @ self.by_unit)
        kind, value = self.pairs // max(self.n_values, 1), self.pairs % max(self.n_values, 1)
        return np.stack([np.bincount(value, n * m[kind], self.n_values) for m in membership.T])


def segment_values(cells: tuple[tuple[str, ...], ...]) -> tuple[tuple[tuple[int, str], ...], Ints]:
    """Column and value of every value that occurs, and the number of the value of each cell and column.

    Examples
    --------
    >>> segment_values((("a", "x"), ("b", "x")))
    (((0, 'a'), (0, 'b'), (1, 'x')), array([[0, 2], [1, 2]]))
    """
    names = sorted({(column, value) for cell in cells for column, value in enumerate(cell)})
    place = {name: number for number, name in enumerate(names)}
    rows = [[place[column, value] for column, value in enumerate(cell)] for cell in cells]
    return tuple(names), np.array(rows, dtype=np.int64).reshape(len(cells), -1)


def matched(again: Mixture, point: Mixture, members: Floats) -> Mixture:
    """A replicate with its classes in the order of the point estimate's (Hungarian assignment of shared members)."""
    shared = (point.membership * members[:, None]).T @ again.membership
    return again.ordered(linear_sum_assignment(-shared)[1])


def adjusted_rand(one: Ints, other: Ints, n: Floats) -> float:
    """Agreement of two partitions of `n` members of each kind: 1 the same, 0 as by chance (Hubert and Arabie 1985).

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([2.0, 3.0, 4.0]))
    1.0
    """
    width = int(other.max(initial=0)) + 1
    counted = np.bincount(one * width + other, n, (int(one.max(initial=0)) + 1) * width)
    table = counted.astype(float).reshape(-1, width)
    margins: tuple[Floats, ...] = (table, table.sum(axis=1), table.sum(axis=0))
    together, rows, columns = (_pairs(x).sum() for x in margins)
    by_chance = rows * columns / _pairs(table.sum())
    most = (rows + columns) / 2
    return 1.0 if most == by_chance else float((together - by_chance) / (most - by_chance))


def _pairs(n: Floats) -> Floats:
    return np.asarray(n * (n - 1) / 2)


def _separation(membership: Floats, members: Floats) -> float:
    """Entropy R squared (Celeux and Soromenho 1996; Ramaswamy and others 1993); nan for one class."""
    k = membership.shape[1]
    if k == 1:
        return float("nan")
    log = np.log(np.maximum(membership, 1e-300))
    entropy = -(membership * log).sum(axis=1) @ members
    return float(1 - entropy / (members.sum() * np.log(k)))


def _of_others(weighted: Floats, size: Floats) -> Floats:
    return _ratio(weighted.sum(axis=0) - weighted, (1 - size)[:, None])


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.divide(a, b, out=np.full(np.broadcast(a, b).shape, np.nan), where=b > 1e-12))
