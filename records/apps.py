from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"
    verbose_name = "录音"

    def ready(self) -> None:
        from heihei_site.console import board
        from records import figures, personal_data
        from users import erasure

        board.register(cards=figures.CARDS)
        erasure.register(personal_data.holding)
