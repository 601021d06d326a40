"""I1: an acknowledged message is heard once, in order, by everyone it is for, whatever dies meanwhile. Sent by people
who repeat themselves over socket and HTTP until they are acknowledged, heard over sockets that resume."""

import signal
import time

import pytest

from heihei_site import embedded
from tests.faults.mail import percentile
from tests.faults.network import stretch_to
from tests.faults.plugs import kill
from tests.processes import wait_until
from tests.realtime.phone import Phone

ROLES = ("web", "worker", "valkey", "postgres")
RESTART = 1012
evenings = pytest.mark.parametrize(
    ("people", "calm"),
    [pytest.param(12, 1, id="short"), pytest.param(50, 12, id="a minute", marks=pytest.mark.soak)],
)


@evenings
def test_kill_9_of_anything_loses_nothing(venue, crowd_of, open_room, people, calm):
    with crowd_of(people) as crowd:
        open_room(crowd)
        with crowd.talking():
            for role in ROLES:
                time.sleep(calm)
                with crowd.book.fault():
                    kill(venue, role)
            time.sleep(calm)
        crowd.settle(at_least=people * 5)


@evenings
def test_a_restart_of_valkey_loses_nothing_and_nobody_has_to_dial_again(venue, crowd_of, open_room, people, calm):
    with crowd_of(people) as crowd:
        open_room(crowd)
        with crowd.talking():
            time.sleep(calm)
            with crowd.book.fault():
                kill(venue, "valkey", signal.SIGTERM)
            time.sleep(calm)
        crowd.settle(at_least=people * 3)
        assert [person.connects for person in crowd.people] == [1] * people


@evenings
def test_a_bus_that_swallows_everything_loses_nothing(venue, crowd_of, open_room, people, calm):
    """The others' bus works; that of one web process does not, and nobody hangs up."""
    redis_url = embedded.addresses(venue.instance.var).redis_url
    with stretch_to(redis_url) as stretch, venue.instance.another_web(REDIS_URL=stretch.url) as cut_off:
        ports = [cut_off.port, venue.instance.port]
        with crowd_of(people, lambda n: [ports[n % 2]]) as crowd:
            open_room(crowd)
            with crowd.talking():
                time.sleep(calm)
                stretch.forget()
                time.sleep(9 + calm)
                if calm > 1:
                    with crowd.book.fault(), stretch.swallowing():
                        time.sleep(calm)
                    time.sleep(calm)
            crowd.settle(at_least=people * 10)
            assert [person.connects for person in crowd.people] == [1] * people


@evenings
def test_sender_and_receiver_in_two_processes_hear_each_other_at_once(venue, crowd_of, open_room, people, calm):
    with venue.instance.another_web() as other:
        ports = [other.port, venue.instance.port]
        with crowd_of(people, lambda n: [ports[n % 2]]) as crowd:
            open_room(crowd)
            with crowd.talking():
                time.sleep(3 * calm)
            crowd.settle(at_least=people * 3)
            assert percentile(crowd.book.delays(), 0.9) < 1, "over the bus, and not out of the database"


def test_the_newest_connection_silences_the_one_in_another_process(venue, crowd_of):
    """D11. An older one stays open and silent, and is not promoted when the newer one goes."""
    with venue.instance.another_web() as other, crowd_of(1) as crowd:
        [author] = crowd.people
        [(reader, token)] = venue.people(1)
        here, there = venue.instance.port, other.port
        elder = Phone(here, f"/ws/channel?token={token}")
        crowd.run(author.write(reader))
        assert [elder.numbered()["seq"] for _ in range(2)] == [1, 2], "a topic to begin with, and the line"
        elder.hears_nothing_more()  # how many are unread

        younger = Phone(there, f"/ws/channel?token={token}")
        crowd.run(author.write(reader))
        assert younger.numbered()["seq"] == 3
        assert elder.hears_nothing()

        younger.drop()
        crowd.run(author.write(reader))
        assert elder.hears_nothing()
        youngest = Phone(here, f"/ws/channel?token={token}&since=3")
        assert youngest.numbered()["seq"] == 4
        youngest.hears_nothing_more()
        crowd.run(author.write(reader))
        assert youngest.numbered()["seq"] == 5
        assert elder.hears_nothing()
        for phone in (elder, youngest):
            phone.drop()


@evenings
def test_a_process_that_is_asked_to_end_hands_its_people_over(venue, crowd_of, open_room, people, calm):
    """Each is told 1012, not all at once, and goes on elsewhere."""
    with venue.instance.another_web(SOCKET_DRAIN="2") as leaving:
        with crowd_of(people, lambda n: [leaving.port, venue.instance.port]) as crowd:
            open_room(crowd)
            with crowd.talking():
                time.sleep(calm)
                leaving.process.terminate()
                wait_until(lambda: leaving.process.poll() is not None, 8, "it has ended")
                time.sleep(calm)
            crowd.settle(at_least=people * 3)
            closes = sorted(close for person in crowd.people for close in person.closes)
            assert [code for _, code in closes] == [RESTART] * people
            assert [person.connects for person in crowd.people] == [2] * people
            assert 0.8 < closes[-1][0] - closes[0][0] < 2.5
