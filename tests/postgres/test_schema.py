"""What the models declare is what the migrations have made."""

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db


def test_every_index_and_constraint_of_a_model_is_in_the_database():
    """Django drops a conditional unique constraint with a column's `db_index`; makemigrations sees nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes UNION SELECT conname FROM pg_constraint")
        made = {name for (name,) in cursor.fetchall()}
    models = [model._meta for model in apps.get_models() if not model._meta.proxy]
    declared = {found.name for meta in models for found in (*meta.indexes, *meta.constraints)}
    assert declared
    assert declared - made == set()
