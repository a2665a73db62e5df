"""The picture of a transition matrix: the numbers of the chain, in the order of the journey."""

from __future__ import annotations

import pytest

from journeymine.markov.chain import MarkovChain
from journeymine.markov.picture import matrix_figure

PATHS = [["a", "b", "c", "won"], ["a", "b", "b"], ["a", "c"], ["<b>&", "won"]]
WEIGHTS = [40, 30, 20, 10]


def test_cells_are_the_matrix() -> None:
    chain = MarkovChain.from_sequences(PATHS, goal="won", weights=WEIGHTS)
    cells = {(row["source"], row["target"]): row for row in chain.plot().to_dicts()}
    frame = chain.to_frame()
    between = frame[frame["target"].isin(chain.states)]
    assert len(cells) == len(between)
    for row in between.itertuples():
        assert cells[row.source, row.target]["share"] == pytest.approx(row.estimate)
        assert cells[row.source, row.target]["n"] == row.n


def test_a_cell_says_its_interval_and_its_counts() -> None:
    chain = MarkovChain.from_sequences(PATHS, goal="won", weights=WEIGHTS)
    row = next(
        row for row in chain.to_frame().to_dict("records") if (row["source"], row["target"]) == ("b", "c")
    )
    bounds = f"{100 * row['lower']:.0f}% to {100 * row['upper']:.0f}%"
    svg = chain.plot().svg()
    # b is left 100 times: 40 times for c, 30 times for itself, 30 times for good.
    assert f"b → c: 40% (95% CI {bounds}; 40 of 100)" in svg
    assert "b → dropped: 30% (95% CI" in svg
    assert "c → goal: 67% (95% CI" in svg
    assert "<b>" not in svg


def test_states_stand_in_the_order_of_the_journey() -> None:
    chain = MarkovChain.from_sequences([["z", "m", "a", "won"], ["z", "m"]] * 20, goal="won")
    assert [row["source"] for row in matrix_figure(chain).to_dicts()] == ["z", "m"]


def test_without_a_goal_there_is_one_end() -> None:
    svg = MarkovChain.from_sequences([["a", "b"], ["a"]] * 10).plot().svg()
    assert "a → ended: 50% (95% CI" in svg
    assert "dropped" not in svg


def test_rare_states_are_one_and_rows_with_their_ends_add_up() -> None:
    names = [f"s{i:02}" for i in range(40)]
    paths = [[names[i], names[(7 * i + 3) % 40], "won"] for i in range(40)] + [[name] for name in names]
    chain = MarkovChain.from_sequences(paths, goal="won", weights=[20 + i for i in range(40)] + [10] * 40)
    rows = chain.plot().to_dicts()
    folded = [row for row in rows if row["source"] == "other (15 states)"]
    kept = {row["source"] for row in rows} - {"other (15 states)"}
    rare = [name for name in names if name not in kept]
    moves = chain.to_frame()
    out = moves[moves["source"].isin(rare)]
    onward = out[out["target"].isin(names)]["n"].sum() / out["n"].sum()
    assert sum(row["share"] for row in folded) == pytest.approx(onward)
