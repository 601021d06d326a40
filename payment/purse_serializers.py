"""What phones are told about their own money."""

from typing import NotRequired, TypedDict


class Assets(TypedDict):
    """What somebody has: `point` is what is free of withdrawals."""

    gold: int
    point: int
    point_worth: int
    all_outlay_gold: int
    all_earn_point: int


class P2gPackageRow(TypedDict):
    id: int
    desc: str
    point: int
    gold: int


class P2gPackages(TypedDict):
    packages: list[P2gPackageRow]


class Exchanged(TypedDict):
    order: str
    point: int
    gold: int


class AlipayInfo(TypedDict):
    alipaycode: str
    name: str
    idcard: str
    phone: str


class AlipayAnswer(TypedDict):
    info: AlipayInfo


class Verified(TypedDict):
    alipay_code: str


class Cash(TypedDict):
    point: int
    cash: int
    rule: str


class Requested(TypedDict):
    reqmsg: str
    order: str
    point: int


class Line(TypedDict):
    """One movement: `amount` is signed, `balance` what it left. `kind` is the ledger's reason, `title` the line to
    show; `order` is the number of an order, exchange or withdrawal, `status` how far that withdrawal has come."""

    id: int
    create_time: str
    currency: str
    amount: int
    balance: int
    kind: str
    title: str
    order: NotRequired[str]
    gift_id: NotRequired[int]
    status: NotRequired[int]


class Statement(TypedDict):
    lines: list[Line]
    before: int
    has_more: bool
