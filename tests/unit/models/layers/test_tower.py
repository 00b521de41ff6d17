from __future__ import annotations

import numpy as np
import pytest

from models.layers.tower import Tower


@pytest.mark.parametrize("scores", [1, 3])
@pytest.mark.parametrize("units", [(), (5,), (6, 4)])
def test_the_split_first_layer_equals_one_over_both_parts(units: tuple[int, ...], scores: int) -> None:
    draw = np.random.default_rng(0)
    request = draw.normal(size=(3, 4)).astype(np.float32)
    item = draw.normal(size=(3, 2, 7)).astype(np.float32)
    tower = Tower(units, "relu", scores=scores, name="tower")
    out = tower(request, item).numpy()
    hidden = np.concatenate([np.repeat(request[:, None], 2, axis=1), item], axis=-1) @ tower.kernel.numpy()
    hidden = hidden + tower.bias.numpy()
    for layer in tower.rest:
        hidden = np.maximum(hidden, 0.0) @ layer.kernel.numpy() + layer.bias.numpy()
    assert out.shape == (3, 2, scores)
    np.testing.assert_allclose(out, hidden, atol=1e-5)
