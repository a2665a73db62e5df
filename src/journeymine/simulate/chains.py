"""Cases from a plain absorbing chain, cut at the end of observation: the world of coverage tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

Waits = Literal["exponential", "lognormal"]
DAY_US = 86_400_000_000
ORIGIN = np.datetime64("2026-01-01", "us")
GOAL = "Goal"
TOLERANCE = 1e-9
LOG_SD = 1.0
"""Standard deviation of the logarithm of log-normal waits."""
STEPS_OF_BISECTION = 40


@dataclass(frozen=True, slots=True, eq=False)
class ChainTruth:
    """What the chain is, averaged over the classes of customers.

    Attributes
    ----------
    conversion
        Share of all cases that reach the goal when followed to their ends.
    shares
        Shape (k, k + 2): share of the visits to each state that go to each state, to the goal, to no next
        event.
    visits
        Shape (k,): expected visits of a case to each state.
    """

    conversion: float
    shares: NDArray[np.float64]
    visits: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ChainSample:
    """A log sampled from a chain.

    Attributes
    ----------
    events
        case_id, customer_id, activity, timestamp (UTC); the goal shows as activity "Goal".
    truth
        The exact chain.
    days
        Length of the observation.
    open_share
        Cases that have neither reached the goal nor been silent for `idle_days` at the end.
    """

    events: pd.DataFrame
    truth: ChainTruth
    days: float
    open_share: float


def sample_chain(
    P: ArrayLike,
    start: ArrayLike,
    n: int,
    seed: int = 0,
    *,
    activities: Sequence[str] | None = None,
    wait_days: ArrayLike = 1.0,
    waits: Waits = "exponential",
    max_wait_days: float = 25.0,
    cases_per_customer: float = 1.0,
    customer_sd: float = 0.0,
    idle_days: float = 30.0,
    days: float = 365.0,
    open_share: float | None = None,
) -> ChainSample:
    """Sample cases from an absorbing chain with a wait on every move, observed for a limited time.

    Parameters
    ----------
    P
        Shape (k, k + 2), rows sum to 1: moves to the k states, to the goal, to dropping out (no event
        follows).
    start
        Shares of the k states among the first events.
    n
        Number of cases.
    seed
        Same seed, same log.
    activities
        Names of the k states; "A", "B" ... by default.
    wait_days
        Mean wait before each move, a number or shape (k, k + 1): fast and slow exits.
    waits
        "exponential", or "lognormal" (standard deviation 1 on the log scale).
    max_wait_days
        Waits are drawn below this; keep it under `idle_days`, so that silence means that the case is over.
    cases_per_customer
        Mean number of cases of a customer (1 + geometric).
    customer_sd
        Standard deviation, between customers, of the log-odds of dropping out. Customers are of three equally
        frequent classes, so that the truth stays exact.
    idle_days
        Silence after which a case counts as dropped.
    days
        Cases start uniformly over this time, and it is where observation ends.
    open_share
        If given, `days` is chosen so that this share of the cases is open at the end.

    Returns
    -------
    ChainSample
        Events, exact truth, days and the share of open cases.

    Examples
    --------
    >>> world = sample_chain([[0.2, 0.5, 0.3]], [1.0], 200, seed=1)
    >>> round(world.truth.conversion, 6)
    0.625
    >>> world.events.columns.tolist()
    ['case_id', 'customer_id', 'activity', 'timestamp']
    """
    matrix, first = _checked(P, start)
    k = len(matrix)
    names = list(activities) if activities is not None else [chr(ord("A") + i) for i in range(k)]
    if len(names) != k or len(set(names)) != k:
        raise OptionError(f"activities: {len(names)} names, expected {k} different ones.")
    if n < 1:
        raise OptionError(f"n is {n}, expected at least 1.")
    rng = np.random.default_rng(seed)
    customer = _customers(n, cases_per_customer, rng)
    classes = np.array([_shifted(matrix, s) for s in customer_sd * np.sqrt(1.5) * np.array([-1.0, 0.0, 1.0])])
    kind = (rng.random(n) * 3).astype(np.int64)[customer]
    begin = rng.random(n)
    means = np.broadcast_to(np.asarray(wait_days, dtype=float), (k, k + 1))
    case, state, elapsed = _run(classes, first, kind, means, waits, max_wait_days, rng)
    last, done = _outcomes(case, state, elapsed, n, k)

    def open_at(length: float) -> float:
        return _open_share(length, begin, case, elapsed, last, done, idle_days)

    if open_share is not None:
        days = _length_for(open_share, open_at, idle_days)
    seen = begin[case] * days + elapsed < days
    events = _frame(case[seen], state[seen], elapsed[seen], begin * days, customer, [*names, GOAL])
    return ChainSample(events, _truth(classes, first), days, open_at(days))


def _checked(P: ArrayLike, start: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    matrix, first = np.asarray(P, dtype=float), np.asarray(start, dtype=float)
    if matrix.ndim != 2 or matrix.shape[1] != matrix.shape[0] + 2:
        raise OptionError(
            f"P has shape {matrix.shape}, expected (k, k + 2): k states, the goal, dropping out."
        )
    if np.any(matrix < 0) or np.any(np.abs(matrix.sum(axis=1) - 1) > TOLERANCE):
        raise OptionError("P: every row must be shares that sum to 1.")
    if first.shape != (len(matrix),) or np.any(first < 0) or abs(first.sum() - 1) > TOLERANCE:
        raise OptionError(f"start: expected {len(matrix)} shares that sum to 1.")
    return matrix, first


def _shifted(matrix: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Shift every drop-out share on the log-odds scale, the other exits in proportion."""
    drop = matrix[:, -1]
    odds = drop * np.exp(shift)
    shifted = odds / (1 - drop + odds)
    rest = np.divide(1 - shifted, 1 - drop, out=np.zeros_like(drop), where=drop < 1)
    return np.column_stack([matrix[:, :-1] * rest[:, None], shifted])


def _customers(n: int, per_customer: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give each case a customer: a new one begins with probability 1 / mean."""
    if not per_customer >= 1:
        raise OptionError(f"cases_per_customer is {per_customer}, expected at least 1.")
    number = np.cumsum(rng.random(n) < 1.0 / per_customer)
    return number - number[:1]


def _run(
    classes: NDArray[np.float64],
    first: NDArray[np.float64],
    kind: NDArray[np.int64],
    means: NDArray[np.float64],
    waits: Waits,
    longest: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Every event of every case: case number, state (k = goal), days since the case began."""
    k = len(first)
    cumulative = np.cumsum(classes, axis=2)
    case = np.arange(len(kind))
    state = np.minimum(np.searchsorted(np.cumsum(first), rng.random(len(kind)), side="right"), k - 1)
    elapsed = np.zeros(len(kind))
    steps = []
    while len(case):
        steps.append((case, state, elapsed))
        u = rng.random((2, len(case)))
        below = cumulative[kind[case], np.minimum(state, k - 1)] <= u[0][:, None]
        target = np.where(state == k, k + 1, np.minimum(below.sum(axis=1), k + 1))
        on = np.flatnonzero(target <= k)
        wait = _wait(means[state[on], target[on]], u[1][on], waits, longest)
        case, elapsed, state = case[on], elapsed[on] + wait, target[on]
    return (
        np.concatenate([s[0] for s in steps]),
        np.concatenate([s[1] for s in steps]),
        np.concatenate([s[2] for s in steps]),
    )


def _wait(
    mean: NDArray[np.float64], u: NDArray[np.float64], waits: Waits, longest: float
) -> NDArray[np.float64]:
    """Draw waits by inverting the distribution function, truncated at `longest`; at least a second."""
    from scipy.special import ndtr, ndtri

    if waits == "exponential":
        drawn = -mean * np.log1p(-u * -np.expm1(-longest / mean))
    else:
        centre = np.log(mean) - LOG_SD**2 / 2
        drawn = np.exp(centre + LOG_SD * ndtri(u * ndtr((np.log(longest) - centre) / LOG_SD)))
    return np.maximum(drawn, 1.0 / 86_400)


def _outcomes(
    case: NDArray[np.int64], state: NDArray[np.int64], elapsed: NDArray[np.float64], n: int, k: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Days until the last event of each case and until its goal (infinite without)."""
    last, done = np.zeros(n), np.full(n, np.inf)
    np.maximum.at(last, case, elapsed)
    done[case[state == k]] = elapsed[state == k]
    return last, done


def _open_share(
    length: float,
    begin: NDArray[np.float64],
    case: NDArray[np.int64],
    elapsed: NDArray[np.float64],
    last: NDArray[np.float64],
    done: NDArray[np.float64],
    idle: float,
) -> float:
    """Cases with an event in the last `idle` days and no goal before the end."""
    at = begin * length
    recent = np.zeros(len(begin), dtype=np.bool_)
    time = at[case] + elapsed
    recent[case[(time >= length - idle) & (time < length)]] = True
    return float(np.mean(recent & (at + done >= length)))


def _length_for(share: float, open_at: Callable[[float], float], idle: float) -> float:
    """Length of observation at which `share` of the cases is open: the share falls with the length."""
    low, high = idle / 4, idle * 200
    if not open_at(high) <= share <= open_at(low):
        raise OptionError(
            f"open_share is {share}, which no length of observation gives.",
            found=f"{open_at(high):.3f} to {open_at(low):.3f}",
            hint="change wait_days or idle_days.",
        )
    for _ in range(STEPS_OF_BISECTION):
        middle = (low + high) / 2
        low, high = (middle, high) if open_at(middle) > share else (low, middle)
    return high


def _frame(
    case: NDArray[np.int64],
    state: NDArray[np.int64],
    elapsed: NDArray[np.float64],
    begin: NDArray[np.float64],
    customer: NDArray[np.int64],
    names: list[str],
) -> pd.DataFrame:
    import pandas as pd

    # Whole microseconds since the case began, so that rounding joins no two events of a case.
    time = (begin * DAY_US).astype(np.int64)[case] + (elapsed * DAY_US).astype(np.int64)
    order = np.lexsort((case, time))
    stamps = ORIGIN + time[order].astype("timedelta64[us]")
    return pd.DataFrame(
        {
            "case_id": np.array([f"case-{i}" for i in range(len(begin))], dtype=object)[case[order]],
            "customer_id": np.array([f"customer-{c}" for c in customer], dtype=object)[case[order]],
            "activity": np.array(names, dtype=object)[state[order]],
            "timestamp": pd.Series(stamps).dt.tz_localize("UTC"),
        }
    )


def _truth(classes: NDArray[np.float64], first: NDArray[np.float64]) -> ChainTruth:
    k = len(first)
    visits = np.array([np.linalg.solve((np.eye(k) - c[:, :k]).T, first) for c in classes])
    flow = (visits[:, :, None] * classes).mean(axis=0)
    total = visits.mean(axis=0)
    shares = np.divide(flow, total[:, None], out=np.zeros_like(flow), where=total[:, None] > 0)
    return ChainTruth(float(flow[:, k].sum()), shares, total)
