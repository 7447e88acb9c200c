"""What the second draw of an examiner adds: statements and programs in stems, parts of parts, gaps in a text, matching words."""

from __future__ import annotations

from tests.corpus.documents.bank import Item
from tests.corpus.unseen.examiner_bank import Passage

EN = (
    Item("single", "Which of the following statements about enzymes are correct?\nI. They are proteins.\nII. They are used up in reactions.\nIII. They work best at a certain pH.",
         ("I only", "I and II only", "I and III only", "I, II and III"), "C", 2, "They are not used up."),
    Item("single", "What is the output of the following code?\ntotal = 0\nfor n in range(1, 4):\n    total += n\nprint(total)", ("3", "6", "7", "10"), "B", 2, "1 + 2 + 3 = 6."),
    Item("single", "Read the sentence: \"Although it was raining, we went out.\" What type of sentence is it?", ("Simple", "Compound", "Complex", "Fragment"), "C", 2, "It has a subordinate clause."),
    Item("single", "The table below shows the results of an experiment. What is the best conclusion? The mass fell from 12.0 g to 9.5 g in 10 minutes.",
         ("A gas was given off", "Nothing happened", "The balance was broken", "Heat was absorbed"), "A", 2, "Mass is lost as gas escapes."),
    Item("short", "Give two differences between mitosis and meiosis. Refer to chromosomes in your answer.", (), "Mitosis makes two identical cells, meiosis four different ones", 4, "Compare the daughter cells."),
    Item("short", "In Act 1, Scene 3 of Macbeth, how do the witches greet Macbeth?", (), "As Thane of Glamis, Thane of Cawdor and king hereafter", 3, "They use three titles."),
    Item("calculation", "A loan of $2,500 earns simple interest at 4% per year. Calculate the interest after 3 years.", (), "$300", 3, "2500 times 0.04 times 3."),
    Item("calculation", "Evaluate 2^3 + 4 × (7 - 5).", (), "16", 2, "8 + 8."),
)  # fmt: skip
ZH = (
    Item("single", "关于光合作用，下列说法：\n①需要光照；\n②产生氧气；\n③只在夜间进行。\n其中正确的是", ("①②", "①③", "②③", "①②③"), "A", 3, "光合作用需要光。"),
    Item("single", "下列句子中没有语病的一项是", ("通过学习，使我明白了道理。", "我们要发扬和继承优良传统。", "他的写作水平明显提高了。", "能否努力是成功的关键。"), "C", 3, "其余各项均有语病。"),
    Item("single", "如图，在△ABC中，∠A=40°，∠B=60°，则∠C的度数为", ("60°", "70°", "80°", "100°"), "C", 3, "三角形内角和为180°。"),
    Item("single", "某市2023年第一季度GDP为1.25×10^3亿元，用科学记数法表示的原数是", ("125亿元", "1250亿元", "12500亿元", "0.125亿元"), "B", 3, "小数点右移三位。"),
    Item("short", "阅读材料，回答：商鞅变法对秦国的发展有什么作用？", (), "使秦国国力增强，为统一六国奠定基础", 5, "从经济和军事回答。"),
    Item("calculation", "先化简，再求值：(x+1)(x-1)-x(x-2)，其中x=3。", (), "5", 6, "原式=2x-1。"),
    Item("calculation", "一个水池有甲、乙两根进水管，单开甲管6小时注满，单开乙管3小时注满，两管同开需要几小时注满？", (), "2小时", 6, "1÷(1/6+1/3)=2。"),
)  # fmt: skip
DEEP = {
    "en": Item("short", "The graph shows the population of a town between 1950 and 2000.", (), "", 6, "", (
        Item("short", "Describe the change between 1950 and 1970.", (), "It doubled", 2),
        Item("calculation", "Calculate the percentage increase from 20,000 to 25,000.", (), "25%", 2),
        Item("short", "Suggest one reason for the fall after 1990.", (), "A factory closed", 2),
    )),
    "zh": Item("calculation", "如图，一次函数y=kx+b的图象经过点A(0，2)和点B(3，8)。", (), "", 12, "", (
        Item("calculation", "求k和b的值；", (), "k=2，b=2", 4),
        Item("calculation", "求当y=0时x的值；", (), "x=-1", 4),
        Item("calculation", "求该直线与两坐标轴围成的三角形的面积。", (), "1", 4),
    )),
}  # fmt: skip
CLOZE = {
    "en": Passage(
        ("Last summer my family __1__ to Scotland. The weather was cold, __2__ we enjoyed every day. We stayed __3__ a small village by the sea.",),
        (Item("single", "", ("go", "goes", "went", "gone"), "C", 1), Item("single", "", ("but", "because", "so", "or"), "A", 1),
         Item("single", "", ("on", "in", "at", "by"), "B", 1)),
    ),
    "zh": Passage(
        ("Mike likes sports very much. He often __1__ basketball after school. Last Sunday he __2__ a match with his friends. They were very __3__ when they won.",),
        (Item("single", "", ("play", "plays", "played", "playing"), "B", 1), Item("single", "", ("has", "have", "had", "having"), "C", 1),
         Item("single", "", ("sad", "happy", "angry", "tired"), "B", 1)),
    ),
}  # fmt: skip
