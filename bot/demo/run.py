"""`tocsin demo`: the bot as `serve` runs it, a local Slack workspace, sample logs and an AbuseIPDB sandbox.

The bot is a process of its own and knows nothing of the demo: what it is given is what a real deployment gives it, in
its environment and in a `tocsin.toml`. Everything lives in one folder; started again, the demo goes on where it was.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.demo.logs import write_day
from bot.errors import ConfigError
from bot.services.ports import Clock

_POLICY = """\
# Written by `tocsin demo`. docs/reference/policy.md explains every key.
[channels]
default = "C0SECOPS"
approvals = "C0APPROVE"

[roles.analyst]
groups = ["S0ANALYST"]

[roles.approver]
groups = ["S0APPROVER"]

[protected]
networks = ["198.51.100.128/25"]

[reputation]
# The demo's addresses are from the ranges kept for documentation, which are not public.
known_addresses = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"]

[detection]
# Also look into the running hour, so that what you simulate is found within seconds.
look_every = "10s"
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo listens, on loopback."""

    bot: int = 8000
    page: int = 8080


@dataclass(frozen=True, slots=True)
class Secrets:
    """The demo's own secrets: made once, kept in its folder."""

    bot_token: SecretStr
    signing_secret: SecretStr
    feed_token: SecretStr
    audit_key: SecretStr


async def run_demo(
    folder: Path, ports: Ports, *, clock: Clock, environ: Mapping[str, str], say: Callable[[str], None]
) -> int:
    """Run until Ctrl-C. Answers the bot's exit code."""
    _refuse_taken(ports.bot, "--bot-port")
    _refuse_taken(ports.page, "--page-port")
    kept = await asyncio.to_thread(_furnish, folder, clock)
    sandbox = None if environ.get("ABUSEIPDB_API_KEY") else _listener()
    env = bot_environment(folder, ports, kept, _abuseipdb(sandbox, environ), environ)
    # The bot starts first: it loads while this process loads what stands beside it.
    bot = await _start_bot(env)
    try:
        # Imported here, so that the bot is on its way before this process loads them.
        from bot.demo.beside import beside_the_bot

        async with beside_the_bot(folder, ports, kept, env, clock, sandbox) as url:
            say(f"The workspace is at {url}")
            say(f"The blocklist is at http://127.0.0.1:{ports.bot}/blocklist.txt (token: {folder}/secrets.json)")
            return await bot.wait()
    finally:
        if bot.returncode is None:
            bot.terminate()
            await bot.wait()


def bot_environment(
    folder: Path, ports: Ports, kept: Secrets, abuseipdb: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """What the bot is given: nothing but settings that every deployment has."""
    passed = {name: environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in environ}
    return passed | {
        "DATABASE_URL": f"sqlite:///{(folder / 'tocsin.db').resolve()}",
        "SLACK_BOT_TOKEN": kept.bot_token.get_secret_value(),
        "SLACK_SIGNING_SECRET": kept.signing_secret.get_secret_value(),
        "SLACK_API_URL": f"http://127.0.0.1:{ports.page}/api/",
        "LOGS_PATH": str((folder / "logs").resolve()),
        "TOCSIN_CONFIG": str((folder / "tocsin.toml").resolve()),
        "BLOCKLIST_TOKENS": f"firewall:{kept.feed_token.get_secret_value()}",
        "AUDIT_KEY": kept.audit_key.get_secret_value(),
        "HOST": "127.0.0.1",
        "PORT": str(ports.bot),
        **{name: environ[name] for name in ("RULES_PATH", "TEMPLATES_PATH", "LOG_LEVEL") if environ.get(name)},
        **abuseipdb,
    }


def _furnish(folder: Path, clock: Clock) -> Secrets:
    """The folder with everything that the demo needs; what is there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "logs" / "AzureDiagnostics.jsonl").exists():
        write_day(folder / "logs", until=clock.now())
    (folder / "tocsin.toml").write_text(_POLICY, encoding="utf-8")
    return _secrets(folder / "secrets.json")


def _secrets(path: Path) -> Secrets:
    if not path.exists():
        made = {
            "bot_token": "xoxb-" + secrets.token_hex(12),
            "signing_secret": secrets.token_hex(16),
            "feed_token": secrets.token_urlsafe(24),
            "audit_key": secrets.token_urlsafe(32),
        }
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file, indent=2)
    return Secrets(**{name: SecretStr(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items()})


def _listener() -> socket.socket:
    """A free port of this machine, held from now on."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


def _abuseipdb(sandbox: socket.socket | None, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings of AbuseIPDB: the sandbox, or the real one when the environment has a key for it."""
    if sandbox is not None:
        port = sandbox.getsockname()[1]
        return {"ABUSEIPDB_API_KEY": "sandbox", "ABUSEIPDB_URL": f"http://127.0.0.1:{port}/api/v2/"}
    return {name: environ[name] for name in ("ABUSEIPDB_API_KEY", "ABUSEIPDB_URL") if environ.get(name)}


async def _start_bot(env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start the bot; a signal to stop reaches it once, however it was sent."""
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "serve", env=env, start_new_session=True
    )

    def stop() -> None:
        if bot.returncode is None:
            bot.terminate()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return bot


def _refuse_taken(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            mistake = f"Port {port} on 127.0.0.1 is taken: stop what runs there, or use {option}"
            raise ConfigError([mistake]) from taken
