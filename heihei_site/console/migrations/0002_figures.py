import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('console', '0001_acts'),
    ]

    operations = [
        migrations.CreateModel(
            name='Day',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(max_length=40)),
                ('day', models.DateField()),
                ('value', models.BigIntegerField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('figure', 'day'), name='one_value_a_day')],
            },
        ),
        migrations.CreateModel(
            name='Hour',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figure', models.CharField(max_length=40)),
                ('hour', models.DateTimeField()),
                ('value', models.BigIntegerField()),
                ('settled', models.BooleanField(default=False)),
                ('counted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'permissions': [('view_money', '可以查看营收数据')],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('figure', 'hour'), name='one_value_an_hour')],
            },
        ),
    ]
