import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import users.names


class Migration(migrations.Migration):

    dependencies = [
        ('users', '0004_name_functions'),
    ]

    operations = [
        migrations.CreateModel(
            name='BlockedWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.CharField(max_length=64, verbose_name='词')),
                ('key', models.CharField(editable=False, max_length=128, unique=True)),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='添加时间')),
            ],
            options={
                'verbose_name': '屏蔽词',
                'verbose_name_plural': '屏蔽词',
            },
        ),
        migrations.CreateModel(
            name='Suspect',
            fields=[
            ],
            options={
                'verbose_name': '待处理举报',
                'verbose_name_plural': '待处理举报',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('users.user',),
        ),
        migrations.AddField(
            model_name='report',
            name='evidence',
            field=models.JSONField(default=dict, verbose_name='证据'),
        ),
        migrations.AddField(
            model_name='session',
            name='active_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='最近使用'),
        ),
        migrations.AddField(
            model_name='user',
            name='blocked_count',
            field=models.IntegerField(db_default=0, verbose_name='拉黑'),
        ),
        migrations.AlterField(
            model_name='block',
            name='user',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='blocks', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='follow',
            name='follower',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='following', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='block',
            index=models.Index(fields=['user', '-created_at', '-id'], name='newest_blocks'),
        ),
        migrations.AddIndex(
            model_name='follow',
            index=models.Index(fields=['followee', '-created_at', '-id'], name='newest_followers'),
        ),
        migrations.AddIndex(
            model_name='follow',
            index=models.Index(fields=['follower', '-created_at', '-id'], name='newest_following'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(condition=models.Q(('handled', False)), fields=['target', 'reporter'], name='open_reports'),
        ),
        migrations.AddIndex(
            model_name='session',
            index=models.Index(fields=['-active_at', '-id'], name='newest_activity'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=django.contrib.postgres.indexes.GinIndex(users.names.Grams('display_name'), name='people_by_parts_of_name'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(django.db.models.functions.comparison.Collate(users.names.Key('display_name'), 'C'), models.F('id'), name='people_by_name'),
        ),
        migrations.AddIndex(
            model_name='user',
            index=models.Index(condition=models.Q(('is_active', True), models.Q(('display_name', ''), _negated=True)), fields=['kind', '-date_joined', '-id'], name='people_by_kind'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('blocked_count__gte', 0)), name='block_counts'),
        ),
    ]
