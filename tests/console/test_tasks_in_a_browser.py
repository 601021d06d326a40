"""What operators do with people and what they say, done in a browser as they do it, each in the role that does it."""

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from heihei_site.console.models import Act
from live.models import Live
from records.models import Record
from tests import factories, voices
from tests.console.desk import Caller, Desk, operator
from tests.site import browser
from tests.uploads import samples
from topics.models import Topic
from users.models import Ban, Report, User

pytestmark = [browser.needs_browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "richtig-Schwer-7"
SOCKET_ENDS = 2  # seconds (I9)


def test_an_operator_signs_in_and_who_guesses_finds_the_door_shut(desk: Desk) -> None:
    operator("xiaolin", "客服")
    who = User.objects.get(username="xiaolin")
    who.password = PBKDF2PasswordHasher().encode(PASSWORD, "salz")  # as the server does, whatever tests use themselves
    who.save()
    desk.opens("")
    enter(desk, "xiaolin", PASSWORD)
    desk.sees("总览", "待办")
    desk.leaves()
    desk.opens("")
    for guess in range(5):
        enter(desk, "xiaolin", f"falsch-{guess}")
    enter(desk, "xiaolin", PASSWORD)
    desk.sees("登录失败次数过多，请稍后再试")
    desk.picture("door")
    verbs = list(Act.objects.filter(object_id=who.pk).order_by("pk").values_list("verb", flat=True))
    assert verbs == ["登录", *["登录失败"] * 4, "登录失败，已锁定"]


def enter(desk: Desk, name: str, password: str) -> None:
    desk.page.ask("document.querySelector('[name=username]').select()")
    for field, text in (("username", name), ("password", password)):
        desk.page.ask(f"document.querySelector('[name={field}]').focus()")
        desk.page.say("Input.insertText", text=text)
    desk.turns(desk.enters)


def test_an_operator_bans_a_person_whose_phone_is_out_within_two_seconds(desk: Desk) -> None:
    person = factories.person("加微信送钻石")
    phone = Caller(desk.address, person)
    desk.sits(operator("laozhou", "审核"))
    desk.opens(f"users/user/{person.pk}/change/")
    desk.misses("申请补发或扣回", "充值订单")
    desk.follows("封禁用户")
    desk.chooses("期限", "7 天")
    desk.chooses("类别", "发布欺诈或广告信息")
    desk.types("原因", "昵称拉人加微信，已警告两次")
    desk.types("向用户显示", "您的账号因发布广告被封禁")
    desk.picture("ban")
    with connect(f"{desk.address.replace('http', 'ws')}/ws/channel?token={phone.token}") as socket:
        desk.clicks("封禁用户")
        pressed = time.monotonic()
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=20)
        assert time.monotonic() - pressed < SOCKET_ENDS
    desk.sees("已封禁 1 人", "昵称拉人加微信，已警告两次")
    desk.picture("person")
    answer = phone.get("user/info", userId=person.pk)
    assert answer["errormsg"].startswith("您的账号因发布广告被封禁。解封时间：")
    ban = Ban.objects.get()
    assert ban.by.username == "laozhou"
    assert timedelta(days=7) - (ban.until - ban.since) < timedelta(minutes=1)
    desk.follows("解除封禁")
    desk.follows("解除封禁")
    desk.sees("已解除封禁")
    person.refresh_from_db()
    assert person.is_active


def test_an_operator_takes_a_live_off_the_air_and_bars_its_owner(desk: Desk) -> None:
    owner, viewer = factories.person("小夜"), factories.person()
    room = factories.live(owner, title="深夜福利")
    factories.live(title="雨夜电台")
    factories.inside(room, viewer)
    phone = Caller(desk.address, owner)
    desk.sits(operator("laozhou", "审核"))
    desk.opens("live/live/")
    desk.sees("深夜福利", "雨夜电台")
    desk.picture("lives")
    desk.opens(f"live/live/{room.pk}/change/")
    desk.follows("封禁直播")
    desk.chooses("类别", "传播色情低俗内容")
    desk.types("原因", "连麦中有低俗内容")
    desk.types("向主播和观众显示", "直播间因违规被关闭")
    desk.chooses("禁止主播开播", "3 天")
    desk.picture("ban-a-live")
    with connect(f"{desk.address.replace('http', 'ws')}/ws/channel?token={factories.token(viewer)}") as socket:
        desk.follows("封禁直播")
        desk.sees("已封禁 1 场直播")
        heard = ""
        while "直播间因违规被关闭" not in heard:
            heard = str(socket.recv(timeout=10))
    room.refresh_from_db()
    assert room.status == Live.Status.BANNED
    refused = phone.get("live/create-live", title="再来")
    assert refused["errorcode"] and "禁止开播" in refused["errormsg"]
    desk.opens("live/liveban/")
    desk.sees("禁播中", "连麦中有低俗内容")


def test_an_operator_reads_a_report_with_what_was_said_and_acts_on_it(desk: Desk) -> None:
    rude, hurt = factories.person("大嗓门", description="专治不服"), factories.person("小雨")
    room = factories.live(title="一起唱歌")
    factories.inside(room, rude, hurt)
    his, hers = Caller(desk.address, rude), Caller(desk.address, hurt)
    for text in ("唱得真难听", "快滚下去吧"):
        his.get("msg/send-msg", liveId=room.pk, roomId=room.pk, text=text)
    his.get("msg/send-msg", toUserId=hurt.pk, msgType="text", content=json.dumps({"text": "我知道你住哪"}))
    assert hers.get("user/report-user", userId=rude.pk, reportType=3)["errorcode"] == 0
    report = Report.objects.get()
    desk.sits(operator("laozhou", "审核"))
    desk.opens("users/report/")
    desk.sees("大嗓门")
    desk.opens(f"users/report/{report.pk}/change/")
    desk.sees("快滚下去吧", "我知道你住哪", "专治不服", "一起唱歌")
    desk.picture("report")
    desk.follows("封禁用户")
    desk.chooses("期限", "3 天")
    desk.chooses("类别", "骚扰他人")
    desk.types("原因", "辱骂并威胁，见举报证据")
    desk.follows("封禁用户")
    desk.sees("已封禁 1 人")
    report.refresh_from_db()
    rude.refresh_from_db()
    assert (report.handled, rude.is_active) == (True, False)
    assert his.get("user/info", userId=rude.pk)["errormsg"].startswith("您的账号因骚扰他人被封禁")


def test_an_operator_hears_records_and_publishes_or_rejects_them(desk: Desk) -> None:
    first, second = (recorded(desk, name) for name in ("小雨", "阿南"))
    desk.sits(operator("laozhou", "审核"))
    desk.opens("records/record/")
    sound = "document.querySelector('audio')"
    desk.page.say("Input.dispatchKeyEvent", type="keyDown", key=" ", text=" ", code="Space", windowsVirtualKeyCode=32)
    desk.waits(f"{sound}.currentTime > 0.2 && !{sound}.paused", "it is heard")
    desk.picture("records")
    desk.turns(lambda: desk.clicks("发布"))
    desk.sees("已发布 1 段录音")
    desk.turns(lambda: desk.picks("document.querySelector('select[data-verdict=reject]')", "没有人声"))
    desk.sees("已拒绝 1 段录音")
    found = dict(Record.objects.values_list("pk", "status"))
    assert found == {first: Record.Status.PUBLISHED, second: Record.Status.REJECTED}
    assert Record.objects.get(pk=second).rejected_for == "没有人声"
    heard = Caller(desk.address, factories.person()).get("record/refresh-record", score=0)
    assert [card["recordId"] for card in heard["data"]["records"]] == [first]


def recorded(desk: Desk, name: str) -> int:
    """Sent by a phone, as phones send it."""
    person = factories.person(name)
    content = samples.wav(4 + len(Record.objects.all()))
    return Caller(desk.address, person).sends_a_record(content)


def test_an_operator_pins_a_topic(desk: Desk) -> None:
    voices.topic("深夜树洞", order=2)
    voices.topic("今天吃什么", order=1)
    phone = Caller(desk.address, factories.person())
    assert names(phone) == ["今天吃什么", "深夜树洞"]
    desk.sits(operator("laozhou", "审核"))
    desk.opens("topics/topic/")
    row = next(at for at, topic in enumerate(Topic.objects.order_by("order")) if topic.name == "深夜树洞")
    desk.taps(f"document.querySelector('[name=form-{row}-is_top]')")
    desk.picture("topics")
    desk.follows("保存")
    desk.sees("变更成功")
    assert names(phone) == ["深夜树洞", "今天吃什么"]
    pinned = Act.objects.get(verb="修改话题")
    assert (pinned.operator.username, pinned.lines) == ("laozhou", ["置顶：否 → 是"])


def names(phone: Caller) -> list[str]:
    return [topic["name"] for topic in phone.get("topic/topic-list")["topics"]]


def test_an_operator_finds_a_person_by_number_name_and_where_they_may_by_phone(desk: Desk) -> None:
    person = factories.person("小白", phone="13912340001")
    factories.person("大黑")
    desk.sits(operator("xiaolin", "客服"))
    desk.opens("users/user/")
    for words in (str(person.hei_num), "小白", "13912340001"):
        desk.searches(words)
        desk.sees("小白")
        desk.misses("大黑", "13912340001")
    desk.picture("search")
    desk.sits(operator("laozhou", "审核"))
    desk.opens("users/user/")
    desk.searches("13912340001")
    desk.misses("小白", "大黑")
    desk.searches("小白")
    desk.sees(str(person.hei_num))


SEEN_BY = {  # by each role: in the sidebar, not in it, a page that opens, and one that does not
    "客服": ("用户 提现 公告 运营参数", "操作记录 私信 屏蔽词 渠道账单", "users/user/", "inbox/instantmessage/"),
    "审核": ("用户 举报待处理 私信 屏蔽词", "提现 操作记录 公告", "users/report/", "payment/withdrawal/"),
    "财务": ("提现 渠道账单 补发与扣回 运营参数", "举报 直播 私信 公告", "payment/bill/", "users/report/"),
    "管理员": ("操作记录 运营参数 公告 首页广告", "角色", "console/act/", "auth/group/"),
}


@pytest.mark.parametrize("role", SEEN_BY)
def test_an_operator_sees_what_their_role_is_for_and_nothing_else(desk: Desk, role: str) -> None:
    there, missing, open_to, shut = SEEN_BY[role]
    desk.sits(operator("xiaolin", role))
    desk.opens("")
    titles = desk.sidebar()
    assert set(there.split()) <= set(titles)
    assert not set(missing.split()) & set(titles)
    assert (desk.may_open(open_to), desk.may_open(shut)) == (True, False)
    desk.page.complaints.clear()  # the browser notes what was refused


def test_an_operator_edits_blocked_words_and_no_phone_says_them(desk: Desk) -> None:
    desk.sits(operator("laozhou", "审核"))
    desk.opens("users/blockedword/add/")
    desk.types("词", "加微信\n送钻石")
    desk.follows("保存")
    desk.sees("加微信", "送钻石")
    person = factories.person("小雨")
    answer = Caller(desk.address, person).get(
        "user/update", displayName="加 微 信", gender="Female", birthDay="1990-01-01"
    )
    assert answer["errorcode"]
    person.refresh_from_db()
    assert person.display_name == "小雨"


def test_an_operator_reads_who_did_what_and_why_and_takes_it_along(desk: Desk, tmp_path: Path) -> None:
    person = factories.person("加微信送钻石")
    desk.sits(operator("laozhou", "审核"))
    desk.opens(f"users/user/{person.pk}/change/")
    desk.follows("封禁用户")
    desk.types("原因", "广告")
    desk.follows("封禁用户")
    desk.sees("已封禁 1 人")
    desk.sits(operator("zhuguan", "管理员"))
    desk.opens("console/act/")
    desk.sees("laozhou", "封禁用户", "广告", "加微信送钻石")
    desk.picture("log")
    desk.page.say("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    desk.clicks("导出 CSV")
    desk.waits("true", "the file")
    browser.wait_until(lambda: list(tmp_path.glob("*.csv")), 15, "the file is there")
    text = next(tmp_path.glob("*.csv")).read_text(encoding="utf-8-sig")
    assert "封禁用户" in text and "广告" in text
    assert Act.objects.filter(operator__username="zhuguan", verb="导出 CSV").exists()
    desk.opens(f"users/user/{person.pk}/history/")
    desk.sees("封禁用户", "原因：广告")
