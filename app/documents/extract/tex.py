"""LaTeX exam papers, as text: lists and the exam class's \\question, \\part and \\choice get their numbers, formulas
stay as they are written. Nothing is expanded and no file is included, so a document cannot make work for us.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from app.documents.extract import numerals
from app.documents.extract.encoding import decode
from app.documents.extract.lines import FIGURE, GAP, Extracted, Line
from app.documents.extract.source import Source

COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%.*")
BODY = re.compile(r"\\begin\{document\}(.*?)(?:\\end\{document\}|\Z)", re.DOTALL)
TOKENS = re.compile(
    r"""(?P<begin>\\begin\{(?P<opened>[\w*]+)\}(?:\[(?P<options>[^\]]*)\])?(?:\{[^}]*\})?(?:\(\d\))?)
      | (?P<end>\\end\{(?P<closed>[\w*]+)\})
      | (?P<item>\\(?P<command>item|question|titledquestion|part|subpart|task|CorrectChoice|correctchoice|choice)
          (?![A-Za-z])
          (?:\s*\[(?P<argument>[^\]]*)\])?[ \t]*)
      | (?P<heading>\\(?:part|chapter|section|subsection|subsubsection|paragraph)\*?\{(?P<title>[^}]*)\})
      | (?P<counter>\\setcounter\{enum(?P<level>i{1,3}|iv)\}\{(?P<value>\d{1,3})\})
      | (?P<fill>\\fillin\s*\[(?P<filled>[^\]]*)\](?:\[[^\]]*\])?)
      | (?P<figure>\\includegraphics(?:\[[^\]]*\])?\{[^}]*\})
      | (?P<newline>\\\\(?:\[[^\]]*\])?|\\(?:newline|par|newpage|clearpage|linebreak)(?![A-Za-z]))""",
    re.VERBOSE,
)
DROPPED = re.compile(
    r"\\(?:vspace|hspace|vskip|label|pagestyle|thispagestyle|setcounter|addtocounter|caption|fillin|rule|settasks|fillwithlines|fillwithdottedlines|fillwithgrid|makeemptybox)\*?"
    r"(?:\[[^\]]*\])?(?:\{(?:[^{}]|\{[^{}]*\})*\}){0,2}"
)
BARE = re.compile(
    r"\\(?:noindent|centering|maketitle|bigskip|medskip|smallskip|vfill|hfill|hline|large|Large|small|bfseries|itshape"
    r"|normalsize|raggedright|null|displaystyle|quad|qquad|protect|printanswers|noprintanswers|answerline|droppoints|droptotalpoints|pointsin(?:right)?margin|marginpointname)(?![A-Za-z])\*?"
)
WRAPPED = re.compile(r"\\(?:textbf|textit|emph|underline|text|textrm|textsf|texttt|mbox|uline|centerline)\{([^{}]*)\}")
BLANK = re.compile(
    r"\\(?:fillin|(?:hrulefill|dotfill)(?![A-Za-z])|underline\{(?:\\[hv]?phantom\{[^}]*\}|\\hspace\*?\{[^}]*\}|\\makebox\[[^\]]*\]\{[~\s]*\}"
    r"|\\q?quad|\\[ ,;]|~|\s)*\}|rule\{[^}]*\}\{[^}]*\}|blank|_{2,})(?:\[[^\]]*\])?"
)
POINTS_MACRO = re.compile(r"\\(?:marks?|points?|pts|score)\{\s*(\d+(?:\.\d+)?)\s*\}")
POINTS = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*$")
SYMBOLS = {
    r"\%": "%",
    r"\&": "&",
    r"\_": "_",
    r"\#": "#",
    r"\$": "$",
    r"\ldots": "...",
    r"\dots": "...",
    r"\{": "{",
    r"\}": "}",
    "~": " ",
}
NUMBERED = {"enumerate", "questions", "parts", "subparts", "choices", "oneparchoices", "checkboxes", "tasks"}
CHOICE_ITEMS = {"choice", "CorrectChoice", "correctchoice", "task"}
CHOICES = {"choices", "oneparchoices", "checkboxes", "oneparcheckboxes", "tasks"}
COUNTED = {"problem": "Problem", "exercise": "Exercise", "question": "Question", "prob": "Problem", "exer": "Exercise"}
SOLUTIONS = {"solution", "solutionorbox", "solutionorlines", "solutionordottedlines", "solutionorgrid", "answer"}
SILENT = {"tikzpicture", "comment", "filecontents"}
LEVELS = ("{}.", "({})", "({})")


def extract(source: Source) -> Extracted:
    text = "\n".join(COMMENT.sub(r"\1", line) for line in decode(source.content).split("\n"))
    body = BODY.search(text)
    return Extracted(_Reader(source.name).read(body.group(1) if body else text))


class _Reader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[Line] = []
        self._text = ""
        self._lists: list[list[object]] = []  # [environment, next number, label pattern]
        self._silent = 0
        self._ended: dict[int, int] = {}  # the next number of the list that ended last, by depth
        self._counted = 0  # environments that are questions, and count by themselves
        self._filled: list[str] = []  # what belongs into the blanks of this question
        self._tick = ""  # behind a choice that is the right one

    def read(self, text: str) -> list[Line]:
        at = 0
        for token in TOKENS.finditer(text):
            self._write(text[at : token.start()])
            at = token.end()
            self._apply(token)
        self._write(text[at:])
        self._end_line()
        return self._lines

    def _apply(self, token: re.Match[str]) -> None:
        if token["begin"]:
            self._begin(token["opened"], token["options"] or "")
        elif token["end"]:
            self._close(token["closed"])
        elif token["item"]:
            self._end_line()
            if token["command"] not in CHOICE_ITEMS:
                self._answer()
            self._item(token["command"], token["argument"])
        elif token["heading"]:
            self._end_line()
            self._lines.append(Line(_plain(token["title"]), self._name, heading=True))
        elif token["counter"]:
            self._count(("i", "ii", "iii", "iv").index(token["level"]), int(token["value"]) + 1)
        elif token["fill"]:
            self._text += " ______ "
            self._filled.append(_plain(token["filled"]))
        elif token["figure"]:
            self._end_line()
            self._lines.append(Line(FIGURE, self._name, figure=True))
        else:
            self._end_line()

    def _count(self, depth: int, following: int) -> None:
        counted = [level for level in self._lists if level[0] == "enumerate"]
        if depth < len(counted):
            counted[depth][1] = following

    def _begin(self, environment: str, options: str) -> None:
        if environment in SILENT:
            self._silent += 1
        elif environment in NUMBERED or environment == "itemize":
            self._end_line()
            self._lists.append([environment, self._first(options), options])
        elif environment in COUNTED and not self._lists:
            self._end_line()
            self._counted += 1
            points = re.fullmatch(r"\s*(\d{1,3}(?:\.\d)?)\s*(?:points?|pts?\.?|marks?|分)?\s*", options)
            self._text = f"{COUNTED[environment]} {self._counted}. " + (f"({points[1]} points) " if points else "")
        elif environment in SOLUTIONS:
            self._end_line()
            self._text = "Solution: "
        elif environment in {"figure", "tabular", "center", "table", "array"}:
            self._end_line()

    def _first(self, options: str) -> int:
        """Where a list goes on with the numbers of the one before it, or says itself where it starts."""
        start = re.search(r"start\s*=\s*(\d{1,3})", options)
        if start:
            return int(start[1])
        return self._ended.get(len(self._lists), 1) if re.search(r"\bresume\b", options) else 1

    def _close(self, environment: str) -> None:
        if environment in SILENT:
            self._silent = max(0, self._silent - 1)
        self._end_line()
        if self._lists and self._lists[-1][0] == environment:
            _, following, _ = self._lists.pop()
            assert isinstance(following, int)
            self._ended[len(self._lists)] = following
        if environment in NUMBERED:
            self._answer()

    def _answer(self) -> None:
        if self._filled:
            self._lines.append(Line(f"Answer: {'; '.join(self._filled)}", self._name))
            self._filled = []

    def _item(self, command: str, argument: str | None) -> None:
        if not self._lists:
            self._lists.append(["questions", 1, ""])
        environment, number, options = self._lists[-1]
        assert isinstance(number, int)
        self._lists[-1][1] = number + 1
        points = POINTS.match(argument or "") if command not in {"item", "choice"} else None
        if command == "item" and argument is not None:
            mark = argument
        elif environment in CHOICES or command.lower().endswith("choice"):
            mark = f"{numerals.to_letter(number).upper()}."
        elif environment == "itemize":
            mark = ""
        else:
            mark = self._mark(str(environment), number, str(options))
        self._text = f"{_plain(mark)} " + (f"({points[1]} points) " if points else "")
        self._tick = " ✓" if command.lower() == "correctchoice" else ""

    def _mark(self, environment: str, number: int, options: str) -> str:
        pattern = re.search(r"\\(arabic|alph|Alph|roman|Roman)\*?", options)
        style: dict[str, Callable[[int], str]] = {"arabic": str, "alph": numerals.to_letter, "roman": numerals.to_roman}
        style |= {"Alph": lambda n: numerals.to_letter(n).upper(), "Roman": lambda n: numerals.to_roman(n).upper()}
        if pattern:
            label = re.search(r"label\s*=\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|((?:[^,{}]|\{[^{}]*\})*))", options)
            around = (
                re.sub(r"\\(?:arabic|alph|Alph|roman|Roman)\*?", "{}", label[1] or label[2] or "") if label else "{}."
            )
            around = WRAPPED.sub(r"\1", around)
            return around.replace("{}", style[pattern.group(1)](number))
        short = re.fullmatch(r"\(?([1aAiI])([.)]{1,2})", options.strip())
        if short:
            kind = {"1": "arabic", "a": "alph", "A": "Alph", "i": "roman", "I": "Roman"}[short.group(1)]
            return options.strip().replace(short.group(1), style[kind](number), 1)
        depth = sum(level[0] in NUMBERED - CHOICES for level in self._lists)
        if environment == "subparts" or depth > 2:  # noqa: PLR2004 - questions, parts, subparts
            return f"({numerals.to_roman(number)})"
        return f"({numerals.to_letter(number)})" if environment == "parts" or depth == 2 else f"{number}."  # noqa: PLR2004

    def _write(self, text: str) -> None:
        if self._silent:
            return
        for index, paragraph in enumerate(re.split(r"\n\s*\n", text)):
            if index:
                self._end_line()
                self._lines.append(Line("", self._name))
            self._text += re.sub(r"\s*\n\s*", " ", paragraph)

    def _end_line(self) -> None:
        text = _plain(self._text)
        if text:
            self._lines.append(Line(text + self._tick, self._name))
        self._text = self._tick = ""


def _plain(text: str) -> str:
    text = POINTS_MACRO.sub(r" [\1 points]", BLANK.sub("______", text))
    text = BARE.sub(" ", DROPPED.sub("", text))
    for _ in range(3):  # wrapped within wrapped
        text = WRAPPED.sub(r"\1", text)
    for symbol, meant in SYMBOLS.items():
        text = text.replace(symbol, meant)
    text = re.sub(r"(?<!\\)&", GAP, text).replace("{}", "")
    return re.sub(r"[ \t]{4,}", GAP, text).strip()
