"""HTTP and sockets for any ASGI server: uvicorn in `make run` and in production, daphne under `runserver`."""

import os

from channels.routing import ProtocolTypeRouter
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")
http = get_wsgi_application()

from heihei_site.api.edge import Edge  # noqa: E402  (Django has to be set up first)
from heihei_site.realtime.routing import application as websocket  # noqa: E402

application = ProtocolTypeRouter({"http": Edge(http), "websocket": websocket})
