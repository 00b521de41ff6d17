from __future__ import annotations

import pytest

from models import registry


def test_it_is_made_of_others() -> None:
    assert registry.trained_by("blend") == registry.BLEND
    assert registry.check_options("blend", {"of": ["din", "pooled"]}).of == ("din", "pooled")
    with pytest.raises(ValueError, match="option 'of': 'din' is not a list of text"):
        registry.check_options("blend", {"of": "din"})
