"""The numbers of docs/explanation/fixes.md, worked out again with plain linear algebra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "explanation" / "fixes.md"
# Rows Visit, Form, Pay; columns Visit, Form, Pay, Conv, Drop (design note, section 6).
P = np.array([[0.20, 0.50, 0.00, 0.05, 0.25], [0.10, 0.00, 0.60, 0.00, 0.30], [0.00, 0.15, 0.10, 0.55, 0.20]])
VISIT, FORM, PAY, CONV, DROP = range(5)


def conversion(p: np.ndarray) -> float:
    """Chance of the goal from the first state."""
    k = len(p)
    return float(np.linalg.solve(np.eye(k) - p[:, :k], p[:, k])[0])


def with_drop(p: np.ndarray, state: int, drop: float) -> np.ndarray:
    """Another drop-out share; what is freed goes to the other exits in proportion."""
    out = p.copy()
    out[state, :-1] *= (1 - drop) / (1 - p[state, -1])
    out[state, -1] = drop
    return out


def removed(p: np.ndarray, state: int, rho: float) -> np.ndarray:
    """Nobody comes to the state any more: its drop-outs are rescued with the factor rho, the others go where it led."""
    row = p[state].copy()
    row[state] = 0.0
    row /= row.sum()
    drop = row[-1]
    onward = np.append(row[:-1] / (1 - drop), 0.0)
    instead = (1 - drop + rho * drop) * onward
    instead[-1] += (1 - rho) * drop
    out = p.copy()
    out[:, state] = 0.0
    made: np.ndarray = out + p[:, [state]] * instead
    return made


def examples() -> dict[str, float]:
    """Every number of the page, by what it is called there."""
    base = conversion(P)
    form, pay = with_drop(P, FORM, 0.15), with_drop(P, PAY, 0.10)
    waits = np.array([2.0, 4.0, 6.0])
    ratio = float((0.92 ** (waits / 2)).mean() / (0.92**waits).mean())
    to_pay = P.copy()
    to_pay[FORM, [VISIT, PAY]] += (-0.02, 0.02)
    to_null = P.copy()
    to_null[FORM] = (0, 0, 0, 0, 1)
    # Pay in two attempts: columns Visit, Form, Pay #1, Pay #2+, Conv, Drop.
    attempts = np.array([[.20, .50, 0, 0, .05, .25], [.10, 0, .60, 0, 0, .30], [0, .15, 0, .20, .50, .15],
                         [0, .15, 0, .20, .20, .45]])  # fmt: skip
    return {
        "base": base,
        "form halved": conversion(form) - base,
        "pay halved": conversion(pay) - base,
        "both": conversion(with_drop(form, PAY, 0.10)) - base,
        "sum": conversion(form) + conversion(pay) - 2 * base,
        **{f"removed {rho}": conversion(removed(P, FORM, rho)) for rho in (0.0, 0.5, 0.8, 1.0)},
        "left without form": conversion(to_null),
        "removal effect": 1 - conversion(to_null) / base,
        "wait ratio": ratio,
        "wait": conversion(with_drop(P, FORM, 1 - 0.70 * ratio)) - base,
        "attempts base": conversion(attempts),
        "loop": conversion(with_drop(attempts, 3, 0.15)) - conversion(attempts),
        "switch": conversion(with_drop(P, FORM, 0.20)) - base,
        "reroute": conversion(to_pay) - base,
        "incident": conversion(with_drop(P, PAY, 0.16)) - base,
    }


@pytest.mark.parametrize("name", examples())
def test_the_page_shows_the_number(name: str) -> None:
    value = examples()[name]
    text = DOCS.read_text(encoding="utf-8")
    shown = {f"{value:.6f}", f"{value:+.6f}", f"{value:.4f}"}
    assert any(number in text for number in shown), (name, shown)


def test_the_numbers_are_those_of_the_design_note() -> None:
    found = examples()
    expected = {"base": 0.340796, "form halved": 0.074295, "pay halved": 0.043959, "both": 0.131862, "sum": 0.118254,
                "removed 0.0": 0.340796, "removed 0.5": 0.415091, "removed 0.8": 0.462845, "removed 1.0": 0.496124,
                "left without form": 0.0625}  # fmt: skip
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=5e-7)


def test_stopping_a_loop_of_first_order_changes_nothing() -> None:
    stopped = P.copy()
    stopped[PAY, PAY] = 0.0
    stopped[PAY] /= stopped[PAY].sum()
    assert conversion(stopped) == pytest.approx(conversion(P), abs=1e-12)
