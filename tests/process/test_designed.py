from __future__ import annotations

from pathlib import Path

import pytest

from journeymine.errors import NotEnoughDataError, OptionError, SourceError
from journeymine.process.alignment import align
from journeymine.process.designed import designed_journey
from journeymine.process.tree import activity, parse_tree, sequence
from journeymine.spec import Stage

LOG = ("Basket", "Coupon", "Help", "Pay", "Really?", "Ship")


def test_a_list_is_a_sequence_with_marks():
    found = designed_journey(["Basket", "Coupon?", "Pay+", "Ship*"], (), LOG)
    assert str(found.tree) == "->( 'Basket', X( 'Coupon', tau ), *( 'Pay', tau ), *( tau, 'Ship' ) )"
    assert found.source == "list"
    assert found.optional == ("Coupon", "Ship")
    assert found.ignored == ("Help", "Really?")
    assert dict(found.step_of) == {name: name for name in ("Basket", "Coupon", "Pay", "Ship")}


def test_a_name_that_ends_in_a_mark_is_taken_as_it_is():
    assert str(designed_journey(["Really?"], (), LOG).tree) == "->( 'Really?' )"
    assert str(designed_journey(["Really??"], (), LOG).tree) == "->( X( 'Really?', tau ) )"


def test_a_step_may_stand_in_the_list_twice():
    found = designed_journey(["Basket", "Pay", "Basket"], (), LOG)
    assert align(found.tree, ["Basket", "Pay", "Basket"]).cost == 0
    assert found.steps == ("Basket", "Pay")


def test_the_text_of_a_tree_and_a_tree():
    text = "->( 'Basket', X( 'Coupon', tau ), 'Pay' )"
    found = designed_journey(text, (), LOG)
    assert found.tree == parse_tree(text)
    assert found.source == "tree"
    assert designed_journey((text,), (), LOG) == found
    assert designed_journey(parse_tree(text), (), LOG) == found
    with pytest.raises(OptionError, match="process tree"):
        designed_journey("->( 'Basket', ", (), LOG)


def test_a_file(tmp_path):
    from journeymine.process.model_files import ptml_text

    path = tmp_path / "design.ptml"
    path.write_text(ptml_text(parse_tree("->( 'Basket', X( 'Gift wrap', tau ), 'Pay' )")), encoding="utf-8")
    found = designed_journey(str(path), (), LOG)
    # What is drawn may never have happened.
    assert (found.source, found.missing) == ("file", ("Gift wrap",))
    assert designed_journey(path, (), LOG) == found
    path.write_text(ptml_text(parse_tree("->( 'Baskte', 'Pay' )")), encoding="utf-8")
    with pytest.raises(OptionError, match="did you mean 'Basket'"):
        designed_journey(path, (), LOG)
    path.write_text(ptml_text(parse_tree("->( 'x', 'y' )")), encoding="utf-8")
    with pytest.raises(OptionError, match="'x' is not an activity of the log"):
        designed_journey(path, (), LOG)
    with pytest.raises(SourceError, match="cannot be read"):
        designed_journey(Path("nowhere.bpmn"), (), LOG)


def test_misspelt_activities_are_named():
    with pytest.raises(OptionError, match="expected 'Baskte' is not an activity of the log") as error:
        designed_journey(["Baskte", "Pay"], (), LOG)
    assert error.value.hint == "did you mean 'Basket'?"
    with pytest.raises(OptionError, match="'Refund'"):
        designed_journey("->( 'Basket', 'Refund' )", (), LOG)
    with pytest.raises(OptionError, match="has no activity"):
        designed_journey(parse_tree("->( tau, tau )"), (), LOG)


STAGES = (
    Stage(id="look", name="Look", activities=("Help", "Basket")),
    Stage(id="buy", name="Buy", activities=("Coupon", "Pay")),
    Stage(id="get", name="Get", activities=("Ship", "Never seen")),
    Stage(id="talk", name="Talk", activities=("Not there",)),
)


def test_stages_are_visited_in_order_and_may_be_left_out():
    found = designed_journey(None, STAGES, LOG)
    assert str(found.tree) == "->( X( 'Look', tau ), X( 'Buy', tau ), X( 'Get', tau ), X( 'Talk', tau ) )"
    assert found.by_visit
    assert dict(found.step_of)["Coupon"] == "Buy"
    assert (found.ignored, found.missing) == (("Really?",), ("Talk",))
    required = designed_journey((), STAGES, LOG, required=["buy"])
    assert required.required == ("Buy",)
    assert "'Buy', X( 'Get', tau )" in str(required.tree)
    with pytest.raises(OptionError, match="'bye' is not a stage"):
        designed_journey(None, STAGES, LOG, required=["bye"])


def test_stages_of_one_name_are_told_apart_by_their_id():
    stages = (
        Stage(id="one", name="Shop", activities=("Basket",)),
        Stage(id="two", name="Shop", activities=("Pay",)),
    )
    assert designed_journey(None, stages, LOG).steps == ("one", "two")


def test_unexpected_activities_are_ignored_or_counted():
    found = designed_journey(["Basket", "Pay"], (), LOG, unexpected="count")
    assert found.ignored == ()
    assert dict(found.step_of)["Help"] == "Help"
    stages = (Stage(id="help", name="Help", activities=("Basket",)),)
    assert dict(designed_journey(None, stages, LOG, unexpected="count").step_of)["Help"] == "(Help)"
    with pytest.raises(OptionError, match="unexpected is 'drop'"):
        designed_journey(["Basket"], (), LOG, unexpected="drop")  # type: ignore[arg-type]


def test_without_a_design():
    with pytest.raises(NotEnoughDataError, match="no designed journey"):
        designed_journey(None, (), LOG)
    with pytest.raises(NotEnoughDataError, match="no activity of a stage"):
        designed_journey(None, STAGES[3:], LOG)


def test_hostile_names():
    names = ("it's", "<script>", "a\nb", "=1+1", "🛒", "مرحبا", "NA", "->", "*", "?", "X( 'a', tau )")
    found = designed_journey(list(names), (), names)
    assert found.tree == sequence(*(activity(name) for name in names))
    assert len(repr(found).splitlines()) <= 12
