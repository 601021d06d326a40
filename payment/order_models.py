"""What is sold for money, who bought it, and everything gateways ever told us about it."""

import secrets
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class Channel(models.TextChoices):
    ALIPAY = "alipay", "支付宝"
    WECHAT = "wechat", "微信支付"
    IAP = "iap", "App Store"


class Package(models.Model):
    """So much gold for so many fen through one channel (D36). Retired (`active=False`), never deleted."""

    channel = models.CharField("渠道", max_length=8, choices=Channel)
    product_id = models.CharField("商品 ID", max_length=100, help_text="App Store 里的商品 ID；其他渠道仅供显示")
    desc = models.CharField("说明", max_length=60, blank=True)
    gold = models.PositiveIntegerField("钻石", validators=[MinValueValidator(1)])
    pay_money = models.PositiveIntegerField("价格(分)", validators=[MinValueValidator(1)])
    origin_money = models.PositiveIntegerField("原价(分)", validators=[MinValueValidator(1)])
    active = models.BooleanField("上架", default=True)
    position = models.PositiveIntegerField("排序", default=0)

    class Meta:
        verbose_name = verbose_name_plural = "充值套餐"
        ordering: ClassVar = ["channel", "position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "product_id"], name="package_one_a_product"),
            models.CheckConstraint(condition=Q(gold__gte=1, pay_money__gte=1), name="package_gives_and_costs"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.gold} 钻石"


def new_number() -> str:
    """The day in Shanghai and what nobody guesses; letters and digits alone, as every gateway takes them."""
    return f"{timezone.localdate():%Y%m%d}{secrets.randbelow(10**16):016}"


class Order(models.Model):
    """One purchase. Gold, price and product are those of the moment it began.

    created → paid → refunded; created → closed or failed, and from either to paid where a verified payment comes late.
    """

    class State(models.TextChoices):
        CREATED = "created", "待支付"
        PAID = "paid", "已支付"
        REFUNDED = "refunded", "已退款"
        FAILED = "failed", "支付失败"
        CLOSED = "closed", "已关闭"

    UNPAID = (State.CREATED, State.FAILED, State.CLOSED)

    number = models.CharField("订单号", max_length=32, unique=True, default=new_number)
    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name="用户", on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    package = models.ForeignKey(Package, verbose_name="套餐", on_delete=models.PROTECT, db_index=False)
    channel = models.CharField("渠道", max_length=8, choices=Channel)
    product_id = models.CharField("商品 ID", max_length=100)
    gold = models.PositiveIntegerField("钻石")
    pay_money = models.PositiveIntegerField("金额(分)")
    state = models.CharField("状态", max_length=8, choices=State, default=State.CREATED)
    # What the app hands to StoreKit, so that Apple tells us whose purchase it is.
    account_token = models.UUIDField(default=uuid4, unique=True, editable=False)
    gateway_number = models.CharField("渠道流水号", max_length=64, blank=True)
    begun = models.JSONField(default=dict, blank=True, editable=False, help_text="what the phone was given to pay with")
    created_at = models.DateTimeField("创建时间", db_default=Now())
    expires_at = models.DateTimeField("支付截止")
    paid_at = models.DateTimeField("支付时间", null=True, blank=True, help_text="by the gateway's clock")
    settled_at = models.DateTimeField("到账时间", null=True, blank=True)
    next_query_at = models.DateTimeField("下次查询", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "充值订单"
        permissions: ClassVar = [("refund_order", "可以退款")]
        indexes: ClassVar = [
            models.Index(fields=["buyer", "-id"], name="order_by_buyer"),
            models.Index(fields=["next_query_at"], condition=Q(next_query_at__isnull=False), name="order_to_query"),
            models.Index(fields=["channel", "paid_at"], condition=Q(paid_at__isnull=False), name="order_by_day"),
            models.Index(fields=["settled_at"], condition=Q(settled_at__isnull=False), name="orders_by_time"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(gold__gte=1, pay_money__gte=1), name="order_gives_and_costs"),
            models.CheckConstraint(
                condition=Q(state__in=["created", "paid", "refunded", "failed", "closed"]), name="order_state"
            ),
            models.UniqueConstraint(
                fields=["channel", "gateway_number"], condition=~Q(gateway_number=""), name="order_one_a_payment"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Notification(models.Model):
    """Something a gateway said, or somebody in its name, exactly as it came; and what became of it."""

    class Source(models.TextChoices):
        CALLBACK = "callback", "回调"
        PHONE = "phone", "客户端"  # what Apple signed, handed on by the app
        QUERY = "query", "查询"

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "有效"
        FORGED = "forged", "伪造"  # not from the gateway, or not for us
        MISMATCHED = "mismatched", "不符"  # genuine, but not what the order asks for
        IGNORED = "ignored", "无需处理"

    channel = models.CharField("渠道", max_length=8, choices=Channel)
    source = models.CharField("来源", max_length=8, choices=Source)
    address = models.GenericIPAddressField("来源地址", null=True, blank=True)
    headers = models.JSONField("请求头", default=dict, blank=True)
    body = models.TextField("原文", blank=True)
    verdict = models.CharField("判定", max_length=10, choices=Verdict)
    reason = models.CharField("原因", max_length=100, blank=True)
    order = models.ForeignKey(
        Order, verbose_name="订单", null=True, blank=True, on_delete=models.PROTECT, related_name="notifications"
    )
    trade_state = models.CharField("交易状态", max_length=8, blank=True)
    gateway_number = models.CharField("渠道流水号", max_length=64, blank=True)
    refunded_fen = models.PositiveBigIntegerField("退款(分)", default=0)
    paid_at = models.DateTimeField("支付时间", null=True, blank=True)
    signed_at = models.DateTimeField("签名时间", null=True, blank=True, help_text="by Apple's clock; others tell none")
    received_at = models.DateTimeField("收到时间", db_default=Now())
    settled_at = models.DateTimeField("处理时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "支付通知"
        indexes: ClassVar = [
            models.Index(
                fields=["received_at"],
                condition=Q(settled_at__isnull=True, verdict="accepted"),
                name="notification_to_settle",
            ),
            models.Index(fields=["gateway_number"], condition=~Q(gateway_number=""), name="notification_by_payment"),
            models.Index(fields=["received_at"], condition=Q(verdict="forged"), name="notification_forged"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.received_at:%Y-%m-%d %H:%M:%S} {self.verdict}"


class Refund(models.Model):
    """Money given back for an order, in whole; its gold is taken back at once, or owed (D35)."""

    class State(models.TextChoices):
        REQUESTED = "requested", "处理中"
        SUCCEEDED = "succeeded", "已退款"
        FAILED = "failed", "未退款"  # the gateway will not; the gold is the buyer's again
        REVERSED = "reversed", "已撤销"  # the store has taken it back; so is it here

    IN_FORCE = (State.REQUESTED, State.SUCCEEDED)

    order = models.ForeignKey(Order, verbose_name="订单", on_delete=models.PROTECT, related_name="refunds")
    number = models.CharField("退款单号", max_length=32, unique=True, default=new_number)
    state = models.CharField("状态", max_length=10, choices=State, default=State.REQUESTED)
    gold = models.PositiveIntegerField("收回钻石", help_text="0: the order had never been credited")
    reason = models.CharField("原因", max_length=100, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name="操作员",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="nobody: the gateway itself",
    )
    refused = models.CharField("渠道拒绝原因", max_length=100, blank=True)
    created_at = models.DateTimeField("创建时间", db_default=Now())
    settled_at = models.DateTimeField("完成时间", null=True, blank=True)
    next_try_at = models.DateTimeField("下次尝试", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "退款"
        indexes: ClassVar = [
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="refund_to_try")
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state__in=["requested", "succeeded"]), name="refund_one_an_order"
            )
        ]

    def __str__(self) -> str:
        return self.number


class Bill(models.Model):
    """That a gateway's book of one day has been fetched, and is what our orders are compared with."""

    channel = models.CharField("渠道", max_length=8, choices=Channel)
    day = models.DateField("日期")
    fetched_at = models.DateTimeField("获取时间", db_default=Now())

    class Meta:
        verbose_name = verbose_name_plural = "渠道账单"
        constraints: ClassVar = [models.UniqueConstraint(fields=["channel", "day"], name="bill_one_a_day")]

    def __str__(self) -> str:
        return f"{self.channel} {self.day}"


class BillLine(models.Model):
    bill = models.ForeignKey(Bill, verbose_name="账单", on_delete=models.CASCADE, related_name="lines")
    order_number = models.CharField("订单号", max_length=64, db_index=True)
    gateway_number = models.CharField("渠道流水号", max_length=64)
    fen = models.BigIntegerField("金额(分)", help_text="negative: a refund")

    class Meta:
        verbose_name = verbose_name_plural = "账单明细"

    def __str__(self) -> str:
        return f"{self.order_number} {self.fen:+d}"
