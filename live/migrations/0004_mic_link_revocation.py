from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('live', '0003_ranking'),
    ]

    operations = [
        migrations.AddField(
            model_name='miclink',
            name='revocation_due',
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name='miclink',
            index=models.Index(condition=models.Q(('revocation_due', True)), fields=['ended_at'], name='mic_links_to_revoke'),
        ),
    ]
