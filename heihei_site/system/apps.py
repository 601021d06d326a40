from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "heihei_site.system"
    label = "system"
    verbose_name = "系统"

    def ready(self) -> None:
        from heihei_site.system import personal_data
        from users import erasure

        erasure.register(personal_data.holding)
