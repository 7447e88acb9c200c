"""What the second set asks: other subjects than the first, with the things in their stems that teachers put there (lists,
tables, code, years and decimals at the start of a line).
"""

from __future__ import annotations

from tests.corpus.documents.bank import Item

EN = {
    "cell": Item("single", "Which organelle releases most of the energy that a cell uses?", ("Ribosome", "Mitochondrion", "Nucleus", "Vacuole"), "B", 2),
    "ohm": Item("single", "A resistor of 6.0 ohms carries 0.5 A. The potential difference across it is", ("0.08 V", "3.0 V", "5.5 V", "12 V"), "B", 2),
    "treaty": Item("single", "In which year was the Treaty of Versailles signed?", ("1914", "1917", "1919", "1923"), "C", 2),
    "river": Item("single", "Which of these rivers flows through Budapest?", ("the Rhine", "the Danube", "the Po", "the Elbe"), "B", 2),
    "acid": Item("single", "Which substance turns blue litmus paper red?", ("lime water", "soap", "vinegar", "table salt"), "C", 2),
    "verb": Item("single", "Choose the word that completes the sentence: \"She ____ to school every day.\"", ("go", "goes", "going", "gone"), "B", 2),
    "waves": Item(
        "single",
        "Consider these statements about sound.\n1. It can be reflected.\n2. It travels through a vacuum.\n3. It is slower in air than in steel.\n"
        "Which of them are true?",
        ("1 and 2 only", "1 and 3 only", "2 and 3 only", "all three"), "B", 2,
    ),
    "loop": Item(
        "single",
        "What does this program print?\nx = 1\nfor i in range(3):\n    x = x * 2\nprint(x)",
        ("2", "6", "8", "16"), "C", 2,
    ),
    "metals": Item("multiple", "Which of the following are metals? Choose all that apply.", ("zinc", "sulfur", "iron", "neon"), "AC", 3),
    "moon": Item("true_false", "True or false: The Moon is larger than Mercury.", (), "False", 1),
    "bats": Item("true_false", "True or false: Bats are mammals.", (), "True", 1),
    "frost": Item("blank", "Water freezes at ______ degrees Celsius.", (), "0", 1),
    "author": Item("blank", "The novel 1984 was written by ____________.", (), "George Orwell", 1),
    "rome": Item("short", "Give one reason why the Roman army was so successful.", (), "Its soldiers were well trained", 3),
    "rust": Item("short", "State what iron needs in order to rust.", (), "Water and oxygen", 3),
    "war": Item("short", "Explain why the year\n1848 is called the year of revolutions.", (), "Revolts broke out all over Europe", 3),
    "speed": Item("calculation", "A cyclist covers 36 km in 1.5 hours. Calculate the average speed in km/h.", (), "24 km/h", 4),
    "mass": Item("calculation", "Calculate the weight of a bag with a mass of\n3.5 kg. Take g as 10 N/kg.", (), "35 N", 4),
    "essay": Item("essay", "Write an essay of about 250 words on how cities can become greener.", (), "", 10),
    "pool": Item("calculation", "A pool is 25 m long, 10 m wide and 2 m deep.", (), "", 6, "", (
        Item("calculation", "Calculate its volume.", (), "500 cubic metres", 2),
        Item("calculation", "How long does a pump that moves 20 cubic metres per hour need to fill it?", (), "25 hours", 4),
    )),
    "plants": Item("short", "A student grows two bean plants, one in the light and one in a dark cupboard.", (), "", 5, "", (
        Item("short", "State which plant grows taller.", (), "The one in the dark", 1),
        Item("short", "Explain why its leaves are yellow.", (), "It makes no chlorophyll", 2),
        Item("short", "Name one condition that must be kept the same.", (), "The amount of water", 2),
    )),
}  # fmt: skip

ZH = {
    "capital": Item("single", "下列城市中，位于长江沿岸的是", ("北京", "武汉", "西安", "沈阳"), "B", 3),
    "tang": Item("single", "唐朝的都城是", ("洛阳", "长安", "开封", "南京"), "B", 3),
    "light": Item("single", "下列物体中，属于光源的是", ("月亮", "镜子", "太阳", "钻石"), "C", 3),
    "root": Item("single", "方程 x - 3 = 4 的解是", ("x = 1", "x = 7", "x = -7", "x = 12"), "B", 3),
    "state": Item(
        "single",
        "关于声音，下列说法：\n①声音可以在真空中传播；\n②声音的传播需要介质；\n③音调由频率决定。\n其中正确的是",
        ("①②", "②③", "①③", "①②③"), "B", 3,
    ),
    "english": Item("single", "My brother ____ football after school every day.", ("play", "plays", "played", "playing"), "B", 3),
    "gases": Item("multiple", "下列气体中，属于空气成分的有哪些？", ("氧气", "氮气", "二氧化碳", "煤"), "ABC", 4),
    "judge1": Item("true_false", "地球绕着太阳转。", (), "√", 2),
    "judge2": Item("true_false", "冰的密度比水大。", (), "×", 2),
    "poem": Item("blank", "床前明月光，________。", (), "疑是地上霜", 2),
    "area": Item("blank", "边长为 6 cm 的正方形，面积是________平方厘米。", (), "36", 2),
    "year": Item("blank", "中华人民共和国成立于________年。", (), "1949", 2),
    "why": Item("short", "请说明植物为什么需要阳光。", (), "植物需要阳光进行光合作用", 4),
    "climate": Item("short", "简述地中海气候的特点。", (), "夏季炎热干燥，冬季温和多雨", 4),
    "solve": Item("calculation", "解方程：2x + 6 = 20。", (), "x = 7", 6),
    "price": Item("calculation", "一件衣服原价 200 元，打八折出售，求现价。", (), "160 元", 6),
    "write": Item("essay", "以“我的老师”为题，写一篇不少于 400 字的作文。", (), "", 20),
    "train": Item("calculation", "一列火车长 200 米，以 20 米/秒的速度通过一座长 1000 米的大桥。", (), "", 8, "", (
        Item("calculation", "求火车完全通过大桥所行的路程。", (), "1200 米", 4),
        Item("calculation", "求火车完全通过大桥所用的时间。", (), "60 秒", 4),
    )),
    "garden": Item("short", "小明在校园里观察了三种植物。", (), "", 6, "", (
        Item("short", "写出其中一种植物的名称。", (), "月季", 2),
        Item("short", "说明植物的叶子为什么是绿色的。", (), "叶子里有叶绿素", 4),
    )),
}  # fmt: skip


def english(*names: str) -> list[Item]:
    return [EN[name] for name in names]


def chinese(*names: str) -> list[Item]:
    return [ZH[name] for name in names]
