"""The configuration of the bundled demo log, in the language of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from journeymine.datasets import demo_config_path
from journeymine.spec import read_spec

if TYPE_CHECKING:
    from pathlib import Path

    from journeymine.spec import JourneySpec, Lang, Stage

FRENCH_TITLE = "Boutique de démonstration : de la découverte à la recommandation"
# Stage id -> name, owner. Activities stay as the log has them.
FRENCH_STAGES = {
    "discover": ("Découvrir", "Marketing"),
    "evaluate": ("Comparer", "Offre"),
    "buy": ("Acheter", "E-commerce"),
    "receive": ("Recevoir", "Logistique"),
    "get_help": ("Être aidé", "Service client"),
    "come_back": ("Revenir", "Relation client"),
}


def demo_spec(*, lang: Lang = "en", seed: int | None = None) -> tuple[JourneySpec, Path]:
    """Read the configuration of the demo log; also the folder that its paths are relative to.

    Parameters
    ----------
    lang
        Language of the report, and of the title and the stages.
    seed
        Seed of the random draws; default: that of the configuration.

    Examples
    --------
    >>> spec, folder = demo_spec(lang="fr")
    >>> spec.stage[0].name
    'Découvrir'
    """
    path = demo_config_path()
    spec = read_spec(path)
    changes: dict[str, Any] = {"lang": lang}
    if seed is not None:
        changes["seed"] = seed
    if lang == "fr":
        changes |= {"title": FRENCH_TITLE, "stage": tuple(_in_french(stage) for stage in spec.stage)}
    return spec.model_copy(update=changes), path.parent


def _in_french(stage: Stage) -> Stage:
    name, owner = FRENCH_STAGES.get(stage.id, (stage.name, stage.owner))
    return stage.model_copy(update={"name": name, "owner": owner})
