from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ConsoleConfig(AppConfig):
    name = "heihei_site.console"
    label = "console"
    verbose_name = "审计"

    def ready(self) -> None:
        from django.contrib import admin

        from heihei_site.console import act_admin, roles, tunable_admin  # noqa: F401  (two register themselves)

        post_migrate.connect(roles.make, dispatch_uid="console-roles")
        admin.site.index_template = "console/dashboard.html"
