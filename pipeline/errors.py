"""What can go wrong, as a user is told of it: one clear message each, with an exit code."""

from __future__ import annotations


class DayspringError(Exception):
    """Something failed; the message names the file, field and value and says what to do."""

    exit_code = 1


class LastingError(DayspringError):
    """It fails the same way until somebody changes something, so that it is not tried again by itself."""

    exit_code = 3


class UsageError(DayspringError):
    """The command, a setting or an argument is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A job's YAML or an environment variable is wrong; names the file and the field."""


class SourceError(DayspringError):
    """A source cannot be read: not there, not reachable, or not of the declared shape."""


class SourceInterrupted(SourceError):
    """A source broke off while it was read: what was read is thrown away, and reading again may help."""


class DataError(LastingError):
    """A day's data is too bad to go on with."""


class CorruptArtifact(LastingError):
    """A committed file is damaged."""


class PrunedPayload(CorruptArtifact):
    """A payload is needed that retention has removed; ``artifact`` is the id."""

    def __init__(self, message: str, artifact: str) -> None:
        super().__init__(message)
        self.artifact = artifact

    def __reduce__(self) -> tuple[type[PrunedPayload], tuple[str, str]]:
        return type(self), (str(self), self.artifact)


class ChainError(LastingError):
    """A day cannot be trained where it stands in its chain."""


class NotYet(ChainError):
    """What a day's release is made of is not there; a task that was cleared with it may be making it."""

    exit_code = DayspringError.exit_code


class TrainerLost(DayspringError):
    """Of several processes that train together one has ended: nothing of the day is kept, and trying again may help."""


class LockTimeout(DayspringError):
    """Another process holds the lock; names its pid, host and age."""


class DaySkipped(DayspringError):
    """The day holds no data for training: recorded, not a failure."""

    exit_code = 99
