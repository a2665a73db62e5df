"""Published transition tables to the last count: R clickstream's six strings, msm's cav, the EBMT transplant data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from journeymine.reading import read_log

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.log import EventLog

STRINGS = (
    "h,c,c,p,c,h,c,p,p,c,p,p,o", "i,c,i,c,c,c,d", "h,i,c,i,c,p,c,c,p,c,c,i,d", "c,c,p,c,d",
    "h,c,c,p,p,c,p,p,p,i,p,o", "i,h,c,c,p,p,c,p,c,d",
)  # fmt: skip


def table(log: EventLog) -> dict[str, dict[str, int]]:
    """Counts of the moves: source -> target -> n."""
    found: dict[str, dict[str, int]] = {}
    for row in log.transitions().to_frame().itertuples():
        found.setdefault(str(row.source), {})[str(row.target)] = int(row.n)  # type: ignore[arg-type]
    return found


def clickstream() -> EventLog:
    rows = [(f"session {i}", state) for i, text in enumerate(STRINGS) for state in text.split(",")]
    frame = pd.DataFrame(rows, columns=["session", "state"])
    return read_log(frame, case_id="session", activity="state", threads=1)


def test_clickstream() -> None:
    log = clickstream()
    expected = {
        "c": {"c": 8, "d": 3, "h": 1, "i": 3, "p": 10}, "h": {"c": 4, "i": 1}, "i": {"c": 4, "d": 1, "h": 1, "p": 1},
        "p": {"c": 8, "i": 1, "o": 2, "p": 6},
    }  # fmt: skip
    assert table(log) == expected
    share = {(r.source, r.target): r.estimate for r in log.transitions().to_frame().itertuples()}
    for source, targets in expected.items():
        total = sum(targets.values())
        assert {t: share[source, t] for t in targets} == pytest.approx(
            {t: n / total for t, n in targets.items()}
        )
    starts = pd.Series([text[0] for text in STRINGS]).value_counts().to_dict()
    assert starts == {"h": 3, "i": 2, "c": 1}


@pytest.mark.parametrize("goal", ["d", "o"])
def test_clickstream_is_absorbed_as_published(goal: str) -> None:
    """Absorption from each state, and the identity that the implied end shares are the observed ones."""
    ends = {"d": "o", "o": "d"}[goal]
    chain = clickstream().journeys(goal, end=ends).fit_markov(n_draws=20)
    published = {"c": 0.6518, "h": 0.6587, "i": 0.6861, "p": 0.5364}
    for state, share in published.items():
        hit = float(chain.hit.estimate[chain.states.index(state)])
        assert hit == pytest.approx(share if goal == "d" else 1 - share, abs=5e-5)
    found = chain.conversion()
    assert found is not None
    assert found["estimate"] == pytest.approx({"d": 4 / 6, "o": 2 / 6}[goal], abs=1e-9)


@pytest.mark.reference
def test_msm_cav(reference_data: Path) -> None:
    """Angiography visits of 622 heart transplant patients, in four states."""
    visits = pd.read_csv(reference_data / "msm_cav" / "cav.csv.gz")
    visits["at"] = (visits["years"] * 365.25 * 86_400).round().astype("int64")
    shuffled = visits.sample(frac=1, random_state=1)[["PTNUM", "state", "at"]]
    log = read_log(shuffled, case_id="PTNUM", activity="state", timestamp="at", time_unit="s", threads=1)
    assert (log.n_cases, log.n_events) == (622, 2846)
    assert table(log) == {
        "1": {"1": 1367, "2": 204, "3": 44, "4": 148}, "2": {"1": 46, "2": 134, "3": 54, "4": 48},
        "3": {"1": 4, "2": 13, "3": 107, "4": 55},
    }  # fmt: skip
    first = log.transitions().to_frame().query("source == '1'")
    assert first["estimate"].round(4).tolist() == [0.7754, 0.1157, 0.0250, 0.0839]
    assert int(log.transitions().counts.n.sum()) == 2224 == 2846 - 622


@pytest.mark.reference
def test_ebmt(reference_data: Path) -> None:
    """Transitions of 2,279 transplant patients between six states, from the long table of their risks."""
    log = read_log(
        _ebmt_events(reference_data),
        case_id="id",
        activity="state",
        timestamp="day",
        time_unit="s",
        threads=1,
    )
    found = table(log)
    assert found == {
        "1": {"2": 785, "3": 907, "5": 95, "6": 160}, "2": {"4": 227, "5": 112, "6": 39},
        "3": {"4": 433, "5": 56, "6": 197}, "4": {"5": 107, "6": 137},
    }  # fmt: skip
    assert sum(sum(row.values()) for row in found.values()) == 3255
    counts = log.activity_counts
    reached = dict(zip(log.activities, counts.n_cases.tolist(), strict=True))
    assert [reached[s] for s in "1234"] == [2279, 785, 907, 660]
    assert np.array_equal(counts.n, counts.n_cases)  # no state is entered twice


def _ebmt_events(folder: Path) -> Any:
    """One row a state that a patient enters: the first at day 0, the others when they happen."""
    risks = pd.read_csv(folder / "pymsm" / "ebmt_long.csv")
    assert (len(risks), risks["id"].nunique()) == (15_512, 2279)
    moved = risks[risks["status"] == 1]
    first = pd.DataFrame({"id": risks["id"].unique(), "state": 1, "day": 0})
    moves = moved.rename(columns={"to": "state", "Tstop": "day"})[["id", "state", "day"]]
    events = pd.concat([first, moves], ignore_index=True)
    events["day"] = (events["day"] * 86_400).round().astype("int64")
    return events
