"""The app as the plugin registers it: built at its first request, as every task process imports the plugin too."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class LazyPage:
    """An ASGI app that imports nothing before it is asked for something."""

    def __init__(self) -> None:
        self._app: Any = None
        self._lock = threading.Lock()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        with self._lock:
            if self._app is None:
                from dayspring.page.app import build

                self._app = build()
        await self._app(scope, receive, send)
