"""`PastTest`: what was predicted of a fix, and what its test measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from journeymine.errors import OptionError, shown
from journeymine.fixes.experiments.results import UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journeymine.fixes.experiments.plan import ExperimentPlan
    from journeymine.fixes.experiments.results import ExperimentResult


@dataclass(frozen=True, slots=True)
class PastTest:
    """A test that was read back.

    Attributes
    ----------
    experiment, fix_id, kind, outcome
        Which test, of which fix, ranked by what.
    predicted, predicted_sd
        Predicted effect over all starts when the test was planned, and its standard deviation.
    measured, measured_sd
        Measured effect over all starts, and its standard error.
    flags
        What is wrong with it; with "sample_ratio", "baseline" or "few" it is kept and not used.
    date
        As the user gave it; no number depends on it.
    plan, result
        Both in full, as plain values.
    """

    experiment: str
    fix_id: str
    kind: str
    outcome: str
    predicted: float
    predicted_sd: float
    measured: float
    measured_sd: float
    flags: tuple[str, ...] = ()
    date: str | None = None
    plan: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("predicted", "predicted_sd", "measured", "measured_sd"):
            value = getattr(self, name)
            good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not good or (name.endswith("_sd") and value < 0) or (name == "measured_sd" and value == 0):
                raise OptionError(
                    f"{name} of test {shown(self.experiment)} is {shown(value)}, expected a number."
                )

    @property
    def usable(self) -> bool:
        """Whether calibration may learn from it."""
        return UNUSABLE.isdisjoint(self.flags)

    @property
    def informative(self) -> bool:
        """Whether it says anything of the slope: it is usable, and an effect was predicted."""
        return self.usable and self.predicted != 0

    @classmethod
    def of(
        cls,
        fix_id: str,
        predicted: float,
        predicted_sd: float,
        measured: float,
        measured_sd: float,
        *,
        kind: str = "drop_off",
    ) -> PastTest:
        """A test known by its numbers alone."""
        return cls(fix_id, fix_id, kind, "conversion", predicted, predicted_sd, measured, measured_sd)

    @classmethod
    def from_result(
        cls, plan: ExperimentPlan, result: ExperimentResult, *, date: str | None = None
    ) -> PastTest:
        """The test of a plan and its result.

        Raises
        ------
        OptionError
            The plan has no prediction, or does not know which share of all starts meets the fix.
        """
        if plan.predicted is None or result.effect is None or result.effect_sd is None:
            raise OptionError(
                f"the plan of {shown(plan.fix_id)} has no prediction to compare with.",
                hint="plan a fix of the ranking: journeymine experiment plan FIX",
            )
        return cls(
            experiment=plan.audience.experiment,
            fix_id=plan.fix_id,
            kind=plan.kind,
            outcome=plan.outcome,
            predicted=plan.predicted[0],
            predicted_sd=plan.predicted[1],
            measured=float(result.effect.estimate),
            measured_sd=result.effect_sd,
            flags=result.flags,
            date=date,
            plan=plan.to_dict(),
            result=result.to_dict(),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**found, "flags": list(self.flags)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PastTest:
        """The test of plain values, as `to_dict` gives them; keys that are not known are left out."""
        names = [field.name for field in fields(cls)]
        return cls(
            **{**{name: data[name] for name in names if name in data}, "flags": tuple(data.get("flags", ()))}
        )
