from __future__ import annotations

import pytest

from pipeline.config.last_year import LastYear


def test_a_class_of_its_own_is_told_by_columns() -> None:
    with pytest.raises(ValueError, match="`own_class_first` goes with `own_match`"):
        LastYear(match=("row.grade",), own_class_first=True)
    with pytest.raises(ValueError, match="`own_class_first` goes with `own_match`"):
        LastYear(match=("row.grade",), own_match=("row.class_id",))
    assert LastYear(match=("row.grade",), own_class_first=True, own_match=("row.class_id",)).values == 10
