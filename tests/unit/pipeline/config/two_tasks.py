"""The job of KuaiRand with two tasks: a click, and a long view of what is clicked."""

from __future__ import annotations

from copy import deepcopy

from tests.unit.pipeline.config.edited import ROOT, edited

ADS = (ROOT / "examples" / "conf" / "ads.yaml").read_text(encoding="utf-8")
TWO = {"click": {"label": "is_click"}, "long_view": {"label": "long_view", "given": "click", "weight": 0.5}}
LABEL = {"type": "int", "required": True, "allowed": [0, 1], "change": "outcome"}
JOINT = {"tasks__long_view__joint": "both", "score": {"click": 1, "long_view": 0.5}}
"""What the two come to together, and a score of both."""


def two(**changes: object) -> str:
    settings = {
        "tasks": deepcopy(TWO), "measures": {}, "tables__impressions__columns__long_view": LABEL,
        "experiments__pooled__loss": None,
        "experiments__din__loss": None, "experiments__popularity__loss": None,
        "release__gate__margins": {"click/auc": 0.01}, "release__gate__floors": {},
    }  # fmt: skip
    return edited(ADS, **{**settings, **changes})
