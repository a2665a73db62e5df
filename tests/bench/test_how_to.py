"""The ranker of the how-to takes part in the benchmark as somebody else's would: from a module in the folder."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from journeymine.bench.run import Plan, run_benchmark
from journeymine.bench.scoring import score_lines
from journeymine.bench.summary import summarise

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "benchmark_your_ranker.md"


def test_the_ranker_of_the_how_to_takes_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    (tmp_path / "ranker_of_the_how_to.py").write_text(block, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "ranker_of_the_how_to", raising=False)
    name = "ranker_of_the_how_to:saved_drop_outs"
    plan = Plan(shapes=("shop",), scenarios=("markov",), sizes=(2000,), seeds=1, rankers=(name, "drops"))
    lines = run_benchmark(plan, tmp_path / "out", processes=1)
    assert [line.get("error") for line in lines] == [None, None]
    scores = score_lines(lines)
    theirs = summarise(scores, ranker=name)
    # It predicts effects without intervals: judged on its size, not on its coverage.
    assert theirs.mean_abs_log_ratio is not None
    assert theirs.coverage is None
    # And it is the habit it says it is: worse than what a chain gives (tau 0.9 there).
    assert theirs.scores[0].tau < 0.8


def test_the_logs_of_the_how_to_can_be_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    """One from the benchmark, one from the simulator alone: the same log, and the same answer."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:3]
    names: dict[str, object] = {}
    printed = []
    for block in blocks:
        exec(block, names)
        printed.append(capsys.readouterr().out.replace("effect", "  true"))
    assert printed[0] == ""
    assert printed[1] == printed[2] != ""
