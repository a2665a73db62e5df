"""Stages: those of the configuration, or cut from the log so that they stay what they were."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from journeymine.paths.process_stages import REST_ID, configured_stages, derived_stages, n_bands


@given(st.lists(st.tuples(st.floats(1, 50), st.integers(1, 1000)), min_size=1, max_size=60))
def test_bands_follow_the_places(rows: list[tuple[float, int]]) -> None:
    place, n = (np.array(column) for column in zip(*rows, strict=True))
    ids = [f"a{i:02}" for i in range(len(rows))]
    stages = derived_stages(ids, place, n)
    assert stages.derived
    assert len(stages.ids) == n_bands(len(rows))
    assert set(stages.of.tolist()) == set(range(len(stages.ids)))
    order = sorted(range(len(ids)), key=lambda i: (place[i], ids[i]))
    assert all(np.diff(stages.of[order]) >= 0)


@given(st.lists(st.tuples(st.floats(1, 50), st.integers(1, 1000)), min_size=2, max_size=30), st.randoms())
def test_known_activities_keep_their_band(rows: list[tuple[float, int]], rng: object) -> None:
    place, n = (np.array(column) for column in zip(*rows, strict=True))
    ids = [f"a{i:02}" for i in range(len(rows))]
    stages = derived_stages(ids, place, n)
    known = dict(zip(ids, stages.of.tolist(), strict=True))
    moved = place * (1 + 0.05 * np.sin(np.arange(len(ids))))
    again = derived_stages([*ids, "new"], np.append(moved, moved[0]), np.append(n, 1), known)
    assert again.of[:-1].tolist() == stages.of.tolist()
    assert again.of[-1] == stages.of[0]
    assert again.ids == stages.ids


def test_cuts_are_made_at_the_largest_steps() -> None:
    place = np.array([1.0, 1.1, 1.2, 4.0, 4.1, 4.2, 9.0, 9.1])
    stages = derived_stages([str(i) for i in range(8)], place, np.full(8, 10))
    assert stages.of.tolist() == [0, 0, 0, 1, 1, 1, 2, 3] or stages.of[3] == stages.of[2] + 1


def test_stages_without_an_activity_are_left_out_and_the_rest_comes_last() -> None:
    stages = configured_stages(["a", "b", "c"], [("none", "None", ["x"]), ("one", "One", ["b"])])
    assert stages.ids == ("one", REST_ID)
    assert stages.of.tolist() == [1, 0, 1]
    assert not stages.derived
