"""A report dict with the shape of the contract: a sign-in fault on mobile and a payment incident."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

Report = dict[str, Any]

STEPS: tuple[tuple[str, str | None, int, float, float, float, float, float], ...] = (
    # name, stage, visits, reach, repeat, drop, conversion, wait
    ("Organic search", "Discover", 19800, 0.381, 0.031, 0.312, 0.071, 48.0),
    ("Paid search ad", "Discover", 13420, 0.262, 0.0, 0.41, 0.052, 31.0),
    ("Newsletter click", "Discover", 6110, 0.121, 0.012, 0.22, 0.143, 66.0),
    ("Landing page", "Evaluate", 21870, 0.394, 0.094, 0.337, 0.061, 71.0),
    ("Category page", "Evaluate", 24230, 0.371, 0.186, 0.182, 0.094, 94.0),
    ("Product page", "Evaluate", 39411, 0.538, 0.244, 0.296, 0.121, 118.0),
    ("Store visit", "Evaluate", 2240, 0.044, 0.0, 0.26, 0.197, 176400.0),
    ("Basket", "Buy", 13204, 0.239, 0.071, 0.284, 0.336, 142.0),
    ("Account sign-in", "Buy", 9921, 0.152, 0.138, 0.247, 0.512, 84.0),
    ("Delivery choice", "Buy", 7180, 0.131, 0.018, 0.141, 0.664, 67.0),
    ("Payment", "Buy", 6644, 0.117, 0.064, 0.112, 0.804, 61.0),
    ("Payment declined", "Buy", 512, 0.009, 0.021, 0.463, 0.331, 548.0),
    ("Order", "Buy", 4655, 0.0966, 0.0, 0.0, 1.0, 187200.0),
    ("Delivery late", "Receive", 590, 0.012, 0.0, 0.0, 1.0, 187200.0),
    ("Call centre", "Receive", 402, 0.008, 0.11, 0.54, 0.212, 25200.0),
    ("Refund paid", "Receive", 471, 0.0098, 0.0, 0.0, 1.0, 691200.0),
)

MOVES: tuple[tuple[str, str, int], ...] = (
    ("Organic search", "Organic search", 610),
    ("Organic search", "Landing page", 6480),
    ("Organic search", "Product page", 5400),
    ("Organic search", "Category page", 1130),
    ("Paid search ad", "Landing page", 6210),
    ("Paid search ad", "Product page", 1710),
    ("Newsletter click", "Product page", 3330),
    ("Newsletter click", "Landing page", 1360),
    ("Newsletter click", "Newsletter click", 73),
    ("Landing page", "Landing page", 2050),
    ("Landing page", "Category page", 7930),
    ("Landing page", "Product page", 4520),
    ("Category page", "Category page", 4510),
    ("Category page", "Product page", 13480),
    ("Category page", "Store visit", 1830),
    ("Product page", "Product page", 9620),
    ("Product page", "Category page", 4160),
    ("Product page", "Basket", 13010),
    ("Product page", "Store visit", 950),
    ("Store visit", "Product page", 890),
    ("Store visit", "Order", 330),
    ("Store visit", "Basket", 430),
    ("Basket", "Basket", 940),
    ("Basket", "Product page", 1470),
    ("Basket", "Account sign-in", 7040),
    ("Account sign-in", "Account sign-in", 1370),
    ("Account sign-in", "Delivery choice", 6060),
    ("Account sign-in", "Basket", 41),
    ("Delivery choice", "Delivery choice", 130),
    ("Delivery choice", "Payment", 6040),
    ("Payment", "Payment", 425),
    ("Payment", "Order", 4970),
    ("Payment", "Payment declined", 505),
    ("Payment declined", "Payment", 160),
    ("Payment declined", "Call centre", 104),
    ("Order", "Delivery late", 590),
    ("Order", "Call centre", 210),
    ("Order", "Product page", 330),
    ("Delivery late", "Call centre", 88),
    ("Delivery late", "Refund paid", 211),
    ("Call centre", "Call centre", 44),
    ("Call centre", "Refund paid", 130),
)


def est(estimate: float, n: int, half: float | None = None) -> Report:
    """An estimate with an interval that looks like one of a share."""
    width = half if half is not None else 1.96 * (max(estimate * (1 - estimate), 1e-6) / max(n, 1)) ** 0.5
    round9 = lambda value: float(f"{value:.9g}")  # noqa: E731
    lower, upper = estimate - width, estimate + width
    if half is None:
        lower, upper = max(lower, 0.0), min(upper, 1.0)
    return {"estimate": round9(estimate), "lower": round9(lower), "upper": round9(upper), "n": n}


def _activities() -> list[Report]:
    out = []
    for name, stage, n, reach, repeat, drop, conversion, wait in STEPS:
        after_goal = name in {"Order", "Delivery late", "Refund paid"}
        out.append(
            {
                "name": name,
                "stage": stage.lower() if stage else None,
                "n": n,
                "n_cases": round(reach * 48210),
                "reach": est(reach, 48210),
                "repeat": est(repeat, n),
                "drop": None if after_goal else est(drop, n),
                "conversion": None if after_goal else est(conversion, n),
                "wait_s": est(wait, n, wait * 0.06),
            }
        )
    return out


def _transitions() -> list[Report]:
    departures: dict[str, int] = {}
    for source, _, n in MOVES:
        departures[source] = departures.get(source, 0) + n
    return [
        {
            "source": source,
            "target": target,
            "n": n,
            "n_cases": n,
            "share": est(n / departures[source], departures[source]),
            "wait_s": est(95.0, n, 6.0),
        }
        for source, target, n in sorted(MOVES)
    ]


def _variants() -> list[Report]:
    rows = (
        (("Paid search ad", "Landing page"), 3520, 0, 3240, 280),
        (("Organic search", "Product page"), 2459, 0, 2204, 255),
        (("Organic search", "Landing page", "Category page", "Product page"), 1398, 0, 1251, 147),
        (("Organic search", "Product page", "Product page", "Product page", "Basket"), 1012, 0, 911, 101),
        (("Organic search", "Product page", "Basket", "Account sign-in"), 579, 0, 521, 58),
        (
            (
                "Paid search ad",
                "Landing page",
                "Category page",
                "Product page",
                "Basket",
                "Account sign-in",
                "Delivery choice",
                "Payment",
                "Order",
            ),
            530,
            530,
            0,
            0,
        ),
        (("Newsletter click", "Product page", "Basket", "Account sign-in"), 402, 0, 371, 31),
        (
            (
                "Newsletter click",
                "Product page",
                "Basket",
                "Account sign-in",
                "Account sign-in",
                "Delivery choice",
                "Payment",
                "Order",
                "Delivery late",
            ),
            337,
            337,
            0,
            0,
        ),
        (("Category page",), 290, 0, 260, 30),
        (
            ("Organic search", "Product page", "Category page", "Product page", "Store visit", "Order"),
            121,
            121,
            0,
            0,
        ),
        (("Product page", "Basket", "Account sign-in", "Payment", "Payment declined"), 96, 0, 90, 6),
        (("Newsletter click",), 90, 0, 80, 10),
    )
    return [
        {
            "activities": list(steps),
            "n": n,
            "share": est(n / 48210, 48210),
            "end_states": {"converted": goal, "dropped": left, "open": still},
        }
        for steps, n, goal, left, still in rows
    ]


def _fix(
    rank: int, activity: str, effect: tuple[float, float, float], drop: float, n: int, **rest: Any
) -> Report:
    estimate, lower, upper = effect
    per_month = 48210 / 5.95
    fix: Report = {
        "id": f"drop_off:{activity}",
        "kind": "drop_off",
        "activity": activity,
        "attempt": None,
        "segment": None,
        "period": None,
        "reference": {"kind": "assumed", "value": float(f"{drop * 0.8:.9g}"), "n": n},
        "drop": est(drop, n),
        "title": "",
        "effect": {"estimate": estimate, "lower": lower, "upper": upper, "n": 48210},
        "per_month": {
            "estimate": float(f"{estimate * per_month:.9g}"),
            "lower": float(f"{lower * per_month:.9g}"),
            "upper": float(f"{upper * per_month:.9g}"),
            "n": 48210,
        },
        "money_per_month": None,
        "reach": est(n / 48210, 48210),
        "p_best": 0.0,
        "rank": rank,
        "rank_lower": rank,
        "rank_upper": rank + 1,
        "evidence": "association",
        "audience": {"n": round(drop * n)},
        "block": "assumed",
        "next_step": "",
    }
    fix.update(rest)
    return fix


def _fixes() -> list[Report]:
    return [
        _fix(
            1,
            "Account sign-in",
            (0.0074, 0.0049, 0.0099),
            0.312,
            4799,
            id="drop_off:Account sign-in:platform=mobile",
            segment={"column": "platform", "value": "mobile"},
            reference={"kind": "segment", "value": 0.121, "n": 4010},
            block="found",
            p_best=0.97,
            rank_upper=1,
        ),
        _fix(
            2,
            "Payment",
            (0.0021, 0.0011, 0.0031),
            0.31,
            702,
            id="drop_off:Payment:2026-03-02",
            period={"start": "2026-03-02T00:00:00Z", "end": "2026-03-16T00:00:00Z", "ongoing": False},
            reference={"kind": "period", "value": 0.088, "n": 5942},
            block="found",
            p_best=0.03,
            rank_lower=2,
        ),
        _fix(
            3,
            "Delivery choice",
            (0.0012, -0.0003, 0.0027),
            0.177,
            910,
            id="drop_off:Delivery choice:country=FR",
            segment={"column": "country", "value": "FR"},
            reference={"kind": "segment", "value": 0.136, "n": 6270},
            block="found",
            rank_lower=2,
            rank_upper=3,
        ),
        _fix(4, "Product page", (0.0071, 0.0066, 0.0076), 0.296, 39411),
        _fix(5, "Basket", (0.0062, 0.0057, 0.0067), 0.284, 13204),
        _fix(6, "Account sign-in", (0.0049, 0.0045, 0.0053), 0.247, 9921),
        _fix(7, "Landing page", (0.0039, 0.0036, 0.0042), 0.337, 21870),
        _fix(8, "Payment", (0.0024, 0.0021, 0.0027), 0.112, 6644),
        _fix(9, "Delivery choice", (0.0022, 0.002, 0.0024), 0.141, 7180),
        _fix(10, "Payment declined", (0.0009, 0.0007, 0.0011), 0.463, 512),
    ]


def _log() -> Report:
    return {
        "n_events": 204881,
        "n_cases": 48210,
        "n_customers": 39874,
        "n_activities": len(STEPS),
        "n_variants": 4118,
        "first": "2026-01-01T00:04:12Z",
        "last": "2026-06-30T23:58:41Z",
        "clock": "calendar",
        "timezone": "UTC",
        "end_states": {
            "converted": {"n": 4655, "share": est(4655 / 48210, 48210)},
            "dropped": {"n": 38102, "share": est(38102 / 48210, 48210)},
            "open": {"n": 5453, "share": est(5453 / 48210, 48210)},
        },
        "idle": {
            "seconds": 2592000,
            "chosen": "given",
            "rule": "",
            "half": {"converted": 0.0965567, "dropped": 0.834, "open": 0.0694433},
            "double": {"converted": 0.0965567, "dropped": 0.701, "open": 0.2024433},
        },
        "goal": ["Order"],
        "end": [],
        "start": [],
    }


def _ledger() -> Report:
    return {
        "rows_read": 204903,
        "rows_kept": 204881,
        "rejected": [
            {"rule": "missing_time", "n": 22, "examples": ["case 10021, Basket", "case 40417, Payment"]}
        ],
        "noted": [
            {
                "rule": "exact_duplicates",
                "n": 127,
                "examples": ["case 113, Product page, 2026-01-04 10:11:02"],
            },
            {"rule": "naive_times", "n": 204881, "examples": ["2026-01-01 00:04:12"]},
        ],
        "ties": {
            "n_tied_pairs": 214,
            "decided_by": {"order_column": 0, "file_order": 214, "activity_name": 0},
        },
    }


def _outlook() -> Report:
    """What is still to come at each step, and a chain that platforms share badly."""
    chances = {name: (n, conversion) for name, _, n, _, _, _, conversion, _ in STEPS}
    names = [name for name in chances if name not in {"Order", "Delivery late", "Refund paid"}]
    whole = (
        "conversion",
        "drop_out",
        "remaining_steps",
        "remaining_seconds",
        "steps_to_goal",
        "seconds_to_goal",
    )
    amounts = {
        "remaining_steps": 4.2, "remaining_seconds": 9e4, "steps_to_goal": 6.1, "seconds_to_goal": 1.8e5,
    }  # fmt: skip

    def parts(n: int, conversion: float) -> Report:
        found: Report = {key: est(amounts[key], n, 0.04 * amounts[key]) for key in whole[2:]}
        return found | {
            "conversion": est(conversion, n), "drop_out": est(1 - conversion, n), "remaining_value": None,
        }  # fmt: skip

    check = {
        "by": "period", "n_groups": 6, "statistic": 41.5, "df": 12.3, "p_value": 2e-5, "reason": None, "worst": [],
    }  # fmt: skip
    worst = {
        "state": "Account sign-in", "part": 0.91, "group": "mobile", "at_start": False, "target": None,
        "end": "dropped", "share": 0.31, "usual": 0.25, "n": 4799,
    }  # fmt: skip
    memory = {
        **worst,
        "state": "Payment",
        "group": "Payment declined",
        "target": "Payment declined",
        "end": None,
    }
    row = {"n_contexts": 13, "n_parameters": 28, "log_likelihood": -9e4, "bic": 2e5, "aic": 1.9e5}
    orders = [
        {**row, "order": order, "heldout_per_journey": est(-11.0 + bits, 48210, 0.2),
         "bits": None if order in {0, None} else bits,
         "p_value": None if order in {0, None} else 1e-7, "chosen": order == 1}
        for order, bits in ((0, 0.0), (1, 1.2), (2, 0.001), (3, 0.0004), (None, 0.1))
    ]  # fmt: skip
    return {
        "start": parts(44380, 0.1087),
        "outcomes": [
            {
                "state": name, "n": chances[name][0], "visits": est(0.4, 48210), "visits_given_goal": est(0.7, 4655),
                **parts(*chances[name]),
            }
            for name in names
        ],
        "settled": [{"state": "Call centre", "outcome": "lost", **est(0.012, 402)}],
        "turning_points": [
            {
                "source": "Payment", "target": "Payment declined", "change": est(-0.473, 512, 0.04),
                "before": est(0.804, 6644), "after": est(0.331, 512),
            },
            {
                "source": "Basket", "target": "Account sign-in", "change": est(0.176, 9921, 0.01),
                "before": est(0.336, 13204), "after": est(0.512, 9921),
            },
        ],
        "time_to_goal": [
            {
                "horizon_days": days, **est(share, 44380), "dropped": est(0.2, 44380), "under_way": est(0.3, 44380),
                "by_chain": est(share - 0.02, 44380), "apart": days == 7.0,
            }
            for days, share in ((1.0, 0.04), (7.0, 0.09))
        ],
        "median_seconds_to_goal": {"estimate": 7e4, "lower": 6.5e4, "upper": None, "n": 44380},
        "checks": [
            {**check, "name": "first_order", "by": "previous", "n_groups": 14, "effect": est(0.035, 90000, 0.005),
             "verdict": "matters", "consequence": "attempts", "worst": [memory]},
            {**check, "name": "homogeneity", "by": "platform", "n_groups": 2, "effect": est(0.037, 90000, 0.004),
             "verdict": "matters", "consequence": "segments", "worst": [worst]},
            {**check, "name": "homogeneity", "by": "country", "effect": est(0.009, 90000, 0.006),
             "verdict": "small", "consequence": "none"},
            {**check, "name": "stationarity", "statistic": None, "df": None, "p_value": None, "n_groups": 0,
             "effect": None, "verdict": "not_available", "consequence": "none", "reason": "no_calendar"},
        ],
        "order": {"chosen": 1, "reason": "negligible", "n_journeys": 48210, "table": orders},
    }  # fmt: skip


def _personas() -> Report:
    """Three kinds of customers: those who look, those who buy, those whose card is refused."""

    def mark(
        kind: str, source: str | None, target: str | None, share: float, others: float, **rest: Any
    ) -> Report:
        lift = est(share / max(others, 1e-4), 9000, 0.05 * share / max(others, 1e-4))
        found = {
            "kind": kind,
            "source": source,
            "target": target,
            "end": None,
            "share": share,
            "others": others,
        }
        return {**found, "lift": lift, "q_value": 1e-4, **rest}

    def persona(
        number: int, size: float, conversion: float, path: list[str], end: str, marks: list[Report]
    ) -> Report:
        return {
            "number": number, "size": est(size, 48210), "conversion": est(conversion, round(size * 48210)),
            "events": est(5.1, 48210, 0.2), "path": path, "path_end": end, "path_share": est(0.11, 48210),
            "marks": marks, "segments": [],
        }  # fmt: skip

    mobile = {
        "column": "platform", "value": "mobile", "share": 0.61, "others": 0.4, "lift": est(1.5, 9000, 0.1),
        "q_value": 1e-5,
    }  # fmt: skip
    looking = persona(
        1, 0.6, 0.01, ["Organic search", "Product page"], "dropped",
        [mark("state", "Product page", None, 2.4, 0.7), mark("state", "Basket", None, 0.02, 0.6),
         mark("move", "Product page", None, 0.4, 0.1, end="dropped")],
    )  # fmt: skip
    buying = persona(
        2, 0.35, 0.31, ["Newsletter click", "Product page", "Basket", "Account sign-in", "Payment"], "goal",
        [mark("start", None, "Newsletter click", 0.5, 0.0), mark("move", "Basket", "Account sign-in", 0.8, 0.4),
         mark("move", "Payment", None, 0.9, 0.6, end="goal")],
    )  # fmt: skip
    refused = persona(
        3, 0.05, 0.12, ["Basket", "Payment", "Payment declined", "Payment declined"], "dropped",
        [mark("state", "Payment declined", None, 1.7, 0.02), mark("move", "Payment", "Payment", 0.3, 0.1)],
    )  # fmt: skip
    row = {"log_likelihood": -1e5, "n_parameters": 39, "aic": 2e5, "bic": 2.1e5}
    return {
        "n_classes": 3, "criterion": "bic", "member": "customer", "n_members": 39874, "n_journeys": 48210,
        "stability": est(0.93, 39874, 0.03), "separation": est(0.8, 39874, 0.02), "warnings": [],
        "tried": [{**row, "n_classes": k, "chosen": k == 3} for k in (1, 2, 3, 4)],
        "list": [looking, {**buying, "segments": [mobile]}, refused],
    }  # fmt: skip


def sample() -> Report:
    """The shop story."""
    states = [name for name, *_ in STEPS if name not in {"Order", "Delivery late", "Refund paid"}]
    report: Report = {
        "schema_version": 1,
        "title": "Demo shop",
        "provenance": {
            "engine": "duckdb",
            "package_version": "0.1.0",
            "seed": 0,
            "lang": "en",
            "settings": {"journey": {"goal": ["Order"], "idle": "30d", "segments": ["platform", "country"]}},
        },
        "log": _log(),
        "ledger": _ledger(),
        "activities": _activities(),
        "transitions": _transitions(),
        "variants": _variants(),
        "variants_rest": {"n_variants": 4106, "n": 37376},
        "conversion": est(0.1087, 44380, 0.0029),
        "chain": {
            "states": states,
            "n_folded": 0,
            "attempts": 1,
            "n_visits": 171244,
            "n_visits_open": 15402,
            "visits": [est(1.0, 48210) for _ in states],
            "events_to_goal": est(8.4, 4655, 0.11),
            "seconds_to_goal": est(181440.0, 4655, 6000.0),
            "sensitivity": [],
            **_outlook(),
        },
        "personas": _personas(),
        "tests": {
            "n_tested": 48,
            "n_kept": 3,
            "level": 0.05,
            "method": "",
            "rows": [],
        },
        "fixes": _fixes(),
        "stages": [
            {
                "id": name.lower(),
                "name": name,
                "owner": None,
                "activities": [s[0] for s in STEPS if s[1] == name],
            }
            for name in ("Discover", "Evaluate", "Buy", "Receive")
        ],
        "findings": [],
        "quality": [],
        "warnings": [],
    }
    return deepcopy({**report, **mined()})


MINED = (
    "variety",
    "patterns",
    "map",
    "model",
    "funnel",
    "friction",
    "friction_score",
    "friction_tests",
    "conformance",
    "differences",
    "occupation",
    "prediction",
)


@cache
def mined() -> Report:
    """What is found on the paths of a small shop: too much to be written by hand."""
    import journeymine as jm
    from journeymine.spec import Stage

    log = jm.read_log(
        jm.simulate.shop(200, seed=3).events,
        case_id="journey_id",
        customer_id="customer_id",
        activity="activity",
        timestamp="timestamp",
        channel="channel",
    ).journeys("Order placed", idle="21d", segments=["platform", "country"])
    stages = (
        Stage(id="discover", name="Discover", activities=("Landing page", "Home page", "Search")),
        Stage(id="buy", name="Buy", activities=("Basket", "Account sign-in", "Payment")),
    )
    data = jm.report(replace(log, stages=stages)).data
    return {key: data[key] for key in MINED}


HOSTILE_NAMES = {
    "Organic search": "</script><img src=x onerror=alert(1)>",
    "Paid search ad": "\"double\" & 'single' <b>bold</b>",
    "Newsletter click": "a name of eighty characters that goes on and on until somebody stops it at the end",
    "Landing page": "صفحة الوصول",
    "Category page": "👩‍👩‍👧‍👦 family \u202e reversed",
    "Product page": "line\nbreak\ttab\x00nul",
    "Store visit": "",
    "Basket": "=cmd()|' /C calc'!A0",
    "Account sign-in": "{{ 7*7 }}{% raw %} {activity} %s",
    "Delivery choice": "x" * 10_000,
    "Payment": "日本語のとても長いアクティビティ名",
    "Payment declined": "select",
    "Order": "]]></style><style>*{display:none}",
    "Call centre": "50% # off ; http://example.org/a?b=c",
}


def hostile() -> Report:
    """The same report with names that try to break the page."""
    return rename(sample(), HOSTILE_NAMES) | {"title": "<script>alert('title')</script>\nتقرير"}


def rename(value: Any, names: dict[str, str]) -> Any:
    """Put other names everywhere an activity, a segment or a stage is named."""
    others = {
        "platform": 'at "order" <select>',
        "mobile": "(missing) </td>",
        "Buy": "<h1>Buy</h1>",
        "buy": "b u'y\"",
        "Evaluate": "",
    }
    table = names | others
    if isinstance(value, dict):
        return {key: item if key == "kind" else rename(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [rename(item, names) for item in value]
    return table.get(value, value) if isinstance(value, str) else value


def without_goal() -> Report:
    """A log that is only described."""
    report = sample()
    report["log"].update(end_states=None, idle=None, goal=[])
    report.update(conversion=None, chain=None, personas=None, fixes=[], stages=[])
    report["tests"] = {"n_tested": 0, "n_kept": 0, "level": 0.05, "method": "", "rows": []}
    for row in report["activities"]:
        row.update(drop=None, conversion=None, stage=None)
    for row in report["variants"]:
        row["end_states"] = None
    return report


def end_with(report: Report, converted: int, dropped: int, still_open: int) -> Report:
    """Change how the journeys of a report end."""
    total = converted + dropped + still_open
    counts = {"converted": converted, "dropped": dropped, "open": still_open}
    report["log"]["n_cases"] = total
    report["log"]["end_states"] = {
        key: {"n": n, "share": est(n / max(total, 1), total)} for key, n in counts.items()
    }
    known = converted + dropped
    report["conversion"] = est(converted / known, known) if known else None
    return report


def six_cases() -> Report:
    """Six journeys, no time."""
    report = end_with(sample(), 3, 3, 0)
    report["log"].update(
        n_customers=6, n_events=42, first=None, last=None, clock="none", idle=None, n_variants=6
    )
    report["activities"] = report["activities"][:3]
    for row in report["activities"]:
        row["wait_s"] = None
    names = {row["name"] for row in report["activities"]}
    report["transitions"] = [t for t in report["transitions"] if {t["source"], t["target"]} <= names]
    report["variants"] = [v | {"n": 1} for v in report["variants"][:6]]
    report["variants_rest"] = {"n_variants": 0, "n": 0}
    report["fixes"] = [_fix(1, "Landing page", (0.1, 0.0, 0.2), 0.3, 6) | {"per_month": None}]
    report["stages"] = []
    return report
