"""Stages of the map: those of the configuration, or bands cut from the mean place of the activities."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

MANY, MORE = 15, 25
"""Activities above which there are six bands, and seven."""


@dataclass(frozen=True, slots=True, eq=False)
class Stages:
    """Stages from top to bottom; only those that have an activity.

    Attributes
    ----------
    ids
        Short names, unique.
    names
        Names to show; None for a derived stage, and for the activities that the configuration leaves out.
    of
        Stage of each activity, shape (k,).
    derived
        Whether they were cut from the log.
    """

    ids: tuple[str, ...]
    names: tuple[str | None, ...]
    of: Ints
    derived: bool


REST_ID: Final = "(rest)"


def configured_stages(activities: Sequence[str], stages: Sequence[tuple[str, str, Sequence[str]]]) -> Stages:
    """Stages of the configuration; activities it leaves out come last.

    Parameters
    ----------
    stages
        Id, name and activities of each stage.

    Examples
    --------
    >>> stages = configured_stages(["Basket", "Pay", "Visit"], [("buy", "Buy", ["Basket", "Pay"])])
    >>> stages.ids, stages.names, stages.of.tolist()
    (('buy', '(rest)'), ('Buy', None), [0, 0, 1])
    """
    stage_of = {name: i for i, (_, _, names) in enumerate(stages) for name in names}
    raw = np.array([stage_of.get(name, len(stages)) for name in activities], dtype=np.int64)
    used = np.unique(raw)
    known = [*((id_, name) for id_, name, _ in stages), (REST_ID, None)]
    ids = tuple(known[i][0] for i in used)
    return Stages(ids, tuple(known[i][1] for i in used), np.searchsorted(used, raw), derived=False)


def n_bands(n_activities: int) -> int:
    """How many stages a log of that many activities is cut into: 5 to 7, fewer if there is little to cut.

    Examples
    --------
    >>> [n_bands(k) for k in (1, 4, 8, 12, 20, 60)]
    [1, 2, 4, 5, 6, 7]
    """
    most = 7 if n_activities > MORE else 6 if n_activities > MANY else 5
    return max(1, min(n_activities // 2, most))


def derived_stages(
    ids: Sequence[str], place: Floats, n: Ints, known: Mapping[str, int] | None = None
) -> Stages:
    """Cut activities into bands by their mean place in a journey.

    Bands hold about equal shares of the events; each cut is the largest step of the place near its quantile.

    Parameters
    ----------
    ids
        Ids of the activities: ties of the place go by id.
    place
        Mean place of the first occurrence, shape (k,).
    n
        Events, shape (k,).
    known
        Band of activities that keep the one of an earlier run; others join that of their neighbour by place.

    Examples
    --------
    >>> stages = derived_stages(["a", "b", "c", "d"], np.array([1.0, 1.2, 4.0, 4.5]), np.array([5, 5, 5, 5]))
    >>> stages.ids, stages.of.tolist()
    (('stage-1', 'stage-2'), [0, 0, 1, 1])
    """
    order = sorted(range(len(ids)), key=lambda i: (place[i], ids[i]))
    if known:
        raw = _like_before(ids, place, order, known)
    else:
        cuts = _cuts(place[order], n[order])
        raw = np.zeros(len(ids), np.int64)
        for i, activity in enumerate(order):
            raw[activity] = bisect_right(cuts, i)
    n_stages = max(known.values()) + 1 if known else int(raw.max(initial=0)) + 1
    names = tuple(f"stage-{i + 1}" for i in range(n_stages))
    return Stages(names, (None,) * n_stages, raw, derived=True)


def _cuts(place: Floats, n: Ints) -> list[int]:
    """Places in the sorted list at which a new band begins."""
    k, bands = len(place), n_bands(len(place))
    share = np.cumsum(n) / max(int(n.sum()), 1)
    cuts: list[int] = []
    for band in range(1, bands):
        first = (cuts[-1] if cuts else 0) + 1
        # Every later cut needs an activity of its own.
        free = range(first, k - (bands - 1 - band))
        near = [i for i in free if abs(share[i - 1] - band / bands) <= 0.5 / bands]
        if near:
            cuts.append(max(near, key=lambda i: (place[i] - place[i - 1], -i)))
        elif free:
            cuts.append(min(free, key=lambda i: (abs(share[i - 1] - band / bands), i)))
    return cuts


def _like_before(ids: Sequence[str], place: Floats, order: Sequence[int], known: Mapping[str, int]) -> Ints:
    old = [i for i in order if ids[i] in known]
    raw = np.zeros(len(ids), np.int64)
    for i in order:
        if ids[i] in known:
            raw[i] = known[ids[i]]
        elif old:
            raw[i] = known[ids[min(old, key=lambda j: (abs(place[j] - place[i]), ids[j]))]]
    return raw
