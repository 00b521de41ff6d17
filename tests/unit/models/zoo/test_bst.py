"""The model `bst`: which encoder reads which history, and what `config check` says of its heads."""

from __future__ import annotations

import pytest

from models import registry
from models.encoders.bst import Bst
from models.encoders.pooled import Pooled
from tests.unit.models.histories import history, schema

MODEL = registry.build("bst", schema(history("ads", of="ad"), history("pages")), {"encoder": {"heads": 4}})


def test_histories_are_read_by_the_encoder_of_that_name() -> None:
    ads, pages = MODEL.encoders.values()
    assert type(ads) is Bst
    assert type(pages) is Pooled
    assert ads.options.heads == 4


def test_heads_that_do_not_divide_the_width_are_told_before_anything_is_trained() -> None:
    assert MODEL.tables({"s": 8})
    with pytest.raises(ValueError, match="history 'ads', option 'heads': 4 heads do not divide a step of 6 values"):
        MODEL.tables({"s": 6})
