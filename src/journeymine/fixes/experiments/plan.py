"""`ExperimentPlan`: the test of a fix, as data that can be stored, shown and followed."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import special

from journeymine.errors import NotEnoughDataError, SourceError, listed, shown
from journeymine.fixes.experiments.always_valid import half_width
from journeymine.fixes.experiments.audience import Audience
from journeymine.fixes.experiments.group_sequential import Boundaries
from journeymine.fixes.experiments.line_grid import SLOPE
from journeymine.fixes.experiments.plan_words import next_step, plan_html, plan_text, stopping_rule
from journeymine.fixes.experiments.sizes import detectable, left_over, power_of, sizes_of_arms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.fixes.experiments.plannable import FollowUp

Method = Literal["fixed", "sequential", "always_valid"]
SCHEMA_VERSION = 1
N_NODES = 61


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """A test on those whom a fix would touch; `ranking.plan(fix)` and `plan_test` make one.

    Attributes
    ----------
    fix_id, title, kind, outcome
        The fix that is tested and the outcome it was ranked by.
    audience
        Who takes part, when, and in which arm.
    metric
        What is measured, in words.
    baseline
        Share of those who meet the fix that convert today: in the end, whatever the horizon of the metric.
    effect
        Change of that share that the test is made to find.
    reach
        Share of all journeys that meet the fix; None where it is not known.
    expected
        Predicted effect over all starts, `{estimate, lower, upper, n}`, as in the ranking; None without a prediction.
    predicted
        Effect over all starts and its standard deviation before past tests were taken into account.
    power, alpha, method
        Of the two-sided test; "fixed", "sequential" (group-sequential) or "always_valid".
    n_control, n_treatment
        Customers in each arm at the most.
    n_per_week
        Customers who meet the fix each week; None in a log without a calendar.
    follow_up_days
        How long the last customer is watched.
    follow_up
        "silence": until they convert or have been silent for so many days; "horizon": so many days from the start.
    r_squared
        Part of the variance known from before the test (CUPED).
    inflation
        Customers of this design over those of a test with one look.
    looks, bounds
        Group-sequential: information and boundary of z at each look.
    tau2
        Always valid: variance of the mixture.
    assurance
        Probability that the test finds a gain, averaged over what the prediction leaves open.
    guardrails
        What must not become worse.
    """

    fix_id: str
    title: str
    kind: str
    outcome: str
    audience: Audience
    metric: str
    baseline: float
    effect: float
    reach: float | None
    expected: Mapping[str, Any] | None
    predicted: tuple[float, float] | None
    power: float
    alpha: float
    method: Method
    n_control: int
    n_treatment: int
    n_per_week: float | None
    follow_up_days: float | None
    follow_up: FollowUp = "silence"
    r_squared: float = 0.0
    inflation: float = 1.0
    looks: tuple[float, ...] = ()
    bounds: tuple[float, ...] = ()
    tau2: float | None = None
    assurance: float | None = None
    guardrails: tuple[str, ...] = ()

    @property
    def n_per_arm(self) -> int:
        """Customers in the larger arm."""
        return max(self.n_control, self.n_treatment)

    @property
    def weeks(self) -> int | None:
        """Whole weeks until the last customer has come in; None in a log without a calendar."""
        if not self.n_per_week:
            return None
        return max(math.ceil((self.n_control + self.n_treatment) / self.n_per_week - 1e-9), 1)

    @property
    def variance(self) -> float:
        """Variance of the measured effect with all customers."""
        treated = self.baseline + self.effect
        both = (
            self.baseline * (1 - self.baseline) / self.n_control + treated * (1 - treated) / self.n_treatment
        )
        return both * left_over(self.r_squared)

    @property
    def boundaries(self) -> Boundaries | None:
        """Boundaries of a group-sequential test; None for the others."""
        return Boundaries(self.looks, self.bounds, (), self.alpha) if self.looks else None

    def detectable(self, weeks: float) -> float | None:
        """Smallest gain among those who meet the fix that so many weeks show; None if they show none.

        Raises
        ------
        NotEnoughDataError
            It is not known how many meet the fix in a week.
        """
        if not self.n_per_week or not weeks > 0:
            raise NotEnoughDataError(
                "it is not known how many meet the fix in that time.", hint="say weeks=4."
            )
        n, holdout = self.n_per_week * weeks, self.audience.holdout
        return detectable(
            self.baseline,
            n * holdout,
            n * (1 - holdout),
            power=self.power,
            alpha=self.alpha,
            r_squared=self.r_squared,
            inflation=self.inflation,
        )

    def chance(self, effect: float) -> float:
        """Probability that the test finds a gain, if the effect on those who meet the fix is `effect`."""
        if self.method == "fixed":
            return power_of(
                self.baseline,
                effect,
                self.n_control,
                self.n_treatment,
                alpha=self.alpha,
                r_squared=self.r_squared,
            )
        size = math.sqrt(self.variance)
        if self.boundaries is not None:
            return self.boundaries.power(effect / size)
        assert self.tau2 is not None
        return float(special.ndtr((effect - half_width(self.variance, self.tau2, alpha=self.alpha)) / size))

    def mean_chance(self, effect: float, sd: float) -> float:
        """`chance` averaged over a normal distribution of the effect (assurance: O'Hagan et al. 2005)."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
        found = np.array([self.chance(effect + sd * float(x)) for x in nodes])
        return float(weights @ found / weights.sum())

    def arms_for(self, effect: float) -> tuple[int, int]:
        """Customers in control and treatment that find another effect among those who meet the fix."""
        return sizes_of_arms(
            self.baseline,
            effect,
            power=self.power,
            alpha=self.alpha,
            holdout=self.audience.holdout,
            r_squared=self.r_squared,
            inflation=self.inflation,
        )

    @property
    def careful(self) -> dict[str, Any] | None:
        """What the plan comes to if a prediction comes true as far as is assumed before there are tests.

        None where no effect was predicted, or past tests are in it already.
        """
        if self.expected is None or self.predicted is None or self.reach is None:
            return None
        weaker = SLOPE * self.predicted[0] / self.reach
        if self.expected["estimate"] != self.predicted[0] or not 0 < weaker <= 1 - self.baseline:
            return None
        return {
            "share": SLOPE,
            "chance": self.chance(weaker),
            "n_per_arm": max(self.arms_for(weaker)),
        }

    @property
    def next_step(self) -> str:
        """What to do, in one sentence."""
        return next_step(self)

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values, with what a reader needs in words."""
        data = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            "schema_version": SCHEMA_VERSION,
            **{key: list(value) if isinstance(value, tuple) else value for key, value in data.items()},
            "audience": self.audience.to_dict(),
            "expected": None if self.expected is None else dict(self.expected),
            "population": self.audience.words,
            "mde": self.effect,
            "n_per_arm": self.n_per_arm,
            "weeks": self.weeks,
            "stopping_rule": stopping_rule(self),
            "sample_ratio": {"control": self.audience.holdout, "refused_below_p": 0.001},
            "careful": self.careful,
            "next_step": self.next_step,
        }

    def to_json(self) -> str:
        """The plan as JSON, the same bytes for the same plan."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ExperimentPlan:
        """The plan of plain values, as `to_dict` gives them.

        Raises
        ------
        SourceError
            Not a plan, or of another version.
        """
        version = data.get("schema_version") if hasattr(data, "get") else None
        if version != SCHEMA_VERSION:
            raise SourceError(
                f"the plan has schema_version {shown(version)}, expected {SCHEMA_VERSION}.",
                hint="write it with: journeymine experiment plan FIX --out plan.json",
            )
        names = [field.name for field in dataclasses.fields(cls)]
        if missing := [name for name in names if name not in data]:
            raise SourceError("the plan is not complete.", found=f"no {listed(missing)}")
        values: dict[str, Any] = {
            name: tuple(v) if isinstance(v := data[name], list) else v for name in names
        }
        values["audience"] = Audience.from_dict(data["audience"])
        return cls(**values)

    def __repr__(self) -> str:
        return plan_text(self)

    def _repr_html_(self) -> str:
        return plan_html(self)
