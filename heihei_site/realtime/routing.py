from typing import Any

from heihei_site.realtime.consumers import Receive, channel, nothing_here
from heihei_site.realtime.outlet import Send


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    serve = channel if scope["path"] == "/ws/channel" else nothing_here
    await serve(scope, receive, send)
