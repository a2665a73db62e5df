"""A control that must show nothing: an exposure cannot change what happened before it.

If those who met an exposure already differed, history adjusted for, in something that was over when they met it, then
they differ in ways that the adjustment does not see (negative control outcome; Lipsitch and others 2010). The control
compares the number of visits made before the moment of exposure, by the same adjustment with that number left out of
what is adjusted for; or whether some activity was met before. In a chain without memory it is 0: given where a
journey is, its past says nothing about what comes next. It is not 0 where determined customers take another way to
the exposure than others, but also where the exposure follows the past itself and the rest of the history does not
show it: it warns, it does not convict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from journeymine.errors import NotEnoughDataError, OptionError, listed, shown
from journeymine.fixes.causal.aipw import MIN_ARM, N_FOLDS
from journeymine.fixes.causal.covariates import Covariates, covariates
from journeymine.fixes.causal.decisions import Decisions, decision_points
from journeymine.fixes.causal.scores import Outcome, doubly_robust, folds_of_units, interval_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.counts.sequences import SequenceCounts
    from journeymine.uncertainty import Estimates

    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class NegativeControl:
    """What the exposure seems to have done to the past.

    Attributes
    ----------
    outcome
        "visits" (visits before the moment of exposure), or the number of the state met before.
    difference
        Adjusted difference between those who met the exposure and those who did not, in visits or as a share.
    quiet
        Whether the interval holds 0.
    """

    outcome: Literal["visits"] | int
    difference: Estimates
    quiet: bool


def negative_control(
    sequences: SequenceCounts,
    exposed: int,
    *,
    outcome: Literal["visits"] | int = "visits",
    at: Ints | None = None,
    seed: int = 0,
    n_folds: int = N_FOLDS,
) -> NegativeControl:
    """Adjusted difference in the past between those who met an exposure and those who did not.

    Parameters
    ----------
    outcome
        "visits", or the number of one of the most frequent states: whether it was met before.

    Raises
    ------
    OptionError
        The state of the outcome is not among those whose past is known.
    NotEnoughDataError
        Fewer than 30 journeys met the exposure or went on without it, or all have the same past.

    Examples
    --------
    Determined customers look around longer, and ask for help more often:

    >>> from journeymine.markov.lists import count_lists
    >>> journeys = ([["look", "look", "form", "help"]] * 6 + [["look", "look", "form", "paid"]] * 4
    ...             + [["look", "form", "help"]] * 2 + [["look", "form", "paid"]] * 8) * 20
    >>> _, sequences = count_lists(journeys, goal="paid", customers=range(len(journeys)))
    >>> control = negative_control(sequences, sequences.states.index("help"))
    >>> round(float(control.difference.estimate), 1), control.quiet
    (0.4, False)
    """
    points = decision_points(sequences, exposed, at=at)
    for arm, words in ((points.exposed, "met"), (~points.exposed, "went on without")):
        n = int(points.n[arm].sum())
        if min(n, len(np.unique(points.unit[arm]))) < MIN_ARM:
            name = shown(sequences.states[exposed])
            raise NotEnoughDataError(f"{n} journeys {words} {name}, at least {MIN_ARM} are needed.")
    past, known = _past(points, outcome)
    if (past.value == past.value[0]).all():
        raise NotEnoughDataError("all journeys have the same past at the moment of exposure.")
    scores = doubly_robust(
        points.unit, points.exposed, points.n, past, known, folds_of_units(points.n_units, n_folds, seed)
    )
    n, informed = int(points.n[points.exposed].sum()), int((scores.att.below > 0).sum())
    found = interval_of(scores.att.value, scores.att.influence, n, informed)
    return NegativeControl(outcome, found, bool(found.lower <= 0 <= found.upper))


def _past(points: Decisions, outcome: Literal["visits"] | int) -> tuple[Outcome, Covariates]:
    """The past as an outcome, which is always known, and the history without it."""
    everybody = np.ones(len(points.n))
    if outcome == "visits":
        return Outcome(points.visits.astype(float), everybody, "linear"), covariates(
            points, without_visits=True
        )
    at = np.flatnonzero(points.asked == outcome)
    if not len(at):
        raise OptionError(
            f"outcome is {shown(outcome)}, expected 'visits' or the number of a frequent state.",
            found=listed(points.asked.tolist()),
        )
    met = points.met[:, at[0]].astype(float)
    # The number of visits counts this one, too.
    known = covariates(points, without_visits=True, without_met=int(outcome))
    return Outcome(met, everybody, "logistic"), known
