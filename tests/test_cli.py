"""The command line: what goes to which stream, and how each end is told by its exit code.

The analysis is replaced by a stand-in here: what is tested is the command, not the numbers.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from journeymine import __version__, cli
from journeymine.errors import DataError, EngineError, LogSchemaError
from journeymine.spec import toml_schema

CONFIG = '[log]\nsource = "events.csv"\ncase_id = "id"\nactivity = "what"\n\n[journey]\ngoal = "Order"\n'


class FakeReport:
    data: dict[str, Any] = {
        "findings": [{"key": "x", "params": {}, "text": "Fix the sign-in first."}],
        "warnings": [{"key": "y", "params": {}, "text": "Few \x1b[31mcases\u202e."}],
    }

    def files(self) -> dict[str, Any]:
        return {"report.json": b"{}", "report.html": b"<p>", "tables/fixes.parquet": b"PAR1"}


class Stage:
    """Stands for reading and analysing; remembers what it was asked, fails when told to."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: BaseException | None = None
        self.data: dict[str, Any] = FakeReport.data

    def log_from_spec(
        self, spec: Any, base: Path, *, progress: Any = None, threads: int | None = None
    ) -> Any:
        self.calls.append({"spec": spec, "base": base, "progress": progress, "threads": threads})
        if self.error is not None:
            raise self.error
        engine = SimpleNamespace(threads=threads or 2)
        return SimpleNamespace(engine=engine, check_text=lambda: "12 rows read \x1b[2J\n")

    def build_report(
        self,
        log: Any,
        *,
        spec: Any,
        seed: int,
        lang: str,
        progress: Any = None,
        previous: Any = None,
        registry: Any = None,
    ) -> FakeReport:
        self.calls.append(
            {"seed": seed, "lang": lang, "progress": progress, "previous": previous, "registry": registry}
        )
        report = FakeReport()
        report.data = self.data
        return report


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    stage = Stage()
    log, build = ModuleType("journeymine.reading"), ModuleType("journeymine.reporting.build")
    log.log_from_spec = stage.log_from_spec  # type: ignore[attr-defined]
    build.build_report = stage.build_report  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "journeymine.reading", log)
    monkeypatch.setitem(sys.modules, "journeymine.reporting.build", build)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temp"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    (tmp_path / "journeymine.toml").write_text(CONFIG)
    return stage


def test_run_prints_the_paths_report_first(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_command(["run", "--out", "out"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        str(Path("out", *name.split("/")))
        for name in ("report.html", "report.json", "tables/fixes.parquet", "run.json")
    ]
    assert all(Path(line).is_file() for line in out.splitlines())
    assert err == "Fix the sign-in first.\nWarning: Few \\x1b[31mcases\\u202e.\n"


def test_run_reads_the_configuration_and_its_folder(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.toml").write_text('lang = "fr"\nseed = 5\n' + CONFIG)
    assert cli.run_command(["run", "sub/a.toml", "--out", "out", "-q"]) == 0
    assert stage.calls[0]["base"] == tmp_path / "sub"
    assert stage.calls[0]["spec"].journey.goal == ("Order",)
    assert (stage.calls[1]["seed"], stage.calls[1]["lang"]) == (5, "fr")
    manifest = json.loads((tmp_path / "out" / "run.json").read_text())
    assert manifest["source"] == [str(tmp_path / "sub" / "events.csv")]
    assert manifest["threads"] == 2


def test_the_command_line_overrides_the_file(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "journeymine.toml").write_text('lang = "fr"\nseed = 5\n' + CONFIG)
    assert cli.run_command(["run", "--out=out", "--seed", "0", "--lang", "en"]) == 0
    assert (stage.calls[1]["seed"], stage.calls[1]["lang"]) == (0, "en")
    assert stage.calls[0]["spec"].lang == "en"


@pytest.mark.parametrize(("content", "relayout", "kept"), [
    ("whole", False, True), ("whole", True, False), ("edited", False, False), ("no json", False, False),
])  # fmt: skip
def test_the_map_keeps_its_places(
    stage: Stage, tmp_path: Path, content: str, relayout: bool, kept: bool
) -> None:
    assert cli.run_command(["run", "--out=out"]) == 0
    layout = {
        "x": {"pay": 12.5},
        "rows": {"pay": 0},
        "stage_of": {"pay": "buy"},
        "bands": [{"stage": "buy", "n_rows": 1}],
        "derived": False,
    }
    if content == "edited":
        layout["rows"] = {"pay": "first"}
    text = "{" if content == "no json" else json.dumps({"map": {"layout": layout}})
    (tmp_path / "out" / "report.json").write_text(text)
    assert cli.run_command(["run", "--out=out", *["--relayout"] * relayout]) == 0
    assert stage.calls[-1]["previous"] == (layout if kept else None)


def test_threads_reach_the_engine_and_the_manifest(stage: Stage) -> None:
    assert cli.run_command(["run", "--out=out", "--threads", "1"]) == 0
    assert stage.calls[0]["threads"] == 1
    assert json.loads(Path("out/run.json").read_text())["threads"] == 1
    assert cli.run_command(["run", "--out=out", "--threads", "0"]) == 2


def test_quiet_says_nothing(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_command(["run", "-q"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(str(Path("out", "report", "report.html")))
    assert err == ""


def test_json_is_one_line(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_command(["run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "report": str(Path("out", "report", "report.html")),
        "status": "done",
    }
    assert cli.run_command(["run", "none.toml", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {"report": None, "status": "error"}
    assert "none.toml" in err


def test_an_alert_is_an_exit_code_only_when_asked_for(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run_command(["run", "--fail-on", "alert"]) == 0
    stage.data = {**FakeReport.data, "alerts": [{"text": "low"}]}
    assert cli.run_command(["run"]) == 0
    capsys.readouterr()
    assert cli.run_command(["run", "--fail-on", "alert", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "report": str(Path("out", "report", "report.html")),
        "status": "alerts",
    }
    assert Path("out/report/report.html").is_file()


def test_check_prints_the_ledger_and_writes_nothing(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(Path().iterdir())
    assert cli.run_command(["check"]) == 0
    assert capsys.readouterr().out == "12 rows read \\x1b[2J\n"
    assert sorted(Path().iterdir()) == before


def test_schema_prints_either_schema(capsys: pytest.CaptureFixture[str]) -> None:
    from journeymine.reporting.schema import report_schema

    assert cli.run_command(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == report_schema()
    assert cli.run_command(["schema", "--config"]) == 0
    assert json.loads(capsys.readouterr().out) == toml_schema()


def test_demo_writes_a_report(stage: Stage) -> None:
    assert cli.run_command(["demo", "--out", "d", "--lang", "fr", "--seed", "3"]) == 0
    spec = stage.calls[0]["spec"]
    assert (stage.calls[0]["base"] / spec.log.source[0]).is_file()
    assert spec.journey.goal == ("Order placed",)
    assert (spec.lang, spec.seed, spec.stage[0].name) == ("fr", 3, "Découvrir")
    assert Path("d/report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--outt", "x"], "--out"),
        (["rnu"], '"run"'),
        (["run", "--lang", "de"], '"en"'),
        (["run", "--seed", "-1"], "--seed"),
        (["run", "--seed", "x"], "--seed"),
        (["run", "--fail-on", "warning"], "alert"),
        (["run", "a", "b"], "b"),
        (["run", "none.toml"], "not found"),
        (["run", "--out"], "--out"),
        (["init"], "FILE"),
        (["demo", "--no-json"], "--no-json"),
    ],
)
def test_wrong_use_ends_with_2(
    stage: Stage, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run_command(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Hint:" in err
    assert stage.calls == []


def test_a_foreign_folder_is_refused_before_the_work(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("x")
    assert cli.run_command(["run", "--out", "mine"]) == 2
    assert "thesis.tex" in capsys.readouterr().err
    assert stage.calls == []


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            LogSchemaError("column 'x' not found.", found="a, b", hint="pass a."),
            2,
            "Found: a, b\nHint: pass a.",
        ),
        (DataError("the log is empty."), 3, "the log is empty."),
        (EngineError("DuckDB could not run a query.", engine="duckdb", sql="SELECT 42"), 4, "Details: "),
        (ValueError("surprise\nsecond line"), 4, "unexpected error: ValueError: surprise\nDetails: "),
        (MemoryError(), 4, "out of memory.\nDetails: "),
        (OSError(errno.ENOSPC, "No space left on device"), 4, "the disk is full.\nDetails: "),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (SystemExit(143), 143, ""),
    ],
)
def test_every_end_has_its_code(
    stage: Stage, error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.error = error
    assert cli.run_command(["run", "--out", "out"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert "Traceback" not in err
    assert not Path("out").exists()
    if "Details: " in words:
        text = Path(err.split("Details: ")[1].strip()).read_text(encoding="utf-8")
        assert "Traceback" in text
        assert ("SELECT 42" in text) == isinstance(error, EngineError)


def test_a_crash_without_a_place_for_the_log_shows_the_traceback(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    stage.error = ValueError("x")
    assert cli.run_command(["run"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"
    assert cli.run_command(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("init", "check", "run", "demo", "schema"))
    assert cli.run_command([]) == 0


# From here on: what only a process of its own shows.


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-m", "journeymine", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
        check=False,
        **options,
    )


def test_help_is_fast_and_light() -> None:
    heavy = ["numpy", "pandas", "duckdb", "pyarrow", "pydantic", "pm4py", "lifelines", "scipy"]
    code = (
        "import sys; from journeymine import cli; assert cli.run_command(['--help']) == 0;"
        f"print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "[]"


def test_exit_codes_reach_the_shell(tmp_path: Path) -> None:
    done = command("run", "none.toml", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: configuration 'none.toml' not found.")
    assert command("--version").stdout == f"{__version__}\n"


def test_no_colour_codes_outside_a_terminal(tmp_path: Path) -> None:
    for arguments in (["--help"], ["run", "--help"], ["run", "--x"]):
        done = command(*arguments, env={"NO_COLOR": "1"}, cwd=tmp_path)
        assert "\x1b" not in done.stdout + done.stderr


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "journeymine", "schema"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_a_full_disk_behind_standard_output(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "journeymine", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
    assert done.returncode == 4
    assert "the disk is full" in done.stderr


def test_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    done = command("run", "né-🙂.toml", cwd=tmp_path, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert done.returncode == 2
    assert "not found" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_run_leaves_nothing_behind(tmp_path: Path, number: signal.Signals, code: int) -> None:
    script = f"""
import sys, time, types
from pathlib import Path
from journeymine import cli
log, build = types.ModuleType("log"), types.ModuleType("build")
class Report:
    data = {{}}
    def files(self):
        def slow(path):
            path.write_bytes(b"half")
            Path({str(tmp_path / "started")!r}).write_text("")
            time.sleep(30)
        return {{"report.html": b"", "z": slow}}
log.log_from_spec = lambda *a, **k: types.SimpleNamespace(engine=None)
build.build_report = lambda *a, **k: Report()
sys.modules["journeymine.reading"], sys.modules["journeymine.reporting.build"] = log, build
sys.argv = ["journeymine", "run", "--out", "out/x"]
cli.main()
"""
    (tmp_path / "journeymine.toml").write_text(CONFIG)
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["journeymine.toml", "started"]
    assert b"Traceback" not in err
