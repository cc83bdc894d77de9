"""A restart keeps the messages."""

from __future__ import annotations

import pytest

from bot.demo.workspace import WorkspaceSettings, build_workspace, serve_workspace
from bot.errors import ConfigError


async def test_a_restart_keeps_messages_and_never_repeats_a_ts(tmp_path, clock):
    settings = WorkspaceSettings(state_path=tmp_path / "demo" / "workspace.json")
    first = await serve_workspace(build_workspace(settings, clock=clock))
    said = first.workspace.act.say("U0ANA", "C0SECOPS", "still here")
    first.workspace.act.say("U0BO", first.workspace.state.direct("U0BO").id, "to the bot")
    await first.stop()
    second = build_workspace(settings, clock=clock)
    assert [(m.text, m.ts) for m in second.messages("C0SECOPS")] == [("still here", said.ts)]
    assert second.messages("D0BO")[0].text == "to the bot"
    assert float(second.state.next_ts()) > float(second.messages("D0BO")[0].ts)


def test_a_broken_file_is_named(tmp_path, clock):
    path = tmp_path / "workspace.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match=r"workspace\.json cannot be read .* delete the file"):
        build_workspace(WorkspaceSettings(state_path=path), clock=clock)
