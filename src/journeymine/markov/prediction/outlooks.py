"""Outlooks of the states of a chain with their intervals: what is to be expected after a silence, within a horizon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from journeymine.errors import OptionError
from journeymine.markov.prediction.outlook import MOST_EXACT, between, next_columns, outlook, silences
from journeymine.markov.prediction.outlook_intervals import Parts, Sizes, next_sizes
from journeymine.markov.timing.time_to_goal import time_to_goal
from journeymine.uncertainty import Estimates, wilson_of_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.chain import ChainCounts
    from journeymine.markov.prediction.outlook import Outlook
    from journeymine.markov.timing.semi_kernel import Kernel

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MANY = 100
"""Above so many journeys for each silence that may be exact, nobody looks how many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What is to be expected of some journeys, shape (n,).

    Attributes
    ----------
    conversion
        Probability of the goal in the end.
    events, seconds
        Expected events (the goal included) and seconds until the goal, of the journeys that reach it.
    next, next_share
        Likeliest next column (the states, the goal, dropping out), -1 for none, and its probability.
    goal, drop, open
        Probability that, within a horizon, the goal is reached, the journey is known to be over, neither; None
        without a horizon.
    """

    conversion: Estimates
    events: Floats
    seconds: Floats
    next: Ints
    next_share: Floats
    goal: Estimates | None = None
    drop: Estimates | None = None
    open: Estimates | None = None

    def take(self, place: Ints) -> Expected:
        """Some of them, in any order."""

        def of(values: Estimates | None) -> Estimates | None:
            if values is None:
                return None
            return Estimates(*(getattr(values, p)[place] for p in ("estimate", "lower", "upper", "n")))

        conversion = of(self.conversion)
        assert conversion is not None
        return Expected(
            conversion,
            self.events[place],
            self.seconds[place],
            self.next[place],
            self.next_share[place],
            of(self.goal),
            of(self.drop),
            of(self.open),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """Shares of journeys that start, by a horizon, shape (); None without one."""

    goal: Estimates | None = None
    drop: Estimates | None = None
    open: Estimates | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Outlooks at some silences, and how sure they are."""

    waited_us: Floats
    found: Outlook
    sizes: Sizes


@dataclass(frozen=True, slots=True, eq=False)
class Outlooks:
    """Outlooks of the states of one chain; what a horizon needs is solved once.

    Attributes
    ----------
    kernel
        Where visits lead and how long that takes.
    counts
        Moves of the chain.
    """

    kernel: Kernel
    counts: ChainCounts
    _solved: dict[int | None, Parts] = field(default_factory=dict)
    _starts: dict[int, Within] = field(default_factory=dict)
    _grids: dict[int | None, _Look] = field(default_factory=dict)

    @property
    def idle_us(self) -> int:
        """Silence after which a journey is over."""
        return self.kernel.waits.idle_us

    def expect(self, state: Ints, waited_us: Ints, horizon_us: int | None) -> Expected:
        """Expectations for journeys in some states after some silences, shape (n,).

        Raises
        ------
        OptionError
            A silence is as long as the end of a journey.
        """
        if len(waited_us) and int(waited_us.max()) >= self.idle_us:
            hint = "leave out journeys that are over, or set a longer idle."
            raise OptionError(
                f"waited is {waited_us.max() / 86.4e9:g} days, but a silence of idle ({self.idle_us / 86.4e9:g} days) "
                "is the end of a journey.",
                hint=hint,
            )
        look = self._look(waited_us, horizon_us)
        before, way = between(waited_us.astype(float), look.waited_us)
        after = np.minimum(before + 1, len(look.waited_us) - 1)

        def of(by_silence: Floats) -> Floats:
            low, high = by_silence[before, state], by_silence[after, state]
            return np.where(way > 0, low + way * (np.where(np.isfinite(high), high, low) - low), low)

        found, sizes, times = look.found, look.sizes, look.waited_us[before]
        n = sizes.n(times, state)
        shares = {
            name: _estimates(of(share), sizes.effective(i, times, state), n)
            for i, (name, share) in enumerate(sizes.shares(found).items())
        }
        return Expected(
            conversion=shares["conversion"],
            events=of(found.events),
            seconds=of(found.seconds),
            next=found.next[before, state],
            next_share=of(found.next_share),
            goal=shares.get("goal"),
            drop=shares.get("drop"),
            open=shares.get("open"),
        )

    def _look(self, waited_us: Ints, horizon_us: int | None) -> _Look:
        """Outlooks at the silences asked for, or, if these are many, at a grid that is kept."""
        few = np.unique(waited_us[: MOST_EXACT * MANY])
        if len(waited_us) > MOST_EXACT * MANY or len(few) > MOST_EXACT:
            if horizon_us not in self._grids:
                self._grids[horizon_us] = self._solve(silences(float(self.idle_us)), horizon_us)
            return self._grids[horizon_us]
        return self._solve(few.astype(float) if len(few) else np.zeros(1), horizon_us)

    def _solve(self, values: Floats, horizon_us: int | None) -> _Look:
        if horizon_us not in self._solved:
            self._solved[horizon_us] = Parts.of(self.kernel, self.counts, horizon_us)
        parts = self._solved[horizon_us]
        found = outlook(self.kernel, parts.end, values, parts.ahead)
        return _Look(values, found, Sizes.of(parts, values, found))

    def from_start(self, horizon_us: int | None) -> Within:
        """What a horizon brings to journeys that start: what `chain.time_to_goal` says of them."""
        if horizon_us is None:
            return Within()
        if horizon_us not in self._starts:
            found = time_to_goal(self.kernel.waits, self.counts, horizon_us)
            goal = Estimates(
                np.array(found.estimate), np.array(found.lower), np.array(found.upper), np.array(found.n)
            )
            drop, rest = _last(found.drop), _last(found.under_way)
            share = np.clip(1 - goal.estimate - drop.estimate, 0.0, 1.0)
            shift = share - rest.estimate
            low, high = (np.clip(part + shift, 0.0, 1.0) for part in (rest.lower, rest.upper))
            self._starts[horizon_us] = Within(goal, drop, Estimates(share, low, high, rest.n))
        return self._starts[horizon_us]

    def next_steps(self, state: int, waited_us: int) -> Estimates:
        """Next step of journeys in a state after a silence, over the states, the goal and dropping out."""
        share = next_columns(self.kernel, float(waited_us))[state]
        parts = self._solved.setdefault(None, Parts.of(self.kernel, self.counts, None))
        effective = next_sizes(parts, state, float(waited_us), share)
        w = self.kernel.waits
        n = int(w.n[(w.source == state) & (w.mean_us > waited_us)].sum())
        return _estimates(share, effective, np.full(len(share), n))


def _last(curve: Estimates) -> Estimates:
    return Estimates(*(getattr(curve, p)[-1] for p in ("estimate", "lower", "upper", "n")))


def _estimates(share: Floats, effective: Floats, n: Ints) -> Estimates:
    share = np.clip(share, 0.0, 1.0)
    low, high = wilson_of_share(share, effective)
    return Estimates(share, low, high, n)
