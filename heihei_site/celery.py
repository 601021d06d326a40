import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "heihei_site.settings")

app = Celery("heihei_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
