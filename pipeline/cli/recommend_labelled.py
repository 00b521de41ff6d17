"""What `recommend` answers for labelled rows: there is nothing to recommend, and what to call instead."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.asked import Asked


class LabelledAsked(Asked):
    """No options."""

    names = ()
    needs = (
        "scores labelled rows, which have neither a user to ask for nor items to rank, so there is no recommendation; "
        "`python -m pipeline predict` scores a file of them; or ask its exported model: load "
        "<DAYSPRING_RELEASE_URL>/<job>/models/<version> (`current.json` beside "
        "`models` names the version) with TensorFlow or TensorFlow Serving, and call the signature `serving_default` "
        "with the features by name"
    )

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        """Nothing to add."""

    def request(self, options: argparse.Namespace) -> dict[str, Any] | None:
        return None
