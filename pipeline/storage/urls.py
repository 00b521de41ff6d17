"""URLs of stores without the secrets in them, for messages and manifests."""

from __future__ import annotations

import re
from urllib.parse import unquote

# Up to the last @: a password with a raw @, /, # or ? is no valid URL, but drivers take some, and people write them.
_USER_INFO = re.compile(
    r"^(?P<scheme>(?:[A-Za-z0-9+.-]*:?/+)?)(?P<user>[^:]*)(?P<colon>:?)(?P<password>.*)@", re.DOTALL
)
_QUERY_SECRET = re.compile(r"([?&](?:password|passwd|ssl_password|secret|token)=)([^&]*)", re.IGNORECASE)
_FILES = re.compile(r"(?:sqlite|parquet|file)[:+]")
# Only behind one of these can what stands before the first colon be nothing but a user.
_KNOWN = re.compile(r"(?:(?:mysql|mariadb)(?:\+[a-z]+)?|rediss?):?//")
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
        known = _KNOWN.fullmatch(info["scheme"])
        if info["colon"]:
            found.add(info["password"])
        if not known or (not info["colon"] and not _NAMED_USER.match(info["scheme"])):
            found.add(info["user"])
    return {form for secret in found if secret for form in (secret, unquote(secret))}


def _hidden(info: re.Match[str]) -> str:
    scheme, user = info["scheme"], info["user"]
    if not _KNOWN.fullmatch(scheme):
        return f"{scheme}***@"
    # Without a colon it may be a user, but where there need be none it is more likely the password.
    if not info["colon"]:
        return f"{scheme}{user if _NAMED_USER.match(scheme) else '***'}@"
    return f"{scheme}{user}:***@"
