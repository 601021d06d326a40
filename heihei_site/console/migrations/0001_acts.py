from typing import ClassVar

import django.core.serializers.json
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION console_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER console_act_append_only BEFORE UPDATE OR DELETE ON console_act
    FOR EACH ROW EXECUTE FUNCTION console_refuse_change();
CREATE TRIGGER console_act_never_emptied BEFORE TRUNCATE ON console_act
    FOR EACH STATEMENT EXECUTE FUNCTION console_refuse_change();
"""

BACKWARD = """
DROP TRIGGER console_act_never_emptied ON console_act;
DROP TRIGGER console_act_append_only ON console_act;
DROP FUNCTION console_refuse_change();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), db_index=True, verbose_name="时间"
                    ),
                ),
                ("verb", models.CharField(db_index=True, max_length=64, verbose_name="操作")),
                ("model", models.CharField(help_text="app.model", max_length=100, verbose_name="对象类型")),
                (
                    "object_id",
                    models.CharField(
                        blank=True,
                        help_text="空：整个列表，或尚无对象",
                        max_length=64,
                        verbose_name="对象 ID",
                    ),
                ),
                ("words", models.CharField(blank=True, max_length=200, verbose_name="对象")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="原因")),
                (
                    "details",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name="详情"
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=45, verbose_name="来源地址")),
                (
                    "operator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="操作人",
                    ),
                ),
            ],
            options={
                "verbose_name": "操作记录",
                "verbose_name_plural": "操作记录",
                "permissions": (("export_csv", "可以把列表导出为 CSV"),),
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(fields=["model", "object_id", "-id"], name="console_act_about"),
                    models.Index(fields=["operator", "-id"], name="console_act_by"),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
