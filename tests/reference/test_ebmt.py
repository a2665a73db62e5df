"""State occupation after bone-marrow transplantation: the published probabilities of the EBMT data, to four digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from journeymine.errors import OptionError
from journeymine.markov.occupation.occupation_frame import state_occupation

if TYPE_CHECKING:
    from pathlib import Path

YEAR = 365.25
PUBLISHED = {
    1: (0.1646, 0.1973, 0.1183, 0.2172, 0.1138, 0.1888),
    2: (0.1523, 0.1872, 0.1075, 0.1987, 0.1460, 0.2083),
    5: (0.1456, 0.1790, 0.0995, 0.1855, 0.1640, 0.2265),
}
FOUR_DIGITS = 5e-5


@pytest.fixture(scope="module")
def possible(reference_data: Path) -> pd.DataFrame:
    """One row per possible move, as mstate writes it."""
    return pd.read_csv(reference_data / "pymsm" / "ebmt_long.csv")


def stays_of(possible: pd.DataFrame) -> pd.DataFrame:
    """One row per stay: the move that happened, or none."""
    stay = ["id", "from", "Tstart", "Tstop"]
    moved = possible[possible["status"] == 1]
    every = possible.drop_duplicates(stay)[stay]
    return every.merge(moved[[*stay, "to"]], on=stay, how="left")


def test_published_probabilities(possible: pd.DataFrame) -> None:
    stays = stays_of(possible)
    assert stays["id"].nunique() == 2279
    found = state_occupation(
        stays, "id", "from", "to", "Tstart", "Tstop", times=[year * YEAR for year in PUBLISHED], start=1
    )
    assert found.states == (1, 2, 3, 4, 5, 6)
    for row, expected in zip(found.share.estimate, PUBLISHED.values(), strict=True):
        assert row == pytest.approx(expected, abs=FOUR_DIGITS)
    frame = found.to_frame()
    assert frame.columns.tolist() == ["time", "state", "estimate", "lower", "upper", "n"]
    assert (frame["lower"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["upper"]).all()
    # Everybody starts in state 1: the observed start is the same.
    observed = state_occupation(stays, "id", "from", "to", "Tstart", "Tstop", times=YEAR)
    assert np.allclose(observed.share.estimate, found.at(YEAR)["estimate"])


def test_the_long_format_is_recognised(possible: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="status 1"):
        state_occupation(possible, "id", "from", "to", "Tstart", "Tstop", times=YEAR, start=1)
