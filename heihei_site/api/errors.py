"""Every refusal the API knows, one class a meaning, in code order (contract: `docs/reference/errors.md`).

A refusal is an ordinary answer: HTTP 200 with its number and a Chinese sentence fit to show a person (D3). Where the
document words the same number differently at some endpoints, `TEXT_AT` has the other wording.
"""

from typing import ClassVar


class Refusal(Exception):
    """A deed was refused and nothing was changed. `code` and `text` are what the phone is told."""

    code: ClassVar[int]
    text: ClassVar[str]

    def __init__(self, said: str = "") -> None:
        """`said` is told in the place of `text`: where operators have put it in words of their own."""
        super().__init__(said)
        self.said = said

    @classmethod
    def text_at(cls, path: str) -> str:
        """The sentence for this refusal at an endpoint such as `live/buy-gift`."""
        return TEXT_AT.get((cls.code, path), cls.text)


class ServerFault(Refusal):
    code, text = -1, "服务器开小差了"


class PostUnknown(Refusal):
    code, text = 100, "话题或帖子不存在"


class FileRefused(Refusal):
    code, text = 102, "文件验证失败"


class DeedFailed(Refusal):
    code, text = 400, "业务失败"


class SmsTooFrequent(Refusal):
    code, text = 400, "短信发送太频繁"


class IdentityUnreachable(Refusal):
    code, text = 400, "第三方登录暂时不可用，请稍后再试"


class RealNameUnreachable(Refusal):
    code, text = 400, "实名认证服务暂时不可用，请稍后再试"


class PaymentUnavailable(Refusal):
    code, text = 400, "支付暂时不可用，请稍后再试"


class ManagersEnough(Refusal):
    code, text = 400, "管理员人数已满"


class CodeWrong(Refusal):
    code, text = 401, "验证码错误"


class PhoneTaken(Refusal):
    code, text = 403, "手机号已被其他账户绑定"


class TooLate(Refusal):
    code, text = 409, "来晚了~"


class TooManyRequests(Refusal):
    code, text = 429, "操作太频繁"


class NameIllegal(Refusal):
    code, text = 445, "非法的名称"


class NameTooLong(Refusal):
    code, text = 447, "名字太长"


class MinorRefused(Refusal):
    code, text = 501, "未成年人禁止直播！"


class SeatsNeeded(Refusal):
    code, text = 502, "请至少保留2个座位"


class KnockedJustNow(Refusal):
    code, text = 504, "刚敲过门啦 歇会~"


class RoomFull(Refusal):
    code, text = 505, "没座位了，敲门试试？"


class NotInRoom(Refusal):
    code, text = 506, "您不在该队伍"


class InvalidParameter(Refusal):
    code, text = 700, "参数错误"


class TitleIllegal(Refusal):
    code, text = 700, "标题含有不允许的词，请修改后再试"


class WithdrawalTooSmall(Refusal):
    code, text = 700, "提现金额低于最低限额"


class WithdrawalTooLarge(Refusal):
    code, text = 700, "超过每日提现限额"


class WeiboTokenInvalid(Refusal):
    code, text = 701, "weibo token无效"


class SignatureWrong(Refusal):
    code, text = 701, "signature错误"


class OpenIdInvalid(Refusal):
    code, text = 702, "openid无效"


class UserUnknown(Refusal):
    code, text = 710, "用户不存在"


class NotPermitted(Refusal):
    code, text = 711, "用户权限不足"


class SignInAgain(Refusal):
    code, text = 711, "请重新登录后再试"


class TokenInvalid(Refusal):
    code, text = 720, "token无效"


class AccountAbnormal(Refusal):
    code, text = 721, "用户账户异常"


class AccountTooYoung(Refusal):
    code, text = 721, "注册时间太短，暂时不能提现"


class RechargeCapped(Refusal):
    code, text = 721, "今日充值已达上限"


class BroadcastBarred(Refusal):
    code, text = 721, "您已被禁止开播"


class Muted(Refusal):
    code, text = 722, "您已被禁言"


class LiveNotActive(Refusal):
    code, text = 725, "直播未开始或已结束"


class PackageInvalid(Refusal):
    code, text = 726, "无效的套餐"


class AlipayNotVerified(Refusal):
    code, text = 726, "验证不通过"


class AlipayCodeInvalid(Refusal):
    code, text = 726, "无效的支付宝账号"


class OrderInvalid(Refusal):
    code, text = 727, "无效的订单"


class GiftUnknown(Refusal):
    code, text = 730, "礼物不存在"


class LiveInvalid(Refusal):
    code, text = 731, "无效的直播"


class ChatInvalid(Refusal):
    code, text = 732, "对话无效"


class RoomInvalid(Refusal):
    code, text = 733, "房间无效"


class LiveEnded(Refusal):
    code, text = 735, "直播已结束"


class ProfileHidden(Refusal):
    code, text = 736, "无法查看该用户信息"


class LiveForbidden(Refusal):
    code, text = 737, "无法观看该用户直播"


class CalleeBroadcasting(Refusal):
    code, text = 738, "该用户正在直播"


class AlreadyConnected(Refusal):
    code, text = 739, "您正在连麦中"


class CalleeBusy(Refusal):
    code, text = 739, "对方太火，忙线中~"


class NotEnoughGold(Refusal):
    code, text = 740, "余额不足"


class NotEnoughCash(Refusal):
    code, text = 740, "余额不足"


class NotEnoughPoints(Refusal):
    code, text = 741, "积分不足"


class StateWrong(Refusal):
    code, text = 742, "用户状态错误"


class ConnectionFailed(Refusal):
    code, text = 750, "哎呀，连线失败了"


class RecordingDamaged(Refusal):
    code, text = 754, "文件损坏,请重新上传。"


class RecordingTooShort(Refusal):
    code, text = 755, "录音时间太短"


class RecordingTooLarge(Refusal):
    code, text = 756, "文件太大啦"


class RecordingUnknown(Refusal):
    code, text = 757, "录音不存在"


class RecordingNotYours(Refusal):
    code, text = 757, "无法删除不属于自己的录音"


_LIVE_INVALID_AS = "直播无效"
_LIVE_DELETED_AS = "直播无效或被删除"
_NOT_PERMITTED_AS = "权限不足"
_ROOM_KEEPERS = ("lock-live-seat", "invite-user-list", "invite-user", "knock-live-room", "kick-out-user")
_LIVE_CALLS = (
    "knock-status",
    "heart-beat",
    "join-live",
    "change-live",
    "stop-live",
    "delete-live",
    "set-live-visible",
    "get-live",
    "start-live",
)

TEXT_AT: dict[tuple[int, str], str] = {
    **{(731, f"live/{call}"): _LIVE_INVALID_AS for call in _LIVE_CALLS},
    **{(731, f"live/{call}"): _LIVE_DELETED_AS for call in _ROOM_KEEPERS},
    **{(711, f"live/{call}"): _NOT_PERMITTED_AS for call in _ROOM_KEEPERS},
    (711, "chat/cancel-due-chat"): _NOT_PERMITTED_AS,
    (732, "chat/buy-gift"): "无效的对话",
}


def catalogue() -> list[type[Refusal]]:
    """Every refusal in code order: for the reference page and the tests."""
    return sorted(Refusal.__subclasses__(), key=lambda refusal: refusal.code)
