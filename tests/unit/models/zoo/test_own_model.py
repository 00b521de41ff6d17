"""The model of one's own that docs/models.md has people write, as it stands there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import models.zoo
from models import registry
from tests.unit.models.zoo.field_models import WHOLE, built, inputs, logits

DOCS = Path(__file__).resolve().parents[4] / "docs" / "models.md"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of models of one's own, forgotten afterwards."""
    registry.names()  # those of the project are all known, and stay so
    monkeypatch.setattr(models.zoo, "__path__", [*models.zoo.__path__])
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    monkeypatch.setenv("DAYSPRING_MODELS", str(tmp_path))
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"models.zoo.{file.stem}", None)


def as_documented() -> str:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


def test_it_is_found_with_its_options_and_does_what_it_says(own: Path) -> None:
    (own / "mean_product.py").write_text(as_documented(), encoding="utf-8")
    assert "mean_product" in registry.names()
    card = registry.card("mean_product")
    assert card.summary == "A linear part, and the inner product of two means of fields."
    assert "scaled" in [option.name for option in card.options]
    given = inputs(2, 0.5, user=[2.0], hour=[3.0], ad=[5.0, 7.0], price=[1.0, 2.0], clicks=[4.0, 6.0])
    # The request's fields are 2, 3 and 5 (clicks), a candidate's the ad and the price, whose vector is 0: in two factors.
    found = [1.5 + 2 * (10 / 3) * (ad / 2) for ad in (5, 7)]
    assert logits(built("mean_product", WHOLE), given) == pytest.approx(found, rel=1e-6)


def test_a_file_that_registers_none_is_named(own: Path) -> None:
    (own / "mine.py").write_text("X = 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no model 'mine'; mine.py registers none: put `@register\(\"mine\"\)` above"):
        registry.card("mine")


def test_a_folder_that_is_not_there_is_named(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYSPRING_MODELS", str(own / "nowhere"))
    with pytest.raises(ValueError, match=r"DAYSPRING_MODELS: '.*nowhere' is no folder"):
        registry.names()
