"""Reading a test back: what was measured, how surely, and whether the measurement can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special

from journeymine.fixes.experiments.looks import measured_difference, take_looks
from journeymine.uncertainty import Estimates, difference_of_shares, quantile_of_normal, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.result_data import ResultData

SAMPLE_RATIO_P = 0.001
SAMPLE_RATIO, BASELINE, FEW, EARLY = "sample_ratio", "baseline", "few", "early"
UNUSABLE = frozenset((SAMPLE_RATIO, BASELINE, FEW))
"""Flags of results that are kept and not used."""
MIN_ARM = 10
"""Customers in the smaller arm that a result is used with."""
BASELINE_FACTOR, BASELINE_LEVEL = 2.0, 0.999
"""A control whose share of converted, or of not converted, customers is surely off the plan's by more than this factor
was counted otherwise than planned: what was planned comes from a year ago and changes, but hardly so much."""


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentResult:
    """What a test says.

    Attributes
    ----------
    shares
        Share converted in control and treatment, shape (2,).
    difference
        Treatment less control among those who met the fix; `n` customers.
    sd
        Standard error of the difference.
    method
        Of the interval: "newcombe", "cuped", "repeated" (group-sequential), "confidence_sequence".
    effect
        The difference as an effect over all starts; None where the plan does not know the reach.
    effect_sd
        Its standard error.
    sample_ratio_p
        P value of the planned split of the customers.
    flags
        "sample_ratio": the split is not the planned one, so the arms cannot be compared; "baseline": conversion in
        control is far from what was planned (`far_from_plan`); "few": an arm has fewer than ten customers; "early": a
        look before the end of a test that has only one.
    decided
        Where the boundary was first crossed: a week, or "now"; None if it was not.
    verdict
        "gain", "loss", "open" (cannot be told from no difference) or "refused".
    variance_cut
        Part of the variance that CUPED took away; None without.
    """

    shares: Estimates
    difference: Estimates
    sd: float
    method: str
    effect: Estimates | None
    effect_sd: float | None
    sample_ratio_p: float
    flags: tuple[str, ...]
    decided: str | None
    verdict: str
    variance_cut: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether the arms can be compared, and with the plan."""
        return UNUSABLE.isdisjoint(self.flags)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "control": self.shares.at(0),
            "treatment": self.shares.at(1),
            "difference": self.difference.at(),
            "sd": self.sd,
            "method": self.method,
            "effect": None if self.effect is None else self.effect.at(),
            "effect_sd": self.effect_sd,
            "sample_ratio_p": self.sample_ratio_p,
            "flags": list(self.flags),
            "decided": self.decided,
            "verdict": self.verdict,
            "variance_cut": self.variance_cut,
        }


def measure(data: ResultData, plan: ExperimentPlan) -> ExperimentResult:
    """What the counts of a test say about its plan.

    The split of the customers, their number and conversion in control are checked first. The interval is Newcombe's
    for shares, that of the adjusted means where customers have a value from before (CUPED), a repeated confidence
    interval for group-sequential plans (Jennison and Turnbull 1989: boundary times standard error), and the confidence
    sequence for always-valid ones. Tests with several looks are read up to the look that ended them.
    """
    p = sample_ratio(data.n.sum(axis=0), plan.audience.below / 10_000)
    looks = None if plan.method == "fixed" else take_looks(data, plan)
    used = data if looks is None else data.up_to(looks.place)
    n, won = used.n.sum(axis=0), used.conversions.sum(axis=0)
    low, high = wilson(won, n, level=1 - plan.alpha)
    shares = Estimates(won / n, low, high, n)
    gap, sd, cut = measured_difference(used)
    if looks is not None:
        interval = _around(gap, looks.half, int(n.sum()))
        method = "confidence_sequence" if plan.method == "always_valid" else "repeated"
    elif cut is not None:
        interval, method = _around(gap, quantile_of_normal(1 - plan.alpha) * sd, int(n.sum())), "cuped"
    else:
        interval, method = _newcombe(shares), "newcombe"
    decided = None if looks is None else looks.decided
    far = far_from_plan(int(won[0]), int(n[0]), plan.baseline, one_sided=plan.follow_up == "horizon")
    flags = _flags(p, n, plan, far=far)
    effect, effect_sd = _over_starts(interval, sd, plan.reach)
    return ExperimentResult(
        shares=shares,
        difference=interval,
        sd=sd,
        method=method,
        effect=effect,
        effect_sd=effect_sd,
        sample_ratio_p=p,
        flags=flags,
        decided=decided,
        verdict=_verdict(interval, flags),
        variance_cut=cut,
    )


def sample_ratio(n: NDArray[np.integer], control: float) -> float:
    """P value of the split of the customers over control and treatment, chi-squared with one degree of freedom.

    Examples
    --------
    >>> sample_ratio(np.array([5000, 5000]), 0.5), round(sample_ratio(np.array([5000, 5400]), 0.5), 6)
    (1.0, 8.8e-05)
    """
    due = n.sum() * np.array([control, 1 - control])
    return float(special.chdtrc(1, ((n - due) ** 2 / due).sum()))


def far_from_plan(won: int, n: int, baseline: float, *, one_sided: bool = False) -> bool:
    """Whether conversion in control surely differs from the planned baseline by more than a factor of two.

    Wilson's 99.9 % interval is compared with half and twice the planned share that converts, and with half and twice
    the planned share that does not: the same rule for rare and for frequent conversions.

    Parameters
    ----------
    won, n
        Converted customers and all customers of the control.
    one_sided
        Whether only too many conversions count: the plan's baseline is conversion in the end, and the metric ends
        earlier.

    Examples
    --------
    >>> far_from_plan(0, 169, 0.42), far_from_plan(50, 169, 0.42), far_from_plan(0, 5, 0.42)
    (True, False, False)
    """
    low, high = (float(bound) for bound in wilson(won, n, level=BASELINE_LEVEL))
    many = low > BASELINE_FACTOR * baseline or 1 - low < (1 - baseline) / BASELINE_FACTOR
    few = high < baseline / BASELINE_FACTOR or 1 - high > BASELINE_FACTOR * (1 - baseline)
    return many or (few and not one_sided)


def _newcombe(shares: Estimates) -> Estimates:
    a, b = (Estimates(shares.estimate[i], shares.lower[i], shares.upper[i], shares.n[i]) for i in (1, 0))
    return difference_of_shares(a, b, np.zeros(()))


def _around(gap: float, half: float, n: int) -> Estimates:
    lower, upper = max(gap - half, -1.0), min(gap + half, 1.0)
    return Estimates(np.asarray(gap), np.asarray(lower), np.asarray(upper), np.asarray(n))


def _flags(p: float, n: NDArray[np.integer], plan: ExperimentPlan, *, far: bool) -> tuple[str, ...]:
    early = plan.method == "fixed" and n.sum() < 0.95 * (plan.n_control + plan.n_treatment)
    found = {SAMPLE_RATIO: p < SAMPLE_RATIO_P, BASELINE: far, FEW: n.min() < MIN_ARM, EARLY: early}
    return tuple(flag for flag, on in found.items() if on)


def _over_starts(gap: Estimates, sd: float, reach: float | None) -> tuple[Estimates | None, float | None]:
    if reach is None:
        return None, None
    return Estimates(gap.estimate * reach, gap.lower * reach, gap.upper * reach, gap.n), sd * reach


def _verdict(interval: Estimates, flags: tuple[str, ...]) -> str:
    if not UNUSABLE.isdisjoint(flags):
        return "refused"
    return "gain" if interval.lower > 0 else "loss" if interval.upper < 0 else "open"
