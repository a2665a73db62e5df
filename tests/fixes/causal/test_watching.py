"""Being watched: Kaplan-Meier in steps against lifelines, and conversion of journeys that were cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from journeymine.counts.chain import DROP, GOAL
from journeymine.fixes.causal.watching import LEAST, kept_in_sight

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDING = 1e-12
CONVERSION = 0.012
"""Three standard errors of a share of one half of 20,000 journeys with weights of about 1.6."""


def test_equals_kaplan_meier_of_lifelines(make_sequences: Callable[..., Any]) -> None:
    """States come in a fixed order, so that the state is the step."""
    rng = np.random.default_rng(0)
    paths = [list(range(k)) for k in range(1, 5)]
    which = rng.integers(4, size=400)
    lost = rng.random(400) < 0.4
    last = np.where(lost & (which < 3), which + 1, np.where(rng.random(400) < 0.5, GOAL, DROP))
    sequences = make_sequences(paths, last, which, states=tuple("abcd"))
    gone = last >= 0
    # A journey that ends at a step was not at risk of being lost there.
    fitter = KaplanMeierFitter().fit(which + 1 - 0.5 * ~gone, gone)
    sight = kept_in_sight(sequences)
    for k in range(4):
        place = np.flatnonzero(sequences.code == k)[0]
        assert sight[place, 1] == pytest.approx(fitter.predict(k + 0.25), abs=ROUNDING)


def test_forward_times_backward_is_the_whole_way(make_help_world: Callable[..., Any]) -> None:
    sequences = make_help_world(2000, 1, lost=0.1).sequences
    sight = kept_in_sight(sequences)
    whole = sight[sequences.begin[:-1][sequences.of_visit], 0]
    assert sight.prod(axis=1) == pytest.approx(whole)


def test_everybody_watched_is_certain(make_help_world: Callable[..., Any]) -> None:
    assert (kept_in_sight(make_help_world(500, 1).sequences) == 1).all()


def test_weights_restore_the_conversion_of_all(make_sequences: Callable[..., Any]) -> None:
    """Half drop out at once, half convert after four steps, at each of which a fifth is lost from sight."""
    rng = np.random.default_rng(5)
    seen = 1 + (rng.random((20_000, 3)) >= 0.2).cumprod(axis=1).sum(axis=1)
    converts = rng.random(20_000) < 0.5
    which = np.where(converts, seen - 1, 0)
    last = np.where(~converts, DROP, np.where(seen == 4, GOAL, seen))
    paths = [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    cut = make_sequences(paths, last, which, states=tuple("abcd"))
    ended = np.isin(cut.last, (GOAL, DROP))
    weight = np.where(ended, 1 / kept_in_sight(cut)[cut.begin[:-1], 0], 0.0)
    reached = cut.last == GOAL
    assert reached[ended].mean() < 0.36  # 0.5 * 0.512 / (0.5 + 0.5 * 0.512) = 0.339
    # The drop-out from the first state is not at risk of being lost: only goers are, and weights undo just that.
    assert (weight * reached).sum() / len(weight) == pytest.approx(0.5, abs=CONVERSION)


def test_no_weight_above_twenty(make_sequences: Callable[..., Any]) -> None:
    which = np.repeat([0, 1], [1000, 10])
    sequences = make_sequences([[0], [0, 1]], np.repeat([1, GOAL], [1000, 10]), which, states=("a", "b"))
    assert kept_in_sight(sequences).min() == LEAST
