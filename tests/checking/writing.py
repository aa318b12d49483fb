"""Formulas as they were written, to LaTeX again: what is read from it is the same tree."""

from __future__ import annotations

from bptt.checking.written import (
    At,
    Big,
    Bracketed,
    Call,
    Chain,
    Differential,
    Fraction,
    Letter,
    Listed,
    Numeral,
    Scripts,
    Terms,
    Written,
)

GREEK = frozenset({"alpha", "delta", "gamma", "sigma", "tau", "theta", "top", "Sigma"})
FUNCTIONS = frozenset({"exp", "log", "tanh", "softmax", "diag"})
SIGNS = {"": " ", "∘": r" \odot ", "·": r" \cdot ", "×": r" \times ", "*": " * ", "/": " / "}
CLOSING = {"(": ")", "[": "]"}


def latex(node: Written) -> str:
    match node:
        case Letter(name=name, scripts=scripts):
            return _name(name) + _scripts(scripts)
        case Numeral(value=value, scripts=scripts):
            return f"{value:g}" + _scripts(scripts)
        case Bracketed(inner=inner, scripts=scripts, kind=kind):
            return kind + latex(inner) + CLOSING[kind] + _scripts(scripts)
        case Chain(factors, signs):
            between = [SIGNS[sign] for sign in signs]
            return "".join(a + b for a, b in zip(map(latex, factors), (*between, ""), strict=True))
        case Terms(terms, signs):
            said = " ".join(f"{sign} {latex(term)}" for term, sign in zip(terms, signs, strict=True))
            return said.removeprefix("+ ")
        case Fraction(top, bottom, scripts=scripts):
            return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}" + _scripts(scripts)
        case Differential(top=top, bottom=bottom, operand=None) if top is not None:
            return rf"\frac{{\partial {latex(top)}}}{{\partial {latex(bottom)}}}"
        case At(inner=inner, where=where):
            return rf"\left. {latex(inner)} \right|_{{{', '.join(map(latex, where))}}}"
        case Big(sign="Σ", below=below, above=(), body=body):
            return rf"\sum_{{{', '.join(map(latex, below))}}} {latex(body)}"
        case Call(function=function, arguments=arguments, scripts=scripts):
            return f"{latex(function)}({', '.join(map(latex, arguments))})" + _scripts(scripts)
        case Listed(items):
            return ", ".join(map(latex, items))
    raise ValueError(f"no LaTeX for {node!r}")


def _name(name: str) -> str:
    if name.endswith("hat") and len(name) > 3:
        return rf"\hat{{{_name(name.removesuffix('hat'))}}}"
    if name in GREEK:
        return "\\" + name
    return rf"\mathrm{{{name}}}" if name in FUNCTIONS else name


def _scripts(scripts: Scripts) -> str:
    above = "".join(map(latex, scripts.above))
    text = "'" * scripts.primes
    text += f"_{{{','.join(map(latex, scripts.below))}}}" if scripts.below else ""
    return text + (f"^{{{above}}}" if above else "")
