"""Anchored paths: an edge, its funnel and its list of journeys are one number, on any log, window and step."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.funnel_oracle import ABC, REASONS, World, anchored_cells, worlds

from journeymine.analyses.anchored import anchored_paths, first_after
from journeymine.analyses.funnel import funnel
from journeymine.errors import NotEnoughDataError, OptionError

FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
ANCHORS = st.lists(st.sampled_from(ABC), min_size=1, max_size=2, unique=True)
SECOND = 1 / 3600
WINDOWS = st.sampled_from([None, None, SECOND, 1, 6, 24])
"""In hours. No window is of length zero: a second holds what happens at the same moment, and nothing else here."""


def window(world: World, within: float | None) -> str | None:
    if within is None or not world.timed:
        return None
    return "1s" if within == SECOND else f"{within}h"


@given(worlds(), ANCHORS, st.integers(1, 4), WINDOWS, st.booleans())
@FEW
def test_edges_funnels_and_lists_agree(
    world: World, anchor: list[str], steps: int, within: float | None, after: bool
) -> None:
    within = within if world.timed else None
    cells = anchored_cells(world, anchor, steps, within, after=after)
    log = world.log()
    try:
        found = anchored_paths(
            log, anchor, steps, window(world, within), direction="after" if after else "before"
        )
    except (OptionError, NotEnoughDataError):
        assert not cells or not set(anchor) <= set(log.activities)
        return
    assert found.counts.n_anchored == len(cells)
    # The step matrix: one cell a journey and step.
    frame = found.to_frame()
    names = frame["activity"].where(frame["kind"] == "activity", frame["kind"])
    got = {(s, c): n for s, c, n in zip(frame["step"], names, frame["n"], strict=True)}
    assert got == Counter((k, cell) for row in cells.values() for k, cell in enumerate(row))
    assert found.matrix().sum().tolist() == pytest.approx([1.0] * (steps + 1))
    # The edges.
    pairs: dict[tuple[int, str, str], list[str]] = {}
    for name, row in cells.items():
        for k in range(1, steps + 1):
            if row[k - 1] not in REASONS:
                pairs.setdefault((k, row[k - 1], row[k]), []).append(name)
    edges = found.edges()
    assert len(edges) == len(pairs)
    for row in edges.itertuples():
        target = row.target if row.kind == "activity" else row.kind
        cases = sorted(pairs[row.step, row.source, target])
        edge = found.edge(row.step, row.source, row.target, kind=row.kind)
        listed = edge.journeys()
        assert listed["case_id"].tolist() == cases
        assert edge.n == row.n == len(listed) == listed["case_id"].nunique()
        assert int(edge.share.n) == got[row.step - 1, row.source]
        if row.kind != "activity":
            continue
        whole = edge.funnel()
        assert whole.n.tolist() == [got[row.step - 1, row.source], row.n]
        assert whole.journeys(2)["case_id"].tolist() == cases
        # What is open on the edges is open in the funnel, and nothing else.
        still_open = pairs.get((row.step, row.source, "open"), [])
        assert whole.journeys(1, "open")["case_id"].tolist() == sorted(still_open)
        assert whole.n.sum() + whole.n_lost[0] + whole.n_open[0] == whole.n[0] + whole.n[0]
        if not still_open:
            assert whole.reached.estimate[1] == pytest.approx(float(edge.share.estimate), abs=1e-12)


@given(worlds(starts=False), st.sampled_from(ABC), st.sampled_from(ABC), WINDOWS)
@FEW
def test_first_after_is_never_before(world: World, anchor: str, target: str, within: float | None) -> None:
    within = within if world.timed else None
    log = world.log()
    if not {anchor, target} <= set(log.activities):
        return
    found = first_after(log, anchor, target, window(world, within))
    before = after = 0
    for case in world.cases.values():
        names = [name for name, _ in case.events]
        if anchor not in names:
            continue
        place = names.index(anchor)
        before += target in names[:place]
        times = [hour for name, hour in world.events_of(case)]
        later = [times[i] for i in range(place + 1, len(names)) if names[i] == target]
        after += bool(later) and (within is None or later[0] - times[place] <= within)
    assert (found.n, found.n_before) == (after, before)
    assert found.n == funnel(log, [anchor, target], window(world, within)).n[1]
    if found.time_s is not None:
        assert found.time_s["estimate"] >= 0
        assert found.time_s["lower"] >= 0
