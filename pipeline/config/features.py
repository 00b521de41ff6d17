"""The declared features of a job, its histories and its counters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from models.schema import Feature, Kind, Side
from pipeline.config.bags import BagCounter, Collaborative
from pipeline.config.base import Later, Strict
from pipeline.config.bins import Bins
from pipeline.config.last_year import LastYear
from pipeline.config.negatives import Negatives
from pipeline.config.outcome_levels import Levels, check_levels
from pipeline.config.values import TAKEN

ABOVE_0 = ">0"
OF_LISTS = ("rank", "listed")
"""Measures of a candidate's list, and not of events."""


class Counter(Strict):
    """A value of the feature state, read for day D as it stood at the end of D−1.

    Args:
        key: the features (by name, categorical; of a bag its first value) whose ids together are the key.
        measure: ``count`` of events, ``rate`` of positives (smoothed towards the rate of all), ``days_since`` the last
            event, ``seen`` (0 or 1), ``trend`` = ln((a + s) / (b + s)) of the events as they have decayed by two
            half-lives, a by ``half_life``, b by ``against``, s the ``smoothing``; ``rank`` of the candidate in its
            list, or how many are ``listed`` in it (need no key); of a ``value``, its ``mean`` and ``share`` above 0
            (both smoothed towards those of all events that have one), or its ``sum``.
        value: one of the job's ``values``; events without it do not count.
        half_life: days in which what is counted halves; none = all days alike.
        against: of a ``trend``, the longer half-life.
        smoothing: events of all that are added to a rate, mean or share; of a ``trend``, what is added to both.
        transform: ``log`` = sign(x) log(1 + |x|), ``logit`` of a rate or share.
        centre: less what a key without events has.
        scale: the value is divided by this (unscaled log-counts cost accuracy).
        positives: count only events with a positive label.
    """

    key: tuple[str, ...] = ()
    measure: Literal["count", "rate", "days_since", "seen", "trend", "rank", "listed", "mean", "sum", "share"]
    value: Annotated[str | None, Later()] = None
    half_life: float | None = Field(default=None, gt=0)
    against: Annotated[float | None, Later()] = Field(default=None, gt=0)
    smoothing: float = Field(default=20.0, gt=0)
    transform: Literal["none", "log", "logit"] = "none"
    centre: Annotated[bool, Later()] = False
    scale: float = Field(default=1.0, gt=0)
    positives: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Counter:
        if (self.measure in OF_LISTS) != (not self.key):
            raise ValueError("every measure but `rank` and `listed` needs a key; `rank` takes none, nor does `listed`")
        if len(self.key) > 3:
            raise ValueError(f"at most three features make a key, here {len(self.key)}")
        if (self.measure in TAKEN) != (self.value is not None):
            raise ValueError(f"`value` names what {', '.join(TAKEN)} are of, one of the job's `values`; these need it")
        if self.transform == "logit" and self.measure not in ("rate", "share"):
            raise ValueError("`logit` is for rates and shares")
        if self.half_life is not None and self.measure not in ("count", "rate", "trend", *TAKEN):
            raise ValueError("`half_life` is for counts and rates, for trends, and for what is made of a `value`")
        if (self.measure == "trend") != (self.against is not None):
            raise ValueError("`against` is the longer half-life of a `trend`, which needs it")
        if self.against is not None and (self.half_life is None or self.half_life >= self.against):
            raise ValueError("a `trend` is of two half-lives, the shorter one `half_life`: {half_life: 7, against: 30}")
        if self.centre and self.measure not in ("rate", "mean", "share"):
            raise ValueError("`centre` is for a rate, a mean or a share, which are those of all where nothing is known")
        return self

    @property
    def counted(self) -> str | None:
        """What is summed beside events: a value, or whether it is above 0; none where it is positive labels."""
        return None if self.value is None else f"{self.value}{ABOVE_0 if self.measure == 'share' else ''}"

    @property
    def half_lives(self) -> set[float]:
        """Every half-life that it reads."""
        return {each for each in (self.half_life, self.against) if each is not None}

    @property
    def group(self) -> tuple[str, ...]:
        """What its table is called by: its key, and ``=`` with what is summed beside events."""
        return (*self.key, *([f"={self.counted}"] if self.counted is not None else []))


class Digits(Strict):
    """A part of composed whole numbers: of 40111, five digits, the kind 4 is ``{of: 5, at: 1}``.

    Args:
        of: digits of a composed id; ids of fewer digits are plain.
        at: place of the part's first digit, from the left, from 1; ``count``: how many digits it has.
        allowed: what the part may be; ids with another read as missing and are counted.
        plain: the id that plain ids get, such as -1; none = the part of them is missing, which the check of a release
            takes for unknown.
    """

    of: int = Field(ge=2, le=18)
    at: int = Field(ge=1)
    count: int = Field(default=1, ge=1)
    allowed: tuple[int, ...] | None = None
    plain: int | None = None

    @model_validator(mode="after")
    def _fits(self) -> Digits:
        if self.at + self.count - 1 > self.of:
            raise ValueError(f"digit {self.at + self.count - 1} of ids of {self.of} digits: `at` counts from 1")
        wide = [value for value in self.allowed or () if not 0 <= value < 10**self.count]
        if wide or self.allowed == ():
            raise ValueError(f"`allowed` is what {self.count} digit(s) may be, not {list(self.allowed or ())}")
        if self.plain is not None and self.plain in (self.allowed or range(10**self.count)):
            raise ValueError(f"`plain: {self.plain}` is what composed ids may have there; write -1")
        return self


class Sessions(Strict):
    """How a history is split: into the last ``most`` sessions of at least ``least`` steps.

    Args:
        by: ``day``: what one day has is a session; ``gap``: a new one begins more than ``gap_minutes`` after a step.
    """

    by: Literal["day", "gap"] = "day"
    gap_minutes: Annotated[float | None, Later()] = Field(default=None, gt=0)
    most: int = Field(default=5, ge=1, le=64)
    least: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Sessions:
        if (self.by == "gap") != (self.gap_minutes is not None):
            raise ValueError("`gap_minutes` is of `by: gap`, which needs it: {by: gap, gap_minutes: 30, most: 5}")
        return self


class FeatureSettings(Strict):
    """One feature as the YAML declares it; ``feature`` makes it a ``models.schema.Feature``.

    ``source`` names where the raw value comes from: ``<frame>.<column>``, the frames being ``row`` (the request's own
    row), ``user`` (its profile), ``item`` (the candidate), ``history`` (parts of the histories), ``calendar``
    (``weekday``) and those of the job's kind of request alone. A bag may name several columns. A ``vector`` is a column
    of type ``float_list`` with as many ``items`` as its ``size``.

    ``group`` names the histories that are read together: they come from the same rows, and element by element they are
    the parts of one step. Where one list of a row is shorter, its part of the steps beyond is missing (unknown). A
    history without a group is read by itself, under a mask of its own.
    """

    kind: Kind
    side: Side = Side.REQUEST
    space: str | None = None
    source: str | tuple[str, ...] | None = None
    counter: Counter | None = None
    bag_counter: Annotated[BagCounter | None, Later()] = None
    collaborative: Annotated[Collaborative | None, Later()] = None
    of: str | None = None
    steps: int | None = Field(default=None, ge=1, le=512)
    values: int = Field(default=8, ge=1, le=1024)
    size: int = Field(default=1, ge=1)
    sessions: Annotated[Sessions | None, Later()] = None
    levels: Annotated[tuple[str, ...] | None, Later()] = None  # of a history, only steps of which this came
    negatives: Annotated[Negatives | None, Later()] = None  # of each step of a history; `5` is `{count: 5}`
    stand_in: str | None = None
    group: Annotated[str | None, Later()] = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    unit: Annotated[Literal["second", "hour", "day"], Later()] = "day"  # of ages; days are those of the calendar
    normalise: Literal["none", "zscore", "minmax"] = "none"
    # Of a chain, the first days by whose numbers those of all later ones are normalised; none: by all before.
    fixed_days: Annotated[int | None, Later()] = Field(default=None, ge=1)
    clip: Annotated[float | None, Later()] = Field(default=None, gt=0, le=1e6)  # a normalised number is within ±clip
    log: Annotated[bool, Later()] = False  # of a number, sign(x) log(1 + |x|), in the model; then normalised
    flag: Annotated[bool, Later()] = False  # of a number: the model is also told whether it is missing
    buckets: tuple[float, ...] | None = None  # a number becomes the index of its bucket, an int id
    # A number of the row becomes its bin, an int id, between limits learnt from past days; `32` is `{count: 32}`.
    bins: Annotated[Bins | None, Later()] = None
    part: int | None = Field(default=None, ge=0, le=2)  # of a path /A/B/C, the part used
    digits: Annotated[Digits | None, Later()] = None  # of a composed whole number, the part used
    # How several columns make one id: `column` tells a value by the column it stands in (label_4:1), `pairs` joins the
    # columns two by two (<first>:<second>).
    compose: Annotated[Literal["column", "pairs"] | None, Later()] = None
    input: bool = True  # false: mapped and usable as a counter's key, but not seen by models

    @field_validator("negatives", "bins", mode="before", json_schema_input_type=int | dict[str, Any] | None)
    @classmethod
    def _a_number_of_them(cls, value: Any) -> Any:
        return {"count": value} if isinstance(value, int) else value

    @model_validator(mode="after")
    def _fits(self) -> FeatureSettings:
        if self.kind is Kind.NEGATIVES:
            raise ValueError("negatives are drawn for the steps of a history: give it `negatives: 5`")
        if self.negatives is not None and self.of is None:
            raise ValueError("`negatives` are items that could have stood in a step: name the one that it is `of`")
        if self.kind.has_ids != (self.space is not None):
            none = "" if self.kind.has_ids else f", and `{self.kind}` takes none"
            raise ValueError(f"every kind but `dense` and `vector` needs an id `space`{none}")
        over_bag = {"bag_counter": self.bag_counter, "collaborative": self.collaborative}
        made_of = [each for each in (self.source, self.counter, *over_bag.values()) if each is not None]
        if len(made_of) != 1:
            raise ValueError("needs one of `source`, `counter`, `bag_counter` and `collaborative`")
        if self.source is None and self.kind is not Kind.DENSE:
            raise ValueError("a counter is `dense`")
        for name, each in over_bag.items():
            if each is not None and self.side is not Side.PAIR:
                raise ValueError(f"`{name}` is of a request and a candidate: `side: pair`")
        if self.collaborative is not None and self.size != 2:
            raise ValueError("`collaborative` gives two values, the mean and the least of the bag: `size: 2`")
        if self.counter is not None and (self.log or self.flag):
            raise ValueError("a counter has `transform: log` instead of `log`; it is never missing: no `flag`")
        for name in ("fixed_days", "clip"):
            if getattr(self, name) is not None and self.normalise == "none":
                raise ValueError(f"`{name}` is of a number that is normalised: add `normalise: zscore` or `minmax`")
        if self.buckets is not None and list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"`buckets` must rise from one limit to the next, not {list(self.buckets)}")
        if self.group is not None and not self.kind.is_history and self.kind is not Kind.AGES:
            raise ValueError(f"`group` is for histories (sequence, bag_sequence, sessions), not for a {self.kind}")
        if (self.kind is Kind.SESSIONS) != (self.sessions is not None):
            raise ValueError("`sessions` says how a history of kind `sessions` is split: {by: day, most: 5}")
        if self.sessions is not None and self.steps is not None and self.sessions.least > self.steps:
            raise ValueError(f"a session has at most `steps: {self.steps}`, which is below `least`")
        if self.kind is Kind.AGES and (self.group is None or self.source != "history.age"):
            raise ValueError("`ages` are those of the steps of a `group`, with the source `history.age`")
        if self.group is not None and self.side is not Side.REQUEST:
            raise ValueError(f"`group` is for histories, which are on the request's side, not on the {self.side}'s")
        self._check_rules()
        if self.side is Side.PAIR and self.kind is not Kind.DENSE:
            raise ValueError("features of a pair are `dense`")
        return self

    def _check_rules(self) -> None:
        if self.bins is not None:
            self._check_bins()
        rules = [name for name in ("buckets", "part", "digits", "compose") if getattr(self, name) is not None]
        if not self.kind.has_ids and {"digits", "compose"} & set(rules):
            raise ValueError(f"`{rules[0]}` makes ids, and `{self.kind}` has none")
        if len(rules) > 1 and {"digits", "compose"} & set(rules):
            raise ValueError(f"one rule makes the id: {' or '.join(f'`{name}`' for name in rules)}")
        if self.compose is None:
            return
        columns = len(self.source) if isinstance(self.source, tuple) else 1
        if columns < 2 or (self.compose == "pairs" and columns % 2):
            wanted = "an even number of columns" if self.compose == "pairs" else "several columns"
            raise ValueError(f"`compose: {self.compose}` needs a `source` of {wanted}")

    def _check_bins(self) -> None:
        for name in ("buckets", "part", "digits", "compose"):
            if getattr(self, name) is not None:
                raise ValueError(f"one rule makes the id: `bins` or `{name}`")
        of_row = isinstance(self.source, str) and self.source.startswith("row.")
        if self.kind is not Kind.CATEGORICAL or self.side is not Side.REQUEST or not of_row:
            raise ValueError(
                "`bins` make one id of a number of the row: {kind: categorical, space: i1, source: row.i1, bins: 32}"
            )

    @property
    def needs_times(self) -> bool:
        """Whether it is made of the moment of each step, and not of its day alone."""
        return self.unit != "day" or (self.sessions is not None and self.sessions.by == "gap")

    def feature(self, name: str, *, steps: int, lead: int) -> Feature:
        """The feature as the models see it; ``steps`` and ``lead`` are those of the job's history."""
        led = self.kind is Kind.BAG_SEQUENCE and isinstance(self.source, str) and self.source.startswith("history.")
        return Feature(
            name=name, kind=self.kind, side=self.side, space=self.space, of=self.of,
            steps=self.steps or steps, sessions=self.sessions.most if self.sessions else 1, lead=lead if led else 0,
            values=self.values, size=(self.steps or steps) if self.kind is Kind.AGES else self.size,
            stand_in=self.stand_in, group=self.group, normalise=self.normalise,
            fixed_days=self.fixed_days, clip=self.clip, log=self.log, flag=self.flag, bins=self.bins is not None,
        )  # fmt: skip


class History(Strict):
    """The window of days behind a request, or the last events behind an impression.

    Args:
        of: the impressions of earlier days that are events: those that were clicked, or all.
        outcome: levels of what came of each, by rules over its row; a part of the history's steps.
    """

    of: Annotated[Literal["clicks", "all"], Later()] = "clicks"
    outcome: Annotated[Levels, Later()] = Field(default_factory=dict)

    days: Literal["calendar", "active"] = "calendar"  # calendar days, or the last days with data
    length: int = Field(default=14, ge=1, le=366)
    lead: int = Field(default=7, ge=0, le=60)  # days before the window that a forward gap fill may draw on
    values: int = Field(default=10, ge=1)  # ids kept a day
    last_year: LastYear | None = None

    @property
    def kept(self) -> dict[str, Any]:
        """Which events are kept, and the levels of what came of them, where these are said."""
        return self.model_dump(mode="json", include={"of", "outcome"})

    @model_validator(mode="after")
    def _fits(self) -> History:
        check_levels(self.outcome)
        if self.days == "active" and self.lead:
            raise ValueError("`lead` must be 0 with `days: active`, which has no gaps to fill")
        return self
