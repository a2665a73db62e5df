"""What rankers return is checked before it is scored."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from journeymine.bench.answers import AnswerError, checked_answer
from journeymine.bench.rankers import BUILT_IN, find_ranker
from journeymine.errors import OptionError
from journeymine.fixes.fix import Fix

FIXES = [Fix(kind="drop_off", activity="Pay", id="p"), Fix(kind="wait", activity="Quote", id="w")]


def answer(**changes: Any) -> pd.DataFrame:
    columns = {"fix_id": ["w", "p"], "estimate": [0.2, 0.1], "lower": [0.1, 0.0], "upper": [0.3, 0.2]}
    return pd.DataFrame({**columns, **changes})


def test_rows_come_in_the_order_of_the_fixes_with_what_was_given() -> None:
    rows = checked_answer(answer(p_best=[0.7, 0.3], flags=["a, b", ["c"]], rank=[1, 2]), FIXES, "mine")
    assert [row["id"] for row in rows] == ["p", "w"]
    assert rows[0] == {
        "id": "p",
        "estimate": 0.1,
        "lower": 0.0,
        "upper": 0.2,
        "p_best": 0.3,
        "flags": ["c"],
        "rank": 2,
    }
    assert rows[1]["flags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([1, 2], "expected a DataFrame"),
        (answer().drop(columns="upper"), "no column upper"),
        (answer(fix_id=["w", "x"]), "unknown fixes x"),
        (answer().iloc[:1], "nothing on p"),
        (pd.concat([answer(), answer()]), "several rows on p, w"),
        (answer(estimate=[float("nan"), 0.1]), "estimate nan for 'w'"),
        (answer(upper=["much", 0.2]), "upper 'much' for 'w'"),
        (answer(lower=[0.25, 0.0]), "lower <= estimate <= upper"),
        (answer(p_best=[1.2, 0.0]), "p_best 1.2"),
    ],
    ids=["no frame", "column", "unknown", "missing", "doubled", "nan", "text", "upside down", "probability"],
)
def test_a_wrong_answer_names_the_ranker(given: Any, words: str) -> None:
    with pytest.raises(AnswerError) as raised:
        checked_answer(given, FIXES, "their.module:rank")
    assert words in str(raised.value)
    assert "their.module:rank" in str(raised.value)


def test_every_ranker_of_ours_can_be_found() -> None:
    found = {name: find_ranker(name) for name in BUILT_IN}
    assert {name for name, ranker in found.items() if ranker.calibrated} == {
        "journeymine",
        "journeymine_classes",
        "markov",
    }
    assert {name for name, ranker in found.items() if ranker.intervals} == {
        "journeymine",
        "journeymine_classes",
    }


@pytest.mark.parametrize(
    "name", ["dropz", "no_such_module:f", "journeymine.bench.own:nothing", "journeymine.errors:MAX_SHOWN"]
)
def test_an_unknown_ranker_is_refused(name: str) -> None:
    with pytest.raises(OptionError):
        find_ranker(name)
