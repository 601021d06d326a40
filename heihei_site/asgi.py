"""HTTP and sockets for any ASGI server: uvicorn in `make run` and in production, daphne under `runserver`."""

import os
from typing import cast

from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")
http = get_asgi_application()

from heihei_site.api.edge import App, Edge  # noqa: E402  (Django has to be set up first)
from heihei_site.realtime.routing import application as websocket  # noqa: E402

application = ProtocolTypeRouter({"http": Edge(cast(App, http)), "websocket": websocket})
