"""`compare` on logs: counts against a plain loop, groups and periods, planted and absent differences."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import journeymine as jm
from journeymine._demo import demo_spec
from journeymine.analyses.comparisons import compare_everything
from journeymine.analyses.differences import compare
from journeymine.errors import LogSchemaError, NotEnoughDataError, OptionError
from journeymine.reading import log_from_spec
from journeymine.simulate import sample_chain, shop

if TYPE_CHECKING:
    from journeymine.log import EventLog
    from journeymine.paths.differences import Differences

DAY = 86_400


@pytest.fixture(scope="module")
def demo() -> EventLog:
    spec, folder = demo_spec()
    return log_from_spec(spec, folder)


def read(frame: pd.DataFrame, **roles: Any) -> EventLog:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return jm.read_log(table, case_id="case", activity="what", timestamp="when", threads=1, **roles)


def random_frame(seed: int, n_cases: int = 150, names: str = "ABCG") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(n_cases):
        when = int(rng.integers(0, 200)) * DAY
        for _ in range(int(rng.integers(1, 9))):
            what = names[int(rng.integers(0, len(names)))]
            rows.append(
                (f"c{case}", f"k{case // 2}", what, when, str(case % 3), "xy"[int(rng.integers(0, 2))])
            )
            when += int(rng.integers(1, 5)) * DAY
    frame = pd.DataFrame(rows, columns=["case", "who", "what", "when", "kind", "place"])
    frame["when"] = pd.to_datetime(frame["when"] + 1_767_225_600, unit="s", utc=True)
    return frame


def oracle(frame: pd.DataFrame, group_of: Any, *, goal: str | None, idle_days: int) -> Counter[Any]:
    """Moves by group with a plain loop: (group, source, target); group_of(case rows, row) is 0, 1 or None."""
    end = frame["when"].max()
    last = end - pd.Timedelta(days=idle_days)
    cases = [rows.sort_values("when", kind="stable") for _, rows in frame.groupby("case", sort=False)]
    has_open = any(
        (goal is None or goal not in set(rows["what"])) and rows["when"].iloc[-1] > last for rows in cases
    )
    moves: Counter[Any] = Counter()
    for rows in cases:
        what = rows["what"].tolist()
        for i, (_, row) in enumerate(rows.iterrows()):
            group = group_of(rows, row)
            if group is None or (has_open and row["when"] > last):
                continue
            late = goal is None or goal in what[: i + 1]
            target = what[i + 1] if i + 1 < len(what) else "(end)" if late else "(dropped)"
            moves[group, row["what"], target] += 1
    return moves


def check(found: Differences, moves: Counter[Any]) -> None:
    frame = found.to_frame()
    total = {g: Counter({s: 0 for _, s, _ in moves}) for g in (0, 1)}
    for (g, s, _), n in moves.items():
        total[g][s] += n
    pairs = {(s, t) for _, s, t in moves if total[0][s] and total[1][s]}
    assert set(zip(frame["source"], frame["target"], strict=True)) == pairs
    for row in frame.itertuples():
        a, b = (moves[g, row.source, row.target] / total[g][row.source] for g in (0, 1))
        assert row.estimate == pytest.approx(a - b, abs=1e-12)
        assert (row.n_a, row.n_b) == (total[0][row.source], total[1][row.source])


@pytest.mark.parametrize("goal", ["G", None])
def test_moves_of_a_segment_equal_a_plain_loop(goal: str | None) -> None:
    frame = random_frame(1)
    log = read(frame, customer_id="who").journeys(goal, idle="10d")
    found = compare(log, "kind", "0", ["1", "2"])

    def group(rows: pd.DataFrame, _row: Any) -> int:
        return 0 if rows["kind"].iloc[0] == "0" else 1

    check(found, oracle(frame, group, goal=goal, idle_days=10))
    rest = compare(log, "kind", "0")
    assert rest.to_frame().equals(found.to_frame())
    assert rest.b == "(all others)"


def test_the_value_of_a_journey_is_that_of_its_first_event() -> None:
    frame = random_frame(2)
    log = read(frame, customer_id="who").journeys("G", idle="10d")

    def group(rows: pd.DataFrame, _row: Any) -> int:
        return "xy".index(rows["place"].iloc[0])

    check(compare(log, "place", "x", "y"), oracle(frame, group, goal="G", idle_days=10))


def test_a_move_belongs_to_the_period_of_its_source_event() -> None:
    frame = random_frame(3)
    log = read(frame, customer_id="who").journeys("G", idle="10d")
    cut, stop = pd.Timestamp("2026-03-01", tz="UTC"), pd.Timestamp("2026-05-01", tz="UTC")

    def group(_rows: pd.DataFrame, row: Any) -> int | None:
        return 0 if row["when"] < cut else 1 if row["when"] < stop else None

    found = compare(log, "period", ("2020-01-01", "2026-03-01"), (cut.date(), stop.to_pydatetime()))
    check(found, oracle(frame, group, goal="G", idle_days=10))


def test_journeys_are_found_where_they_were_not_defined() -> None:
    frame = random_frame(4)
    log = read(frame)
    found, defined = compare(log, "kind", "0", "1"), compare(log.journeys(), "kind", "0", "1")
    assert found.to_frame().equals(defined.to_frame())
    assert found.mix is None
    assert "(end)" in set(found.to_frame()["target"])
    assert "(dropped)" not in set(found.to_frame()["target"])


def test_groups_exchanged_and_rows_shuffled() -> None:
    frame = random_frame(5).drop_duplicates(["case", "when"])
    log = read(frame, customer_id="who").journeys("G", idle="10d", segments=["place"])
    shuffled = read(frame.sample(frac=1, random_state=1), customer_id="who")
    shuffled = shuffled.journeys("G", idle="10d", segments=["place"])
    one, other = compare(log, "kind", "0", "1"), compare(log, "kind", "1", "0")
    a, b = one.to_frame(), other.to_frame()
    assert a["estimate"].to_numpy() == pytest.approx(-b["estimate"].to_numpy(), abs=1e-12)
    assert a["upper"].to_numpy() == pytest.approx(-b["lower"].to_numpy(), abs=1e-12)
    assert a["q_value"].to_numpy() == pytest.approx(b["q_value"].to_numpy(), nan_ok=True)
    assert compare(shuffled, "kind", "0", "1").to_frame().equals(a)
    again = compare(shuffled, "kind", "0", "1")
    assert one.mix is not None
    assert again.mix is not None
    assert again.mix.behaviour.at() == one.mix.behaviour.at()


def test_planted_differences_of_the_demo(demo: EventLog) -> None:
    mobile = compare(demo, "platform", "mobile", "desktop")
    frame = mobile.to_frame()
    kept = frame[frame["kept"]]
    assert set(zip(kept["source"], kept["target"], strict=True)) == {
        ("Account sign-in", "(dropped)"), ("Account sign-in", "Delivery choice"),
    }  # fmt: skip
    drop = kept[kept["target"] == "(dropped)"].iloc[0]
    assert drop["lower"] < 0.33 - 0.11 < drop["upper"]
    assert mobile.strata == ("country", "customer_type")
    assert mobile.n_large > mobile.n_large_kept == 2
    assert mobile.mix is not None
    assert mobile.mix.to_frame()["activity"].iloc[0] == "Account sign-in"


def test_the_incident_is_what_they_did(demo: EventLog) -> None:
    found = compare(demo, "period", ("2026-02-18", "2026-03-08"))
    assert [found.activities[c] for c in found.rows.source[found.rows.kept]] == ["Payment"]
    assert found.mix is not None
    assert found.mix.behaviour.upper < -0.05
    assert abs(found.mix.composition.estimate) < 0.02
    assert found.mix.to_frame()["activity"].iloc[0] == "Payment"


def test_the_campaign_is_who_came(demo: EventLog) -> None:
    found = compare(demo, "period", ("2026-05-11", "2026-06-01"), ("2026-03-08", "2026-05-11"))
    assert found.n_kept == 0
    assert found.mix is not None
    assert found.mix.difference.upper < 0
    assert found.mix.composition.upper < -0.02
    assert found.mix.behaviour.lower < 0 < found.mix.behaviour.upper


def test_a_log_without_faults_is_silent() -> None:
    events = shop(1500, seed=3, null=True).events
    log = jm.read_log(
        events, case_id="journey_id", customer_id="customer_id", activity="activity", timestamp="timestamp"
    ).journeys("Order placed", idle="21d", segments=["platform"])
    assert sum(one.found.n_kept for one in compare_everything(log)) == 0


@pytest.mark.simulation
def test_random_groups_of_repeated_customers_are_silent() -> None:
    kept = 0
    for seed in range(20):
        world = sample_chain(
            [[0.2, 0.4, 0.1, 0.1, 0.2], [0.2, 0.1, 0.4, 0.1, 0.2], [0.1, 0.2, 0.2, 0.3, 0.2]],
            [0.5, 0.3, 0.2], 400, seed, cases_per_customer=4.0, customer_sd=1.5,
        )  # fmt: skip
        events = world.events
        rng = np.random.default_rng(seed)
        value = dict(
            zip(events["customer_id"].unique(), rng.integers(0, 2, len(events)).tolist(), strict=False)
        )
        events["group"] = events["customer_id"].map(value)
        log = jm.read_log(
            events,
            case_id="case_id",
            customer_id="customer_id",
            activity="activity",
            timestamp="timestamp",
            threads=1,
        )
        kept += compare(log.journeys("Goal", idle="30d"), "group", 0, 1, n_draws=10).n_kept > 0
    assert kept <= 3


def test_every_comparison_of_a_report(demo: EventLog) -> None:
    made = compare_everything(demo)
    shown = [(one.found.attribute, one.found.a, one.is_rest) for one in made]
    assert shown[:3] == [
        ("platform", "mobile", True),
        ("platform", "desktop", True),
        ("platform", "app", True),
    ]
    assert ("customer_type", "returning", False) in shown
    assert shown[-1] == ("period", "", True)
    assert made[-1].period_us is not None
    assert made[-1].period_us[0] % (DAY * 1_000_000) == 0
    alone = compare(demo, "platform", "mobile").to_frame()
    together = made[0].found.to_frame()
    assert together["estimate"].equals(alone["estimate"])
    assert together["kept"].equals(alone["kept"])


def test_hostile_names_and_values() -> None:
    nasty = ["it's", '"; DROP TABLE x', "<b>", "(dropped)", "NA", "=cmd()", "\n", "é🙂"]
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "case": [str(i // 4) for i in range(400)],
            "what": [nasty[i] for i in rng.integers(0, len(nasty), 400)],
            "when": pd.date_range("2026-01-01", periods=400, freq="h"),
            'it\'s "a" column': ["o'x" if i // 4 % 2 else '"y"' for i in range(400)],
        }
    )
    found = compare(read(frame), 'it\'s "a" column', "o'x", '"y"')
    assert found.to_frame()["estimate"].between(-1, 1).all()
    assert len(repr(found).splitlines()) <= 12


def test_missing_values_and_numbers_are_values() -> None:
    frame = random_frame(6)
    frame["size"] = np.where(frame["kind"] == "0", np.nan, 2.0)
    frame["yes"] = frame["kind"] == "1"
    log = read(frame)
    assert compare(log, "size", "(missing)", 2.0).a == "(missing)"
    assert compare(log, "yes", True, False).a == "true"


@pytest.mark.parametrize(
    ("args", "error", "words"),
    [
        (("knd", "0", "1"), LogSchemaError, "did you mean 'kind'"),
        (("kind", "0", "7"), OptionError, r"0 \(50 cases\), 1 \(50 cases\), 2 \(50 cases\)"),
        (("kind", "0", "0"), OptionError, "in both groups"),
        (("kind", []), OptionError, "empty"),
        (("period", "2026-01-01"), OptionError, "not a period"),
        (("period", ("2026-01-01", "soon")), OptionError, "'soon' is not a time"),
        (("period", ("2026-03-01", "2026-01-01")), OptionError, "ends before it begins"),
        (("period", ("2026-01-01", "2026-03-01"), ("2026-02-01", "2026-04-01")), OptionError, "overlap"),
        (
            ("period", ("2030-01-01", "2030-03-01")),
            NotEnoughDataError,
            "no move of '2030-01-01 to 2030-03-01'",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(args: tuple[Any, ...], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        compare(read(random_frame(7)), *args)


def test_a_log_without_times_has_no_periods() -> None:
    log = jm.read_log(pa.table({"case": ["1", "1"], "what": ["a", "b"]}), case_id="case", activity="what")
    with pytest.raises(NotEnoughDataError, match="no periods"):
        compare(log, "period", ("2026-01-01", "2026-02-01"))


def test_a_column_called_period_is_a_column() -> None:
    frame = random_frame(8).rename(columns={"kind": "period"})
    assert compare(read(frame), "period", "0", "1").a == "0"


def test_compare_leaves_no_tables_behind() -> None:
    log = read(random_frame(9)).journeys("G", idle="10d")

    def tables() -> int:
        return int(log.engine.fetch("SELECT COUNT(*) AS n FROM duckdb_tables()")["n"][0])

    before = tables()
    compare(log, "kind", "0", "1")
    compare(log, "period", ("2026-01-01", "2026-03-01"))
    assert tables() == before
    with pytest.raises(OptionError):
        compare(log, "kind", "nothing")
    assert tables() == before
