from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from journeymine.readers.csv_records import Shape, physical_lines, records, split_fields

COMMA = Shape(b",", b'"')


def read(text: bytes, shape: Shape = COMMA) -> list[tuple[bytes, ...] | None]:
    return [r.fields for r in records(physical_lines(io.BytesIO(text)), shape)]


def test_an_open_quote_spoils_its_own_line_only():
    assert read(b'1,a\n2,"x\n3,b\n4,"c"\n') == [(b"1", b"a"), None, (b"3", b"b"), (b"4", b"c")]
    assert read(b'1,"a\nb",c"\n') == [(b"1", b"a\nb", b'c"')]
    assert read(b'1,"never\nclosed\n') == [None, (b"closed",)]


def test_line_ends_of_every_kind():
    assert read(b"a,b\rc,d\r\ne,f\ng,h") == [(b"a", b"b"), (b"c", b"d"), (b"e", b"f"), (b"g", b"h")]
    assert read(b'"a\rb",c\r"d\r\ne",f') == [(b"a\rb", b"c"), (b"d\r\ne", b"f")]


def test_blanks_around_quotes():
    assert split_fields(b'1, "a,b" ,c', COMMA) == ((b"1", b"a,b", b"c"), False)
    assert split_fields(b",", COMMA) == ((b"", b""), False)
    assert read(b"a  b c\n", Shape(b"", b"")) == [(b"a", b"b", b"c")]


@given(
    st.lists(
        st.lists(st.text(st.sampled_from('a ,"\n\rb'), max_size=5), min_size=2, max_size=4),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_agrees_with_the_csv_module(table, line_end):
    text = "".join(",".join('"' + f.replace('"', '""') + '"' for f in row) + line_end for row in table)
    assert list(csv.reader(io.StringIO(text, newline=""))) == table
    assert [[f.decode() for f in fields or ()] for fields in read(text.encode())] == table
