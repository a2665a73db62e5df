"""What the frames of `journeys` say about themselves: facts to read them by, and each fix of the truth."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from journeymine.fixes.fix import Fix
from journeymine.simulate.worlds import SCENARIOS, SHAPES, journeys, world

if TYPE_CHECKING:
    from pathlib import Path

ALL = [(shape, scenario) for shape in SHAPES for scenario in SCENARIOS]


@pytest.mark.parametrize(("shape", "scenario"), ALL)
def test_each_fix_of_the_truth_can_be_made_again(shape: str, scenario: str) -> None:
    _, truth = journeys(shape, scenario, n=5)
    here = world(shape, scenario)
    fixes = [Fix.from_dict(plain) for plain in json.loads(json.dumps(truth.attrs["fixes"]))]
    assert fixes == list(here.fixes)
    assert [fix.id for fix in fixes] == truth["fix_id"].tolist()
    # With its share, the fix is worth what the truth says: the ids alone would not do.
    assert [here.effect(fix) for fix in fixes] == truth["effect"].tolist()
    assert truth.columns.tolist() == ["fix_id", "effect"]


@pytest.mark.parametrize(("shape", "scenario"), ALL)
def test_a_frame_says_how_to_read_it(shape: str, scenario: str) -> None:
    frame, _ = journeys(shape, scenario, n=5)
    here = world(shape, scenario)
    assert json.loads(json.dumps(frame.attrs)) == {
        "goal": [here.goal],
        "end": list(here.end),
        "idle": here.idle,
        "segments": ["platform", "source"],
        "shape": shape,
        "scenario": scenario,
    }


def test_frames_can_be_copied_stored_and_put_together(tmp_path: Path) -> None:
    frame, truth = journeys("subscription", "dirty", n=40, seed=1)
    for given in (frame, truth):
        for other in (given.copy(), copy.deepcopy(given), pickle.loads(pickle.dumps(given))):
            pd.testing.assert_frame_equal(other, given)
            assert other.attrs == given.attrs
        given.to_parquet(tmp_path / "given.parquet")
        stored = pd.read_parquet(tmp_path / "given.parquet")
        pd.testing.assert_frame_equal(stored, given)
        assert stored.attrs == given.attrs
    # `pd.concat` compares the attributes of its parts.
    both = pd.concat([frame, journeys("subscription", "dirty", n=40, seed=2)[0]])
    assert both.attrs == frame.attrs
    assert frame[frame["value"].notna()].attrs["goal"] == ["Subscribed"]


def test_what_a_user_writes_into_a_frame_stays_there() -> None:
    frame, truth = journeys("shop", "markov", n=5)
    frame.attrs["goal"].append("Elsewhere")
    truth.attrs["fixes"][0]["activity"] = "Elsewhere"
    again, known = journeys("shop", "markov", n=5)
    assert again.attrs["goal"] == ["Order placed"]
    assert known.attrs["fixes"][0]["activity"] == "Address form"
