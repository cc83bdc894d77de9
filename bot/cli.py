"""`tocsin`: the command line.

Exit codes: 0 fine, 1 the answer is no, 2 wrong use. What a program reads (`--json`) goes to standard output, everything
else to standard error.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from bot.errors import ConfigError, TocsinError

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The bot between Microsoft Sentinel and Slack. Settings come from the environment and from tocsin.toml.",
)
rules_app = typer.Typer(no_args_is_help=True, help="The detections.")
incidents_app = typer.Typer(no_args_is_help=True, help="The incidents.")
db_app = typer.Typer(no_args_is_help=True, help="The database.")
app.add_typer(rules_app, name="rules")
app.add_typer(incidents_app, name="incidents")
app.add_typer(db_app, name="db")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def main() -> None:
    """The entry point. Known errors are a sentence on standard error; unknown ones carry their trace."""
    try:
        app()
    except ConfigError as wrong:
        typer.echo(str(wrong), err=True)
        sys.exit(2)
    except TocsinError as failed:
        typer.echo(str(failed), err=True)
        sys.exit(1)


@app.command(epilog="Example: tocsin serve")
def serve() -> None:
    """Run the bot until Ctrl-C."""
    from bot.app import SystemClock
    from bot.commands import configured
    from bot.config import require_for_serve
    from bot.log import Redactor, configure
    from bot.serve import serve as run

    settings, policy = configured(os.environ)
    require_for_serve(settings)
    # A terminal is read by people, everything else by programs.
    configure(settings.log_level, json=not sys.stderr.isatty(), redactor=Redactor(settings.secrets()))
    _run(lambda: run(settings, policy, SystemClock()))


@app.command(epilog="Example: tocsin demo --folder demo-data")
def demo(
    folder: Annotated[Path, typer.Option(help="Where the demo keeps everything.")] = Path("demo-data"),
    bot_port: Annotated[int, typer.Option(help="Where the bot listens.")] = 8000,
    page_port: Annotated[int, typer.Option(help="Where the workspace's page is.")] = 8080,
) -> None:
    """Run the bot beside a local Slack workspace with sample logs. Needs no account and no network."""
    from bot.app import SystemClock
    from bot.demo.run import Ports, run_demo

    ports = Ports(bot_port, page_port)
    code = _run(lambda: run_demo(folder, ports, clock=SystemClock(), environ=os.environ, say=_say))
    raise typer.Exit(code)


@app.command(epilog="Example: tocsin ipcheck 203.0.113.7")
def ipcheck(
    address: Annotated[str, typer.Argument(help="An IPv4 or IPv6 address, defanged or not.")],
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the provider even if the answer is known.")] = False,
    as_json: Json = False,
) -> None:
    """Look up an address. Exits with 1 when nothing could be learnt."""
    from bot.commands import check_address

    found = _run(lambda: check_address(os.environ, address, fresh=fresh))
    _print(found, as_json)
    raise typer.Exit(0 if found["known"] else 1)


@rules_app.command("list", epilog="Example: tocsin rules list --json")
def rules_list(as_json: Json = False) -> None:
    """Every rule with its schedule and how far it is. Exits with 1 when a rule file cannot be used."""
    from bot.commands import list_rules

    rules, problems = _run(lambda: list_rules(os.environ))
    if as_json:
        _print(rules, as_json=True)
    else:
        _table(rules, ("name", "frequency", "mode", "last_run", "next_run", "problem", "id"))
    for problem in problems:
        typer.echo(problem, err=True)
    raise typer.Exit(1 if problems else 0)


@rules_app.command("run", epilog="Example: tocsin rules run 247a992b-f36d-4efe-baa6-c77d8b9220c0")
def rules_run(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="The rule's id: see `tocsin rules list`.")],
    as_json: Json = False,
) -> None:
    """Evaluate a rule up to this moment, through the engine, and post what is new."""
    from bot.commands import run_rule

    _print(_run(lambda: run_rule(os.environ, rule_id)), as_json)


@incidents_app.command("list", epilog="Example: tocsin incidents list --open")
def incidents_list(
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not closed.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """The newest incidents."""
    from bot.commands import list_incidents

    found = _run(lambda: list_incidents(os.environ, open_only=open_only, limit=limit))
    if as_json:
        _print(found, as_json=True)
    else:
        _table(found, ("id", "severity", "state", "title", "who", "place", "events", "last_seen", "owner"))


@incidents_app.command("show", epilog="Example: tocsin incidents show INC-7F3K2QX9AB")
def incidents_show(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="The incident's id, as on its card.")],
    as_json: Json = False,
) -> None:
    """One incident with its events, addresses and timeline: every decision and delivery."""
    from bot.commands import show_incident

    _print(_run(lambda: show_incident(os.environ, incident_id)), as_json)


@db_app.command("upgrade", epilog="Example: tocsin db upgrade")
def db_upgrade() -> None:
    """Bring the database's tables up to this release. Safe to run again."""
    from bot.app import ready_tables
    from bot.commands import configured

    settings, _ = configured(os.environ)
    done = ready_tables(settings)
    _say(f"Upgraded: {', '.join(done)}." if done else "The tables are up to date.")


def _run(work: Callable[[], Awaitable[T]]) -> T:
    """Run to the end in a loop of its own; uvloop's where there is one."""

    async def whole() -> T:
        return await work()

    try:
        import uvloop
    except ImportError:
        return asyncio.run(whole())
    return uvloop.run(whole())


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _print(value: Any, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(value, indent=2, default=str))
        return
    for name, part in value.items():
        _section(name, part)


def _section(name: str, part: Any) -> None:
    label = name.replace("_", " ")
    if isinstance(part, list) and part and isinstance(part[0], dict):
        typer.echo(f"\n{label}:")
        _table(part, tuple(part[0]))
    elif isinstance(part, list):
        typer.echo(f"{label}: {', '.join(map(_cell, part)) or '-'}")
    else:
        typer.echo(f"{label}: {_cell(part)}")


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    Console().print(table)


def _cell(value: Any) -> str:
    """A value on one line. What strangers wrote must not move the cursor or colour the screen."""
    text = "-" if value is None or value == "" else str(value)
    return "".join(sign if sign.isprintable() else "�" for sign in text)


if __name__ == "__main__":
    main()
