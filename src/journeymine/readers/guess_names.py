"""What columns of event logs are called, in English and French, and how a name is compared."""

from __future__ import annotations

import re
import unicodedata


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


# For each role: names that say it outright, then words that hint at it when they occur in a name.
EXACT: dict[str, frozenset[str]] = {
    "case_id": _names(
        "case concept name|case id|case|caseid|case key|case number|trace|trace id|process id"
        "|process instance|instance id|journey|journey id|parcours|id parcours|parcours id|dossier"
        "|id dossier|dossier id|numero dossier|ticket|ticket id|order id|id commande|commande id"
        "|numero commande|session|session id|sessionid|id session|visit id|id visite|incident id"
        "|claim id|application id|request id|conversation id|patient|patient id|id patient"
    ),
    "customer_id": _names(
        "customer|customer id|customerid|customer key|user|user id|userid|id utilisateur|utilisateur"
        "|client|client id|id client|clientid|visitor|visitor id|visitorid|full visitor id|visiteur"
        "|id visiteur|person id|personne|id personne|account|account id|compte|id compte|member id"
        "|membre|id membre|contact id|subscriber|subscriber id|abonne|id abonne|cookie|cookie id"
        "|anonymous id|distinct id|device id|uid|usr|cust id|consumer id|buyer id|shopper id"
    ),
    "activity": _names(
        "concept name|activity|activity id|activityid|activity name|activite|nom activite|event"
        "|event name|event type|evenement|nom evenement|type evenement|action|action name|task"
        "|task name|tache|page|page name|page url|url|ecran|screen|screen name|touchpoint"
        "|point de contact|handling|operation|step name|step|etape|nom etape|stage|status|statut"
        "|state|etat|output event|event label|interaction|milestone|type"
    ),
    "timestamp": _names(
        "time timestamp|timestamp|time|date|datetime|date time|ts|event time|event date"
        "|event timestamp|time stamp|created at|occurred at|happened at|placed at|at|when|quand"
        "|horodatage|date heure|heure|date evenement|complete timestamp|completetimestamp"
        "|collector tstamp|tstamp|created|date creation|jour"
    ),
    "start_timestamp": _names(
        "start timestamp|start time|start date|start|started at|begin|begin time|debut|date debut|heure debut"
    ),
    "end_timestamp": _names(
        "end timestamp|end time|end date|end|ended at|finish|finish time|finished at|complete time"
        "|completed at|stop|stop time|fin|date fin|heure fin|end datetime"
    ),
    "order": _names(
        "order|order index|step|step number|step index|position|pos|rank|rang|seq|seq no|sequence"
        "|sequence number|index|event index|event order|event number|event nr|event no"
        "|item in session|ordre|numero|numero etape|hit number|etape|line number|row number|no|nr"
    ),
    "channel": _names(
        "channel|case channel|canal|channel name|source|medium|utm source|utm medium|traffic source"
        "|traffic channel|marketing channel|touchpoint channel|refr medium|mkt medium"
        "|canal de contact|contact channel|device channel"
    ),
    "value": _names(
        "value|amount|price|revenue|montant|prix|valeur|total|total amount|montant total|cost|costs"
        "|cout|dollar value|order value|basket value|panier|turnover|ca|chiffre d affaires|gmv|sales"
        "|purchase amount|tr total"
    ),
}
HINTS: dict[str, frozenset[str]] = {
    "case_id": frozenset(
        {"case", "trace", "journey", "parcours", "dossier", "ticket", "session", "instance"}
    ),
    "customer_id": frozenset(
        {
            "customer",
            "user",
            "userid",
            "customerid",
            "visitorid",
            "client",
            "visitor",
            "visiteur",
            "utilisateur",
            "account",
            "person",
        }
    ),
    "activity": frozenset(
        {"activity", "activite", "event", "evenement", "action", "task", "tache", "page", "etape"}
    ),
    "timestamp": frozenset({"time", "timestamp", "date", "datetime", "tstamp", "horodatage", "heure"}),
    "end_timestamp": frozenset(),
    "start_timestamp": frozenset(),
    "order": frozenset({"order", "ordre", "sequence", "position", "rank"}),
    "channel": frozenset({"channel", "canal"}),
    "value": frozenset({"amount", "price", "revenue", "montant", "prix", "valeur", "value"}),
}
GOAL = re.compile(
    r"purchas|(?<!p)order|\bpa(y|id)|payment|\bbuy|bought|checkout complete|convert|conversion|sign ?up|subscri|approv"
    r"|accept|complet|\bsuccess|\bwon\b|positive|clos(ed|e)\b|resolved|deliver|confirmed|thank ?you|release"
    r"|discharge|activat|achat|achet|commande|paye|paiement|souscri|inscri|livr|\btermine|cloture|resolu|signe|valide"
)
NOT_GOAL = re.compile(
    r"\b(not?|un|in|non|pas|dis|without|sans|fail|refus|reject|cancel|annul|incomplete|remind|relance|rappel|open|reopen)"
    r"|wait|attente|return|add to|view|list|check|start|begin|debut|submit"
)
SEGMENTS = re.compile(
    r"countr|pays|region|platform|plateforme|device|appareil|segment|plan\b|level|tier|type|gender|sexe|channel|canal|group"
    r"|market|language|langue|os\b|browser|category|categorie|location|department|product|produit"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def folded(name: str) -> str:
    """A name as lower-case words without accents.

    Examples
    --------
    >>> folded("CompleteTimestamp"), folded("case:concept:name"), folded("Numéro_étape")
    ('complete timestamp', 'case concept name', 'numero etape')
    """
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", name))
    return _OTHER.sub(" ", plain.encode("ascii", "ignore").decode().lower()).strip()


def name_score(role: str, name: str) -> int:
    """How clearly a name says a role: 3 outright, 1 by a word in it, 0 not at all.

    Examples
    --------
    >>> name_score("case_id", "CaseID"), name_score("activity", "last_event"), name_score("value", "city")
    (3, 1, 0)
    """
    words = folded(name)
    if words in EXACT[role] or words.replace(" ", "") in {n.replace(" ", "") for n in EXACT[role]}:
        return 3
    return 1 if HINTS[role] & set(words.split()) else 0
