"""Which activities look like the goal, by their name alone (English, French, German, Spanish)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from journeymine._log_facts import ActivityFacts

# Strongest first: what is bought or signed beats what is merely finished.
# Words are separated by semicolons.
_BOUGHT = """
    order(?:ed)? (?:placed|confirmed|completed?); placed? order; purchas(?:e|ed|es); bought; conversion;
    converted; checkout (?:completed?|success); commande (?:passee|validee|confirmee); achat; achete;
    bestell(?:t|ung); gekauft; kauf; compra; pedido realizado
"""
_SIGNED = """
    subscri(?:be|bed|ption); sign(?:ed)? up; signup; registered; registration; enrol(?:l|led|ment)?;
    contract signed; inscription; inscrit; souscri(?:t|ption); abonnement; angemeldet; registriert; alta
"""
_PAID = r"order; pay(?:ment)?(?: \w+)?; paid; paye; paiement; zahlung; bezahlt; pago"
_GRANTED = r"deliver(?:ed|y); livre; approved?; accepted; granted; release \w+; discharged; won; accepte"
_FINISHED = """
    completed?; success; done; finished; closed?; end; termine; cloture; cloturee; abgeschlossen; cerrado
"""
# A ticket that is resolved may be opened again; one that is closed is not.
_RESOLVED = "resolved?; solved; resolu; gelost"
# What stands before this place in the journey is how it begins, whatever its name.
EARLIEST = 0.25
GOALS = tuple(
    re.compile(rf"\b(?:{'|'.join(word.strip() for word in words.split(';'))})\b")
    for words in (_BOUGHT, _SIGNED, _PAID, _GRANTED, _FINISHED, _RESOLVED)
)
FAILURES = re.compile(
    r"\b(?:not|non|un(?:subscri|success|paid|able|resolv|deliver)\w*|fail\w*|declin\w*|reject\w*|refus\w*|cancel\w*|abandon\w*|annul\w*|error|erreur|lost|"
    r"return\w*|refund\w*|retour|request\w*|reminder|late|storn\w*|abgelehnt|withdrawn)\b"
)


def goal_candidates(facts: Sequence[ActivityFacts]) -> list[ActivityFacts]:
    """Activities whose name looks like a success, the best first.

    Examples
    --------
    >>> from journeymine._log_facts import ActivityFacts
    >>> names = ["Visit", "Order_Placed", "Order cancelled"]
    >>> [fact.name for fact in goal_candidates([ActivityFacts(n, 5, 1, 0.5) for n in names])]
    ['Order_Placed']
    """
    ranked = []
    for fact in facts:
        name = plain(fact.name)
        strength = next((i for i, pattern in enumerate(GOALS) if pattern.search(name)), None)
        if strength is not None and fact.place >= EARLIEST and not FAILURES.search(name):
            # Of two that all successful journeys have, the first is the success, the other a consequence.
            ranked.append((strength, -fact.n_cases, fact.place, fact.name, fact))
    return [item[-1] for item in sorted(ranked, key=lambda item: item[:4])]


def failure_candidates(facts: Sequence[ActivityFacts]) -> list[ActivityFacts]:
    """Activities whose name looks like a failure and which mostly come last."""
    return [f for f in facts if FAILURES.search(plain(f.name)) and f.n_last * 2 > f.n_cases]


def plain(name: str) -> str:
    """Lower case, without accents, words apart; long names are cut, they are no names."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:500])
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", letters).strip()
