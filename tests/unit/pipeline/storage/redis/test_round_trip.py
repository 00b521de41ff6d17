from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline.storage.redis.round_trip import Command, asked

COMMANDS = [("GET", "a"), ("HMGET", "b", "x", "y")]


class Connection:
    """Answers or errors in the order in which they are read."""

    def __init__(self, *answers: Any) -> None:
        self.retry = Retry(NoBackoff(), 1, (redis.ConnectionError,))
        self.answers = list(answers)
        self.sent: list[Any] = []
        self.disconnected = 0
        self.held = False
        self.client: Any = SimpleNamespace(connection_pool=self)

    def get_connection(self) -> Connection:
        self.held = True
        return self

    def release(self, connection: Connection) -> None:
        assert connection is self
        self.held = False

    def pack_commands(self, commands: Sequence[Command]) -> list[Command]:
        return list(commands)

    def send_packed_command(self, packed: list[Command]) -> None:
        self.sent.append(packed)

    def read_response(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def disconnect(self) -> None:
        self.disconnected += 1


def test_answers_come_in_the_order_of_the_commands_which_are_sent_at_once() -> None:
    connection = Connection(b"1", [b"2", None])
    assert asked(connection.client, COMMANDS) == [b"1", [b"2", None]]
    assert (connection.sent, connection.disconnected, connection.held) == ([COMMANDS], 0, False)


def test_where_the_connection_breaks_all_is_asked_again() -> None:
    connection = Connection(b"old", redis.ConnectionError("cut"), b"1", [b"2", None])
    assert asked(connection.client, COMMANDS) == [b"1", [b"2", None]]
    assert (connection.sent, connection.disconnected, connection.held) == ([COMMANDS, COMMANDS], 1, False)


def test_answers_behind_a_refused_command_are_nobody_elses() -> None:
    connection = Connection(redis.ResponseError("WRONGTYPE"), [b"2", None])
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        asked(connection.client, COMMANDS)
    assert connection.disconnected
    assert not connection.held
