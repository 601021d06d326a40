"""How many queries every endpoint takes on its ordinary successful call, against `query_counts.json`.

A new endpoint needs a scenario here. After a change that is meant:

    UPDATE_QUERY_COUNTS=1 pytest tests/test_query_counts.py
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Task
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.events import CallOffered
from chat.services import due, matching, talk, tips, topics
from heihei_site import urls
from heihei_site.api.endpoints import Endpoints
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from heihei_site.system.models import AppVersion, Banner
from live.models import Guest, Live, Member, MicLink, ReplayViewer
from messages.models import InstantMessage
from messages.room_events import by
from messages.services import entries, im
from payment.exchange_catalogue import seed_p2g_packages
from payment.exchange_models import P2gPackage
from payment.models import Gift, GiftResource
from payment.packages import seed_packages
from payment.services import exchange, orders, purchases, withdrawals
from payment.services import gifts as gift_services
from records.models import Record
from records.services import review
from tests import factories, voices
from tests.messages.test_message_server import post, signed
from tests.payment import cash
from tests.uploads import samples
from topics.models import Subject
from users.models import Block, Follow, Identity, User
from users.services import sms_codes, words

pytestmark = pytest.mark.django_db(transaction=True)
BASELINE = Path(__file__).with_name("query_counts.json")
NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")
Params = dict[str, Any]
Scenario = Callable[[], tuple[User | None, Params]]  # who calls, with what

scenarios: dict[str, Scenario] = {}


def scenario(path: str) -> Callable[[Scenario], Scenario]:
    def register(make: Scenario) -> Scenario:
        scenarios[path] = make
        return make

    return register


@pytest.fixture(autouse=True)
def jobs_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What jobs ask is not the endpoint's."""
    monkeypatch.setattr(Task, "apply_async", lambda *_, **__: None)


@pytest.fixture(autouse=True)
def a_short_moment(settings: Any) -> None:
    """What a scenario has the process know (`postgres/kept.py`), it still knows when the call comes, on a slow machine
    too."""
    settings.KEPT_SECONDS = 3600


def in_a_room() -> tuple[User, Live]:
    """Where the viewer has given before: their purses and the house's exist. The process knows the blocked words."""
    words.blocked_in("")
    live, viewer = factories.live(), factories.person(gold=100)
    factories.inside(live, viewer)
    for reason in ("gift", "bullet"):
        who = {"user_id": viewer.pk, "receiver_id": live.owner_id}
        purchases.pay_for(**who, gold=1, reason=reason, key=f"earlier {reason}:{viewer.pk}")
    return viewer, live


@scenario("init")
def init() -> tuple[User | None, Params]:
    return factories.person(), {"ap": "heihei"}


@scenario("user/get-sms-verification-code")
def get_sms_verification_code() -> tuple[User | None, Params]:
    return None, {"phoneNo": "13800000000"}


@scenario("sms/register-phone")
def register_phone() -> tuple[User | None, Params]:
    return get_sms_verification_code()


def code_for(phone: str) -> str:
    sent: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("users.services.sms_codes.hand_over", lambda job, phone, code: sent.append(code))
        sms_codes.send_code(phone, now=timezone.now())
    return sent[0]


@scenario("user/sign-in-cl-by-phone")
def sign_in() -> tuple[User | None, Params]:
    """Of somebody who is signed in elsewhere."""
    user = factories.person(phone="13800000000")
    factories.token(user)
    return None, {"phoneNo": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/sign-in")
def sign_in_by_account() -> tuple[User | None, Params]:
    """Of somebody who is signed in elsewhere."""
    user = factories.person(phone=None)
    factories.token(user)
    Identity.objects.create(user=user, source="Wechat", open_id="o", union_id="u")
    return None, {"accountSource": "Wechat", "accountToken": "dev-o", "openId": "o", "unionId": "u"}


@scenario("sms/verify-phone")
def verify_phone() -> tuple[User | None, Params]:
    return None, {"phoneNo": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/bind-phone")
def bind_phone() -> tuple[User | None, Params]:
    return factories.person(phone=None), {"phone": "13800000000", "verifyCode": code_for("13800000000")}


@scenario("user/delete-account")
def delete_account() -> tuple[User | None, Params]:
    return factories.person(phone="13800000000"), {"verifyCode": code_for("13800000000")}


@scenario("user/export-data")
def export_data() -> tuple[User | None, Params]:
    return factories.person(), {}


@scenario("user/update")
def update() -> tuple[User | None, Params]:
    """A renaming that costs gold, not the first of all, by a process that knows the blocked words."""
    words.blocked_in("")
    user = factories.person("old", gold=20, rename_count=1)
    purchases.pay_for(user_id=user.pk, receiver_id=None, gold=10, reason="rename", key="earlier")
    return user, {"displayName": "new", "gender": "Male", "birthDay": "1990-01-01"}


@scenario("user/info")
def info() -> tuple[User | None, Params]:
    return factories.person(), {"uid": factories.live().owner_id}


for path in ("user/follow", "user/unfollow", "user/block-user", "user/unblock-user"):

    @scenario(path)
    def about_another() -> tuple[User | None, Params]:
        """Somebody whom the caller follows already."""
        user, other = factories.person(following_count=1), factories.person(follower_count=1)
        Follow.objects.create(follower=user, followee=other)
        return user, {"userId": other.pk}


@scenario("user/follow")
def follow() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.person().pk}


@scenario("user/report-user")
def report_user() -> tuple[User | None, Params]:
    """Somebody who is in a room."""
    viewer, _ = in_a_room()
    return factories.person(), {"userId": viewer.pk, "reportType": 3}


@scenario("user/list-follower")
def list_follower() -> tuple[User | None, Params]:
    return followed(2)


@scenario("user/list-following")
def list_following() -> tuple[User | None, Params]:
    return following(2)


@scenario("user/list-blocked-user")
def list_blocked_user() -> tuple[User | None, Params]:
    return blocking(2)


@scenario("user/list-user-byType")
def list_by_type() -> tuple[User | None, Params]:
    return anchors(2)


@scenario("user/list-active-user")
def list_active_user() -> tuple[User | None, Params]:
    return signed_in(2)


for path in ("user/search", "user/usearch"):

    @scenario(path)
    def search() -> tuple[User | None, Params]:
        return singers(2)


@scenario("user/isinlive")
def isinlive() -> tuple[User | None, Params]:
    viewer, _ = in_a_room()
    return factories.person(), {"userId": viewer.pk}


@scenario("user/update-config")
def update_config() -> tuple[User | None, Params]:
    return factories.person(), {"push_enable": "0"}


@scenario("user/push-device-info")
def push_device_info() -> tuple[User | None, Params]:
    return factories.person(), {"apnsType": "getui", "apnsToken": "x"}


for path in ("user/sign-out", "user/user-gold", "user/get-config", "live/gift-info", "social/gift-resources"):

    @scenario(path)
    def alone() -> tuple[User | None, Params]:
        return factories.person(), {}


@scenario("sys/update")
def sys_update() -> tuple[User | None, Params]:
    AppVersion.objects.create(
        platform="android", version_code="2.0.1", text="更快，也更省电", url="https://cdn.example.com/heihei-2.0.1.apk",
        published=True,
    )  # fmt: skip
    return None, {"versionCode": "2.0.0", "devicesType": "android", "channel": "huawei"}


@scenario("sys/oss-token")
def oss_token() -> tuple[User | None, Params]:
    return factories.person(), {"module": "record", "format": "m4a"}


@scenario("sys/upload-log")
def upload_log() -> tuple[User | None, Params]:
    return factories.person(), {"log": "java.lang.NullPointerException\n\tat com.example.Main.onCreate(Main.java:42)"}


@scenario("social/get-banner")
def get_banner() -> tuple[User | None, Params]:
    link = "wmlives_heihei://webview?url=https%3A%2F%2Fexample.com%2Fsing&type=0"
    Banner.objects.create(desc="周末歌会", cover="https://cdn.example.com/banners/sing.png", type=3, link=link)
    return factories.person(), {}


@scenario("live/create-live")
def create_live() -> tuple[User | None, Params]:
    """By a process that knows the blocked words."""
    words.blocked_in("")
    return factories.person(), {"title": "x"}


@scenario("live/unclosed-live")
def unclosed_live() -> tuple[User | None, Params]:
    return factories.live().owner, {}


@scenario("live/start-live")
def start_live() -> tuple[User | None, Params]:
    live = factories.live(status=Live.Status.TO_START)
    return live.owner, {"liveId": live.pk}


@scenario("live/join-live")
def join_live() -> tuple[User | None, Params]:
    return factories.person(), {"liveId": factories.live().pk}


for path, params in {
    "live/get-live": {},
    "live/heart-beat": {"isCreator": 0},
    "live/list-live-users": {},
    "live/quit-live": {},
    "live/live-like": {"type": 1},
    "live/buy-gift": {"giftId": 101, "gift_uuid": "u", "amount": 1},
    "live/buy-bullet": {"message": "x"},
    "live/share-live": {},
    "msg/send-msg": {"text": "x"},
}.items():

    @scenario(path)
    def by_a_viewer(params: Params = params) -> tuple[User | None, Params]:
        viewer, live = in_a_room()
        return viewer, {"liveId": live.pk, "roomId": live.pk} | params


for path in ("live/stop-live", "live/change-live", "live/pause-live", "live/continue-live"):

    @scenario(path)
    def by_the_owner() -> tuple[User | None, Params]:
        _, live = in_a_room()
        return live.owner, {"liveId": live.pk, "title": "x"}


for path, params in {
    "live/shutupuser": {},
    "live/isshutup": {},
    "live/livemgr": {"type": 1},
    "live/getmgruser": {},
    "live/getuser": {},
}.items():

    @scenario(path)
    def by_the_owner_about_a_viewer(params: Params = params) -> tuple[User | None, Params]:
        viewer, live = in_a_room()
        return live.owner, {"liveId": live.pk, "userId": viewer.pk} | params


@scenario("live/shutupopen")
def shutup_open() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    Guest.objects.create(live=live, user=viewer, muted_at=Now())
    return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/systemnotify")
def systemnotify() -> tuple[User | None, Params]:
    return factories.person(is_staff=True), {"liveId": factories.live().pk, "text": "x"}


def at_the_microphone(state: MicLink.State, **fields: Any) -> tuple[User, Live]:
    """A viewer in a room, with something under way between them and its owner."""
    viewer, live = in_a_room()
    fields = {"deadline": Now() + timedelta(minutes=1)} | fields
    MicLink.objects.create(live=live, user=viewer, state=state, **fields)
    return viewer, live


def full_team() -> tuple[User, Live]:
    """A room without a free seat, and somebody outside who knocked some time ago."""
    guest, live = factories.person(), factories.live(seats=3, locked=1)
    factories.inside(live, factories.person())
    Guest.objects.create(live=live, user=guest, knocked_at=Now() - timedelta(hours=1))
    return guest, live


for path in ("live/knock-status", "live/knock-live-room"):

    @scenario(path)
    def by_somebody_outside() -> tuple[User | None, Params]:
        guest, live = full_team()
        return guest, {"liveId": live.pk}


for path, params in {"live/lock-live-seat": {"unlock": 1}, "live/invite-user": {}, "live/invite-user-list": {}}.items():

    @scenario(path)
    def by_the_owner_of_a_team(params: Params = params) -> tuple[User | None, Params]:
        guest, live = full_team()
        return live.owner, {"liveId": live.pk, "userId": guest.pk} | params


@scenario("live/kick-out-user")
def kick_out_user() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/call-request")
def call_request() -> tuple[User | None, Params]:
    viewer, live = in_a_room()
    return viewer, {"liveId": live.pk}


for path in ("live/accept-conference", "live/refuse-conference"):

    @scenario(path)
    def answering() -> tuple[User | None, Params]:
        """The owner, a viewer's request."""
        viewer, live = at_the_microphone(MicLink.State.REQUESTED)
        return live.owner, {"liveId": live.pk, "userId": viewer.pk}


@scenario("live/join-conference")
def join_conference() -> tuple[User | None, Params]:
    """The second of the two."""
    viewer, live = at_the_microphone(MicLink.State.JOINING, owner_joined=True)
    return viewer, {"liveId": live.pk}


@scenario("live/conference-success")
def conference_success() -> tuple[User | None, Params]:
    """The second of the two."""
    done = {"owner_joined": True, "user_joined": True, "owner_succeeded": True}
    viewer, live = at_the_microphone(MicLink.State.WAITING, **done)
    return viewer, {"liveId": live.pk}


@scenario("live/quit-conference")
def quit_conference() -> tuple[User | None, Params]:
    viewer, live = at_the_microphone(MicLink.State.CONNECTED, deadline=None, owner_joined=True, user_joined=True)
    return viewer, {"liveId": live.pk}


@scenario("live/list-live-by-recommend")
def list_live_by_recommend() -> tuple[User | None, Params]:
    factories.live()
    return factories.person(), {}


@scenario("live/list-live-by-follow")
def list_live_by_follow() -> tuple[User | None, Params]:
    return recommended(1)


for path, params in {"live/set-live-visible": {"visible": 0}, "live/delete-live": {}}.items():

    @scenario(path)
    def of_a_live_that_is_over(params: Params = params) -> tuple[User | None, Params]:
        replays(1)
        live = Live.objects.select_related("owner").get()
        return live.owner, {"liveId": live.pk} | params


@scenario("live/list-live-by-user")
def list_live_by_user() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.live().owner_id}


@scenario("live/list-replay-users")
def list_replay_users() -> tuple[User | None, Params]:
    return seen(1)


def seen(count: int) -> tuple[User, Params]:
    replays(1)
    live = Live.objects.get()
    for _ in range(count):
        ReplayViewer.objects.create(live=live, user=factories.person())
    return factories.person(), {"liveId": live.pk}


def written_to(count: int = 1) -> tuple[User, Params]:
    """By so many people; the last message is the one it is about."""
    reader = factories.person()
    sent = [im.send(sender=factories.person(), recipient_id=reader.pk, kind="text", content={"text": "在吗"})
            for _ in range(count)]  # fmt: skip
    return reader, {"msgId": sent[-1].msg_id}


for path in ("message-list", "message-read-all", "read-all-msg", "read-one-msg", "delete-msg"):

    @scenario(f"msg/{path}")
    def of_who_was_written_to() -> tuple[User | None, Params]:
        return written_to()


def ringing() -> tuple[User, User, int]:
    """Who calls, who is called, and their call."""
    topics.seed()
    caller, callee = factories.person(gold=100), factories.person()
    return caller, callee, due.call(caller=caller, callee_id=callee.pk).chat_id


def talking() -> tuple[User, User, int]:
    """Both are there, and one has given the other something before."""
    caller, callee, chat_id = ringing()
    due.accept(user=callee, chat_id=chat_id, partner_id=caller.pk, kind=due.FIRST)
    for who in (caller, callee):
        talk.join(user=who, chat_id=chat_id)
        talk.beat(user=who, chat_id=chat_id)
    who = {"user_id": caller.pk, "receiver_id": callee.pk}
    purchases.pay_for(**who, gold=1, reason="gift", key=f"earlier gift:{caller.pk}")
    return caller, callee, chat_id


@scenario("chat/due-chat")
def due_chat() -> tuple[User | None, Params]:
    return factories.person(), {"userId": factories.person().pk}


@scenario("chat/cancel-due-chat")
def cancel_due_chat() -> tuple[User | None, Params]:
    caller, _, chat_id = ringing()
    return caller, {"chatId": chat_id}


@scenario("chat/accept-chat")
def accept_chat() -> tuple[User | None, Params]:
    caller, callee, chat_id = ringing()
    return callee, {"chatId": chat_id, "userId": caller.pk, "type": 0}


@scenario("chat/buy-gift")
def buy_gift_in_a_call() -> tuple[User | None, Params]:
    caller, callee, chat_id = talking()
    return caller, {"chatId": chat_id, "userId": callee.pk, "giftId": 101, "gift_uuid": "u", "amount": 1}


for path in ("join-chat", "heart-beat", "get-chat", "pause-chat", "continue-chat", "change-topic", "stop-chat"):

    @scenario(f"chat/{path}")
    def of_a_call() -> tuple[User | None, Params]:
        caller, _, chat_id = talking()
        return caller, {"chatId": chat_id}


@scenario("chat/get-user-sig")
def get_user_sig() -> tuple[User | None, Params]:
    return talking()[0], {}


@scenario("chat/match-chat")
def match_chat() -> tuple[User | None, Params]:
    """Where somebody waits: the pair is made in this request."""
    tips.seed()
    matching.seek(factories.person(gender="Male"))
    return factories.person(), {}


@scenario("chat/stop-match-chat")
def stop_match_chat() -> tuple[User | None, Params]:
    seeker = factories.person()
    matching.seek(seeker)
    return seeker, {}


@scenario("msg/history-msg")
def history_msg() -> tuple[User | None, Params]:
    """Of somebody who was called, has read that, and was called once more."""
    reader = factories.person()
    for chat_id in (1, 2):
        with telling():
            publish(CallOffered(chat_id=chat_id, type=0, birth_day="", **by(factories.person())), to=person(reader))
        if chat_id == 1:
            entries.read_all(reader.pk)
    return reader, {}


for path in ("message-del", "read-conversation"):

    @scenario(f"msg/{path}")
    def of_one_conversation() -> tuple[User | None, Params]:
        reader, _ = written_to()
        return reader, {"userId": InstantMessage.objects.get().sender_id}


@scenario("msg/conversation-list")
def conversation_list() -> tuple[User | None, Params]:
    return written_to()


@scenario("msg/recall")
def recall() -> tuple[User | None, Params]:
    """Of a message that waits to be pushed."""
    _, params = written_to()
    return InstantMessage.objects.get().sender, params


for action, status in {
    "open-room": Live.Status.PLAYING,
    "close-room": Live.Status.PLAYING,
    "start-live-broadcast": Live.Status.TO_START,
    "stop-live-broadcast": Live.Status.PLAYING,
    "send-msg": Live.Status.PLAYING,
}.items():

    @scenario(f"msg/{action}.action")
    def from_another_server(action: str = action, status: Live.Status = status) -> tuple[User | None, Params]:
        live = factories.live(status=status)
        data = json.dumps({"type": "toLive", "liveId": live.pk, "msg": {"msgType": "system", "text": "x"}})
        given = {"data": data} if action == "send-msg" else {"liveId": live.pk, "roomId": live.pk}
        if action == "close-room":
            del given["liveId"]
        return None, signed(action, **given)


def earner() -> User:
    """Who has earned points, has exchanged some before, and may withdraw."""
    user = cash.earner(points=10_000)
    seed_p2g_packages()
    package = P2gPackage.objects.get(pk=2)
    exchange.exchange(person=user, package=package)
    withdrawals.request(person=user, alipaycode=cash.ACCOUNT, fen=1_001)
    return user


for path, params in {
    "payment/statistic": {},
    "payment/list-p2g-package": {},
    "payment/p2g": {"packageId": 1},
    "payment/get-alipay-info": {},
    "payment/verify-alipay": {
        "alipaycode": "13900001111",
        "username": "王小明",
        "idcard": cash.IDCARD,
        "phone": "13900001111",
    },
    "payment/cash-info": {},
    "payment/pay-req": {"alipaycode": cash.ACCOUNT, "payamount": 1_000},
}.items():

    @scenario(path)
    def of_an_earner(params: Params = params) -> tuple[User | None, Params]:
        return earner(), params


@scenario("payment/statement")
def statement() -> tuple[User | None, Params]:
    """Of who gave a gift and withdrew."""
    return moved(1)


def moved(count: int) -> tuple[User, Params]:
    user, star = cash.earner(points=60_000, gold=10_000), factories.person()
    for number in range(count):
        gift_services.give(
            sender_id=user.pk,
            receiver_id=star.pk,
            place="live:1",
            gift=Gift.objects.get(pk=101 + number),
            combo=gift_services.Combo("u", 1),
            repeat_key="",
        )
        withdrawals.request(person=user, alipaycode=cash.ACCOUNT, fen=1_000 + number)
    return user, {}


def on_offer(count: int) -> tuple[User, Params]:
    P2gPackage.objects.all().delete()
    for number in range(count):
        P2gPackage.objects.create(desc="x", point=number + 1, gold=1)
    return factories.person(), {}


@scenario("payment/list-package")
def list_package() -> tuple[User | None, Params]:
    seed_packages()
    return factories.person(), {"channel": "wechat"}


@scenario("payment/create-order")
def create_order() -> tuple[User | None, Params]:
    seed_packages()
    return factories.person(), {"packageId": 201, "channel": "wechat"}


@scenario("payment/order-notify")
def order_notify() -> tuple[User | None, Params]:
    seed_packages()
    buyer = factories.person()
    order, _ = orders.create(buyer=buyer, package_id=101, channel="alipay", now=timezone.now())
    return buyer, {"order": order.number, "status": 1, "data": "9000"}


def said(*, by: User | None = None) -> tuple[User, Subject]:
    """Who hears a post that has a reply, and likes what they hear."""
    words.blocked_in("")
    post = voices.subject(voices.topic(type=1), by)
    voices.subject(to=post)
    hearer = factories.person(gold=100)
    purchases.pay_for(user_id=hearer.pk, receiver_id=post.creator_id, gold=1, reason="gift", key=f"heard {post.pk}")
    return hearer, post


for path in ("get", "like", "listen"):

    @scenario(f"topic/{path}-subject")
    def of_a_post() -> tuple[User | None, Params]:
        hearer, post = said()
        return hearer, {"subjectId": post.pk}


@scenario("topic/unlike-subject")
def unlike_subject() -> tuple[User | None, Params]:
    hearer, post = said()
    voices.like(hearer, post)
    return hearer, {"subjectId": post.pk}


@scenario("topic/delete-subject")
def delete_subject() -> tuple[User | None, Params]:
    author = factories.person()
    _, post = said(by=author)
    return author, {"subjectId": post.pk}


@scenario("topic/update-subject")
def update_subject() -> tuple[User | None, Params]:
    author, params = delete_subject()
    return author, params | {"title": "早安"}


@scenario("topic/create-subject")
def create_subject() -> tuple[User | None, Params]:
    author, post = said()
    sign = voices.upload(author)
    return author, {"topicId": post.topic_id, "sign": sign, "samples": "1,2,3", "title": "晚安", "length": 5}


@scenario("topic/reply-subject")
def reply_subject() -> tuple[User | None, Params]:
    author, post = said()
    return author, {"subjectId": post.pk, "sign": voices.upload(author), "samples": "1,2,3"}


@scenario("topic/buy-gift")
def give_for_a_voice() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"subjectId": post.pk, "giftId": 101, "amount": 1, "gift_uuid": "u"}


@scenario("topic/topic-list")
def topic_list() -> tuple[User | None, Params]:
    hearer, post = said()
    voices.topic()
    factories.token(post.creator)
    return hearer, {"offset": 0}


@scenario("topic/topic-detail")
def topic_detail() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"topicId": post.topic_id, "type": 0, "offset": 0}


@scenario("topic/subject-detail")
def subject_detail() -> tuple[User | None, Params]:
    hearer, post = said()
    return hearer, {"subjectId": post.pk, "offset": 0}


def record_by(user: User, number: int = 0) -> Record:
    record = Record.objects.create(user=user, file="data/record/x.amr", file_md5=f"{number:032}", length=5)
    review.publish(record.pk)
    return record


@scenario("record/refresh-record")
def refresh_record() -> tuple[User | None, Params]:
    hearer = factories.person()
    record_by(hearer)
    record_by(factories.live().owner)
    return hearer, {"score": 0}


@scenario("record/read-record")
def read_record() -> tuple[User | None, Params]:
    return factories.person(), {"recordId": record_by(factories.live().owner).pk}


@scenario("record/delete-record")
def delete_record() -> tuple[User | None, Params]:
    owner = factories.person()
    return owner, {"recordId": record_by(owner).pk}


@scenario("record/upload-record")
def upload_record() -> tuple[User | None, Params]:
    sound = samples.amr(5)
    file, digest = SimpleUploadedFile("a.amr", sound), hashlib.md5(sound).hexdigest()
    return factories.person(), {"file": file, "fileName": "a.amr", "fileMd5": digest, "recordLength": 5}


def answer_to(phone: Any, path: str, params: Params) -> Any:
    """Other servers of ours call by a road of their own."""
    if path.endswith(".action"):
        return post(path.removeprefix("msg/").removesuffix(".action"), params)
    return phone.post(path, **params)


def queries_of(api: Any, path: str, user: User | None, params: Params) -> list[str]:
    phone = api(user)
    with CaptureQueriesContext(connection) as captured:
        answer = answer_to(phone, path, params)
    assert answer["errorcode"] == 0, answer
    return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(NOT_COUNTED)]


@pytest.fixture(scope="module")
def counted() -> Iterator[dict[str, int]]:
    found: dict[str, int] = {}
    yield found
    if os.environ.get("UPDATE_QUERY_COUNTS") and set(found) == set(scenarios):
        BASELINE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def test_every_endpoint_has_a_scenario_and_a_number():
    assert urls.urlpatterns  # imports every module that declares endpoints
    paths = {endpoint.path for endpoint in Endpoints.registry}
    assert set(scenarios) == paths
    if not os.environ.get("UPDATE_QUERY_COUNTS"):
        assert set(json.loads(BASELINE.read_text())) == paths


@pytest.mark.parametrize("path", sorted(scenarios))
def test_an_endpoint_takes_the_queries_it_is_known_to_take(api, gifts, told, counted, path):
    user, params = scenarios[path]()
    queries = queries_of(api, path, user, params)
    counted[path] = len(queries)
    if not os.environ.get("UPDATE_QUERY_COUNTS"):
        assert len(queries) == json.loads(BASELINE.read_text())[path], "\n".join(queries)


@pytest.mark.parametrize("path", sorted(scenarios))
def test_no_endpoint_asks_the_same_twice(api, gifts, told, path):
    user, params = scenarios[path]()
    reads = Counter(query for query in queries_of(api, path, user, params) if query.startswith("SELECT"))
    assert not [query for query, times in reads.items() if times > 1]


def lives_on_air(count: int) -> list[Live]:
    return [factories.live() for _ in range(count)]


def replays(count: int, owner: User | None = None) -> None:
    for _ in range(count):
        factories.live(owner, status=Live.Status.STOPPED, lookback_addr="x", started_at=Now(), ended_at=Now())


def audience(count: int) -> tuple[User, Params]:
    viewer, live = in_a_room()
    factories.inside(live, *(factories.person() for _ in range(count - 2)))
    return viewer, {"liveId": live.pk}


def knocked(count: int) -> tuple[User, Params]:
    live = factories.live()
    for _ in range(count):
        Guest.objects.create(live=live, user=factories.person(), knocked_at=Now())
        Follow.objects.create(follower=factories.person(), followee=live.owner)
    return live.owner, {"liveId": live.pk}


def managed(count: int) -> tuple[User, Params]:
    """A live has five managers at most; the numbers are those of the other lists."""
    live = factories.live()
    for _ in range(count):
        Guest.objects.create(live=live, user=factories.person(), manager_since=Now())
    return live.owner, {"liveId": live.pk}


def recommended(count: int) -> tuple[User, Params]:
    viewer = factories.person()
    for live in lives_on_air(count):
        Follow.objects.create(follower=viewer, followee=live.owner)
    replays(count)
    return viewer, {}


def recorded(count: int) -> tuple[User, Params]:
    viewer = factories.person()
    for owner in (factories.person() for _ in range(count)):
        Follow.objects.create(follower=viewer, followee=owner)
        replays(1, owner)
    return viewer, {}


def of_a_person(count: int) -> tuple[User, Params]:
    owner = factories.person()
    replays(count, owner)
    return factories.person(), {"userId": owner.pk, "limit": 50}


def catalogue(count: int) -> tuple[User, Params]:
    GiftResource.objects.all().delete()
    for gift in Gift.objects.order_by("pk")[count:]:
        gift.delete()
    for gift in Gift.objects.all():
        GiftResource.objects.create(gift=gift, attr_file="x", file_md5=f"{gift.pk:032}")
    return factories.person(), {}


def known_person(count: int) -> tuple[User, Params]:
    user, star = factories.person(), factories.live().owner
    for fan in (factories.person() for _ in range(count)):
        Follow.objects.create(follower=fan, followee=star)
        Follow.objects.create(follower=user, followee=fan)
    replays(count, star)
    return user, {"uid": star.pk}


def followed(count: int) -> tuple[User, Params]:
    star = factories.person(follower_count=count)
    for _ in range(count):
        Follow.objects.create(follower=factories.person(following_count=1), followee=star)
    return factories.person(), {"userId": star.pk, "limit": 20}


def following(count: int) -> tuple[User, Params]:
    fan = factories.person(following_count=count)
    for _ in range(count):
        Follow.objects.create(follower=fan, followee=factories.person(follower_count=1))
    return factories.person(), {"userId": fan.pk, "limit": 20}


def blocking(count: int) -> tuple[User, Params]:
    user = factories.person(blocked_count=count)
    for _ in range(count):
        Block.objects.create(user=user, target=factories.person())
    return user, {"limit": 20}


def anchors(count: int) -> tuple[User, Params]:
    User.objects.update(kind="Normal")
    for _ in range(count):
        factories.person(kind="Anchor")
    return factories.person(), {"type": "Anchor", "limit": 20}


def signed_in(count: int) -> tuple[User, Params]:
    for _ in range(count):
        factories.token(factories.person())
    return factories.person(), {"limit": 20}


def topics_of_operators(count: int) -> tuple[User, Params]:
    voices.Topic.objects.update(shown=False)
    for _ in range(count):
        voices.topic()
    return factories.person(), {"offset": 0}


def posts_of_people(count: int) -> tuple[User, Params]:
    topic = voices.topic()
    for _ in range(count):
        post = voices.subject(topic)
        for _ in range(count):
            voices.subject(to=post)
    return factories.person(), {"topicId": topic.pk, "type": 1, "offset": 0}


def thread_of_people(count: int) -> tuple[User, Params]:
    post = voices.subject()
    for _ in range(count):
        voices.subject(to=post)
    return factories.person(), {"subjectId": post.pk, "offset": 0}


def records_of_people(count: int) -> tuple[User, Params]:
    for number in range(count):
        record_by(factories.live().owner, number)
    return factories.person(), {"score": 0}


def singers(count: int) -> tuple[User, Params]:
    for number in range(count):
        factories.person(f"歌手{number}")
    return factories.person(), {"queryParameter": "歌"}


@pytest.mark.parametrize(
    ("path", "rows", "shown", "counts"),
    [
        ("user/list-follower", followed, "result", (2, 20)),
        ("user/list-following", following, "result", (2, 20)),
        ("user/list-blocked-user", blocking, "result", (2, 20)),
        ("user/list-user-byType", anchors, "result", (2, 20)),
        ("user/list-active-user", signed_in, "result", (2, 20)),
        ("user/search", singers, "users", (2, 20)),
        ("live/list-live-users", audience, "users", (2, 19)),
        ("live/list-live-users", audience, "users", (20, 60)),  # a full page: one query more, for its last second
        ("live/list-live-by-recommend", recommended, "lives", (2, 20)),
        ("live/list-live-by-follow", recommended, "lives", (2, 20)),
        ("live/list-live-by-follow", recorded, "lookbacks", (2, 20)),
        ("live/list-live-by-user", of_a_person, "lives", (2, 20)),
        ("live/list-replay-users", seen, "users", (2, 20)),
        ("live/getmgruser", managed, "users", (2, 20)),
        ("live/invite-user-list", knocked, "users", (2, 20)),
        ("live/gift-info", catalogue, "gifts", (2, 20)),
        ("social/gift-resources", catalogue, "resources", (2, 20)),
        ("live/get-live", audience, None, (2, 20)),
        ("user/info", known_person, None, (2, 20)),
        ("topic/topic-list", topics_of_operators, "topics", (2, 20)),
        ("topic/topic-detail", posts_of_people, "subjects", (2, 11)),
        ("topic/subject-detail", thread_of_people, "replys", (2, 20)),
        ("record/refresh-record", records_of_people, None, (2, 20)),
        ("payment/statement", moved, "lines", (2, 20)),
        ("payment/list-p2g-package", on_offer, "packages", (2, 20)),
        ("msg/message-list", written_to, "messages", (2, 20)),
        ("msg/conversation-list", written_to, "conversations", (2, 20)),
        ("msg/history-msg", written_to, "unReadMsg", (2, 20)),
    ],
)
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_two(api, gifts, told, path, rows, shown, counts):
    queries = []
    for count in sorted(counts, reverse=True):
        Member.objects.all().delete()
        Live.objects.all().delete()
        user, params = rows(count)
        if shown:
            assert len(api(user).post(path, **params)[shown]) >= min(count, 20)
        queries.append(len(queries_of(api, path, user, params)))
    assert queries[0] == queries[1]


def test_a_second_audience_within_one_second_is_still_one_page(api, told):
    """Sixty people who came in the same second are shown at once: paging by the second would lose some."""
    viewer, params = audience(60)
    Member.objects.update(joined_at=Now())
    assert len(api(viewer).post("live/list-live-users", **params)["users"]) == 60


@pytest.mark.parametrize("path", sorted(scenarios))
def test_history_piles_up_and_nothing_takes_longer(api, gifts, told, path):
    """The same calls by people who have done much before."""
    user, params = scenarios[path]()
    factories.inside(factories.live(), *(factories.person() for _ in range(20)))
    for each in User.objects.all() if user is None else [user]:
        for _ in range(20):
            factories.live(each, status=Live.Status.STOPPED, ended_at=timezone.now() - timedelta(days=1))
    assert len(queries_of(api, path, user, params)) == json.loads(BASELINE.read_text())[path]
