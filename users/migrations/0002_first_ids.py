from django.db import migrations


class Migration(migrations.Migration):
    """User ids run from 10001 (D6)."""

    dependencies = [("users", "0001_initial")]
    operations = [
        migrations.RunSQL("ALTER TABLE users_user ALTER COLUMN id RESTART WITH 10001", migrations.RunSQL.noop)
    ]
