from django.db import migrations

# Every tally is deleted a moment after it was added: without this the next reader steps over the dead of minutes.
TIDY = """
ALTER TABLE topics_tally SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 10000
)
"""


class Migration(migrations.Migration):

    dependencies = [("topics", "0001_initial")]
    operations = [migrations.RunSQL([TIDY], ["ALTER TABLE topics_tally RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor, autovacuum_analyze_threshold)"])]
