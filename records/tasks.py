from celery import shared_task

from records.services import forgetting


@shared_task(name="records.tasks.forget")
def forget() -> int:
    return forgetting.forget()
