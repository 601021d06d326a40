"""What this app, and what lies below it, keep about a person."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F, QuerySet

from heihei_site.api.models import Repeat
from heihei_site.realtime import retention
from payment import statements
from payment.services import alipay
from users import auth
from users.erasure import Holding, Row, Sections
from users.models import Ban, BannedToken, Block, DataExport, Device, Follow, Identity, Report, Session, User
from users.services import export, relations

PROFILE = (
    "id", "phone", "display_name", "gender", "birthday", "description", "cover_url", "address", "latlng", "region",
    "experience", "points_earned", "gold_given", "live_count", "rename_count", "push_enable", "date_joined",
)  # fmt: skip


def erase(user_id: int) -> None:
    """All but the row itself, the ledger, and reports: those made by this person stay as evidence, under the id. When
    they were banned stays too, why does not."""
    user = User.objects.get(pk=user_id)
    auth.end_sessions(user)
    Device.objects.filter(user=user).delete()
    Repeat.objects.filter(user=user).delete()
    Report.objects.filter(target=user, handled=True).update(evidence={})
    Ban.objects.filter(user=user).update(reason="", shown="")
    BannedToken.objects.filter(user=user).delete()
    relations.end_all(user)
    retention.forget_person(user_id)
    alipay.forget(user_id)
    for each in DataExport.objects.filter(user=user):
        export.discard(each)


def own_data(user_id: int) -> Sections:
    return {
        "profile": User.objects.filter(pk=user_id).values(*PROFILE),
        "accounts": Identity.objects.filter(user=user_id).values("source", "open_id", "union_id", "created_at"),
        "sign_ins": Session.objects.filter(user=user_id).values(
            "created_at", "active_at", "client_version", "model", "platform", "uuid", "address"
        ),
        "devices": Device.objects.filter(user=user_id).values("push_kind", "platform", "uuid", "seen_at"),
        "following": _people(Follow.objects.filter(follower=user_id), "followee"),
        "followers": _people(Follow.objects.filter(followee=user_id), "follower"),
        "blocked": _people(Block.objects.filter(user=user_id), "target"),
        "reports": Report.objects.filter(reporter=user_id).values("target_id", "kind", "created_at"),
        "bans": Ban.objects.filter(user=user_id).values("shown", "since", "until", "ended_at"),
        "balances": statements.balances(user_id),
        "payments": statements.entries(user_id),
        "exchanges": statements.exchanges(user_id),
        "credits": statements.credits(user_id),
        "withdrawals": statements.withdrawals(user_id),
        "alipay": statements.alipay_accounts(user_id),
    }


def _people(relations: QuerySet[Any], who: str) -> Iterator[Row]:
    """Some have a million followers."""
    return relations.order_by("pk").values("created_at", person=F(who)).iterator()


holding = Holding("users", erase=erase, export=own_data)
