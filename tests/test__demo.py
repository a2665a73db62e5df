"""The demo is the bundled configuration; in French its stages have French names."""

from __future__ import annotations

from journeymine._demo import FRENCH_STAGES, demo_spec
from journeymine.datasets import demo_config_path
from journeymine.spec import read_spec


def test_english_is_the_bundled_file() -> None:
    spec, folder = demo_spec()
    assert spec == read_spec(demo_config_path())
    assert (folder / spec.log.source[0]).is_file()


def test_french_translates_every_stage_and_nothing_else() -> None:
    english, _ = demo_spec()
    french, _ = demo_spec(lang="fr", seed=7)
    assert (french.lang, french.seed) == ("fr", 7)
    assert {stage.id for stage in english.stage} == set(FRENCH_STAGES)
    assert [stage.activities for stage in french.stage] == [stage.activities for stage in english.stage]
    assert (french.log, french.journey) == (english.log, english.journey)
