"""Folding: never more steps than fit, nothing lost, ids that hold next month."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from journeymine.paths.process_fold import MAX_STEPS, fold_steps, step_ids
from journeymine.paths.process_stages import Stages

HOSTILE = [
    "a>b",
    "a@1",
    "a b",
    "A b",
    "",
    " ",
    "->",
    "*",
    "x" * 200,
    "é",
    "e",
    "💳",
    "\ud800",
    "\n",
    "other.s1",
]


def stages_of(assigned: list[int]) -> Stages:
    used, of = np.unique(assigned, return_inverse=True)
    return Stages(tuple(f"s{i}" for i in used), (None,) * len(used), of.reshape(-1), derived=True)


@given(st.lists(st.text(max_size=12), unique=True, max_size=30))
def test_ids_are_unique_and_safe(names: list[str]) -> None:
    ids = step_ids([*names, *(name for name in HOSTILE if name not in names)])
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z0-9-]+", id_) for id_ in ids)


def test_ids_do_not_depend_on_the_place() -> None:
    names = ["Basket", "Pay by card", "支払い", *HOSTILE]
    forwards, backwards = step_ids(names), step_ids(names[::-1])
    assert forwards == backwards[::-1]


@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(0, 6)), min_size=1, max_size=120),
    st.integers(8, 40),
    st.sets(st.integers(0, 119), max_size=4),
)
def test_every_activity_has_one_step(rows: list[tuple[int, int]], most: int, protected: set[int]) -> None:
    k = len(rows)
    stages = stages_of([stage for _, stage in rows])
    own = {code for code in protected if code < k}
    ids = step_ids([f"activity {i}" for i in range(k)])
    steps = fold_steps(ids, np.array([n for n, _ in rows]), stages, protected=own, most=max(most, 12))
    assert len(steps.ids) <= max(most, 12)
    assert sorted(code for members in steps.members for code in members) == list(range(k))
    assert len(set(steps.ids)) == len(steps.ids)
    for step, members in enumerate(steps.members):
        assert all(steps.of[code] == step for code in members)
        assert all(stages.of[code] == steps.stage[step] for code in members)
    assert all(len(steps.members[steps.of[code]]) == 1 for code in own) or len(own) > max(most, 12) - 7
    if k <= most:
        assert steps.n_folded == 0
        assert steps.ids == ids


def test_the_rarest_share_a_step_and_known_steps_are_not_given_up_for_noise() -> None:
    k = MAX_STEPS + 10
    n = np.arange(1000, 1000 + k)
    ids = step_ids([f"activity {i}" for i in range(k)])
    stages = stages_of([0] * k)
    steps = fold_steps(ids, n, stages)
    assert steps.n_folded == 11
    assert steps.members[-1] == tuple(range(11))
    again = fold_steps(ids, n[::-1].copy(), stages, before=steps.ids)
    assert again.members == steps.members
