"""Usage: what Typer says of a badly written command, and the headings of its help, in French."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer import rich_utils
from typer.core import TyperCommand, TyperGroup

from mobigo.texts import text


def speak_french() -> None:
    """Give Typer's help our headings."""
    rich_utils.OPTIONS_PANEL_TITLE = text("cli.help_page.options")
    rich_utils.ARGUMENTS_PANEL_TITLE = text("cli.help_page.arguments")
    rich_utils.COMMANDS_PANEL_TITLE = text("cli.help_page.commands")
    rich_utils.DEFAULT_STRING = text("cli.help_page.default", value="{}")
    rich_utils.REQUIRED_LONG_STRING = text("cli.help_page.required")
    for kind in (TyperCommand, TyperGroup):
        setattr(kind, "get_help_option", _worded(kind.get_help_option))  # noqa: B010  a method that mypy keeps


def _worded(get: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The option --help of a command with our words: Typer writes its own out in its code."""

    def get_help_option(command: Any, context: Any) -> Any:
        option = get(command, context)
        if option is not None:
            option.help = text("cli.help_page.help")
        return option

    return get_help_option


def find_sentence(error: typer.TyperException) -> str | None:
    """What is wrong with the command and what to do; None when nothing is: its help was shown."""
    said = _said(error)
    return text("cli.usage", message=said) if said else None


def _said(error: typer.TyperException) -> str:
    hint = getattr(error, "param_hint", None) or _name(getattr(error, "param", None))
    match type(error).__name__:  # Typer makes these classes private
        case "NoArgsIsHelpError":
            return ""
        case "MissingParameter":
            return text("cli.usage_missing", name=hint)
        case "NoSuchOption":
            return text("cli.usage_unknown_option", name=str(getattr(error, "option_name", "")))
        case "NoSuchCommand":
            return text("cli.usage_unknown_command", name=str(getattr(error, "command_name", "")))
        case "BadParameter" if getattr(error, "param", None) is None:
            return text("cli.usage_bad", name=hint, message=str(error))  # one of ours: its message is French
        case "BadParameter":
            return text("cli.usage_bad_value", name=hint)
        case _ if str(error).startswith("No such command"):
            return text("cli.usage_unknown_command", name=str(error).split("'")[1])
        case _:
            return str(error)


def _name(parameter: object) -> str:
    """A parameter as it is typed: `--port`, `FROM`."""
    options = [option for option in getattr(parameter, "opts", ()) if option.startswith("-")]
    return options[0] if options else str(getattr(parameter, "metavar", None) or getattr(parameter, "name", None) or "")
