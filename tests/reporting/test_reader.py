"""A number is read by its address and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeymine.reporting.reader import Reader, resolve

if TYPE_CHECKING:
    from types import ModuleType


def test_addresses() -> None:
    report = {"a": [{"b": {"c": 1}}, {"b": None}], "d": 0}
    assert resolve(report, "a[0].b.c") == 1
    assert resolve(report, "d") == 0
    assert resolve(report, "a[1].b.c") is None
    assert resolve(report, "a[7].b") is None
    assert resolve(report, "d.e") is None


def test_a_part_keeps_its_address(samples: ModuleType) -> None:
    fix = Reader(samples.sample(), "en").at("fixes[1]")
    shown = fix.share("drop.estimate")
    assert (str(shown), shown.value, shown.ref) == ("31%", 0.31, "fixes[1].drop.estimate")


def test_bounds_of_an_effect_share_their_decimals(samples: ModuleType) -> None:
    reader = Reader({"effect": {"estimate": 0.09, "lower": 0.004, "upper": 0.176}}, "en")
    assert [str(part) for part in reader.effect("effect")] == ["+9.0\u00a0pt", "+0.4", "+17.6"]


def test_missing_numbers_are_dashes_without_an_address() -> None:
    reader = Reader({"a": None}, "fr")
    assert reader.count("a") == "–"
    assert reader.count("a").ref is None
    assert reader.interval("a", "share") is None
    assert reader.effect("a")[1] == "–"
    assert reader.items("nothing") == []
