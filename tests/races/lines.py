"""People with a phone each, for what many of them do at once."""

from collections import Counter

import orjson

from chat.models import Side
from heihei_site.realtime.models import Message, StreamKind
from tests import factories
from tests.races.crowd import same_phone


class Line:
    def __init__(self, api, **fields):
        self.user = factories.person(**fields)
        self.pk = self.user.pk
        self.phone = api(self.user)

    def does(self, what, **said):
        return lambda: same_phone(self.phone).post(f"chat/{what}", **said)

    def calls(self, other):
        return self.does("due-chat", userId=other.pk)

    def heard(self, action):
        """How often, by the rows of what they were told."""
        rows = Message.objects.filter(kind=StreamKind.PERSON, owner_id=self.pk)
        return sum(orjson.loads(row.element)["msg"].get("action") == action for row in rows)


def busy():
    return Counter(Side.objects.filter(busy=True).values_list("user_id", flat=True))
