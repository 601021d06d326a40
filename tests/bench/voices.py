"""`python -m tests.bench voices`: do the lists of a topic take longer where there are more posts, and what does a like
cost, of a post that everybody likes?

One topic has all the posts; every tenth has three replies. Of a hundred people who post one blocks the caller or is
blocked. The floor of a like is its
two rows in one transaction, of as many connections as there are phones.
"""

import threading
import time
from typing import Any

from tests.bench import growing, report
from tests.bench.phones import Call, drive
from tests.processes import Instance

SIZES = (100, 10_000, 1_000_000)
PEOPLE = 1000
FIRST_PERSON, FIRST_POST = 3_000_000, 10_000_000
DEEP = 900  # within POSTS_DEPTH, where the list ends
TABLES = ("topics_subject", "topics_standing", "topics_tally", "users_user", "users_block")

_BLOCKS = """
INSERT INTO users_block (user_id, target_id, created_at)
SELECT %(person)s + n, %(caller)s, now() FROM generate_series(0, %(people)s - 1, 200) AS n
UNION ALL SELECT %(caller)s, %(person)s + n, now() FROM generate_series(100, %(people)s - 1, 200) AS n
"""
# A reply is numbered after its post and before the next, as where people post and answer by turns.
_POSTS = """
INSERT INTO topics_subject (id, topic_id, creator_id, main_id, replied_id, reply_user_id, title, path, length, samples,
    sign, upload_id, state, created_at)
SELECT %(post)s + 4 * n, %(topic)s, %(person)s + n %% %(people)s, NULL, NULL, 0, 'post ' || n,
    'http://cdn/' || n, 9, '1,2,3', 's' || n, 0, 1, now()
FROM generate_series(%(low)s, %(high)s - 1) AS n;
INSERT INTO topics_subject (id, topic_id, creator_id, main_id, replied_id, reply_user_id, title, path, length, samples,
    sign, upload_id, state, created_at)
SELECT %(post)s + 4 * n + 1 + m, %(topic)s, %(person)s + (n + m) %% %(people)s, %(post)s + 4 * n, %(post)s + 4 * n,
    %(person)s + n %% %(people)s, '', 'http://cdn/' || n, 9, '1,2,3', 'r' || n || '-' || m, 0, 1, now()
FROM generate_series(%(low)s, %(high)s - 1, 10) AS n, generate_series(0, 2) AS m;
INSERT INTO topics_standing (subject_id, topic_id, listed, views, replies, likes, gifts, heat)
SELECT id, topic_id, main_id IS NULL, id %% 97, 0, id %% 13, 0, 1000 + (id * 7919 %% 10007) / 100.0
FROM topics_subject WHERE id >= %(post)s + 4 * %(low)s AND id NOT IN (SELECT subject_id FROM topics_standing)
"""
_LIKE = "INSERT INTO topics_like (subject_id, user_id, created_at) VALUES (%s, %s, now()) ON CONFLICT DO NOTHING"
_TALLY = """
INSERT INTO topics_tally (subject_id, topic_id, user_id, views, replies, likes, gifts, gift_id, warmth, warm_at)
VALUES (%s, %s, %s, 0, 0, 1, 0, 0, 3, now())
"""


def main() -> None:
    parser = growing.options("voices", __doc__, most=SIZES[-1], of="posts")
    parser.add_argument("--phones", type=int, default=16, help="that like one post")
    given = parser.parse_args()
    sizes = [size for size in SIZES if size <= given.most]
    report.run("voices", given, lambda running: measure_all(running, given.seconds, sizes, given.phones))


def measure_all(running: Instance, seconds: float, sizes: list[int], phones: int) -> str:
    from tests import factories, voices

    caller = factories.person()
    token, topic = factories.token(caller), voices.topic("大家都在说")
    add_people(caller.pk)
    rows = []
    for low, high in growing.steps(sizes):
        add_posts(topic.pk, low, high)
        for name, call in calls(token, topic.pk).items():
            row, _ = growing.measure(running, high, name, call, seconds)
            rows.append(row)
    return f"{growing.table(rows, sizes, 'posts')}\n\n{likes(running, topic.pk, seconds, phones)}"


def calls(token: str, topic_id: int) -> dict[str, Call]:
    def page(kind: int, offset: int) -> Call:
        return lambda n: ("topic/topic-detail", {"token": token, "topicId": topic_id, "type": kind, "offset": offset})

    return {
        "topic-detail, hot": page(0, 0),
        "topic-detail, new": page(1, 0),
        f"topic-detail, hot, from the {DEEP}th on": page(0, DEEP),
        f"topic-detail, new, from the {DEEP}th on": page(1, DEEP),
        "topic-detail, hot, from the 900,000th on": page(0, 900_000),
        "subject-detail": lambda n: (
            "topic/subject-detail",
            {"token": token, "subjectId": FIRST_POST + 4 * 10, "offset": 0},
        ),
        "topic-list": lambda n: ("topic/topic-list", {"token": token, "offset": 0}),
    }


def add_people(caller: int) -> None:
    growing.add_people(FIRST_PERSON, 0, PEOPLE)
    growing.execute(_BLOCKS, {"person": FIRST_PERSON, "people": PEOPLE, "caller": caller})


def add_posts(topic: int, low: int, high: int) -> None:
    fill(topic, low, high)
    growing.vacuum(TABLES)


def fill(topic: int, low: int, high: int) -> None:
    numbers = {"person": FIRST_PERSON, "people": PEOPLE, "post": FIRST_POST, "topic": topic, "low": low, "high": high}
    growing.execute(_POSTS, numbers)


def likes(running: Instance, topic: int, seconds: float, phones: int) -> str:
    """Everybody likes one post: phones, and the same two rows without them. The job folds meanwhile."""
    from tests import factories

    post = FIRST_POST + 4
    tokens = [factories.token(factories.person()) for _ in range(phones)]

    def like(number: int) -> tuple[str, dict[str, Any]]:
        deed = "like" if number // phones % 2 == 0 else "unlike"
        return f"topic/{deed}-subject", {"token": tokens[number % phones], "subjectId": post}

    figures = drive(running.port, like, phones=phones, seconds=seconds)
    alone = rows_alone(topic, post, seconds, phones)
    return report.table(
        [f"Likes of one post, {phones} at once", "a second", "median ms", "95 %"],
        [
            ["like- and unlike-subject", f"{figures.per_second:.0f}", f"{figures.median:.1f}", f"{figures.p95:.1f}"],
            ["floor: the two rows of each", f"{alone:.0f}", f"{1000 * phones / alone:.1f}", ""],
        ],
    )


def rows_alone(topic: int, post: int, seconds: float, phones: int) -> float:
    import psycopg2
    from django.db import connection

    options = connection.get_connection_params()
    options = {key: value for key, value in options.items() if key in ("dbname", "user", "password", "host", "port")}
    until, done = time.perf_counter() + seconds, [0] * phones

    def write(number: int) -> None:
        own = psycopg2.connect(**options)
        with own.cursor() as cursor:
            while time.perf_counter() < until:
                user = 10**9 + number * 10**6 + done[number]
                cursor.execute(_LIKE, [post, user])
                cursor.execute(_TALLY, [post, topic, user])
                own.commit()
                done[number] += 1
        own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(phones)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / seconds


if __name__ == "__main__":
    main()
