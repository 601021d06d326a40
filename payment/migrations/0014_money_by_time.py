from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("payment", "0013_credits")]
    operations = [
        AddIndexConcurrently(
            model_name="transfer",
            index=BrinIndex(fields=["created_at"], autosummarize=True, name="transfers_by_time"),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                fields=["settled_at"], condition=models.Q(settled_at__isnull=False), name="orders_by_time"
            ),
        ),
        AddIndexConcurrently(
            model_name="withdrawal",
            index=models.Index(
                fields=["closed_at"], condition=models.Q(closed_at__isnull=False), name="withdrawals_by_time"
            ),
        ),
    ]
