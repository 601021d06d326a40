"""The least that is valid. A person here is grown up and complete, because nearly every deed needs one."""

import itertools
from datetime import date

from django.conf import settings
from django.db.models.functions import Now

from live.models import Live, Member
from payment import ledger
from payment.models import Currency
from users import auth
from users.models import User

_numbers = itertools.count(1)


def person(name: str | None = None, *, gold: int = 0, **fields: object) -> User:
    number = next(_numbers)
    user = User.objects.create(
        **{
            "phone": f"139{number:08d}",
            "display_name": name or f"p{number}",
            "gender": "Female",
            "birthday": date(1990, 1, 1),
            **fields,
        }
    )
    user.refresh_from_db()
    if gold:
        give_gold(user, gold)
    return user


def give_gold(user: User, gold: int) -> None:
    legs = [ledger.Leg(ledger.gold(user.pk), gold), ledger.Leg(ledger.house("grants", Currency.GOLD), -gold)]
    ledger.post(key=f"test-grant:{next(_numbers)}", reason="grant", legs=legs)


def token(user: User) -> str:
    return auth.open_session(user)


def live(owner: User | None = None, *, status: int = Live.Status.PLAYING, **fields: object) -> Live:
    owner = owner or person()
    row = Live.objects.create(
        **{
            "owner": owner,
            "title": "标题",
            "status": status,
            "stream": f"stream-{next(_numbers)}",
            "owner_deadline": Now() + settings.OWNER_LEASE,
            "started_at": Now() if status else None,
            "seats": settings.AUDIENCE_SEATS,
            "occupied": 1 if status in Live.OPEN else 0,
            **fields,
        }
    )
    if status in Live.OPEN:
        Member.objects.create(live=row, user=owner, lease_until=Now() + settings.OWNER_LEASE)
    row.refresh_from_db()
    return row


def inside(room: Live, *people: User) -> None:
    for who in people:
        Member.objects.create(live=room, user=who, lease_until=Now() + settings.VIEWER_LEASE)
    Live.objects.filter(pk=room.pk).update(occupied=room.occupied + len(people))
    room.refresh_from_db()
