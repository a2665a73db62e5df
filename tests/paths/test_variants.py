"""Variants: most frequent first, ties by the names in order, and how much the list leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from journeymine.errors import OptionError
from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.log import EventLog


def make(paths: dict[str, str], customers: dict[str, str] | None = None, **roles: Any) -> EventLog:
    rows = [(case, what) for case, path in paths.items() for what in path.split()]
    table = {"case": [r[0] for r in rows], "what": [r[1] for r in rows]}
    if customers is not None:
        table["who"] = [customers[r[0]] for r in rows]
        roles["customer_id"] = "who"
    return read_log(pa.table(table), case_id="case", activity="what", threads=1, **roles)


PATHS = {"1": "b a", "2": "a b", "3": "a b c", "4": "a", "5": "b a", "6": "B a", "7": "a b", "8": "é"}


def test_most_frequent_first_then_by_the_names_of_the_activities() -> None:
    frame = make(PATHS).variants().to_frame()
    assert list(zip(frame["activities"], frame["n"], strict=True)) == [
        (("a", "b"), 2), (("b", "a"), 2), (("B", "a"), 1), (("a",), 1), (("a", "b", "c"), 1), (("é",), 1),
    ]  # fmt: skip
    assert frame["estimate"].tolist() == [2 / 8, 2 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 8]
    assert (frame["lower"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["upper"]).all()


def test_the_rest_is_counted() -> None:
    variants = make(PATHS).variants(2)
    assert (variants.n_variants_rest, variants.n_rest) == (4, 4)
    rest = variants.to_frame().iloc[-1]
    assert (rest["activities"], rest["n"], rest["estimate"]) == (None, 4, 0.5)
    assert make(PATHS).variants(6).n_rest == 0
    assert len(make(PATHS).variants(100).to_frame()) == 6


def test_end_states_of_a_variant() -> None:
    log = make(PATHS).journeys("c")
    counts = log.variants().counts
    assert counts.n_by_state is not None
    assert counts.n_by_state.tolist() == [[0, 2, 0], [0, 2, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]]
    assert log.journeys().variants().counts.n_by_state is None


def test_cases_of_one_customer_make_an_interval_wide() -> None:
    paths = {f"{k}-{i}": "a b" if k < 5 else "b a" for k in range(10) for i in range(10)}
    customers = {case: case.partition("-")[0] for case in paths}
    alone, clustered = make(paths).variants().share, make(paths, customers).variants().share
    assert alone.estimate.tolist() == clustered.estimate.tolist() == [0.5, 0.5]
    assert clustered.upper[0] - clustered.lower[0] > 2 * (alone.upper[0] - alone.lower[0])


def test_long_paths_and_loops_are_variants_of_their_own() -> None:
    log = make({"1": "a " * 3000, "2": "a " * 2999, "3": "a " * 3000})
    counts = log.variants().counts
    assert [len(path) for path in counts.paths] == [3000, 2999]
    assert counts.n.tolist() == [2, 1]
    assert len(repr(log.variants())) < 1000


@pytest.mark.parametrize("top", [0, -1])
def test_at_least_one_variant_is_asked_for(top: int) -> None:
    with pytest.raises(OptionError, match="top is"):
        make(PATHS).variants(top)


def test_the_display_is_short() -> None:
    lines = repr(make({str(i): f"x{i}" for i in range(40)}).variants(40)).splitlines()
    assert lines[0] == "Variants: 40 of 40, 40 cases"
    assert len(lines) <= 12
    assert lines[-1] == "Next: .coverage, .entropy, .to_frame()"
