"""Axes contain zero and all values, and end on round ticks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journeymine.draw.axis import axis_with_zero

VALUES = st.lists(
    st.floats(-100, 100, allow_subnormal=False).filter(lambda v: v == 0 or abs(v) > 1e-6), max_size=8
)


@given(VALUES)
def test_zero_and_all_values_lie_on_the_axis(values: list[float]) -> None:
    axis = axis_with_zero(values, 10, 110)
    assert axis.low <= min([0.0, *values]) + 1e-9
    assert axis.high >= max([0.0, *values]) - 1e-9
    assert 0.0 in axis.ticks
    assert 2 <= len(axis.ticks) <= 12
    assert all(10 <= axis.place(value) <= 110 for value in values)


@given(VALUES, st.floats(-100, 100), st.floats(-100, 100))
def test_places_are_monotone(values: list[float], one: float, other: float) -> None:
    axis = axis_with_zero(values, 0, 100)
    low, high = sorted((one, other))
    assert axis.place(low) <= axis.place(high)


@given(VALUES)
def test_ticks_are_written_exactly(values: list[float]) -> None:
    axis = axis_with_zero(values, 0, 100)
    assert len({f"{tick:.{axis.digits}f}" for tick in axis.ticks}) == len(axis.ticks)
    assert all(abs(float(f"{tick:.{axis.digits}f}") - tick) < 1e-9 for tick in axis.ticks)


def test_no_values() -> None:
    assert (
        axis_with_zero([], 0, 100).ticks[0] < 0 < axis_with_zero([float("nan"), float("inf")], 0, 1).ticks[-1]
    )
