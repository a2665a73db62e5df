"""Ridge regressions on counted rows: the nuisance models of an adjusted comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse, special

from journeymine.errors import ConvergenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Design = sparse.csr_array | Floats

RIDGE = 0.5
"""Penalty of every coefficient but the first: a normal prior with variance 2 on the log-odds. It keeps coefficients
of rare columns finite and costs a column of a hundred rows about 3 % of its size."""
MOST_STEPS = 60
TOLERANCE = 1e-6
"""Log-likelihood that may be left on the table."""


def fit_logistic(
    design: Design, wins: Floats, trials: Floats, *, ridge: float = RIDGE, start: Floats | None = None
) -> Floats:
    """Coefficients of a ridge logistic regression by Newton's method.

    Parameters
    ----------
    design
        Rows with their covariates, shape (m, p), best as a sparse array; the first column is the intercept and is
        not penalised.
    wins, trials
        Successes and trials of each row, shape (m,); need not be whole.
    start
        Coefficients to begin from, shape (p,).

    Returns
    -------
    coefficients
        Shape (p,).

    Raises
    ------
    ConvergenceError
        The iteration did not settle.

    Examples
    --------
    Without a penalty, and one covariate of two values, the shares are fitted exactly:

    >>> design = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> beta = fit_logistic(design, np.array([20.0, 60.0]), np.array([100.0, 100.0]), ridge=0.0)
    >>> special.expit(design @ beta).round(6).tolist()
    [0.2, 0.6]
    """
    design = sparse.csr_array(design)
    penalty: Floats = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    beta: Floats = np.zeros(design.shape[1]) if start is None else start
    total = trials.sum()
    if start is None:
        beta[0] = special.logit((wins.sum() + 0.5) / (total + 1.0))
    loss = _loss(design, wins, trials, penalty, beta)
    for _ in range(MOST_STEPS):
        share = special.expit(design @ beta)
        gradient = design.T @ (wins - trials * share) - penalty * beta
        curvature = _squares(design, trials * share * (1 - share)) + np.diag(penalty)
        # Where one outcome is all there is the intercept has no finite optimum: a trace keeps it solvable.
        curvature[0, 0] += 1e-9 * total + 1e-12
        step: Floats = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
        beta, new = _shortened(design, wins, trials, penalty, beta, step, loss)
        # The decrement is twice what is still to be gained.
        if gradient @ step <= TOLERANCE:
            return beta
        loss = new
    raise ConvergenceError(
        "the regression of an exposure did not settle.", hint="leave out segments with few customers."
    )


def _squares(design: sparse.csr_array, weight: Floats) -> Floats:
    """Sum over rows of weight times the products of their columns, dense, shape (p, p)."""
    scaled = sparse.csr_array(
        (design.data * np.repeat(weight, np.diff(design.indptr)), design.indices, design.indptr), design.shape
    )
    return np.asarray((scaled.T @ design).toarray())


def _loss(design: sparse.csr_array, wins: Floats, trials: Floats, penalty: Floats, beta: Floats) -> float:
    at = design @ beta
    return float((trials * np.logaddexp(0, at) - wins * at).sum() + 0.5 * (penalty * beta**2).sum())


def _shortened(
    design: sparse.csr_array,
    wins: Floats,
    trials: Floats,
    penalty: Floats,
    beta: Floats,
    step: Floats,
    loss: float,
) -> tuple[Floats, float]:
    """The step, halved until it makes nothing worse."""
    for _ in range(30):
        new = _loss(design, wins, trials, penalty, beta + step)
        if new <= loss + 1e-9 * (1 + abs(loss)):
            return beta + step, new
        step = step / 2
    return beta, loss


def fit_linear(
    design: Design, sums: Floats, trials: Floats, *, ridge: float = RIDGE, start: Floats | None = None
) -> Floats:
    """Coefficients of a ridge regression of means: `sums` of the outcome over `trials` rows of one kind.

    It is solved at once: `start` is not needed.

    Examples
    --------
    >>> design = np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> fit_linear(design, np.array([30.0, 50.0]), np.array([10.0, 10.0]), ridge=0.0).round(6).tolist()
    [3.0, 2.0]
    """
    del start
    design = sparse.csr_array(design)
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-9
    return np.asarray(np.linalg.solve(_squares(design, trials) + np.diag(penalty), design.T @ sums))
