"""The stylesheet itself: small, readable in light and dark, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "static" / "vrp"
CSS = (STATIC / "app.css").read_text()
MEANINGS = ("neutral", "waiting", "good", "warn", "bad", "unknown")
# Ink on ground; 4.5 is WCAG 2.2 AA for text.
TEXT = [
    *((ink, ground) for ink in ("ink", "muted", "link") for ground in ("paper",)),
    *((ink, "surface") for ink in ("ink", "muted", "link", "bad", "good", "warn")),
    *((ink, "sunken") for ink in ("ink", "muted")),
    *((name, f"{name}-soft") for name in MEANINGS),
    *(("ink", f"{name}-soft") for name in MEANINGS),
    *((f"on-{name}", name) for name in ("aa", "a", "b", "rework", "scrap", "action")),
    ("on-action", "action-hover"),
    ("brass-ink", "brass-soft"),
    ("muted", "brass-soft"),
    ("horn-ink", "horn"),
]
# Outlines and marks that carry meaning: 3.0.
MARKS = [("edge", "surface"), ("focus", "paper"), ("focus", "surface")]


def palette(scheme: str) -> dict[str, str]:
    """Custom properties with a colour; dark ones over the light ones."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.S)[:2]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", light))
    if scheme == "dark":
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", dark))
    return found


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "ground", "least"),
    [(*pair, 4.5) for pair in TEXT] + [(*pair, 3.0) for pair in MARKS],
)
def test_contrast_is_aa(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = palette(scheme)
    assert contrast(colours[ink], colours[ground]) >= least


def test_is_small() -> None:
    assert (STATIC / "app.css").stat().st_size <= 30 * 1024
    assert (STATIC / "app.js").stat().st_size < 10_000
    assert (STATIC / "icons.svg").stat().st_size < 10_000


@pytest.mark.parametrize("name", ["app.css", "office.css", "app.js"])
def test_asks_no_other_host(name: str) -> None:
    source = (STATIC / name).read_text()
    assert not re.search(r"https?://|@import|url\(", source)


def test_every_property_used_is_defined() -> None:
    used = set(re.findall(r"var\(--([\w-]+)", CSS))
    assert used <= set(re.findall(r"--([\w-]+):", CSS))
