"""Gold and points that operators give or take back (ADR 20). What was decided cannot be changed, and nothing removed."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


FORWARD = """
CREATE TRIGGER payment_credit_decided_once BEFORE UPDATE ON payment_credit
    FOR EACH ROW WHEN (OLD.state <> 0) EXECUTE FUNCTION payment_refuse_change();
CREATE TRIGGER payment_credit_kept BEFORE DELETE ON payment_credit
    FOR EACH ROW EXECUTE FUNCTION payment_refuse_change();
"""
BACKWARD = """
DROP TRIGGER payment_credit_kept ON payment_credit;
DROP TRIGGER payment_credit_decided_once ON payment_credit;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payment', '0012_notification_signed_at'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Credit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=32, unique=True, verbose_name='编号')),
                ('kind', models.CharField(choices=[('compensation', '补偿'), ('event', '活动奖励'), ('correction', '更正'), ('penalty', '违规扣回')], help_text='用户会在账单里看到', max_length=12, verbose_name='类型')),
                ('gold', models.BigIntegerField(default=0, help_text='负数为扣回', verbose_name='钻石')),
                ('point', models.BigIntegerField(default=0, help_text='负数为扣回', verbose_name='黑票')),
                ('reason', models.CharField(help_text='给审批人看，用户看不到', max_length=200, verbose_name='原因')),
                ('state', models.PositiveSmallIntegerField(choices=[(0, '待审批'), (1, '已入账'), (2, '已拒绝'), (3, '已过期')], default=0, verbose_name='状态')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='申请时间')),
                ('expires_at', models.DateTimeField(verbose_name='审批截止')),
                ('refusal', models.CharField(blank=True, default='', max_length=200, verbose_name='拒绝原因')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                ('decided_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='credits_decided', to=settings.AUTH_USER_MODEL, verbose_name='审批人')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credits', to=settings.AUTH_USER_MODEL, verbose_name='用户')),
                ('proposed_by', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='credits_proposed', to=settings.AUTH_USER_MODEL, verbose_name='申请人')),
            ],
            options={
                'verbose_name': '补发与扣回',
                'verbose_name_plural': '补发与扣回',
                'permissions': [('propose_credit', '可以申请补发与扣回'), ('approve_credit', '可以审批补发与扣回')],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['proposed_by', 'created_at'], name='credits_proposed'), models.Index(fields=['decided_by', 'closed_at'], name='credits_decided'), models.Index(models.F('expires_at'), condition=models.Q(('state', 0)), name='credits_to_decide')],
                'constraints': [models.CheckConstraint(condition=models.Q(('gold', 0), ('point', 0), _negated=True), name='credit_moves_something', violation_error_message='钻石和黑票至少填一项'), models.CheckConstraint(condition=models.Q(('kind', 'correction'), models.Q(('gold__lte', 0), ('kind', 'penalty'), ('point__lte', 0)), models.Q(('gold__gte', 0), ('kind__in', ['compensation', 'event']), ('point__gte', 0)), _connector='OR'), name='credit_is_what_it_is_called', violation_error_message='补偿和活动奖励不能是负数，违规扣回只能是负数，更正都可以'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('state__in', (0, 3))), models.Q(('decided_by__isnull', False), ('state__in', (1, 2))), _connector='OR'), name='credit_decided_by_somebody'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at', None), ('state', 0)), models.Q(('closed_at__isnull', False), ('state__gt', 0)), _connector='OR'), name='credit_closed_when_over'), models.CheckConstraint(condition=models.Q(('decided_by', models.F('proposed_by')), _negated=True), name='credit_four_eyes'), models.CheckConstraint(condition=models.Q(models.Q(('owner', models.F('proposed_by')), _negated=True), models.Q(('owner', models.F('decided_by')), _negated=True)), name='credit_nobodys_own')],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
