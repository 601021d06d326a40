"""Who saw or decided what, and what was exchanged, can be neither changed nor removed (ADR 0016)."""

from typing import ClassVar

from django.db import migrations

TABLES = ("payment_alipayopening", "payment_decision", "payment_exchange")
FORWARD = "\n".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
    " FOR EACH ROW EXECUTE FUNCTION payment_refuse_change();"
    for table in TABLES
)
BACKWARD = "\n".join(f"DROP TRIGGER {table}_append_only ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("payment", "0010_exchange_and_withdrawals")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]
