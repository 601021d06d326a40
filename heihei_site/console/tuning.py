"""Changing what is tunable: once for every process, with the operator's name and reason kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Now

from heihei_site.console import acts
from heihei_site.console.models import NEW, OLD
from heihei_site.console.tunable_kinds import Tunable
from heihei_site.console.tunable_models import TunedValue
from heihei_site.console.tunables import AT_MOST, changed

if TYPE_CHECKING:
    from users.models import User


@contextmanager
def _alone() -> Iterator[dict[str, Any]]:
    """A transaction in which nobody else changes anything tunable: what fits together now still does at its end."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TunedValue._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        yield dict(TunedValue.objects.values_list("name", "value"))
        changed.changed()


def tune(tunable: Tunable[Any], kept: Any, *, operator: "User", reason: str, address: str = "") -> None:
    """ValidationError for what it may not be, alone or together with the others. `kept`: as its kind keeps it."""
    try:
        tunable.read(kept)
    except (TypeError, ValueError):
        raise ValidationError("超出可填范围。") from None
    with _alone() as before:
        after = before | {tunable.name: kept}
        _check_pairs(tunable, after)
        TunedValue.objects.update_or_create(
            name=tunable.name, defaults={"value": kept, "operator": operator, "changed_at": Now()}
        )
        _record("修改运营参数", tunable, before, after, operator=operator, reason=reason, address=address)


def reset(tunable: Tunable[Any], *, operator: "User", reason: str, address: str = "") -> None:
    """The default counts again. Nothing happens, the second time."""
    with _alone() as before:
        if tunable.name not in before:
            return
        after = {name: kept for name, kept in before.items() if name != tunable.name}
        _check_pairs(tunable, after)
        row = TunedValue.objects.get(name=tunable.name)
        _record("恢复默认参数", tunable, before, after, operator=operator, reason=reason, address=address)
        row.delete()


def _check_pairs(tunable: Tunable[Any], kept: dict[str, Any]) -> None:
    for smaller, larger in AT_MOST:
        if tunable in (smaller, larger) and smaller.keep(smaller.among(kept)) > larger.keep(larger.among(kept)):
            raise ValidationError(f"「{smaller.label}」不能大于「{larger.label}」。")


def _record(verb: str, tunable: Tunable[Any], before: dict[str, Any], after: dict[str, Any], **by: Any) -> None:
    """Part of the change: neither is there without the other."""
    said = [tunable.words(tunable.among(kept)) for kept in (before, after)]
    acts.record(
        by["operator"],
        verb,
        TunedValue(name=tunable.name),
        reason=by["reason"],
        address=by["address"],
        details={tunable.label: dict(zip((OLD, NEW), said, strict=True))},
    )
