"""`python -m tests.bench orders`: payments a second, from the gateway's call to the gold in the purse, beside pgbench
with the least SQL that does the same: the notification, the transfer with its legs, the order's state.

The callback is driven over HTTP with really signed notifications of WeChat Pay; a worker settles meanwhile.
"""

import argparse
import re
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.bench import report
from tests.bench.gifts import find_pgbench
from tests.processes import Instance

CLIENTS = (1, 8)
BUYERS = 32
FLOOR = """\\set n random(1, 4611686018427387904)
\\set buyer random(1, {buyers})
INSERT INTO bench_notification (number) VALUES (:n);
BEGIN;
SELECT balance FROM bench_purse WHERE id = :buyer FOR NO KEY UPDATE;
INSERT INTO bench_transfer (key) VALUES ('recharge:' || :n);
INSERT INTO bench_entry (key, account, amount) VALUES ('recharge:' || :n, :buyer, 60), ('recharge:' || :n, 0, -60);
UPDATE bench_purse SET balance = balance + 60 WHERE id = :buyer;
INSERT INTO bench_order (number, state) VALUES (:n, 'paid');
UPDATE bench_notification SET settled = true WHERE number = :n;
COMMIT;
"""
TABLES = """
DROP TABLE IF EXISTS bench_notification, bench_purse, bench_transfer, bench_entry, bench_order;
CREATE TABLE bench_notification (number bigint PRIMARY KEY, settled bool DEFAULT false);
CREATE TABLE bench_purse (id int PRIMARY KEY, balance bigint DEFAULT 0);
CREATE TABLE bench_transfer (key text PRIMARY KEY);
CREATE TABLE bench_entry (key text REFERENCES bench_transfer, account int, amount bigint);
CREATE TABLE bench_order (number bigint PRIMARY KEY, state text);
INSERT INTO bench_purse (id) SELECT generate_series(1, {buyers});
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench ARGS=orders", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of pgbench, per measurement")
    parser.add_argument("--orders", type=int, default=300, help="paid per measurement")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    given = parser.parse_args()
    report.run("orders", given, lambda running: measure_all(running, given.orders, given.seconds))


def measure_all(running: Instance, count: int, seconds: float) -> str:
    pgbench, rows = find_pgbench(), []
    for clients in CLIENTS:
        answered, settled = pay(running, count, clients)
        alone = floor(pgbench, clients, seconds) if pgbench else None
        ratio = f"{settled / alone:.2f}" if alone else "-"
        rows.append([f"{clients}", f"{answered:.0f}", f"{settled:.0f}", f"{alone:.0f}" if alone else "-", ratio])
    return report.table(["Gateway's calls at once", "Answered/s", "Settled/s", "pgbench/s", "Ratio"], rows)


def pay(running: Instance, count: int, clients: int) -> tuple[float, float]:
    """Notifications answered a second, and orders that had their gold a second, until the last one had."""
    from django.utils import timezone

    from payment.order_models import Order, Package
    from payment.packages import seed_packages
    from tests import factories
    from tests.payment.gateways import notification

    seed_packages()
    package, buyers = Package.objects.get(pk=201), [factories.person() for _ in range(BUYERS)]
    terms = {"package": package, "channel": "wechat", "product_id": package.product_id, "gold": 60, "pay_money": 600}
    later = timezone.now() + timedelta(hours=1)
    orders = [Order.objects.create(buyer=buyers[n % BUYERS], expires_at=later, **terms) for n in range(count)]
    notices = [notification(order) for order in orders]
    address = f"http://127.0.0.1:{running.port}/api/payment/wepaycallback"
    with httpx.Client(trust_env=False, timeout=30) as client, ThreadPoolExecutor(clients) as gateway:
        began = time.monotonic()
        said = list(gateway.map(lambda n: client.post(address, content=n.body, headers=dict(n.headers)), notices))
        answered = count / (time.monotonic() - began)
    assert {answer.status_code for answer in said} == {200}
    numbers = [order.pk for order in orders]
    while Order.objects.filter(pk__in=numbers, state="paid").count() < count:
        time.sleep(0.02)
    return answered, count / (time.monotonic() - began)


def floor(pgbench: str, clients: int, seconds: float) -> float:
    from django.conf import settings
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(TABLES.format(buyers=BUYERS))
    address = urlsplit(settings.DATABASE_URL)
    place = ["-h", parse_qs(address.query)["host"][0], "-p", str(address.port), "-U", str(address.username)]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "order.sql"
        script.write_text(FLOOR.format(buyers=BUYERS))
        load = ["-n", "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(max(1, round(seconds))), "-f", script]
        done = subprocess.run([pgbench, *place, *load, "heihei"], capture_output=True, text=True)
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if not found or done.returncode:
        raise SystemExit(f"pgbench failed:\n{done.stdout}{done.stderr}")
    return float(found[1])


if __name__ == "__main__":
    main()
