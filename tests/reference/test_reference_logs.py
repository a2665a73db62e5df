"""Real logs through the command, against published counts; see SOURCE.txt beside each log for where it comes from."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from journeymine.cli import run_command
from journeymine.reading import read_log
from journeymine.reporting.schema import report_schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reference


@dataclass(frozen=True)
class Known:
    """A log and what is known of it: cases, events, activities, variants; pairs and their sum; tied pairs."""

    file: str
    size: tuple[int, int, int, int]
    pairs: tuple[int, int]
    top: tuple[str, str, int]
    roles: str = ""
    journey: str = ""
    tied: int = 0
    clock: str = "calendar"
    noted: dict[str, int] = field(default_factory=dict)
    top_variant: tuple[int, int] = (0, 0)
    converted: int | None = None


LOGS = {
    "running example": Known(
        "running_example/running-example.csv", (6, 42, 8, 6), (16, 36), ("check ticket", "decide", 6),
        'case_id = "case:concept:name"\nactivity = "concept:name"\ntimestamp = "time:timestamp"',
        'goal = "pay compensation"', converted=3,
    ),
    "receipt": Known(
        "receipt/receipt.xes.gz", (1434, 8577, 27, 116), (99, 7143),
        ("T04 Determine confirmation of receipt", "T05 Print and send confirmation of receipt", 1177),
        top_variant=(713, 6),
    ),
    "helpdesk": Known(
        "helpdesk/Helpdesk_full_italian.xes.gz", (4580, 21_348, 14, 226), (55, 16_768),
        ("Resolve ticket", "Closed", 4558), journey='goal = "Closed"', tied=130, noted={"exact_duplicates": 127},
        top_variant=(2366, 4),
    ),
    "helpdesk, encoded": Known(
        "helpdesk/helpdesk_tax_encoded.csv", (3804, 13_710, 9, 154), (33, 9906), ("1", "8", 3483),
        'case_id = "CaseID"\nactivity = "ActivityID"\ntimestamp = "CompleteTimestamp"', tied=91,
        noted={"naive_times": 13_710, "exact_duplicates": 91}, top_variant=(2173, 3),
    ),
    "sepsis": Known(
        "sepsis/Sepsis_Cases-Event_Log.xes.gz", (1050, 15_214, 16, 846), (115, 14_164), ("Leucocytes", "CRP", 1778),
        journey='goal = "Release A"', tied=4447, noted={"exact_duplicates": 1}, top_variant=(35, 3), converted=671,
    ),
    "teleclaims": Known(
        "teleclaims/teleclaims.xes.gz", (3512, 46_138, 11, 12), (30, 42_626), ("end", "end", 3512), tied=19_704,
        clock="relative", noted={"relative_time": 46_138}, top_variant=(525, 17),
    ),
    "patients": Known(
        "eventdataR/patients.csv.gz", (500, 2721, 7, 7), (7, 2221),
        ("Registration", "Triage and Assessment", 500),
        'case_id = "patient"\nactivity = "handling"\ntimestamp = "time"\norder = ".order"\n'
        "where = \"registration_type = 'start'\"",
        noted={"naive_times": 2721}, top_variant=(258, 0),
    ),
    "greps": Known(
        "greps_journeys/greps_journeys.csv", (33, 1283, 65, 13), (77, 1250), ("", "", 34),
        'case_id = "journey"\nactivity = "output_event"\norder = "step"', clock="none", top_variant=(6, 0),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def reports(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Reports by log, made when first asked for."""

    class Reports(dict[str, dict[str, Any]]):
        def __missing__(self, name: str) -> dict[str, Any]:
            folder = tmp_path_factory.mktemp("report")
            self[name] = run(reference_data, folder, LOGS[name])
            return self[name]

    return Reports()


def run(data: Path, folder: Path, known: Known) -> dict[str, Any]:
    """Run the command on a log and return what report.json holds."""
    config = folder / "log.toml"
    source = json.dumps(str(data / known.file))
    config.write_text(
        f"[log]\nsource = {source}\n{known.roles}\n[journey]\n{known.journey}\n", encoding="utf-8"
    )
    assert run_command(["run", str(config), "--out", str(folder / "out"), "-q"]) == 0
    found: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("name", LOGS)
def test_a_log_has_the_counts_that_are_known(reports: dict[str, dict[str, Any]], name: str) -> None:
    known, data = LOGS[name], reports[name]
    jsonschema.Draft202012Validator(report_schema()).validate(data)
    log, ledger = data["log"], data["ledger"]
    assert (log["n_cases"], log["n_events"], log["n_activities"], log["n_variants"]) == known.size
    n_pairs = [t["n"] for t in data["transitions"]]
    assert (len(n_pairs), sum(n_pairs)) == known.pairs
    top = max(data["transitions"], key=lambda t: t["n"])
    assert top["n"] == known.top[2]
    if known.top[0]:
        assert (top["source"], top["target"]) == known.top[:2]
    assert ledger["ties"]["n_tied_pairs"] == known.tied
    assert ledger["ties"]["decided_by"] == {"order_column": 0, "file_order": known.tied, "activity_name": 0}
    assert ledger["rows_read"] == ledger["rows_kept"] + sum(entry["n"] for entry in ledger["rejected"])
    assert log["clock"] == known.clock
    assert {entry["rule"]: entry["n"] for entry in ledger["noted"]} == known.noted
    most = data["variants"][0]
    if known.top_variant[0]:
        assert most["n"] == known.top_variant[0]
    if known.top_variant[1]:
        assert len(most["activities"]) == known.top_variant[1]
    listed = sum(variant["n"] for variant in data["variants"])
    assert listed + data["variants_rest"]["n"] == log["n_cases"]
    assert len(data["variants"]) + data["variants_rest"]["n_variants"] == log["n_variants"]
    if known.converted is not None:
        assert log["end_states"]["converted"]["n"] == known.converted
        assert sum(state["n"] for state in log["end_states"].values()) == log["n_cases"]


def test_the_edges_of_the_running_example(reference_data: Path, reports: dict[str, dict[str, Any]]) -> None:
    """The file beside the log: the number of activities, their names, starts and ends, then i>jxn."""
    lines = (reference_data / "running_example" / "running-example.dfg").read_text().splitlines()
    names = lines[1 : 1 + int(lines[0])]
    pairs = [line.replace(">", "x").split("x") for line in lines if ">" in line]
    expected = {(names[int(i)], names[int(j)]): int(n) for i, j, n in pairs}
    got = {(t["source"], t["target"]): t["n"] for t in reports["running example"]["transitions"]}
    assert got == expected


def test_all_edges_of_the_patients(reports: dict[str, dict[str, Any]]) -> None:
    assert {(t["source"], t["target"]): t["n"] for t in reports["patients"]["transitions"]} == {
        ("Registration", "Triage and Assessment"): 500, ("Triage and Assessment", "X-Ray"): 261,
        ("Triage and Assessment", "Blood test"): 237, ("Blood test", "MRI SCAN"): 236,
        ("X-Ray", "Discuss Results"): 259, ("MRI SCAN", "Discuss Results"): 236, ("Discuss Results", "Check-out"): 492,
    }  # fmt: skip
    assert [v["n"] for v in reports["patients"]["variants"]] == [258, 234, 2, 2, 2, 1, 1]


def test_the_case_called_na_is_kept(
    reference_data: Path, tmp_path: Path, reports: dict[str, dict[str, Any]]
) -> None:
    """Sepsis, also through CSV, where a reader that guesses would lose it."""
    log = read_log(reference_data / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz")
    frame = log.to_frame()
    assert (frame["case_id"] == "NA").sum() == 24
    rows = log.engine.fetch_table(
        f'SELECT "case:concept:name" AS c, "concept:name" AS a, CAST("time:timestamp" AS VARCHAR) AS t '
        f"FROM {log.raw.table} ORDER BY __jm_row"
    ).to_pylist()
    with (tmp_path / "sepsis.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["c", "a", "t"])
        writer.writeheader()
        writer.writerows(rows)
    again = read_log(tmp_path / "sepsis.csv", case_id="c", activity="a", timestamp="t")
    assert (again.n_cases, again.n_events, again.variants(1).counts.n_variants) == (1050, 15_214, 846)
    assert (again.to_frame()["case_id"] == "NA").sum() == 24
    assert again.ledger.n_tied_pairs == reports["sepsis"]["ledger"]["ties"]["n_tied_pairs"]
    assert again.to_frame()["time_us"].tolist() == frame["time_us"].tolist()


@pytest.mark.parametrize(
    ("name", "reversed_", "by_name"),
    [
        ("teleclaims/teleclaims.xes.gz", (91, 60), (64, 45)),
        ("sepsis/Sepsis_Cases-Event_Log.xes.gz", (843, 115), (691, 105)),
    ],
)
def test_ties_by_the_file_its_reverse_and_the_name(
    reference_data: Path, name: str, reversed_: tuple[int, int], by_name: tuple[int, int]
) -> None:
    """The three tie rules on one log: variants and pairs."""
    log = read_log(reference_data / name)
    plain = log.engine.fetch_table(
        f'SELECT "case:concept:name" AS c, "concept:name" AS a, "time:timestamp" AS t, -__jm_row AS back '
        f"FROM {log.raw.table}"
    )
    found = {
        rule: read_log(plain, case_id="c", activity="a", timestamp="t", order=order)
        for rule, order in (("back", "back"), ("name", "a"))
    }
    size = {
        rule: (made.variants(1).counts.n_variants, len(made.transitions().counts.n))
        for rule, made in found.items()
    }
    assert size == {"back": reversed_, "name": by_name}


def test_offsets_of_receipt_are_respected(reference_data: Path) -> None:
    """Its times mix +01:00 and +02:00; the durations are known."""
    frame = read_log(reference_data / "receipt" / "receipt.xes.gz").to_frame()
    spans = frame.groupby("case_id")["time_us"].agg(lambda t: t.max() - t.min()) / 86_400e6
    assert spans.median() == pytest.approx(0.0332, abs=5e-5)
    assert spans.mean() == pytest.approx(5.41, abs=5e-3)


def test_sepsis_takes_its_time(reference_data: Path) -> None:
    frame = read_log(reference_data / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz").to_frame()
    spans = frame.groupby("case_id")["time_us"].agg(lambda t: t.max() - t.min()) / 86_400e6
    assert (round(spans.median(), 2), round(spans.mean(), 2), round(spans.max(), 1)) == (5.34, 28.47, 422.3)


def test_almost_every_ticket_is_closed(reports: dict[str, dict[str, Any]]) -> None:
    ends = reports["helpdesk"]["log"]["end_states"]
    assert ends["converted"]["n"] == 4559
    assert reports["helpdesk"]["conversion"]["estimate"] > 0.99


def test_both_rows_of_an_activity_are_kept(reference_data: Path) -> None:
    """Start and complete rows stay separate events."""
    log = read_log(reference_data / "teleclaims" / "teleclaims.xes.gz")
    column = log.engine.dialect.quote("lifecycle:transition")
    rows = log.engine.fetch(f"SELECT {column} AS t, COUNT(*) AS n FROM {log.raw.table} GROUP BY 1 ORDER BY 1")
    assert dict(zip(rows["t"], rows["n"].tolist(), strict=True)) == {"complete": 24_825, "start": 21_313}
    starts = log.where(f"{column} = 'start'")
    assert starts.n_events == 21_313


def test_a_compressed_log_cut_short_is_refused(reference_data: Path, tmp_path: Path) -> None:
    whole = (reference_data / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz").read_bytes()
    (tmp_path / "cut.xes.gz").write_bytes(whole[:100_000])
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"case,what\n" + b"a,x\n" * 10_000)[:-20])
    (tmp_path / "xes.toml").write_text('[log]\nsource = "cut.xes.gz"\n')
    (tmp_path / "csv.toml").write_text('[log]\nsource = "cut.csv.gz"\ncase_id = "case"\nactivity = "what"\n')
    for name in ("xes", "csv"):
        assert run_command(["run", str(tmp_path / f"{name}.toml"), "--out", str(tmp_path / "out"), "-q"]) == 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("roles", "journey", "message"),
    [
        ("", 'goal = "Release a"', "did you mean 'Release A'?"),
        ('activity = "concept:nam"', "", "did you mean 'concept:name'?"),
        ("", 'segments = ["Diagnos"]', "did you mean 'Diagnose'?"),
        ("where = \"Diagnosis = 'A'\"", "", "is not a condition on this log"),
    ],
)
def test_misspelt_names_end_with_code_2_and_a_hint(
    reference_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    roles: str,
    journey: str,
    message: str,
) -> None:
    source = json.dumps(str(reference_data / "sepsis" / "Sepsis_Cases-Event_Log.xes.gz"))
    (tmp_path / "a.toml").write_text(f"[log]\nsource = {source}\n{roles}\n[journey]\n{journey}\n")
    assert run_command(["run", str(tmp_path / "a.toml"), "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
