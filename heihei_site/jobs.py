"""Handing a job to a worker from inside a request: quickly, or not at all (D9).

Celery's own way waits for seconds when there is no broker, and a phone gives up after two.
"""

from typing import Any

import structlog
from celery import Task
from kombu import Producer, pools
from kombu.exceptions import LimitExceeded, OperationalError

PATIENCE = 0.5  # seconds for each of: a free connection, connecting, writing
CONNECTIONS = 32  # as many as there are threads that could want one

_QUICK = {"max_retries": 0, "socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE}
log = structlog.get_logger(__name__)

_connections = pools.Connections(limit=CONNECTIONS)


class NoWorker(Exception):
    """The broker did not take the job."""


def hand_over(job: "Task[..., Any]", *args: Any) -> None:
    """Raises NoWorker within two seconds where Redis does not answer. Tried twice: the first connection may be one that
    Redis has closed since. The job may have been taken all the same, so it must bear to be run twice."""
    for last in (False, True):
        try:
            _hand_over(job, args)
        except (OperationalError, LimitExceeded, OSError) as error:
            if last:
                raise NoWorker(type(error).__name__) from error
        else:
            return


def soon(job: "Task[[], int]") -> None:
    """Has a job that beat starts anyway started now, if a worker can be told."""
    try:
        hand_over(job)
    except NoWorker as error:
        log.warning("job_waits_for_beat", job=job.name, reason=str(error))


def _hand_over(job: "Task[..., Any]", args: tuple[Any, ...]) -> None:
    broker = job.app.connection_for_write(transport_options=_QUICK)
    with _connections[broker].acquire(block=True, timeout=PATIENCE) as connection:
        job.apply_async(args, producer=Producer(connection, auto_declare=False), retry=False)
