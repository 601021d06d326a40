"""Who may do what: four roles, made groups after every migrate. The table is the truth: what is changed in one of these
groups elsewhere is undone by the next migrate. Another mixture of rights is another group, made by a superuser.

Deciding about money is finance's alone: `管理员` keeps order, sees who did what, and only reads ledgers.
Nobody is given `auth.*`: staff accounts, groups and passwords are superusers' business (users/admin.py).
"""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

Rights = dict[str, str]  # app label -> codenames

_MONEY_TO_READ = (
    "view_account view_transfer view_entry view_gift view_giftresource view_package view_order view_notification "
    "view_refund view_bill view_billline view_p2gpackage view_exchange view_alipayaccount view_alipayopening "
    "view_withdrawal view_decision view_credit"
)

SUPPORT: Rights = {
    "users": "view_user find_by_phone view_session change_session view_ban",
    "live": "view_live view_guest view_liveban view_seatallowance",
    "chat": "view_chat view_chattopic view_matchtip",
    "topics": "view_topic view_subject",
    "records": "view_record",
    "inbox": "view_push view_announcement",
    "payment": "view_account view_transfer view_entry view_package view_order view_refund view_p2gpackage "
    "view_exchange view_withdrawal view_decision view_credit propose_credit",
    "system": "view_clientlog view_banner view_appversion view_matchingoff view_page",
    "console": "view_tunedvalue",
}
MODERATOR: Rights = {
    "users": "view_user change_user view_session change_session view_report change_report view_suspect change_suspect "
    "view_ban view_blockedword add_blockedword change_blockedword delete_blockedword",
    "live": "view_live change_live view_guest view_liveban view_seatallowance",
    "chat": "view_chat view_chattopic view_matchtip",
    "topics": "view_topic change_topic view_subject change_subject",
    "records": "view_record change_record",
    "inbox": "view_instantmessage",
}
FINANCE: Rights = {
    "users": "view_user find_by_phone",
    "payment": f"{_MONEY_TO_READ} open_alipayaccount refund_order decide_withdrawal "
    "propose_credit approve_credit "
    "add_package change_package add_p2gpackage change_p2gpackage",
    "console": "export_csv view_money view_tunedvalue tune_money",
}
ADMIN: Rights = {
    "users": "view_user change_user find_by_phone view_session change_session view_report change_report view_suspect "
    "change_suspect view_ban view_blockedword add_blockedword change_blockedword delete_blockedword",
    "live": "view_live change_live view_guest view_liveban "
    "view_seatallowance add_seatallowance change_seatallowance delete_seatallowance",
    "chat": "view_chat view_chattopic add_chattopic change_chattopic delete_chattopic "
    "view_matchtip add_matchtip change_matchtip delete_matchtip",
    "topics": "view_topic add_topic change_topic delete_topic view_subject change_subject",
    "records": "view_record change_record",
    "inbox": "view_instantmessage view_push view_announcement add_announcement change_announcement send_announcement",
    "payment": f"{_MONEY_TO_READ} add_gift change_gift add_giftresource change_giftresource delete_giftresource",
    "system": "view_banner add_banner change_banner delete_banner view_appversion add_appversion change_appversion "
    "delete_appversion view_matchingoff add_matchingoff change_matchingoff delete_matchingoff view_page change_page "
    "view_clientlog",
    "console": "view_act export_csv view_money view_tunedvalue change_tunedvalue",
}

ROLES: dict[str, Rights] = {"客服": SUPPORT, "审核": MODERATOR, "财务": FINANCE, "管理员": ADMIN}


def make(app_config: Any = None, **_: Any) -> None:
    """After the last app's permissions are there. Twice changes nothing."""
    if app_config is not None and app_config is not list(apps.get_app_configs())[-1]:
        return
    with transaction.atomic():
        known = {(one.content_type.app_label, one.codename): one for one in _named()}
        for name, rights in ROLES.items():
            group, _made = Group.objects.get_or_create(name=name)
            group.permissions.set([known[each] for each in _pairs(rights) if each in known])


def names(rights: Rights) -> list[str]:
    return [f"{app}.{codename}" for app, codename in _pairs(rights)]


def _pairs(rights: Rights) -> list[tuple[str, str]]:
    return [(app, codename) for app, codenames in rights.items() for codename in codenames.split()]


def _named() -> list[Permission]:
    wanted = Q(pk__in=[])
    for rights in ROLES.values():
        for app, codenames in rights.items():
            wanted |= Q(content_type__app_label=app, codename__in=codenames.split())
    return list(Permission.objects.filter(wanted).select_related("content_type"))
