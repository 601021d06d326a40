from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0009_repeats_belong_to_the_api'),
    ]

    operations = [
        migrations.AddField(
            model_name='session',
            name='connected_at',
            field=models.DateTimeField(null=True),
        ),
    ]
