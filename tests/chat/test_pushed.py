"""A ring that no socket brings: what is pushed, and where it leads. B55, B65."""

from urllib.parse import parse_qs, urlsplit

import pytest

from messages.models import Notice, Push
from tests.answers import ok
from tests.chat.conftest import Stage
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def notice(stage: Stage):
    User.objects.filter(pk=stage.a.pk).update(display_name="小雨 &+%")
    said = {"apnsToken": "abc", "deveiceType": "android", "apnsType": "getui"}
    ok(stage.b.phone.post("user/push-device-info", **said))
    ok(stage.a.due(stage.b))
    return Notice.objects.get()


def test_a_call_is_pushed_to_who_is_called_as_long_as_it_rings_even_at_night(stage: Stage, notice):
    push = Push.objects.get()
    assert (push.user_id, notice.from_user_id, notice.rings) == (stage.b.pk, stage.a.pk, True)
    assert notice.text == "小雨 &+%向你发起约聊"
    assert 0 < (notice.expires_at - notice.created_at).total_seconds() < 16


def test_the_link_answers_this_call_in_the_parser_of_every_client(stage: Stage, notice):
    """Else nothing opens, or a call of nobody, who is always male."""
    (of_all, first), (of_later, second) = notice.links
    assert (of_all, of_later) == ([0, 0], [1, 2])
    for link in (first, second):
        assert urlsplit(link).scheme == "" and link.startswith("wmlives_heihei://acceptchat?")
        asked = {name: values[0] for name, values in parse_qs(link.partition("?")[2]).items()}
        assert (asked["chatId"], asked["userId"], asked["type"]) == (str(stage.newest), str(stage.a.pk), "0")
        who = {name: asked[name] for name in asked if name in ("userName", "fromUserName", "gender")}
        assert who == (
            {"userName": "小雨 &+%", "gender": "1"}
            if link is first
            else {"fromUserName": "小雨 &+%", "gender": "Female"}
        )


def test_hanging_up_and_talking_are_not_pushed(stage: Stage, notice):
    ok(stage.b.accept(stage.a))
    ok(stage.a.about("stop-chat"))
    assert Notice.objects.filter(action="duechat").count() == 1
    assert not Notice.objects.exclude(action="duechat").exists()
