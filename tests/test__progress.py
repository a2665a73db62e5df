"""Progress is a courtesy: it never reaches a log file and never changes what is done."""

from __future__ import annotations

import io
import sys
import time

import pytest

from journeymine import _progress
from journeymine._progress import Progress, make_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(progress: Progress) -> None:
    with progress.step("Reading [bold]x[/bold]"):
        time.sleep(0.05)
        with progress.step("Counting"):
            time.sleep(0.05)


def use_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Called inside the test, not as a fixture: pytest sets standard error anew between the two."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(_progress, "DELAY_S", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("JOURNEYMINE_PROGRESS", raising=False)
    return stream


def test_a_terminal_gets_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    progress = make_progress()
    with progress.step("Reading [bold]x[/bold]"):
        deadline = time.monotonic() + 10
        while not terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        with progress.step("Counting"):
            pass
    assert "Reading [bold]x[/bold] …" in terminal.getvalue()


def test_short_work_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    monkeypatch.setattr(_progress, "DELAY_S", 10)
    run(make_progress())
    assert terminal.getvalue() == ""


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    run(make_progress(False))
    monkeypatch.setenv("JOURNEYMINE_PROGRESS", "0")
    run(make_progress())
    assert terminal.getvalue() == ""


def test_files_get_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_progress, "DELAY_S", 0.01)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    run(make_progress())
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
    monkeypatch.setattr(sys, "stderr", None)
    run(make_progress())


def test_callbacks_hear_the_innermost_step_and_the_end() -> None:
    told: list[str | None] = []
    progress = make_progress(told.append)
    assert make_progress(progress) is progress
    with pytest.raises(ValueError, match="x"), progress.step("a"), progress.step("b"):
        raise ValueError("x")
    assert told == ["a", "b", "a", None]
