"""The table stays as it is, for the release before this one too."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0008_facebook_accounts'),
        ('api', '0001_repeats'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name='Repeat')]),
    ]
