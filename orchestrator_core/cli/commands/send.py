"""`tmorch send`: one message for one agent, and its receipt."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from typing import TYPE_CHECKING

from orchestrator_core.cli.adoption import adopted
from orchestrator_core.cli.caller import agent_around, sender_of
from orchestrator_core.cli.context import Context
from orchestrator_core.cli.parsing import add_json, seconds
from orchestrator_core.cli.receipt import exit_code, show_receipt
from orchestrator_core.cli.targets import one_agent
from orchestrator_core.cli.text import readable
from orchestrator_core.errors import ExitCode, NotFoundError, TmorchError
from orchestrator_core.models.message import DeliveryMode, MessageKind
from orchestrator_core.models.target import resolve
from orchestrator_core.store.admission import limits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator_core.models.agent import Agent
    from orchestrator_core.models.message import AgentMessage
    from orchestrator_core.store.quick import QuickStore

HELP = """\
Send a message to one agent. It waits in the outbox until the agent's prompt
is free, and is delivered exactly once: never into a shell, a dialog or
somebody's unsent draft. The receipt says `delivered` when the prompt took it
and `acknowledged` when the agent itself said so; both exit with 0.

TARGET is an agent id (shop-3f2a:developer), a role, a tmux session:window, or
a pane id (%12); names match exactly. A `claude` that you started by hand is
adopted when you name its window. TEXT is one argument; "-" reads it from
stdin. A text that starts with "-" goes after "--".
"""
TOO_MANY = 'put the text in quotes: tmorch send developer "run the tests again"'
LOOK_S = 0.015
"""How often the receipt is looked at while it is waited for."""
SERVER_LOOK_S = 0.25
"""How often meanwhile it is checked that the agent's tmux server is there; a look at its socket."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare its arguments."""
    parser.add_argument("target", metavar="TARGET", help="the agent")
    parser.add_argument("text", metavar="TEXT", help='the message, or "-" for stdin')
    parser.add_argument("--now", action="store_true", help="while the agent works, into its own queue")
    parser.add_argument("--from", dest="sender", metavar="NAME", help="who it is from, for display; not for agents")
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument(
        "--wait",
        type=seconds,
        metavar="SECONDS",
        help="wait until it is delivered or acknowledged; exit 5 when that takes longer",
    )
    waiting.add_argument("--no-wait", action="store_true", help="return as soon as it is in the outbox")
    add_json(parser, "the receipt")


def run(args: argparse.Namespace, context: Context) -> ExitCode:
    """Put the message into the outbox, wait for what becomes of it, and print the receipt.

    Raises:
        NotFoundError: the target names nothing, or more than one agent.
        RefusedError: the text is empty, or the caller is an agent that does not write to this one.
        UsageError: the text is not readable as text.

    """
    # argparse takes `-- --` for two separators
    text = readable(args.text if isinstance(args.text, str) else "--", context)
    if not context.has_store():
        _adopted(context, args.target, lambda: resolve(args.target, ()))
    with closing(context.quick_store()) as store:
        caller = agent_around(context, store)
        target = _target(context, args.target, store, caller)
        sender = sender_of(args.sender, caller)
        mode = DeliveryMode.NOW if args.now else DeliveryMode.WHEN_IDLE
        message = _queue(context, store, target, sender, text, mode)
        server = store.orchestration_server(target)
        is_duplicate = message.state.is_final
        if not is_duplicate:
            patience = _patience(args, context)
            message = _await_receipt(store, message, patience, lambda: context.is_listening(server))
    gone = not is_duplicate and not context.is_listening(server)
    show_receipt(context, message, target, server_gone=gone)
    return exit_code(message, server_gone=gone, must_be_delivered=args.wait is not None)


def _target(context: Context, name: str, store: QuickStore, caller: Agent | None) -> Agent:
    """Return the agent that `name` means. A person may name the window of one that they started by hand."""

    def known() -> Agent:
        return one_agent(context, name, store.agents(), store.orchestration_server, caller)

    return known() if caller is not None else _adopted(context, name, known)


def _adopted(context: Context, name: str, known: Callable[[], Agent]) -> Agent:
    """Return the agent that is `known`; when there is none, but an agent runs in that window, adopt it.

    Raises:
        NotFoundError: `name` names nothing, or more than one agent.
        RefusedError: no agent runs in the window (code `not-an-agent`).

    """
    try:
        return known()
    except NotFoundError as unknown:
        return adopted(context, name, unknown)


def _queue(
    context: Context, store: QuickStore, target: Agent, sender: str, text: str, mode: DeliveryMode
) -> AgentMessage:
    message = store.add_message(
        target=target.id,
        sender=sender,
        text=text,
        mode=mode,
        kind=MessageKind.TEXT,
        at=time.time(),
        limits=limits_of(context.settings.messages),
    )
    if not message.state.is_final:
        _wake_supervisor(context)
    return message


def _wake_supervisor(context: Context) -> None:
    try:
        context.ensure_supervisor()
    except (TmorchError, OSError) as error:
        # The message is in the outbox: the receipt must still be shown, and whoever starts the supervisor sends it.
        context.note.warn(f"the supervisor could not be started: {error}; tmorch supervisor start says more")


def _patience(args: argparse.Namespace, context: Context) -> float:
    """Return for how many seconds the receipt is waited for."""
    if args.no_wait:
        return 0.0
    return args.wait if args.wait is not None else context.settings.messages.wait_s


def _await_receipt(
    store: QuickStore, message: AgentMessage, patience: float, is_listening: Callable[[], bool]
) -> AgentMessage:
    """Return the message once it is settled, the time is up, or the agent's tmux server is gone."""
    deadline = time.monotonic() + patience
    while not message.state.is_final and time.monotonic() < deadline and is_listening():
        version = store.data_version()
        message = store.message(message.id)
        pause = min(deadline, time.monotonic() + SERVER_LOOK_S)
        while not message.state.is_final and store.data_version() == version and time.monotonic() < pause:
            time.sleep(LOOK_S)
    return store.message(message.id) if patience else message
