from heihei_site.realtime import consumers, guests
from heihei_site.realtime.consumers import Receive, Scope, Send

SERVED = {"/ws/channel": consumers.channel, "/ws/guest": guests.channel}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    await SERVED.get(scope["path"], consumers.nothing_here)(scope, receive, send)
