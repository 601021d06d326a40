from django.db import migrations, models

COUNT = """
CREATE FUNCTION users_count_kind() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before varchar;
    after varchar;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.is_active AND OLD.deletion_due_at IS NULL AND OLD.display_name <> '' THEN
        before := OLD.kind;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.is_active AND NEW.deletion_due_at IS NULL AND NEW.display_name <> '' THEN
        after := NEW.kind;
    END IF;
    IF before IS DISTINCT FROM after THEN
        INSERT INTO users_kindchange (kind, change)
        SELECT kind, change FROM (VALUES (before, -1), (after, 1)) AS changes (kind, change) WHERE kind IS NOT NULL;
    END IF;
    RETURN NULL;
END $$
"""
WATCH = """
CREATE TRIGGER count_kind
AFTER INSERT OR DELETE OR UPDATE OF kind, is_active, deletion_due_at, display_name ON users_user
FOR EACH ROW EXECUTE FUNCTION users_count_kind()
"""
BEGIN = """
INSERT INTO users_kindchange (kind, change)
SELECT kind, count(*) FROM users_user WHERE is_active AND deletion_due_at IS NULL AND display_name <> '' GROUP BY kind
"""


class Migration(migrations.Migration):

    dependencies = [("users", "0006_identities_deletion_export")]
    operations = [
        migrations.CreateModel(
            name="KindChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(db_index=True, max_length=6)),
                ("change", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL([COUNT], ["DROP FUNCTION users_count_kind()"]),
        migrations.RunSQL([WATCH], ["DROP TRIGGER count_kind ON users_user"]),
        migrations.RunSQL([BEGIN], migrations.RunSQL.noop),
    ]
