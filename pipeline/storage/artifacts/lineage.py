"""What an artefact was made from, and whether that still stands."""

from __future__ import annotations

from pipeline.errors import UsageError
from pipeline.storage.artifacts.artifact import Artifact, Ref, parse_id
from pipeline.storage.artifacts.manifest import Input
from pipeline.storage.artifacts.store import ArtifactStore


class Lineage:
    """Which artefacts are tainted, by themselves or by what they were made from."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._reasons: dict[str, str | None] = {}
        self._current: dict[Ref, Artifact | None] = {}

    def reason(self, artifact: Artifact) -> str | None:
        """Why an artefact is tainted; ``None`` if it is not."""
        # A stack of our own: the lineage of a feature state is as long as the history.
        stack = [artifact]
        entered: set[str] = set()
        while stack:
            here = stack[-1]
            if here.id in self._reasons:
                stack.pop()
                continue
            inputs = self._inputs(here)
            # Nothing is made from itself: inputs that lead in a circle are damage, and must not hang who looks.
            entered.add(here.id)
            open_inputs = [each for each in inputs if each.id not in self._reasons and each.id not in entered]
            if open_inputs:
                stack.extend(open_inputs)
                continue
            self._reasons[here.id] = self._own(here) or self._inherited(inputs)
            stack.pop()
        return self._reasons[artifact.id]

    def _inputs(self, artifact: Artifact) -> list[Artifact]:
        refs = (_ref_of(each.id) for each in artifact.manifest.inputs)
        found = (self._now(ref) for ref in refs if ref is not None)
        return [each for each in found if each is not None and each.id != artifact.id]

    def _own(self, artifact: Artifact) -> str | None:
        by_hand = self._store.taint_reason(artifact.ref)
        if by_hand is not None:
            return f"tainted by hand: {by_hand}"
        changed = self.changed(artifact)
        if changed is not None:
            return f"made from {changed[0].id}, but {changed[1]}"
        return None

    def changed(self, artifact: Artifact) -> tuple[Input, str] | None:
        """The first of its inputs that is no longer what it was made from, and what is there instead."""
        for each in artifact.manifest.inputs:
            ref = _ref_of(each.id)
            now = self._now(ref) if ref is not None else None
            if now is not None and not now.manifest.holds(each.digest):
                return each, f"{now.id} is another"
            if now is None and ref is not None and self._store.is_withdrawn(ref):
                return each, f"{ref.day} is skipped now"
        return None

    def _inherited(self, inputs: list[Artifact]) -> str | None:
        for each in inputs:
            if self._reasons.get(each.id) is not None:
                return f"its input {each.ref} is tainted ({self._root(each)})"
        return None

    def _root(self, artifact: Artifact) -> str:
        reason = self._reasons[artifact.id] or ""
        # Only the cause at the root: a chain of a thousand days must not nest a thousand brackets.
        return reason.rpartition(" is tainted (")[2].rstrip(")") if " is tainted (" in reason else reason

    def _now(self, ref: Ref) -> Artifact | None:
        if ref not in self._current:
            self._current[ref] = self._store.current(ref)
        return self._current[ref]


def _ref_of(artifact_id: str) -> Ref | None:
    """The ref of an input's id; ``None`` for inputs that are no artefacts of the store, such as settings."""
    try:
        return parse_id(artifact_id)[0]
    except UsageError:
        return None
