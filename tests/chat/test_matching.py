"""match-chat and stop-match-chat: D24, D34; B12, B40."""

from datetime import timedelta

import pytest
from django.db.models import F

from chat import tasks
from chat.models import Chat, MatchTip, Seeker, Side
from chat.services import matching, tips
from tests import factories
from tests.answers import ok
from users.models import Block, User
from users.services import bans, relations

pytestmark = pytest.mark.django_db


def wait(stage, seconds):
    """As if everybody had begun to look that much earlier."""
    ago = timedelta(seconds=seconds)
    Seeker.objects.update(since=F("since") - ago, deadline=F("deadline") - ago)


def man(stage, **fields):
    return stage.line(factories.person(gender="Male", **fields))


def woman(stage, **fields):
    return stage.line(factories.person(**fields))


def look(*lines):
    for line in lines:
        ok(line("match-chat"))


def pairs():
    return {frozenset(chat.people) for chat in Chat.objects.filter(kind="match")}


def met(*lines):
    return frozenset(line.pk for line in lines)


def looking():
    return set(Seeker.objects.values_list("user_id", flat=True))


class TestTwoWhoLook:
    def test_are_called_to_the_same_chat_when_the_second_one_comes(self, stage):
        answer = ok(stage.a("match-chat"))
        assert answer["expireTime"] == 15
        assert stage.a.heard("join-chat") == []
        look(stage.b)
        chat = Chat.objects.get()
        for line in (stage.a, stage.b):
            (news,) = line.heard("join-chat")
            assert news["chatid"] == news["chatId"] == chat.pk
        assert (chat.kind, chat.state, chat.people) == ("match", Chat.State.RUNNING, (stage.a.pk, stage.b.pk))
        assert stage.busy() == {stage.a.pk, stage.b.pk}
        assert looking() == set()

    def test_talk_like_any_two(self, stage):
        look(stage.a, stage.b)
        for line in (stage.a, stage.b):
            joined = ok(line.about("join-chat"))["chat"]
            assert joined["chatId"] == joined["roomId"] == stage.newest
            assert len(joined["users"]) == 2
            assert set(joined["qiniu"]) == {"roomName", "roomToken"}
        stage.told.clear()
        ok(stage.a.about("stop-chat"))
        assert stage.b.heard("chat-user-status")
        assert stage.busy() == set()
        assert [news["data"]["type"] for news in stage.b.heard("message")] == ["call"]

    def test_do_not_miss_each_other_if_one_does_not_come_in(self, stage):
        """Nobody called anybody: a stranger in the list of missed calls would be nobody's doing."""
        look(stage.a, stage.b)
        ok(stage.a.about("join-chat"))
        stage.told.clear()
        ok(stage.b.about("stop-chat"))
        assert stage.a.heard("message") == stage.b.heard("message") == []
        assert ok(stage.a.phone.get("msg/message-list"))["messages"] == []

    def test_are_one_search_however_often_a_phone_sends_it(self, stage):
        look(stage.a, stage.a, stage.a)
        assert Chat.objects.count() == 0
        look(stage.b, stage.b, stage.a, stage.b)
        assert pairs() == {met(stage.a, stage.b)}
        assert looking() == set()

    def test_keep_their_turn_when_a_phone_sends_it_again(self, stage):
        first, second = woman(stage), woman(stage)
        Block.objects.create(user=first.user, target=second.user)
        look(first)
        wait(stage, 3)
        look(second, first)
        look(stage.b)
        assert pairs() == {met(first, stage.b)}


class TestWhoIsChosen:
    def test_the_opposite_gender_before_who_has_waited_longer(self, stage):
        for men_and_women in ((woman, man), (man, woman)):
            same, opposite = (make(stage) for make in men_and_women)
            Block.objects.create(user=same.user, target=opposite.user)
            look(same, opposite)
            newcomer = men_and_women[0](stage)
            look(newcomer)
            assert met(opposite, newcomer) in pairs()
            ok(same("stop-match-chat"))

    def test_anyone_where_there_is_nobody_of_the_opposite_gender(self, stage):
        first, second = woman(stage), woman(stage)
        look(first, second)
        assert pairs() == {met(first, second)}

    @pytest.mark.parametrize("gender", ["Unspecified", "Male", "Female"])
    def test_anyone_for_who_has_not_said_what_they_are(self, stage, gender):
        waiting, newcomer = stage.line(factories.person(gender=gender)), woman(stage)
        User.objects.filter(pk=newcomer.pk).update(gender="Unspecified")
        look(waiting, stage.line(User.objects.get(pk=newcomer.pk)))
        assert pairs() == {met(waiting, newcomer)}

    def test_who_has_waited_longest(self, stage):
        waiting = [man(stage) for _ in range(3)]
        for number, one in enumerate(waiting):
            for other in waiting[number + 1 :]:
                Block.objects.create(user=one.user, target=other.user)
        look(*waiting)
        for expected in waiting:
            newcomer = woman(stage)
            look(newcomer)
            assert met(expected, newcomer) in pairs()

    @pytest.mark.parametrize("blocker", [0, 1])
    def test_nobody_who_blocks_or_is_blocked(self, stage, blocker):
        both = [stage.a, stage.b]
        Block.objects.create(user=both[blocker].user, target=both[1 - blocker].user)
        look(stage.a, stage.b)
        assert pairs() == set()
        assert stage.a.heard("join-chat") == stage.b.heard("join-chat") == []
        third = woman(stage)
        look(third)
        assert pairs() == {met(stage.b, third)}

    def test_nobody_twice_within_ten_minutes(self, stage):
        look(stage.a, stage.b)
        ok(stage.a.about("stop-chat"))
        look(stage.a, stage.b)
        assert (Chat.objects.count(), looking()) == (1, {stage.a.pk, stage.b.pk})
        stage.passes(601)
        stage.sweep()
        look(stage.a)
        assert Chat.objects.count() == 2

    def test_nobody_they_have_talked_with_for_long_until_a_moment_ago(self, stage):
        look(stage.a, stage.b)
        Chat.objects.update(created_at=F("created_at") - timedelta(minutes=20))
        ok(stage.a.about("stop-chat"))
        look(stage.a, stage.b)
        assert (Chat.objects.count(), looking()) == (1, {stage.a.pk, stage.b.pk})

    def test_nobody_who_is_on_air(self, stage):
        look(stage.a)
        factories.live(stage.a.user)
        look(stage.b)
        factories.live(on_air := stage.line().user)
        look(stage.line(on_air))
        assert pairs() == set()

    def test_nobody_who_is_called_or_calls(self, stage):
        other = woman(stage)
        look(stage.a)
        ok(other.due(stage.a))
        look(stage.b, other)
        assert pairs() == set()

    def test_who_is_free_again(self, stage):
        other = woman(stage)
        look(stage.a)
        ok(other.due(stage.a))
        look(stage.b)
        ok(stage.a.about("cancel-due-chat"))
        with stage.committed():
            assert tasks.match() == {"paired": 1, "gone": 0}
        assert pairs() == {met(stage.a, stage.b)}
        assert stage.a.heard("join-chat") and stage.b.heard("join-chat")

    def test_nobody_who_has_taken_a_call_meanwhile(self, stage):
        other = woman(stage)
        look(stage.a)
        ok(other.due(stage.a))
        ok(stage.a.accept(other))
        assert looking() == set()
        ok(stage.a.about("stop-chat"))
        look(stage.b)
        assert pairs() == set()

    @pytest.mark.parametrize("going", [lambda user: bans.ban(user), lambda user: User.objects.filter(
        pk=user.pk).update(deletion_due_at="2100-01-01T00:00Z")])  # fmt: skip
    def test_nobody_who_is_gone(self, stage, going):
        look(stage.a)
        going(stage.a.user)
        look(stage.b)
        assert pairs() == set()

    def test_nobody_whose_phone_has_given_up(self, stage):
        look(stage.a)
        wait(stage, 15)
        look(stage.b)
        assert pairs() == set()
        assert tasks.match() == {"paired": 0, "gone": 1}
        assert looking() == {stage.b.pk}

    def test_not_who_blocked_the_other_while_both_waited(self, stage):
        look(stage.a)
        relations.block(user=stage.a.user, target=stage.b.user)
        look(stage.b)
        assert pairs() == set()


class TestStopping:
    def test_is_fine_for_who_is_not_looking(self, stage):
        """B40: the app stays in "matching" for anything but 0, and sends it at every start."""
        for _ in range(2):
            ok(stage.a("stop-match-chat"))
        ok(stage.a("match-chat"))
        for _ in range(2):
            ok(stage.a("stop-match-chat"))
        look(stage.b)
        assert pairs() == set()

    def test_frees_who_was_paired_with_them_a_moment_ago(self, stage):
        look(stage.a, stage.b)
        ok(stage.b.about("join-chat"))
        stage.told.clear()
        ok(stage.a("stop-match-chat"))
        assert stage.busy() == set()
        assert stage.b.heard("chat-user-status")
        ok(stage.a("stop-match-chat"))

    def test_ends_no_call_that_somebody_is_in(self, stage):
        """Every start of the app's main page sends it."""
        look(stage.a, stage.b)
        for line in (stage.a, stage.b):
            ok(line.about("join-chat"))
        ok(stage.a("stop-match-chat"))
        assert stage.state == "RUNNING"

    def test_ends_no_call_that_was_no_match(self, stage):
        ok(stage.a.due(stage.b))
        ok(stage.b.accept(stage.a))
        ok(stage.a("stop-match-chat"))
        assert stage.state == "RUNNING"


class TestWhoIsInACallAlready:
    def test_looks_for_nobody_and_is_not_refused(self, stage):
        stage.talk()
        look(stage.a)
        assert looking() == set()

    def test_but_only_by_what_was_left_of_it_looks(self, stage):
        """I8: a lost sweep costs nobody their match."""
        stage.talk()
        stage.passes(60)
        other = woman(stage)
        look(other, stage.a)
        assert pairs() == {met(stage.a, other)}


class TestTips:
    def test_are_always_a_list(self, stage):
        """B12: the 1.1 app crashes without one."""
        assert ok(stage.a("match-chat"))["tips"] == []
        look(stage.b)
        assert ok(stage.a("match-chat"))["tips"] == []

    def test_are_some_of_those_that_operators_want(self, stage):
        tips.seed()
        tips.seed()
        assert MatchTip.objects.count() == len(tips.FIRST_TIPS) >= 10
        shown = ok(stage.a("match-chat"))["tips"]
        assert len(set(shown)) == 6
        assert set(shown) <= set(tips.FIRST_TIPS)
        MatchTip.objects.exclude(text=tips.FIRST_TIPS[0]).update(active=False)
        tips.lines.forget()
        assert ok(stage.a("match-chat"))["tips"] == [tips.FIRST_TIPS[0]]


def test_a_sweep_passes_over_who_cannot_be_asked(stage, monkeypatch):
    first, second = woman(stage), woman(stage)
    Block.objects.create(user=first.user, target=second.user)
    look(first, second)
    find, asked = matching.find_partner, []

    def fail_once(user_id, gender, **how):
        asked.append(user_id)
        if len(asked) == 1:
            raise RuntimeError
        return find(user_id, gender, **how)

    monkeypatch.setattr(matching, "find_partner", fail_once)
    assert tasks.match() == {"paired": 0, "gone": 0}
    assert asked == [first.pk, second.pk]


def test_nothing_of_it_is_in_redis(stage, monkeypatch):
    """Whatever Redis forgets, two are paired once."""
    from django.core.cache import cache

    look(stage.a)
    cache.clear()
    look(stage.b)
    assert pairs() == {met(stage.a, stage.b)}
    assert Side.objects.filter(busy=True).count() == 2
