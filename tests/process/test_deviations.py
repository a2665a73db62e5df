from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.counts.conformance import StepPaths
from journeymine.process.alignment import align
from journeymine.process.designed import designed_journey
from journeymine.process.deviations import Deviation, chances, compare_paths, deviations, visit_moves
from journeymine.spec import Stage

DESIGN = designed_journey(["a", "b", "c", "d"], (), list("abcdz"), unexpected="count")


def found(trace, *, prefix=False):
    return {
        (d.kind, d.step) for d in deviations(align(DESIGN.tree, trace, prefix=prefix).moves, DESIGN.steps)
    }


def test_kinds():
    assert found("abcd") == set()
    assert found("acd") == {("skipped", "b")}
    assert found("abcbd") == {("repeated", "b")}
    assert found("acbd") == {("order", "b")}
    assert found("abzcd") == {("inserted", "z")}
    assert found("ab") == {("skipped", "c"), ("skipped", "d")}
    assert found("ab", prefix=True) == set()


def test_the_name_of_a_deviation_does_not_depend_on_what_comes_later():
    """c comes too early; whether it is done again in its place does not change that."""
    for trace in ("acab", "cabcd"):
        assert any(kind == "order" for kind, _ in found(trace, prefix=True))
    assert found("cabcd") == {("order", "c")}


def test_stages_are_read_in_the_order_of_time():
    moves = visit_moves("acbcd", "abcd", {"b"}, whole=True)
    assert deviations(moves, "abcd", by_visit=True) == {Deviation("order", "b")}
    # Passed over for good, or only because the journey is not over.
    assert ("model", "d") in visit_moves("ac", "abcd", {"d"}, whole=True)
    assert visit_moves("ac", "abcd", {"d"}, whole=False) == [("both", "a"), ("both", "c")]
    assert visit_moves("az", "abcd", (), whole=True) == [("both", "a"), ("log", "z")]


def test_only_what_comes_before_the_goal_is_compared():
    moves = align(DESIGN.tree, "abcdb").moves
    after = chances(moves, 4, DESIGN.steps)
    assert after.found == frozenset()
    assert after.keeps(Deviation("repeated", "b"))
    assert chances(moves, -1, DESIGN.steps).departs(Deviation("repeated", "b"))
    # Who reaches the goal has gone on; who stops after b has not, and cannot be held against those who skipped it.
    assert chances(moves, 4, DESIGN.steps).keeps(Deviation("skipped", "d"))
    stopped = chances(align(DESIGN.tree, "ab", prefix=True).moves, -1, DESIGN.steps)
    assert not stopped.keeps(Deviation("skipped", "b"))
    assert not stopped.keeps(Deviation("repeated", "b"))
    assert stopped.keeps(Deviation("skipped", "a"))
    assert stopped.keeps(Deviation("inserted", "z"))
    # A trailing step that is left out by the goal was not passed.
    assert not chances(align(DESIGN.tree, "abc").moves, -1, DESIGN.steps).departs(Deviation("skipped", "d"))


STAGES = tuple(Stage(id=name, name=name, activities=(name,)) for name in "abcd")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.booleans(), st.integers(1, 9)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["list", "stages"]),
)
def test_profiles_say_what_the_paths_say(rows, kind):
    design = (
        DESIGN
        if kind == "list"
        else designed_journey(None, STAGES, list("abcdz"), required=["b"], unexpected="count")
    )
    names = [*design.steps, "z"]
    if kind == "stages":
        rows = [([s for s, t in zip(p, [None, *p], strict=False) if s != t], w, n) for p, w, n in rows]
    paths = StepPaths(
        tuple(tuple(path) for path, _, _ in rows),
        np.array([whole for _, whole, _ in rows]),
        np.full(len(rows), -1),
        np.array([n for _, _, n in rows]),
        sum(n for _, _, n in rows),
        0,
    )
    compared = compare_paths(design, paths, names)
    totals: dict[Deviation, int] = {}
    for i, (path, whole, n) in enumerate(rows):
        trace = [names[step] for step in path]
        cost = align(design.tree, trace, prefix=not whole).cost
        assert compared.cost[i] == cost
        profile = compared.profile[i]
        assert compared.kept[profile] == (cost == 0)
        assert compared.complete[i] == compared.whole_run[profile] == (align(design.tree, trace).cost == 0)
        assert compared.has[profile].any() == (cost > 0)
        for k in np.flatnonzero(compared.has[profile]):
            totals[compared.listed[k]] = totals.get(compared.listed[k], 0) + n
        assert not (compared.departs[profile] & compared.keeps[profile]).any()
        assert not (compared.departs[profile] & ~compared.has[profile][: compared.departs.shape[1]]).any()
    assert [totals[d] for d in compared.listed] == compared.n_listed.tolist()
    assert compared.n_listed.tolist() == sorted(compared.n_listed.tolist(), reverse=True)
