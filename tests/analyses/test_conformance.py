"""Journeys against a designed one: shares against plain loops, what is held against open journeys, invariance."""

from __future__ import annotations

import random
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journeymine.analyses import conformance as analysis
from journeymine.analyses.conformance import check_conformance
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.reading import read_log
from journeymine.spec import Stage
from journeymine.uncertainty import wilson

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.log import EventLog

HOUR = pd.Timedelta("1h")
START = pd.Timestamp("2026-01-01", tz="UTC")
FEW = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


def frame(paths: list[str], hours: list[int] | None = None, **columns: list[str]) -> pd.DataFrame:
    """Journeys as words, an event an hour from the hour given."""
    rows = []
    for i, path in enumerate(paths):
        begin = START + (hours[i] if hours else 0) * HOUR
        rows += [
            {"case": f"{i:04}", "what": what, "at": begin + k * HOUR, **{c: v[i] for c, v in columns.items()}}
            for k, what in enumerate(path)
        ]
    return pd.DataFrame(rows)


def log_of(paths: list[str], hours: list[int] | None = None, **columns: list[str]) -> EventLog:
    data = frame(paths, hours, **columns)
    return read_log(data, case_id="case", activity="what", timestamp="at", threads=1)


def kept_by_loops(paths: list[str], goal: str | None) -> tuple[int, int, int]:
    """Journeys that are compared, that keep to a b? c, and that are a whole run of it; all journeys are over."""
    words = [re.sub("[^abc]", "", path) for path in paths]
    words_and_goals = [
        (word, goal is None or goal in path) for word, path in zip(words, paths, strict=True) if word
    ]
    kept = [
        word in ("ac", "abc") if to_the_end else word in ("a", "ab", "ac", "abc")
        for word, to_the_end in words_and_goals
    ]
    return len(kept), sum(kept), sum(word in ("ac", "abc") for word, _ in words_and_goals)


PATHS = st.lists(st.text("abcdg", min_size=1, max_size=6), min_size=1, max_size=25)


@FEW
@given(PATHS, st.booleans())
def test_shares_are_those_of_plain_loops(paths: list[str], has_goal: bool) -> None:
    paths = [*paths, "abcg"]
    # All journeys begin on the first day, and one lasts long enough for all the others to be over.
    log = log_of([*paths, "zz"], [*[0] * len(paths), 1000])
    log = log.journeys("g" if has_goal else None, idle="5d", end="z")
    found = check_conformance(log, ["a", "b?", "c"], n_draws=20)
    n, kept, complete = kept_by_loops(paths, "g" if has_goal else None)
    assert (found.n, found.n_without_step) == (n, len(paths) + 1 - n)
    assert float(found.share.estimate) == pytest.approx(kept / n)
    assert float(found.complete.estimate) == pytest.approx(complete / n)
    assert (found.n_complete, found.n_deviating) == (complete, n - kept)
    assert found.n_complete + found.n_stopped + found.n_open + found.n_deviating == n
    low, high = wilson(kept, n)
    assert float(found.share.lower) <= float(low) + 1e-9
    assert float(found.share.upper) >= float(high) - 1e-9


def test_deviations_are_counted() -> None:
    log = log_of(["abc"] * 5 + ["ac"] * 4 + ["abbc"] * 3 + ["bac"] * 2 + ["abxc"])
    found = check_conformance(log, ["a", "b", "c"], n_draws=20)
    # "bac" could keep either; later steps take what they can, so b is in its place and a comes late.
    assert [(each.kind, each.step, each.n) for each in found.deviations] == [
        ("skipped", "b", 4),
        ("repeated", "b", 3),
        ("order", "a", 2),
    ]
    assert float(found.share.estimate) == pytest.approx(6 / 15)
    assert (found.ignored, found.ignored_share.estimate.tolist()) == (("x",), [pytest.approx(1 / 15)])
    counted = check_conformance(log, ["a", "b", "c"], unexpected="count", n_draws=20)
    assert ("inserted", "x", 1) in [(each.kind, each.step, each.n) for each in counted.deviations]
    assert float(counted.share.estimate) == pytest.approx(5 / 15)


def test_a_journey_that_is_under_way_is_held_against_what_it_did() -> None:
    paths = ["abg", "ab", "ac", "ab", "acg", "abg"]
    hours = [0, 0, 0, 1000, 1000, 1000]
    log = log_of(paths, hours).journeys("g", idle="10d")
    found = check_conformance(log, ["a", "b", "g"], n_draws=20)
    # Two are whole runs; one was dropped after b, one is open after b; "ac" and "acg" skip b or have no place for c.
    assert (found.n_complete, found.n_stopped, found.n_open, found.n_deviating) == (2, 2, 1, 1)
    assert [(each.kind, each.step) for each in found.deviations] == [("skipped", "b")]
    whole = check_conformance(log, ["a", "b", "g"], whole=True, n_draws=20)
    # "ab" and "ac" were dropped: held against the whole design they skip what is left.
    assert (whole.n_complete, whole.n_stopped, whole.n_open, whole.n_deviating) == (2, 0, 1, 3)


def test_a_converted_journey_that_goes_on_has_not_skipped_what_follows_the_goal() -> None:
    log = log_of(["agx", "ag", "ag"], [0, 0, 1000]).journeys("g", idle="10d")
    found = check_conformance(log, ["a", "g", "x"], n_draws=20)
    assert (found.n_complete, found.n_open, found.n_deviating) == (1, 1, 1)


STAGES = (
    Stage(id="look", name="Look", activities=("a", "b")),
    Stage(id="buy", name="Buy", activities=("c", "d")),
    Stage(id="get", name="Get", activities=("e",)),
)


@FEW
@given(st.lists(st.text("abcdex", min_size=1, max_size=7), min_size=1, max_size=25))
def test_stages_are_kept_to_if_none_comes_after_a_later_one(paths: list[str]) -> None:
    from dataclasses import replace

    paths = [*paths, "abcde"]
    log = replace(log_of(paths), stages=STAGES)
    found = check_conformance(log, n_draws=20)
    visits = [
        [s for s, _ in groupby("aabbc"["abcde".index(w)] for w in path if w in "abcde")] for path in paths
    ]
    visits = [visit for visit in visits if visit]
    kept = [visit == sorted(visit) for visit in visits]
    assert float(found.share.estimate) == pytest.approx(np.mean(kept))
    back = {each.step: each.n for each in found.deviations}
    names = {"a": "Look", "b": "Buy", "c": "Get"}
    expected: dict[str, int] = {}
    for visit in visits:
        for s in {s for i, s in enumerate(visit) if s < max(visit[: i + 1])}:
            expected[names[s]] = expected.get(names[s], 0) + 1
    assert back == expected
    assert {each.kind for each in found.deviations} <= {"order"}


def world(seed: int, n: int = 1500, fault: float = 0.3) -> tuple[list[str], dict[str, list[str]]]:
    """Journeys a b c g: half of those that skip b convert half as often; the segment m skips more."""
    rng = random.Random(seed)
    paths, segment = [], []
    for _ in range(n):
        mobile = rng.random() < 0.5
        skips = rng.random() < (fault if mobile else 0.1)
        path = "a" + ("" if skips else "b") + "c"
        paths.append(path + ("g" if rng.random() < (0.35 if skips else 0.6) else ""))
        segment.append("m" if mobile else "d")
    return paths, {"device": segment}


def test_a_planted_fault_is_found_with_its_cost_and_its_segment() -> None:
    paths, columns = world(1)
    log = log_of(paths, **columns).journeys("g", segments="device")
    found = check_conformance(log, ["a", "b", "c", "g"], n_draws=200)
    first = found.deviations[0]
    assert (first.kind, first.step) == ("skipped", "b")
    assert first.conversion is not None
    assert float(first.conversion.lower) < -0.25 < float(first.conversion.upper) < 0
    # Every journey that skips takes exactly an hour less: an interval without width would be a lie.
    assert first.time_s is None
    (device,) = found.segments
    assert device.values == ("d", "m")
    assert device.q_value is not None
    assert device.q_value < 1e-6
    assert device.share.estimate[1] < device.share.estimate[0]
    text = found.to_frame()
    assert text.loc[0, ["kind", "step", "n"]].tolist() == ["skipped", "b", first.n]
    assert len(repr(found).splitlines()) <= 12
    assert repr(found).endswith("Next: .to_frame()")


def test_nothing_depends_on_row_order_or_threads() -> None:
    paths, columns = world(2, 300)
    data = frame(paths, **columns)
    results = []
    for seed, threads in ((None, 1), (3, 1), (4, 2)):
        rows = data if seed is None else data.sample(frac=1, random_state=seed)
        log = read_log(rows, case_id="case", activity="what", timestamp="at", threads=threads)
        found = check_conformance(log.journeys("g", segments="device"), ["a", "b", "c"], n_draws=50)
        results.append((found.to_frame().to_json(), found.fitness, [s.p_value for s in found.segments]))
    assert results[0] == results[1] == results[2]


def test_long_journeys_are_left_out_and_counted() -> None:
    found = check_conformance(log_of(["ab"] * 5 + ["b"] * 3 + ["ba", "a" * 1200]), ["a", "b"], n_draws=20)
    assert (found.n, found.n_left_out, found.sample, found.n_paths) == (9, 1, 1.0, 3)


def test_too_many_paths_are_sampled_by_customer(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(5)
    paths = ["abc" if rng.random() < 0.5 else "".join(rng.choices("abc", k=8)) for _ in range(4000)]
    log = log_of(paths)
    every = check_conformance(log, ["a", "b", "c"], n_draws=20)
    monkeypatch.setattr(analysis, "MAX_PATHS", 300)
    found = check_conformance(log, ["a", "b", "c"], n_draws=20)
    assert (every.sample, every.n_left_out) == (1.0, 0)
    assert 0.05 < found.sample < 0.5
    assert found.n + found.n_left_out == 4000
    assert found.n == pytest.approx(4000 * found.sample, rel=0.2)
    assert found.n_paths <= 300
    # The paths of all, not the commonest, which would keep to the design nearly always.
    assert float(found.share.lower) < float(every.share.estimate) < float(found.share.upper)


def test_a_log_without_times_and_one_without_journeys() -> None:
    data = frame(["abc", "ac", "abc"]).drop(columns="at")
    log = read_log(data, case_id="case", activity="what", threads=1)
    for one in (log, log.journeys(), log.journeys("c")):
        found = check_conformance(one, ["a", "b", "c"], n_draws=20)
        assert float(found.share.estimate) == pytest.approx(2 / 3)
        assert found.deviations[0].time_s is None


def test_errors() -> None:
    log = log_of(["abc"])
    with pytest.raises(OptionError, match="'x' is not an activity"):
        check_conformance(log, ["a", "x"])
    with pytest.raises(NotEnoughDataError, match="no designed journey"):
        check_conformance(log)
    late = log_of(["abc", "abc"]).journeys("c", start="c")
    assert check_conformance(late, ["a"], n_draws=20).n == 2


def test_hostile_names() -> None:
    names = ["it's", "<b>", "=1+1", "🛒", "NA", "->", "*", "a\nb"]
    rows = [{"case": case, "what": what} for case in ("1", "2") for what in names]
    log = read_log(pd.DataFrame(rows), case_id="case", activity="what", threads=1)
    found = check_conformance(log, names, n_draws=20)
    assert float(found.share.estimate) == 1.0


@pytest.mark.reference
def test_helpdesk_against_plain_loops_and_pm4py(reference_data: Path) -> None:
    design = ["Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed"]
    log = read_log(str(reference_data / "helpdesk" / "Helpdesk_full_italian.xes.gz"))
    found = check_conformance(log, design, n_draws=20)
    events: dict[str, list[Any]] = {}
    for row in log.to_frame().itertuples():
        if row.activity in design:
            events.setdefault(row.case_id, []).append(row.activity)
    assert found.n == len(events)
    kept = sum(path == design for path in events.values())
    assert (found.n_complete, found.n_deviating) == (kept, len(events) - kept)
    assert kept == 3132
    # Edit distance to the only run: events + 4 - 2 * longest common subsequence.
    cost = sum(len(path) + 4 - 2 * common(path, design) for path in events.values())
    worst = sum(len(path) + 4 for path in events.values())
    assert found.fitness == pytest.approx(1 - cost / worst, abs=1e-12)


def common(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        last = 0
        for j, y in enumerate(b):
            last, row[j + 1] = row[j + 1], last + 1 if x == y else max(row[j + 1], row[j])
    return row[-1]
