from django.db import migrations

# With bodies that are bound when they are made: a restored dump finds them under any search path. The cost is told
# because it is one: the planner shall read the index and not work it out for every row, in one process or in several.
KEY = """
CREATE FUNCTION users_name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(normalize(name, NFKC))
"""
GRAMS = """
CREATE FUNCTION users_name_grams(name text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT COST 1000
RETURN (
    SELECT array_agg(DISTINCT substr(key, first, size))
    FROM (SELECT users_name_key(name) AS key) AS searched,
         generate_series(1, 3) AS size,
         generate_series(1, length(key) - size + 1) AS first
)
"""


class Migration(migrations.Migration):
    """What names are searched by (D20, ADR 0009)."""

    dependencies = [("users", "0003_followers_in_order")]
    operations = [
        migrations.RunSQL([KEY], ["DROP FUNCTION users_name_key(text)"]),
        migrations.RunSQL([GRAMS], ["DROP FUNCTION users_name_grams(text)"]),
    ]
