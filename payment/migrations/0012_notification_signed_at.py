from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("payment", "0011_append_only_openings")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="notification",
            name="signed_at",
            field=models.DateTimeField(
                blank=True, help_text="by Apple's clock; others tell none", null=True, verbose_name="签名时间"
            ),
        ),
    ]
