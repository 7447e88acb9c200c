"""What a model is told of the past: a window, and a summary of what fell out of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from app.llm.port import Delta, Finished, ProviderUnavailable, Question, Usage
from app.llm.tokens import estimate_tokens
from app.workloads.chat.service.past import KEPT, SUMMARY_CHARACTERS, WINDOW, divide, extract, sum_up, tokens_of
from app.workloads.chat.store import Said


def said(turn: int, words: int = 100) -> Said:
    return Said(turn, f"Question {turn}: " + "why " * words, f"Answer {turn}. " + "so " * words)


class Writer:
    """A provider that sums up in these words, or does not."""

    name = "scripted"

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[Question] = []

    async def answer(self, question: Question) -> AsyncGenerator[Delta | Finished, None]:
        self.asked.append(question)
        if self.text is None:
            raise ProviderUnavailable("away")
        yield Delta(self.text)
        yield Finished(self.text, (), Usage(10, 5), "m", "stop")

    async def close(self) -> None: ...


def test_all_of_it_is_told_while_it_fits() -> None:
    past = [said(number) for number in range(1, 5)]
    assert divide(past) == ((), past)


def test_when_it_does_not_fit_any_more_the_latest_stay_and_there_is_room_again() -> None:
    past = [said(number) for number in range(1, 40)]
    fallen, told = divide(past)
    assert [*fallen, *told] == past
    assert sum(map(tokens_of, told)) <= KEPT < WINDOW < sum(map(tokens_of, past))
    assert sum(map(tokens_of, told)) + tokens_of(fallen[-1]) > KEPT


def test_a_single_turn_that_is_too_long_falls_out_by_itself() -> None:
    fallen, told = divide([said(1, words=20_000)])
    assert (len(fallen), len(told)) == (1, 0)


def test_chinese_counts_by_its_characters() -> None:
    past = [Said(1, "为什么" * 600, "因为" * 600)]
    assert tokens_of(past[0]) == estimate_tokens(past[0].question) + estimate_tokens(past[0].reply) == 3000
    assert divide(past)[0] == ()
    assert divide([*past, said(2)])[0] == past


async def test_a_model_sums_up_what_was_said_as_data() -> None:
    writer = Writer("They spoke of fractions.")
    summary, usage = await sum_up(writer, "Before: hello.", [said(1), said(2)])
    assert (summary, usage) == ("They spoke of fractions.", Usage(10, 5))
    [asked] = writer.asked
    assert [source.title for source in asked.material] == ["Minutes so far", "Turn 1", "Turn 2"]
    assert "Question 1" not in asked.system + asked.user


@pytest.mark.parametrize("text", [None, "  "])
async def test_where_the_model_does_not_the_past_is_cut_short_instead(text: str | None) -> None:
    summary, _ = await sum_up(Writer(text), "- Before", [said(1)])
    assert summary.startswith("- Before\n- Question 1: why")
    assert "Answer 1." in summary


def test_a_summary_never_grows_beyond_its_bound_and_loses_the_oldest_first() -> None:
    summary = ""
    for number in range(1, 200):
        summary = extract(summary, [said(number)])
        assert len(summary) <= SUMMARY_CHARACTERS
    assert "Question 199" in summary
    assert "Question 1:" not in summary


def test_chinese_is_cut_at_its_own_full_stop() -> None:
    assert extract(None, [Said(1, "什么是分数\uff1f我不懂。", "分数是整体的一部分。比如一半。")]) == (
        "- 什么是分数\uff1f → 分数是整体的一部分。"
    )
