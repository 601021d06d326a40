from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("live", "0007_replays")]
    operations = [
        AddIndexConcurrently(
            model_name="live",
            index=models.Index(
                fields=["started_at"], condition=models.Q(started_at__isnull=False), name="lives_by_time"
            ),
        ),
    ]
