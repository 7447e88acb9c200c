"""The words of docs/BENCHMARKS.md: what each part measures, and what to make of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prose:
    title: str
    text: str
    after: str = ""
    best_first: bool | None = None  # how the table is sorted: most first, least first, or as measured


HEAD = """\
# Benchmarks

Written by `make bench`; change `bench/`, not this page. Figures are `min / **median** / max` of the runs, each run on
an empty server, contestants in turns and in random order, so that what the machine does meanwhile meets all of them
alike. Compare within this page: another machine has other figures, and mostly the same ratios.

```sh
make bench                                       # everything, about an hour; wrk is needed for part F
make bench ONLY=A,D PEERS=taskiq,arq RUNS=1      # parts of it, printed and not written down
python -m bench --report                         # these tables again, from bench/results/latest.json
```

**What is the same for all**: one Redis server (Valkey, the embedded one, which here writes nothing to disk), one worker
process with 100 slots, the same interpreter, and the same job, which writes its own begin and end into shared memory.
rq runs one job at a time; it has no other way. Peers run at their defaults except for concurrency and quiet logs, on
uvloop where they can.

**What is not**: a ledgered run of Homeroom also validates every input, commits every submit, begin and end to Postgres
(`fsync` and `synchronous_commit` on), writes an attempt row and live events, binds a log context and writes its log
lines as JSON to a file. No peer commits anything. taskiq, dramatiq and celery keep no results at their defaults; arq,
saq, streaq and rq do."""

FOOT = """\
## How to read this with care

- Client, workers, Redis and Postgres share the same cores. What costs the client or a server costs the worker too.
- The queue is filled before the worker starts (A, B, H, J), so neither producer nor start-up is in the rate. The clock
  runs from the first job's begin to the last one's end, as the jobs themselves write it down; a ledgered run's ends
  when the ledger has its last end. A run in which a job is missing or ran twice is thrown away, and said so.
- Sources, the pinned requirements of each peer and the raw figures are in `bench/`; `bench/README.md` says how to add a
  contestant."""

CALM = """\
On a virtual machine the host may take the cores away in the middle of a run. The kernel accounts for that, and a run of
which it took more than 3 % of the cores' time is taken anew, whatever its figure and whoever's it is, while the part's
patience lasts; then the least disturbed attempt counts. *The host took*: of the most disturbed run that counts. What it
slows down without taking it away, caches and memory, no account tells."""

MISSED = """\
**Why targets are missed.** *Where the time goes*, below, has the processor time of each shape of work by process,
what two cores could do at that cost, and how much of the cores the host gave to others meanwhile; the tables have
the best run beside the median."""

# By part and the beginning of the target's words: said of those that are missed.
WHY_MISSED = {
    "A Homeroom, own transaction": """\
**A, own transaction**: such a job goes to Postgres four times (begin, its statement, its end, commit) and waits
  for a flush of its own, where the fastest peer commits nothing. Worker and Postgres share two cores, and each
  hop costs both; the same writes as data in the outcome go with a batch.""",
    "B Homeroom, plain": """\
**B, plain ARQ function**: slots that were filled together end together, and wait for one claim (Redis) before they are
  filled again: one to two milliseconds of every fifty.""",
    "B Homeroom, ledgered": """\
**B**: a slot is empty from its job's return until the next claim (Redis) and begin (Postgres) have come back,
  two to three milliseconds of every fifty when both are busy with the ends.""",
    "D Homeroom, ledgered: p50": """\
**D**: a pickup is a chain of hops between processes that slept: commit, hint, wake, begin, first line. None of
  them takes long awake; the columns of D say when Postgres is reached. The fastest pickups take two
  milliseconds, the slow ones meet what the host takes away, as the peers' p99 in the same table do.""",
    "D Homeroom, through HTTP": """\
**D, through HTTP**: the chain of D with the API's way to the row before it.""",
    "F at least 60 %": """\
**F**: the API's process is the bound, and shares two cores with Postgres, Redis and the load. About half of its
  time is what the bare route spends, too; the rest is spread over key, limits, checks, batch, hint and
  document, none of them a tenth.""",
    "F in bulk": """\
**F, bulk**: the same process spends some thirty microseconds on each item of a request: its check, its id, its
  row's place in the statement, its hint, and its document in the answer.""",
    "H at least": """\
**H**: a lane's job waits for the end of the one before it, so a round (end, flush, next head, hint, claim,
  begin, flush) is in the way of every job, and both flushes are for certain: only one may hold a lane. Its cost
  is in the profile.""",
    "J Homeroom, ledgered": """\
**J, jobs that do nothing**: the machine is the bound. One worker, Postgres and Redis keep most of its cores busy
  already, and two workers nearly all of them, as the columns of J say. Where jobs have work of their own, it is the
  worker that is the bound, and a second one doubles it as far as the cores go.""",
    "K first words": """\
**K**: two requests, two flushed commits, a search of the class's material and a dozen hops lie between a question and
  its model, all on two cores together with the model and its client; the columns of K say when Postgres is
  reached.""",
}

PROSE = {
    "A": Prose(
        "A: no-op jobs",
        "A queue of jobs that do nothing, drained by one worker: what the machinery itself costs.",
        "*Own transaction*: each job inserts a row under row level security and commits it together with its end.\n"
        "*Effects as data*: the job returns what is to be written, and the engine commits it with a batch of ends.",
        best_first=True,
    ),
    "B": Prose(
        "B: jobs that wait 50 ms",
        "100 slots and 50 ms a job make 2,000 jobs/s at best: how well the slots are kept busy.",
        best_first=True,
    ),
    "C": Prose(
        "C: enqueue",
        "One producer process, no worker: awaiting each job, and 50 at once. A ledgered job is committed by then.",
        best_first=True,
    ),
    "D": Prose(
        "D: pickup on an idle worker",
        "From just before the producer asks for a job to the job's first line, one at a time, after random pauses.\n"
        "For Homeroom's ledgered jobs the commit of the submit is in it, and through HTTP all of the API.\n"
        "*Its row* and *its begin*: how far into that Postgres sets about the job's row, and about its begin.",
        best_first=False,
    ),
    "E": Prose(
        "E: kill -9 to running again",
        "A worker and all its children are killed in the middle of a job while another worker is there to take it.\n"
        "Ours: ten workers with a job each, killed one by one at random moments; a value for every kill. Peers: one\n"
        "trial at their defaults, and a minute and a half of patience.",
        "Some peers lose the job at their defaults, others give it back later; this part only says when it ran again.",
        best_first=False,
    ),
    "F": Prose(
        "F: submit over HTTP",
        "`wrk` with 50 keep-alive clients against one API process, each request with an API key, limits on, and an\n"
        "idempotency key of its own; beside it the least that FastAPI can do with the same body: check it. Both stand\n"
        "ready and are asked for a second each in turn. The bulk route takes 1,000 jobs a request.",
    ),
    "G": Prose(
        "G: growth",
        "The same while a thousand and while a million jobs are queued. *Claim rate*: begins by the second of no-op\n"
        "jobs, over windows of 1,000. *Pickup*: on an idle worker, while so many are queued for tomorrow. Reads are\n"
        "medians of the requests' times over one connection. *After FLUSHALL*: until Redis knows of them again.",
    ),
    "H": Prose("H: lanes", "Each lane strictly in order, one job at a time; the order is checked on every run."),
    "I": Prose(
        "I: fairness",
        "*Jain index*: 50 tenants with 20,000 jobs by Zipf's law, the loudest first in the queue; what each had been\n"
        "served when the first of them began its last job (1 is perfect). *Quiet job*: ten jobs of one tenant, one at\n"
        "a time, behind 10,000 of another's that take 50 ms.",
    ),
    "J": Prose(
        "J: more workers",
        "From the moment when the last worker has joined. The cores that each kind of process kept busy say who is\n"
        "the bound: where they add up to the machine's, the machine is. Jobs that do nothing show what the servers\n"
        "and the machine can bear; jobs that compute for a millisecond, what a second worker is for.",
    ),
    "K": Prose(
        "K: first words of a reply",
        "A scripted model says its first words after 50 ms and writes on, a piece every 10 ms. It is asked directly,\n"
        "with OpenAI's client, and through the system: `POST /v1/chat`, then the events until the first `delta`,\n"
        "with the turn, its job and its begin committed. One turn at a time, both ways in random order within a run.\n"
        "*Its row* and *its begin*: how far into that Postgres sets about the turn's job, and about its begin.",
    ),
    "console": Prose(
        "The console",
        "In Chromium, signed in as an operator, over a day of forty schools: a million jobs, a tenth of them waiting,\n"
        "and fifty workers. *First paint*: of the page opened at this view. *Slowest answer*: the API's longest wait\n"
        "among all that the view asks before it is whole.",
    ),
    "profile": Prose(
        "Where the time goes",
        "Processor time for each job, as the kernel counts it for every process, and what the machine's cores could\n"
        "do at that cost if none of them ever rested or was taken away: the most that any schedule could reach with\n"
        "this code on this machine. Between it and what was measured lie waits, and what the host gave to others.",
    ),
    "memory": Prose("Memory", "An idle worker with everything imported and connected, resident set."),
    "budget": Prose(
        "Budget",
        "As the servers saw it: Postgres' statement log, BEGIN and COMMIT included, and Redis' MONITOR, without what\n"
        "scripts call inside the server. The worker's start, heartbeats and reconciler are in it.",
    ),
}
