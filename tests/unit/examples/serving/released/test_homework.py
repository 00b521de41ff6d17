"""The number of a group of classes, in which last year's windows are found."""

from __future__ import annotations

import numpy as np
import pytest

from examples.serving.released.homework import group_of
from pipeline.features.ids.fingerprints import key_of


def test_a_group_has_the_number_that_the_release_has_for_it() -> None:
    for ids in ([7], [1, 2], [33, 12, 4, 2**40, -1, 2], [0, 0]):
        assert group_of(ids) == int(key_of(*(np.array([each]) for each in ids))[0])
    with pytest.raises(NotImplementedError, match="is matched by texts"):
        group_of([1, "x"])
