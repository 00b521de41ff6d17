"""Recall from a release: the items whose vectors are nearest to a request's, as they were updated since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.release.publish.upserts import Upserted, Upserts
from pipeline.serving.loaded_model import LoadedModel


class Recaller:
    """The vectors of a release's items, and the tower that makes those of requests.

    Args:
        folder: of the release's model.
        release_id: of the release.
        upserts: where vectors are that were updated since.

    Attributes:
        inputs: names of the features that the tower takes.

    Raises:
        UsageError: the model has no towers, or no table listed its items.
    """

    def __init__(self, folder: Path, release_id: str, upserts: Upserts) -> None:
        from models.export import nearest

        beside = folder / nearest.BESIDE
        if not (beside / nearest.FOLDER).is_dir():
            raise UsageError(
                f"release {release_id} has no vectors of items to recall by: its model has no two towers "
                "(`dropoutnet`), or the job no table of its items (`impressions.items`)"
            )
        self._tower = LoadedModel(beside / nearest.USER)
        self.inputs = self._tower.inputs
        self._keys, vectors = nearest.read_items(beside / nearest.FOLDER)
        if not len(self._keys):
            raise UsageError(
                f"release {release_id} has no item to recall: the job's table of items listed none when it was made; "
                "publish a day whose table lists some"
            )
        self._nearest = nearest.Nearest.read(beside / nearest.FOLDER, vectors)
        self._release_id, self._upserts = release_id, upserts
        self._updated = Upserted(None, [], vectors[:0]), np.zeros(0, np.int64)

    @property
    def some_item(self) -> Any:
        """The raw id of one of the items."""
        return self._keys[:1].tolist()[0]

    def recall(self, inputs: Mapping[str, NDArray[Any]], many: int) -> tuple[list[Any], NDArray[np.float32]]:
        """Raw ids and scores of the ``many`` nearest items or fewer, best first.

        Args:
            inputs: of the tower, of one request.
        """
        updated, stale = self._newest()
        (user,) = self._tower.answer(inputs)["vector/user"].numpy()
        # Of an item that was updated or taken away since, what the release itself says is left out.
        places, scores = self._nearest.search(user, many + len(stale))
        kept = ~np.isin(places, stale)
        keys, scores = [*self._keys[places[kept]].tolist(), *updated.keys], scores[kept]
        if updated.keys:
            scores = np.concatenate([scores, updated.vectors @ user])
        order = np.argsort(-scores, kind="stable")[:many]
        return [keys[at] for at in order.tolist()], scores[order]

    def _newest(self) -> tuple[Upserted, NDArray[np.int64]]:
        """What was updated, and the places of the release's own items that are stale by it; both of one moment."""
        known = self._updated
        if self._upserts.newest(self._release_id) != known[0].newest:
            updated = self._upserts.read(self._release_id)
            other = np.array([*updated.keys, *updated.gone], self._keys.dtype)
            stale = np.flatnonzero(np.isin(self._keys, other))
            known = self._updated = updated, stale
        return known
