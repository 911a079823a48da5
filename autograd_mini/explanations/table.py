"""The table of derivatives, printed from the rules of the primitives themselves."""

from __future__ import annotations

from autograd_mini.engine.primitives import PRIMITIVES, Primitive
from autograd_mini.explanations.local import application, local_name, textbook
from autograd_mini.formulas import expression as text
from autograd_mini.formulas.expression import Style
from autograd_mini.formulas.letters import portable


def derivative_table(style: str = "text") -> str:
    """Return the table of all operations with their local derivatives in textbook form, printed from the rules.

    Parameters
    ----------
    style : {"text", "markdown", "latex"}
        How to print it. An n-ary operation is shown for three operands; y is the operation's own value.

    Raises
    ------
    ValueError
        For any other style.

    Examples
    --------
    >>> print(derivative_table().splitlines()[3])
    div          y = a/b                                  ∂(a/b)/∂a = 1/b,  ∂(a/b)/∂b = -a/b²
    """
    if style not in ("text", "markdown", "latex"):
        raise ValueError(f"expected style 'text', 'markdown' or 'latex', got {style!r}")
    rows = [_table_row(primitive, "text" if style == "text" else "latex") for primitive in PRIMITIVES.values()]
    if style == "text":
        return "\n".join(f"{name:<12} {value:<40} {',  '.join(found)}" for name, value, found in rows)
    columns = [(name, value, ",\\quad ".join(found)) for name, value, found in rows]
    if style == "markdown":
        lines = [f"| `{name}` | ${value}$ | ${found}$ |" for name, value, found in columns]
        return "\n".join(["| operation | value | local derivatives |", "|---|---|---|", *lines])
    body = " \\\\\n".join(f"{text.latex_text(name)} & {value} & {found}" for name, value, found in columns)
    return portable(f"\\begin{{array}}{{lll}}\n{body}\n\\end{{array}}")


def _table_row(primitive: Primitive, style: Style) -> tuple[str, str, list[str]]:
    """Return the name of an operation, its formula and its local derivatives."""
    names = _operand_names(primitive)
    symbols = [text.symbol(name) for name in names]
    out = text.symbol("y")
    try:
        value: text.Expression = primitive.forward(text, *symbols)
        if primitive.name == "where":
            value = application(primitive, symbols)  # as it is written everywhere, not as a comparison with 0
    except (TypeError, ValueError):  # a user's own, whose rules take nothing but numbers
        value = text.call(primitive.name, *symbols)
    forms = [(slot, textbook(primitive, symbols, out, slot)) for slot in range(len(symbols))]
    found = [
        text.equation([local_name(primitive, symbols, slot), form], style) for slot, form in forms if form is not None
    ]
    return primitive.name, text.equation([out, value], style), found


def _operand_names(primitive: Primitive) -> list[str]:
    import inspect  # slow to import, and needed for the table alone

    parameters = list(inspect.signature(primitive.forward).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return ["x1", "x2", "x3"]
    return [parameter.name for parameter in parameters]
