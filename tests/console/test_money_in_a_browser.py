"""What operators do with money and with what everybody sees, done in a browser as they do it, each in the role that
does it."""

from pathlib import Path

import pytest
from django.conf import settings

from chat.models import ChatTopic, MatchTip
from heihei_site.console.models import Act
from heihei_site.system.models import AppVersion, Banner, Page
from messages import tasks
from messages.announcement_models import Announcement
from messages.models import InstantMessage
from payment import ledger
from payment.credit_models import Credit
from payment.models import Gift
from payment.order_models import Channel, Package
from payment.packages import seed_packages
from payment.withdrawal_models import Withdrawal
from tests import factories
from tests.console.desk import Caller, Desk, operator
from tests.payment.cash import ACCOUNT, earner
from tests.processes import wait_until
from tests.site import browser
from users.models import User

pytestmark = [browser.needs_browser, pytest.mark.django_db(transaction=True)]
LINES = (("matchtip", MatchTip, "提示", "夜深了，有人正想听你说话"), ("chattopic", ChatTopic, "话题", "最近循环的歌"))
SOON = 10  # seconds until every process knows what operators changed


def asked_for(desk: Desk, fen: int, name: str) -> Withdrawal:
    phone = Caller(desk.address, earner(points=60_000, display_name=name))
    answer = phone.get("payment/pay-req", alipaycode=ACCOUNT, payamount=fen)
    return Withdrawal.objects.get(number=answer["order"])


def test_one_operator_approves_a_small_withdrawal_and_two_a_large_one(desk: Desk) -> None:
    small, large = asked_for(desk, 5_000, "小雨"), asked_for(desk, 20_000, "阿南")
    desk.sits(operator("caiwu-a", "财务"))
    desk.opens("payment/withdrawal/")
    desk.sees("¥50.00", "¥200.00", "0 / 1", "0 / 2")
    desk.picture("withdrawals")
    desk.does("同意所选提现", small.pk, large.pk)
    desk.sees("已同意 2 笔", "1 / 2")
    for row, state in ((small, Withdrawal.State.APPROVED), (large, Withdrawal.State.REQUESTED)):
        row.refresh_from_db()
        assert row.state == state
    desk.opens(f"payment/withdrawal/{large.pk}/change/")
    desk.follows("同意提现")
    desk.follows("同意提现")
    desk.sees("1 / 2")  # one's own word counts once
    desk.sits(operator("caiwu-b", "财务"))
    desk.opens(f"payment/withdrawal/{large.pk}/change/")
    desk.follows("同意提现")
    desk.follows("同意提现")
    desk.sees("已同意 1 笔", "2 / 2")
    large.refresh_from_db()
    assert large.state == Withdrawal.State.APPROVED


def test_an_operator_sends_a_withdrawal_back_and_its_person_has_the_points_again(desk: Desk) -> None:
    row = asked_for(desk, 5_000, "小雨")
    assert ledger.balances(row.owner_id).point == 50_000
    desk.sits(operator("caiwu-a", "财务"))
    desk.opens(f"payment/withdrawal/{row.pk}/change/")
    desk.follows("退回提现")
    desk.types("退回原因", "收款账号与实名不符")
    desk.follows("退回提现")
    desk.sees("已退回 1 笔", "收款账号与实名不符")
    assert ledger.balances(row.owner_id).point == 60_000


def proposes(desk: Desk, owner: User, gold: int, reason: str) -> Credit:
    desk.opens(f"users/user/{owner.pk}/change/")
    desk.sees("充值订单", "补发与扣回记录")
    desk.picture("person-and-money")
    desk.follows("申请补发或扣回")
    desk.chooses("类型", "补偿")
    desk.types("钻石", str(gold))
    desk.types("原因", reason)
    desk.picture("credit")
    desk.follows("保存")
    desk.sees(f"+{gold} 钻石", reason)
    return Credit.objects.latest("pk")


def approves(desk: Desk, row: Credit) -> None:
    desk.opens(f"payment/credit/{row.pk}/change/")
    desk.follows("批准申请")
    desk.sees("批准后立即入账")
    desk.follows("批准申请")


def test_an_operator_proposes_a_credit_and_another_one_approves_it(desk: Desk) -> None:
    person = factories.person("小雨", gold=100)
    phone = Caller(desk.address, person)
    support, first, second = operator("xiaolin", "客服"), operator("caiwu-a", "财务"), operator("caiwu-b", "财务")
    desk.sits(support)
    row = proposes(desk, person, 50, "礼物送出后直播间掉线，未显示")
    desk.opens(f"payment/credit/{row.pk}/change/")
    desk.sees("礼物送出后直播间掉线，未显示")
    desk.misses("批准申请")
    desk.sits(first)
    own = proposes(desk, person, 7, "漏发的活动奖励")
    approves(desk, own)
    desk.sees("已批准 0 笔", "不能")
    assert phone.get("user/user-gold")["user"]["gold"] == 100
    desk.sits(second)
    desk.opens("payment/credit/?state__exact=0")
    desk.sees("礼物送出后直播间掉线，未显示", "漏发的活动奖励")
    desk.picture("credits")
    approves(desk, row)
    desk.sees("已批准 1 笔")
    assert phone.get("user/user-gold")["user"]["gold"] == 150
    about = Act.objects.filter(model="payment.credit", object_id=row.pk).order_by("pk")
    assert list(about.values_list("operator__username", "verb")) == [
        ("xiaolin", "添加补发与扣回"), ("caiwu-b", "批准申请")]  # fmt: skip


def test_an_operator_tells_everybody_something_when_another_one_agrees(desk: Desk) -> None:
    first, second = operator("zhuguan-a", "管理员"), operator("zhuguan-b", "管理员")
    person = factories.person()
    User.objects.bulk_create(User(phone=f"137{number:08d}") for number in range(settings.ANNOUNCED_ALONE))
    many = f"{settings.ANNOUNCED_ALONE + 3:,} 人"
    desk.sits(first)
    desk.opens("inbox/announcement/add/")
    desk.types("标题", "系统维护通知")
    desk.types("正文", "今晚 2:00–2:30 停机维护，期间无法开播和充值，敬请谅解。")
    desk.follows("保存并继续编辑")
    desk.sees("【系统维护通知】今晚 2:00–2:30 停机维护", "黑黑小助手", many)
    page = f"inbox/announcement/{Announcement.objects.get().pk}/change/"
    desk.picture("announcement")
    desk.follows("提交发送")
    desk.sees("人数较多时，须由另一位运营复核后才会发送")
    desk.follows("提交发送")
    desk.sees(f"待复核（0 / {many}）")
    for who, answer in ((first, "须由提交人以外的人复核"), (second, f"发送中（0 / {many}）")):
        assert not InstantMessage.objects.exists()
        desk.sits(who)
        desk.opens(page)
        desk.follows("复核发送")
        desk.follows("复核发送")
        desk.sees(answer)
    wait_until(is_told, 30, "everybody is told")
    desk.opens("inbox/announcement/")
    desk.sees("已发完", many)
    assert InstantMessage.objects.values("recipient").distinct().count() == settings.ANNOUNCED_ALONE + 3
    assert "系统维护通知" in str(Caller(desk.address, person).get("msg/message-list"))


def is_told() -> bool:
    """As a worker does it."""
    tasks.announce()
    return Announcement.objects.get().state == Announcement.State.DONE


def test_an_operator_changes_a_package_and_phones_are_offered_it(desk: Desk) -> None:
    seed_packages()
    package = Package.objects.filter(channel=Channel.WECHAT).earliest("position")
    desk.sits(operator("caiwu-a", "财务"))
    desk.opens("payment/package/")
    desk.sees("¥6.00")
    desk.opens(f"payment/package/{package.pk}/change/")
    desk.types("钻石", "66")
    desk.types("说明", "66钻石")
    desk.follows("保存")
    desk.sees("66钻石")
    phone = Caller(desk.address, factories.person())
    wait_until(
        lambda: "66钻石" in str(phone.get("payment/list-package", channel="wechat")), SOON, "phones are offered it"
    )


def test_an_operator_takes_a_gift_out_of_the_shop(desk: Desk, gifts: None) -> None:
    gift = Gift.objects.filter(active=True).earliest("order", "pk")
    desk.sits(operator("zhuguan", "管理员"))
    desk.opens("payment/gift/")
    desk.sees(gift.name)
    desk.picture("gifts")
    desk.opens(f"payment/gift/{gift.pk}/change/")
    desk.ticks("上架")
    desk.follows("保存")
    gift.refresh_from_db()
    assert not gift.active


def test_an_operator_puts_up_a_banner_and_a_version(desk: Desk) -> None:
    desk.sits(operator("zhuguan", "管理员"))
    desk.opens("system/banner/add/")
    desk.types("标题", "周末歌会")
    desk.types("图片", "gifts/101.png")
    desk.types("链接", "https://example.com/weekend")
    desk.picture("banner")
    desk.follows("保存")
    desk.sees("周末歌会", "显示中")
    assert Banner.objects.get().active
    phone = Caller(desk.address, factories.person())
    wait_until(lambda: "周末歌会" in str(phone.get("social/get-banner")), SOON, "phones show it")
    desk.opens("system/appversion/add/")
    desk.chooses("系统", "Android")
    desk.types("版本号", "2.1.0")
    desk.types("说明", "修复了几处闪退")
    desk.types("下载地址", "https://example.com/heihei.apk")
    desk.ticks("发布")
    desk.follows("保存")
    desk.sees("2.1.0")
    assert AppVersion.objects.get().published


def test_an_operator_words_tips_topics_and_pages(desk: Desk) -> None:
    desk.sits(operator("zhuguan", "管理员"))
    for page, model, label, line in LINES:
        desk.opens(f"chat/{page}/add/")
        desk.types(label, line)
        desk.follows("保存")
        desk.sees(line)
        assert model.objects.filter(text=line, active=True).exists()
    page = Page.objects.create(slug=Page.Slug.CONTACT_US, title="联系我们", text="客服电话：400-000-0000")
    desk.opens(f"system/page/{page.pk}/change/")
    desk.types("标题", "联系黑黑")
    desk.follows("保存")
    desk.sees("联系黑黑")
    shown = f"{desk.address}/static/app/{page.pk}.html"
    desk.page.open(shown)
    desk.sees("联系黑黑")


def test_an_operator_changes_a_price_while_everything_runs(desk: Desk) -> None:
    desk.sits(operator("zhuguan", "管理员"))
    desk.opens("console/tunedvalue/")
    desk.sees("弹幕价格", "每次提现最少")
    desk.picture("tunables")
    desk.opens("console/tunedvalue/BULLET_GOLD/change/")
    desk.types("弹幕价格（钻石）", "3")
    desk.types("原因", "周年活动加价")
    desk.picture("tunable")
    desk.follows("保存")
    desk.sees("「弹幕价格」已修改", "3 钻石")
    owner, viewer = factories.person(), factories.person(gold=10)
    room = factories.live(owner)
    factories.inside(room, viewer)
    phone = Caller(desk.address, viewer)
    assert phone.get("live/buy-bullet", liveId=room.pk, roomId=room.pk, message="好听")["errorcode"] == 0
    assert phone.get("user/user-gold")["user"]["gold"] == 7
    desk.sits(operator("xiaolin", "客服"))
    desk.opens("console/tunedvalue/")
    desk.sees("弹幕价格", "zhuguan")
    desk.misses("修改\n")


def test_an_operator_takes_a_filtered_list_along(desk: Desk, tmp_path: Path) -> None:
    asked_for(desk, 5_000, "=cmd()")
    desk.sits(operator("caiwu-a", "财务"))
    desk.opens("payment/withdrawal/?state__exact=0")
    desk.page.say("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    desk.clicks("导出 CSV")
    wait_until(lambda: list(tmp_path.glob("*.csv")), SOON, "the file is there")
    lines = next(tmp_path.glob("*.csv")).read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "50.00" in lines[1] and "'=cmd()" in lines[1]
    assert Act.objects.get(verb="导出 CSV").details["筛选"] == {"state__exact": "0"}
