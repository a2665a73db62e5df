"""The tokens of both themes against thresholds of contrast and difference, also for colour-blind sight."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from journeymine.draw.tokens import CATEGORIES, HEAT_MAX, THEMES, TINT_MAX, Theme

TEXT, MARK, DIFFERENCE = (
    4.5,
    3.0,
    15.0,
)  # WCAG 2.2 text and non-text contrast; CIEDE2000 told apart at a glance
READABLE_SMALL = 4.5
THEME_NAMES: tuple[Theme, ...] = ("light", "dark")

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def linear(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(value: np.ndarray) -> float:
    return float(linear(value) @ [0.2126, 0.7152, 0.0722])


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def over(colour: str, background: str, opacity: float) -> np.ndarray:
    return opacity * rgb(colour) + (1 - opacity) * rgb(background)


def lab(light: np.ndarray) -> np.ndarray:
    xyz = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: np.ndarray, other: np.ndarray) -> float:
    """Sharma, Wu and Dalal (2005)."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    g = 0.5 * (1 - np.sqrt(mean_c**7 / (mean_c**7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    dh = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    mh = (h1 + h2) / 2 if abs(h1 - h2) <= 180 else (h1 + h2 + (360 if h1 + h2 < 360 else -360)) / 2
    mh = mh if c1 * c2 else h1 + h2
    cos = lambda degrees: np.cos(np.radians(degrees))  # noqa: E731
    t = 1 - 0.17 * cos(mh - 30) + 0.24 * cos(2 * mh) + 0.32 * cos(3 * mh + 6) - 0.2 * cos(4 * mh - 63)
    sl = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    sc, sh = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    turn = np.sin(np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2))))
    rt = -2 * np.sqrt(mc**7 / (mc**7 + 25**7)) * turn
    parts = ((l2 - l1) / sl, (c2 - c1) / sc, big_dh / sh)
    return float(np.sqrt(sum(p * p for p in parts) + rt * parts[1] * parts[2]))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # pairs 1, 7, 14 and 25 of the published test data
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_ciede2000_against_the_published_pairs(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    assert ciede2000(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("token", ["ink", "ink2", "ink3", "good", "bad"])
@pytest.mark.parametrize("background", ["card", "key_wash"])
def test_text_contrast(theme: Theme, token: str, background: str) -> None:
    tokens = THEMES[theme]
    assert contrast(rgb(tokens[token]), rgb(tokens[background])) >= TEXT


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("token", ["data", "data2", "edge", "back", "good", "bad"])
def test_mark_contrast(theme: Theme, token: str) -> None:
    tokens = THEMES[theme]
    assert contrast(rgb(tokens[token]), rgb(tokens["card"])) >= MARK
    if token in {"edge", "back"}:
        assert contrast(rgb(tokens[token]), rgb(tokens["band0"])) >= MARK


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_labels_on_fills_and_washes(theme: Theme) -> None:
    tokens = THEMES[theme]
    for fill in ("good", "bad"):
        assert contrast(rgb(tokens["on"]), rgb(tokens[fill])) >= TEXT
    for ink in ("ink", "ink2"):
        assert contrast(rgb(tokens[ink]), rgb(tokens["bad_wash"])) >= TEXT


@pytest.mark.parametrize("theme", THEME_NAMES)
def test_text_on_the_strongest_tint(theme: Theme) -> None:
    tokens = THEMES[theme]
    tint = over(tokens["bad"], tokens["card"], TINT_MAX)
    heat = over(tokens["data2"], tokens["card"], HEAT_MAX)
    assert contrast(rgb(tokens["ink"]), tint) >= TEXT
    assert contrast(rgb(tokens["ink2"]), tint) >= READABLE_SMALL
    assert contrast(rgb(tokens["ink"]), heat) >= READABLE_SMALL


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_meanings_can_be_told_apart(theme: Theme, sight: str) -> None:
    colours = [THEMES[theme][token] for token in ("good", "bad", "key", "ink", "data")]
    seen = [lab(SIGHT[sight] @ linear(rgb(colour))) for colour in colours]
    assert min(ciede2000(a, b) for a, b in combinations(seen, 2)) >= DIFFERENCE


@pytest.mark.parametrize("theme", THEME_NAMES)
@pytest.mark.parametrize("sight", SIGHT)
def test_categories_can_be_told_apart(theme: Theme, sight: str) -> None:
    seen = [lab(SIGHT[sight] @ linear(rgb(colour))) for colour in CATEGORIES[theme]]
    assert min(ciede2000(a, b) for a, b in combinations(seen, 2)) >= DIFFERENCE
    background = rgb(THEMES[theme]["card"])
    assert all(contrast(rgb(colour), background) >= MARK for colour in CATEGORIES[theme])
