"""What an examiner's papers ask in English: many subjects, with the formulas, years, units and quotations that belong to them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.corpus.documents.bank import Item


@dataclass(frozen=True)
class Passage:
    """A text that several questions share."""

    paragraphs: tuple[str, ...]
    items: tuple[Item, ...]


SINGLE = (
    Item("single", "What is the value of 3/4 + 1/8?", ("4/12", "7/8", "1/2", "5/8"), "B", 2, "3/4 is 6/8, and 6/8 + 1/8 = 7/8."),
    Item("single", "If 2x - 7 = 11, then x equals", ("2", "4", "9", "18"), "C", 2, "Add 7 to both sides, then divide by 2."),
    Item("single", "The line through the points (1, 2) and (3, 6) has a gradient of", ("0.5", "2", "3", "4"), "B", 3, "Rise over run is 4/2."),
    Item("single", "Which expression is equivalent to (x + 3)(x - 2)?", ("x^2 + x - 6", "x^2 - x - 6", "x^2 + 5x - 6", "x^2 - 6"), "A", 3, "Expand and collect."),
    Item("single", "Round 3.14159 to two decimal places.", ("3.1", "3.14", "3.142", "3.15"), "B", 1, "The third decimal is 1."),
    Item("single", "In which year did the Second World War end?", ("1918", "1939", "1945", "1950"), "C", 2, "Japan surrendered in September 1945."),
    Item("single", "Who was the first President of the United States?", ("Abraham Lincoln", "George Washington", "Thomas Jefferson", "John Adams"), "B", 2, "He took office in 1789."),
    Item("single", "The Magna Carta of 1215 was sealed by", ("King John", "Henry VIII", "Richard I", "William the Conqueror"), "A", 2, "It was sealed at Runnymede."),
    Item("single", "Which of the following is NOT a renewable source of energy?", ("Wind", "Coal", "Sunlight", "Tides"), "B", 2, "Coal is a fossil fuel."),
    Item("single", "A car accelerates from rest to 20 m/s in 8 s. What is its acceleration?", ("0.4 m/s^2", "2.5 m/s^2", "12 m/s^2", "160 m/s^2"), "B", 3, "20 divided by 8 is 2.5."),
    Item("single", "The pH of a neutral solution at 25 °C is", ("0", "1", "7", "14"), "C", 2, "Pure water is neutral."),
    Item("single", "Which particle has a negative charge?", ("Proton", "Neutron", "Electron", "Nucleus"), "C", 1, "Protons are positive."),
    Item("single", "DNA is found mainly in which part of a cell?", ("the cell wall", "the nucleus", "the cytoplasm", "the cell membrane"), "B", 2, "Chromosomes lie in the nucleus."),
    Item("single", "\"It was the best of times, it was the worst of times\" is the opening of which novel?", ("Great Expectations", "A Tale of Two Cities", "Oliver Twist", "Hard Times"), "B", 2, "Dickens published it in 1859."),
    Item("single", "Choose the correct word: She has lived here ____ 2015.", ("for", "since", "from", "during"), "B", 1, "Since names a point in time."),
    Item("single", "Which sentence is written in the passive voice?", ("The cat chased the mouse.", "The mouse was chased by the cat.", "The cat is chasing the mouse.", "The mouse ran away."), "B", 2, "The subject receives the action."),
    Item("single", "Which data structure works on the principle \"last in, first out\"?", ("Queue", "Stack", "Array", "Linked list"), "B", 2, "Plates on a pile are taken from the top."),
    Item("single", "What is the capital of Canada?", ("Toronto", "Vancouver", "Ottawa", "Montreal"), "C", 1, "Ottawa lies in Ontario."),
    Item("single", "When the price of a good rises, the quantity demanded usually", ("rises", "falls", "stays the same", "doubles"), "B", 2, "This is the law of demand."),
    Item("single", "Which of these numbers is irrational?", ("0.25", "22/7", "√2", "-3"), "C", 2, "It has no repeating pattern."),
    Item("single", "A bag holds 3 red, 4 blue and 5 green marbles. One marble is taken at random. What is the probability that it is blue?", ("1/4", "1/3", "5/12", "4/5"), "B", 3, "4 of 12 are blue."),
    Item("single", "The largest organ of the human body is the", ("heart", "liver", "skin", "brain"), "C", 1, "Skin weighs several kilograms."),
    Item("single", "Which planet is known as the Red Planet?", ("Venus", "Mars", "Jupiter", "Saturn", "Neptune"), "B", 1, "Iron oxide makes it red."),
    Item("single", "Which of the statements about metals is true?", ("All metals are solid at room temperature.", "Most metals conduct electricity.", "Metals never react with acids.", "None of the above"), "B", 2, "Mercury is a liquid."),
    Item("single", "The author of the essay uses the word \"frugal\" to mean", ("careful with money", "full of energy", "quick to anger", "slow to learn"), "A", 2, "Frugal people save."),
    Item("single", "Consider the function f(x) = x^2 - 4x + 3. Its roots are", ("x = 1 and x = 3", "x = -1 and x = -3", "x = 0 and x = 4", "no real roots"), "A", 3, "It factors as (x - 1)(x - 3)."),
)  # fmt: skip
MULTIPLE = (
    Item("multiple", "Which of the following are even numbers? (Select all that apply.)", ("12", "15", "18", "21", "24"), "ACE", 3, "Even numbers are divisible by 2."),
    Item("multiple", "Which of these countries are in South America? Select all that apply.", ("Peru", "Ghana", "Chile", "Nepal"), "AC", 3, "Ghana is in Africa."),
    Item("multiple", "Select all noble gases.", ("Helium", "Oxygen", "Argon", "Nitrogen", "Neon"), "ACE", 4, "They are in group 18."),
    Item("multiple", "Which of the following were causes of the French Revolution? Choose all correct answers.", ("food shortages", "heavy taxes", "the invention of the telephone", "royal debt"), "ABD", 4, "The telephone came later."),
)  # fmt: skip
JUDGED = (
    Item("true_false", "The sum of two odd numbers is always even.", (), "True", 1, "1 + 1 = 2."),
    Item("true_false", "Sound travels faster than light.", (), "False", 1, "Lightning is seen before thunder is heard."),
    Item("true_false", "The Great Wall of China was built during a single dynasty.", (), "False", 1, "Work went on for centuries."),
    Item("true_false", "An adjective describes a noun.", (), "True", 1, "For example, a red car."),
    Item("true_false", "Water is a compound of hydrogen and oxygen.", (), "True", 1, "Its formula is H2O."),
    Item("true_false", "The Berlin Wall fell in 1979.", (), "False", 1, "It fell in 1989."),
)  # fmt: skip
BLANK = (
    Item("blank", "The process by which plants make food is called ______________.", (), "photosynthesis", 2, "It needs light."),
    Item("blank", "The Declaration of Independence was signed in ________.", (), "1776", 2, "It was adopted on July 4."),
    Item("blank", "The formula for the area of a circle is ________.", (), "A = πr^2", 2, "r is the radius."),
    Item("blank", "The plural of \"child\" is ________.", (), "children", 1, "It is irregular."),
    Item("blank", "An angle of exactly 90 degrees is called a ________ angle.", (), "right", 1, "It is marked by a square."),
    Item("blank", "The unit of electrical resistance is the ________.", (), "ohm", 1, "Named after Georg Ohm."),
)  # fmt: skip
SHORT = (
    Item("short", "Explain the difference between weather and climate.", (), "Weather is short-term; climate is the long-term average", 4, "Compare the time scales."),
    Item("short", "State two functions of the human skeleton.", (), "Support and protection", 2, "Movement is a third."),
    Item("short", "Why did the Roman Empire build roads?", (), "To move soldiers and goods quickly", 3, "Think of trade and war."),
    Item("short", "What does the narrator mean by \"the long shadow of the war\"?", (), "Its effects lasted for years", 4, "It is a metaphor."),
    Item("short", "Define the term inflation and give one example.", (), "A general rise in prices, for example dearer bread", 3, "Prices rise in general."),
    Item("short", "Describe how vaccination protects the body from disease.", (), "The body makes antibodies before it meets the germ", 4, "Memory cells remain."),
    Item("short", "Name the process by which a liquid becomes a gas.", (), "Evaporation", 1, "It happens at the surface."),
)  # fmt: skip
CALCULATION = (
    Item("calculation", "Solve for x: 5(x - 2) = 3x + 8.", (), "x = 9", 4, "5x - 10 = 3x + 8, so 2x = 18."),
    Item("calculation", "Calculate the kinetic energy of a 2.0 kg ball that moves at 3.0 m/s.", (), "9.0 J", 3, "Use half of m times v squared."),
    Item("calculation", "Find the volume of a cylinder with a radius of 3 cm and a height of 10 cm. Use π = 3.14.", (), "282.6 cm^3", 4, "V = πr^2h."),
    Item("calculation", "A shirt costs $40 and is reduced by 15%. Calculate the sale price.", (), "$34", 3, "15% of 40 is 6."),
    Item("calculation", "Calculate the number of moles in 11 g of carbon dioxide (Mr = 44).", (), "0.25 mol", 3, "Divide the mass by Mr."),
    Item("calculation", "A rectangular garden is 12.5 m long and 8 m wide. Calculate its area.", (), "100 m^2", 2, "Length times width."),
)  # fmt: skip
PARTED = (
    Item("calculation", "A ball is thrown upwards at 15 m/s from the ground. Take g = 10 m/s^2.", (), "", 6, "", (
        Item("calculation", "Calculate the time to reach the highest point.", (), "1.5 s", 2),
        Item("calculation", "Calculate the greatest height.", (), "11.25 m", 4),
    )),
    Item("short", "Study the following extract from a letter of 1916: \"We have not slept for three nights.\"", (), "", 7, "", (
        Item("short", "Who might have written this letter?", (), "A soldier in the trenches", 2),
        Item("short", "What does the letter tell us about the war?", (), "Life at the front was hard", 2),
        Item("short", "Explain why historians use such letters.", (), "They are first-hand sources", 3),
    )),
    Item("calculation", "The marks of five pupils are 12, 15, 9, 18 and 16.", (), "", 5, "", (
        Item("calculation", "Find the mean mark.", (), "14", 2),
        Item("calculation", "Find the median mark.", (), "15", 1),
        Item("calculation", "Find the range.", (), "9", 2),
    )),
    Item("short", "Sodium reacts with chlorine to form sodium chloride.", (), "", 4, "", (
        Item("short", "Write the word equation for this reaction.", (), "sodium + chlorine = sodium chloride", 2),
        Item("short", "Name the type of bonding in the product.", (), "Ionic bonding", 2),
    )),
)  # fmt: skip
ESSAY = (
    Item("essay", "Write an essay of 250-300 words on the advantages and disadvantages of social media.", (), "", 15),
    Item("essay", "\"Technology has made us lonelier.\" Discuss this statement in an essay.", (), "", 20),
    Item("essay", "Write a composition about a journey that you will never forget.", (), "", 20),
)  # fmt: skip
PASSAGES = (
    Passage(
        ("Maria Mitchell was born in 1818 on the island of Nantucket. Her father taught her to use a telescope when she was a child.", "In 1847 she discovered a comet, and the King of Denmark gave her a gold medal. She later became a professor of astronomy."),
        (Item("single", "Where was Maria Mitchell born?", ("In Denmark", "On Nantucket", "In Boston", "In London"), "B", 2),
         Item("single", "What did she discover in 1847?", ("a planet", "a star", "a comet", "a moon"), "C", 2),
         Item("short", "Who taught her to use a telescope?", (), "Her father", 2)),
    ),
    Passage(
        ("The old man sat on the pier and watched the boats come in. He had fished these waters for sixty years, and he knew every rock.", "\"You cannot hurry the sea,\" he told the boy, \"but you can learn to wait for it.\""),
        (Item("single", "How long had the old man fished there?", ("six years", "sixteen years", "sixty years", "a hundred years"), "C", 2),
         Item("short", "What does the old man's advice to the boy mean?", (), "Be patient", 3)),
    ),
)  # fmt: skip
