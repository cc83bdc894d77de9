"""What Slack answers on a bad day, as values with a sentence for the person who must act.

Codes: the error tables of https://docs.slack.dev/reference/methods/chat.postMessage, chat.update, chat.postEphemeral,
conversations.history and usergroups.users.list.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.domain.delivery import Refused, Throttled, Unsure
from bot.intel.text import one_line

Failure: TypeAlias = Throttled | Refused | Unsure

UNREACHABLE_AGAIN = 5.0
UNNAMED_AGAIN = 10.0
LONGEST_AGAIN = 3600.0
"""Seconds: after a connection that never stood; when Slack names no Retry-After; the most that is believed."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do about a code. {channel} and {needed} are filled in; `content` says that the message is at fault."""

    sentence: str
    content: bool = False


_INVITE = "Tocsin is not a member of {channel}. Type `/invite @tocsin` in that channel."
_UNKNOWN_CHANNEL = (
    "Slack knows no channel {channel} that Tocsin may see. Check its id in tocsin.toml (in Slack: the channel's name,"
    " at the bottom of About); in a private channel type `/invite @tocsin`."
)
_CREDENTIAL = (
    "Slack does not accept the bot token. Copy the Bot User OAuth Token (xoxb-…) from the app's page OAuth &"
    " Permissions into SLACK_BOT_TOKEN and start Tocsin again."
)
_REINSTALL = (
    "Slack has withdrawn the bot token. Install the app in the workspace again (OAuth & Permissions, Reinstall), put"
    " the new token into SLACK_BOT_TOKEN and start Tocsin again."
)
_SCOPE = (
    "The bot token lacks the scope {needed}. Bring the app in line with manifest.yaml (App Manifest), reinstall it in"
    " the workspace, and set SLACK_BOT_TOKEN to the new token."
)
_POSTING = (
    "A workspace or channel setting keeps Tocsin from posting in {channel}. Ask a workspace owner to let apps post"
    " there, or choose another channel in tocsin.toml."
)
_ADMIN = "Slack denies this call to the app by an organisation's policy. Ask a workspace owner to approve the app."
_NOT_OURS = "The message in {channel} cannot be changed with this token: it was posted by another app or person."
_METADATA = "Slack refused the mark by which Tocsin finds its message again. Report this as a fault of Tocsin."
_ARGUMENTS = "Slack did not understand the call. Report this as a fault of Tocsin, with the code and your version."
_BLOCKS = "Slack refused the layout of the message. Hold the changed templates against `tocsin check`."
_LENGTH = "The message is longer than Slack takes. Shorten the changed templates and hold them against `tocsin check`."
_EXPIRED = "The address for this answer is used up: Slack takes five answers within 30 minutes. Press or type again."

ADVICE: Mapping[str, Advice] = {
    "not_in_channel": Advice(_INVITE),
    **dict.fromkeys(("channel_not_found", "invalid_channel"), Advice(_UNKNOWN_CHANNEL)),
    "is_archived": Advice("{channel} is archived. Unarchive it, or choose another channel in tocsin.toml."),
    **dict.fromkeys(("not_authed", "invalid_auth"), Advice(_CREDENTIAL)),
    **dict.fromkeys(("token_revoked", "token_expired", "account_inactive"), Advice(_REINSTALL)),
    "not_allowed_token_type": Advice(_CREDENTIAL),
    "missing_scope": Advice(_SCOPE),
    **dict.fromkeys(
        (
            "restricted_action",
            "restricted_action_read_only_channel",
            "restricted_action_thread_only_channel",
            "restricted_action_non_threadable_channel",
            "restricted_action_thread_locked",
            "channel_is_limited_access",
            "posting_to_channel_denied",
            "cannot_reply_to_message",
        ),
        Advice(_POSTING),
    ),
    **dict.fromkeys(
        (
            "access_denied",
            "accesslimited",
            "ekm_access_denied",
            "enterprise_is_restricted",
            "no_permission",
            "org_login_required",
            "team_access_not_granted",
            "two_factor_setup_required",
        ),
        Advice(_ADMIN),
    ),
    "message_not_found": Advice(
        "The message is no longer in {channel}: somebody deleted it. Nothing needs to be done."
    ),
    **dict.fromkeys(("cant_update_message", "message_not_owned_by_app"), Advice(_NOT_OURS)),
    "edit_window_closed": Advice("The workspace no longer lets this message in {channel} be edited."),
    "thread_not_found": Advice("The message above the thread is no longer in {channel}: somebody deleted it."),
    "user_not_in_channel": Advice("The person is not a member of {channel}, so nothing can be shown to them there."),
    "user_not_found": Advice("Slack knows no such person. Check the user ids in tocsin.toml."),
    "no_such_subteam": Advice("Slack knows no such user group. Check the group ids (S…) in tocsin.toml."),
    **dict.fromkeys(("msg_too_long", "msg_blocks_too_long", "too_many_attachments"), Advice(_LENGTH, content=True)),
    **dict.fromkeys(
        ("invalid_blocks", "invalid_blocks_format", "block_mismatch", "invalid_attachments", "no_text"),
        Advice(_BLOCKS, content=True),
    ),
    **dict.fromkeys(
        ("invalid_metadata_format", "invalid_metadata_schema", "metadata_too_large", "metadata_must_be_sent_from_app"),
        Advice(_METADATA),
    ),
    **dict.fromkeys(
        ("invalid_arguments", "invalid_json", "json_not_object", "invalid_payload", "unknown_method"),
        Advice(_ARGUMENTS),
    ),
    **dict.fromkeys(("used_url", "expired_url"), Advice(_EXPIRED)),
}
"""What a person can do about each code that Slack documents for the calls we make."""

_LATER: Mapping[str, float] = {
    "ratelimited": UNNAMED_AGAIN,
    "rate_limited": UNNAMED_AGAIN,
    "message_limit_exceeded": 60.0,
    "request_timeout": UNREACHABLE_AGAIN,
    "team_added_to_org": 60.0,
}
"""Codes by which Slack says that it did nothing and that the same call may pass later; seconds until then."""

_UNCLEAR = frozenset({"internal_error", "fatal_error", "service_unavailable", "update_failed"})
"""Codes that do not rule out that the work was done; of the first two Slack says that part of it may have been."""

_CODE = re.compile(r"[a-z0-9_]{2,60}")

log = logging.getLogger("tocsin.slack")


def is_code(text: str) -> bool:
    """Whether this can be one of Slack's codes, rather than a page or a sentence."""
    return _CODE.fullmatch(text) is not None


async def answered(call: Awaitable[AsyncSlackResponse], *, channel: str = "") -> dict[str, Any] | Failure:
    """Await one Web API call: the body of an `ok` answer, or what went wrong with it."""
    response = await response_to(call, channel=channel)
    return response.data if isinstance(response, AsyncSlackResponse) else response  # type: ignore[return-value]


async def response_to(call: Awaitable[AsyncSlackResponse], *, channel: str = "") -> AsyncSlackResponse | Failure:
    """Like `answered`, with the headers: a response is returned only when its data is a JSON object that says `ok`."""
    try:
        response = await call
    except SlackApiError as refusal:
        return _read(refusal.response, channel)
    except (aiohttp.ClientError, TimeoutError) as error:
        return lost(error)
    except (AttributeError, ValueError) as error:
        # slack_sdk reads an answer that is not a JSON object, such as a proxy's page, without looking at it first.
        return Unsure(f"Slack's answer could not be read ({type(error).__name__}). {_IN_BETWEEN}")
    return response if isinstance(response.data, dict) else Unsure(f"Slack answered without JSON. {_IN_BETWEEN}")


def reason(answer: Failure) -> str:
    """Why there is no answer, in a sentence."""
    if isinstance(answer, Throttled):
        return f"Slack does not take calls now; it may in {answer.retry_after:g} s."
    return answer.sentence


_IN_BETWEEN = "If this goes on, look at SLACK_API_URL and at the proxy between Tocsin and Slack."


def lost(error: aiohttp.ClientError | TimeoutError) -> Failure:
    """What an error of the connection means: whether anything can have been taken depends on when it broke."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return Refused("certificate", f"The certificate shown for Slack is not trusted here. {_CERTIFICATE}")
        case aiohttp.ClientSSLError():
            return Refused("tls", f"No TLS connection to Slack came about ({_kind(error)}). {_IN_BETWEEN}")
        case aiohttp.ClientHttpProxyError():
            return Refused(
                "proxy", f"The proxy does not let Tocsin through to Slack ({error.status}). Check HTTPS_PROXY."
            )
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            log.warning("Slack cannot be reached (%s); the next try is in %g s", _kind(error), UNREACHABLE_AGAIN)
            return Throttled(UNREACHABLE_AGAIN)
        case asyncio.TimeoutError():
            return Unsure("Slack did not answer in time.")
    return Unsure(f"The connection to Slack broke before its answer came ({_kind(error)}).")


_CERTIFICATE = "Install the certificate of the proxy that opens TLS, or let slack.com pass unopened."


def failure(status: int, headers: Mapping[str, str], body: Any, *, channel: str = "") -> Failure:
    """What an answer that is not `ok` means. `body` is the JSON value, or anything else for no JSON."""
    said = body if isinstance(body, dict) else {}
    code = str(said.get("error") or "")
    if status == 429 or (status < 500 and code in _LATER):
        return Throttled(_retry_after(headers, _LATER.get(code, UNNAMED_AGAIN)))
    if status >= 500 or not code:
        return Unsure(f"Slack answered with {status} and no clear word. {_IN_BETWEEN}")
    if code in _UNCLEAR:
        return Unsure(f"Slack reported a fault of its own ({code}) and may have done part of the work.")
    return refused(code, said, channel=channel)


def refused(code: str, said: Mapping[str, Any], *, channel: str = "") -> Refused:
    """The refusal with the sentence for its code; an unknown code is named and sent to Slack's own table."""
    word = code if is_code(code) else one_line(code, 60)
    advice = ADVICE.get(code)
    if advice is None:
        place = f" in {channel}" if channel else ""
        return Refused(
            word,
            f'Slack refused the call{place} with "{word}". Its meaning is in the table of errors at'
            " https://docs.slack.dev/reference/methods",
        )
    needed = one_line(str(said.get("needed") or "that the call needs"), 120)
    sentence = advice.sentence.format(channel=channel or "the channel", needed=needed)
    detail = _detail(said) if advice.content else ""
    return Refused(word, f"{sentence} {detail}".rstrip(), content=advice.content)


def _read(response: Any, channel: str) -> Failure:
    # The SDK hands over its own response, or aiohttp's when the body was no JSON.
    status = response.status_code if isinstance(response, AsyncSlackResponse) else response.status
    return failure(int(status), response.headers, getattr(response, "data", None), channel=channel)


def _retry_after(headers: Mapping[str, str], default: float) -> float:
    named = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    seconds = float(named) if named.isascii() and named.isdigit() else default
    return min(max(seconds, 1.0), LONGEST_AGAIN)


def _detail(said: Mapping[str, Any]) -> str:
    listed = said.get("errors") or (said.get("response_metadata") or {}).get("messages") or []
    first = [one_line(str(each), 200) for each in listed[:3]] if isinstance(listed, list) else []
    return f"Slack says: {'; '.join(first)}" if first else ""


def _kind(error: BaseException) -> str:
    return type(error).__name__
