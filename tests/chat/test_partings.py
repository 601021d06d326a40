"""Who is banned, leaves, is blocked or goes on air is in no call any more, and the other one hears it. D18, I9."""

import pytest

from chat.models import Chat
from tests import factories
from tests.answers import ok, refused
from tests.chat.conftest import Stage
from users.services import bans, relations
from users.signals import left

pytestmark = pytest.mark.django_db

DEEDS = ["banned", "left", "blocked", "on air"]


@pytest.fixture
def happens(stage: Stage, committed):
    def to(line, other, deed):
        if deed == "on air":
            live = factories.live(line.user, status=0)
            ok(line.phone.get("live/start-live", liveId=live.pk))
            return
        with committed():
            if deed == "banned":
                bans.ban(line.user)
            elif deed == "left":
                left.send(type(line.user), user=line.user)
            else:
                relations.block(user=line.user, target=other.user)

    return to


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(("who", "outcome"), [("a", "cancelled"), ("b", "refused")])
def test_what_rings_is_over_and_the_other_one_told(stage: Stage, happens, deed, who, outcome):
    ok(stage.a.due(stage.b))
    line, other = (stage.a, stage.b) if who == "a" else (stage.b, stage.a)
    happens(line, other, deed)
    assert (stage.state, stage.chat.outcome) == ("ENDED", outcome)
    assert not stage.busy()
    assert len(other.heard("cancel-due-chat")) == 1


@pytest.mark.parametrize("deed", DEEDS)
def test_a_talk_is_over_and_the_other_one_told(stage: Stage, happens, deed):
    stage.talk()
    happens(stage.a, stage.b, deed)
    assert (stage.state, stage.chat.outcome) == ("ENDED", "talked")
    assert not stage.busy()
    assert stage.b.statuses()[0][1][stage.a.pk] == 2


@pytest.mark.parametrize("deed", ["banned", "left", "blocked"])
def test_nobody_calls_back_who_is_gone(stage: Stage, happens, deed):
    chat_id = ok(stage.a.due(stage.b))["chatId"]
    stage.passes(15)
    stage.sweep()
    happens(stage.a, stage.b, deed)
    assert stage.b.accept(stage.a, chat_id=chat_id)["errorcode"] in (710, 732)
    assert stage.state == "ENDED" and not stage.a.heard("due-chat-notify")


def test_starting_again_what_is_on_air_ends_no_call(stage: Stage):
    """The shipped app sends start-live whenever its sound comes back."""
    live = factories.live(stage.a.user)
    ok(stage.a.due(stage.b))
    ok(stage.a.phone.get("live/start-live", liveId=live.pk))
    assert stage.state == "RINGING"


def test_calls_of_others_go_on(stage: Stage, happens):
    stage.talk()
    c, d = stage.line(), stage.line()
    ok(c.due(d))
    happens(stage.a, c, "blocked")
    happens(c, stage.a, "on air")
    assert Chat.objects.filter(state=Chat.State.RUNNING).count() == 1
    refused(d.accept(c), 409, "来晚了~")
