"""Friction of logs: every flag against a plain loop, known facts of real logs, and worlds without friction."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import journeymine as jm
from journeymine.analyses.friction import find_friction
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.paths.signals import FrictionRules
from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.paths.friction import Friction, FrictionRow

SECOND, DAY = 1_000_000, 86_400_000_000
T0 = 1_700_000_000 * SECOND
NAMES = ("A", "B", "call", "Pay error", "Goal")
Row = dict[str, Any]


def random_rows(seed: int, n_cases: int = 60) -> list[Row]:
    """Short journeys with fast repeats, long waits, errors, contacts, two channels and some without one."""
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(n_cases):
        us = T0 + int(rng.integers(0, 60)) * DAY
        for _ in range(int(rng.integers(1, 12))):
            us += int(rng.choice([0, SECOND // 2, 3 * SECOND, 40 * SECOND, 2 * DAY, 9 * DAY]))
            rows.append(
                {
                    "case": f"c{case:03}", "what": str(rng.choice(NAMES, p=[0.35, 0.25, 0.15, 0.15, 0.1])),
                    "us": us, "channel": rng.choice(["web", "shop", ""]), "order": len(rows),
                    "segment": str(rng.integers(0, 3)),
                }
            )  # fmt: skip
    return rows


def log_of(rows: list[Row], **roles: Any) -> jm.EventLog:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return read_log(
        pa.table(columns), case_id="case", activity="what", timestamp="us", time_unit="us", order="order",
        channel="channel", threads=1, **roles,
    )  # fmt: skip


def oracle(
    rows: list[Row], idle: int, rules: FrictionRules
) -> dict[tuple[str, str], tuple[int, int, set[str]]]:
    """(signal, activity) -> (visits that can be judged, visits where it holds, journeys where it holds)."""
    paths: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: (r["case"], r["us"], r["order"])):
        paths.setdefault(row["case"], []).append(row)
    end = max(row["us"] for row in rows)
    waits: dict[str, list[int]] = {}
    for path in paths.values():
        for a, b in pairwise(path):
            waits.setdefault(b["what"], []).append(b["us"] - a["us"])
    long = {name: max(rules.hesitation_factor * float(np.median(w)), 1000.0) for name, w in waits.items()}
    is_open = {
        case: "Goal" not in [r["what"] for r in path] and path[-1]["us"] > end - idle
        for case, path in paths.items()
    }
    found: dict[tuple[str, str], tuple[int, int, set[str]]] = {}

    def add(signal: str, visit: Row, holds: bool) -> None:
        n, held, cases = found.get((signal, visit["what"]), (0, 0, set()))
        found[signal, visit["what"]] = n + 1, held + holds, cases | ({visit["case"]} if holds else set())

    for case, path in paths.items():
        goal = next((i for i, r in enumerate(path) if r["what"] == "Goal"), math.inf)
        for i, visit in enumerate(path):
            past, name = path[:i], visit["what"]
            own = [r for r in past if r["what"] == name]
            before = past[-1]["what"] if past else None
            add("repetition", visit, bool(own))
            add("self_loop", visit, before == name)
            add("back_and_forth", visit, i > 1 and past[-2]["what"] == name and before != name)
            add("rework", visit, bool(own) and before != name)
            add("retry", visit, len(own) >= 4 - 1)
            three = path[max(i - 2, 0) : i + 1]
            rapid = len(three) == 3 and {r["what"] for r in three} == {name}
            gaps = [b["us"] - a["us"] for a, b in pairwise(three)]
            add("rapid_repeat", visit, rapid and max(gaps) < SECOND)
            add("page_loop", visit, len(own) > 1 and visit["us"] - own[-2]["us"] <= 15 * SECOND)
            add("after_error", visit, before == "Pay error")
            if past:
                add("hesitation", visit, visit["us"] - past[-1]["us"] > long[name])
                if visit["channel"] and past[-1]["channel"]:
                    add("channel_switch", visit, visit["channel"] != past[-1]["channel"])
            if name == "call":
                calls = [r["us"] for r in own]
                add("repeat_contact", visit, bool(calls) and visit["us"] - calls[-1] <= 7 * DAY)
            watched = not any(is_open.values()) or visit["us"] <= end - idle
            if i < goal and watched:
                lost = i == len(path) - 1
                add("dead_end", visit, lost)
                if name == "Pay error":
                    add("error_exit", visit, lost)
                    dropped = goal == math.inf and not is_open[case]
                    add("quick_exit", visit, dropped and path[-1]["us"] - visit["us"] <= 5 * SECOND)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_flag_is_that_of_a_plain_loop(seed: int) -> None:
    rows, rules = random_rows(seed), FrictionRules()
    log = log_of(rows).journeys("Goal", idle="10d", segments="segment")
    expected = oracle(rows, 10 * DAY, rules)
    friction = find_friction(log, rules)
    assert not friction.off
    seen = {}
    for row in friction.rows:
        if row.signal not in ("long_wait", "never", "outlook"):
            seen[row.signal, row.activity] = (int(row.rate.n), row.n, row.n_journeys)
            assert float(row.rate.estimate) == pytest.approx(row.n / int(row.rate.n))
    known = {key: (n, held, len(cases)) for key, (n, held, cases) in expected.items()}
    assert {
        k: v for k, v in known.items() if v[1] or k[0] in ("dead_end", "error_exit", "quick_exit")
    } == seen


@pytest.mark.parametrize("pair", [("A", "B"), ("call", "Goal"), ("B", "call")])
def test_did_x_but_never_y(pair: tuple[str, str]) -> None:
    rows = random_rows(9, 120)
    log = log_of(rows).journeys("Goal", idle="10d")
    friction = find_friction(log, FrictionRules(never=(pair,), never_auto=0))
    (row,) = friction.signal("never")
    paths: dict[str, list[Row]] = {}
    for r in sorted(rows, key=lambda r: (r["case"], r["us"], r["order"])):
        paths.setdefault(r["case"], []).append(r)
    end = max(r["us"] for r in rows)
    n = never = 0
    assert friction.horizon_s is not None
    for path in paths.values():
        names = [r["what"] for r in path]
        if pair[0] not in names:
            continue
        first = names.index(pair[0])
        is_open = "Goal" not in names and path[-1]["us"] > end - 10 * DAY
        if is_open or path[first]["us"] > end - friction.horizon_s * SECOND:
            continue
        n += 1
        never += pair[1] not in names[first + 1 :]
    assert (int(row.rate.n), row.n) == (n, never)
    assert row.effect is None or pair[1] != "Goal"


def plain(friction: Friction) -> list[tuple[Any, ...]]:
    return [
        (r.signal, r.activity, r.other, r.rate.at(), r.n, r.effect.at() if r.effect else None, r.q_value)
        for r in friction.rows
    ]


def test_the_order_of_the_rows_and_the_number_of_threads_do_not_matter() -> None:
    rows = random_rows(5, 150)
    shuffled = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    one = find_friction(log_of(rows).journeys("Goal", idle="10d", segments="segment"))
    other = find_friction(log_of(shuffled).journeys("Goal", idle="10d", segments="segment"))
    assert plain(one) == plain(other)
    assert (one.score is None) == (other.score is None)


def chain_log(seed: int, n_cases: int = 1500) -> jm.EventLog:
    """A Markov chain: what happens next does not depend on what happened before, so nothing is friction.

    Every activity is left for the goal, or for good, with the same chance; repeats and detours abound.
    """
    rng = np.random.default_rng(seed)
    case, what = [], []
    for i in range(n_cases):
        at = int(rng.integers(0, 4))
        while True:
            case.append(f"{i:05}")
            what.append("ABCD"[at])
            step = rng.random()
            if step < 0.1:
                case.append(f"{i:05}")
                what.append("Goal")
                break
            if step < 0.25:
                break
            at = int(rng.integers(0, 4)) if rng.random() < 0.5 else at
    table = pa.table({"case": case, "what": what})
    return read_log(table, case_id="case", activity="what", threads=1).journeys("Goal")


@pytest.mark.simulation
def test_nothing_is_found_where_nothing_is() -> None:
    found = [find_friction(chain_log(seed), FrictionRules(never_auto=0)) for seed in range(5)]
    assert all(f.n_tested > 20 for f in found)
    # Journeys with repeats had to last long enough to repeat: a comparison of journeys would find an effect here.
    assert sum(f.n_kept > 0 for f in found) <= 1
    p = np.concatenate([[r.p_value for r in f.rows if r.p_value is not None] for f in found])
    assert 0.01 <= (p < 0.05).mean() <= 0.12


def test_without_visits_as_deep_there_is_no_comparison() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for i in range(3000):
        path = ["Home"]
        if rng.random() < 0.4:
            path += ["Pay error", "Home"]
        after_error = len(path) > 1
        if rng.random() < (0.3 if after_error else 0.5):
            path.append("Goal")
        rows += [(f"{i:05}", name) for name in path]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows]})
    log = read_log(table, case_id="case", activity="what", threads=1).journeys("Goal")
    friction = find_friction(log, FrictionRules(never_auto=0))
    # The second visit has no first visit as deep in the journey to be compared with.
    (row,) = [r for r in friction.signal("after_error") if r.activity == "Home"]
    assert row.n == pytest.approx(1200, rel=0.06)
    assert row.other == "Pay error"
    assert row.effect is None


@pytest.mark.simulation
def test_an_association_is_measured_at_the_same_depth() -> None:
    rng, rows = np.random.default_rng(4), []
    for i in range(4000):
        middle = "Pay error" if rng.random() < 0.4 else "Info"
        won = rng.random() < (0.3 if middle == "Pay error" else 0.5)
        rows += [(f"{i:05}", name) for name in ["Start", middle, "Home", *(["Goal"] if won else [])]]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows]})
    log = read_log(table, case_id="case", activity="what", threads=1).journeys("Goal")
    (row,) = find_friction(log).signal("after_error")
    assert row.effect is not None
    assert row.leave is not None
    assert float(row.effect.lower) < -0.2 < float(row.effect.upper)
    assert float(row.leave.estimate) == pytest.approx(-float(row.effect.estimate))
    assert row.reading == "friction"


def test_what_a_log_cannot_show_is_said() -> None:
    log = read_log(pa.table({"case": list("aab"), "what": list("xyx")}), case_id="case", activity="what")
    friction = find_friction(log.journeys("y"))
    assert {off.signal: off.reason for off in friction.off} == {
        "rapid_repeat": "times", "page_loop": "times", "hesitation": "times", "channel_switch": "channel",
        "repeat_contact": "contacts", "after_error": "errors", "error_exit": "errors", "quick_exit": "errors",
        "long_wait": "times",
    }  # fmt: skip
    assert friction.score is None
    assert friction.score_reason == "few_units"
    assert not friction.waits
    no_goal = find_friction(log.journeys())
    assert {o.signal for o in no_goal.off} >= {"dead_end", "outlook"}
    assert no_goal.n_tested == 0
    assert no_goal.score_reason == "no_goal"


@pytest.mark.parametrize(("unit", "coarse"), [(SECOND, False), (60 * SECOND, True)])
def test_a_coarse_clock_shows_no_rapid_repeats(unit: int, coarse: bool) -> None:
    rows = random_rows(6)
    for row in rows:
        row["us"] -= row["us"] % unit
    friction = find_friction(log_of(rows).journeys("Goal", idle="10d"))
    assert ("page_loop" in {off.signal for off in friction.off}) == coarse
    assert friction.resolution_s == unit / SECOND


def test_errors_that_help() -> None:
    log = log_of(random_rows(7))
    with pytest.raises(NotEnoughDataError, match="friction"):
        find_friction(log)
    with pytest.raises(OptionError, match="did you mean 'Goal'"):
        find_friction(log.journeys("Goal"), FrictionRules(never=(("A", "Gaol"),)))


def test_hostile_names() -> None:
    names = [
        "'; DROP TABLE x; --",
        "<b>call</b>",
        "=cmd()",
        "NA",
        "->",
        "*",
        "Zahlung\nfehlgeschlagen",
        "🙂",
        "ش",
    ]
    rng = np.random.default_rng(8)
    rows = random_rows(8, 100)
    for row in rows:
        row["what"] = names[int(rng.integers(len(names)))]
        row["channel"] = names[int(rng.integers(len(names)))]
    friction = find_friction(log_of(rows).journeys("NA", idle="10d"))
    assert {row.activity for row in friction.rows} <= set(names)
    assert len(repr(friction).splitlines()) <= 12
    assert repr(friction).splitlines()[-1].startswith("Next:")
    assert len(friction.to_frame()) == len(friction.rows)


def row_of(friction: Friction, signal: str, activity: str) -> FrictionRow:
    (row,) = [row for row in friction.signal(signal) if row.activity == activity]
    return row


def test_an_end_activity_is_where_journeys_stop_not_where_they_are_lost() -> None:
    paths = ["a b quit", "a quit", "a b goal", "b quit"]
    table = {"case": [], "what": []}  # type: ignore[var-annotated]
    for i, path in enumerate(paths):
        for name in path.split():
            table["case"].append(str(i))
            table["what"].append(name)
    log = read_log(pa.table(table), case_id="case", activity="what").journeys("goal", end="quit")
    friction = find_friction(log)
    assert (row_of(friction, "dead_end", "a").n, row_of(friction, "dead_end", "b").n) == (1, 2)
    assert "quit" not in {row.activity for row in friction.signal("dead_end")}


@pytest.mark.reference
def test_journeys_through_an_assessment_are_lost_on_the_customers_side(reference_data: Any) -> None:
    source = reference_data / "greps_journeys" / "greps_journeys.csv"
    log = read_log(str(source), case_id="journey", activity="output_event", order="step")
    friction = find_friction(log.journeys("positive", end="negative"))
    lost = {row.activity: (row.n, row.actor) for row in friction.signal("dead_end") if row.n}
    # The published account of these journeys: where the unsuccessful ones stopped.
    assert lost == {
        "customerTask event: 1": (6, "customer"), "customerwaitingForActivityReport": (4, "customer"),
        "customerTask event: 2": (3, "customer"), "customerTask event: 3": (3, "customer"),
    }  # fmt: skip
    assert all(row.reading == "friction" for row in friction.signal("dead_end") if row.n)
    assert {row.actor for row in friction.rows} == {"customer", "company", None}


@pytest.mark.reference
def test_repeats_of_the_helpdesk_are_those_of_pm4py(reference_data: Any) -> None:
    log = read_log(str(reference_data / "helpdesk" / "Helpdesk_full_italian.xes.gz"))
    friction = find_friction(log.journeys("Closed"))
    frame = log.to_frame()
    n = Counter(zip(frame["case_id"], frame["activity"], strict=True))
    cases = Counter(activity for (_, activity), k in n.items() if k > 1)
    found = {row.activity: row.n_journeys for row in friction.signal("repetition")}
    assert found == dict(cases)
    # pm4py 2.7.23, get_rework_cases_per_activity on the sorted log.
    assert found == REWORK_OF_PM4PY
    wait = next(w for w in friction.waits if w.activity == "Resolve ticket")
    assert wait.long
    assert float(wait.found.median_s.estimate) == pytest.approx(2_583_899, rel=0.25)


REWORK_OF_PM4PY = {
    "Assign seriousness": 394, "Closed": 15, "Create SW anomaly": 8, "Require upgrade": 15,
    "Resolve SW anomaly": 5, "Resolve ticket": 386, "Take in charge ticket": 623, "Wait": 194,
}  # fmt: skip


def test_the_demo_log_has_the_friction_that_was_planted() -> None:
    log = jm.read_log(
        jm.demo_log_path(), case_id="journey_id", customer_id="customer_id", activity="activity",
        timestamp="timestamp", channel="channel",
    )  # fmt: skip
    friction = find_friction(
        log.journeys("Order placed", idle="21d", segments=["platform", "country", "customer_type"])
    )
    assert row_of(friction, "dead_end", "Account sign-in").reading == "friction"
    declined = row_of(friction, "after_error", "Payment")
    assert declined.other == "Payment declined"
    assert declined.reading == "friction"
    assert declined.effect is not None
    assert float(declined.effect.upper) < -0.1
    score = friction.score
    assert score is not None
    assert float(score.slope.lower) < 1 < float(score.slope.upper)
    assert abs(score.predicted - score.observed.estimate).max() < 0.03


def test_working_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from journeymine.counting import friction as counting

    log = log_of(random_rows(5, 150)).journeys("Goal", idle="10d", segments="segment")
    whole = plain(find_friction(log))
    monkeypatch.setattr(counting, "MAX_EVENTS", 100)
    monkeypatch.setattr(counting, "MAX_ROWS", 50)
    assert plain(find_friction(log)) == whole
