"""The lists of the report as flat tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def tables(data: dict[str, Any]) -> dict[str, pa.Table]:
    """The lists of the report as flat tables: an estimate becomes `x`, `x_lower`, `x_upper`, `x_n`."""
    import pyarrow as pa

    wanted = ("fixes", "transitions", "activities", "variants")
    return {
        stem: pa.Table.from_pylist([flat(row) for row in data[stem]], schema=_SCHEMAS[stem]())
        for stem in wanted
    }


def flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """One row with nested values as columns.

    Examples
    --------
    >>> flat({"n": 2, "share": {"estimate": 0.5, "lower": 0.1, "upper": 0.9, "n": 4}, "segment": {"column": "a"}})
    {'n': 2, 'share': 0.5, 'share_lower': 0.1, 'share_upper': 0.9, 'share_n': 4, 'segment_column': 'a'}
    """
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and "estimate" in value:
            out[name] = value["estimate"]
            out.update({f"{name}_{part}": value[part] for part in ("lower", "upper", "n")})
        elif isinstance(value, dict):
            out.update(flat(value, f"{name}_"))
        elif isinstance(value, list):
            out[name] = " > ".join(str(item) for item in value)
        else:
            out[name] = value
    return out


def _schema(
    texts: str = "", integers: str = "", floats: str = "", estimates: str = "", flags: str = ""
) -> pa.Schema:
    import pyarrow as pa

    fields = [(name, pa.string()) for name in texts.split()] + [
        (name, pa.int64()) for name in integers.split()
    ]
    fields += [(name, pa.float64()) for name in floats.split()] + [
        (name, pa.bool_()) for name in flags.split()
    ]
    for name in estimates.split():
        fields += [
            (name, pa.float64()),
            (f"{name}_lower", pa.float64()),
            (f"{name}_upper", pa.float64()),
            (f"{name}_n", pa.int64()),
        ]
    return pa.schema(fields)


_SCHEMAS = {
    "fixes": lambda: _schema(
        texts="id kind title label activity target to segment_column segment_value period_start period_end "
        "reference_kind evidence block flags tied_with next_step",
        integers="rank rank_lower rank_upper attempt reference_n audience_n plan_n_per_arm",
        floats="reference_value p_best share rho cost effort p_positive simultaneous_lower simultaneous_upper regret "
        "evsi rice_reach rice_impact rice_confidence rice_score e_value e_value_bound rho_break_even rho_zero "
        "shrinkage plan_mde plan_weeks",
        estimates="effect per_month money_per_month net_value reach drop exposure negative_control",
        flags="period_ongoing above_zero",
    ),
    "transitions": lambda: _schema(texts="source target", integers="n n_cases", estimates="share wait_s"),
    "activities": lambda: _schema(
        texts="name stage", integers="n n_cases", estimates="reach repeat drop conversion wait_s"
    ),
    "variants": lambda: _schema(
        texts="activities",
        integers="n end_states_converted end_states_dropped end_states_open",
        estimates="share",
    ),
}
