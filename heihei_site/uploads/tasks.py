from celery import shared_task


@shared_task(name="heihei_site.uploads.tasks.examine")
def examine() -> int:
    """Looks into every upload that is in use and was not looked into yet."""
    from heihei_site.uploads import examination

    return examination.examine_waiting()


@shared_task(name="heihei_site.uploads.tasks.sweep")
def sweep() -> int:
    """Throws away what nobody used in its time."""
    from heihei_site.uploads import sweeping

    return sweeping.sweep()
