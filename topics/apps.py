from django.apps import AppConfig


class TopicsConfig(AppConfig):
    name = "topics"
    verbose_name = "话题"

    def ready(self) -> None:
        from heihei_site.uploads.signals import examined
        from topics import personal_data
        from topics.services import counting, examinations
        from users import countings, erasure

        erasure.register(personal_data.holding)
        countings.register("topics", counting.of_person)
        examined.connect(examinations.learn, dispatch_uid="topics.examined")
