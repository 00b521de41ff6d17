from __future__ import annotations

import pytest

from models import registry


def test_it_is_made_of_others() -> None:
    assert registry.trained_by("blend") == registry.BLEND
    options = registry.check_options("blend", {"of": ["din", "pooled"]})
    assert (options.of, options.weights) == (("din", "pooled"), "mean")
    assert registry.check_options("blend", {"of": ["din", "pooled"], "weights": "fitted"}).weights == "fitted"
    with pytest.raises(ValueError, match="option 'of': 'din' is not a list of text"):
        registry.check_options("blend", {"of": "din"})
    with pytest.raises(ValueError, match="option 'weights': 'best' is not one of mean, fitted"):
        registry.check_options("blend", {"of": ["din", "pooled"], "weights": "best"})
