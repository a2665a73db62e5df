"""Repeats, loops and sequences against plain loops; differences against published intervals and simulated truth."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from tests.paths.path_worlds import Journey, with_journeys, without_goal, worlds

from journeymine.analyses.paths import motifs
from journeymine.counts.outcomes import OutcomeCounts
from journeymine.errors import OptionError
from journeymine.paths.outcomes import contrast

if TYPE_CHECKING:
    from tests.paths.path_worlds import World

    from journeymine.paths.motifs import Motifs

    Path = tuple[str, ...]


def runs(steps: Path, length: int) -> list[Path]:
    return [steps[i : i + length] for i in range(len(steps) - length + 1)]


def plain(journeys: list[Journey], length: int, top: int) -> list[tuple[str, Path, int, int]]:
    """(kind, pattern, occurrences, journeys), as they are to be listed."""
    listed = []
    for kind, steps in (("repeat", 2), ("loop", 3), ("sequence", length)):
        n: Counter[Path] = Counter(r for j in journeys for r in runs(j.before, steps))
        n_cases = Counter(r for j in journeys for r in set(runs(j.before, steps)))
        kept = [r for r in n if kind_of(r) == kind]
        kept.sort(key=lambda r: (-n_cases[r], -n[r], r))
        listed += [(kind, r, n[r], n_cases[r]) for r in kept[:top]]
    return listed


def kind_of(run: Path) -> str:
    if len(run) == 2 and run[0] == run[1]:
        return "repeat"
    return "loop" if len(run) == 3 and run[0] == run[2] != run[1] else "sequence"


def check(found: Motifs, journeys: list[Journey], length: int, top: int) -> None:
    frame = found.to_frame()
    got = list(zip(frame["kind"], frame["activities"], frame["n"], frame["n_journeys"], strict=True))
    assert got == plain(journeys, length, top)
    everything = Counter(kind for kind, *_ in plain(journeys, length, 10_000))
    for kind, rest in found.n_patterns_rest.items():
        assert rest == max(everything[kind] - top, 0)
    for i, run in enumerate(frame["activities"]):
        having = [j for j in journeys if run in runs(j.before, len(run))]
        others = [j for j in journeys if run[0] in j.before and j not in having]
        assert found.share.estimate[i] == pytest.approx(len(having) / len(journeys))
        for part, group in ((found.contrast.with_it, having), (found.contrast.without_it, others)):
            known = [j for j in group if j.outcome]
            assert int(part.n[i]) == len(known)
            won = sum(j.outcome == "converted" for j in known)
            assert part.at(i) is None or part.estimate[i] == pytest.approx(won / len(known))
        difference = found.contrast.difference.at(i)
        if difference is not None:
            assert -1 <= difference["lower"] <= difference["estimate"] <= difference["upper"] <= 1
            assert 0 <= found.contrast.p_value[i] <= found.q_value[i] <= 1


@given(worlds())
@settings(max_examples=15, deadline=None)
def test_every_pattern_by_plain_loops(world: World) -> None:
    log, journeys = with_journeys(world)
    for length, top in ((2, 3), (3, 20), (4, 20)):
        check(motifs(log, length=length, top=top), journeys, length, top)


@given(worlds())
@settings(max_examples=8, deadline=None)
def test_from_a_start_activity_and_without_a_goal(world: World) -> None:
    log, journeys = with_journeys(world, start=world[0][2])
    check(motifs(log), journeys, 3, 20)
    log, journeys = without_goal(world)
    found = motifs(log)
    check(found, journeys, 3, 20)
    assert np.isnan(found.q_value).all()


def one_column(rows: list[tuple[int, int, int]], n_units: int) -> OutcomeCounts:
    """Rows (unit, known, converted)."""
    unit, known, won = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
    return OutcomeCounts(unit, np.zeros(len(rows), np.int64), known, known, won, 1, n_units)


def test_the_difference_of_independent_rows_is_newcombes() -> None:
    # Newcombe (1998), table II: 56/70 less 48/80, method 10: 0.0524 to 0.3339.
    having = one_column([(i, 1, int(i < 56)) for i in range(70)], 150)
    others = one_column([(70 + i, 1, int(i < 48)) for i in range(80)], 150)
    found = contrast(having, others)
    assert found.difference.estimate[0] == pytest.approx(0.2)
    assert found.difference.lower[0] == pytest.approx(0.0524, abs=1.5e-3)
    assert found.difference.upper[0] == pytest.approx(0.3339, abs=1.5e-3)
    # Fleiss: the pooled z test.
    z = 0.2 / np.sqrt((104 / 150) * (46 / 150) * (1 / 70 + 1 / 80))
    assert found.p_value[0] == pytest.approx(2 * stats.norm.sf(z), rel=0.08)


def test_customers_on_both_sides_make_the_difference_surer_and_alone_less_sure() -> None:
    rng = np.random.default_rng(3)
    taste = rng.random(200)
    rows = [[(u, 5, int(rng.binomial(5, t))) for u, t in enumerate(taste)] for _ in range(2)]
    together = contrast(one_column(rows[0], 200), one_column(rows[1], 200)).difference
    apart = contrast(
        one_column(rows[0], 400), one_column([(200 + u, n, w) for u, n, w in rows[1]], 400)
    ).difference
    alone = [[(5 * u + i, 1, int(i < w)) for u, _, w in part for i in range(5)] for part in rows]
    plainly = contrast(
        one_column(alone[0], 2000), one_column([(1000 + u, n, w) for u, n, w in alone[1]], 2000)
    ).difference
    width = [float(d.upper[0] - d.lower[0]) for d in (together, plainly, apart)]
    assert width == sorted(width)
    assert width[2] > 1.3 * width[0]


def test_the_interval_of_a_difference_holds_the_truth() -> None:
    rng, hits, rejected, runs_ = np.random.default_rng(5), 0, 0, 400
    for _ in range(runs_):
        taste = rng.beta(2, 3, 120)
        n = rng.poisson(3, (2, 120))
        won = rng.binomial(n, np.stack([taste, taste]))
        sides = [one_column([(u, int(k), int(w)) for u, (k, w) in enumerate(zip(a, b, strict=True))], 120)
                 for a, b in zip(n, won, strict=True)]  # fmt: skip
        found = contrast(*sides)
        hits += bool(found.difference.lower[0] <= 0 <= found.difference.upper[0])
        rejected += bool(found.p_value[0] < 0.05)
    # At 95 % of 400 runs, fewer than 367 or more than 393 would be a chance of one in 500.
    assert 367 <= hits <= 395
    assert rejected <= 33


def test_nothing_to_compare() -> None:
    none, some = one_column([(0, 0, 0)], 4), one_column([(0, 1, 1), (1, 1, 1)], 4)
    assert contrast(none, some).difference.at(0) is None
    assert np.isnan(contrast(none, some).p_value[0])
    assert contrast(some, some).p_value[0] == 1.0


def test_display_and_empty_lists() -> None:
    log, _ = with_journeys([("c1", "k1", "a", 0), ("c2", "k2", "goal", 0)])
    found = motifs(log)
    assert len(found.to_frame()) == 0
    assert found.n_patterns_rest == {"repeat": 0, "loop": 0, "sequence": 0}
    rows = [(f"c{i}", f"k{i}", "ab"[h % 2], h) for i in range(4) for h in range(9)]
    busy = with_journeys([*rows, ("c9", "k9", "goal", 0)])[0]
    lines = repr(motifs(busy)).splitlines()
    assert len(lines) <= 12
    assert lines[-1] == "Next: .to_frame()"
    assert sum(motifs(busy, top=1).n_rest.values()) > 0


@pytest.mark.parametrize("wrong", [{"length": 1}, {"length": 9}, {"top": 0}, {"length": "3"}])
def test_wrong_options(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="expected a whole number"):
        motifs(with_journeys([("c", "k", "a", 0)])[0], **wrong)
