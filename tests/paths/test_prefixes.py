"""Prefix tree: every node against plain loops; what is folded adds up; outcomes that are not known yet stay out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from tests.paths.path_worlds import DAY, HOUR, START, Journey, with_journeys, without_goal, worlds

from journeymine.analyses.paths import motifs, prefix_tree
from journeymine.errors import OptionError
from journeymine.reading import read_log
from journeymine.uncertainty import share_of_units, unit_matrix

if TYPE_CHECKING:
    from tests.paths.path_worlds import World

    from journeymine.log import EventLog
    from journeymine.paths.prefixes import PrefixTree

    Path = tuple[str, ...]


def check(tree: PrefixTree, journeys: list[Journey], depth: int, top: int) -> None:
    through = Counter(j.upto[:d] for j in journeys for d in range(min(len(j.upto), depth) + 1))
    listed = {tree.names(node): node for node in range(len(tree.n))}
    expected = sorted((p for p in through if p), key=lambda p: (-through[p], len(p), p))[:top]
    assert list(listed) == [(), *expected]
    for path, node in listed.items():
        here = [j for j in journeys if j.upto[: len(path)] == path]
        known = [j for j in here if j.outcome]
        won = sum(j.outcome == "converted" for j in known)
        assert int(tree.n[node]) == len(here)
        assert tree.share.estimate[node] == pytest.approx(len(here) / len(journeys))
        assert tree.share_of_parent.estimate[node] == pytest.approx(len(here) / max(through[path[:-1]], 1))
        assert int(tree.conversion.n[node]) == len(known)
        assert tree.conversion.at(node) is None or tree.conversion.estimate[node] == won / len(known)
        assert (tree.conversion.at(node) is None) == (not known)
        ends = Counter(j.state for j in here if len(j.upto) == len(path))
        assert tree.counts.ended[node].tolist() == [ends[s] for s in ("converted", "dropped", "open", None)]
        if len(path) < depth:
            next_ = Counter(j.upto[: len(path) + 1] for j in here if len(j.upto) > len(path))
            folded = {p: n for p, n in next_.items() if p not in listed}
            assert int(tree.n_other[node]) == sum(folded.values())
            assert int(tree.n_other_children[node]) == len(folded)


@given(worlds())
@settings(max_examples=15, deadline=None)
def test_every_node_by_plain_loops(world: World) -> None:
    log, journeys = with_journeys(world)
    for depth, top in ((1, 1), (2, 3), (3, 40)):
        check(prefix_tree(log, depth=depth, top=top), journeys, depth, top)


@given(worlds())
@settings(max_examples=6, deadline=None)
def test_from_a_start_activity_and_without_a_goal(world: World) -> None:
    log, journeys = with_journeys(world, start=world[0][2])
    check(prefix_tree(log, depth=3, top=20), journeys, 3, 20)
    log, journeys = without_goal(world)
    tree = prefix_tree(log, depth=2, top=20)
    check(tree, journeys, 2, 20)
    assert tree.to_frame()["conversion"].isna().all()


WORLD: World = [
    *((f"w{i}", f"w{i}", what, i + hour) for i in range(6) for what, hour in (("a", 0), ("b", 1), ("goal", 2))),
    *((f"d{i}", f"d{i}", what, i + hour) for i in range(6) for what, hour in (("a", 0), ("c", 1))),
    # The last day: a journey that converts at once, one that is open.
    ("late", "late", "a", 99), ("late", "late", "b", 100), ("late", "late", "goal", 101), ("open", "open", "a", 101),
]  # fmt: skip


def test_a_late_conversion_is_left_out_as_a_late_drop_out_is() -> None:
    log, _ = with_journeys(WORLD)
    tree = prefix_tree(log, depth=3, top=10)
    first = tree.counts.paths.index((log.activities.index("a"),))
    assert (int(tree.n[first]), int(tree.conversion.n[first])) == (14, 12)
    assert tree.conversion.estimate[first] == 0.5
    assert tree.share.at(first) == {
        "estimate": 1.0,
        "lower": pytest.approx(0.785, abs=2e-3),
        "upper": 1.0,
        "n": 14,
    }


def test_intervals_are_those_of_shares_over_customers() -> None:
    log, _ = with_journeys(WORLD)
    tree = prefix_tree(log, depth=3, top=10)
    b = next(node for node in range(len(tree.n)) if tree.names(node) == ("a", "b"))
    ids, zero = np.arange(14), np.zeros(14, int)
    took = unit_matrix(ids, zero, (np.arange(14) < 7).astype(int), (14, 1))
    expected = share_of_units(took, unit_matrix(ids, zero, np.ones(14, int), (14, 1)))
    assert tree.share.lower[b] == pytest.approx(float(expected.lower[0]))
    assert tree.share.upper[b] == pytest.approx(float(expected.upper[0]))


def test_frame_and_display() -> None:
    tree = prefix_tree(with_journeys(WORLD)[0], depth=3, top=10)
    frame = tree.to_frame()
    assert frame["activities"].tolist() == [(), ("a",), ("a", "b"), ("a", "b", "goal"), ("a", "c")]
    assert (frame["n_converted_here"].sum(), frame["n_dropped_here"].sum(), frame["n_open_here"].sum()) == (
        7,
        6,
        1,
    )
    assert [tree.names(node)[-1] for node in tree.children(1)] == ["b", "c"]
    lines = repr(tree).splitlines()
    assert len(lines) <= 12
    assert lines[0] == "PrefixTree: 4 nodes, depth 3, 14 journeys"
    assert lines[-1].startswith("Next:")


@pytest.mark.parametrize(
    "wrong", [{"depth": 0}, {"depth": 21}, {"top": 0}, {"top": 1001}, {"depth": 2.5}, {"top": True}]
)
def test_wrong_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="expected a whole number"):
        prefix_tree(with_journeys(WORLD)[0], **wrong)


def simulated(days: int, seed: int) -> EventLog:
    """Journeys of steps a day apart, a quarter of which end and 30 % of which convert at each step, cut at `days`."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(40 * days):
        at, what = rng.random() * days, "a"
        while at < days:
            rows.append((f"c{i}", what, START + int(at * DAY)))
            chance = rng.random()
            if chance < 0.25 or what == "goal":
                break
            what = "goal" if chance < 0.55 else "ab"[int(rng.random() < 0.5)]
            at += min(rng.exponential(1.2), 6.5)
    case, name, when = zip(*rows, strict=True)
    table = pa.table({"case": case, "what": name, "at": when})
    log = read_log(table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=1)
    return log.journeys("goal", idle="7d")


def test_conversion_in_spite_of_open_journeys_is_close_to_the_truth() -> None:
    true, hits, found, naive = 0.3 / 0.55, 0, [], []
    for seed in range(8):
        log = simulated(40, seed)
        root = prefix_tree(log, depth=1, top=1).conversion.at(0)
        assert root is not None
        assert log.end_states is not None
        found.append(root["estimate"])
        hits += root["lower"] <= true <= root["upper"]
        converted, dropped, _ = log.end_states.n
        naive.append(converted / (converted + dropped))
    assert abs(np.mean(found) - true) < 0.02 < np.mean(naive) - true
    assert hits >= 6


def test_the_order_of_the_rows_and_the_threads_do_not_matter() -> None:
    rows = [(f"c{i % 7}", "abcd"[(i * i + i // 3) % 4], START + i * HOUR) for i in range(60)]
    frames = []
    for threads, order in ((1, rows), (2, rows[::-1])):
        case, name, when = zip(*order, strict=True)
        table = pa.table({"case": case, "what": name, "at": when})
        log = read_log(
            table, case_id="case", activity="what", timestamp="at", time_unit="us", threads=threads
        )
        log = log.journeys("d", idle="5h")
        frames.append(
            (prefix_tree(log, top=9).to_frame(), motifs(log).to_frame(), log.variants(9).entropy.bits.at())
        )
    assert frames[0][0].equals(frames[1][0])
    assert frames[0][1].equals(frames[1][1])
    assert frames[0][2] == frames[1][2]
