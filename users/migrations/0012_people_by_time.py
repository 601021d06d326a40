from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("users", "0011_find_by_phone")]
    operations = [
        AddIndexConcurrently(model_name="user", index=models.Index(fields=["date_joined"], name="people_by_time")),
    ]
