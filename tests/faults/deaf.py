"""Clients that take nothing from their connection, and much that is said to them."""

from tests.realtime.phone import Phone
from tests.venue import Venue

BARELY_READING = 2048  # bytes that the kernel may keep for them
AT_ONCE = 10  # messages
STUFF = """
from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from messages.events import ImText, talker_card
from users.models import User
content = {{"text": "长" * 700}}
users = {{"{reader}": talker_card(User.objects.get(pk={reader}))}}
for _ in range({times}):
    with telling():
        for _ in range({at_once}):
            said = ImText(to_user_id={reader}, from_user_id={reader}, content=content, create_time=1, users=users)
            publish(said, to=person({reader}))
"""


def deaf_phone(port: int, token: str) -> Phone:
    return Phone(port, f"/ws/channel?token={token}", receive_buffer=BARELY_READING)


def stuff(venue: Venue, reader: int, many: int) -> None:
    """So many messages of 2 KB."""
    venue.run(STUFF.format(reader=reader, times=many // AT_ONCE, at_once=AT_ONCE))


def on_the_line(port: int, phone: Phone) -> bool:
    """The web process still holds its end of the connection."""
    with open("/proc/net/tcp") as table:
        rows = [line.split()[1:4] for line in table.readlines()[1:]]
    ends = {(int(here[9:], 16), int(there[9:], 16)) for here, there, state in rows if state == "01"}  # ESTABLISHED
    return (port, phone.socket.getsockname()[1]) in ends
