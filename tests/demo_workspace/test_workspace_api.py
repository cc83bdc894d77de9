"""The Web API of the local workspace, through slack_sdk over real HTTP."""

from __future__ import annotations

import json

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.demo.workspace import WorkspaceSettings, build_workspace, serve_workspace
from bot.errors import ConfigError

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "A"}, "blocks": [SECTION]}


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_the_token_is_checked_in_header_and_field(running):
    async with httpx.AsyncClient(base_url=running.url) as http:
        assert (await http.post("/api/auth.test")).json() == {"ok": False, "error": "not_authed"}
        wrong = await http.get("/api/auth.test", headers={"Authorization": "Bearer xoxb-wrong"})
        assert wrong.json()["error"] == "invalid_auth"
        assert (await http.post("/api/auth.test", data={"token": "xoxb-right"})).json()["user_id"] == "U0TOCSIN"


async def test_blocks_arrive_as_json_as_text_in_a_form_and_in_the_query(running):
    fields = {"token": "xoxb-right", "channel": "#secops", "text": "t", "blocks": json.dumps([SECTION])}
    async with httpx.AsyncClient(base_url=running.url) as http:
        await http.post("/api/chat.postMessage", data=fields)
        await http.get("/api/chat.postMessage", params=fields)
        await http.post(
            "/api/chat.postMessage",
            json={"channel": "C0SECOPS", "text": "t", "blocks": [SECTION]},
            headers={"Authorization": "Bearer xoxb-right"},
        )
    texts = [message.blocks[0]["text"]["text"] for message in running.workspace.messages("C0SECOPS")]
    assert texts == ["*hello*"] * 3


async def test_a_post_keeps_metadata_and_shows_it_only_when_asked(slack):
    metadata = {"event_type": "alert", "event_payload": {"key": "k1"}}
    posted = await slack.chat_postMessage(channel="C0SECOPS", text="one", metadata=metadata)
    with_it = await slack.conversations_history(channel="C0SECOPS", include_all_metadata=True)
    without = await slack.conversations_history(channel="C0SECOPS")
    assert with_it["messages"][0]["metadata"] == metadata
    assert with_it["messages"][0]["ts"] == posted["ts"]
    assert "metadata" not in without["messages"][0]


async def test_posts_that_slack_refuses(slack):
    assert await refusal(slack.chat_postMessage(channel="C0NOWHERE", text="x")) == "channel_not_found"
    assert await refusal(slack.chat_postMessage(channel="C0GENERAL", text="x")) == "not_in_channel"
    assert await refusal(slack.api_call("chat.postMessage", params={"channel": "C0SECOPS"})) == "no_text"
    bad = [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]
    assert await refusal(slack.chat_postMessage(channel="C0SECOPS", text="x", blocks=bad)) == "invalid_blocks"
    assert await refusal(slack.api_call("chat.nothing")) == "unknown_method"


async def test_history_is_newest_first_bounded_and_without_replies(slack, clock):
    stamps = []
    for text in ("a", "b", "c"):
        stamps.append((await slack.chat_postMessage(channel="C0SECOPS", text=text))["ts"])
        clock.forward(10)
    await slack.chat_postMessage(channel="C0SECOPS", text="reply", thread_ts=stamps[0])
    later = await slack.conversations_history(channel="C0SECOPS", oldest=stamps[0], limit=1)
    assert [m["text"] for m in later["messages"]] == ["c"]
    assert later["has_more"] is True
    thread = await slack.conversations_replies(channel="C0SECOPS", ts=stamps[0])
    assert [m["text"] for m in thread["messages"]] == ["a", "reply"]
    assert thread["messages"][0]["reply_count"] == 1


async def test_an_update_and_a_deletion(slack, running):
    ts = (await slack.chat_postMessage(channel="C0SECOPS", text="old", blocks=[SECTION]))["ts"]
    await slack.chat_update(channel="C0SECOPS", ts=ts, text="new")
    message = running.workspace.messages("C0SECOPS")[0]
    assert (message.text, message.blocks) == ("new", [])
    await slack.chat_delete(channel="C0SECOPS", ts=ts)
    assert running.workspace.messages("C0SECOPS") == []
    assert await refusal(slack.chat_update(channel="C0SECOPS", ts=ts, text="x")) == "message_not_found"


async def test_ephemeral_messages_stay_out_of_history(slack, running):
    await slack.chat_postEphemeral(channel="C0SECOPS", user="U0ANA", text="psst")
    assert (await slack.conversations_history(channel="C0SECOPS"))["messages"] == []
    assert [m.text for m in running.workspace.ephemeral("U0ANA")] == ["psst"]
    assert running.workspace.ephemeral("U0BO") == []


async def test_people_groups_and_channels(slack):
    assert (await slack.users_info(user="U0ANA"))["user"]["real_name"] == "Ana Torres"
    found = await slack.users_lookupByEmail(email="bo.lindqvist@northwind.example")
    assert found["user"]["id"] == "U0BO"
    assert (await slack.usergroups_users_list(usergroup="S0APPROVER"))["users"] == ["U0BO"]
    assert len((await slack.usergroups_list())["usergroups"]) == 2
    assert (await slack.conversations_info(channel="C0GENERAL"))["channel"]["is_member"] is False
    assert "U0SAM" in (await slack.conversations_members(channel="C0SECOPS"))["members"]
    direct = (await slack.conversations_open(users="U0SAM"))["channel"]["id"]
    assert (await slack.chat_postMessage(channel=direct, text="hi"))["channel"] == direct
    assert len((await slack.conversations_list())["channels"]) == 3
    assert await refusal(slack.users_info(user="U0X")) == "user_not_found"


async def test_a_reaction_counts_once(slack, running):
    ts = (await slack.chat_postMessage(channel="C0SECOPS", text="x"))["ts"]
    await slack.reactions_add(channel="C0SECOPS", timestamp=ts, name="eyes")
    again = slack.reactions_add(channel="C0SECOPS", timestamp=ts, name="eyes")
    assert await refusal(again) == "already_reacted"
    assert running.workspace.messages("C0SECOPS")[0].reactions == {"eyes": ["U0TOCSIN"]}


async def test_a_trigger_opens_one_view_within_three_seconds(slack, running, clock):
    core = running.workspace.core
    trigger = core.new_trigger("U0ANA")
    opened = await slack.views_open(trigger_id=trigger, view=MODAL)
    assert await refusal(slack.views_open(trigger_id=trigger, view=MODAL)) == "exchanged_trigger_id"
    late = core.new_trigger("U0ANA")
    clock.forward(3.1)
    assert await refusal(slack.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"
    changed = MODAL | {"title": {"type": "plain_text", "text": "B"}}
    await slack.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=changed)
    conflict = slack.views_update(view_id=opened["view"]["id"], hash=opened["view"]["hash"], view=MODAL)
    assert await refusal(conflict) == "hash_conflict"
    await slack.views_push(trigger_id=core.new_trigger("U0ANA"), view=MODAL)
    assert [v.view["title"]["text"] for v in core.state.views.values()] == ["B", "A"]


async def test_the_home_of_a_person_is_published(slack, running):
    await slack.views_publish(user_id="U0BO", view={"type": "home", "blocks": [SECTION]})
    assert running.workspace.state.homes["U0BO"].view["blocks"][0]["type"] == "section"


async def test_a_file_goes_up_in_three_steps(slack, running):
    await slack.files_upload_v2(channel="C0SECOPS", filename="rows.csv", content="a,b", initial_comment="rows")
    message = running.workspace.messages("C0SECOPS")[0]
    assert (message.text, message.files[0]["name"]) == ("rows", "rows.csv")


async def test_socket_mode_is_refused(slack):
    assert await refusal(slack.api_call("apps.connections.open")) == "not_supported"


async def test_a_rate_limit_is_met_as_often_as_ordered(slack, running):
    running.workspace.faults.rate_limit("chat.postMessage", times=2, retry_after=7)
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await slack.chat_postMessage(channel="C0SECOPS", text="x")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "7"
    await slack.chat_postMessage(channel="C0SECOPS", text="x")
    assert len(running.workspace.messages("C0SECOPS")) == 1


async def test_a_dropped_reply_leaves_the_message_and_no_answer(slack, running):
    running.workspace.faults.drop_reply("chat.postMessage")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await slack.chat_postMessage(channel="C0SECOPS", text="there")
    assert [m.text for m in running.workspace.messages("C0SECOPS")] == ["there"]


async def test_history_shows_a_delayed_message_later(slack, running, clock):
    running.workspace.faults.history_delay = 5
    await slack.chat_postMessage(channel="C0SECOPS", text="x")
    assert (await slack.conversations_history(channel="C0SECOPS"))["messages"] == []
    clock.forward(5)
    assert len((await slack.conversations_history(channel="C0SECOPS"))["messages"]) == 1


async def test_faults_and_record_through_the_control_api(running):
    bearer = {"Authorization": "Bearer xoxb-right"}
    async with httpx.AsyncClient(base_url=running.url, headers=bearer) as http:
        order = {"kind": "server_error", "method": "auth.test", "status": 502}
        assert (await http.post("/control/faults", json=order)).json() == {"ok": True}
        assert (await http.get("/api/auth.test")).status_code == 502
        assert (await http.get("/api/auth.test")).status_code == 200
        traffic = (await http.get("/control/traffic")).json()["traffic"]
        assert [(e["name"], e["outcome"]) for e in traffic] == [("auth.test", "server_error"), ("auth.test", "ok")]
        wrong = await http.post("/control/faults", json={"kind": "earthquake"})
        assert (wrong.status_code, wrong.json()["problems"][0][:5]) == (422, "kind:")


async def test_the_record_holds_no_token(running):
    async with httpx.AsyncClient(base_url=running.url) as http:
        await http.post("/api/auth.test", data={"token": "xoxb-right"})
    assert "xoxb-right" not in repr(running.workspace.traffic.all())


async def test_it_listens_on_loopback_only(clock):
    workspace = build_workspace(WorkspaceSettings(), clock=clock)
    with pytest.raises(ConfigError, match="loopback only"):
        await serve_workspace(workspace, host="0.0.0.0")


async def test_a_second_client_sees_the_same_workspace(running, slack):
    await slack.chat_postMessage(channel="C0SECOPS", text="x")
    other = AsyncWebClient("xoxb-right", base_url=f"{running.url}/api/")
    assert len((await other.conversations_history(channel="C0SECOPS"))["messages"]) == 1
