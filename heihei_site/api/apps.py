from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "heihei_site.api"
    label = "api"
