"""Jinja2 as our templates may use it: sandboxed, strict, and never writing a value into the text itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateNotFound, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

from bot.errors import TemplateError
from bot.render import fragments, tree

_VALUES = "the values of this render"  # no template can spell this name
_PLAIN_FILTERS = (
    "abs attr batch capitalize count default dictsort first float groupby int last length list lower map max min "
    "reject rejectattr replace reverse round select selectattr slice sort sum title trim unique upper"
)
_OURS: Mapping[str, Any] = MappingProxyType(
    {
        "ago": fragments.ago,
        "bar": fragments.bar,
        "bold": fragments.bold,
        "code": fragments.code,
        "cut": fragments.cut,
        "join": fragments.join,
        "json": fragments.json_literal,
        "link": fragments.link,
        "plural": fragments.plural,
        "user": fragments.user,
        "when": fragments.when,
    }
)
_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Include, nodes.Assign, nodes.With),
    *(nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Call, nodes.Filter),
    *(nodes.Test, nodes.Compare, nodes.Operand, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat),
    *(nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword),
)
_TAGS = {
    "AssignBlock": "a set block",
    "Block": "block",
    "CallBlock": "call",
    "Extends": "extends",
    "FilterBlock": "a filter block",
    "FromImport": "import",
    "Import": "import",
    "Macro": "macro",
    "ScopedEvalContextModifier": "autoescape",
}


class TemplateFault(TemplateError):
    """A template that cannot be used. `line` counts from 1 and is 0 when unknown."""

    def __init__(self, template: str, line: int, sentence: str) -> None:
        self.template, self.line, self.sentence = template, line, sentence
        super().__init__(f"{template}:{line}: {sentence}" if line else f"{template}: {sentence}")


@pass_context
def _keep_value(context: Context, value: Any) -> str:
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined says here which name is missing
    if callable(value):
        raise TypeError("a function stands where a value should: call it")
    kept: list[fragments.Fragment] = context[_VALUES]
    return tree.token(kept, fragments.fragment_of(value))


class _CheckedEnvironment(ImmutableSandboxedEnvironment):
    """Refuses, while parsing, whatever could move a value into the text or its structure."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if found := re.search(r"[\ue000\ue001]|\\u[eE]00[01]", source):
            line = source.count("\n", 0, found.start()) + 1
            raise TemplateSyntaxError("the characters U+E000 and U+E001 are reserved", line, name, filename)
        parsed = super()._parse(source, name, filename)
        for node in parsed.find_all(nodes.Node):
            if sentence := _refusal(node):
                raise TemplateSyntaxError(sentence, node.lineno, name, filename)
        return parsed


def _refusal(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Filter) and node.name not in _filters():
        return f"there is no filter `{node.name}` here: choose from {', '.join(sorted(_filters()))}"
    if isinstance(node, nodes.Include) and not (isinstance(node.template, nodes.Const) and node.with_context):
        return "an include names its template in quotes and keeps its context"
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not allowed here"
    if isinstance(node, _ALLOWED) or not isinstance(node, (nodes.Stmt, nodes.Expr)):
        return None
    name = type(node).__name__
    return f"{_TAGS.get(name, name.lower())} is not allowed here: values could escape their encoding"


def _filters() -> dict[str, Any]:
    return {name: FILTERS[name] for name in _PLAIN_FILTERS.split()} | dict(_OURS)


class Templates:
    """Templates by name from `folders`, the first that has one wins. Each is compiled once and never reloaded."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._environment = _CheckedEnvironment(
            loader=FileSystemLoader([str(folder) for folder in folders]),
            undefined=StrictUndefined,
            autoescape=False,
            finalize=_keep_value,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.filters = _filters()
        self._environment.globals = {"range": self._environment.globals["range"], **_OURS}

    def names(self, suffix: str) -> list[str]:
        """Every template whose name ends with `suffix`, partial ones (leading underscore) too."""
        return self._environment.list_templates(filter_func=lambda name: name.endswith(suffix))

    def faults(self, names: Iterable[str]) -> list[TemplateFault]:
        """What `load` refuses among `names`."""
        found = []
        for name in names:
            try:
                self.load(name)
            except TemplateFault as fault:
                found.append(fault)
        return found

    def load(self, name: str) -> Template:
        """The compiled template. Raises TemplateFault when there is none or it breaks a rule."""
        try:
            return self._environment.get_template(name)
        except TemplateSyntaxError as error:
            raise TemplateFault(error.name or name, error.lineno, error.message or "cannot be read") from error
        except TemplateNotFound as error:
            places = ", ".join(str(folder) for folder in self._folders)
            raise TemplateFault(str(error.name or name), 0, f"there is no such template in {places}") from error
        except UnicodeDecodeError as error:
            raise TemplateFault(name, 0, "the file is not UTF-8 text") from error

    def tree(self, name: str, values: Mapping[str, Any]) -> Any:
        """Render and parse: JSON with Text where values stand. Raises TemplateFault."""
        if hidden := sorted(set(values) & set(self._environment.globals)):
            raise TemplateFault(name, 0, f"the value `{hidden[0]}` would hide the function of that name")
        template, kept = self.load(name), list[fragments.Fragment]()
        try:
            return tree.parse(template.render({**values, _VALUES: kept}), kept)
        except tree.BadTree as error:
            line = f" (line {error.line} of the result)" if error.line else ""
            raise TemplateFault(name, 0, error.sentence + line) from error
        except TemplateSyntaxError as error:  # an included template
            raise TemplateFault(error.name or name, error.lineno, error.message or "cannot be read") from error
        except (
            JinjaError,
            TypeError,
            ValueError,
            ArithmeticError,
            LookupError,
            AttributeError,
            RecursionError,
        ) as error:
            place, line_number = self._where(error, name)
            raise TemplateFault(place, line_number, str(error) or type(error).__name__) from error

    def _where(self, error: BaseException, name: str) -> tuple[str, int]:
        found, trace = (name, 0), error.__traceback__
        while trace is not None:
            path = Path(trace.tb_frame.f_code.co_filename)
            for folder in self._folders:
                if path.is_relative_to(folder):
                    found = (path.relative_to(folder).as_posix(), trace.tb_lineno)
            trace = trace.tb_next
        return found
