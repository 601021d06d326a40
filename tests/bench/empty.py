"""The floor of a call: Django as our settings have it, and a plain DRF view that does nothing but the call's SQL.

uvicorn tests.bench.empty:application
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "tests.bench.empty_urls"
http = get_wsgi_application()

from heihei_site.api.edge import Edge  # noqa: E402  (Django has to be set up first)

application = Edge(http)
