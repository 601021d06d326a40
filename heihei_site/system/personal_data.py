"""What this app keeps about a person: the logs their phones sent."""

from heihei_site.system.models import ClientLog
from users.erasure import Holding, Sections


def erase(user_id: int) -> None:
    ClientLog.objects.filter(user=user_id).delete()


def own_data(user_id: int) -> Sections:
    sent = ClientLog.objects.filter(user=user_id).order_by("pk")
    return {"client_logs": sent.values("created_at", "platform", "version", "device", "text").iterator()}


holding = Holding("system", erase=erase, export=own_data)
