"""Two tables of a shop as `look` finds them."""

from __future__ import annotations

from pipeline.proposal.look import Looked

SHOWS = Looked(
    "shows",
    {
        "日期": ["2024-03-01", "2024-03-02", "2024-03-02"], "用户": ["a", "b", "a"], "goods_no": [1, 2, 3],
        "点击": [0, 1, 0], "new": [1, 0, 0], "price": [1.5, None, 2.5],
    },
)  # fmt: skip
GOODS = Looked("goods", {"goods_no": [1, 2, 3], "kind": ["x", "y", "x"]})
