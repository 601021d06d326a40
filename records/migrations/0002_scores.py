from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("records", "0001_initial")]
    operations = [migrations.RunSQL(["CREATE SEQUENCE records_score"], ["DROP SEQUENCE records_score"])]
