"""The kinds of artefacts: the folders below a root that hold what the days have made, and whose each is."""

from __future__ import annotations

from typing import Final

DAY: Final = "day"
"""Whether a day is ``done`` or ``skipped``, and why."""
ACCEPTED: Final = "accepted"
"""Somebody's word that a day beyond the limits of validation is to be taken."""
EXTRACT: Final = "extract"
"""Tables of the day as the sources gave them."""
MATURED: Final = "matured"
"""What came of reading a day again once its labels had matured."""
VALIDATED: Final = "validated"
"""The day's tables, checked and typed; what was put aside lies beside them."""
ROWS: Final = "rows"
"""The day's rows as growth has joined them, until the arrays are built of them."""
MAPS: Final = "maps"
"""How far the id maps reach after the day."""
STATE: Final = "state"
"""What the day adds to the feature state."""
SNAPSHOT: Final = "snapshot"
"""The whole feature state as of some days, to read fewer of the days before."""
FACTORS: Final = "factors"
"""Vectors of owners and values, fitted of the feature state as of the end of some days."""
FEATURES: Final = "features"
"""The day's arrays, which are trained and tested."""
RELEASE: Final = "release"
PUBLISH: Final = "publish"
"""What became of the day's release at the place that it is served from."""
TEST: Final = "test"
"""The checkpoint of a day before on the day's rows: logits and measures."""
GATE: Final = "gate"
"""The verdict on what was tested."""
CHECKPOINT: Final = "checkpoint"
"""The model as trained on the day."""
EXPORT: Final = "export"
"""The checkpoint as it is served."""
CHECK: Final = "check"
"""The verdict on the export, from a clean process."""

OF_DAYS: Final = (
    DAY, ACCEPTED, EXTRACT, MATURED, VALIDATED, ROWS, MAPS, STATE, SNAPSHOT, FACTORS, FEATURES, RELEASE, PUBLISH,
)  # fmt: skip
"""Kinds that all experiments of a job share: ``kind/job/day=…``."""
OF_EXPERIMENTS: Final = (TEST, GATE, CHECKPOINT, EXPORT, CHECK)
"""Kinds of one experiment each: ``kind/job/experiment/day=…``. Whatever else lies in a root is no artefact."""
MADE_OF_DATA: Final = (EXTRACT, VALIDATED, ROWS, MAPS, STATE, SNAPSHOT, FACTORS, FEATURES, *OF_EXPERIMENTS)
"""In the order in which they are made: no longer true of a day that is skipped after all."""
MAY_BE_SKIPPED: Final = (DAY, CHECKPOINT, RELEASE)
"""Kinds that say of a day, with the reason, that there is nothing."""
REPLACED: Final = (EXTRACT, VALIDATED, ROWS, FEATURES)
"""Only the current generation is read again: the payload of one that another took the place of is pruned."""
MADE_BY: Final = {
    EXTRACT: "extract", VALIDATED: "validate", ROWS: "update_id_maps", STATE: "update_id_maps",
    MAPS: "update_id_maps", FACTORS: "build_features", FEATURES: "build_features", CHECKPOINT: "experiment",
    RELEASE: "release",
}  # fmt: skip
"""The stage that makes a kind; of the kinds of one stage the last is committed last, and says that it is done."""
