"""From bytes to text, tables, questions and scores. No HTTP, no database, no queue.

Documents are hostile until shown otherwise, so nothing of them is opened in the process that asks: `Reader` hands the
files to a fresh child process with limits, and what comes back is checked against `values`. The libraries that parse
(an optional extra) are imported in that child only.

What other floors use: `reader.Reader`, `values`, `limits.Limits`, `failures`, `kinds.kind_of` and
`scores.objective.score_objective`.
"""
