"""The section of a job of labelled rows: each row is by itself, with neither a user nor an item."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

from pipeline.config.requests import OwnLabel, check_label, check_task_labels, refuse_in_batch, refuse_softmax

if TYPE_CHECKING:
    from collections.abc import Container

    from pipeline.config.experiment import Experiment
    from pipeline.config.features import History
    from pipeline.config.tables import Table
    from pipeline.config.tasks import TaskSettings


class LabelledRows(OwnLabel):
    """Labelled rows (`kind: rows`): nothing is ranked, each row gets a probability of its own.

    Args:
        rows: table of the rows.
        label: its column.
        group: its column whose rows belong together (those of a user, of a campaign): the gate's bootstrap draws them
            together, and `gauc` is measured within them. Without it each row is drawn by itself.
    """

    group: str | None = None

    embedded: ClassVar = "parquet:{root}/sources/{job}"
    ranks: ClassVar = False

    @property
    def frames(self) -> dict[str, str]:
        return {"row": self.rows}

    @property
    def unmeasured(self) -> dict[str, str]:
        return {} if self.group else {"gauc": "it is measured within groups of rows: name their column as `rows.group`"}

    def check(self, tables: Mapping[str, Table], spaces: Container[str]) -> None:
        """The rows are a dated table, its label 0 or 1, and every row is of a group if any is."""
        check_label("rows", tables, self.rows, self.label)
        if self.group is None:
            return
        column = tables[self.rows].columns.get(self.group)
        if column is None:
            raise ValueError(f"rows.group: '{self.group}' is no column of the table '{self.rows}'")
        if column.type not in ("int", "str") or not column.required:
            raise ValueError(
                f"rows.group: tables.{self.rows}.columns.{self.group} must be an int or a str with `required: true`: "
                "each row is of one group"
            )

    def check_tasks(self, tasks: Mapping[str, TaskSettings], tables: Mapping[str, Table]) -> None:
        """The first task is the job's label, and every label a column that can be nothing but 0 or 1."""
        check_task_labels("rows", tasks, tables, self.rows, self.label)

    def check_experiment(self, name: str, experiment: Experiment) -> None:
        refuse_softmax(name, experiment, "a row has none")
        refuse_in_batch(name, experiment)

    def idle(self, history: History, is_set: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        for setting in sorted(history.model_fields_set):
            yield f"history.{setting}", "a row belongs to nobody, so it has no history"
        if is_set("replay"):
            yield "replay", "it is for `kind: ranking`: last year's rows are those of homework"
        for setting in ("unknown_share_max", "score_spread_min"):
            if is_set(f"release.{setting}"):
                yield f"release.{setting}", "it is of the candidates of a release, and rows have none"
        if is_set("measures.composite"):
            yield "measures.composite", "it is for `kind: ranking`, whose requests have candidates"

    def idle_of(self, experiment: Experiment) -> Iterator[tuple[str, str]]:
        if "negatives" in experiment.model_fields_set:
            yield "negatives", "they are drawn among a request's candidates, and a row has none"
        if experiment.replay != "off":
            yield "replay", "last year's rows are those of homework"
