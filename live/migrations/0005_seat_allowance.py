import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('live', '0004_mic_link_revocation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SeatAllowance',
            fields=[
                ('owner', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='seat_allowance', serialize=False, to=settings.AUTH_USER_MODEL, verbose_name='主播')),
                ('seats', models.IntegerField(validators=[django.core.validators.MinValueValidator(2)], verbose_name='座位')),
            ],
            options={
                'verbose_name': '主播座位',
                'verbose_name_plural': '主播座位',
                'constraints': [models.CheckConstraint(condition=models.Q(('seats__gte', 2)), name='enough_seats')],
            },
        ),
    ]
