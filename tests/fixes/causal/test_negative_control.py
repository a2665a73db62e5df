"""Negative controls: quiet where the past is over, loud where a hidden trait drives past, exposure and outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from journeymine.counts.chain import DROP, GOAL
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.fixes.causal.aipw import exposure_effect
from journeymine.fixes.causal.negative_control import negative_control

LOOK, TIP, FORM, HELP = range(4)
STATES = ("Look", "Tip", "Form", "Help")
RUNS = 80

Make = Callable[..., Any]


def looking_world(make_sequences: Make, n: int, seed: int, *, hidden: bool) -> Any:
    """People look one to four times, may see a tip, come to the form, may ask for help; `hidden`: a trait rules."""
    rng = np.random.default_rng(seed)
    trait = rng.random(n) < 0.5
    again = np.where(trait & hidden, 0.7, 0.3)
    looks = 1 + (rng.random((n, 3)) < again[:, None]).cumprod(axis=1).sum(axis=1).astype(int)
    tip = rng.random(n) < np.where(trait & hidden, 0.6, 0.3)
    asks = rng.random(n) < np.where(trait & hidden, 0.6, 0.3)
    paid = rng.random(n) < np.where(trait & hidden, 0.7, 0.4)
    paths = [
        [LOOK] * k + [TIP] * t + [FORM] + [HELP] * h for k in range(1, 5) for t in (0, 1) for h in (0, 1)
    ]
    which = (looks - 1) * 4 + tip * 2 + asks
    # Those who do not ask convert or fail at the form; who fails there went on elsewhere, to another look.
    paths += [[LOOK] * k + [TIP] * t + [FORM, LOOK] for k in range(1, 5) for t in (0, 1)]
    fails = ~asks & ~paid
    which = np.where(fails, 16 + (looks - 1) * 2 + tip, which)
    return make_sequences(paths, np.where(paid, GOAL, DROP), which, states=STATES)


def test_quiet_in_a_chain_without_memory(make_sequences: Make) -> None:
    """The past says nothing about what comes next: 95 % intervals hold 0 about 95 times in 100."""
    quiet = np.zeros(2)
    for seed in range(RUNS):
        sequences = looking_world(make_sequences, 600, seed, hidden=False)
        quiet += [
            negative_control(sequences, HELP).quiet,
            negative_control(sequences, HELP, outcome=TIP).quiet,
        ]
    assert ((quiet / RUNS >= 0.89) & (quiet / RUNS <= 1.0)).all(), quiet / RUNS


def test_loud_where_a_hidden_trait_drives_exposure_and_outcome(make_sequences: Make) -> None:
    sequences = looking_world(make_sequences, 4000, 1, hidden=True)
    biased = exposure_effect(sequences, HELP)
    assert float(biased.att.lower) > 0  # help does nothing, and seems to help
    visits = negative_control(sequences, HELP)
    tip = negative_control(sequences, HELP, outcome=TIP)
    assert not visits.quiet
    assert not tip.quiet
    assert float(visits.difference.lower) > 0
    assert float(tip.difference.lower) > 0


def test_found_in_most_logs_of_two_thousand(make_sequences: Make) -> None:
    loud = [
        not negative_control(looking_world(make_sequences, 2000, seed, hidden=True), HELP).quiet
        for seed in range(20)
    ]
    assert sum(loud) >= 16


def test_error_that_was_seen_is_no_hidden_trait(make_help_world: Make) -> None:
    """The error drives who asks, and stays in what is adjusted for."""
    control = negative_control(make_help_world(4000, 1).sequences, 3)
    assert control.quiet
    assert control.outcome == "visits"


def test_what_cannot_be_used(make_help_world: Make, make_sequences: Make) -> None:
    sequences = make_help_world(500, 1).sequences
    with pytest.raises(OptionError, match="outcome is 3"):
        negative_control(sequences, 3, outcome=3)
    with pytest.raises(NotEnoughDataError, match="same past"):
        negative_control(sequences, 3, outcome=2)
    with pytest.raises(NotEnoughDataError, match="at least 30"):
        negative_control(make_help_world(40, 1).sequences, 3)
