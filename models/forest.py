"""Trees as arrays: read from LightGBM's text and written as such, whoever walks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_NO_MISSING, _NAN = 0, 2


@dataclass(frozen=True)
class Forest:
    """Trees over the columns of a matrix, one a row; what stands beyond a tree's own nodes and leaves is 0.

    A child from 0 on is a node, ``-1 - leaf`` a leaf. A value goes left where it is at most the threshold, and to the
    default side where it is missing. A tree of one leaf alone is none.

    Attributes:
        leaves: int32 ``[trees]``, at least two each.
        feature, left, right: int32 ``[trees, nodes]``.
        threshold: float64 ``[trees, nodes]``.
        default_left: bool ``[trees, nodes]``.
        value: float64 ``[trees, nodes + 1]``, of the leaves.
    """

    leaves: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    default_left: NDArray[np.bool_]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.leaves)

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[Any]]) -> Forest:
        """Of what :attr:`tensors` gave."""
        return cls(**{each.name: tensors[each.name] for each in fields(cls)})

    @classmethod
    def none(cls) -> Forest:
        """Without a tree."""
        return _forest([], 0)

    @classmethod
    def read(cls, text: str) -> Forest:
        """The trees of a LightGBM model, as it is written.

        Raises:
            ValueError: a tree asks a category, or takes zero for missing, or has more than a value in its leaves.
        """
        trees = []
        for block in text.partition("\nend of trees")[0].split("\nTree=")[1:]:
            said = dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)
            if int(said["num_leaves"]) > 1:
                trees.append(_tree(said))
        return _forest(trees, max((len(each["feature"]) for each in trees), default=0))

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def text(self, columns: int) -> str:
        """A model that LightGBM reads, over a matrix of so many columns."""
        names = " ".join(f"c{number}" for number in range(columns))
        head = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
                f"max_feature_idx={columns - 1}", "objective=regression", f"feature_names={names}",
                f"feature_infos={' '.join(['[-1:1]'] * columns)}", ""]  # fmt: skip
        return "\n".join([*head, *(self._block(tree) for tree in range(len(self))), "end of trees", ""])

    def newest(self, count: int) -> Forest:
        """The last so many trees."""
        kept = max(len(self) - count, 0)
        return Forest(**{name: values[kept:] for name, values in self.tensors.items()})

    def followed_by(self, others: Forest) -> Forest:
        """These trees and then ``others``."""
        nodes = max(self.feature.shape[1], others.feature.shape[1])
        mine, theirs = (each._room_for(nodes).tensors for each in (self, others))
        return Forest(**{name: np.concatenate([mine[name], theirs[name]]) for name in mine})

    def asking(self, columns: Sequence[int]) -> Forest:
        """The same trees over a matrix in which column ``n`` is column ``columns[n]``."""
        return replace(self, feature=np.asarray(columns, np.int32)[self.feature] if len(self) else self.feature)

    def _room_for(self, nodes: int) -> Forest:
        more = nodes - self.feature.shape[1]
        wider = {
            name: np.pad(values, ((0, 0), (0, more))) for name, values in self.tensors.items() if values.ndim == 2
        }
        return replace(self, **wider)

    def _block(self, tree: int) -> str:
        leaves = int(self.leaves[tree])
        nodes = slice(0, leaves - 1)
        decisions = (_NAN << 2) + _DEFAULT_LEFT * self.default_left[tree, nodes]
        return "\n".join([
            f"Tree={tree}", f"num_leaves={leaves}", "num_cat=0", f"split_feature={_told(self.feature[tree, nodes])}",
            f"split_gain={_told(np.zeros(leaves - 1, int))}", f"threshold={_told(self.threshold[tree, nodes])}",
            f"decision_type={_told(decisions)}", f"left_child={_told(self.left[tree, nodes])}",
            f"right_child={_told(self.right[tree, nodes])}", f"leaf_value={_told(self.value[tree, :leaves])}",
            "is_linear=0", "shrinkage=1", "", "",
        ])  # fmt: skip


def _forest(trees: Sequence[Mapping[str, NDArray[Any]]], nodes: int) -> Forest:
    def padded(name: str, kind: Any, width: int) -> NDArray[Any]:
        found = np.zeros((len(trees), width), kind)
        for row, tree in enumerate(trees):
            found[row, : len(tree[name])] = tree[name]
        return found

    return Forest(
        leaves=np.array([len(tree["value"]) for tree in trees], np.int32),
        feature=padded("feature", np.int32, nodes), threshold=padded("threshold", np.float64, nodes),
        default_left=padded("default_left", np.bool_, nodes), left=padded("left", np.int32, nodes),
        right=padded("right", np.int32, nodes), value=padded("value", np.float64, nodes + 1),
    )  # fmt: skip


def _tree(said: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    decision = np.array(said["decision_type"].split(), np.int64)
    missing = (decision >> 2) & 3
    if int(said["num_cat"]) or (decision & _CATEGORICAL).any():
        raise ValueError("a tree asks a category; only numbers are walked")
    if int(said.get("is_linear", 0)):
        raise ValueError("a tree has a line in each leaf; only values are walked")
    if not np.isin(missing, (_NO_MISSING, _NAN)).all():
        raise ValueError("a tree takes zero for missing; only NaN is")
    threshold = np.array(said["threshold"].split(), np.float64)
    # Where no value was missing when it was fitted, LightGBM reads a missing one as zero.
    default_left = np.where(missing == _NAN, (decision & _DEFAULT_LEFT) > 0, threshold >= 0)
    of_nodes = {
        name: np.array(said[key].split(), np.int32)
        for name, key in (("feature", "split_feature"), ("left", "left_child"), ("right", "right_child"))
    }
    value = np.array(said["leaf_value"].split(), np.float64)
    return {**of_nodes, "threshold": threshold, "default_left": default_left, "value": value}


def _told(values: NDArray[Any]) -> str:
    return " ".join(map(repr, values.tolist()))
