"""How many classes there are: by BIC, or as many as a world with fewer would hardly ever show.

Personas are chosen by BIC, because a false persona is the costlier error. For what-ifs BIC is blind to classes that
matter (a bias of 1.7 stays), and AIC finds some where there are none when chains are small, because the likelihood
ratio of mixtures is not chi-square; there AIC proposes and a parametric bootstrap of the likelihood ratio decides
(McLachlan 1987).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.classes.mixture import fit_mixture
from journeymine.markov.classes.mixture_em import Mixture, MixtureModel
from journeymine.markov.classes.mixture_members import MemberTable, member_table
from journeymine.markov.classes.mixture_walk import walk_like
from journeymine.uncertainty import generator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.005
"""Chance of a further class where there is none, for each group of cells that is fitted."""
N_WORLDS = 29
FEW_WORLDS, CLEAR = 7, (2e-4, 0.2)
"""After this many worlds the answer may be clear already: a chance outside these bounds."""
MOST_MEMBERS = 5_000
"""Worlds without a further class have at most this many members: their likelihood ratio hardly grows with more."""


@dataclass(frozen=True, slots=True)
class TriedNumber:
    """One number of classes that was tried.

    Attributes
    ----------
    n_classes
        K.
    log_likelihood, n_parameters
        Of the fit.
    aic, bic
        Criteria, smaller is better; the n of BIC is the number of independent members.
    p_value
        Chance of such a gain over K - 1 classes where there are K - 1; None where AIC or BIC decided.
    converged
        Whether EM settled.
    """

    n_classes: int
    log_likelihood: float
    n_parameters: int
    aic: float
    bic: float
    p_value: float | None
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class ChosenNumber:
    """The chosen mixture and everything that was tried."""

    fit: Mixture
    tried: tuple[TriedNumber, ...]

    @property
    def n_classes(self) -> int:
        """K."""
        return self.fit.n_classes


def choose_by_bic(table: MemberTable, most: int, *, seed: int = 0) -> ChosenNumber:
    """The number of classes from 1 to `most` with the smallest BIC (Schwarz 1978).

    Its n is the number of customers, or of journeys where customers are not known: moves of one customer are not
    independent once there are classes, so they do not count. Trying stops after two numbers without an improvement.

    Parameters
    ----------
    table
        Members.
    most
        Largest K.
    seed
        Seed of the starts.
    """
    model = MixtureModel(table.members)
    fits: list[Mixture] = []
    tried: list[TriedNumber] = []
    best = 0
    for k in range(1, most + 1):
        # Against BIC's price of a class the last gains of a slow fit are nothing; the chosen one is followed on.
        fits.append(fit_mixture(model, k, generator(seed, f"classes {k}"), largest_gain=np.inf))
        tried.append(tried_number(fits[-1], table))
        if tried[-1].bic < tried[best].bic:
            best = k - 1
        elif k - 1 - best >= 2:
            break
    chosen = model.climb(fits[best].log_moves, fits[best].log_shares)
    tried[best] = tried_number(chosen, table)
    return ChosenNumber(chosen, tuple(tried))


def choose_by_gain(
    table: MemberTable, most: int, *, seed: int = 0, level: float = LEVEL, n_worlds: int = N_WORLDS
) -> ChosenNumber:
    """As many classes, up to `most`, as each bring a gain that worlds with one class fewer do not show.

    A further class is refused where AIC does not fall, accepted where BIC falls too, and otherwise judged by the
    likelihood ratios of worlds drawn from the mixture with one class fewer: at `level`.

    Parameters
    ----------
    table
        Members.
    most
        Largest K.
    seed
        Seed of starts and worlds.
    level
        Chance of a false class.
    n_worlds
        Worlds that are drawn.
    """
    model = MixtureModel(table.members)
    fit = fit_mixture(model, 1, generator(seed, "classes 1"))
    tried = [tried_number(fit, table)]
    for k in range(2, most + 1):
        richer = fit_mixture(model, k, generator(seed, f"classes {k}"))
        new, old = tried_number(richer, table), tried[-1]
        if new.aic >= old.aic:
            tried.append(new)
            break
        if new.bic >= old.bic:
            gain = 2 * (richer.log_likelihood - fit.log_likelihood)
            p_value = gain_by_chance(table, fit, gain, n_worlds=n_worlds, seed=seed)
            new = tried_number(richer, table, p_value)
        tried.append(new)
        if new.p_value is not None and new.p_value > level:
            break
        fit = richer
    return ChosenNumber(fit, tuple(tried))


def gain_by_chance(
    table: MemberTable, fit: Mixture, gain: float, *, n_worlds: int = N_WORLDS, seed: int = 0
) -> float:
    """Chance that one class more than there are gains as much (likelihood ratio statistic) as was seen."""
    k = fit.n_classes
    gains: list[float] = []
    for world in range(n_worlds):
        rng = generator(seed, f"world {world} of {k} classes")
        drawn = walk_like(table, fit, MOST_MEMBERS, rng)
        member: Callable[..., MemberTable] = member_table
        there = member(
            drawn,
            member="customer" if table.customers else "journey",
            cell_of=np.arange(len(drawn.cells)),
        )
        model = MixtureModel(there.members)
        fewer, more = (fit_mixture(model, j, rng) for j in (k, k + 1))
        gains.append(max(0.0, 2 * (more.log_likelihood - fewer.log_likelihood)))
        if world + 1 >= FEW_WORLDS:
            p_value = tail_of_a_new_one(np.array(gains), gain)
            if not CLEAR[0] < p_value < CLEAR[1]:
                break
    return tail_of_a_new_one(np.array(gains), gain)


def tail_of_a_new_one(draws: Floats, value: float) -> float:
    """Chance that one more draw exceeds `value`: Student's t for a new observation, on logarithms.

    With few draws their spread is hardly known; a normal or gamma tail fitted to them would be far too sure.

    Examples
    --------
    >>> round(tail_of_a_new_one(np.array([20.0, 25.0, 30.0, 36.0]), 27.0), 2)
    0.51
    """
    from scipy import special

    logs = np.log1p(draws)
    size, n = float(logs.std(ddof=1)), len(logs)
    away = float(np.log1p(value) - logs.mean())
    if not size > 0:
        return 0.0 if away > 0 else 1.0
    return float(special.stdtr(n - 1, -away / (size * np.sqrt(1 + 1 / n))))


def tried_number(fit: Mixture, table: MemberTable, p_value: float | None = None) -> TriedNumber:
    """A fit with its criteria."""
    deviance, d = -2 * fit.log_likelihood, fit.n_parameters
    return TriedNumber(
        fit.n_classes,
        fit.log_likelihood,
        d,
        deviance + 2 * d,
        deviance + d * float(np.log(max(table.n_independent, 1))),
        p_value,
        fit.converged,
    )
