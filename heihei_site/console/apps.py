from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "heihei_site.console"
    label = "console"
    verbose_name = "审计"
