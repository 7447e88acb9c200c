"""The exam: a paper, its key and the marks are uploaded, parsed, looked at and confirmed."""

from __future__ import annotations

from demo.narrator import Narrator
from demo.people import Job, School

PAPER = b"""Mathematics, week 12

Section A. Multiple choice (2 points each)

1. What is 1/2 + 1/3?
A. 2/5
B. 5/6
C. 1/6
D. 3/4

2. Which of these is a prime number?
A. 21
B. 27
C. 29
D. 33

Section B. Answer the questions

3. A rectangle is 4 cm wide and 7 cm long. What is its area? (3 points)

4. Solve 3x + 5 = 20. (3 points)
"""
KEY = b"1 B\n2 C\n3 28 cm2\n4 x = 5\n"
MARKS = b"""student_id,name,Q1,Q2,Q3,Q4
s01,Ada,2,2,3,3
s02,Ben,2,0,3,1
s03,Chen,0,2,2,3
s04,Dora,2,2,1,0
"""


async def hold_exam(school: School, tell: Narrator) -> list[tuple[School, Job]]:
    tell.scene("13:00  A teacher uploads an exam: the paper, the key and the marks of four pupils.")
    form = {"exam_id": "week-12", "date": "2026-11-20", "class_name": "7B", "language": "en"}
    job = await school.upload(
        "exams",
        form,
        [
            ("paper_files", ("paper.txt", PAPER)),
            ("answer_files", ("key.txt", KEY)),
            ("score_files", ("marks.csv", MARKS)),
        ],
    )
    job = await school.ended(job)
    if job["status"] != "done":
        raise RuntimeError(f"the exam was not parsed: {job['error']}: {job['error_detail']}")
    draft = await school.draft(job)
    tell.say(f"parsed: {len(draft['questions'])} questions, {len(draft['students'])} pupils, {_warnings(draft)}.")
    answer = await school.confirm("exams", job)
    told = "confirmed; the pupils' profiles are brought up to date" if answer.is_success else answer.json()["detail"]
    tell.say(f"{told}.")
    return [(school, job)]


def _warnings(draft: Job) -> str:
    count = len(draft["warnings"])
    return f"{count} warnings for the teacher" if count else "nothing to correct"
