"""Programs with a fault put in on purpose: the verifier names the pass, the block and the fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bptt.backends import build_program
from bptt.ir import build
from bptt.ir.program import Block, Carry, Kind, Program
from bptt.ir.verify import VerificationError, verify
from bptt.passes.forward import GOALS
from cells import MODELS
from expressions import H, K, V

GOOD = build_program(MODELS["elman"], "train", resets=True)
GOOD_E = dict(GOOD.blocks[0].outputs)["e"].shape
BEFORE, LOOP, BETWEEN, BACK, AFTER = range(5)
w, keep = build.given("weight"), build.given("keep")
h = build.carry("h", (H,))


def changed(number: int, **fields: object) -> Program:
    blocks = list(GOOD.blocks)
    blocks[number] = replace(blocks[number], **fields)
    return replace(GOOD, blocks=tuple(blocks))


def with_block(block: Block, at: int = 5) -> Program:
    return replace(GOOD, blocks=(*GOOD.blocks[:at], block, *GOOD.blocks[at:]))


def carry_of(number: int) -> Carry:
    return GOOD.blocks[number].carries[0]


def more_outputs(number: int, *outputs: tuple[str, object]) -> Program:
    return changed(number, outputs=(*GOOD.blocks[number].outputs, *outputs))


def more_sums(number: int, *sums: tuple[str, object]) -> Program:
    return changed(number, sums=(*GOOD.blocks[number].sums, *sums))


# A program with one fault, the number and kind of its block, and the message.
FAULTS: dict[str, tuple[Callable[[], Program], str, str]] = {
    "carry of the wrong shape": (
        lambda: changed(LOOP, carries=(replace(carry_of(LOOP), update=w),)),
        "block 1 (scan",
        r"carry 'h' is \(h\), not INPUT",
    ),
    "carry twice": (
        lambda: changed(LOOP, carries=(carry_of(LOOP), carry_of(LOOP))),
        "block 1 (scan",
        "carry 'h' is defined twice",
    ),
    "carry of another loop once more": (
        lambda: changed(BACK, carries=(*GOOD.blocks[BACK].carries, carry_of(LOOP))),
        "block 3 (scan",
        "carry 'h' is defined twice",
    ),
    "carry in a map": (
        lambda: changed(BETWEEN, carries=(Carry("c", (), w),)),
        "block 2 (map",
        "only a scan carries values",
    ),
    "carry read before its loop": (
        lambda: more_outputs(BEFORE, ("early", h)),
        "block 0 (map",
        r"CARRY\('h'\)\(h\) is read but None",
    ),
    "carry read in another shape": (
        lambda: more_outputs(BETWEEN, ("late", build.carry("h", (K,)))),
        "block 2 (map",
        r"CARRY\('h'\)\(k\) is read",
    ),
    "value that nobody computes": (
        lambda: more_outputs(BETWEEN, ("g", build.value("nothing", ()))),
        "block 2 (map",
        "'nothing'.* is read but None",
    ),
    "value of a later block": (
        lambda: more_outputs(LOOP, ("g", build.value("∂h·1", (H,)))),
        "block 1 (scan",
        "is read but None",
    ),
    "value of the same block": (
        lambda: more_outputs(BEFORE, ("g", build.value("e", (K,)))),
        "block 0 (map",
        "is read but None",
    ),
    "value in another shape": (
        lambda: more_outputs(BETWEEN, ("g", build.value("h·1", (K,)))),
        "block 2 (map",
        r"VALUE\('h·1'\)\(k\) is read",
    ),
    "parameter that is not there": (
        lambda: more_outputs(BETWEEN, ("g", build.mul(w, build.param("W", ())))),
        "block 2 (map",
        r"PARAM\('W'\)",
    ),
    "parameter in another shape": (
        lambda: more_outputs(BETWEEN, ("g", build.mul(w, build.param("b1", (K,))))),
        "block 2 (map",
        r"PARAM\('b1'\)\(k\)",
    ),
    "output twice": (lambda: more_outputs(LOOP, ("e", w)), "block 1 (scan", "output 'e' is defined twice"),
    "output twice in one block": (
        lambda: more_outputs(BETWEEN, ("g", w), ("g", keep)),
        "block 2 (map",
        "output 'g' is defined twice",
    ),
    "output named as a parameter": (
        lambda: more_outputs(LOOP, ("H", w)),
        "block 1 (scan",
        "output 'H' is defined twice",
    ),
    "sum in two shapes": (
        lambda: more_sums(AFTER, ("J", build.value("e", GOOD_E))),
        "block 4 (map",
        "sum 'J' has two shapes",
    ),
    "sum twice in one block": (
        lambda: more_sums(AFTER, ("S", w), ("S", keep)),
        "block 4 (map",
        "sum 'S' is defined twice",
    ),
    "sum named as an output": (
        lambda: more_sums(AFTER, ("e", w)),
        "block 4 (map",
        "sum 'e' is defined twice",
    ),
    "sum in a once block": (
        lambda: with_block(Block(Kind.ONCE, sums=(("S", build.param("b1", (H,))),), title="extra")),
        "block 5 (once 'extra')",
        "nothing to sum over",
    ),
    "something that varies in a once block": (
        lambda: with_block(Block(Kind.ONCE, (("S", build.mul(build.const(2.0), w)),), title="extra")),
        "block 5 (once 'extra')",
        r"INPUT\('weight'\)\(\) varies",
    ),
    "sum that is read before it is complete": (
        lambda: more_outputs(BETWEEN, ("g", build.mul(w, build.param("J", ())))),
        "block 2 (map",
        r"PARAM\('J'\)",
    ),
    "result that is never computed": (
        lambda: replace(GOOD, results=(*GOOD.results, "nll")),
        "",
        "result 'nll' is never computed",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    make_program, block, message = FAULTS[name]
    program = make_program()
    with pytest.raises(VerificationError, match="after fault injection: " + re.escape(block)) as caught:
        verify(program, "fault injection")
    assert re.search(message, str(caught.value)), str(caught.value)


def test_nothing_is_wrong_without_a_fault() -> None:
    verify(GOOD, "nothing")
    verify(with_block(Block(Kind.ONCE, (("S", build.param("∂b2", (V,))),))), "a sum read after its block")
    verify(more_outputs(BETWEEN, ("late", h)), "a history read after its loop")


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("name", MODELS)
def test_every_pass_leaves_a_sound_program(name: str, goal: str) -> None:
    passes: list[str] = []

    def observe(after: str, program: Program) -> None:
        passes.append(after)
        verify(program, after)

    build_program(MODELS[name], goal, observe=observe)
    gradients = ["differentiate"] if goal == "train" else []
    assert passes == ["forward", "stabilize", *gradients, "simplify", "look up tokens", "schedule"]


def test_a_broken_pass_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler checks what each pass made before the next one sees it."""

    def broken(program: Program) -> Program:
        (block,) = program.blocks
        return replace(program, blocks=(replace(block, carries=()),))

    monkeypatch.setattr("bptt.backends.compile.stabilize", broken)
    with pytest.raises(VerificationError, match=r"after stabilize: block 0 \(scan 'forward'\): CARRY\('h'\)"):
        build_program(MODELS["elman"], "train")
