"""What people say about themselves (D16, D19)."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Case, DateField, F, Q, Value, When
from django.db.models.functions import Now
from django.utils import timezone

from heihei_site.api.errors import MinorRefused, NameIllegal, NameTooLong
from heihei_site.console.tunables import tunables
from heihei_site.realtime.publish import telling
from heihei_site.uploads.claims import Found
from payment.services import purchases
from users import ages, names
from users.models import User
from users.services import avatars, words
from users.signals import became_minor

OLDEST = 130  # years; an earlier birthday is not that of a living person


@dataclass(frozen=True)
class Profile:
    """What an update says. None, and an empty place: not said, keep what there is."""

    display_name: str
    gender: str
    birthday: date
    description: str | None = None
    address: str | None = None
    latlng: str | None = None
    picture: Found | None = None


def check_name(name: str) -> None:
    if not names.is_legible(name) or words.blocked_in(name):
        raise NameIllegal
    if names.width(name) > settings.NAME_BYTES:
        raise NameTooLong


def check_birthday(birthday: date) -> None:
    today = timezone.localdate()
    if birthday > today or birthday.year < today.year - OLDEST:
        raise MinorRefused


@telling()
def update_profile(*, user: User, profile: Profile) -> User:
    """Stores it all or nothing. A renaming after the first free one costs gold, once however often it is sent.

    The gold is taken before the row is changed (purses are locked before people); that the row still has the number of
    renamings the price was asked for decides between two phones that rename at once.
    """
    check_birthday(profile.birthday)
    renames = _rename(user, profile.display_name)
    changes: dict[str, object] = {
        "gender": profile.gender,
        "birthday": _settled(profile.birthday),
        "modified_at": Now(),
    }
    if profile.description is not None:
        changes["description"] = profile.description
    if profile.picture is not None:
        changes["cover_url"] = avatars.claim(user=user, picture=profile.picture)
    if profile.address:  # the 1.1 app always sends it empty
        changes["address"] = profile.address
    if profile.latlng:
        changes["latlng"] = profile.latlng
    User.objects.filter(pk=user.pk).update(**changes, **renames)
    user.refresh_from_db()
    if user.is_protected_minor:
        became_minor.send(User, user=user)
    return user


def set_push(*, user: User, enabled: bool) -> None:
    User.objects.filter(pk=user.pk).update(push_enable=enabled)


def _settled(birthday: date) -> Case | Value:
    """Once set, a minor's birthday becomes an adult's only in the operators' console; the phone is answered 0."""
    said = Value(birthday, output_field=DateField())
    if ages.is_minor(birthday):
        return said
    return Case(When(Q(birthday__gt=ages.latest_adult_birthday()), then=F("birthday")), default=said)


def _rename(user: User, name: str) -> dict[str, object]:
    """Pays for and claims the new name. Who loses the row to another renaming looks again at what it is now."""
    if not name:  # who has no name yet keeps none by this
        raise NameIllegal
    while name != user.display_name:
        check_name(name)
        if not user.display_name:  # the name of the registration is not the free renaming
            return {"display_name": name}
        if user.rename_count > 0:
            key = f"rename:{user.pk}:{user.rename_count}"
            purchases.pay_for(user_id=user.pk, receiver_id=None, gold=tunables.RENAME_GOLD, reason="rename", key=key)
        mine = User.objects.filter(pk=user.pk, rename_count=user.rename_count, display_name=user.display_name)
        if mine.update(display_name=name, rename_count=user.rename_count + 1):
            break
        user.refresh_from_db(fields=["display_name", "rename_count"])
    return {}
