from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from journeymine.readers import LedgerEntry, open_raw
from journeymine.readers.raw import MAX_EXAMPLES, Rejects, unique_names


@given(st.lists(st.text(st.sampled_from("aAbé_23 "), max_size=4), min_size=1, max_size=8))
def test_names_are_distinct_without_regard_to_case(names):
    unique, renamed = unique_names(names)
    assert len({name.casefold() for name in unique}) == len(names)
    assert all(unique)
    assert len(renamed) == sum(a != b for a, b in zip(names, unique, strict=True))
    assert unique_names(unique) == (unique, {})


@given(st.lists(st.text(max_size=3), max_size=30), st.randoms())
def test_examples_do_not_depend_on_the_order(lines, random):
    shuffled = random.sample(lines, len(lines))
    entries = []
    for order in (lines, shuffled):
        rejects = Rejects()
        for line in order:
            rejects.add(line)
        entries.append(rejects.entries())
    assert entries[0] == entries[1]
    smallest = tuple(sorted(set(lines))[:MAX_EXAMPLES])
    assert entries[0] == ((LedgerEntry("unreadable_row", len(lines), smallest),) if lines else ())


def test_the_source_never_shows_in_a_log(engine, tmp_path):
    path = tmp_path / "secret place.csv"
    path.write_text("id,a\n1,2\n")
    raw = open_raw(engine, path)
    assert "secret" not in repr(raw)
    assert open_raw(engine, pd.DataFrame({"id": [1], "a": [2]})).table != raw.table
