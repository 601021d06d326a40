from celery import shared_task

from records.services import forgetting, measuring


@shared_task(name="records.tasks.forget")
def forget() -> int:
    return forgetting.forget()


@shared_task(name="records.tasks.measure")
def measure() -> int:
    """Run twice at a time, some are measured twice, with the same result."""
    return measuring.measure_waiting()
