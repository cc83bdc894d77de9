"""A local Slack workspace: the Web API, what Slack sends to a bot, and a page to look at and click."""

from bot.demo.workspace.page.detection import DemoControls, DetectionClock
from bot.demo.workspace.serving import RunningWorkspace, serve_workspace
from bot.demo.workspace.settings import WorkspaceSettings
from bot.demo.workspace.workspace import Workspace, build_workspace

__all__ = [
    "DemoControls",
    "DetectionClock",
    "RunningWorkspace",
    "Workspace",
    "WorkspaceSettings",
    "build_workspace",
    "serve_workspace",
]
