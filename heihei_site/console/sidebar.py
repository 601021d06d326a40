"""What stands at the left of every page: what operators do, in their words, each link for who may open its page."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Link:
    title: str
    icon: str  # of Material Symbols
    model: str = ""  # app.model, of a list
    query: str = ""
    page: str = ""  # the name of another page of the console
    permission: str = ""  # and what it takes to see that one

    @property
    def address(self) -> str:
        name = self.page or f"{self.model.replace('.', '_')}_changelist"
        return reverse(f"admin:{name}")

    def is_for(self, request: HttpRequest) -> bool:
        if self.model:
            return bool(admin.site.get_model_admin(apps.get_model(self.model)).has_view_permission(request))
        return not self.permission or request.user.has_perm(self.permission)


GROUPS: dict[str, tuple[Link, ...]] = {
    "总览": (Link("总览", "monitoring", page="index"),),
    "待办": (
        Link("举报待处理", "gavel", "users.suspect"),
        Link("录音待审核", "mic_external_on", "records.record", "status__exact=0"),
        Link("公告待复核", "campaign", "inbox.announcement", "state__exact=1"),
        Link("提现待审核", "hourglass_top", "payment.withdrawal", "state__exact=0"),
        Link("补发待审批", "how_to_vote", "payment.credit", "state__exact=0"),
        Link("退款处理中", "sync", "payment.refund", "state__exact=requested"),
    ),
    "用户": (
        Link("用户", "person", "users.user"),
        Link("登录", "devices", "users.session"),
        Link("举报", "flag", "users.report"),
        Link("封禁", "person_off", "users.ban"),
        Link("屏蔽词", "block", "users.blockedword"),
    ),
    "直播": (
        Link("直播", "podcasts", "live.live"),
        Link("封禁的直播", "voice_over_off", "live.liveban"),
        Link("主播座位", "event_seat", "live.seatallowance"),
    ),
    "通话": (
        Link("通话", "call", "chat.chat"),
        Link("约聊话题", "forum", "chat.chattopic"),
        Link("匹配提示", "tips_and_updates", "chat.matchtip"),
    ),
    "话题与录音": (
        Link("话题", "tag", "topics.topic"),
        Link("帖子", "graphic_eq", "topics.subject"),
        Link("录音", "mic", "records.record"),
    ),
    "消息与推送": (
        Link("私信", "mail", "inbox.instantmessage"),
        Link("公告", "campaign", "inbox.announcement"),
        Link("推送", "notifications", "inbox.push"),
    ),
    "财务": (
        Link("充值订单", "receipt_long", "payment.order"),
        Link("退款", "undo", "payment.refund"),
        Link("支付通知", "mark_email_read", "payment.notification"),
        Link("渠道账单", "account_balance", "payment.bill"),
        Link("提现", "payments", "payment.withdrawal"),
        Link("支付宝账号", "badge", "payment.alipayaccount"),
        Link("实名资料查看记录", "visibility", "payment.alipayopening"),
        Link("补发与扣回", "volunteer_activism", "payment.credit"),
        Link("兑换", "currency_exchange", "payment.exchange"),
        Link("账户", "account_balance_wallet", "payment.account"),
        Link("转账", "swap_horiz", "payment.transfer"),
        Link("分录", "list_alt", "payment.entry"),
    ),
    "内容与配置": (
        Link("运营参数", "tune", "console.tunedvalue"),
        Link("礼物", "redeem", "payment.gift"),
        Link("充值套餐", "sell", "payment.package"),
        Link("兑换套餐", "loyalty", "payment.p2gpackage"),
        Link("首页广告", "ad_units", "system.banner"),
        Link("客户端版本", "system_update", "system.appversion"),
        Link("关闭匹配", "heart_broken", "system.matchingoff"),
        Link("页面", "article", "system.page"),
    ),
    "审计": (
        Link("操作记录", "history", "console.act"),
        Link("客户端日志", "bug_report", "system.clientlog"),
        Link("角色", "groups", "auth.group"),
    ),
}


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """As unfold wants them. A group of which nothing may be seen is not there."""
    found: list[dict[str, Any]] = []
    here = _here(request)
    for title, links in GROUPS.items():
        items = [
            {
                "title": link.title,
                "icon": link.icon,
                "link": f"{link.address}?{link.query}" if link.query else link.address,
                "active": link is here,
            }
            for link in links
            if link.is_for(request)
        ]
        if items:
            found.append({"title": title if len(items) > 1 else "", "items": items, "separator": bool(found)})
    return found


def _here(request: HttpRequest) -> Link | None:
    """The link of this page: of several with its address the one whose query it has, else the one without."""
    best: Link | None = None
    for link in (link for links in GROUPS.values() for link in links):
        same = request.path == link.address or (link.model and request.path.startswith(link.address))
        asked = parse_qsl(link.query)
        if same and all(request.GET.get(name) == value for name, value in asked):
            best = link if best is None or asked else best
    return best


def environment(request: HttpRequest) -> list[str]:
    """The mark at the top of every page: in production it warns."""
    return ["开发", "info"] if settings.DEVELOPMENT else ["生产", "danger"]
