from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("realtime", "0003_mass_messages_pushed")]
    operations = [
        AddIndexConcurrently(model_name="message", index=models.Index(fields=["created_at"], name="told_by_time")),
    ]
