"""What past tests make of the effects of a ranking: predictions are calibrated, measurements are shrunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from journeymine.fixes.experiments.calibrated_draws import calibrated_draws
from journeymine.fixes.experiments.calibration import Calibration, calibrate, usual_size
from journeymine.fixes.experiments.line_grid import tail_scales

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from journeymine.fixes.experiments.past import PastTest

    Floats = NDArray[np.float64]


def posterior(
    mean: float, sd: float, calibration: Calibration, tested: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Mean and standard deviation of the true effect of a fix.

    Not tested: mean a + b m, variance b^2 s^2 + t^2 (m^2 + s^2), and what is not known of a and b. Tested: that and the
    measurement, weighted by their precision, so that a lucky measurement is drawn back too (winner's curse).

    Parameters
    ----------
    mean, sd
        Predicted effect and its standard deviation.
    calibration
        Learnt from other tests: that of the fix itself must not be among them, or it would count twice.
    tested
        Measured effect and its standard error.

    Examples
    --------
    A measurement that is as precise as what was known before meets it half-way:

    >>> from journeymine.fixes.experiments.past import PastTest
    >>> line = calibrate([PastTest.of("other", 0.01, 0.002, 0.006, 0.002)])
    >>> before, size = posterior(0.02, 0.004, line)
    >>> after, smaller = posterior(0.02, 0.004, line, tested=(0.0, size))
    >>> round(after / before, 6), round((smaller / size) ** 2, 6)
    (0.5, 0.5)
    """
    line = calibration.moments
    middle = line.offset + line.slope * mean
    # E[b^2] s^2 + Var(a + b m): the prediction's own error, and the line's.
    known = (line.slope**2 + line.slope_var) * sd**2
    known += line.offset_var + 2 * mean * line.covariance + mean**2 * line.slope_var
    scale, weight = tail_scales(calibration.tails)
    variance = known + line.spread_var(mean, sd) * scale
    if tested is None:
        return middle, float(np.sqrt(weight @ variance))
    measured, error = tested
    total = variance + error**2
    # With fat tails a surprising measurement makes a wide prior likelier, and is drawn back less.
    weight = weight * np.exp(-0.5 * (measured - middle) ** 2 / total) / np.sqrt(total)
    weight = weight / weight.sum()
    means = (middle * error**2 + measured * variance) / total
    centre = float(weight @ means)
    return centre, float(np.sqrt(weight @ (variance * error**2 / total + (means - centre) ** 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Recalibrated:
    """Effects after the past tests.

    Attributes
    ----------
    effect, draws
        As they came, if there is no past test; else posterior means, shape (n_fixes,), and draws (n_draws, n_fixes).
    sd
        Standard deviations, shape (n_fixes,).
    tested
        Whether each fix was tested itself: its evidence is "experiment".
    calibration
        The line for all kinds; None without past tests: nothing was changed then.
    """

    effect: Floats
    draws: Floats
    sd: Floats
    tested: tuple[bool, ...]
    calibration: Calibration | None


def recalibrated(
    effect: Floats,
    draws: Floats,
    kinds: Sequence[str],
    ids: Sequence[str],
    past: Sequence[PastTest],
    *,
    tails: float | None = None,
) -> Recalibrated:
    """Bring predicted effects to what past tests say.

    Each fix gets its posterior mean and standard deviation. The draws keep what fixes have in common: the customers
    behind their predictions, and the line (`calibrated_draws`). Without past tests that say anything nothing changes.

    Parameters
    ----------
    effect, draws
        Predicted effects, shape (n_fixes,), and bootstrap draws, shape (n_draws, n_fixes).
    kinds, ids
        Kind and id of each fix.
    past
        Past tests of the same outcome.
    """
    usable = [test for test in past if test.usable]
    sd = draws.std(axis=0, ddof=1) if len(draws) > 1 else np.zeros(len(effect))
    known = {test.fix_id for test in usable}
    if not any(test.informative for test in usable):
        return Recalibrated(effect, draws, sd, tuple(False for _ in ids), None)
    lines = lines_of(kinds, ids, usable, tails=tails)
    measured = [_pooled([test for test in usable if test.fix_id == name]) for name in ids]
    found = [
        posterior(m, s, line, y)
        for m, s, line, y in zip(effect.tolist(), sd.tolist(), lines, measured, strict=True)
    ]
    new, size = (np.array(values) for values in zip(*found, strict=True))
    after = calibrated_draws(effect, draws, lines, kinds, ids, measured, (new, size))
    return Recalibrated(new, after, size, tuple(i in known for i in ids), calibrate(usable, tails=tails))


def posteriors(
    mean: Sequence[float],
    sd: Sequence[float],
    kinds: Sequence[str],
    ids: Sequence[str],
    past: Sequence[PastTest],
    *,
    tails: float | None = None,
) -> list[tuple[float, float]]:
    """Posterior mean and standard deviation of each fix."""
    lines = lines_of(kinds, ids, past, tails=tails)
    return [
        posterior(m, s, line, _pooled([test for test in past if test.fix_id == name]))
        for m, s, line, name in zip(mean, sd, lines, ids, strict=True)
    ]


def lines_of(
    kinds: Sequence[str], ids: Sequence[str], past: Sequence[PastTest], *, tails: float | None = None
) -> list[Calibration]:
    """The line of each fix: a fix that was tested does not calibrate itself.

    Where the only tests are those of the fix itself, its slope is the assumption alone.
    """
    lines: dict[tuple[str, str | None], Calibration] = {}
    known = {test.fix_id for test in past}
    unit = usual_size(past)
    found = []
    for kind, name in zip(kinds, ids, strict=True):
        key = (kind, name if name in known else None)
        if key not in lines:
            others = [test for test in past if test.fix_id != key[1]]
            lines[key] = calibrate(others, kind, unit=unit, tails=tails)
        found.append(lines[key])
    return found


def _pooled(tests: Sequence[PastTest]) -> tuple[float, float] | None:
    """All measurements of a fix as one, weighted by precision."""
    if not tests:
        return None
    weight = np.array([test.measured_sd**-2 for test in tests])
    values = np.array([test.measured for test in tests])
    return float(weight @ values / weight.sum()), float(weight.sum() ** -0.5)
