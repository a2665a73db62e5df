"""A stored chain gives the numbers of the chain that was stored, and says what is wrong with what it cannot read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import journeymine as jm
from journeymine.errors import NotEnoughDataError, OutputError, SourceError
from journeymine.markov.chain import MarkovChain
from journeymine.markov.priors import Prior
from journeymine.simulate import sample_chain

if TYPE_CHECKING:
    from pathlib import Path

TWO = [[0.1, 0.6, 0.1, 0.2], [0.2, 0.0, 0.6, 0.2]]


@pytest.fixture(scope="module")
def log() -> jm.EventLog:
    sampled = sample_chain(TWO, [0.7, 0.3], 300, 4, days=120.0, cases_per_customer=2.0)
    events = sampled.events.assign(
        plan=np.where(sampled.events["customer_id"].str[-1].isin(list("02468")), "even", "odd"),
        money=np.where(sampled.events["activity"] == "Goal", "12.50", ""),
    )
    read = jm.read_log(
        events,
        case_id="case_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        value="money",
        threads=1,
    )
    return read.journeys("Goal", idle="30d", segments="plan")


def same(a: MarkovChain, b: MarkovChain) -> None:
    pd.testing.assert_frame_equal(a.to_frame(), b.to_frame())
    pd.testing.assert_frame_equal(a.outcomes.to_frame(), b.outcomes.to_frame())
    pd.testing.assert_frame_equal(a.sensitivity(), b.sensitivity())
    assert repr(a) == repr(b)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"order": 2},
        {"order": 0},
        {"order": "variable"},
        {"attempts": 3},
        {"elapsed": ["1d", "3d"]},
        {"prior": Prior(0.5, allowed="all", forbidden=(("B", "B"),))},
    ],
)
def test_numbers_survive(log: jm.EventLog, tmp_path: Path, options: dict[str, Any]) -> None:
    chain = log.fit_markov(n_draws=60, seed=3, **options)
    chain.save(tmp_path / "chain")
    same(chain, MarkovChain.load(tmp_path / "chain"))


def test_everything_can_be_asked_again(log: jm.EventLog, tmp_path: Path) -> None:
    chain = log.fit_markov(n_draws=60)
    chain.save(tmp_path / "chain")
    stored = MarkovChain.load(tmp_path / "chain")
    assert dict(stored.time_to_goal("5d")) == dict(chain.time_to_goal("5d"))
    pd.testing.assert_frame_equal(stored.sojourns().to_frame(), chain.sojourns().to_frame())
    pd.testing.assert_frame_equal(stored.occupation().to_frame(), chain.occupation().to_frame())
    pd.testing.assert_frame_equal(stored.order_table, chain.order_table)
    pd.testing.assert_frame_equal(stored.checks.to_frame(), chain.checks.to_frame())
    pd.testing.assert_frame_equal(stored.segments().to_frame(), chain.segments().to_frame())
    assert stored.outcomes.of_start["remaining_value"].at() == chain.outcomes.of_start["remaining_value"].at()
    assert chain.outcomes.of_start["remaining_value"].at() is not None
    with pytest.raises(NotEnoughDataError, match="knows its own points of time only"):
        stored.occupation(["1d"])


def test_lists_are_stored_too(tmp_path: Path) -> None:
    names = ["NA", 'a "quoted"\nname', "<b>🙂</b>", "=1+1"]
    chain = MarkovChain.from_sequences([names, names[:2]], names[-1], weights=[3, 2], n_draws=20)
    chain.save(tmp_path)
    stored = MarkovChain.load(tmp_path)
    same(chain, stored)
    assert stored.states == chain.states
    chain.save(tmp_path)
    same(chain, MarkovChain.load(tmp_path))


def test_the_matrix_is_there_for_others_and_no_customer_is(log: jm.EventLog, tmp_path: Path) -> None:
    chain = log.fit_markov(n_draws=60)
    chain.save(tmp_path / "chain")
    table = pd.read_parquet(tmp_path / "chain" / "transitions.parquet")
    assert table["estimate"].tolist() == chain.to_frame()["estimate"].tolist()
    settings = json.loads((tmp_path / "chain" / "chain.json").read_text(encoding="utf-8"))
    assert settings["n_draws"] == 60
    for file in (tmp_path / "chain").iterdir():
        assert b"customer-" not in file.read_bytes()


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    chain = MarkovChain.from_sequences([["a", "g"], ["a"]], "g", n_draws=20)
    with pytest.raises(OutputError, match="holds something else than a chain"):
        chain.save(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(OutputError, match="holds something else than a chain"):
        chain.save(tmp_path / "thesis.txt")


def test_what_is_no_chain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no chain"):
        MarkovChain.load(tmp_path / "nothing")
    chain = MarkovChain.from_sequences([["a", "g"], ["a"]], "g", n_draws=20)
    chain.save(tmp_path)
    settings = tmp_path / "chain.json"
    whole = settings.read_text(encoding="utf-8")
    settings.write_text(whole.replace('"format": 1', '"format": 99'), encoding="utf-8")
    with pytest.raises(SourceError, match="has format 99, expected 1"):
        MarkovChain.load(tmp_path)
    settings.write_text(whole[:50], encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be read"):
        MarkovChain.load(tmp_path)
    settings.write_text(whole, encoding="utf-8")
    (tmp_path / "moves.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="is not whole"):
        MarkovChain.load(tmp_path)
    (tmp_path / "moves.parquet").unlink()
    with pytest.raises(SourceError, match="is not whole"):
        MarkovChain.load(tmp_path)
