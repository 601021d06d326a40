from heihei_site.realtime.consumers import Receive, Scope, Send, channel, nothing_here


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    serve = channel if scope["path"] == "/ws/channel" else nothing_here
    await serve(scope, receive, send)
