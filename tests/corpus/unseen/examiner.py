"""An examiner's papers: every manner of writing crossed with every other, from a seed. What is true is told by what is asked, never by
how the readers work.
"""

from __future__ import annotations

import random
import re
from dataclasses import replace

from tests.corpus.documents.bank import Item
from tests.corpus.documents.papers import Truth
from tests.corpus.unseen import examiner_bank, examiner_bank_zh
from tests.corpus.unseen.examiner_bank import Passage
from tests.corpus.unseen.examiner_cover import COVER
from tests.corpus.unseen.examiner_exam import Block, Entry, Exam, numbered
from tests.corpus.unseen.examiner_keys import write_key
from tests.corpus.unseen.examiner_manners import INSTRUCTIONS, NAMES, Manner, letters
from tests.corpus.unseen.examiner_more import CLOZE, DEEP, EN, ZH

BANKS = {"en": examiner_bank, "zh": examiner_bank_zh}

UPPER = "ABCDEFGH"

KINDS = ("single", "multiple", "true_false", "blank", "short", "calculation", "passage", "essay")


def exam_of(manner: Manner) -> Exam:
    dice = random.Random(f"content {manner.seed}")
    bank = BANKS[manner.language]
    exam = Exam(manner)
    exam.blocks += [
        Block("title" if not at else "cover", line) for at, line in enumerate(COVER[manner.language](manner))
    ]
    if manner.marked:
        head = ("Section", "A", "B", "C", "Total") if manner.language == "en" else ("题号", "一", "二", "三", "总分")
        below = ("Marks" if manner.language == "en" else "得分", "", "", "", "")
        exam.blocks.append(Block("table", rows=(head, below)))
    kinds = dice.sample(
        ("multiple", "true_false", "blank", "short", "calculation", "passage", "essay"), dice.randint(2, 4)
    )
    ordered = [kind for kind in KINDS if kind == "single" or kind in kinds]
    for at, kind in enumerate(ordered):
        if kind == "passage":
            _section(exam, at, kind, [], passage=dice.choice(bank.PASSAGES), dice=dice)
        else:
            _section(exam, at, kind, _items(kind, bank, dice, manner), dice=dice)
    if manner.cloze and manner.section != "none":
        _section(exam, len(ordered), "cloze", [], passage=CLOZE[manner.language], dice=dice)
    write_key(exam)
    if manner.format == "tex":
        exam.truth = [_in_tex(truth) for truth in exam.truth]
    return exam


def mathematical(words: str, sign: str = "$") -> str:
    """Powers between the signs of mathematics, as whoever types TeX puts them."""
    return re.sub(r"[\w()/]*\^[\w()]+", lambda found: f"{sign}{found[0]}{sign}", words, flags=re.ASCII)


def _in_tex(truth: Truth) -> Truth:
    """What is in mathematics stays in mathematics."""
    options = tuple(map(mathematical, truth.options))
    answer, context = truth.answer and mathematical(truth.answer), truth.context and mathematical(truth.context)
    return replace(truth, stem=mathematical(truth.stem), options=options, answer=answer, context=context)


def _items(kind: str, bank: object, dice: random.Random, manner: Manner) -> list[Item]:
    pool, most = {"single": ("SINGLE", 6), "multiple": ("MULTIPLE", 2), "true_false": ("JUDGED", 4), "blank": ("BLANK", 4),
                  "short": ("SHORT", 3), "calculation": ("CALCULATION", 2), "essay": ("ESSAY", 1)}[kind]  # fmt: skip
    items = list(
        dice.sample(
            getattr(bank, pool), dice.randint(min(2, most), most) if kind != "single" else dice.randint(3, most)
        )
    )
    if kind == "calculation":
        items += dice.sample(getattr(bank, "PARTED"), 1)  # noqa: B009
    if manner.more:
        added = [item for item in (EN if manner.language == "en" else ZH) if item.type == kind]
        items += dice.sample(added, min(1, len(added)))
        items += [DEEP[manner.language]] if kind == "calculation" and dice.random() < 0.5 else []
    return items


def _section(
    exam: Exam, at: int, kind: str, items: list[Item], *, passage: Passage | None = None, dice: random.Random
) -> None:
    manner = exam.manner
    asked = list(passage.items) if passage else items
    each = manner.place in {"heading", "note"} and kind not in {"essay", "calculation", "passage", "cloze"}
    if each:
        asked = [replace(item, points=asked[0].points) for item in asked]
    if manner.section != "none":
        exam.shown, exam.section = 0 if manner.restart else exam.shown, exam.section + 1
        name = dice.choice(NAMES[manner.language][kind])
        name = name.upper() if manner.section.isupper() else name
        exam.blocks.append(Block("heading", _heading(manner, at, name, asked, each=each)))
        exam.keys.append((letters(manner.section, at).replace("{}", name), []))
        if each and manner.place == "note":
            worth = asked[0].points
            exam.blocks.append(
                Block(
                    "note",
                    f"Each question is worth {worth} point{'s' if worth > 1 else ''}."
                    if manner.language == "en"
                    else f"每小题{worth}分。",
                )
            )
        if manner.instructed and kind in INSTRUCTIONS[manner.language]:
            exam.blocks.append(Block("note", INSTRUCTIONS[manner.language][kind]))
    elif not exam.keys:
        exam.keys.append(("", []))
    context = _passage(exam, passage) if passage else None
    for item in asked:
        exam.asked, exam.shown = exam.asked + 1, exam.shown + 1
        _question(exam, item, context, each=each)


def _heading(manner: Manner, at: int, name: str, asked: list[Item], *, each: bool) -> str:
    text, worth, count = letters(manner.section, at).replace("{}", name), asked[0].points, len(asked)
    if each and manner.place == "heading":
        words = {
            "en": (f" ({worth} points each)", f" ({count} x {worth} = {count * worth} marks)", f" ({worth} marks each, {count * worth} marks in total)",
                   f" [{worth} points each]", f" - {worth} points each", f" ({count} questions, {worth} points each)"),
            "zh": (f"（每小题{worth}分，共{count * worth}分）", f"（本大题共{count}小题，每小题{worth}分，共{count * worth}分）", f"（每题{worth}分）",
                   f"（共{count}小题，每小题{worth}分，满分{count * worth}分）", f"(每小题 {worth} 分，共 {count * worth} 分)", f"（{worth}分×{count}）"),
        }  # fmt: skip
        return text + words[manner.language][manner.variant]
    if manner.totals and manner.place in {"after", "before", "right", "number"}:
        total = sum(item.points for item in asked)
        return text + (f" ({total} points)" if manner.language == "en" else f"（共{total}分）")
    return text


def _passage(exam: Exam, passage: Passage) -> str:
    first, last = exam.shown + 1, exam.shown + len(passage.items)
    if exam.manner.language == "en":
        lead = (
            f"Read the passage and answer questions {first}-{last}.",
            f"Questions {first} to {last} refer to the following passage.",
            "Read the passage below and answer the questions that follow.",
        )
    else:
        lead = (
            f"阅读下面的短文，完成{first}-{last}题。",
            f"阅读下面的文字，回答{first}～{last}题。",
            "阅读下面的文字，完成下列小题。",
        )
    text = lead[exam.manner.variant % 3]
    if not passage.items[0].stem:
        text = (
            f"Read the passage and choose the best answer for blanks {first}-{last}."
            if exam.manner.language == "en"
            else f"阅读短文，从每题所给的选项中选出最佳答案，完成{first}-{last}题。"
        )
        passage = replace(
            passage,
            paragraphs=tuple(
                re.sub(r"__(\d)__", lambda gap: f"__{int(gap[1]) + first - 1}__", one) for one in passage.paragraphs
            ),
        )
    exam.blocks += [Block("note", text), *(Block("passage", one) for one in passage.paragraphs)]
    return "\n".join([text, *passage.paragraphs])


def _question(exam: Exam, item: Item, context: str | None, *, each: bool) -> None:  # noqa: C901 - one thing after another
    manner = exam.manner
    stem = item.stem
    if item.type == "true_false" and manner.section == "none":
        stem = f"True or False: {stem}" if manner.language == "en" else f"判断：{stem}"
    if manner.language == "zh" and stem and (item.options or item.type == "true_false") and manner.bracket:
        stem += f"（ {_answer(manner, item)} ）" if manner.in_place else manner.bracket
    stated = None if manner.place == "none" else float(item.points)
    shown = None if each or (item.parts and not manner.totals) else stated
    text, right, mark = placed(
        manner, stem + (manner.tail if item.type == "true_false" else ""), shown if stem else None, manner.number
    )
    if manner.lead and stem and (item.options or item.type == "true_false"):
        mark = manner.lead + mark
    labels = [manner.option.replace("{}", UPPER[at]).replace("a", UPPER[at].lower()) for at in range(len(item.options))]
    same_line = manner.layout == "inline" and manner.variant % 2 == 0 and sum(map(len, (stem, *item.options))) < 90
    if same_line and item.options and not right:
        gap = " " if labels[0].strip().endswith((")", "）")) else "  "
        text += gap + gap.join(label + option for label, option in zip(labels, item.options, strict=True))
    exam.blocks.append(Block("stem", text, mark=numbered(mark, exam.shown), right=right))
    if manner.figures and item.options and exam.asked % 4 == 2:
        exam.blocks.append(Block("figure", f"Figure {exam.asked}" if manner.language == "en" else f"图{exam.asked}"))
    if item.parts:
        _parts(exam, item)
        return
    if item.options and not (same_line and not right):
        exam.blocks.append(Block("options", choices=tuple(zip(labels, item.options, strict=True))))
    elif (
        not item.options
        and item.type in {"short", "essay", "calculation"}
        and manner.key in {"none", "lines"}
        and manner.variant in {1, 4}
    ):
        exam.blocks += [Block("rule", "_" * 60)] * 2
    answer = _answer(manner, item)
    shown_answer = answer
    if item.options and len(answer) == 1:
        shown_answer = manner.form.replace("{text}", item.options[UPPER.index(answer)]).replace("{}", answer)
    _tell(exam, shown_answer, item.solution, "", chosen=bool(item.options), points=item.points)
    told = answer if manner.key != "none" and answer else None
    if manner.in_place and manner.bracket and stem and (item.options or item.type == "true_false"):
        told, stem = answer, re.sub(r"（ [^（）]* ）$", "（  ）", stem)
    exam.truth.append(Truth(exam.lead, item.type, stem, item.options, told, stated if stem else None, context))


def _parts(exam: Exam, item: Item) -> None:
    manner = exam.manner
    for at, part in enumerate(item.parts):
        label = letters(manner.part, at)
        stated = None if manner.place == "none" else float(part.points)
        text, right, _ = placed(manner, part.stem, stated, "")
        exam.blocks.append(Block("part", text, mark=label, right=right))
        named = label.strip().strip("().（）") if manner.language == "en" else f"({at + 1})"
        _tell(exam, part.answer, "", label.strip())
        told = part.answer if manner.key != "none" else None
        exam.truth.append(Truth(f"{exam.lead}{named}", part.type, part.stem, (), told, stated, item.stem))


def placed(manner: Manner, stem: str, worth: float | None, mark: str) -> tuple[str, str, str]:
    """The stem with its points where this manner has them, what stands at the right edge, and the number's form."""
    if worth is None:
        return stem, "", mark
    said = manner.points.replace("{}", f"{worth:g}")
    if said.startswith(" - ") and (manner.place in {"before", "number"} or manner.format in {"md", "html"}):
        said = f" ({said.strip(' -')})"  # 1. 2 points Which ...? is what nobody writes
    if manner.place == "right":
        return stem, said.strip(" -"), mark
    if manner.place == "before" or (manner.place == "number" and not mark):
        return f"{said.strip()} {stem}" if manner.language == "en" else f"{said}{stem}", "", mark
    if manner.place == "number":
        bare = mark.rstrip(" .:：、．\t\n")
        tail = mark[len(bare) :]
        if "uestion" in mark or mark.startswith(("Q", "第", "Problem")):
            return stem, "", f"{bare}{said}{tail if tail.strip() or chr(10) in tail else tail or ' '}"
        return f"{said.strip()} {stem}", "", mark
    return stem + said, "", mark


def _answer(manner: Manner, item: Item) -> str:
    if item.type == "true_false":
        return manner.judged[0] if item.answer in {"True", "√"} else manner.judged[1]
    return item.answer


def _tell(exam: Exam, answer: str, solution: str, label: str, *, chosen: bool = False, points: float = 0) -> None:
    manner = exam.manner
    if not answer or manner.key == "none":
        return
    if manner.key in {"inline", "solved"}:
        exam.blocks.append(Block("answer", manner.answer.format(answer)))
        if manner.key == "solved" and solution:
            exam.blocks.append(Block("answer", manner.solution.format(solution)))
        return
    exam.keys[-1][1].append(Entry(exam.shown, answer, solution, label, chosen, points))
