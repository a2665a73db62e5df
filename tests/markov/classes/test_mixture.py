"""Mixtures of chains: planted classes come back, whatever they are called."""

from __future__ import annotations

import numpy as np
from tests.markov.classes.mixture_worlds import CALM, HASTY, LOST, START, three_classes

from journeymine.markov.classes.mixture import by_size, fit_mixture
from journeymine.markov.classes.mixture_em import MixtureModel
from journeymine.markov.classes.mixture_members import member_table
from journeymine.markov.classes.persona_draws import adjusted_rand, matched

WORSE = 0.05
"""Adjusted Rand index that may be lost against the true parameters: what the acceptance of the method asks."""


def true_membership(table: object, shares: list[float]) -> np.ndarray:
    edges, k = table.edges, 3  # type: ignore[attr-defined]
    full = np.zeros((3, k + 1, k + 2))
    full[:, :k] = [CALM, HASTY, LOST]
    full[:, k, :k] = START
    log_moves = np.log(np.maximum(full[:, edges[:, 0], edges[:, 1]], 1e-300)).T[None]
    return MixtureModel(table.members).expect(log_moves, np.log(shares)[None])[0]  # type: ignore[attr-defined]


def test_planted_classes_are_recovered() -> None:
    sequences, kinds = three_classes(10_000, 1)
    table = member_table(sequences)
    fit = fit_mixture(MixtureModel(table.members), 3, np.random.default_rng(0))
    assert fit.converged
    ones = np.ones(len(kinds))
    found = adjusted_rand(kinds, fit.membership[table.kind].argmax(axis=1), ones)
    best = adjusted_rand(kinds, true_membership(table, [0.5, 0.3, 0.2])[table.kind].argmax(axis=1), ones)
    assert best - found < WORSE
    np.testing.assert_allclose(np.exp(fit.log_shares[0]), [0.5, 0.3, 0.2], atol=0.05)


def test_starts_belong_to_the_generator() -> None:
    sequences, _ = three_classes(4000, 1)
    model = MixtureModel(member_table(sequences).members)
    one, same = (fit_mixture(model, 3, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.log_moves, same.log_moves)


def test_labels_are_matched() -> None:
    sequences, _ = three_classes(4000, 1)
    table = member_table(sequences)
    fit = fit_mixture(MixtureModel(table.members), 3, np.random.default_rng(0))
    shuffled = fit.ordered(np.array([2, 0, 1]))
    back = matched(shuffled, fit, table.members.n)
    np.testing.assert_array_equal(back.log_moves, fit.log_moves)
    np.testing.assert_array_equal(by_size(table.members, shuffled).log_shares, fit.log_shares)


def test_adjusted_rand_by_pairs() -> None:
    """Against counting pairs of members one by one (Hubert and Arabie 1985)."""
    rng = np.random.default_rng(5)
    one, other = rng.integers(0, 3, 40), rng.integers(0, 4, 40)
    both = only = alone = 0
    for i in range(40):
        for j in range(i):
            a, b = one[i] == one[j], other[i] == other[j]
            both, only, alone = both + (a and b), only + a, alone + b
    by_chance = only * alone / (40 * 39 / 2)
    expected = (both - by_chance) / ((only + alone) / 2 - by_chance)
    assert abs(adjusted_rand(one, other, np.ones(40)) - expected) < 1e-12
