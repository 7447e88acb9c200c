"""The local provider: quotations from the material, in the reader's language, and nothing else."""
# ruff: noqa: RUF001 - Chinese is written with its own punctuation

from __future__ import annotations

import pytest

from app.library.demo import demo_documents
from app.llm.local import LocalProvider
from app.llm.local.frames import FRAMES
from app.llm.port import Source, Turn
from app.llm.tokens import estimate_tokens
from tests.support.asking import ask, question

PLANTS = Source(
    "lesson:plants#1",
    "Photosynthesis",
    "Photosynthesis is how green plants make their own food. They use light to turn carbon dioxide and water into "
    "sugar.\nIt happens in the chloroplasts, which hold chlorophyll. Water rises from the roots in the xylem.",
    "What it is",
)
RIVERS = Source("lesson:rivers#1", "Rivers", "A river carries stones and sand. The delta is where it meets the sea.")
LEAVES = Source(
    "lesson:leaves#1",
    "光合作用",
    "光合作用在叶绿体中进行。叶绿体里含有叶绿素，它吸收红光和蓝紫光。水由根吸收。",
    "场所",
)


async def answer(user: str, *material: Source, **more: object) -> str:
    return (await ask(LocalProvider(), question(user, material=material, **more)))[1].text


async def test_it_quotes_the_sentence_that_speaks_about_the_question() -> None:
    deltas, finished = await ask(
        LocalProvider(), question("Where does photosynthesis happen, in the chloroplasts?", material=(RIVERS, PLANTS))
    )
    assert "".join(deltas) == finished.text
    assert len(deltas) > 10
    assert "> It happens in the chloroplasts, which hold chlorophyll." in finished.text
    assert "[1] Photosynthesis · What it is" in finished.text
    assert "river" not in finished.text
    assert [source.id for source in finished.sources][:1] == ["lesson:plants#1"]
    assert all(source.quote in finished.text for source in finished.sources)
    assert finished.model == "local-extractive"
    assert finished.usage.estimated


async def test_it_says_what_it_is() -> None:
    assert (await answer("What is a delta?", RIVERS)).endswith(FRAMES["en"].closing)
    assert "I do not reason" in FRAMES["en"].closing


async def test_it_answers_in_chinese_from_chinese() -> None:
    text = await answer("光合作用在哪里进行？", RIVERS, LEAVES)
    assert text.startswith(FRAMES["zh"].opening)
    assert "> 光合作用在叶绿体中进行。" in text
    assert "[1] 光合作用 · 场所" in text


async def test_the_language_can_be_asked_for() -> None:
    assert (await answer("delta", RIVERS, language="zh")).endswith(FRAMES["zh"].closing)


async def test_a_typing_mistake_is_forgiven() -> None:
    assert "chlorophyll" in await answer("What is chlorofyll?", PLANTS)


@pytest.mark.parametrize("user", ["Who won the match?", "Tell me a joke.", "你好", "???", "What is it?"])
async def test_it_says_so_when_it_finds_nothing(user: str) -> None:
    _, finished = await ask(LocalProvider(), question(user, material=(PLANTS, RIVERS, LEAVES)))
    assert finished.text in (FRAMES["en"].nothing_found, FRAMES["zh"].nothing_found)
    assert finished.sources == ()


async def test_it_says_so_when_there_is_no_material() -> None:
    assert await answer("What is a delta?") == FRAMES["en"].no_material


async def test_a_short_question_is_about_what_was_asked_before() -> None:
    history = (Turn("user", "What is a delta?"), Turn("assistant", "..."))
    assert "> The delta" in await answer("And where is it?", RIVERS, PLANTS, history=history)


async def test_it_keeps_to_its_bound() -> None:
    long = Source("1", "Plants", "Plants are green and plants are alive and " + "plants grow " * 200)
    many = [Source(str(n), "Plants", f"Plants are number {n} among all plants that we know of.") for n in range(50)]
    for limit in (30, 60, 200):
        text = await answer("plants", long, *many, max_output_tokens=limit)
        assert text == FRAMES["en"].nothing_found or estimate_tokens(text) <= limit
    assert len(await answer("plants", long, *many)) < 2000


async def test_a_huge_question_and_huge_material_end() -> None:
    words = " ".join(f"word{n}" for n in range(20_000))
    material = [Source(str(n), "t", words[n * 1000 : n * 1000 + 20_000]) for n in range(20)]
    assert await answer(words, *material)


@pytest.mark.parametrize(
    ("user", "quoted"),
    [
        ("What does the denominator say?", "the denominator, says into how many equal pieces"),
        ("Why are leaves green?", "reflects green light, which is why leaves look green"),
        ("How do I solve 3x + 5 = 20?", "subtract 5 on both sides"),
        ("What is a metaphor?", "a metaphor says that one thing is the other"),
        ("什么是移项？", "叫做移项"),
        ("怎样约分？", "用分子和分母的最大公因数去除"),
    ],
)
async def test_the_demonstration_lessons_answer_first_questions(user: str, quoted: str) -> None:
    material = [
        Source(f"{document.id}#{number}", document.title, section.text, section.locator)
        for document in demo_documents()
        for number, section in enumerate(document.sections, 1)
    ]
    assert quoted in await answer(user, *material)
