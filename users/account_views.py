"""`user/*` and `sms/*`: who somebody is. Coming in, going out, leaving for good."""

from django.conf import settings
from django.utils import timezone

from heihei_site.api.callers import Caller
from heihei_site.api.endpoints import Endpoints
from heihei_site.api.envelope import Nothing
from heihei_site.api.errors import (
    AccountAbnormal,
    CodeWrong,
    IdentityUnreachable,
    NotPermitted,
    OpenIdInvalid,
    PhoneTaken,
    SignInAgain,
    SmsTooFrequent,
    WeiboTokenInvalid,
)
from heihei_site.api.throttles import Limit
from heihei_site.api.wire import clock
from heihei_site.console.tunables import tunables
from heihei_site.providers import registry
from users import params, serializers
from users.auth import Origin
from users.services import deletion, export, phones, sign_in, sms_codes

api = Endpoints("user")
sms = Endpoints("user", prefix="sms")

PER_ADDRESS = Limit(settings.SMS_PER_ADDRESS, by="address", refuses=SmsTooFrequent, counted_with="codes")

# Wrong codes kill somebody's code whoever sends them: nobody shall do that to many.
TRIES = Limit(settings.SMS_TRIES_PER_ADDRESS, by="address", counted_with="tries")


@api.post(key="getSMSVerificationCode", open_to_all=True, raises=[SmsTooFrequent], limits=[PER_ADDRESS])
def get_sms_verification_code(caller: Caller, *, phone: params.Phone) -> serializers.CodeSent:
    """Sends a six-digit code to a mainland number (D15), good for ten minutes, one deed and five tries.

    `timeout` is the seconds until the next may be asked for.
    """
    return {"timeout": sms_codes.send_code(phone, now=timezone.now())}


@sms.post(open_to_all=True, raises=[SmsTooFrequent], limits=[PER_ADDRESS])
def register_phone(caller: Caller, *, phone: params.Phone) -> serializers.CodeSent:
    """The same as `user/get-sms-verification-code`, under its other name, and counted with it."""
    return {"timeout": sms_codes.send_code(phone, now=timezone.now())}


@sms.post(open_to_all=True, raises=[CodeWrong], limits=[TRIES])
def verify_phone(caller: Caller, *, phone: params.Phone, verify_code: params.SmsCode) -> serializers.Verified:
    """Whether a code is the right one, without spending it. A wrong one costs one of its five tries."""
    sms_codes.check_code(phone, verify_code, now=timezone.now())
    return {"verified": True}


@api.post(
    path="sign-in-cl-by-phone",
    key="signInCLByPhone",
    open_to_all=True,
    raises=[CodeWrong, AccountAbnormal],
    limits=[TRIES],
)
def sign_in_by_phone(caller: Caller, *, phone: params.Phone, verify_code: params.SmsCode) -> serializers.SignInAnswer:
    """Signs in with an SMS code; the first time makes the account. The person's other sign-ins end (D5).

    `needRegist` stays true until name, gender and birthday are set (D16). `deletionCancelled` is true for somebody who
    had asked to be deleted: coming back has undone that. A phone that lost the answer sends the same again within
    seconds and gets another token. 721 for who is banned, in operators' words and with the end of it.
    """
    origin = Origin.of(caller)
    return _welcome(sign_in.sign_in_by_phone(phone=phone, code=verify_code, now=timezone.now(), origin=origin))


@api.post(
    path="sign-in",
    key="signIn",
    open_to_all=True,
    raises=[AccountAbnormal, IdentityUnreachable, OpenIdInvalid, WeiboTokenInvalid],
    limits=[Limit(settings.ACCOUNT_SIGN_INS, by="address")],
)
def sign_in_by_account(
    caller: Caller,
    *,
    account_source: params.AccountSource,
    account_token: params.AccountToken,
    open_id: params.OpenId,
    union_id: params.UnionId = "",
) -> serializers.SignInAnswer:
    """Signs in with a WeChat or Weibo account, as `user/sign-in-cl-by-phone` does with a phone.

    `accountToken` is the access token from the vendor's SDK and `openId` its user id (Weibo: the uid): the vendor is
    asked whether they belong together, and for the union id. A `unionId` that is not the vendor's is refused; the 1.1
    app's `uuid` is nobody's word and not read. What that app sends as `Weibo` may be a Facebook account, which no
    account of Weibo is taken for. 701 for a token that is not (or no longer) good, 702 for an id that is not the
    token's, 400 where the vendor does not answer in time: try again.
    """
    vendor = registry.identity(account_source)
    account = vendor.account(token=account_token, open_id=open_id, union_id=union_id)
    return _welcome(sign_in.sign_in_by_account(account=account, now=timezone.now(), origin=Origin.of(caller)))


def _welcome(signed_in: sign_in.SignedIn) -> serializers.SignInAnswer:
    return {
        "token": signed_in.token,
        "need_regist": not signed_in.user.profile_complete,
        "deletion_cancelled": signed_in.deletion_cancelled,
        "user_info": serializers.own_card(signed_in.user, tunables.RENAME_GOLD),
    }


@api.post(raises=[CodeWrong, PhoneTaken, SignInAgain], limits=[TRIES])
def bind_phone(caller: Caller, *, phone: params.NewPhone, verify_code: params.SmsCode) -> Nothing:
    """Binds a number to the caller's account, in place of the one before: it signs in here from now on.

    Takes a code sent to that number, which is spent whatever comes of it. 403 where the number is another account's;
    711 where another number is replaced and the sign-in is older than ten minutes: sign in again first.
    """
    phones.bind(user=caller.person, session=caller.session, phone=phone, code=verify_code, now=timezone.now())
    return {}


@api.post()
def sign_out(caller: Caller) -> Nothing:
    """Ends this sign-in: its token is dead, its sockets close within 2 s, pushes to its device stop."""
    sign_in.sign_out(user=caller.person, session=caller.session)
    return {}


@api.post(raises=[CodeWrong, NotPermitted, SignInAgain])
def delete_account(caller: Caller, *, verify_code: params.SmsCode = "") -> serializers.Leaving:
    """Deletes the caller's account. Ask twice before calling this.

    An account with a phone needs `verifyCode`, a code sent to that phone (`user/get-sms-verification-code`); one
    without needs a sign-in of the last ten minutes (711). The person is signed out everywhere and gone for others at
    once. Until `deletionTime` (15 days) signing in undoes it; then name, picture, phone, accounts, relations and
    messages are erased for good. Gold and points are lost; what was paid stays on the books without a name.
    """
    due = deletion.ask(user=caller.person, session=caller.session, code=verify_code, now=timezone.now())
    return {"deletion_time": clock(due)}


@api.post(limits=[Limit(settings.DATA_EXPORTS_ASKED)])
def export_data(caller: Caller) -> serializers.DataCopy:
    """Has a copy of the caller's data made: a ZIP of JSON files.

    When it is ready, usually within a minute, action `data-export` brings its address; asking again gives it too. The
    address needs no token and is good for seven days: `expireTime` is the seconds left of them. `ready` is false, and
    `url` empty, as long as the copy is being made.
    """
    now = timezone.now()
    copy = export.ask(user=caller.person, now=now)
    seconds = int((copy.expires_at - now).total_seconds()) if copy.expires_at else 0
    return {"ready": bool(copy.url), "url": copy.url, "expire_time": seconds}
