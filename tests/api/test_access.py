"""Every endpoint that is told an id × a stranger who sends that of another's thing (OWASP API1, API3, API5):
refused, or answered as if it were not there; nothing changes, and nobody is told anything.

Generated from the registry and the calls of `tests/scenarios`, which would succeed for whose they are. What
everybody may do with other people's things stands in FOR_EVERYBODY, with the reason; of that only what is shown counts.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from heihei_site import urls
from heihei_site.api.endpoints import Endpoints
from tests import factories
from tests.scenarios import scenarios
from tests.users.test_matrix import contents
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_elsewhere")]
AN_ID = re.compile(r"(?i)^(?!gift|clientmsg|apns).*ids?$")  # gifts are the catalogue's; the others name nothing of ours

FOR_EVERYBODY = {
    "chat/due-chat": "one may call anybody",
    "live/get-live": "rooms are public (from 1.5 on by their card outside)",
    "live/getmgruser": "who keeps order in a public room is public",
    "live/join-live": "rooms are public",
    "live/knock-live-room": "one may knock at any door",
    "live/knock-status": "so one may ask how that went",
    "live/list-live-by-user": "what somebody has broadcast is public",
    "live/list-replay-users": "who came to a public room is public, its replay included",
    "live/share-live": "rooms are public",
    "msg/send-msg": "one may write to anybody",
    "payment/create-order": "packages are the catalogue's",
    "record/read-record": "what operators have let through is public",
    "topic/get-subject": "what is posted is public",
    "topic/like-subject": "one may like anybody's",
    "topic/listen-subject": "one may hear anybody's",
    "topic/subject-detail": "what is posted is public",
    "topic/topic-detail": "what is posted is public",
    "topic/unlike-subject": "one's own like",
    "user/block-user": "one's own list",
    "user/follow": "one's own list",
    "user/info": "cards are public",
    "user/isinlive": "who broadcasts publicly is public",
    "user/list-follower": "who follows whom is public",
    "user/list-following": "who follows whom is public",
    "user/push-device-info": "the id is that of one's own phone",
    "user/report-user": "anybody may report",
    "user/unblock-user": "one's own list",
    "user/unfollow": "one's own list",
}
SHOWS_A_CARD = {"live/stop-live"}  # to strangers too, and does nothing (D24)
# Keys that are for one person alone; a stranger gets none of them, or an empty one (D29, D37).
PRIVATE = {
    "pushAddr",
    "qiniuObj",
    "publishKey",
    "phoneNo",
    "phone",
    "token",
    "liveKey",
    "roomToken",
    "idCard",
    "alipay",
}


def told_ids(path: str) -> bool:
    endpoint = next(each for each in Endpoints.registry if each.path == path)
    return not endpoint.open_to_all and any(AN_ID.match(each.wire_name) for each in endpoint.parameters)


assert urls.urlpatterns  # imports every module that declares endpoints
ABOUT_SOMETHING = sorted(path for path in scenarios if told_ids(path))


def private_parts(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name in PRIVATE and value:
                yield name
            yield from private_parts(value)
    elif isinstance(answer, list):
        for each in answer:
            yield from private_parts(each)


def test_every_endpoint_of_the_registry_is_looked_at():
    paths = {each.path for each in Endpoints.registry if told_ids(each.path)}
    assert paths == set(ABOUT_SOMETHING)
    assert set(FOR_EVERYBODY) <= paths, set(FOR_EVERYBODY) - paths


def called_by_a_stranger(api: Any, path: str) -> tuple[dict[str, Any], User, Any]:
    owner, params = scenarios[path]()
    stranger = factories.person()
    assert stranger != owner
    phone = api(stranger)
    params = {name: value for name, value in params.items() if name != "token"}
    return params, stranger, phone


@pytest.mark.parametrize("path", [path for path in ABOUT_SOMETHING if path not in FOR_EVERYBODY])
def test_what_is_not_yours_is_not_there(api, gifts, told, path):
    params, _, phone = called_by_a_stranger(api, path)
    told.clear()
    before = contents()
    for call in (phone.get, phone.post):
        answer = call(path, **params)
        assert answer["errorcode"] != -1
        assert answer["errorcode"] or path in SHOWS_A_CARD or set(answer) == {"errorcode", "errormsg"}, answer
        assert list(private_parts(answer)) == []
        assert (contents(), told) == (before, [])


@pytest.mark.parametrize("path", sorted(FOR_EVERYBODY))
def test_what_everybody_may_see_has_nothing_in_it_that_is_for_one(api, gifts, told, path):
    params, _, phone = called_by_a_stranger(api, path)
    assert list(private_parts(phone.post(path, **params))) == []
