"""What MySQL's errors mean for the one who runs the pipeline."""

from __future__ import annotations

import re

from pymysql.constants import CR, ER
from pymysql.err import OperationalError

_LOST = {
    CR.CR_CONNECTION_ERROR, CR.CR_CONN_HOST_ERROR, CR.CR_UNKNOWN_HOST, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST,
    CR.CR_SERVER_LOST_EXTENDED, CR.CR_SERVER_HANDSHAKE_ERR, CR.CR_MALFORMED_PACKET, CR.CR_COMMANDS_OUT_OF_SYNC,
    ER.SERVER_SHUTDOWN, ER.CON_COUNT_ERROR, ER.NEW_ABORTING_CONNECTION, ER.ABORTING_CONNECTION, ER.NET_READ_ERROR,
    ER.NET_READ_INTERRUPTED, ER.NET_ERROR_ON_WRITE, ER.NET_WRITE_INTERRUPTED, ER.NET_PACKETS_OUT_OF_ORDER,
    ER.QUERY_INTERRUPTED,
    1927,  # MariaDB: connection was killed
    4031,  # MySQL 8: disconnected because of inactivity
}  # fmt: skip
_PASSING = {ER.TABLE_DEF_CHANGED, ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT}
_TOO_LARGE = {ER.NET_PACKET_TOO_LARGE, CR.CR_NET_PACKET_TOO_LARGE}
_CRASHED = {126, 127, 134, 144, 145, 1034, 1035, 1194, 1195, 1712, 1877}  # the table's files are damaged
_NOT_IN_ENGINE = {1812, 1932}  # its definition is there, its rows are not
_BROKEN_VIEW = {1356, 1449}
_HOST = {ER.HOST_IS_BLOCKED, ER.HOST_NOT_PRIVILEGED}
_EXPIRED = {1820, 1862, 3118, 4151}  # the password must be changed; the account is locked
_TLS = {2026, 3159}
_LOGIN = {1251, 2059}
_REFUSED = {ER.ACCESS_DENIED_ERROR, 1698}  # 1698: MariaDB, an account without a password
_NO_GREETING = "no greeting of a MySQL server came"
_QUOTED = re.compile(r"'([^']*)'")


def code_of(error: BaseException) -> int:
    """The error's number; 0 where it has none."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else 0


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or was never made: the same request may do better later."""
    # pymysql's InterfaceError (0, '') is a connection that it has closed itself.
    return code_of(error) in _LOST or type(error).__name__ == "InterfaceError" or isinstance(error, OSError)


def is_passing(error: BaseException) -> bool:
    """Whether the statement met a change of the table or a lock, and may do better when everything is read again."""
    return code_of(error) in _PASSING


def advice(error: BaseException, *, address: str, variable: str, read_seconds: int) -> str | None:
    """What happened and what to do; ``None`` for what only the database's own words tell."""
    code, said = code_of(error), str(error)
    if _NO_GREETING in said:
        return (
            f"what listens at {address} is no MySQL server, or too busy to answer; correct host and port in "
            f"{variable}, or give it longer by `connect_timeout=SECONDS` in the URL"
        )
    if "timed out" in said:
        return (
            f"the MySQL server at {address} gave no answer in time (read_timeout is {read_seconds} s); "
            f"look at its load, or give it longer by `read_timeout=SECONDS` in the URL of {variable}"
        )
    if code in (CR.CR_CONN_HOST_ERROR, CR.CR_CONNECTION_ERROR, CR.CR_UNKNOWN_HOST):
        return f"the MySQL server at {address} cannot be reached; start it, or correct host and port in {variable}"
    if "Packet sequence number wrong" in said:
        return f"what answers at {address} is no MySQL server; correct host and port in {variable}"
    if code in _HOST:
        return (
            f"the MySQL server at {address} lets nobody in from this host; GRANT the user access from here, or after "
            "too many broken connections `FLUSH HOSTS` there"
        )
    if code in _EXPIRED:
        return f"the password of the user of {variable} has expired or the account is locked; renew it there"
    if code in _TLS:
        return (
            f"the MySQL server at {address} and this client do not agree on TLS; name its CA by `ssl_ca=FILE` in the "
            f"URL of {variable}"
        )
    if code in _LOGIN:
        return f"the MySQL server at {address} wants a way of logging in that the client has not; give its user another"
    if is_lost(error):
        return f"the connection to the MySQL server at {address} broke off; look into its log, then run again"
    if code in _REFUSED:
        return f"the MySQL server at {address} refuses this user or password; correct {variable}"
    if code in (ER.BAD_DB_ERROR, ER.DBACCESS_DENIED_ERROR):
        return f"there is no such database at {address}, or the user may not use it; correct {variable} or GRANT SELECT"
    if code in (ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR):
        return f"the user may not read it; GRANT SELECT to the user of {variable}"
    if code in _CRASHED:
        return "the table is damaged; mend it (REPAIR TABLE, or a backup)"
    if code in _NOT_IN_ENGINE:
        return "the table's files are missing on the server; bring them back from a backup"
    if code in _BROKEN_VIEW:
        return "it is a view whose tables or definer are gone or closed to it; mend the view"
    if code in _TOO_LARGE:
        return f"a row is larger than max_allowed_packet of the MySQL server at {address} (or of pymysql, 16 MB)"
    if code == ER.TABLE_DEF_CHANGED:
        return "the table was altered while it was read"
    return None


def no_greeting(how: str) -> OperationalError:
    """The error of a connection on which no server of MySQL has said what it is."""
    return OperationalError(CR.CR_SERVER_LOST, f"{_NO_GREETING} {how}")


def missing_table(error: BaseException) -> str | None:
    """The name of the table that is not there."""
    return _first_quoted(error) if code_of(error) == ER.NO_SUCH_TABLE else None


def missing_column(error: BaseException) -> str | None:
    """The name of the column that is not there."""
    return _first_quoted(error) if code_of(error) == ER.BAD_FIELD_ERROR else None


def _first_quoted(error: BaseException) -> str:
    found = _QUOTED.search(str(error.args[-1]))
    return found[1] if found else "?"
