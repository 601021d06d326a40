from django.apps import AppConfig


class RealtimeConfig(AppConfig):
    name = "heihei_site.realtime"
    label = "realtime"
