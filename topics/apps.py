from django.apps import AppConfig


class TopicsConfig(AppConfig):
    name = "topics"
    verbose_name = "话题"

    def ready(self) -> None:
        from heihei_site.uploads.signals import examined
        from topics import personal_data
        from topics.services import examinations
        from users import erasure

        erasure.register(personal_data.holding)
        examined.connect(examinations.learn, dispatch_uid="topics.examined")
