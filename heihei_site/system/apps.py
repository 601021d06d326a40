from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "heihei_site.system"
    label = "system"
    verbose_name = "系统"
