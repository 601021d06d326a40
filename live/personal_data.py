"""What this app keeps about a person."""

from django.db import transaction
from django.db.models import Q

from heihei_site.providers import registry
from live.models import Guest, Live, LiveBan, Member, MicLink, ReplayViewer
from live.services import archives
from users.erasure import Holding, Sections

SAYS_SOMETHING = ("title", "address", "device_type", "lookback_addr")


def erase(user_id: int) -> None:
    """Empties their lives, of which the numbers stay, deletes what was recorded and said there, and forgets which rooms
    they were in, what they said and saw, and what was said about them."""
    ended = Live.objects.filter(owner=user_id).exclude(status__in=Live.OPEN)
    for stream in ended.exclude(lookback_addr="").values_list("stream", flat=True):
        registry.streaming().forget(stream)
    ended.update(**dict.fromkeys(SAYS_SOMETHING, ""))
    archives.forget(ended.filter(~Q(archive="") | Q(archive_due__isnull=False)).values_list("pk", flat=True))
    with transaction.atomic():
        archives.rewrite(user_id)
    LiveBan.objects.filter(owner=user_id).update(reason="", shown="")
    ReplayViewer.objects.filter(user=user_id).delete()
    Member.objects.filter(user=user_id).exclude(live__status__in=Live.OPEN).delete()
    Guest.objects.filter(user=user_id).exclude(live__status__in=Live.OPEN).delete()
    MicLink.objects.filter(user=user_id).exclude(live__status__in=Live.OPEN).delete()


def own_data(user_id: int) -> Sections:
    lives = Live.objects.filter(owner=user_id).order_by("created_at")
    visits = Member.objects.filter(user=user_id).order_by("pk")
    said = Guest.objects.filter(user=user_id).order_by("pk")
    microphones = MicLink.objects.filter(user=user_id).order_by("pk")
    replays = ReplayViewer.objects.filter(user=user_id).order_by("pk")
    return {
        "lives": lives.values(
            "id", "title", "address", "device_type", "created_at", "started_at", "ended_at", "total_users",
            "total_tickets", "likes", "lookback_addr",
        ).iterator(),
        "live_bans": LiveBan.objects.filter(owner=user_id).values(
            "live_id", "shown", "since", "barred", "until", "lifted_at",
        ),
        "guest_in": said.values(
            "live_id", "knocked_at", "invited_at", "kicked_at", "muted_at", "manager_since",
        ).iterator(),
        "microphones": microphones.values("live_id", "created_at", "connected_at", "ended_at").iterator(),
        "replays_seen": replays.values("live_id", "seen_at").iterator(),
        "rooms_visited": visits.values("live_id", "joined_at", "left_at").iterator(),
    }  # fmt: skip


holding = Holding("live", erase=erase, export=own_data)
