from django.apps import AppConfig


class TopicsConfig(AppConfig):
    name = "topics"
    verbose_name = "话题"

    def ready(self) -> None:
        from topics import personal_data
        from users import erasure

        erasure.register(personal_data.holding)
