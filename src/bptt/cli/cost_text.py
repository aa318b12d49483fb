"""The page that `bptt cost` prints: sections of at most 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from bptt.analysis.cost import Cost, Part
from bptt.analysis.operations import Work, total
from bptt.analysis.polynomial import Monomial, Polynomial
from bptt.autodiff.through_time import cotangent_name
from bptt.cli.columns import WIDTH, table, wrap_formula
from bptt.cli.cost_report import Measured, PartTime, Report


def page(report: Report, measured: Measured | None) -> str:
    sections = [
        _heading(report),
        _parts("forward", report.cost.forward, report, report.numbers.forward),
        _parts("backward", _grouped(report.cost), report, report.numbers.backward),
        _totals(report),
        _largest_term(report),
        _majorities(report),
        _memory(report),
        _moved(report),
        _intensity(report),
        _times(measured, report) if measured else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines)


def bytes_of(number: float) -> str:
    if number < 1000:
        return f"{number:.0f} B"
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5:
            return f"{number:.3g} {unit}"
    return f"{number / 1000:.3g} TB"


def _heading(report: Report) -> list[str]:
    sizes = ", ".join(f"{name} = {n}" for name, n in report.sizes.items())
    lines = _text(f"{report.cost.name}: operations per token, with {sizes}", "")
    if report.assumed:
        *first, last = [f"{name} = {report.sizes[name]}" for name in report.assumed]
        names = f"{', '.join(first)} and {last}" if first else last
        lines += _text(
            f"{names} {'is' if len(report.assumed) == 1 else 'are'} assumed; "
            f"--size {report.assumed[0]}=N says otherwise",
            "",
        )
    return lines


def _grouped(cost: Cost) -> list[Part]:
    """The parts of the backward pass, those of parameters that take the same work as one."""
    parameters = {cotangent_name(name) for name in cost.elements}
    groups: dict[object, list[Part]] = {}
    for part in cost.backward:
        alike = (part.work, part.once) if part.name in parameters else part.name
        groups.setdefault(alike, []).append(part)
    return [
        Part(" ".join(p.name for p in group), total(p.work for p in group), total(p.once for p in group))
        for group in groups.values()
    ]


def _parts(title: str, parts: Sequence[Part], report: Report, whole: int) -> list[str]:
    rows = [[title, "operations", "", "number", "share"]]
    for part in parts:
        number = part.work.operations.evaluate(report.sizes)
        order = part.work.steps.order() if part.work.steps else ""
        share = f"{100 * number / whole:.1f}%" if whole else ""
        once = part.once.operations
        formula = f"{once} once a step" if once and not part.work.steps else _formula(part.work)
        rows.append(["  " + part.name, formula, order, _rounded(number), share])
        if once and part.work.steps:
            rows.append(["", f"+ {once} once a step"])
    return table(rows, flexible=(1, 2, 0), right=(3, 4))


def _formula(work: Work) -> str:
    if not work.operations and work.copied:
        return f"0 (copies {work.copied})"
    return str(work.operations)


def _totals(report: Report) -> list[str]:
    cost, n = report.cost, report.numbers
    rows = [["in all", "operations", "", "number", "share"]]
    whole = n.forward + n.backward + n.once + n.update

    def row(name: str, formula: str, order: str, number: float) -> None:
        rows.append(["  " + name, formula, order, _rounded(number), f"{100 * number / whole:.1f}%"])

    for name, work, number in (
        ("forward", cost.forward_work, n.forward),
        ("backward", cost.backward_work, n.backward),
    ):
        row(name, str(work.operations), work.steps.order(), number)
    if cost.once.operations:
        row("once", f"{_factor(cost.once.operations)} / TB", "", n.once)
    row("update", f"{report.change.operations}·P / TB", "", n.update)
    row("together", "", "", whole)
    lines = table(rows, flexible=(1, 2), right=(3, 4))
    lines += _text(f"P = {cost.parameters} = {_rounded(n.parameters)} parameters")
    lines += _text(
        f"a training step is TB = {report.window}·{report.batch} = {report.tokens:,} tokens; "
        f"{report.optimizer} and the norm of the gradient take {report.change.operations} operations "
        f"a parameter and step, as many as forward and backward where TB = {_rounded(report.break_even)}"
    )
    for part in report.looked_up():
        name = part.name[1:]
        lines += _text(
            f"a token adds {part.work.operations} numbers to {part.name}, its own row; "
            f"the update changes all {cost.elements[name]} of {name}"
        )
    order = (cost.forward_work + cost.backward_work).steps.order_terms()
    lines += _text(
        f"over τ steps of one example τ times that: forward and backward O(τ·{_factor(order)}), "
        f"{_rounded(report.window * (n.forward + n.backward))} operations for τ = T = {report.window}"
    )
    return lines


def _largest_term(report: Report) -> list[str]:
    term = report.term
    if term is None:
        return []
    lines = ["which term is the largest, of forward and backward"]
    own = str(Polynomial({term.monomial: term.factor}))
    lines += _text(f"{own}: {100 * term.share:.1f}%, in {', '.join(report.holders())}")
    if term.conditions:
        lines += _text(f"larger than every other leading term where {_conditions(list(term.conditions))}")

    def named(monomial: Monomial) -> str:
        return str(Polynomial({monomial: report.cost.operations.factor(monomial)}))

    rows = [
        [f"    {size}", _stages([(start, named(m)) for start, m in ranges])]
        for size, ranges in term.ranges.items()
    ]
    return lines + ["  by size, the others held:", *table(rows, flexible=(1,), right=())]


def _conditions(conditions: list[object]) -> str:
    return " and ".join(map(str, conditions))


def _stages(ranges: Sequence[tuple[int, str]]) -> str:
    """`6·V up to 1, 6·V·h up to 10,000, then 6·h²`"""
    *before, (_, last) = ranges
    ends = [_rounded(start - 1) for start, _ in ranges[1:]]
    stages = [f"{name} up to {end}" for (_, name), end in zip(before, ends, strict=True)]
    return ", ".join([*stages, f"then {last}"]) if stages else f"always {last}"


def _majorities(report: Report) -> list[str]:
    lines = ["which equation takes more than all others together, of forward"]
    for m in report.majorities:
        assert m.condition is not None
        sides = [_rounded(side.evaluate(report.sizes)) for side in (m.condition.larger, m.condition.smaller)]
        lines += _text(
            f"{m.name}: {100 * m.share:.1f}%; in leading terms it does where {m.condition} "
            f"(here {sides[0]} and {sides[1]})"
        )
        rows = [[f"    {size}", _where(m.ranges[size])] for size in m.ranges]
        lines += ["  by size, the others held:", *table(rows, flexible=(1,), right=())] if rows else []
    return lines if report.majorities else []


def _where(ranges: Sequence[tuple[int, bool]]) -> str:
    """`from 191 on`, `up to 9,936`, `9 to 2,361`"""
    found = []
    for number, (start, holds) in enumerate(ranges):
        if not holds:
            continue
        if number + 1 == len(ranges):
            found.append("always" if start == 1 else f"from {_rounded(start)} on")
        else:
            end = _rounded(ranges[number + 1][0] - 1)
            found.append(f"up to {end}" if start == 1 else f"{_rounded(start)} to {end}")
    return ", ".join(found) or "never"


def _memory(report: Report) -> list[str]:
    memory, kept = report.numbers.memory, report.cost.kept
    rows = [
        [f"memory of a training step, {bytes_of(sum(memory.values()))}", "float32 numbers", "bytes"],
        ["  parameters", "P", bytes_of(memory["parameters"])],
        ["  their gradients", "P", bytes_of(memory["gradients"])],
        [f"  memory of {report.optimizer}", f"{report.change.slots}·P", bytes_of(memory["optimizer"])],
    ]
    terms = [("TB", kept.per_token), ("B", kept.per_example)]
    values = " + ".join(f"{times}·{_factor(numbers)}" for times, numbers in terms if numbers)
    rows.append(["  values between the loops", values or "0", bytes_of(memory["values"])])
    return table(rows, flexible=(1,), right=(2,))


def _moved(report: Report) -> list[str]:
    rows = [["moved, at least", "float32 numbers in a training step", "bytes a token"]]
    for part, traffic, number in report.moved():
        terms = [("TB·", traffic.per_token), ("T·", traffic.per_time_step), ("", traffic.per_run)]
        formula = " + ".join(times + (_factor(p) if times else str(p)) for times, p in terms if p)
        if part == "update":
            formula = f"{report.change.read + report.change.written}·P"
        rows.append(["  " + part, formula, bytes_of(number / report.tokens)])
    return table(rows, flexible=(1,), right=(2,)) + _text(
        "TB: what one block hands to another, for each token; T: the weights of a loop, for each time step; "
        "the rest: other weights, read once, and gradients, written once"
    )


def _intensity(report: Report) -> list[str]:
    rows = [["operations per byte", "T", "B", "operations", "bytes", "intensity"]]
    for i in report.intensities():
        tokens = i.window * i.batch
        operations, moved = _rounded(i.operations / tokens), bytes_of(i.bytes / tokens)
        rows.append(["  " + i.part, str(i.window), str(i.batch), operations, moved, f"{i.per_byte:.3g}"])
    return table(rows, flexible=(), right=(1, 2, 3, 4, 5))


def _times(measured: Measured, report: Report) -> list[str]:
    times = measured.times
    rows = [["measured on this machine", "operations", "time", "share", "Gflop/s"]]
    whole = measured.parts[-1].seconds
    rows += [_time(part, whole) for part in measured.parts]
    if measured.blocks:
        passes = sum(block.seconds for block in measured.blocks)
        rows += [["by block of `bptt show`"], *(_time(block, passes) for block in measured.blocks)]
    lines = table(rows, flexible=(), right=(1, 2, 3, 4))
    fewer = " (fewer than asked, to be quick)" if times.window * times.batch < report.tokens else ""
    return lines + _text(
        f"per token; {times.backend} backend, T = {times.window}, B = {times.batch}{fewer}, "
        f"medians of {times.runs} runs with random parameters and tokens"
    )


def _time(part: PartTime, whole: float) -> list[str]:
    gflops = "-" if part.gflops is None else f"{part.gflops:.3g}"
    share = f"{100 * part.seconds / whole:.1f}%" if whole else ""
    return ["  " + part.name, _rounded(part.operations), _seconds(part.seconds), share, gflops]


def _factor(p: Polynomial) -> str:
    """In brackets where it has several terms."""
    return f"({p})" if len(list(p.terms())) > 1 else str(p)


def _seconds(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 0.9995:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _rounded(number: float) -> str:
    """Whole from ten on, three digits below; as a power of ten where nobody would count the digits."""
    if number >= 1e12:
        return f"{float(number):.4g}"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.3g}"


def _text(text: str, indent: str = "  ") -> list[str]:
    return [indent + line for line in wrap_formula(text, WIDTH - len(indent))]
