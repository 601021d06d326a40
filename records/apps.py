from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "records"
    verbose_name = "录音"

    def ready(self) -> None:
        from records import personal_data
        from users import erasure

        erasure.register(personal_data.holding)
