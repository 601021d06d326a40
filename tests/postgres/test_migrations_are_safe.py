"""A release is rolled out while processes of the one before still run: what a migration does must not harm them, nor
hold a large table while people wait (docs/operations.md, "A release")."""

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations import AddField, AddIndex, Migration, RemoveField, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import BigIntegerField, Index
from django_migration_linter import MigrationLinter
from django_migration_linter.sql_analyser import analyse_sql_statements

# What was found in migrations that are older than this test or was looked at and is accepted, by migration.
# ACCEPT_MIGRATIONS=1 writes it anew.
FILE = (
    Path(__file__).parent / "migrations_accepted.json"
)  # How a data migration is written, not what it does to others.
NOT_SERIOUS = {"RUNPYTHON_REVERSIBLE", "RUNPYTHON_MODEL_IMPORT", "RUNPYTHON_MODEL_VARIABLE_NAME"}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def linter(django_db_setup, django_db_blocker) -> MigrationLinter:
    with django_db_blocker.unblock():
        return MigrationLinter(str(settings.BASE_DIR), no_cache=True, no_output=True)


def without_new_tables(statements: Iterable[str]) -> list[str]:
    """What is done to a table that the same migration creates is done to nobody."""
    statements = list(statements)
    created = {found[1] for sql in statements if (found := re.match(r'CREATE TABLE ("\w+")', sql))}
    touched = re.compile(r'^(?:ALTER TABLE|CREATE (?:UNIQUE )?INDEX(?: CONCURRENTLY)? "\w+" ON) ("\w+")')
    return [sql for sql in statements if not ((found := touched.match(sql)) and found[1] in created)]


def codes(linter: MigrationLinter, statements: Iterable[str]) -> set[str]:
    errors, _, warnings = analyse_sql_statements(linter.sql_analyser_class, without_new_tables(statements))
    return {issue.code for issue in [*errors, *warnings]}


def found_in(linter: MigrationLinter, migration: Migration) -> set[str]:
    found = codes(linter, linter.get_sql(migration.app_label, migration.name))
    _, _, data = linter.analyse_data_migration(migration)
    return found | {issue.code for issue in data if issue.code not in NOT_SERIOUS}


def ours(linter: MigrationLinter) -> list[Migration]:
    labels = {config.label for config in apps.get_app_configs() if Path(config.path).is_relative_to(settings.BASE_DIR)}
    labels -= {config.label for config in apps.get_app_configs() if "site-packages" in config.path}
    return [one for one in linter.migration_loader.disk_migrations.values() if one.app_label in labels]


@pytest.mark.django_db(transaction=True)  # what is made concurrently says nothing inside of one
def test_no_migration_harms_the_release_before_it(linter: MigrationLinter) -> None:
    """If this names yours: make it in two releases, or in steps (docs/operations.md says which). Only what cannot be
    otherwise, and was looked at, goes into migrations_accepted.json."""
    found = {f"{one.app_label}.{one.name}": sorted(found_in(linter, one)) for one in ours(linter)}
    found = {name: codes for name, codes in sorted(found.items()) if codes}
    if os.environ.get("ACCEPT_MIGRATIONS") == "1":
        FILE.write_text(json.dumps(found, indent=2) + "\n")
    assert found == json.loads(FILE.read_text())


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (RemoveField("live", "title"), "DROP_COLUMN"),
        (AddField("live", "mood", BigIntegerField(default=0)), "NOT_NULL"),
        (AddField("live", "mood", BigIntegerField(null=True)), ""),
        (AddField("live", "mood", BigIntegerField(db_default=0)), ""),
        (AddIndex("live", Index(fields=["title"], name="by_title")), "CREATE_INDEX"),
        (RunSQL("ALTER TABLE live_live RENAME COLUMN title TO name"), "RENAME_COLUMN"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{type(value).__name__}",
)
def test_it_knows_what_is_unsafe(linter: MigrationLinter, operation: Operation, expected: str) -> None:
    state = ProjectState.from_apps(apps)
    migration = Migration("next", "live")
    migration.operations = [operation]
    with connection.schema_editor(collect_sql=True) as editor:
        migration.apply(state, editor, collect_sql=True)
    found = codes(linter, ["BEGIN;", *(sql for sql in editor.collected_sql if not sql.startswith("--")), "COMMIT;"])
    assert found == ({expected} if expected else set())


def test_a_table_of_its_own_harms_nobody(linter: MigrationLinter) -> None:
    sql = ['CREATE TABLE "t" ("id" bigint NOT NULL);', 'CREATE INDEX "i" ON "t" USING gin ("x");']
    assert codes(linter, ["BEGIN;", *sql, "COMMIT;"]) == set()
