"""What phones are told about people: one set of keys for all generations (api.md 用户, contract_notes.md (e) 13)."""

from typing import NotRequired, TypedDict

from heihei_site.api.callers import Caller
from payment import ledger
from payment.purse_serializers import Assets
from payment.selectors import assets
from users import activity
from users.countings import Countings
from users.models import User
from users.selectors import followed_by, relation

FREE_RENAME = "(本次改名免费，下次修改费用{gold}钻)"
PAID_RENAME = "(本次改名费用{gold}钻)"


class Attribute(TypedDict, total=False):
    """Switches; another's are empty."""

    push_enable: str


class Honour(TypedDict):
    honour_sign: str
    honour_img: str
    honour_desc: str


class UserCard(TypedDict):
    """A person as others see them. Never holds a token or a phone number."""

    id: int
    hei_num: int
    display_name: str
    cover_url: str
    gender: str
    birth_day: str
    description: str
    address: str
    region: str
    level: int
    experience: int
    user_type: str
    user_state: str
    honours: list[Honour]
    all_earn_point: int
    post_count: int
    follower_count: int
    following_count: int
    live_count: int
    room_count: int
    point: int
    gold_count: int
    last_modified: int
    modify_count: int
    is_followed: bool
    is_blocked: bool
    modify_text: NotRequired[str]
    attribute: NotRequired[Attribute]


class UserStatus(TypedDict):
    type: NotRequired[int]  # what they do outside of the live where the card is looked at
    conf_status: int
    expire_time: int
    jump: str


class UserInfo(TypedDict):
    result: UserCard
    user_status: NotRequired[UserStatus]


class SignInAnswer(TypedDict):
    token: str
    need_regist: bool
    deletion_cancelled: bool
    user_info: UserCard


class CodeSent(TypedDict):
    timeout: int


class Verified(TypedDict):
    verified: bool


class Leaving(TypedDict):
    deletion_time: str


class DataCopy(TypedDict):
    ready: bool
    url: str
    expire_time: int


class Updated(TypedDict):
    user_id: int


class Settings(TypedDict):
    """What the server goes by, for texts and checks on the phone."""

    name_bytes: int
    rename_gold: int
    adult_age: int
    heart_beat: int


class Configuration(TypedDict):
    user: Attribute
    sys: Settings


class ConfigAnswer(TypedDict):
    configuration: Configuration
    countings: Countings


class Purse(Assets):
    user_id: int


class PurseAnswer(TypedDict):
    user: Purse


class PeopleAnswer(TypedDict):
    total_size: int
    result: list[UserCard]


class FollowingAnswer(TypedDict):
    total_size: int
    following: list[UserCard]


class ActivePeople(TypedDict):
    result: list[UserCard]


class Found(TypedDict):
    users: list[UserCard]


class InLive(TypedDict):
    is_in_live: bool
    live_id: int


class Reported(TypedDict):
    reportmsg: str


def user_card(user: User, *, followed: bool = False, blocked: bool = False) -> UserCard:
    """No query. Purses are another's business: 0 here."""
    return {
        "id": user.pk,
        "hei_num": user.hei_num,
        "display_name": user.display_name,
        "cover_url": user.cover_url,
        "gender": user.gender,
        "birth_day": user.birth_day,
        "description": user.description,
        "address": user.address,
        "region": user.region,
        "level": user.level,
        "experience": user.experience,
        "user_type": user.kind,
        "user_state": "Published",
        "honours": [],
        "all_earn_point": user.points_earned,
        "post_count": user.gold_given,
        "follower_count": user.follower_count,
        "following_count": user.following_count,
        "live_count": user.live_count,
        "room_count": 0,
        "point": 0,
        "gold_count": 0,
        "last_modified": int(user.modified_at.timestamp()),
        "modify_count": user.rename_count,
        "is_followed": followed,
        "is_blocked": blocked,
    }


def own_card(user: User, rename_gold: int) -> UserCard:
    """One's own card: with the purses, the price of the next renaming and the switches."""
    card = user_card(user)
    purse = ledger.balances(user.pk)
    card["gold_count"] = purse.gold
    card["point"] = purse.point
    card["modify_text"] = (FREE_RENAME if user.rename_count == 0 else PAID_RENAME).format(gold=rename_gold)
    card["attribute"] = switches(user)
    return card


def switches(user: User) -> Attribute:
    return {"push_enable": "1" if user.push_enable else "0"}


def purse(user: User) -> Purse:
    return {"user_id": user.pk, **assets(user)}


def cards(people: list[User], viewer: User, *, blocked: bool = False) -> list[UserCard]:
    """A list of people with whom the viewer follows. One query, however many."""
    followed = followed_by(viewer.pk, [person.pk for person in people])
    found = [user_card(person, followed=person.pk in followed, blocked=blocked) for person in people]
    for card in found:
        card["attribute"] = {}
    return found


def card_for(caller: Caller, user: User) -> UserCard:
    """Somebody's card with how the caller stands to them."""
    stands = relation(caller.person.pk, user.pk)
    return user_card(user, followed=stands.follows, blocked=stands.blocks)


def status_of(user: User, *, viewer: User, seen_in: int | None = None) -> UserStatus | None:
    """userStatus. In a live, between its owner and somebody inside: the microphone button, 1 to 4. Else only while
    broadcasting (5, with the way there) or in a call (6). To who looks at the card in that very live, there is nowhere
    to go."""
    if seen_in and (button := activity.button_in(seen_in, viewer.pk, user.pk)):
        return {"conf_status": button.kind, "expire_time": button.seconds, "jump": ""}
    doing = activity.of([user.pk]).get(user.pk)
    if doing is None or (seen_in and doing.room_id == seen_in):
        return None
    return {"type": doing.kind, "conf_status": doing.kind, "expire_time": 0, "jump": doing.jump}
