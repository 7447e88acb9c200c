"""What a text is about, in English and Chinese."""
# ruff: noqa: RUF001 - Chinese is written with its own punctuation

from __future__ import annotations

import pytest

from app.kit.words import fold, grams, language_of, pairs, tokens


def words(text: str) -> list[str]:
    return [token for _, token in tokens(text)]


def test_empty_words_are_left_out() -> None:
    assert words("What is the numerator of a fraction?") == ["numerator", "fraction"]
    assert words("请问什么是光合作用？") == ["光合作用"]
    assert words("what is it about?") == words("是什么？") == []


def test_scripts_are_told_apart_and_each_keeps_its_order() -> None:
    assert list(tokens("pH值 and 3x")) == [("word", "ph"), ("run", "值"), ("word", "3x")]


@pytest.mark.parametrize(("one", "same"), [("Ｃａｆｅ́", "cafe"), ("NAÏVE", "naive"), ("ﬁnite", "finite"), ("２", "2")])
def test_one_spelling_for_what_reads_the_same(one: str, same: str) -> None:
    assert fold(one) == same


def test_a_run_counts_by_pairs() -> None:
    assert pairs("光合作用") == ["光合", "合作", "作用"]
    assert pairs("光") == ["光"]


def test_a_typing_mistake_keeps_most_pieces() -> None:
    right, wrong = set(grams("photosynthesis")), set(grams("photosinthesis"))
    assert len(right & wrong) > len(right) / 2
    assert not set(grams("photosynthesis")) & set(grams("fraction"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is a fraction?", "en"),
        ("什么是分数？", "zh"),
        ("解释 fraction 的意思", "zh"),
        ("The word 道 in China", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_text(text: str, language: str) -> None:
    assert language_of(text) == language
