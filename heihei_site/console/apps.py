from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "heihei_site.console"
    label = "console"
    verbose_name = "审计"

    def ready(self) -> None:
        from django.contrib import admin

        admin.site.index_template = "console/dashboard.html"
