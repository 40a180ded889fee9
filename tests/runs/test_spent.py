"""What a run took of others, tokens and answers of people: counted once, bounded, told in its summary."""

from __future__ import annotations

from typing import Any

import msgspec

from detector.policy.policy import Policy
from detector.read import Reader
from detector.records import Does, Outcome, Phase, Summary, Tick, Turn
from detector.runs.judge import Judge
from detector.runs.run import MOST_TOKENS, Run, Spent
from detector.runs.state import decode, encode
from detector.step import apply
from detector.testing import EPOCH_NS, Spans, act, record
from detector.training.matrix import blank

JUDGE = Judge(blank(), Policy())
TRACE = bytes(15) + b"\1"


def turn(number: int, **fields: Any) -> Turn:
    """A model's turn with a span id of its own."""
    return Turn(number.to_bytes(8, "big"), TRACE, EPOCH_NS + number, **fields)


def ended(*events: Any) -> Summary:
    """The summary of a run of these events."""
    run, _ = apply(None, record(*events, written=EPOCH_NS), JUDGE)
    _, effects = apply(run, record(Tick(EPOCH_NS + 10**15)), JUDGE)
    (summary,) = (effect for effect in effects if isinstance(effect, Summary))
    return summary


def test_tokens_of_turns_are_summed_once() -> None:
    """A turn that comes again adds nothing; the run's traces stand beside the sums."""
    summary = ended(turn(1, tokens_in=100, tokens_out=7), turn(2, tokens_in=50), turn(1, tokens_in=100, tokens_out=7))
    assert (summary.tokens_in, summary.tokens_out, summary.traces) == (150, 7, [TRACE.hex()])


def test_tokens_have_a_bound() -> None:
    """A span that claims any number can't make the sum outgrow what JSON's readers tell apart."""
    assert ended(turn(1, tokens_in=MOST_TOKENS), turn(2, tokens_in=MOST_TOKENS)).tokens_in == MOST_TOKENS


def test_a_question_and_a_refusal_count_once_a_call() -> None:
    """However often a call is looked at: asked for by the model, then done."""
    asked = [act("ask_human", Does.ASK, call=5, shape=5, phase=phase) for phase in (Phase.INTENDED, Phase.DONE)]
    refused = act("write_file", Does.WRITE, outcome=Outcome.DENIED)
    summary = ended(*asked, refused, refused)
    assert (summary.asked, summary.refused) == (1, 1)


def test_claude_code_names_its_tokens_without_a_prefix() -> None:
    """Its turns are spans of the GenAI conventions in all but these keys."""
    said: Any = {"gen_ai.request.model": "m", "input_tokens": "12", "output_tokens": "3"}
    (batch,) = Reader(b"").read(Spans("claude-code").span("claude_code.llm_request", said).request()).batches
    assert [(event.tokens_in, event.tokens_out) for event in batch.events if isinstance(event, Turn)] == [(12, 3)]


def test_a_worker_of_the_version_before_passes_over_it() -> None:
    """A run that knows of no other stays of version 1, with what it spent after the fields that version 1 has."""
    run, _ = apply(None, record(act(), turn(1, tokens_in=5), written=EPOCH_NS), JUDGE)
    assert isinstance(run, Run)
    stored = encode(run)
    again = decode(stored, JUDGE.model.layout)
    assert stored[0] == 1
    assert isinstance(again, Run)
    assert again.spent == Spent(tokens_in=5)
    fields = [(field.name, field.type) for field in msgspec.structs.fields(Run)[:-2]]
    released: Any = msgspec.defstruct("Run", fields, array_like=True)
    before = msgspec.msgpack.decode(stored[1:], type=released)
    assert (before.calls, before.turns) == (1, 1)


def test_it_stands_beside_what_a_run_knows_of_others() -> None:
    """Version 2 has both."""
    run, _ = apply(None, record(act(), turn(1, tokens_out=9), adopted_from="svc/t", adopted_sequence=1), JUDGE)
    assert isinstance(run, Run)
    again = decode(encode(run), JUDGE.model.layout)
    assert isinstance(again, Run)
    assert (again.spent, again.kin) == (Spent(tokens_out=9), run.kin)
    assert encode(run)[:2] == b"\x02r"
