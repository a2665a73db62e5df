"""`journeymine init`: what it writes can be read, says why, and is not fooled by hostile names."""

from __future__ import annotations

import csv
import errno
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine import cli, init
from journeymine._goal_names import failure_candidates, goal_candidates
from journeymine._log_facts import ActivityFacts
from journeymine._toml_text import comment, line, toml_value
from journeymine.datasets import demo_config_path, demo_log_path
from journeymine.errors import JourneymineError, OutputError
from journeymine.spec import read_spec

HEADER = ["case_id", "activity", "timestamp", "platform", "note"]
ROWS = [
    ["1", "Visit", "2026-01-01 10:00:00", "mobile", "a"],
    ["1", "Basket", "2026-01-01 10:01:00", "mobile", "b"],
    ["1", "Order placed", "2026-01-01 10:02:00", "mobile", "c"],
    ["2", "Visit", "2026-01-02 10:00:00", "desktop", "d"],
    ["2", "Basket", "2026-01-02 10:01:00", "desktop", "e"],
    ["2", "Order cancelled", "2026-01-02 10:02:00", "desktop", "f"],
    ["3", "Visit", "2026-01-03 10:00:00", "mobile", "g"],
]


def write_log(path: Path, rows: list[list[str]] = ROWS, header: list[str] = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_what_is_written_is_read_and_explained(tmp_path: Path) -> None:
    log = write_log(tmp_path / "logs" / "events.csv")
    out = init.write_config(log, tmp_path / "conf" / "journeymine.toml")
    spec = read_spec(out)
    assert spec.log.source == ("../logs/events.csv",)
    assert (spec.log.case_id, spec.log.activity, spec.log.timestamp) == (
        "case_id",
        ("activity",),
        "timestamp",
    )
    assert spec.journey.goal == ("Order placed",)
    assert spec.journey.segments == ("platform",)
    text = out.read_text(encoding="utf-8")
    for role in ("case_id", "activity", "timestamp"):
        above = text.split(f'\n{role} = "{role}"')[0].splitlines()[-1]
        assert above.startswith("# "), role
    assert "1 of 3 journeys have it" in text
    assert "# Columns whose values are compared. They have" in text
    assert '# end = ["Order cancelled"]' in text
    for key in (
        "customer_id",
        "order",
        "channel",
        "timezone",
        "where",
        "duplicates",
        "idle",
        "title",
        "seed",
    ):
        assert f"\n# {key} = " in text


def test_uncommented_it_is_still_a_configuration(tmp_path: Path) -> None:
    out = init.write_config(write_log(tmp_path / "events.csv"), tmp_path / "j.toml")
    text = out.read_text(encoding="utf-8")
    on = [
        part[2:]
        if part.startswith(("# [[stage]]", "# id =", "# name =", "# activities =", "# owner ="))
        else part
        for part in text.splitlines()
    ]
    (tmp_path / "on.toml").write_text("\n".join(on), encoding="utf-8")
    stages = read_spec(tmp_path / "on.toml").stage
    assert [name for stage in stages for name in stage.activities] == [
        "Visit",
        "Basket",
        "Order cancelled",
        "Order placed",
    ]


def test_the_order_of_the_rows_does_not_matter(tmp_path: Path) -> None:
    first = init.write_config(write_log(tmp_path / "events.csv"), tmp_path / "a.toml").read_text()
    again = init.write_config(write_log(tmp_path / "events.csv", ROWS[::-1]), tmp_path / "b.toml").read_text()
    assert first == again


HOSTILE = [
    '"; DROP TABLE x; --',
    "]\n[log]\nsource = 'x'",
    "${HOME}",
    "=cmd()",
    "<script>",
    "\x7f\x1b[31m",
    "🙂 עברית",
    "\\",
    "'''",
    "a" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_names(tmp_path: Path, text: str) -> None:
    rows = [[row[0], f"{text} {row[1]}", row[2], f"{text} {row[3]}", row[4]] for row in ROWS]
    log = write_log(
        tmp_path / "events.csv", rows, ["case_id", "activity", "timestamp", f"platform {text[:50]}", "note"]
    )
    spec = read_spec(init.write_config(log, tmp_path / "j.toml"))
    assert spec.log.source == ("events.csv",)
    assert spec.journey.segments == (f"platform {text[:50]}",)
    if len(text) < 100:
        assert spec.journey.goal == (f"{text} Order placed",)


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv", [["1.5", "2.5"]], ["length", "width"])
    with pytest.raises(JourneymineError) as caught:
        init.write_config(log, tmp_path / "j.toml")
    assert caught.value.exit_code in {2, 3}
    assert not (tmp_path / "j.toml").exists()


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv")
    out = tmp_path / "journeymine.toml"
    out.write_text("mine")
    with pytest.raises(OutputError, match="exists already") as caught:
        init.write_config(log, out)
    assert caught.value.exit_code == 2
    assert out.read_text() == "mine"
    init.write_config(log, out, force=True)
    assert read_spec(out).log.case_id == "case_id"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["events.csv", "journeymine.toml"]


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 4), (errno.EACCES, 2)])
def test_a_failed_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    log = write_log(tmp_path / "events.csv")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(JourneymineError) as caught:
        init.write_config(log, tmp_path / "j.toml")
    assert caught.value.exit_code == code
    assert [p.name for p in tmp_path.iterdir()] == ["events.csv"]


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_log(tmp_path / "events.csv")
    assert cli.run_command(["init", "events.csv"]) == 0
    out, err = capsys.readouterr()
    assert out == "journeymine.toml\n"
    assert "journeymine check" in err
    assert cli.run_command(["init", "events.csv"]) == 2
    assert cli.run_command(["init", "events.csv", "--force"]) == 0
    assert cli.run_command(["init", "none.csv", "--out", "x.toml"]) == 2
    assert not Path("x.toml").exists()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["visit", "basket", "purchase"], "purchase"),
        (["register request", "pay compensation", "reject request"], "pay compensation"),
        (["Closed", "Assign", "Wait"], "Closed"),
        (["Commande passée", "Panier"], "Commande passée"),
        (["orderPlaced", "checkoutStarted"], "orderPlaced"),
        (["ORDER_PLACED", "PAYMENT"], "ORDER_PLACED"),
        (["Release A", "Return ER"], "Release A"),
        (["Unsubscribed", "Payment declined", "Order cancelled"], None),
        ([], None),
    ],
)
def test_goals_are_known_by_their_names(names: list[str], expected: str | None) -> None:
    facts = [ActivityFacts(name, 10, 5, 0.5) for name in names]
    found = goal_candidates(facts)
    assert (found[0].name if found else None) == expected


def test_what_comes_first_is_no_goal() -> None:
    facts = [ActivityFacts("ER Registration", 10, 0, 0.1), ActivityFacts("Release A", 8, 5, 0.8)]
    assert [fact.name for fact in goal_candidates(facts)] == ["Release A"]


def test_failures_mostly_come_last() -> None:
    facts = [ActivityFacts("Order cancelled", 10, 9, 0.9), ActivityFacts("Payment declined", 10, 2, 0.9)]
    assert [fact.name for fact in failure_candidates(facts)] == ["Order cancelled"]


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
)
def test_every_text_survives_toml(text: str, texts: list[str]) -> None:
    key = text if text not in {"a", "b", ""} else f"{text}k"
    lines = [*line("a", text, why=text), *line("b", texts), *line(key, 3), comment(text)]
    data: dict[str, Any] = tomllib.loads("\n".join(part.replace("$${", "${") for part in lines))
    assert (data["a"], data["b"], data[key]) == (text, texts, 3)
    assert "\n" not in toml_value(text)


def test_the_demo_log_is_understood(tmp_path: Path) -> None:
    spec = read_spec(init.write_config(demo_log_path(), tmp_path / "j.toml"))
    known = read_spec(demo_config_path())
    for role in ("case_id", "customer_id", "activity", "timestamp", "channel", "value"):
        assert getattr(spec.log, role) == getattr(known.log, role), role
    assert spec.journey.goal == known.journey.goal
    assert set(spec.journey.segments) == set(known.journey.segments)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("sepsis/Sepsis_Cases-Event_Log.xes.gz", ("Release A",)),
        ("running_example/running-example.csv", ("pay compensation",)),
        ("helpdesk/Helpdesk_full_italian.xes.gz", ("Closed",)),
    ],
)
def test_real_logs_are_understood(
    reference_data: Path, tmp_path: Path, name: str, goal: tuple[str, ...]
) -> None:
    spec = read_spec(init.write_config(reference_data / name, tmp_path / "j.toml"))
    assert (spec.log.case_id, spec.log.activity) == ("case:concept:name", ("concept:name",))
    assert spec.log.timestamp == "time:timestamp"
    assert spec.journey.goal == goal
