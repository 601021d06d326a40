"""`msg/*`: what is in somebody's message list, and what they have been told."""

from typing import Any, NotRequired, TypedDict, cast

from django.conf import settings

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import NotPermitted, TooLate
from heihei_site.api.paging import Page
from heihei_site.api.params import Id, Limit, Offset
from messages import selectors, serializers
from messages.services import conversations, entries, history, recalls

api = Endpoints("message", prefix="msg")


def _page(offset: int, limit: int) -> Page:
    return Page.of(offset, limit, most=settings.MESSAGE_LIST).within(settings.MESSAGE_LIST_DEPTH)


class MessageList(TypedDict):
    messages: list[serializers.EntryRow]
    unread_msg_count: int


@api.get()
def message_list(caller: Caller, *, offset: Offset = 0, limit: Limit = settings.MESSAGE_LIST) -> MessageList:
    """Everybody the person called, was called by, wrote to or heard from: one entry for each other person, the newest
    first.

    `data.type` is what came last: `calling` they called in vain, `post` the person did, `call` the two talked, `text`
    one wrote to the other; `data.text` is the line to show. `count` grows with each call until the entry is deleted.
    `timeStamp` is in seconds. `unreadMsgCount` is of the whole list; changes of it come over the socket as
    `message-unread-count`, changed entries as `message`. 50 entries at once, `offset` and `limit` (at most 50) page on,
    to the 5,000th.
    """
    page = _page(offset, limit)
    rows = selectors.entries(caller.person.pk, page)
    return {
        "messages": [serializers.entry_row(row, row.peer) for row in rows],
        "unread_msg_count": selectors.unread_count(caller.person.pk),
    }


class ConversationList(TypedDict):
    conversations: list[serializers.ConversationRow]


@api.get()
def conversation_list(caller: Caller, *, offset: Offset = 0, limit: Limit = settings.MESSAGE_LIST) -> ConversationList:
    """Everybody the person wrote to or heard from, with the last message between the two, the newest first: an addition
    to message-list for clients that show conversations. 50 at once, `offset` and `limit` (at most 50) page on, to the
    5,000th."""
    page = _page(offset, limit)
    return {
        "conversations": [serializers.conversation_row(one) for one in selectors.conversations(caller.person.pk, page)]
    }


@api.post()
def read_conversation(caller: Caller, *, user_id: Id) -> Nothing:
    """All that somebody wrote to the person is read, in the list and in the history. `message-unread-count` tells the
    person's own phones, action `read-conversation` the other one's. Again: 0, and nobody is told."""
    conversations.read(owner_id=caller.person.pk, peer_id=user_id)
    return {}


@api.post(raises=[NotPermitted, TooLate])
def recall(caller: Caller, *, msg_id: Id) -> Nothing:
    """Takes back a message that the person wrote to somebody, within two minutes; later: 409. Both get action
    `recall-msg`; it is gone from lists, history and what is replayed, and was not pushed if it had not been by then. A
    gift is given: 711. Again: 0; of what the person did not write: 700."""
    recalls.recall(user=caller.person, msg_id=msg_id)
    return {}


@api.post()
def message_del(caller: Caller, *, user_id: Id) -> Nothing:
    """Deletes the entry about somebody from the person's own list, and what was unread of it. Again, or where there is
    none: 0. The next call or message makes a new one."""
    entries.delete(owner_id=caller.person.pk, peer_id=user_id)
    return {}


@api.post()
def message_read_all(caller: Caller) -> Nothing:
    """Everything in the person's list and history is read. `message-unread-count` tells all of their phones."""
    entries.read_all(caller.person.pk)
    return {}


class HistoryMessage(TypedDict):
    """The message as it came over the socket; these are an invitation's. `expireTime` is what remains, or 0."""

    msg_type: str
    action: NotRequired[str]
    comment: NotRequired[str]
    msg_id: int
    from_user_id: int
    from_user_name: NotRequired[str]
    gender: NotRequired[str]
    cover_url: NotRequired[str]
    birth_day: NotRequired[str]
    needstore: NotRequired[bool]
    getui_action: NotRequired[str]
    expire_time: NotRequired[int]
    chat_id: NotRequired[int]
    type: NotRequired[int]


class HistoryItem(TypedDict):
    """An element as it came over the socket, with its `seq`; an IM with its `msgType` and `users`."""

    msg: HistoryMessage
    time_stamp: int
    seq: int
    msg_type: NotRequired[str]
    users: NotRequired[dict[str, Any]]


class HistoryAnswer(TypedDict):
    un_read_count: int
    un_read_msg: list[HistoryItem]
    read_msg: list[HistoryItem]


@api.get()
def history_msg(
    caller: Caller, *, before: Id | None = None, offset: Offset = 0, limit: Limit | None = None
) -> HistoryAnswer:
    """What others told the person: messages and invitations to calls and lives, and the person's own messages.

    A page has the newest 100 of them, or `limit`, at most 50; those that are read are apart, and both lists have the
    newest first. For the page before send the lowest `seq` of it as `before`, or `offset`. `unReadCount` is of all that
    are kept: the newest 2,000 messages and none older than 30 days. Clients below 2.0 get the invitations only.
    """
    most = min(limit, settings.HISTORY_LIMIT) if limit else settings.HISTORY_PAGE
    page = history.Page(before=before, offset=offset, limit=most)
    found = history.read_page(owner_id=caller.person.pk, client=caller.client, page=page)
    return {
        "un_read_count": found.unread_count,
        "un_read_msg": cast(list[HistoryItem], found.unread),
        "read_msg": cast(list[HistoryItem], found.read),
    }


@api.post()
def delete_msg(caller: Caller, *, msg_id: Id) -> Nothing:
    """Takes one message out of the person's own history. Again, or of a message that is not there: 0."""
    history.delete(owner_id=caller.person.pk, msg_id=msg_id)
    return {}


@api.post()
def read_one_msg(caller: Caller, *, msg_id: Id) -> Nothing:
    """One message of the history is read; one that somebody wrote also in the message list. Again, or of a message that
    is not there: 0."""
    history.read_one(owner_id=caller.person.pk, msg_id=msg_id)
    return {}


@api.post()
def read_all_msg(caller: Caller) -> Nothing:
    """The former name of message-read-all."""
    entries.read_all(caller.person.pk)
    return {}
