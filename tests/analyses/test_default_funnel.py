"""The funnel of the report: configured, else stages, else what converted journeys have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from journeymine.analyses.default_funnel import ReportFunnel, report_funnel
from journeymine.errors import NotEnoughDataError, OptionError
from journeymine.reading import read_log
from journeymine.spec import Stage

if TYPE_CHECKING:
    from journeymine.log import EventLog


def log_of(paths: list[str], goal: str | list[str] | None = "G", **roles: Any) -> EventLog:
    rows = [(f"{i:03}", what) for i, path in enumerate(paths) for what in path.split()]
    table = pa.table({"case": [r[0] for r in rows], "what": [r[1] for r in rows]})
    return read_log(table, case_id="case", activity="what", threads=1).journeys(goal, **roles)


def shown(found: ReportFunnel | None) -> tuple[str, tuple[str, ...]]:
    assert found is not None
    return found.rule, found.names


def test_the_common_steps_in_their_order() -> None:
    paths = ["a b c G"] * 3 + ["a x b G", "a b c", "b", "x y", "c a b G"]
    # Of the five that reach G all meet a before b, and three c after both; x is met by one.
    assert shown(report_funnel(log_of(paths))) == ("common", ("a", "b", "c", "G"))
    assert shown(report_funnel(log_of([*paths, "a b G", "a b G"]))) == ("common", ("a", "b", "G"))


def test_steps_that_come_in_any_order_are_no_funnel() -> None:
    """Else half of the journeys would be lost between two steps that they all make."""
    paths = ["s a b G", "s b a G"] * 5 + ["s a b G"]
    rule, names = shown(report_funnel(log_of(paths)))
    assert (rule, names) == ("common", ("s", "a", "b", "G"))
    assert shown(report_funnel(log_of(["s b a G", "s a b G", "s c a d b G", "s b d a c G"])))[1] in {
        ("s", "a", "b", "G"), ("s", "b", "a", "G"),
    }  # fmt: skip
    thirds = ["s a b c G", "s b c a G", "s c a b G"] * 4
    rule, names = shown(report_funnel(log_of(thirds)))
    assert len(names) < 5


def test_at_most_six_steps() -> None:
    paths = ["a b c d e f g h i G"] * 3 + ["a b c G"]
    assert shown(report_funnel(log_of(paths))) == ("common", ("a", "b", "c", "d", "e", "G"))


def test_what_comes_after_the_goal_is_no_step() -> None:
    assert shown(report_funnel(log_of(["a G z", "a G z z"]))) == ("common", ("a", "G"))


def test_several_goals_are_one_step() -> None:
    assert shown(report_funnel(log_of(["a G", "a H", "a"], ["G", "H"]))) == ("common", ("a", "G / H"))


def test_stages_up_to_the_goal() -> None:
    stages = [
        Stage(id="see", name="See", activities=("a", "unknown")),
        Stage(id="empty", name="Empty", activities=("nowhere",)),
        Stage(id="buy", name="Buy", activities=("b", "G")),
        Stage(id="use", name="Use", activities=("c",)),
    ]
    found = report_funnel(log_of(["a b G c", "a c", "b"]), stages)
    assert shown(found) == ("stages", ("See", "Buy", "G"))
    assert found is not None
    assert found.funnel.counts.steps == (("a",), ("b",), ("G",))
    assert found.funnel.n.tolist() == [2, 1, 1]


def test_the_configuration_goes_first() -> None:
    found = report_funnel(
        log_of(["a b G", "b a"]),
        [Stage(id="x", name="x", activities=("a",))],
        steps=["b", ("a", "G")],
        closed=False,
    )
    assert shown(found) == ("configured", ("b", "a / G"))
    assert found is not None
    assert not found.funnel.counts.closed


def test_nothing_to_show() -> None:
    assert report_funnel(log_of(["a b"], None)) is None
    assert report_funnel(log_of(["G a", "G b"])) is None
    assert report_funnel(log_of(["a b", "z G"]), [Stage(id="x", name="x", activities=("q",))]) is None
    # The first step stands only where no journey has begun yet.
    log = log_of(["a s G", "a s", "s G"], start="s")
    assert report_funnel(log, [Stage(id="x", name="x", activities=("a",))]) is None


def test_a_wrong_configuration_is_refused() -> None:
    with pytest.raises(OptionError, match="not an activity"):
        report_funnel(log_of(["a G"]), steps=["A", "G"])
    with pytest.raises(NotEnoughDataError, match="no times"):
        report_funnel(log_of(["a G"]), steps=["a", "G"], within="3h")


def test_no_table_is_left_behind() -> None:
    log = log_of(["a b G"])
    tables = "SELECT table_name AS n FROM information_schema.tables ORDER BY n"
    before = log.engine.fetch(tables)["n"].tolist()
    report_funnel(log)
    assert log.engine.fetch(tables)["n"].tolist() == before
