"""Models that are an encoder for every history and a network on top."""

from __future__ import annotations

import pytest

from models import registry
from models.encoders.bgru import Bgru
from models.encoders.gru import Gru
from models.encoders.pooled import Pooled
from tests.unit.models.histories import history, schema

TWO = schema(history("ads", of="ad"), history("pages"))


@pytest.mark.parametrize(("model", "encoder"), [("gru", Gru), ("bgru", Bgru)])
def test_every_history_is_read_by_the_models_encoder_with_its_options(model: str, encoder: type[Gru]) -> None:
    options = {"encoder": {"readout": "sum"}, "encoders": {"pages": {"type": "pooled"}}}
    ads, pages = registry.build(model, TWO, options).encoders.values()
    assert type(ads) is encoder
    assert ads.options.readout == "sum"
    assert isinstance(pages, Pooled)


def test_options_of_an_encoder_that_reads_nothing_are_told() -> None:
    asked = {name: {"type": "pooled"} for name in ("ads", "pages")}
    with pytest.raises(
        ValueError, match="'encoder' would have no effect: every history is read by what `encoders` says"
    ):
        registry.build("gru", TWO, {"encoder": {"units": 3}, "encoders": asked})
    with pytest.raises(ValueError, match=r"option 'encoder\.readout': 'max' is not one of sum, mean, last"):
        registry.build("gru", TWO, {"encoder": {"readout": "max"}})
