from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("users", "0010_connected_at")]
    operations = [
        AddIndexConcurrently(model_name="user", index=models.Index(fields=["date_joined"], name="people_by_time")),
    ]
