"""Two people who look for anybody find each other (D34).

Who looks is a committed row before they look around. One at a time makes a pair: a crowd that comes at once would
otherwise reach for the same few people, again and again. Who comes while somebody makes one does not wait for it; the
sweep finds them a partner within two seconds (ADR 19). A pair is made while the rows of both people are held, so that
they stay free, and by deleting both rows of seekers, so that whoever stops meanwhile either is not paired or finds the
call to hang up. Nothing of it is in Redis.
"""

import enum

import structlog
from django.conf import settings
from django.db import connection
from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from chat.models import Chat, Seeker, Side
from chat.services.calls import busy, close_overdue_of, closing_what_is_over, hang_up, hold, open_running
from heihei_site.console.tunables import tunables
from heihei_site.postgres.compiled import Compiled, Given
from heihei_site.realtime.publish import telling
from users import activity
from users.models import Block, User

AT_ONCE = 500  # seekers looked after in one sweep
OPPOSITE = {"Male": "Female", "Female": "Male"}

log = structlog.get_logger(__name__)

# The second time they have waited since the first.
_WAIT = """
INSERT INTO chat_seeker AS seeker (user_id, gender, since, deadline)
VALUES (%s, %s, clock_timestamp(), clock_timestamp() + make_interval(secs => %s))
ON CONFLICT (user_id) DO UPDATE SET
    since = CASE WHEN seeker.deadline > clock_timestamp() THEN seeker.since ELSE EXCLUDED.since END,
    gender = EXCLUDED.gender,
    deadline = EXCLUDED.deadline
"""
_MY_TURN = "SELECT pg_try_advisory_xact_lock(hashtextextended('matching', 0))"
_TAKE_MY_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('matching', 0))"
_TAKE = """
DELETE FROM chat_seeker WHERE user_id = ANY(%s) AND deadline > clock_timestamp() RETURNING user_id, since
"""


class Found(enum.Enum):
    PAIRED = enum.auto()
    NOT_THEM = enum.auto()  # they are not free after all
    NOBODY = enum.auto()  # who looked has somebody already or has stopped, nobody fits, or another pair is being made


class _Withdrawn(Exception):
    """One of the two does not look any more. Never leaves this module."""

    def __init__(self, partner_id: int) -> None:
        self.partner_id = partner_id


def seconds() -> int:
    """So long a search lasts."""
    return int(tunables.MATCH_WAIT.total_seconds())


def seek(user: User) -> None:
    """Looks for somebody; whoever comes later finds this person until `seconds()` have passed. Both are told
    `join-chat`, perhaps before this returns. The second time it is the same search, and while a call runs there is
    none."""
    close_overdue_of([user.pk])
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, [user.pk, user.gender, seconds()])
    # Asked when the row is there: a search that comes back while its person is paired would outlive the call.
    if Side.objects.filter(user=user, busy=True, chat__state=Chat.State.RUNNING).exists():
        Seeker.objects.filter(user=user).delete()
        return
    find_partner(user.pk, user.gender)


def find_partner(user_id: int, gender: str, *, in_turn: bool = False) -> bool:
    """Whether they have somebody now. While others make a pair, `in_turn` waits for its turn, and else finds nobody."""
    refused: list[int] = []
    while len(refused) < settings.MATCH_LOOKED_AT:
        found, candidate = _try_next(user_id, gender, refused, in_turn=in_turn)
        if found is not Found.NOT_THEM:
            return found is Found.PAIRED
        refused.append(candidate)
    return False


# --- Whom they could talk to ---------------------------------------------------------------------------------------


def _candidate(user_id: int, gender: str, refused: list[int]) -> int | None:
    """The opposite gender first, then anyone; who has waited longest first."""
    again, many = tunables.MATCH_AGAIN, len(refused) + 1
    opposite = OPPOSITE.get(gender)
    best = _first(_fitting_of(user_id, again, opposite, stop=many), refused) if opposite else None
    return best or _first(_fitting(user_id, again, stop=many), refused)


def _first(fitting: list[Seeker], refused: list[int]) -> int | None:
    return next((seeker.user_id for seeker in fitting if seeker.user_id not in refused), None)


def _between(one: Given, other: OuterRef, names: tuple[str, str]) -> Q:
    first, second = names
    return Q(**{first: one, second: other}) | Q(**{first: other, second: one})


def _who_fit(user_id: Given, again: Given) -> QuerySet[Seeker]:
    """Those who look and are free, neither blocked nor met within `again`, a timedelta."""
    there = OuterRef("user")
    blocked = Block.objects.filter(_between(user_id, there, ("user", "target")))
    lately = Func(Now(), again, arg_joiner=" - ", template="(%(expressions)s)", output_field=DateTimeField())
    met = Chat.objects.filter(
        Q(created_at__gt=lately) | Q(ended_at__gt=lately), _between(user_id, there, ("caller", "callee"))
    )
    in_call = Side.objects.filter(user=there, busy=True)
    waiting = Seeker.objects.filter(deadline__gt=Now(), user__is_active=True, user__deletion_due_at=None)
    return waiting.exclude(user=user_id).exclude(Exists(blocked)).exclude(Exists(met)).exclude(Exists(in_call))


@Compiled
def _fitting_of(user_id: Given, again: Given, gender: Given) -> QuerySet[Seeker]:
    return _who_fit(user_id, again).filter(gender=gender).order_by("since")


@Compiled
def _fitting(user_id: Given, again: Given) -> QuerySet[Seeker]:
    return _who_fit(user_id, again).order_by("since")


@Compiled
def _fits(user_id: Given, again: Given, partner_id: Given) -> QuerySet[Seeker]:
    return _who_fit(user_id, again).filter(user=partner_id)


# --- Making a pair -------------------------------------------------------------------------------------------------


def _try_next(user_id: int, gender: str, refused: list[int], *, in_turn: bool) -> tuple[Found, int]:
    """With the best of those who did not refuse yet, and who that was (0 for nobody)."""
    try:
        return _claim(user_id, gender, refused, in_turn=in_turn)
    except _Withdrawn as withdrawn:
        return (Found.NOT_THEM if _is_looking(user_id) else Found.NOBODY), withdrawn.partner_id


@telling()
def _claim(user_id: int, gender: str, refused: list[int], *, in_turn: bool) -> tuple[Found, int]:
    """Everything is asked again once both are held: what makes somebody busy, on air or blocked holds them too."""
    if not _is_my_turn(may_wait=in_turn) or (partner_id := _candidate(user_id, gender, refused)) is None:
        return Found.NOBODY, 0
    people = _held(user_id, partner_id, may_wait=in_turn)
    if partner_id not in people:
        return Found.NOT_THEM, partner_id
    not_free = _not_free([user_id, partner_id])
    if user_id not in people or user_id in not_free:
        return Found.NOBODY, partner_id
    if partner_id in not_free or not _fits(user_id, tunables.MATCH_AGAIN, partner_id):
        return Found.NOT_THEM, partner_id
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [[user_id, partner_id]])
        since = dict(cursor.fetchall())
    if len(since) < 2:
        raise _Withdrawn(partner_id)
    first, second = sorted(people.values(), key=lambda person: since[person.pk])
    open_running(first, second, Chat.Kind.MATCH)
    return Found.PAIRED, partner_id


def _is_my_turn(*, may_wait: bool) -> bool:
    """Until the transaction ends. Asked before any row is held."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_MY_TURN if may_wait else _MY_TURN)
        return may_wait or bool(cursor.fetchone()[0])


def _held(user_id: int, partner_id: int, *, may_wait: bool) -> dict[int, User]:
    """Both rows in primary-key order; not the partner's if somebody else has it and we are not to wait."""
    held: dict[int, User] = {}
    for pk in sorted((user_id, partner_id)):
        row = User.objects.people().filter(pk=pk)
        row = row.select_for_update(no_key=True, skip_locked=pk == partner_id and not may_wait)
        held.update((person.pk, person) for person in row)
    return held


def _not_free(people: list[int]) -> set[int]:
    doing = activity.of(people)
    return busy(people) | {user_id for user_id in doing if doing[user_id].kind == activity.BROADCASTING}


def _is_looking(user_id: int) -> bool:
    return Seeker.objects.filter(user=user_id, deadline__gt=Now()).exists()


# --- Stopping ------------------------------------------------------------------------------------------------------


def stop(user: User) -> None:
    """Looks no more. Who was paired a moment ago and has not come in yet hangs up, so that nobody waits for them."""
    Seeker.objects.filter(user=user).delete()
    unwanted = Side.objects.filter(
        user=user, busy=True, joined_at=None, chat__kind=Chat.Kind.MATCH, chat__state=Chat.State.RUNNING
    )
    for chat_id in unwanted.values_list("chat_id", flat=True):
        _stay_away(chat_id, user.pk)


@closing_what_is_over
@telling()
def _stay_away(chat_id: int, user_id: int) -> None:
    chat = hold(chat_id)
    if chat is None or chat.state != Chat.State.RUNNING:
        return
    if Side.objects.filter(chat=chat, user=user_id, joined_at=None).exists():
        hang_up(chat, user_id)


def sweep() -> dict[str, int]:
    """Pairs those whom nobody found because one of them was not free when the other came, and forgets who gave up."""
    paired = 0
    waiting = Seeker.objects.filter(deadline__gt=Now()).order_by("since").values_list("user_id", "gender")
    for user_id, gender in waiting[:AT_ONCE]:
        try:
            paired += _is_looking(user_id) and find_partner(user_id, gender, in_turn=True)
        except Exception:
            log.exception("match_failed", user_id=user_id)
    gone, _ = Seeker.objects.filter(deadline__lte=Now()).delete()
    return {"paired": paired, "gone": gone}
