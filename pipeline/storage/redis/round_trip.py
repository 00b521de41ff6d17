"""Several commands that read, in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

Command = tuple[str, ...]


def asked(client: redis.Redis, commands: Sequence[Command]) -> list[Any]:
    """The answers, in order; asked again where a connection breaks.

    What a pipeline of the client does, less its bookkeeping, which takes twice as long as all of the rest.

    Raises:
        redis.RedisError: the server cannot be asked, or refuses one of the commands.
    """
    pool = client.connection_pool
    connection = pool.get_connection()
    try:
        return list(
            connection.retry.call_with_retry(lambda: _asked(connection, commands), lambda _: connection.disconnect())
        )
    except BaseException:
        connection.disconnect()  # answers that nobody read must not be those of the next round trip
        raise
    finally:
        pool.release(connection)


def _asked(connection: Any, commands: Sequence[Command]) -> list[Any]:
    connection.send_packed_command(connection.pack_commands(commands))
    return [connection.read_response() for _ in commands]
