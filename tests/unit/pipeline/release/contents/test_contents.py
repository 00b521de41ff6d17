"""A release of an earlier version is made again with its own settings: what they did not have yet is no part of it."""

from __future__ import annotations

import json

from pipeline.config.load import load_job
from pipeline.release.contents.contents import as_kept


def test_settings_that_came_later_are_left_out() -> None:
    config = load_job("homework")
    whole = config.model_dump(mode="json", by_alias=True)
    kept = json.loads(config.model_dump_json(by_alias=True, exclude={"state_from", "start"}))
    assert json.dumps(as_kept(config, kept)) == json.dumps(as_kept(config, None)) == json.dumps(whole)
    for settings in (kept, whole):
        del settings["validation"]["max_repeated"], settings["alerts"]["repeated"]
        for table in settings["tables"].values():
            del table["when"]
    assert json.dumps(as_kept(config, kept)) == json.dumps(whole)
