"""`topic/*`: voices that people post to topics and answer."""

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    DeedFailed,
    FileRefused,
    NotEnoughGold,
    PostUnknown,
)
from heihei_site.api.paging import Page
from heihei_site.api.params import Offset
from heihei_site.api.throttles import Limit
from payment import gift_params
from payment.services.gifts import Combo
from topics import params, selectors, serializers
from topics.models import Subject, Topic
from topics.serializers import Cards
from topics.services import deeds, posts, showing, topics
from users.selectors import just_active

api = Endpoints("topic")

POSTS = Limit(settings.SUBJECTS, counted_with="subjects")
DEEDS = Limit(settings.SUBJECT_DEEDS, counted_with="subject deeds")


@api.get(raises=[DeedFailed])
def topic_list(caller: Caller, *, offset: Offset = 0) -> serializers.TopicList:
    """Topics: those that operators pinned, then by their order, then the warmest. `dueChat` is the area of people to
    call, with who was just active; the next page begins at `offset`."""
    page = Page.of(offset, settings.TOPICS_PAGE)
    rows, area = topics.normal()[page.start : page.stop], topics.due_chat()
    cards = serializers.topic_cards([*rows, *([area] if area else [])], caller.base_url)
    due_chat: serializers.DueChatArea = {"users": []}
    if area:
        people = just_active(caller.person, Page.of(0, settings.DUE_CHAT_PEOPLE))
        due_chat = {"topic": cards.pop(), "users": serializers.active_cards(people, caller.person)}
    return {
        "due_chat": due_chat,
        "topics": cards,
        "page_size": settings.TOPICS_PAGE,
        "offset": offset + len(cards),
    }


@api.get(raises=[DeedFailed])
def topic_detail(
    caller: Caller, *, topic: params.TopicParam, newest: params.Order = False, offset: Offset = 0
) -> serializers.TopicDetail:
    """A topic and its posts, each with its newest replies. `type` 0 (or hot): the warmest first; 1 (or new): the
    newest. The next page begins at `offset`; the list ends after a thousand."""
    page = Page.of(offset, settings.POSTS_PAGE)
    found = (selectors.newest if newest else selectors.hottest)(topic.pk, caller.person, page)
    replies = selectors.newest_replies(found, caller.person)
    everything = [*found, *(reply for thread in replies.values() for reply in thread)]
    cards = Cards(everything, topic, caller.person, caller.base_url)
    return {
        "topic": serializers.topic_cards([topic], caller.base_url)[0],
        "subjects": [cards.with_replies(subject, replies) for subject in found],
        "users": cards.users,
        "page_size": settings.POSTS_PAGE,
        "offset": offset + len(found),
    }


@api.get(raises=[DeedFailed])
def subject_detail(caller: Caller, *, subject: params.SubjectParam, offset: Offset = 0) -> serializers.SubjectDetail:
    """A post with its topic and its thread, the newest reply first. Of a reply: itself, and the thread it is in."""
    topic = _topic_of(subject)
    thread = selectors.replies(subject.post_id, caller.person, Page.of(offset, settings.REPLIES_PAGE))
    cards = Cards([subject, *thread], topic, caller.person, caller.base_url)
    return {
        "topic": serializers.topic_cards([topic], caller.base_url)[0],
        "subject": cards.of(subject),
        "replys": [cards.of(reply) for reply in thread],
        "users": cards.users,
        "page_size": settings.REPLIES_PAGE,
        "offset": offset + len(thread),
    }


@api.get()
def get_subject(caller: Caller, *, subject: params.SubjectParam) -> serializers.SubjectAnswer:
    """A post or a reply, with who made it and whom it answers."""
    return _answer(caller, subject)


@api.post(raises=[FileRefused, DeedFailed], limits=[POSTS])
def create_subject(
    caller: Caller,
    *,
    topic: params.TopicParam,
    sign: params.Sign,
    samples: params.Samples,
    title: params.Title,
    length: params.Length,
) -> serializers.SubjectAnswer:
    """Posts a voice that was uploaded with `sys/oss-token`, of which `sign` is. `length` counts until the file has been
    measured; `samples` come back as they are. The same upload again is the same post."""
    made = posts.post(creator=caller.person, topic=topic, sign=sign, title=title, length=length, samples=samples)
    return _answer(caller, made)


@api.post(raises=[FileRefused, DeedFailed], limits=[POSTS])
def reply_subject(
    caller: Caller,
    *,
    subject: params.SubjectParam,
    sign: params.Sign,
    samples: params.Samples,
    title: params.OptionalTitle = "",
    length: params.Length = 0,
) -> serializers.SubjectAnswer:
    """Answers a post or a reply with a voice, as create-subject. Who made it is told."""
    made = posts.reply(creator=caller.person, to=subject, sign=sign, title=title, length=length, samples=samples)
    return _answer(caller, made)


@api.post(raises=[DeedFailed])
def update_subject(caller: Caller, *, subject: params.OwnSubject, title: params.Title) -> serializers.SubjectAnswer:
    """Another title for what the caller made. 711 for another's."""
    posts.reword(subject=subject, title=title)
    return _answer(caller, subject)


@api.post()
def delete_subject(caller: Caller, *, subject: params.OwnSubject) -> Nothing:
    """Takes away what the caller made, of a post the thread with it. 711 for another's; the second time nothing
    happens."""
    showing.delete(subject=subject)
    return {}


@api.post(raises=[DeedFailed], limits=[DEEDS])
def listen_subject(caller: Caller, *, subject: params.SubjectParam) -> serializers.Counted:
    """The caller hears it: counted once a minute for each person."""
    deeds.listen(user=caller.person, subject=subject)
    return serializers.counted(subject)


@api.post(raises=[DeedFailed], limits=[DEEDS])
def like_subject(caller: Caller, *, subject: params.SubjectParam) -> serializers.Counted:
    """The caller likes it; who made it is told. The second time nothing happens."""
    deeds.like(user=caller.person, subject=subject)
    return serializers.counted(subject)


@api.post(limits=[DEEDS])
def unlike_subject(caller: Caller, *, subject: params.SubjectParam) -> serializers.Counted:
    """Takes a like back. The second time nothing happens."""
    deeds.unlike(user=caller.person, subject=subject)
    return serializers.counted(subject)


@api.post(raises=[PostUnknown, AccountAbnormal, NotEnoughGold])
def buy_gift(
    caller: Caller,
    *,
    subject: params.AnySubject,
    gift: gift_params.GiftParam,
    amount: gift_params.Count = 1,
    gift_uuid: gift_params.ComboKey = "",
) -> serializers.GoldLeft:
    """Gives who made it a gift; they are told. The same (gift_uuid, amount) is charged once (D26).

    `amount` is the combo counter: shown, not multiplied. `gold` is what the caller has left.
    """
    combo = Combo(uuid=gift_uuid, count=amount)
    return {"gold": deeds.give(sender=caller.person, subject=subject, gift=gift, combo=combo)}


def _answer(caller: Caller, subject: Subject) -> serializers.SubjectAnswer:
    replies = selectors.newest_replies([subject] if subject.is_post else [], caller.person)
    cards = Cards([subject, *replies.get(subject.pk, [])], _topic_of(subject), caller.person, caller.base_url)
    return {"subject": cards.with_replies(subject, replies), "users": cards.users}


def _topic_of(subject: Subject) -> Topic:
    """PostUnknown where operators have hidden it."""
    topic = topics.find(subject.topic_id)
    if topic is None:
        raise PostUnknown
    return topic
