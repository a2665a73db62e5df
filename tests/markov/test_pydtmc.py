"""Absorbing quantities and first passages against PyDTMC: its stored answers, and live ones where it is installed."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.markov.absorbing import absorb, remaining_steps
from journeymine.markov.passage import committor, first_passages, passage_to

REFERENCE = Path(__file__).parents[1] / "reference"
CHAINS = json.loads((REFERENCE / "pydtmc_chains.json").read_text())
ROUNDING = 1e-8
"""Both solve the same linear systems; ours lose 1e-12 a move, and chains here take fewer than 1,000 moves."""


def assert_as_pydtmc(answers: dict[str, Any]) -> None:
    full = np.array(answers["full"])
    k = len(full)
    solved = absorb(full[:, :k], full[:, k], np.full(k, 1 / k))
    close = {"rtol": ROUNDING, "atol": ROUNDING}
    np.testing.assert_allclose(solved.fundamental, answers["occupation"], **close)
    np.testing.assert_allclose(solved.fundamental - np.eye(k), answers["visits_after_start"], **close)
    np.testing.assert_allclose(solved.hit, answers["absorption"][0], **close)
    np.testing.assert_allclose(1 - solved.hit, answers["absorption"][1], **close)
    np.testing.assert_allclose(remaining_steps(solved), answers["steps"], **close)
    found = first_passages(solved, full)
    np.testing.assert_allclose(found.reach[:, k - 1], answers["reach_last"], **close)
    np.testing.assert_allclose(committor(full, [0, k + 1], [k - 1, k]), answers["committor"], **close)
    until = passage_to(full, [k - 1, k, k + 1])
    np.testing.assert_allclose(until.reach, 1.0, **close)
    np.testing.assert_allclose(until.moves, answers["until_last_or_end"], **close)


@pytest.mark.parametrize("number", range(len(CHAINS)))
def test_stored_chains(number: int) -> None:
    assert_as_pydtmc(CHAINS[number])


@pytest.mark.skipif(
    importlib.util.find_spec("pydtmc") is None,
    reason="PyDTMC is not installed: its stored answers are checked",
)
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_chains_of_hypothesis(seed: int) -> None:
    spec = importlib.util.spec_from_file_location("make", REFERENCE / "make_pydtmc_chains.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    full = make.random_chain(np.random.default_rng(seed))
    assert_as_pydtmc({"full": full, **make.answers(full)})
