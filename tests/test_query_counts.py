"""How many queries every endpoint takes on its ordinary successful call (`tests/scenarios`), against
`query_counts.json`. After a change that is meant:

    UPDATE_QUERY_COUNTS=1 pytest tests/test_query_counts.py
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from heihei_site import urls
from heihei_site.api.endpoints import Endpoints
from heihei_site.console import tunables
from live.models import Live, Member
from tests import factories
from tests.scenarios import Params, answer_to, letters, lives, money, people, scenarios, voices
from users.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("jobs_elsewhere")]
BASELINE = Path(__file__).with_name("query_counts.json")
NOT_COUNTED = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ")


@pytest.fixture(autouse=True)
def a_short_moment(settings: Any, transactional_db: None) -> None:
    """What a scenario has the process know (`postgres/kept.py`), it still knows when the call comes, on a slow machine
    too. What operators have changed of the settings, every process knows: it reads them every two seconds."""
    settings.KEPT_SECONDS = 3600
    tunables.changed()


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


@pytest.mark.parametrize(
    ("path", "rows", "shown", "counts"),
    [
        ("user/list-follower", people.followed, "result", (2, 20)),
        ("user/list-following", people.following, "result", (2, 20)),
        ("user/list-blocked-user", people.blocking, "result", (2, 20)),
        ("user/list-user-byType", people.anchors, "result", (2, 20)),
        ("user/list-active-user", people.signed_in, "result", (2, 20)),
        ("user/search", people.singers, "users", (2, 20)),
        ("live/list-live-users", lives.audience, "users", (2, 19)),
        ("live/list-live-users", lives.audience, "users", (20, 60)),  # a full page: one query more, for its last second
        ("live/list-live-by-recommend", lives.recommended, "lives", (2, 20)),
        ("live/list-live-by-follow", lives.recommended, "lives", (2, 20)),
        ("live/list-live-by-follow", lives.recorded, "lookbacks", (2, 20)),
        ("live/list-live-by-user", lives.of_a_person, "lives", (2, 20)),
        ("live/list-replay-users", lives.seen, "users", (2, 20)),
        ("live/getmgruser", lives.managed, "users", (2, 20)),
        ("live/invite-user-list", lives.knocked, "users", (2, 20)),
        ("live/gift-info", lives.catalogue, "gifts", (2, 20)),
        ("social/gift-resources", lives.catalogue, "resources", (2, 20)),
        ("live/get-live", lives.audience, None, (2, 20)),
        ("user/info", people.known_person, None, (2, 20)),
        ("topic/topic-list", voices.topics_of_operators, "topics", (2, 20)),
        ("topic/topic-detail", voices.posts_of_people, "subjects", (2, 11)),
        ("topic/subject-detail", voices.thread_of_people, "replys", (2, 20)),
        ("record/refresh-record", voices.records_of_people, None, (2, 20)),
        ("payment/statement", money.moved, "lines", (2, 20)),
        ("payment/list-p2g-package", money.on_offer, "packages", (2, 20)),
        ("msg/message-list", letters.written_to, "messages", (2, 20)),
        ("msg/conversation-list", letters.written_to, "conversations", (2, 20)),
        ("msg/history-msg", letters.written_to, "unReadMsg", (2, 20)),
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
    viewer, params = lives.audience(60)
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
