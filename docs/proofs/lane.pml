/* The engine's lane protocol, for the model checker Spin. `make prove` runs it; README.md says what it means.

   Each step is one statement in Postgres, one script in Redis, or what a process does by itself between two of them. A
   step is a `d_step`: nothing comes between its parts, anything may come between two steps. A pause is a next step that
   does not come for a long while, so it needs no step of its own; only the lease that ends meanwhile does. */

#ifndef JOBS
#define JOBS 3 /* 2 or 3 */
#endif
#ifdef OUTSIDE /* one of them: that job is outside lanes, and all others are in one */
#define in_lane(j) (j != OUTSIDE)
#else
#define in_lane(j) true
#endif
#ifndef FAULTS
#define FAULTS 1 /* of any kind, anywhere, in any order */
#endif
#ifndef WISHES
#define WISHES 1 /* cancels, retries by a person, deliveries handed back by a drain */
#endif
#define WORKERS 2
#define NONE 255

/* Jobs: models.py. */
#define ABSENT 0
#define QUEUED 1
#define PROCESSING 2
#define DONE 3
#define FAILED 4
#define CANCELLED 5
byte status[JOBS], attempt[JOBS], seq[JOBS];
bit token[JOBS];       /* claim_token and worker_id, by the worker that they stand for */
bit estranged[JOBS];   /* worker_id is not the one that this worker goes by now */
bit noted[JOBS];       /* dispatched_at is set */
bit delayed[JOBS];     /* run_at lies ahead */
bit failures[JOBS];
bit unwanted[JOBS];    /* cancel_requested_at is set */
bit overdue[JOBS];     /* deadline_at has passed */
byte next_seq = 1;     /* the lane's row in `lanes` */
byte requests = JOBS;  /* yet to come */

/* Redis holds hints, on the queue or under a lease, and the epoch. Only the hint for a job's next attempt is kept here:
   one for an earlier attempt is dropped by whoever claims it. In a worker's hand such a hint is kept. */
#define FORGOTTEN 0
#define REBUILDING 1
#define SETTLED 2
bit hinted[JOBS], leased[JOBS];
byte epoch = SETTLED;
bit other_run;         /* the server was started anew: the epoch names an earlier run */
bit agreed = 1;        /* queue_controls.epoch is Redis' epoch, or the one that the rebuild under way will settle */

/* Notes under way: hints.py. A note of another epoch than the ledger's marks nothing, and no epoch comes twice: such a
   note is as good as none, and is none here. */
bit note[JOBS];
bit looked[JOBS];      /* of a mutant: its epoch was looked at, and is not looked at again */

/* What a worker has in its hands: beginning.py, inflight.py, finishing.py, lease.py. */
#define IDLE 0
#define CLAIMED 1
#define BEGINNING 2    /* begin has taken its snapshot and not yet written */
#define BEGUN 3        /* its verdict is here; the run is not yet started */
#define RUNNING 4
#define WRITTEN 5
#define UNSURE 6       /* written, but the reply was lost */
byte phase[WORKERS], job[WORKERS], hint[WORKERS];
byte word[WORKERS];    /* how the delivery ends */
byte answer[WORKERS];  /* the job's status by finish's reply */
bit recorded[WORKERS]; /* job_attempts has a row with this attempt, token and word */
bit stopped[WORKERS];  /* Stop.LOST */
bit outdated[WORKERS]; /* the delivery's worker_id, as which begin was sent, is an earlier one */
bit lease[WORKERS];    /* lease_until lies ahead */
bit adopts[WORKERS];   /* registered anew, and has yet to adopt */
bit again[WORKERS];    /* of a mutant: and what it adopts as is itself an earlier one */
#define SUCCESS 0
#define FAILURE 1
#define CANCEL 2
#define RETRY 3
#define RELEASED 4

/* What the sweeper has in its hands: reconcile.py. */
#define MARKED 1
#define ENTERED 2
#define HINTED 3
byte rebuild;
bit owns_mark;         /* the mark in Redis is still its own */
byte found = NONE, found_attempt;
bit found_token, found_expired;

byte faults = FAULTS, wishes = WISHES;

/* Known to the proof alone. */
byte begun_seq;        /* the highest lane_seq that was begun */
bit effective[JOBS];   /* a delivery was told that its success is written */
bit overran[WORKERS];  /* its job was taken by its own deadline, which its time-out comes before */
hidden byte x;         /* scratch, within one step */

#define live(j) (status[j] == QUEUED || status[j] == PROCESSING)
#define terminal(j) (status[j] >= DONE)
#define next_of(j, a) (status[j] == QUEUED && attempt[j] == (a) - 1)
#define behind(j, o) (in_lane(o) && in_lane(j) && live(o) && seq[o] < seq[j])
#define owns(w) (status[job[w]] == PROCESSING && attempt[job[w]] == hint[w] && token[job[w]] == w)
#define holds_lane(j) (in_lane(j) && status[j] == PROCESSING)
#if JOBS == 3
#define first(j) (!behind(j, 0) && !behind(j, 1) && !behind(j, 2))
#define holders (holds_lane(0) + holds_lane(1) + holds_lane(2))
#define all_ended (requests == 0 && !live(0) && !live(1) && !live(2))
#define last_is_live (status[2] -> live(2) : (status[1] -> live(1) : live(0)))
#define EACH_JOB(step) step(0) :: step(1) :: step(2)
#define EACH_JOB_OF(w, step) step(w, 0) :: step(w, 1) :: step(w, 2)
#else
#define first(j) (!behind(j, 0) && !behind(j, 1))
#define holders (holds_lane(0) + holds_lane(1))
#define all_ended (requests == 0 && !live(0) && !live(1))
#define last_is_live (status[1] -> live(1) : live(0))
#define EACH_JOB(step) step(0) :: step(1)
#define EACH_JOB_OF(w, step) step(w, 0) :: step(w, 1)
#endif

/* Polling, with its rounds or, for I1, without them: then what begin would send back stays on the queue until it would
   not, and what would be refused or not noted is not enqueued. */
#ifdef EVENTUALLY
#define due(j) (hinted[j] && !delayed[j] && first(j))
#define sweeps (epoch == SETTLED && agreed && !note[0] && !note[1])
#else
#define due(j) hinted[j]
#define sweeps true
#endif

/* What the mutants break. LANE_HEAD is begin's (ledger/rows.py), LANE_FREE is the unique index jobs_lane_holder. */
#if defined(NO_HEAD_CHECK) || defined(INDEX_ALONE)
#define LANE_HEAD(j) true
#else
#define LANE_HEAD(j) first(j)
#endif
#ifdef NO_HEAD_CHECK
#define LANE_FREE(j) true
#else
#define LANE_FREE(j) (!in_lane(j) || holders == 0)
#endif
#ifdef NO_FENCE
#define FENCE(w) (status[job[w]] == PROCESSING)
#else
#define FENCE(w) owns(w)
#endif
#ifdef ONLY_I5
#define I4(claim)
#else
#define I4(claim) assert(claim)
#endif

#define same_lane(j, o) (j == o || (in_lane(j) && in_lane(o)))
#define executes(w) (phase[w] == RUNNING && lease[w] && !adopts[w] && !stopped[w] && !overran[w])
inline check_holders() {
    assert(holders <= 1); /* I2, in the ledger */
    assert(!(executes(0) && executes(1) && same_lane(job[0], job[1]))) /* I2, in the world */
}

inline free_hands(w) {
    phase[w] = IDLE; job[w] = 0; hint[w] = 0; word[w] = 0; answer[w] = 0;
    recorded[w] = 0; stopped[w] = 0; outdated[w] = 0; overran[w] = 0
}

/* The job is not queued for this attempt any more, and never will be again: hints and notes of it mean nothing. */
inline outdate(j) { hinted[j] = 0; leased[j] = 0; note[j] = 0; looked[j] = 0; noted[j] = 0; delayed[j] = 0 }

inline forget_found() { found = NONE; found_token = 0; found_attempt = 0; found_expired = 0 }

/* Nothing will ask for these columns again. A failed job keeps its attempt: a person may retry it. */
inline close_row(j) {
    token[j] = 0; estranged[j] = 0; overdue[j] = 0;
#ifndef RESCUE_BY_OWNER
    if :: found == j -> forget_found() :: else fi;
#endif
    if
    :: terminal(j) -> failures[j] = 0; unwanted[j] = 0; seq[j] = 0; attempt[j] = (status[j] == FAILED -> attempt[j] : 0)
    :: else
    fi
}

/* Redis' epoch becomes another one, or none. */
inline drop_epoch() { epoch = FORGOTTEN; other_run = 0; owns_mark = 0 }

#ifdef TRUST_NOTES
#define believed true
#else
#define believed agreed
#endif

/* enqueue.lua, and its answer's way to `note`. */
inline enqueue(j) {
    if :: !leased[j] -> hinted[j] = 1 :: else fi;
    if :: epoch == SETTLED && believed -> note[j] = 1 :: else fi
}

/* lane_heads of ledger/dispatching.py, and Dispatcher.enqueue. That the hint follows later than the read is as if both came
   later: a head stays the head until it has ended, and what was begun in between makes the hint worthless. */
inline hint_at_head() {
    x = 0;
    do
    :: x == JOBS -> break
    :: x < JOBS && in_lane(x) && status[x] == QUEUED && !noted[x] && first(x) -> enqueue(x); break
    :: else -> x++
    od;
    x = 0
}

/* ---------------------------------------------------------------------------------------------------- the API */

/* ledger/submit.py, under the lane row's lock. */
inline submit() {
    d_step {
        requests -> requests--;
        x = 0;
        do :: status[x] != ABSENT -> x++ :: else -> break od;
        status[x] = QUEUED; seq[x] = next_seq; next_seq++; x = 0
    }
}

/* Debounced: the request means the lane's last job, which is live, and takes no place in the lane. */
inline debounce() { d_step { requests && last_is_live -> requests-- } }

/* announce.py, and the verbs of api/jobs/service.py: the lane's head, after their commit, or never. */
inline tell(j) { d_step { sweeps && status[j] == QUEUED && !noted[j] && first(j) -> enqueue(j) } }

/* ledger/cancel.py */
inline cancel(j) {
    d_step {
        wishes && live(j) && !unwanted[j] -> wishes--;
        if
        :: status[j] == QUEUED -> status[j] = CANCELLED; outdate(j); close_row(j)
        :: else -> unwanted[j] = 1
        fi
    }
}

/* ledger/retry.py: the same job, a fresh budget, the tail of its lane. */
inline retry(j) {
    d_step { wishes && status[j] == FAILED -> wishes--; status[j] = QUEUED; seq[j] = next_seq; next_seq++ }
}

active proctype api() {
end:
    do
    :: submit() :: debounce() :: EACH_JOB(tell) :: EACH_JOB(cancel) :: EACH_JOB(retry)
    od
}

/* A rebuild hints at the heads of lanes alone: a note of what waits behind one would outlive its hint. */
#ifdef NOTE_TAILS
#define may_note(j) true
#else
#define may_note(j) first(j)
#endif

/* mark_dispatched, in one step by its share lock on the epoch. */
#ifdef LATE_NOTES
inline look_up(j) { d_step { note[j] && !looked[j] -> looked[j] = 1 } }
#define may_mark(j) (note[j] && looked[j])
#else
#define may_mark(j) note[j]
#endif
inline mark(j) {
    d_step {
        may_mark(j) -> noted[j] = may_note(j);
        note[j] = 0; looked[j] = 0
    }
}

active proctype notes() {
end:
    do
    :: EACH_JOB(mark)
#ifdef LATE_NOTES
    :: EACH_JOB(look_up)
#endif
    od
}

/* ------------------------------------------------------------------------------------------------- the workers */

/* Two idle workers that differ in nothing: the first one claims. */
#define in_turn(w) (w == 0 || phase[0] != IDLE || lease[0] != lease[1] || adopts[0] != adopts[1])

/* claim.lua: any hint, since no order is promised. */
inline claim(w, j) {
    d_step {
        phase[w] == IDLE && due(j) && in_turn(w) -> hinted[j] = 0; leased[j] = 1;
        phase[w] = CLAIMED; job[w] = j; hint[w] = attempt[j] + 1
    }
}

inline send_back(w) { /* put_back.lua */
    if :: next_of(job[w], hint[w]) -> hinted[job[w]] = 1; leased[job[w]] = 0 :: else fi;
    free_hands(w)
}

/* ledger/begin.py, first half: what the statement's snapshot says. */
inline look(w) {
    d_step {
        phase[w] == CLAIMED -> outdated[w] = 0;
        if
        :: owns(w) && !estranged[job[w]] -> phase[w] = BEGUN
        :: next_of(job[w], hint[w]) && lease[w] && !delayed[job[w]] && LANE_HEAD(job[w]) -> phase[w] = BEGINNING
        :: next_of(job[w], hint[w]) && !(lease[w] && !delayed[job[w]] && LANE_HEAD(job[w])) -> send_back(w)
        :: else -> free_hands(w)
        fi
    }
}

/* Second half: under the row's lock its own columns are looked at again, other rows are not. The index always is. */
inline begin(w) {
    d_step {
        phase[w] == BEGINNING ->
        if
        :: next_of(job[w], hint[w]) && LANE_FREE(job[w]) ->
            assert(seq[job[w]] >= begun_seq || !in_lane(job[w])); /* I3 */
            begun_seq = (in_lane(job[w]) -> seq[job[w]] : begun_seq);
            outdate(job[w]);
            status[job[w]] = PROCESSING; attempt[job[w]] = hint[w];
            token[job[w]] = w; estranged[job[w]] = outdated[w];
            phase[w] = BEGUN;
            check_holders()
        :: next_of(job[w], hint[w]) && !(LANE_FREE(job[w])) -> phase[w] = CLAIMED /* UniqueViolation: look again */
        :: else -> send_back(w) /* it went on, but the snapshot said queued */
        fi
    }
}

/* intake._heed. A delivery that was begun under an earlier registration has yet to be adopted. */
inline start(w) {
    d_step {
        phase[w] == BEGUN -> phase[w] = RUNNING;
#ifndef START_UNADOPTED
        adopts[w] = (outdated[w] -> 1 : adopts[w]);
#endif
        check_holders()
    }
}

/* ledger/finish.py. What it refuses is looked up by its attempt row: an earlier reply may have been lost. */
inline write(w) {
    if
    :: FENCE(w) ->
        I4(owns(w));
        x = 1 - w; /* the row is recorded under the job's own attempt and token */
        recorded[x] = (phase[x] >= RUNNING && job[x] == job[w] && owns(x) -> 1 : recorded[x]);
        recorded[w] = 1;
        if
        :: word[w] == SUCCESS -> status[job[w]] = DONE
        :: word[w] == FAILURE -> status[job[w]] = FAILED
        :: word[w] == CANCEL -> status[job[w]] = CANCELLED
        :: word[w] >= RETRY -> status[job[w]] = (unwanted[job[w]] -> CANCELLED : QUEUED)
        fi;
        failures[job[w]] = (word[w] == RETRY -> 1 : failures[job[w]]);
        delayed[job[w]] = (word[w] == RETRY && status[job[w]] == QUEUED -> 1 : 0);
        x = job[w]; close_row(x); x = 0
    :: else
    fi;
    if
    :: recorded[w] -> phase[w] = WRITTEN; answer[w] = (status[job[w]] >= DONE -> DONE : status[job[w]])
    :: else -> free_hands(w)
    fi
}

/* execute.py: how the function ends. That its end is written late is as if it had ended late. */
inline succeed(w) { d_step { phase[w] == RUNNING && !stopped[w] -> word[w] = SUCCESS; write(w) } }
inline fail(w) { d_step { phase[w] == RUNNING && !stopped[w] -> word[w] = FAILURE; write(w) } }
inline put_off(w) { d_step { phase[w] == RUNNING && !stopped[w] && !failures[job[w]] -> word[w] = RETRY; write(w) } }
inline drain(w) { d_step { phase[w] == RUNNING && !stopped[w] && wishes -> wishes--; word[w] = RELEASED; write(w) } }
inline heed_cancel(w) { /* control.py asks by its own worker_id */
    d_step {
        phase[w] == RUNNING && !stopped[w] && owns(w) && !estranged[job[w]] && unwanted[job[w]] ->
        word[w] = CANCEL; write(w)
    }
}
inline stop(w) { d_step { phase[w] == RUNNING && stopped[w] -> free_hands(w) } }
inline write_again(w) { d_step { phase[w] == UNSURE -> write(w) } }

/* finishing.go_on: dispatch the job's next try, or its lane's head. */
inline go_on(w) {
    d_step {
        phase[w] == WRITTEN ->
        if
        :: word[w] == SUCCESS ->
            assert(!effective[job[w]]); /* I5 */
            effective[job[w]] = 1
        :: else
        fi;
        if
        :: answer[w] == QUEUED && next_of(job[w], hint[w] + 1) -> enqueue(job[w])
        :: answer[w] >= DONE && in_lane(job[w]) -> hint_at_head()
        :: else
        fi;
        free_hands(w)
    }
}

proctype worker(byte w) {
end:
    do
    :: EACH_JOB_OF(w, claim) :: look(w) :: begin(w) :: start(w)
    :: succeed(w) :: fail(w) :: put_off(w) :: drain(w) :: heed_cancel(w) :: stop(w)
    :: write_again(w) :: go_on(w)
    od
}

/* lease.py: a lease that ran out is not renewed. */
inline register_anew(w) {
    d_step {
        !lease[w] -> lease[w] = 1;
#ifdef ADOPT_BESIDE
        again[w] = adopts[w];
#endif
        adopts[w] = 1;
        outdated[w] = (phase[w] >= BEGINNING && phase[w] <= RUNNING -> 1 : outdated[w]);
        x = 0;
        do
        :: x == JOBS -> break
        :: else -> estranged[x] = (status[x] == PROCESSING && token[x] == w -> 1 : estranged[x]); x++
        od;
        x = 0
    }
}

/* inflight._adopt, and `adopt` of ledger/heartbeat.py, of the runs that were begun under an earlier name. One adoption
   follows the other, and what a row is called in between means nothing to anybody: so the last one is all of them. */
#ifdef ADOPT_ALL
#define to_adopt(w) (phase[w] == RUNNING)
#else
#define to_adopt(w) (phase[w] == RUNNING && outdated[w])
#endif
inline adopt(w) {
    d_step {
        adopts[w] -> adopts[w] = 0;
        if
        :: to_adopt(w) && owns(w) && estranged[job[w]] -> estranged[job[w]] = again[w]; outdated[w] = again[w]
        :: to_adopt(w) && !(owns(w) && estranged[job[w]]) -> stopped[w] = 1
        :: else
        fi;
        again[w] = 0;
        check_holders()
    }
}

proctype lease_of(byte w) {
end:
    do
    :: register_anew(w) :: adopt(w)
    od
}

/* -------------------------------------------------------------------------------------------------- the sweeper */

/* ledger/rescue.py: what its snapshot finds, and what it does under the row's lock. That a row names another worker_id
   than the lapsed one that was found is, here, that it is not `expired` any more. */
#define expired(j) (estranged[j] || !lease[token[j]])
#ifdef RESCUE_BY_OWNER
#define same_delivery true
#else
#define same_delivery (attempt[found] == found_attempt)
#endif
inline find(j) {
    d_step {
        found == NONE && status[j] == PROCESSING && (expired(j) || overdue[j]) ->
        found = j; found_token = token[j]; found_attempt = attempt[j]; found_expired = expired(j)
    }
}
inline rescue() {
    d_step {
        found != NONE ->
        if
        :: status[found] == PROCESSING && token[found] == found_token && same_delivery &&
           (!found_expired || expired(found)) ->
            assert(expired(found) || overdue[found]); /* nothing is taken from who still holds it */
            x = token[found];
            overran[x] = (overdue[found] && phase[x] >= BEGUN && job[x] == found && owns(x) -> 1 : overran[x]);
            status[found] = (unwanted[found] -> CANCELLED : QUEUED);
            x = found; close_row(x); x = 0
        :: else
        fi;
        forget_found()
    }
}

/* reconcile._heed_epoch and _rebuild. */
inline begin_rebuild() {
    d_step {
        rebuild == 0 && (epoch == FORGOTTEN || (epoch == SETTLED && (other_run || !agreed))) ->
        drop_epoch(); epoch = REBUILDING; owns_mark = 1; rebuild = MARKED
    }
}

/* The ledger's epoch becomes another one: notes of earlier epochs are void. */
inline enter() {
#ifndef TRUST_NOTES
    x = 0;
    do :: x == JOBS -> break :: else -> note[x] = looked[x]; x++ od;
    x = 0;
#endif
    agreed = 0
}
inline enter_epoch() { d_step { rebuild == MARKED -> enter(); agreed = 1; rebuild = ENTERED } }

/* all_lane_heads and noted_page. The mark is not Redis' epoch: none of these hints is noted. */
inline hint_again() {
    d_step {
        rebuild == ENTERED -> rebuild = HINTED;
        x = 0;
        do
        :: x == JOBS -> break
        :: x < JOBS && status[x] == QUEUED && !leased[x] && (in_lane(x) -> first(x) : noted[x]) -> hinted[x] = 1; x++
        :: else -> x++
        od;
        x = 0
    }
}

inline settle_epoch() {
    d_step {
        rebuild == HINTED -> rebuild = 0;
        if :: epoch == REBUILDING && owns_mark -> epoch = SETTLED :: else fi;
        owns_mark = 0
    }
}

/* undispatched of ledger/dispatching.py: only heads of lanes. */
inline sweep(j) { d_step { sweeps && status[j] == QUEUED && !noted[j] && first(j) -> enqueue(j) } }

active proctype sweeper() {
end:
    do
    :: EACH_JOB(find) :: rescue() :: EACH_JOB(sweep)
    :: begin_rebuild() :: enter_epoch() :: hint_again() :: settle_epoch()
    od
}

/* ------------------------------------------------------------------------------------------- time, and the worst */

#define holds(w, j) ((phase[w] == CLAIMED || phase[w] == BEGINNING) && job[w] == j && next_of(j, hint[w]))

/* A lease in Redis ends where nobody holds what it stands for: claim.lua takes that as if it were queued. */
inline end_hold(j) { d_step { leased[j] && !holds(0, j) && !holds(1, j) -> leased[j] = 0; hinted[j] = 1 } }
inline come_due(j) { d_step { delayed[j] -> delayed[j] = 0 } }

active proctype time() {
end:
    do
    :: EACH_JOB(end_hold) :: EACH_JOB(come_due)
    :: d_step { epoch == REBUILDING && !owns_mark && rebuild == 0 -> drop_epoch() } /* the rebuilder died */
    od
}

inline crash(w) { /* another process comes in its place */
    d_step {
        faults && (phase[w] != IDLE || adopts[w]) -> faults--;
        x = 0;
        do
        :: x == JOBS -> break
        :: else -> estranged[x] = (status[x] == PROCESSING && token[x] == w -> 1 : estranged[x]); x++
        od;
        x = 0;
        free_hands(w); lease[w] = 1; adopts[w] = 0; again[w] = 0
    }
}
/* Frozen, or cut off from Postgres. */
inline outlive_lease(w) { d_step { faults && lease[w] -> faults--; lease[w] = 0 } }
inline lose_begun(w) { d_step { faults && phase[w] == BEGUN -> faults--; phase[w] = CLAIMED } }
inline lose_written(w) { d_step { faults && phase[w] == WRITTEN -> faults--; phase[w] = UNSURE } }
inline overstay(j) { d_step { faults && status[j] == PROCESSING && !overdue[j] -> faults--; overdue[j] = 1 } }
inline hint_twice(j) { /* its lease ends though somebody has it in hand */
    d_step { faults && leased[j] && (holds(0, j) || holds(1, j)) -> faults--; leased[j] = 0; hinted[j] = 1 }
}
inline flush() {
    d_step {
        faults && epoch != FORGOTTEN -> faults--;
        x = 0;
        do :: x == JOBS -> break :: else -> hinted[x] = 0; leased[x] = 0; x++ od;
        x = 0; drop_epoch()
    }
}
inline lose_hint(j) { /* a restart or a failover, without the last second */
    d_step {
        faults && (hinted[j] || leased[j]) && epoch != FORGOTTEN -> faults--;
        hinted[j] = 0; leased[j] = 0; other_run = 1
    }
}
inline lose_note(j) { d_step { faults && note[j] -> faults--; note[j] = 0; looked[j] = 0 } }

active proctype misfortune() {
end:
    do
    :: crash(0) :: crash(1) :: outlive_lease(0) :: outlive_lease(1)
    :: lose_begun(0) :: lose_begun(1) :: lose_written(0) :: lose_written(1)
    :: EACH_JOB(overstay) :: EACH_JOB(hint_twice) :: EACH_JOB(lose_hint) :: EACH_JOB(lose_note) :: flush()
    :: d_step { /* the sweeper dies */
        faults && (found != NONE || rebuild) -> faults--;
        forget_found(); rebuild = 0; owns_mark = 0
    }
    :: d_step { faults && epoch == REBUILDING -> faults--; drop_epoch() } /* the mark ends under its rebuilder */
    :: d_step { faults && agreed -> faults--; enter() } /* a rebuilder thought dead goes on; the ledger is restored */
    :: d_step { faults || wishes -> faults = 0; wishes = 0 } /* fewer also happen */
    od
}

#ifdef EVENTUALLY
ltl I1 { <> all_ended }
#else
/* I1: when nothing can move any more, every accepted job has ended. */
active proctype verdict() {
end:
    timeout -> assert(all_ended)
}
#endif

init {
    d_step { lease[0] = 1; lease[1] = 1 }
    atomic { run worker(0); run worker(1); run lease_of(0); run lease_of(1) }
}
