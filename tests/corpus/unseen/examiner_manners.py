"""In how many ways an ordinary paper can be laid out: each way is drawn on its own, so that they meet in any combination."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

FORMATS = ("txt", "md", "html", "tex", "docx", "pdf", "pdf2")

NUMBERS = {
    "en": (
        "{}. ",
        "{}. ",
        "{}. ",
        "{}) ",
        "({}) ",
        "Q{}. ",
        "Q{}: ",
        "Q{}) ",
        "Q{} ",
        "Question {}: ",
        "Question {}. ",
        "Question {}\n",
        "{}.",
        "{}.\t",
        "Problem {}. ",
    ),
    "zh": ("{}. ", "{}.", "{}．", "{}、", "{}、", "（{}）", "({}) ", "第{}题 ", "第{}题：", "{} ．", "Q{}. "),
}
CHINESE = "一二三四五六七八九十"
OPTIONS = {
    "en": ("{}. ", "{}. ", "{}) ", "({}) ", "{}.", "a) ", "a. ", "(a) ", "{}: "),
    "zh": ("{}. ", "{}.", "{}．", "{}、", "{}．", "({}) ", "（{}）", "{}: ", "{} ．"),
}
LAYOUTS = ("stacked", "stacked", "stacked", "row", "row", "grid", "inline", "tabs")
POINTS = {
    "en": (
        " ({} points)",
        " ({} pts)",
        " [{} marks]",
        " ({} marks)",
        " [{}]",
        " ({})",
        " [{} points]",
        " - {} points",
        " ({} pt.)",
    ),
    "zh": ("（{}分）", "({}分)", "（{} 分）", "[{}分]", "【{}分】", "（本题{}分）", "（本小题满分{}分）"),
}
PLACES = ("after", "after", "after", "before", "right", "heading", "heading", "note", "number", "none")
ANSWERS = {
    "en": (
        "Answer: {}",
        "Ans: {}",
        "Ans. {}",
        "Correct answer: {}",
        "Correct Answer: {}",
        "ANSWER: {}",
        "Answer - {}",
        "[Answer: {}]",
        "Answer:\n{}",
    ),
    "zh": ("答案：{}", "【答案】{}", "答案:{}", "参考答案：{}", "【答案】 {}", "正确答案：{}", "[答案] {}"),
}
SOLUTIONS = {
    "en": ("Explanation: {}", "Solution: {}", "Explanation - {}", "Rationale: {}", "Working: {}"),
    "zh": ("解析：{}", "【解析】{}", "【解答】{}", "解析:{}", "[解析] {}"),
}
KEYS = (
    "none",
    "none",
    "inline",
    "inline",
    "solved",
    "lines",
    "lines",
    "row",
    "runs",
    "table",
    "grid",
    "explained",
    "sections",
)
KEY_TITLES = {
    "en": (
        "Answer Key",
        "ANSWER KEY",
        "Answers",
        "Answer Key and Explanations",
        "Solutions",
        "Key",
        "Answers:",
        "Answer key:",
    ),
    "zh": ("参考答案", "答案", "参考答案与解析", "参考答案及评分标准", "答案与解析", "【参考答案】", "参考答案："),
}
SECTIONS = {
    "en": (
        "none",
        "Section {A}: {}",
        "SECTION {A} – {}",
        "Part {I}: {}",
        "Part {1}. {}",
        "{I}. {}",
        "{}",
        "{}",
        "PART {A} {}",
        "{A}. {}",
        "Section {1}. {}",
    ),
    "zh": (
        "none",
        "{一}、{}",
        "{一}、{}",
        "{一}．{}",
        "第{一}部分 {}",
        "（{一}）{}",
        "{}",
        "{I}. {}",
        "第{一}大题：{}",
        "{一}. {}",
    ),
}
NAMES = {
    "en": {"single": ("Multiple Choice", "Multiple Choice Questions", "Choose the best answer"), "multiple": ("Multiple Answers", "Multiple Response"),
           "true_false": ("True or False", "True/False"), "blank": ("Fill in the Blanks", "Fill in the blank"), "short": ("Short Answer", "Short Answer Questions"),
           "calculation": ("Calculations", "Problem Solving", "Structured Questions"), "passage": ("Reading Comprehension", "Reading"), "essay": ("Essay", "Extended Writing"), "cloze": ("Cloze Test", "Cloze")},
    "zh": {"single": ("选择题", "单项选择题", "单选题"), "multiple": ("多项选择题", "多选题", "不定项选择题"), "true_false": ("判断题", "是非题"), "blank": ("填空题",),
           "short": ("简答题", "问答题"), "calculation": ("计算题", "解答题"), "passage": ("阅读理解", "现代文阅读"), "essay": ("作文", "写作题"), "cloze": ("完形填空",)},
}  # fmt: skip
INSTRUCTIONS = {
    "en": {"single": "Choose the correct answer for each question.", "true_false": "Write True or False for each statement.", "blank": "Complete each sentence with a suitable word.",
           "short": "Answer the following questions in complete sentences.", "calculation": "Show all your working."},
    "zh": {"single": "在每小题给出的四个选项中，只有一项是符合题目要求的。", "multiple": "下列各题中有两个或两个以上正确选项。", "true_false": "判断下列说法是否正确，正确的打“√”，错误的打“×”。",
           "calculation": "解答应写出文字说明或演算步骤。"},
}  # fmt: skip
PARTS = {
    "en": ("({a}) ", "({a}) ", "{a}) ", "{a}. ", "({i}) "),
    "zh": ("（{1}）", "({1})", "({1}) ", "{①}", "（{1}） "),
}
COVERS = ("bare", "named", "named", "school", "rules", "table")
JUDGED = {"en": (("True", "False"), ("True", "False"), ("T", "F")), "zh": (("√", "×"), ("对", "错"), ("正确", "错误"))}
BRACKETS = ("（  ）", "（    ）", "（　　）", "( )", "", "(   )")


@dataclass(frozen=True)
class Manner:
    """How one paper is written."""

    seed: int
    format: str
    language: str
    number: str
    option: str
    layout: str
    points: str
    place: str
    answer: str
    solution: str
    key: str
    key_title: str
    section: str
    part: str
    cover: str
    judged: tuple[str, str]
    bracket: str
    restart: bool
    gaps: bool
    furniture: bool
    figures: bool
    automatic: bool
    wrapped: bool
    totals: bool
    instructed: bool
    variant: int
    more: bool = False  # the second draw
    lead: str = ""  # a place for the answer before the number
    tail: str = ""  # T  F behind what is to be judged
    form: str = "{}"  # how a letter is told: B, (B), B. Mars
    in_place: bool = False  # the letter stands in the brackets of its stem
    marked: bool = False  # a table for the marks of each section on the cover
    cloze: bool = False


def manner_of(seed: int, form: str | None = None) -> Manner:
    dice = random.Random(f"an examiner's paper {seed}")
    language = dice.choice(("en", "zh"))
    drawn = form or dice.choice(FORMATS)
    section = dice.choice(SECTIONS[language])
    key = dice.choice(KEYS)
    place = dice.choice(PLACES)
    if section == "none":
        place = "after" if place in {"heading", "note"} else place
        key = "lines" if key == "sections" else key
    number = dice.choice(NUMBERS[language])
    if language == "zh" and section == "none" and dice.random() < 0.25:
        number = "{一}、"
    restart = section != "none" and dice.random() < 0.18
    if restart and key in {"lines", "row", "runs", "table", "grid", "explained"}:
        key = "sections"
    part = dice.choice(PARTS[language])
    if ("(" in part and number.startswith("(")) or ("（" in part and number.startswith("（")):
        number = "{}. "
    option = dice.choice(OPTIONS[language])
    if option.startswith(("a", "(a")) and part[0] == option[0]:
        part = "({i}) "
    return Manner(
        seed=seed, format=drawn, language=language, number=number, option=option, layout=dice.choice(LAYOUTS),
        points=dice.choice(POINTS[language]), place=place, answer=dice.choice(ANSWERS[language]), solution=dice.choice(SOLUTIONS[language]),
        key=key, key_title=dice.choice(KEY_TITLES[language]), section=section, part=part, cover=dice.choice(COVERS),
        judged=dice.choice(JUDGED[language]), bracket=dice.choice(BRACKETS) if language == "zh" else "", restart=restart,
        gaps=dice.random() < 0.6, furniture=dice.random() < 0.4, figures=dice.random() < 0.25,
        automatic=dice.random() < 0.3, wrapped=dice.random() < 0.25, totals=dice.random() < 0.4, variant=dice.randrange(6), instructed=dice.random() < 0.35,
    )  # fmt: skip


def second_manner_of(seed: int, form: str | None = None) -> Manner:
    """What the first draw may be, and more on top of it."""
    first = manner_of(seed, form)
    dice = random.Random(f"an examiner's second paper {seed}")
    english = first.language == "en"
    points = first.points
    if dice.random() < 0.25:
        points = dice.choice(
            (" [{}]", " ({}p)", " ({} point(s))", " [{} Marks]", " (worth {} points)")
            if english
            else ("（{}'）", "({}')", "（共{}分）", "（满分{}分）", "({} points)")
        )
    tabular = english and dice.random() < 0.2
    key = dice.choice(("pairs", "columns", "scored")) if dice.random() < 0.25 and not first.restart else first.key
    if (key == "columns" and first.format == "pdf2") or (key == "scored" and first.place == "none"):
        key = "lines"  # no table is wider than its column; what only the key says is another matter
    return replace(
        first, more=True, points=points, key=key, section=first.section, tail=dice.choice(("   T   F", "    True   False", "  (T/F)")) if english and dice.random() < 0.3 else "",
        lead=dice.choice(("_____ ", "____")) if tabular and not first.automatic else "（    ）" if not english and not first.automatic and dice.random() < 0.15 and first.number[0] == "{" else "",
        form=dice.choice(("{}", "({})", "{}. {text}", "{}) {text}", "{} ({text})")) if key in {"inline", "solved", "lines", "explained"} else "{}",
        in_place=not english and first.key == "none" and bool(first.bracket) and dice.random() < 0.7, marked=dice.random() < 0.3, cloze=dice.random() < 0.3,
    )  # fmt: skip


def letters(template: str, at: int) -> str:
    """A template with its count in letters, roman or Chinese numbers, whatever it asks for."""
    roman = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
    for mark, value in (
        ("{A}", "ABCDEFGH"[at % 8]), ("{a}", "abcdefgh"[at % 8]), ("{I}", roman[at % 10].upper()), ("{i}", roman[at % 10]),
        ("{1}", str(at + 1)), ("{一}", _chinese(at + 1)), ("{①}", "①②③④⑤⑥⑦⑧"[at % 8]),
    ):  # fmt: skip
        template = template.replace(mark, value)
    return template


def _chinese(number: int) -> str:
    if number <= len(CHINESE):
        return CHINESE[number - 1]
    tens, ones = divmod(number, 10)
    return ("" if tens == 1 else CHINESE[tens - 1]) + "十" + (CHINESE[ones - 1] if ones else "")
