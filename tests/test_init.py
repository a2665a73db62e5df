"""`journeymine init`: what it writes can be read, says why, and is not fooled by hostile names."""

from __future__ import annotations

import csv
import errno
import os
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine import cli, init
from journeymine._goal_names import failure_candidates, goal_candidates
from journeymine._log_facts import ActivityFacts
from journeymine._toml_text import comment, line, toml_value
from journeymine.errors import JourneymineError, OutputError
from journeymine.spec import read_spec

HEADER = ["case", "what", "at", "platform", "note"]
ROWS = [
    ["1", "Visit", "2026-01-01 10:00:00", "mobile", "a"],
    ["1", "Basket", "2026-01-01 10:01:00", "mobile", "b"],
    ["1", "Order placed", "2026-01-01 10:02:00", "mobile", "c"],
    ["2", "Visit", "2026-01-02 10:00:00", "desktop", "d"],
    ["2", "Basket", "2026-01-02 10:01:00", "desktop", "e"],
    ["2", "Order cancelled", "2026-01-02 10:02:00", "desktop", "f"],
    ["3", "Visit", "2026-01-03 10:00:00", "mobile", "g"],
]
ROLES = {"case_id": "case", "activity": "what", "timestamp": "at"}


@pytest.fixture(autouse=True)
def guess(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fixed guess: what is tested is what is written of it."""
    module = ModuleType("journeymine.readers.guess")
    module.guess_roles = lambda engine, raw: SimpleNamespace(  # type: ignore[attr-defined]
        roles={k: v for k, v in ROLES.items() if v in raw.columns},
        reasons={"case_id": 'it is called "case";\nx = 1', "activity": "few values", "timestamp": "times"},
    )
    monkeypatch.setitem(sys.modules, "journeymine.readers.guess", module)


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
    assert (spec.log.case_id, spec.log.activity, spec.log.timestamp) == ("case", ("what",), "at")
    assert spec.journey.goal == ("Order placed",)
    assert spec.journey.segments == ("platform",)
    text = out.read_text(encoding="utf-8")
    assert '# it is called "case"; x = 1\ncase_id = "case"\n' in text
    assert "1 of 3 journeys have it" in text
    assert "platform: 2 values, never changes in a journey" in text
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
    log = write_log(tmp_path / "events.csv", rows, ["case", "what", "at", f"platform {text[:50]}", "note"])
    spec = read_spec(init.write_config(log, tmp_path / "j.toml"))
    assert spec.log.source == ("events.csv",)
    assert spec.journey.segments == (f"platform {text[:50]}",)
    if len(text) < 100:
        assert spec.journey.goal == (f"{text} Order placed",)


def test_without_roles_it_says_what_is_missing(tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv", [["x", "y"]], ["a", "b"])
    out = init.write_config(log, tmp_path / "j.toml")
    text = out.read_text(encoding="utf-8")
    assert "No column looks like an id" in text
    assert "No column looks like an activity" in text
    assert read_spec(out).log.case_id is None


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    log = write_log(tmp_path / "events.csv")
    out = tmp_path / "journeymine.toml"
    out.write_text("mine")
    with pytest.raises(OutputError, match="exists already") as caught:
        init.write_config(log, out)
    assert caught.value.exit_code == 2
    assert out.read_text() == "mine"
    init.write_config(log, out, force=True)
    assert read_spec(out).log.case_id == "case"
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
    lines = [*line("a", text, why=text), *line("b", texts), *line(text or "k", 3), comment(text)]
    data: dict[str, Any] = tomllib.loads("\n".join(part.replace("$${", "${") for part in lines))
    assert data["b"] == texts
    assert 3 in data.values()
    if text not in {"a", "b"}:
        assert data["a"] == text
    assert "\n" not in toml_value(text)
