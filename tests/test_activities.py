"""Activity names: rules in their order, codes in the order of code points, blank names without a code."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymine.activities import NameRules, code_names


def test_without_rules_names_stay_as_they_are() -> None:
    for name in ("Visit", " visit ", "NA", "null", "007", "a\nb", "</script>", "😀"):
        assert NameRules().apply(name) == name


def test_patterns_come_first_then_renaming_then_grouping() -> None:
    rules = NameRules(
        clean=((r"\?.*$", ""), (r"/\d+", "/<id>")),
        rename={"/basket/<id>": "Basket"},
        group={"Shop": ("Basket", "/shelf")},
    )
    assert rules.apply("/basket/17?ref=mail") == "Shop"
    assert rules.apply("/shelf") == "Shop"
    assert rules.apply("/item/3") == "/item/<id>"
    # What a group is called is not renamed again, and a group does not feed another.
    assert NameRules(rename={"a": "b"}, group={"a": ("c",), "d": ("a",)}).apply("c") == "a"


def test_patterns_are_applied_in_their_order() -> None:
    assert NameRules(clean=(("a", "b"), ("b", "c"))).apply("ab") == "cc"
    assert NameRules(clean=(("b", "c"), ("a", "b"))).apply("ab") == "bc"


def test_a_replacement_may_use_groups_of_its_pattern() -> None:
    assert NameRules(clean=((r"(\w+) \((\w+)\)", r"\2: \1"),)).apply("sign-in (web)") == "sign-web: in"


def test_codes_follow_code_points_whatever_the_order_of_the_names() -> None:
    names = ["b", "a", "B", "é", "Z", "10", "2", "😀"]
    expected = ("10", "2", "B", "Z", "a", "b", "é", "😀")
    for some in (names, names[::-1]):
        activities, code = code_names(some, NameRules())
        assert activities == expected
        assert code == {name: i for i, name in enumerate(expected)}


def test_names_that_become_one_share_a_code() -> None:
    activities, code = code_names(["/a/1", "/a/2", "/b"], NameRules(clean=((r"/\d+", ""),)))
    assert activities == ("/a", "/b")
    assert code == {"/a/1": 0, "/a/2": 0, "/b": 1}


@pytest.mark.parametrize("blank", ["", " ", "   ", "\t", "\n", "\u00a0"])
def test_blank_names_have_no_code(blank: str) -> None:
    assert code_names([blank, "x"], NameRules()) == (("x",), {"x": 0})
    assert code_names(["drop me", "x"], NameRules(clean=(("drop me", blank),))) == (("x",), {"x": 0})


@given(
    st.lists(st.text(min_size=1, max_size=4), max_size=8), st.sampled_from(["", "[a-z]+", r"\d", "^.", " "])
)
def test_every_name_that_is_left_has_the_code_of_its_activity(names: list[str], pattern: str) -> None:
    rules = NameRules(clean=((pattern, ""),)) if pattern else NameRules()
    activities, code = code_names(names, rules)
    assert list(activities) == sorted(set(activities))
    for name in names:
        left = re.sub(pattern, "", name) if pattern else name
        assert (name in code) == bool(left.strip())
        if name in code:
            assert activities[code[name]] == left
