"""Process trees: text, canonical form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeymine.errors import OptionError
from journeymine.process.tree import (
    SILENT,
    activity,
    can_be_empty,
    exclusive,
    folded,
    loop,
    normalised,
    parallel,
    parse_tree,
    sequence,
)

a, b, c, d, e = (activity(name) for name in "abcde")


def interleaved(u, v):
    if not u or not v:
        return {u + v}
    return {(u[0], *w) for w in interleaved(u[1:], v)} | {(v[0], *w) for w in interleaved(u, v[1:])}


def language(tree, longest):
    """All words of a tree up to a length, by the definition of its operators."""

    def joined(one, two):
        return {u + v for u in one for v in two if len(u) + len(v) <= longest}

    def words(node, below):
        if node.operator in ("silent", "activity"):
            return {()} if node.operator == "silent" else {(node.activity,)}
        if node.operator == "exclusive":
            return set().union(*below)
        out = below[0]
        if node.operator == "loop":
            while (more := out | joined(joined(out, below[1]), below[0])) != out:
                out = more
            return out
        for part in below[1:]:
            if node.operator == "sequence":
                out = joined(out, part)
            else:
                out = {w for u in out for v in part if len(u) + len(v) <= longest for w in interleaved(u, v)}
        return out

    return folded(tree, words)


def trees(names):
    """Trees of some activities, each once, with silent steps anywhere."""
    leaf = st.just(SILENT) if not names else st.just(activity(names[0]))
    if len(names) <= 1:
        plain = leaf
    else:
        plain = st.integers(1, len(names) - 1).flatmap(
            lambda cut: st.tuples(
                st.sampled_from([sequence, exclusive, parallel, loop]),
                trees(names[:cut]),
                trees(names[cut:]),
            ).map(lambda drawn: drawn[0](drawn[1], drawn[2]))
        )
    wrap = st.sampled_from(
        [
            *[lambda tree: tree] * 5,
            lambda tree: exclusive(SILENT, tree),
            lambda tree: loop(tree, SILENT),
            lambda tree: loop(SILENT, tree),
            lambda tree: sequence(tree, SILENT),
        ]
    )
    return st.tuples(wrap, plain).map(lambda drawn: drawn[0](drawn[1]))


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4).flatmap(lambda n: trees("abcd"[:n])))
def test_the_canonical_form_keeps_the_language_and_is_a_fixed_point(tree):
    canonical = normalised(tree)
    assert language(canonical, 5) == language(tree, 5)
    assert normalised(canonical) == canonical
    assert sorted(canonical.activities) == sorted(tree.activities)
    assert can_be_empty(tree) == (() in language(tree, 5))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sequence(a, sequence(b, c)), sequence(sequence(a, b), c)),
        (exclusive(a, exclusive(c, b)), exclusive(b, a, c)),
        (parallel(b, parallel(c, a)), parallel(a, b, c)),
        (loop(loop(a, b), c), loop(a, exclusive(c, b))),
        (exclusive(SILENT, loop(SILENT, a)), loop(SILENT, a)),
        (exclusive(SILENT, loop(a, SILENT)), loop(SILENT, a)),
        (loop(exclusive(a, SILENT), SILENT), loop(SILENT, a)),
        (sequence(SILENT, a, SILENT), a),
        (parallel(a, SILENT), a),
        (exclusive(SILENT, exclusive(SILENT, a)), exclusive(a, SILENT)),
        (loop(SILENT, exclusive(a, loop(b, SILENT))), loop(SILENT, exclusive(b, a))),
        (loop(SILENT, SILENT), SILENT),
    ],
)
def test_equal_block_structures_are_equal(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sequence(a, b), sequence(b, a)),
        (loop(a, b), loop(b, a)),
        (loop(a, SILENT), loop(SILENT, a)),
        (exclusive(a, SILENT), a),
    ],
)
def test_different_languages_stay_different(one, other):
    assert normalised(one) != normalised(other)


NAMES = st.text(min_size=0, max_size=8) | st.sampled_from(
    [
        "tau",
        "τ",
        "'",
        '"',
        "\\",
        "\\'",
        "->( 'x' )",
        "a, b",
        "*",
        "line\nbreak",
        "=cmd()",
        "مرحبا",
        "🛒",
        " pad ",
    ]
)


@given(st.lists(NAMES, min_size=4, max_size=4, unique=True))
def test_text_is_read_back_whatever_the_names_are(names):
    w, x, y, z = (activity(name) for name in names)
    tree = sequence(w, loop(parallel(x, exclusive(y, SILENT)), SILENT), z)
    assert parse_tree(str(tree)) == tree


def test_other_spellings_are_read():
    tree = sequence(a, exclusive(b, SILENT), loop(parallel(c, d), e))
    assert parse_tree("""→('a',×("b",τ),⟲(∧('c','d'),'e'))""") == tree
    assert parse_tree("  'a' ") == a
    assert parse_tree("tau") == SILENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "->(",
        "->( 'a'",
        "->( 'a' 'b' )",
        "->( 'a', )",
        "'a', 'b'",
        "->()",
        "a",
        "O( 'a', 'b' )",
        "'a",
        "'a' )",
    ],
)
def test_unreadable_text_says_where_and_how(text):
    with pytest.raises(OptionError, match="process tree") as raised:
        parse_tree(text)
    assert "Hint" in str(raised.value)


@pytest.mark.parametrize("text", ["*( 'a' )", "->( 'x', *( 'a', 'b', 'c' ) )"])
def test_a_loop_has_two_children(text):
    with pytest.raises(OptionError, match="expected 2"):
        parse_tree(text)


def test_deep_trees_do_not_exhaust_the_stack():
    tree = a
    for at in range(1000):
        tree = sequence(tree, activity(f"s{at}")) if at % 2 else exclusive(tree, activity(f"x{at}"))
    assert len(tree.activities) == 1001
    assert normalised(parse_tree(str(tree))).activities
