from __future__ import annotations

import datetime as dt
import gzip

import pytest

from journeymine.errors import DataError
from journeymine.readers import open_raw
from journeymine.readers.xes_parse import BATCH_EVENTS

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="x"/>
<global scope="event"><string key="concept:name" value="DEFAULT"/></global>
<classifier name="A" keys="concept:name"/>
<string key="creator" value="me"><string key="nested" value="x"/></string>
"""


def log(body: str, head: str = HEAD) -> bytes:
    return (head + body + "</log>").encode()


def event(name: str, when: str = "2024-01-01T10:00:00+01:00", more: str = "") -> str:
    date = f'<date key="time:timestamp" value="{when}"/>'
    return f'<event><string key="concept:name" value="{name}"/>{date}{more}</event>'


def write(tmp_path, data: bytes, name: str = "log.xes"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_events_attributes_and_types(tmp_path, engine, rows):
    body = (
        '<trace><string key="concept:name" value="007"/><int key="age" value="5"/>'
        + event("a &lt;b&gt; &quot;", more='<float key="f" value="1.5"/><boolean key="ok" value="true"/>')
        + event(
            "b", "2024-01-01T10:00:00.5Z", '<list key="l"><values><int key="i" value="1"/></values></list>'
        )
        + '</trace><trace><string key="concept:name" value="NA"/><int key="age" value="6"/>'
        + event("a", more='<int key="f" value="2"/><id key="u" value="x"/>')
        + "</trace>"
    )
    raw = open_raw(engine, write(tmp_path, log(body)))
    utc = dt.UTC
    assert dict(raw.types) == {
        "case:concept:name": "VARCHAR",
        "case:age": "BIGINT",
        "concept:name": "VARCHAR",
        "time:timestamp": "TIMESTAMP WITH TIME ZONE",
        "f": "DOUBLE",
        "ok": "BOOLEAN",
        "u": "VARCHAR",
    }
    nine = dt.datetime(2024, 1, 1, 9, tzinfo=utc)
    assert rows(raw) == [
        ("007", 5, 'a <b> "', nine, 1.5, True, None),
        ("007", 5, "b", dt.datetime(2024, 1, 1, 10, 0, 0, 500000, tzinfo=utc), None, None, None),
        ("NA", 6, "a", nine, 2.0, None, "x"),
    ]
    assert dict(raw.roles) == {
        "case_id": "case:concept:name",
        "activity": "concept:name",
        "timestamp": "time:timestamp",
    }
    assert "lists_ignored" in raw.detected


def test_values_that_do_not_fit_their_type_stay_text(tmp_path, engine, rows):
    body = (
        '<trace><string key="concept:name" value="1"/>'
        '<event><int key="id" value="007"/><date key="d" value="2024-01-01T10:00:00"/>'
        '<float key="f" value="much"/></event>'
        '<event><int key="id" value="8"/><date key="d" value="soon"/><boolean key="b" value="maybe"/></event></trace>'
    )
    raw = open_raw(engine, write(tmp_path, log(body)))
    assert set(raw.types.values()) == {"VARCHAR"}
    assert rows(raw)[0][1:] == ("007", "2024-01-01T10:00:00", "much", None)
    assert set(raw.roles) == {"case_id"}


def test_names_ids_and_prefixes(tmp_path, engine, rows):
    body = (
        "<x:trace>" + event("a").replace("<", "<x:").replace("<x:/", "</x:") + "</x:trace>"
        '<x:trace><x:string key="concept:name" value="empty"/></x:trace>'
        '<x:trace><x:event><x:string key="CASE:x" value="1"/><x:string key="Concept:Name" value="2"/></x:event>'
        '<x:string key="x" value="late"/></x:trace>'
    )
    data = f'<x:log xmlns:x="http://www.xes-standard.org/">{body}</x:log>'.encode()
    raw = open_raw(
        engine,
        [write(tmp_path, data, "a.xes"), write(tmp_path, log(f"<trace>{event('z')}</trace>"), "b.xes")],
    )
    assert raw.columns == (
        "case:concept:name",
        "concept:name",
        "time:timestamp",
        "CASE:x",
        "Concept:Name_2",
        "case:x_2",
    )
    found = rows(raw)
    assert [r[0] for r in found] == ["trace 1", "trace 3", "trace 4"]
    assert found[1][3:] == ("1", "2", "late")
    assert raw.detected["traces_without_name"].startswith("3 ")
    assert raw.detected["traces_without_events"].startswith("1 ")


def test_many_batches_keep_the_order(tmp_path, engine):
    n = BATCH_EVENTS + 1000
    body = "".join(
        f'<trace><string key="concept:name" value="{i}"/><event><int key="n" value="{i}"/>'
        + ('<string key="new" value="x"/>' if i > BATCH_EVENTS else "")
        + "</event></trace>"
        for i in range(n)
    )
    raw = open_raw(engine, write(tmp_path, gzip.compress(log(body), 1), "log.xes.gz"))
    found = engine.fetch(
        f"SELECT bool_and(n = __jm_row) AS ok, COUNT(new) AS k, COUNT(*) AS n FROM {raw.table}"
    )
    assert (bool(found["ok"][0]), int(found["k"][0]), int(found["n"][0])) == (True, n - BATCH_EVENTS - 1, n)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><log><trace><string key="concept:name" value="&c;"/></trace></log>'
)
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]><log><trace>&x;</trace></log>'
PARAMETER = '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><log></log>'


@pytest.mark.parametrize("text", [BOMB, EXTERNAL, PARAMETER])
def test_entities_are_refused(tmp_path, engine, text):
    with pytest.raises(DataError, match="entities"):
        open_raw(engine, write(tmp_path, text.encode()))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (log("<trace>" + event("a") + "</trace>")[:-20], "truncated"),
        (log("<trace>" + event("a") + "</trace>")[:-200], "truncated"),
        (b"<log><trace></log>", "damaged XML"),
        (b"<bpmn><trace/></bpmn>", "root element <bpmn>"),
        (b"<log></log>", "no data rows"),
        (log('<trace><string key="concept:name" value="1"/></trace>'), "no data rows"),
        (b"<?xml version='1.0'?>plain", "not an event log"),
    ],
)
def test_broken_files(tmp_path, engine, data, words):
    with pytest.raises(DataError, match=words):
        open_raw(engine, write(tmp_path, data))


@pytest.mark.reference
@pytest.mark.parametrize(
    ("name", "n_rows", "n_cases", "n_activities"),
    [
        ("receipt/receipt.xes.gz", 8577, 1434, 27),
        ("helpdesk/Helpdesk_full_italian.xes.gz", 21348, 4580, 14),
        ("sepsis/Sepsis_Cases-Event_Log.xes.gz", 15214, 1050, 16),
        ("teleclaims/teleclaims.xes.gz", 46138, 3512, 11),
    ],
)
def test_the_real_logs(reference_data, engine, name, n_rows, n_cases, n_activities):
    raw = open_raw(engine, reference_data / name)
    found = engine.fetch(
        f'SELECT COUNT(*) AS n, COUNT(DISTINCT "case:concept:name") AS c, COUNT(DISTINCT "concept:name") AS a, '
        f'COUNT("time:timestamp") AS t FROM {raw.table}'
    )
    assert [int(found[k][0]) for k in "ncat"] == [n_rows, n_cases, n_activities, n_rows]
    assert raw.n_rows == n_rows
    assert raw.types["time:timestamp"] == "TIMESTAMP WITH TIME ZONE"
    if "sepsis" in name:
        na = engine.fetch(f"SELECT COUNT(*) AS n FROM {raw.table} WHERE \"case:concept:name\" = 'NA'")
        assert int(na["n"][0]) == 24
    if "teleclaims" in name:
        kinds = engine.fetch(
            f'SELECT "lifecycle:transition" AS k, COUNT(*) AS n FROM {raw.table} GROUP BY k ORDER BY k'
        )
        assert dict(zip(kinds["k"], kinds["n"].tolist(), strict=True)) == {"complete": 24825, "start": 21313}
