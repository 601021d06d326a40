"""The rows of what is to be pushed: written with the message, sent by push_delivery.py, forgotten some days after."""

from collections.abc import Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from heihei_site.console.tunables import tunables
from heihei_site.providers import registry
from heihei_site.realtime.pushing import ToPush
from messages.models import Notice, Push

NOTICES = 500  # forgotten at a time,
FORGOTTEN = 5000  # with their rows, so many of these in one transaction

# For each device that may get it. Where something about the same waits for the device already, this takes its turn, so
# that a lively conversation does not put its push off for ever.
_WRITE = """
WITH devices AS (
    SELECT device.id, device.user_id
    FROM users_device AS device
    JOIN users_session AS session ON session.id = device.session_id AND session.expires_at > statement_timestamp()
    JOIN users_user AS person ON person.id = device.user_id
    WHERE device.user_id = ANY(%(people)s) AND device.push_kind = ANY(%(kinds)s)
        AND person.push_enable AND person.is_active AND person.deletion_due_at IS NULL
), notice AS (
    INSERT INTO inbox_notice
        (msg_id, title, text, action, links, from_user_id, from_user_name, gender, rings, expires_at)
    SELECT %(msg_id)s, %(title)s, %(text)s, %(action)s, %(links)s, %(from_user_id)s, %(from_user_name)s, %(gender)s,
        %(rings)s, clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE EXISTS (SELECT FROM devices)
    ON CONFLICT (msg_id) DO NOTHING
)
INSERT INTO inbox_push (notice_id, user_id, device_id, lane, collapse, outcome, due_at, tries, reason, created_at)
SELECT %(msg_id)s, user_id, id, %(lane)s, %(collapse)s, 0, LEAST(clock_timestamp() + %(delay)s, (
        SELECT min(due_at) FROM inbox_push AS waiting
        WHERE waiting.device_id = devices.id AND waiting.collapse = %(collapse)s AND waiting.outcome = 0
            AND waiting.collapse <> ''
    )), 0, '', clock_timestamp()
FROM devices
ON CONFLICT (notice_id, device_id) DO NOTHING
"""


def write(pushes: Sequence[ToPush]) -> None:
    """For `realtime.pushing`: a row for each device of each person who wants pushes, in the message's transaction."""
    kinds = registry.push_kinds()
    with connection.cursor() as cursor:
        for each in pushes:
            cursor.execute(_WRITE, _row(each) | {"kinds": kinds, "delay": tunables.PUSH_DELAY})


def _row(to_push: ToPush) -> dict[str, Any]:
    kept = to_push.kept
    lifetimes = (settings.PUSH_LIFETIME.total_seconds(), to_push.seconds, kept["lifetime"])
    return {
        **kept,
        "links": orjson.dumps(kept["links"]).decode(),
        "seconds": min(seconds for seconds in lifetimes if seconds is not None),
        "people": to_push.people,
        "lane": Push.Lane.MANY if to_push.to_many else Push.Lane.ONE,
    }


def forget() -> bool:
    """Deletes some of what is older than PUSHES_AGE. False when nothing is."""
    old = Notice.objects.filter(created_at__lt=Now() - settings.PUSHES_AGE).order_by("created_at")
    notices = list(old.values_list("pk", flat=True)[:NOTICES])
    of_them = Push.objects.filter(notice__in=notices)
    while some := list(of_them.values_list("pk", flat=True)[:FORGOTTEN]):
        Push.objects.filter(pk__in=some).delete()
    Notice.objects.filter(pk__in=notices).delete()
    return bool(notices)
