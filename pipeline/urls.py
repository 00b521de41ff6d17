"""URLs of stores without the secrets in them, for messages and manifests."""

from __future__ import annotations

import re
from urllib.parse import unquote

# Up to the last @: a password with a raw @, /, # or ? is no valid URL, but drivers take some, and people write them.
_USER_INFO = re.compile(r"^(?P<scheme>[A-Za-z0-9+.-]*:?/*)(?P<user>[^:]*)(?P<colon>:?)(?P<password>.*)@", re.DOTALL)
_QUERY_SECRET = re.compile(r"([?&](?:password|passwd|ssl_password|secret|token)=)([^&]*)", re.IGNORECASE)
_FILES = re.compile(r"(?:sqlite|parquet|file)[:+]")
_NAMED_USER = re.compile(r"mysql|mariadb")


def mask_url(url: str) -> str:
    """The URL with its password replaced by ``***``, also where it is mistyped; more than that where one cannot tell.

    >>> mask_url("redis://:secret@cache:6379/0")
    'redis://:***@cache:6379/0'
    """
    if _FILES.match(url):
        return url
    return _QUERY_SECRET.sub(r"\1***", _USER_INFO.sub(_hidden, url))


def secrets_of(url: str) -> set[str]:
    """The passwords in a URL, as written and as meant, to be kept out of a driver's own messages."""
    if _FILES.match(url):
        return set()
    found = {secret for _, secret in _QUERY_SECRET.findall(url)}
    if info := _USER_INFO.match(url):
        found.add(info["password"] if info["colon"] else "" if _NAMED_USER.match(url) else info["user"])
    return {form for secret in found if secret for form in (secret, unquote(secret))}


def _hidden(info: re.Match[str]) -> str:
    # Without a colon it may be a user, but where there need be none it is more likely the password.
    if not info["colon"]:
        return f"{info['scheme']}{info['user'] if _NAMED_USER.match(info['scheme']) else '***'}@"
    return f"{info['scheme']}{info['user']}:***@"
