"""Turn the steps of all journeys into the event log that a shop would export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from journeymine.simulate import states as st
from journeymine.simulate.kernel import GROUPS
from journeymine.simulate.starts import draw
from journeymine.simulate.verbatims import COMMENT_SHARE, FRENCH, SURVEYS, comments_for
from journeymine.simulate.walk import DAY_S

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from journeymine.simulate.settings import ShopSettings
    from journeymine.simulate.starts import Starts
    from journeymine.simulate.walk import Walk

PRICES_CENTS = (990, 1490, 1990, 2490, 2990, 3490, 3990, 4990, 5990, 6990, 7990, 9900, 12900, 17900, 24900)
PRICE_WEIGHTS = (4, 6, 9, 9, 10, 10, 9, 9, 8, 7, 6, 5, 4, 2.5, 1.5)
PIECE_SHARES = (0.66, 0.23, 0.11)
DELIVERY_CENTS = 490


def event_frame(walk: Walk, starts: Starts, settings: ShopSettings, rng: np.random.Generator) -> pd.DataFrame:
    """Write the events up to the end of the log, in the order of time."""
    import pandas as pd

    n_journeys = len(starts.day)
    # Journeys come first, then time: what is drawn for an event depends on neither the sort nor the cut.
    answers = _answers(walk, starts, rng)
    value = _order_values(walk, rng)
    # No two events of a journey share a second, so this key is unique.
    key = walk.second * max(n_journeys, 1) + walk.journey
    order = np.argsort(key)
    order = order[: int(np.count_nonzero(walk.second < settings.n_days * DAY_S))]
    journey, state = walk.journey[order], walk.state[order]
    group = starts.group[journey]
    values = np.array(GROUPS, dtype=object)
    origin = np.datetime64(settings.start, "us")
    stamps = origin + walk.second[order].astype("timedelta64[s]")
    columns = {
        "journey_id": _names("J", n_journeys)[journey],
        "customer_id": _names("C", settings.n_customers)[starts.customer[journey]],
        "activity": np.array([s.activity for s in st.STATES.values()], dtype=object)[state],
        "timestamp": pd.Series(stamps).dt.tz_localize("UTC"),
        "channel": _channels()[group // (len(GROUPS) // len(st.PLATFORMS)), state],
        "platform": values[:, 0][group],
        "country": values[:, 1][group],
        "customer_type": values[:, 2][group],
        "source": np.array(st.SOURCES, dtype=object)[starts.source[journey]],
        "value": value[order],
        **{name: column[order] for name, column in answers.items()},
    }
    return pd.DataFrame(columns)


def journey_frame(walk: Walk, starts: Starts, settings: ShopSettings) -> pd.DataFrame:
    """One row a journey, with what no log shows: whether it reaches the goal when followed to its end."""
    import pandas as pd

    values = np.array(GROUPS, dtype=object)
    last = np.full(len(starts.day), -1, dtype=np.int64)
    np.maximum.at(last, walk.journey, walk.second)
    return pd.DataFrame(
        {
            "journey_id": _names("J", len(starts.day)),
            "customer_id": _names("C", settings.n_customers)[starts.customer],
            "start_day": starts.day,
            "platform": values[:, 0][starts.group],
            "country": values[:, 1][starts.group],
            "customer_type": values[:, 2][starts.group],
            "source": np.array(st.SOURCES, dtype=object)[starts.source],
            "reaches_goal": walk.reached,
            "cut": last >= settings.n_days * DAY_S,
        }
    )


def _names(letter: str, n: int) -> NDArray[np.object_]:
    width = max(5, len(str(n)))
    return np.array([f"{letter}{i:0{width}d}" for i in range(1, n + 1)], dtype=object)


def _channels() -> NDArray[np.object_]:
    def name(platform: str, channel: str) -> str:
        digital = "app" if platform == "app" else "web"
        return digital if channel == "digital" else channel

    return np.array([[name(p, s.channel) for s in st.STATES.values()] for p in st.PLATFORMS], dtype=object)


def _order_values(walk: Walk, rng: np.random.Generator) -> NDArray[np.float64]:
    value = np.full(len(walk.state), np.nan)
    orders = np.flatnonzero(walk.state == st.ORDER)
    u = rng.random((2, len(orders)))
    price = np.array(PRICES_CENTS)[draw(np.array(PRICE_WEIGHTS), u[0])]
    pieces = 1 + draw(np.array(PIECE_SHARES), u[1])
    value[orders] = (price * pieces + DELIVERY_CENTS) / 100
    return value


def _answers(
    walk: Walk, starts: Starts, rng: np.random.Generator
) -> dict[str, NDArray[np.float64] | NDArray[np.object_]]:
    """Score, survey and comment of every event; empty where nobody was asked."""
    n = len(walk.state)
    score = np.full(n, np.nan)
    survey, comment = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    french = np.array([country in FRENCH for _, country, _ in GROUPS])
    for key, (name, scores, weights, good_from) in SURVEYS.items():
        rows = np.flatnonzero(walk.state == st.CODE[key])
        u = rng.random((3, len(rows)))
        given = np.array(scores)[draw(np.array(weights), u[0])]
        score[rows], survey[rows] = given, name
        in_french = french[starts.group[walk.journey[rows]]]
        for good in (False, True):
            for language, texts in enumerate(comments_for(key, good)):
                fits = (u[1] < COMMENT_SHARE) & ((given >= good_from) == good) & (in_french == bool(language))
                chosen = (u[2][fits] * len(texts)).astype(np.int64)
                comment[rows[fits]] = np.array(texts, dtype=object)[chosen]
    return {"score": score, "survey": survey, "comment": comment}
