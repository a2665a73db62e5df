"""The dialect: hostile identifiers and values, and the hooks whose results other engines must reproduce."""

from __future__ import annotations

import hashlib
import math
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.engine.dialect import Dialect
from journeymine.engine.duckdb import DuckDBEngine
from journeymine.sql.transitions import BINS_PER_OCTAVE

D = Dialect()
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    return DuckDBEngine(threads=1)


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_any_text_survives_as_a_value(engine: DuckDBEngine, text: str) -> None:
    assert engine.fetch_table(f"SELECT {D.literal(text)} AS v").to_pylist() == [{"v": text}]


@given(TEXTS.filter(bool))
@settings(max_examples=60, deadline=None)
def test_any_text_survives_as_an_identifier(engine: DuckDBEngine, name: str) -> None:
    table = engine.fetch_table(f"SELECT t.{D.quote(name)} AS v FROM (SELECT 7 AS {D.quote(name)}) AS t")
    assert table.to_pylist() == [{"v": 7}]


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_bucket_is_sixty_bits_of_md5(engine: DuckDBEngine, text: str) -> None:
    got = engine.fetch(f"SELECT {D.bucket(D.literal(text), 200)} AS b")["b"][0]
    assert got == int(hashlib.md5(text.encode()).hexdigest()[:15], 16) % 200


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_median_is_the_mean_of_the_two_in_the_middle(engine: DuckDBEngine, values: list[int]) -> None:
    listed = ", ".join(f"(CAST({v} AS BIGINT))" for v in values)
    got = engine.fetch(f"SELECT {D.quantile('v', 0.5)} AS m FROM (VALUES {listed}) AS t(v)")["m"][0]
    assert got == median(values)


@given(st.lists(st.integers(0, 2**50), min_size=1, max_size=9), st.sampled_from([0.01, 0.5, 0.75, 0.95]))
@settings(max_examples=60, deadline=None)
def test_a_discrete_quantile_is_the_smallest_value_that_covers_the_share(
    engine: DuckDBEngine, values: list[int], share: float
) -> None:
    listed = ", ".join(f"(CAST({v} AS BIGINT))" for v in values)
    got = engine.fetch(f"SELECT {D.quantile_disc('v', share)} AS q FROM (VALUES {listed}) AS t(v)")["q"][0]
    assert got == next(v for v in sorted(values) if sum(x <= v for x in values) >= share * len(values))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_a_word_has_one_character_a_code(engine: DuckDBEngine, codes: list[int]) -> None:
    path = f"CAST([{', '.join(map(str, codes))}] AS INTEGER[])"
    got = engine.fetch_table(f"SELECT {D.word(path, lambda c: f'{c} + 65')} AS w").to_pylist()
    assert got == [{"w": "".join(chr(code + 65) for code in codes)}]


@pytest.mark.parametrize(("regex", "found"), [("b", True), ("^b", False), ("o'", True), ("[^a-z]$", False)])
def test_a_regular_expression_is_searched_for(engine: DuckDBEngine, regex: str, found: bool) -> None:
    text = D.literal("abo'x")
    assert engine.fetch_table(f"SELECT {D.matches(text, regex)} AS m").to_pylist() == [{"m": found}]


@pytest.mark.parametrize("value", [0, 1, 2, 3, 1000, 3_600_000_000, 86_400_000_000, 10**15])
def test_a_bin_holds_its_value(engine: DuckDBEngine, value: int) -> None:
    got = int(engine.fetch(f"SELECT {D.log2_bin(str(value), BINS_PER_OCTAVE)} AS b")["b"][0])
    assert got == math.floor(BINS_PER_OCTAVE * math.log2(value + 1))
    assert 2 ** (got / BINS_PER_OCTAVE) - 1 <= value * (1 + 1e-12)
    assert value < 2 ** ((got + 1) / BINS_PER_OCTAVE) - 1


@pytest.mark.parametrize("n_codes", [None, 10, 2**31 - 1])
def test_an_ordered_path_follows_the_position(engine: DuckDBEngine, n_codes: int | None) -> None:
    path = D.ordered_path("c", "p", n_codes)
    sql = f"SELECT {path} AS path FROM (VALUES (7, 3), (8, 1), (9, 1000000), (8, 2)) AS t(c, p)"
    assert engine.fetch_table(sql).to_pydict() == {"path": [[8, 8, 7, 9]]}


@given(st.integers(0, 10**18), st.integers(1, 10**12))
@settings(max_examples=40, deadline=None)
def test_integer_division_rounds_down(engine: DuckDBEngine, a: int, b: int) -> None:
    assert engine.fetch(f"SELECT {D.floor_div(str(a), str(b))} AS q")["q"][0] == a // b
