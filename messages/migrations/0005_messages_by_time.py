from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("inbox", "0004_kinds_of_messages")]
    operations = [
        AddIndexConcurrently(
            model_name="instantmessage",
            index=BrinIndex(fields=["created_at"], autosummarize=True, name="messages_by_time"),
        ),
    ]
