"""Visits by the channel before, and what followed them: by hand, and against plain Python."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from journeymine.counting import switches as module
from journeymine.counting.contacts import count_follow_ups
from journeymine.counting.switches import OTHERS, count_switches
from journeymine.reading import read_log

if TYPE_CHECKING:
    from journeymine.counts.contacts import FollowUps
    from journeymine.counts.switches import SwitchCounts
    from journeymine.log import EventLog

HOUR = 3_600_000_000
START = 1_767_225_600_000_000
"""2026-01-01, UTC."""


def make(rows: list[tuple[Any, ...]], *, order: np.ndarray | None = None) -> EventLog:
    """Rows of (case, activity, channel, hours since the start)."""
    case, what, where, hours = (list(part) for part in zip(*rows, strict=True))
    table = pa.table(
        {"case": case, "what": what, "where": where, "at": [START + int(h * HOUR) for h in hours]}
    )
    table = table if order is None else table.take(order)
    log = read_log(
        table, case_id="case", activity="what", timestamp="at", time_unit="us", channel="where", threads=1
    )
    return log.journeys("buy", idle="2d")


def switched(log: EventLog) -> SwitchCounts:
    return count_switches(log.engine, log.canonical, log._visits, log.count_chain(), log.raw.table, "where")


def followed(log: EventLog) -> FollowUps:
    assert log.found is not None
    return count_follow_ups(log.engine, log.canonical, log.found, log._visits, log.count_chain())


ROWS = [
    ("a", "look", "web", 0), ("a", "call", "phone", 1), ("a", "look", "web", 2), ("a", "buy", "web", 3),
    ("b", "look", "store", 0), ("b", "call", "phone", 1),
    ("c", "look", "web", 0), ("c", "look", "web", 9), ("c", "call", None, 10), ("c", "call", "phone", 11),
    # The last two hours are not watched for two days.
    ("d", "look", "web", 99), ("d", "call", "phone", 100),
]  # fmt: skip


def test_switches_by_hand() -> None:
    found = switched(make(ROWS))
    assert found.channels == ("phone", "store", "web")
    names = make(ROWS).count_chain().states
    rows = Counter[tuple[str, str, str]]()
    totals: dict[tuple[str, str, str], tuple[int, int]] = {}
    for i in range(len(found.n)):
        key = (names[found.state[i]], found.channels[found.before[i]], found.channels[found.own[i]])
        rows[key] += int(found.n_all[i])
        totals[key] = (
            totals.get(key, (0, 0))[0] + int(found.n[i]),
            totals.get(key, (0, 0))[1] + int(found.drops[i]),
        )
    # The visit of "c" without a channel is left out, and the one after it has no known channel before.
    assert rows == {
        ("call", "web", "phone"): 2, ("call", "store", "phone"): 1, ("look", "phone", "web"): 1,
        ("look", "web", "web"): 1,
    }  # fmt: skip
    assert totals["call", "web", "phone"] == (1, 0)
    assert totals["call", "store", "phone"] == (1, 1)


def test_rare_channels_are_joined(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "MOST_CHANNELS", 2)
    found = switched(make(ROWS))
    # Phone and web have as many visits that had one before, and the tie goes by name.
    assert found.channels == ("phone", OTHERS)
    assert int(found.n_all.sum()) == 5


def test_follow_ups_by_hand() -> None:
    log = make(ROWS)
    found, names = followed(log), log.count_chain().states
    rows: dict[tuple[str, str], tuple[int, int]] = {}
    for source, target, n, lost in zip(found.source, found.target, found.n, found.lost, strict=True):
        before = rows.get((names[source], names[target]), (0, 0))
        rows[names[source], names[target]] = (before[0] + int(n), before[1] + int(lost))
    # First visits to each activity only; what leads to the goal is no step; "d" is still open.
    assert rows == {
        ("look", "call"): (2, 1),
        ("call", "look"): (1, 0),
        ("look", "look"): (1, 1),
        ("call", "call"): (1, 1),
    }
    assert sum(found.late) == 0


def random_rows(seed: int, n_cases: int = 150) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, ...]] = []
    for case in range(n_cases):
        at = float(rng.uniform(0, 400))
        for _ in range(int(rng.integers(1, 7))):
            what = str(rng.choice(["a", "b", "c", "d", "buy"], p=[0.3, 0.25, 0.2, 0.15, 0.1]))
            rows.append((f"k{case:03}", what, str(rng.choice(["web", "app", "shop"])), round(at, 3)))
            at += float(rng.exponential(5.0))
    return rows


def test_against_plain_python() -> None:
    rows = random_rows(1)
    log = make(rows)
    chain, end = log.count_chain(), max(row[3] for row in rows)
    names = chain.states
    switches, follow = Counter[tuple[str, str, str, int]](), Counter[tuple[str, str, bool]]()
    by_case: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_case.setdefault(row[0], []).append(row)
    for journey in by_case.values():
        goal = next((i for i, row in enumerate(journey) if row[1] == "buy"), None)
        visits = journey if goal is None else journey[:goal]
        is_open = goal is None and journey[-1][3] > end - 48
        seen: set[str] = set()
        for i, row in enumerate(visits):
            watched = row[3] <= end - 48
            after = journey[i + 1][1] if i + 1 < len(journey) else None
            if i:
                switches[row[1], visits[i - 1][2], row[2], int(watched and after is None)] += 1
            if row[1] not in seen and watched and after not in (None, "buy") and not is_open:
                follow[row[1], after, goal is None] += 1
            seen.add(row[1])
    found = switched(log)
    counted = Counter[tuple[str, str, str, int]]()
    for i in range(len(found.n)):
        place = (names[found.state[i]], found.channels[found.before[i]], found.channels[found.own[i]])
        counted[(*place, 1)] += int(found.drops[i])
        counted[(*place, 0)] += int(found.n_all[i] - found.drops[i])
    assert +counted == +switches
    steps, way = followed(log), Counter[tuple[str, str, bool]]()
    for i in range(len(steps.n)):
        way[names[steps.source[i]], names[steps.target[i]], True] += int(steps.lost[i])
        way[names[steps.source[i]], names[steps.target[i]], False] += int(steps.n[i] - steps.lost[i])
    assert +way == +follow
    # Late is what takes longer than nine of ten moves between the same two.
    assert 0 < steps.n[steps.late == 1].sum() <= 0.1 * steps.n.sum() + len(steps.limit_us)


def test_any_row_order_gives_the_same() -> None:
    rows = random_rows(2)
    order = np.random.default_rng(0).permutation(len(rows))
    one, other = make(rows), make(rows, order=order)
    for counts in (switched, followed):
        a, b = counts(one), counts(other)
        for name in a.__slots__:
            np.testing.assert_equal(getattr(a, name), getattr(b, name))
