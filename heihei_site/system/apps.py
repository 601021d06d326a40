from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "heihei_site.system"
    label = "system"
    verbose_name = "系统"

    def ready(self) -> None:
        from heihei_site.console import board
        from heihei_site.system import figures, personal_data
        from users import erasure

        board.register(cards=figures.CARDS)
        erasure.register(personal_data.holding)
