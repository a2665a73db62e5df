from __future__ import annotations

import pandas as pd
import pytest

from journeymine.errors import LogSchemaError
from journeymine.readers import open_raw
from journeymine.readers.guess import guess_roles

REAL = [
    (
        "running_example/running-example.csv",
        {
            "case_id": "case:concept:name",
            "activity": "concept:name",
            "timestamp": "time:timestamp",
            "value": "Costs",
            "goal": ("pay compensation",),
        },
    ),
    (
        "receipt/receipt.xes.gz",
        {
            "case_id": "case:concept:name",
            "activity": "concept:name",
            "timestamp": "time:timestamp",
            "channel": "case:channel",
        },
    ),
    (
        "helpdesk/Helpdesk_full_italian.xes.gz",
        {"case_id": "case:concept:name", "activity": "concept:name", "timestamp": "time:timestamp"},
    ),
    (
        "helpdesk/helpdesk_tax_encoded.csv",
        {"case_id": "CaseID", "activity": "ActivityID", "timestamp": "CompleteTimestamp"},
    ),
    (
        "sepsis/Sepsis_Cases-Event_Log.xes.gz",
        {
            "case_id": "case:concept:name",
            "activity": "concept:name",
            "timestamp": "time:timestamp",
            "goal": ("Release A", "Release B", "Release C"),
        },
    ),
    (
        "teleclaims/teleclaims.xes.gz",
        {
            "case_id": "case:concept:name",
            "activity": "concept:name",
            "timestamp": "time:timestamp",
            "segments": ("call centre",),
        },
    ),
    (
        "eventdataR/patients.csv.gz",
        {"case_id": "patient", "activity": "handling", "timestamp": "time", "order": ".order"},
    ),
    (
        "greps_journeys/greps_journeys.csv",
        {"case_id": "journey", "activity": "output_event", "order": "step", "goal": ("positive",)},
    ),
    (
        "sparkify_log_data_small/*.json",
        {
            "customer_id": "userId",
            "case_id": "sessionId",
            "activity": "page",
            "timestamp": "ts",
            "order": "itemInSession",
        },
    ),
    ("cdnow/CDNOW_master.txt", {"customer_id": "customer_id", "timestamp": "date", "value": "dollar_value"}),
]
ONE_COLUMN = ("case_id", "customer_id", "activity", "timestamp", "end_timestamp", "order", "channel", "value")


@pytest.mark.reference
@pytest.mark.parametrize(("name", "expected"), REAL)
def test_the_real_logs(reference_data, engine, name, expected):
    guess = guess_roles(engine, open_raw(engine, str(reference_data / name)))
    for role in ONE_COLUMN:
        assert guess.roles.get(role) == expected.get(role), role
    for role in ("goal", "segments"):
        if role in expected:
            assert guess.roles[role] == expected[role]
    assert set(guess.roles) <= set(guess.reasons)
    assert all(reason.endswith(".") and reason[0].isupper() for reason in guess.reasons.values())


@pytest.mark.reference
@pytest.mark.parametrize(
    "name",
    [
        "telco_churn/WA_Fn-UseC_-Telco-Customer-Churn.csv",
        "cdnow/cdnow_customers_summary.csv",
        "attribution_mta/data.csv.gz",
    ],
)
def test_tables_that_are_no_event_logs(reference_data, engine, name):
    with pytest.raises(LogSchemaError) as caught:
        guess_roles(engine, open_raw(engine, reference_data / name))
    assert "Hint: name the columns" in str(caught.value)


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_french_names(engine):
    guess = guess_roles(
        engine,
        open_raw(
            engine,
            pd.DataFrame(
                {
                    "Numéro dossier": ["d1", "d1", "d2", "d2", "d3", "d3"] * 3,
                    "Étape": ["visite", "commande", "visite", "abandon", "visite", "commande"] * 3,
                    "Date évènement": ["31/01/2024 10:00", "01/02/2024 11:00"] * 9,
                    "Canal": ["web", "appli"] * 9,
                    "Montant": ["1.5", "2"] * 9,
                    "Région": ["Nord", "Nord", "Sud", "Sud", "Est", "Est"] * 3,
                }
            ),
        ),
    )
    assert dict(guess.roles) == {
        "timestamp": "Date évènement",
        "case_id": "Numéro dossier",
        "activity": "Étape",
        "channel": "Canal",
        "value": "Montant",
        "segments": ("Région",),
        "goal": ("commande",),
    }


def test_user_logs_and_start_and_end(engine):
    data = frame(
        user_id=[1, 1, 1, 2, 2, 3] * 4,
        event_name=["home", "cart", "purchase", "home", "cart", "home"] * 4,
        start_time=[f"2024-01-{d:02d} 10:00" for d in range(1, 25)],
        end_time=[f"2024-01-{d:02d} 11:00" for d in range(1, 25)],
        platform=["ios", "ios", "ios", "web", "web", "web"] * 4,
    )
    guess = guess_roles(engine, open_raw(engine, data))
    assert dict(guess.roles) == {
        "timestamp": "start_time",
        "end_timestamp": "end_time",
        "customer_id": "user_id",
        "activity": "event_name",
        "segments": ("platform",),
        "goal": ("purchase",),
    }


def test_names_that_say_nothing(engine):
    data = frame(
        k=[f"c{i // 4}" for i in range(80)],
        w=["look", "ask", "ask", "buy now"] * 20,
        q=[f"2024-01-01 {i // 60:02d}:{i % 60:02d}" for i in range(80)],
        z=["same", "same", "same", "same", "other", "other", "other", "other"] * 10,
    )
    guess = guess_roles(engine, open_raw(engine, data))
    assert guess.roles["case_id"] == "k"
    assert guess.roles["activity"] == "w"
    assert guess.roles["timestamp"] == "q"
    assert guess.roles["segments"] == ("z",)


def test_the_guess_does_not_depend_on_the_order_of_rows(engine):
    data = frame(
        case_id=[i // 5 for i in range(500)],
        activity=["a", "b", "b", "c", "order placed"] * 100,
        timestamp=[f"2024-01-{1 + i % 5:02d}" for i in range(500)],
        country=[("FR", "DE", "IT")[i // 5 % 3] for i in range(500)],
        result=[None, None, None, None, "won"] * 100,
    )
    one = guess_roles(engine, open_raw(engine, data))
    two = guess_roles(engine, open_raw(engine, data.sample(frac=1, random_state=3)))
    assert one == two
    assert one.roles["segments"] == ("country",)
    assert one.roles["goal"] == ("order placed",)


def test_no_plausible_column_lists_samples(engine):
    with pytest.raises(LogSchemaError, match=r"x \(1, 2, 3\)"):
        guess_roles(engine, open_raw(engine, frame(x=[1, 2, 3], y=[0.5, 0.25, 0.1])))
