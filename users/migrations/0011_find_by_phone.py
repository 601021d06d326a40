from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("users", "0010_connected_at")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="user",
            options={
                "permissions": (("find_by_phone", "可以按手机号查找用户"),),
                "verbose_name": "用户",
                "verbose_name_plural": "用户",
            },
        ),
    ]
