"""How good predictions were: the result, in numbers and in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.markov.prediction.calibration import MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from journeymine.markov.prediction.calibration import Calibration
    from journeymine.uncertainty import Estimates

NEXT_MEASURES = ("accuracy", "top_3", "log_loss")
END_MEASURES = (*MEASURES, "skill")
"""`skill` is the Brier score's gain over the base rate, as a share of it (Brier skill score)."""
MUCH_UNDECIDED = 0.05
NEAR = 0.05
"""A slope this near to 1 is good enough to act on."""
NEAR_SHARE = 0.01
COIN = 0.5
"""What an AUC is when predictions tell nothing."""
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, eq=False)
class PredictionQuality:
    """How good predictions were, on visits after a time until which they were learnt.

    Attributes
    ----------
    cut_us
        That time, in microseconds since 1970.
    horizon_us
        Time within which the goal was to be reached; None: in the end.
    models
        "chain", the same "recalibrated" on what was known at the cut, and the baselines.
    ends
        END_MEASURES of the predicted conversion by model, shape (models, 6).
    steps
        NEXT_MEASURES of the predicted next step by model, shape (models, 3); nan where no next step was watched.
    groups
        Predicted and observed conversion by tenths of the chain's predictions.
    predicted
        Mean predicted conversion.
    observed
        Share that converted, with its interval.
    n_train, n_judged, n_steps
        Visits learnt from, judged by how their journey ended, and by what came next.
    n_customers, n_known
        Customers with a visit after the cut, and those of them who had one before.
    undecided
        Share of what was judged that takes longer to show than the log lasts; what is left out counts as this.
    n_unseen
        Visits judged to an activity that had not been seen before the cut; they were given the base rate.
    """

    cut_us: int
    horizon_us: int | None
    models: tuple[str, ...]
    ends: Estimates
    steps: Estimates
    groups: Calibration
    predicted: float
    observed: Estimates
    n_train: int
    n_judged: int
    n_steps: int
    n_customers: int
    n_known: int
    undecided: float
    n_unseen: int

    @property
    def table(self) -> pd.DataFrame:
        """One row a model, one column a measure (estimates only): conversion first, then the next step."""
        import pandas as pd

        ends = pd.DataFrame(self.ends.estimate, index=list(self.models), columns=list(END_MEASURES))
        steps = pd.DataFrame(
            self.steps.estimate, index=list(self.models), columns=[f"next_{name}" for name in NEXT_MEASURES]
        )
        return pd.concat([ends, steps], axis=1)

    @property
    def calibration(self) -> pd.DataFrame:
        """One row a tenth of the predictions: predicted, lowest, highest, observed, lower, upper, n."""
        import pandas as pd

        groups = self.groups
        return pd.DataFrame(
            {
                "predicted": groups.predicted,
                "lowest": groups.lowest,
                "highest": groups.highest,
                "observed": groups.observed.estimate,
                "lower": groups.observed.lower,
                "upper": groups.observed.upper,
                "n": groups.n,
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """One row a number: task, model, measure, estimate, lower, upper, n."""
        import pandas as pd

        rows = [
            {"task": task, "model": model, "measure": measure, **self._at(values, i, j)}
            for task, names, values in (
                ("conversion", END_MEASURES, self.ends),
                ("next step", NEXT_MEASURES, self.steps),
            )
            for i, model in enumerate(self.models)
            for j, measure in enumerate(names)
        ]
        return pd.DataFrame(rows)

    @staticmethod
    def _at(values: Estimates, i: int, j: int) -> dict[str, float | int]:
        return {name: getattr(values, name)[i, j].item() for name in ("estimate", "lower", "upper", "n")}

    def measure(self, name: str, model: str = "chain") -> dict[str, float | int] | None:
        """One number of the predicted conversion."""
        return self.ends.at((self.models.index(model), END_MEASURES.index(name)))

    @property
    def verdict(self) -> str:
        """In one word: "useless", "too_high", "too_low", "too_extreme", "too_timid" or "good"."""
        auc, slope = self.measure("auc"), self.measure("slope")
        if auc is None or slope is None or auc["lower"] <= COIN:
            return "useless"
        low, high = self.observed.lower.item(), self.observed.upper.item()
        off = self.predicted - self.observed.estimate.item()
        if abs(off) > NEAR_SHARE and not low <= self.predicted <= high:
            return "too_high" if off > 0 else "too_low"
        if slope["upper"] < 1 and slope["estimate"] < 1 - NEAR:
            return "too_extreme"
        if slope["lower"] > 1 and slope["estimate"] > 1 + NEAR:
            return "too_timid"
        return "good"

    @property
    def example(self) -> int:
        """Group that speaks for all: the middle one if predictions hold, else where they are furthest off."""
        groups = self.groups
        if self.verdict in ("good", "useless"):
            return int(np.argmin(np.abs(groups.predicted - self.predicted)))
        spread = np.maximum(groups.observed.upper - groups.observed.lower, 1e-12)
        return int(np.argmax(np.abs(groups.predicted - groups.observed.estimate) / spread))

    @property
    def sentence(self) -> str:
        """How far the predictions can be trusted, in one sentence."""
        i, groups = self.example, self.groups
        when = f" within {self.horizon_us / DAY_US:g} days" if self.horizon_us is not None else ""
        observed = groups.observed
        given, came, low, high = (
            _per_cent(part[i])
            for part in (groups.predicted, observed.estimate, observed.lower, observed.upper)
        )
        return (
            f"Of 100 visits given {given} %, {came} converted{when} (95 % interval {low} to {high}): "
            f"{_WORDS[self.verdict]}."
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What weakens the judgement."""
        out = []
        if self.undecided > MUCH_UNDECIDED:
            out.append(
                f"{self.undecided:.0%} of the journeys take longer to end than the log lasts after the cut: judged are "
                "those that end sooner."
            )
        if not self.n_steps:
            out.append("no visit after the cut was watched for idle, so next steps cannot be judged.")
        return tuple(out)

    def __repr__(self) -> str:
        lines = [f"PredictionQuality: {self.sentence}"]
        for name in ("slope", "auc", "skill"):
            value = self.measure(name)
            if value is not None:
                lines.append(f"{name} {value['estimate']:.3f} ({value['lower']:.3f} to {value['upper']:.3f})")
        lines.append(
            f"{self.n_judged:,} visits of {self.n_customers:,} customers, {self.n_known:,} of them known before"
        )
        return "\n".join([*lines, *self.warnings, "Next: .table, .calibration, .to_frame()"])


def _per_cent(share: float) -> str:
    """A share in hundredths, with a decimal where all or nothing would be wrong."""
    near = 0 < share < 0.01 or 0.99 < share < 1
    return f"{100 * share:.1f}" if near else f"{100 * share:.0f}"


_WORDS = {
    "useless": "predictions tell journeys apart no better than the base rate",
    "too_high": "predictions are too high",
    "too_low": "predictions are too low",
    "too_extreme": "predictions are too extreme",
    "too_timid": "predictions are too timid",
    "good": "predictions can be taken at their word",
}
