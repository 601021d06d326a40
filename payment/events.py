"""What people are told about their money."""

from dataclasses import dataclass

from heihei_site.realtime.events import Event, Kind


@dataclass(frozen=True, kw_only=True)
class OrderSettled(Event):
    """A recharge has arrived (`state` is "paid"), or was paid back ("refunded"). `gold` is what the person has now;
    `change` what came or went, less what they owed."""

    kind = Kind.PERSONAL
    msg_type = "action"
    action = "order"
    comment = "充值结果"

    order: str
    state: str
    change: int
    gold: int
