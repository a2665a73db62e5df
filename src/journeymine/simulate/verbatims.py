"""Short survey comments in French and English, by survey and mood."""

from __future__ import annotations

from typing import Final

FRENCH: Final = ("FR", "BE", "CH")
"""Countries whose customers write in French; the others write in English."""

Texts = tuple[tuple[str, ...], tuple[str, ...]]  # (English, French)

COMMENTS: Final[dict[str, Texts]] = {
    "nps_promoter": (
        (
            "Easy to order, and it arrived on time.",
            "Great choice and fair prices.",
            "Fast delivery, well packed. Thank you!",
            "Love the app, I found everything in two minutes.",
            "Very helpful people in the store.",
            "Exactly as described 👍",
        ),
        (
            "Commande facile, livrée à l'heure.",
            "Beau choix et prix justes.",
            "Livraison rapide, colis soigné. Merci !",
            "J'adore l'application, tout est clair.",
            "Vendeurs très aimables en magasin.",
            "Conforme à la description 👍",
        ),
    ),
    "nps_passive": (
        (
            "Fine, but signing in on my phone took three tries.",
            "Good product, delivery costs are a bit high.",
            "All right, nothing special.",
            "The quote took a long time.",
        ),
        (
            "Correct, mais la connexion sur mobile est pénible.",
            "Bon produit, frais de port un peu élevés.",
            "Rien à signaler.",
            "Le devis de livraison s'est fait attendre.",
        ),
    ),
    "nps_detractor": (
        (
            "The parcel came a week late and nobody told me.",
            "My card was declined twice for no reason.",
            "I had to explain everything again on the phone.",
            "Box damaged, no answer to my e-mail.",
            "Too complicated, too slow.",
        ),
        (
            "Colis arrivé avec une semaine de retard, sans nouvelles.",
            "Carte refusée deux fois sans raison.",
            "J'ai dû tout réexpliquer au téléphone.",
            "Carton abîmé, aucune réponse à mon e-mail.",
            "Trop compliqué, trop lent.",
        ),
    ),
    "csat_good": (
        ("Friendly and quick.", "She solved it at once.", "Clear answer, thanks."),
        ("Aimable et rapide.", "Problème réglé tout de suite.", "Réponse claire, merci."),
    ),
    "csat_bad": (
        ("Twenty minutes on hold.", "I was sent from one desk to the next.", "Still no solution."),
        ("Vingt minutes d'attente.", "On m'a renvoyé d'un service à l'autre.", "Toujours pas de solution."),
    ),
    "ces_good": (
        ("Returning it was easy.", "Label printed, parcel gone, money back.", "Simple."),
        ("Retour très simple.", "Étiquette imprimée, colis parti, remboursé.", "Facile."),
    ),
    "ces_bad": (
        ("Too many forms to send one shirt back.", "The refund took for ever.", "Where is my money?"),
        ("Trop de formulaires pour un retour.", "Remboursement interminable.", "Où est mon argent ?"),
    ),
}

# State -> (survey, scores, weights, lowest score of a good mood); the mood matters where the state does not
# tell it.
SURVEYS: Final[dict[str, tuple[str, tuple[int, ...], tuple[float, ...], int]]] = {
    "nps_promoter": ("NPS", (9, 10), (0.55, 0.45), 9),
    "nps_passive": ("NPS", (7, 8), (0.45, 0.55), 7),
    "nps_detractor": ("NPS", (0, 1, 2, 3, 4, 5, 6), (0.10, 0.06, 0.10, 0.16, 0.18, 0.22, 0.18), 0),
    "csat": ("CSAT", (1, 2, 3, 4, 5), (0.14, 0.12, 0.18, 0.32, 0.24), 4),
    "ces": ("CES", (1, 2, 3, 4, 5, 6, 7), (0.05, 0.07, 0.10, 0.13, 0.22, 0.25, 0.18), 5),
}
COMMENT_SHARE: Final = 0.55
"""Share of the answers that carry a comment."""


def comments_for(state: str, good: bool) -> Texts:
    """Comments that fit a survey state and mood, in English and in French.

    Examples
    --------
    >>> comments_for("csat", True)[0][0]
    'Friendly and quick.'
    """
    return COMMENTS[state] if state in COMMENTS else COMMENTS[f"{state}_{'good' if good else 'bad'}"]
