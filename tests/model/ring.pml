/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring and its waiting, for spin: a source, a sink, two workers, two stages and a
 * supervisor, as src/ring/claim.c, src/ring/wakeup.c and the loops of src/run/ go. Every
 * order of the steps is looked at, and a worker may die before any step of its own.
 * README.md says what is proved and what each mutation gives; model.sh has the runs.
 *
 * Options of a run:
 *	SLOTS, BATCHES	the window and the length of the input
 *	POOL		both workers run both stages; otherwise a stage each
 *	SERIAL=p	the pool's stage that is serial; otherwise both are stateless
 *	CRASHES		how many deaths there may be
 *	DOUBT		instead of these, claims are taken back from workers that live
 *	PARK=n		the pool's second worker parks at first, and the limit changes n times
 *	FAILING		any batch may be the failing one, at which the sink stops the run
 *	NO_..., ONE_AREA	mutations: each must give an error
 *
 * What is one step. At the most one atomic operation of the code. Several are one step
 * only where that loses no fault:
 *   - A loop around a CAS whose failed rounds change nothing is its last round, with the
 *     load that let it succeed.
 *   - What stays so once it is so (a batch is filled, it has passed, the run is stopped)
 *     may be looked at later than the code does, with the look that follows.
 *   - The look that a waiter takes before its notify_prepare is free to see nothing, or any
 *     batch that is there. So no order in which workers choose matters to what is proved.
 *   - That a worker is within the limit is looked at with the look or the notify_prepare
 *     that follows. A change between the two could as well come after both: nobody else
 *     looks at the limit.
 *   - An area is read and written by whoever holds the slot, in the step that takes it or
 *     publishes it. A worker that dies leaves it half written.
 *   - Who cannot die (any more) calls futex_wake in the step that counts, and who wakes
 *     everyone does so at once, as early as the code may. Who begins to sleep later than that
 *     would be woken for nothing. Being woken for nothing only hides faults.
 *
 * Sequential consistency. A step is seen by all at once. What the code needs to be like
 * that, for each wait: a change (exchange or CAS of a state, exchange of end_seq or stop)
 * and then notify_wake's load of the word, against notify_prepare's OR of the word and then
 * the second look (ring_state, ring_end_seq, ring_stopped). Each side writes one word and
 * then reads the other's; if one of these were less than seq_cst, both could read what
 * was before. Areas and history rest on less, on release and acquire of the state word:
 * ring_advance, ring_commit and ring_take_back publish, ring_is_ready and ring_claim_this see.
 */

#ifndef SLOTS
#define SLOTS 3
#endif
#ifndef BATCHES
#define BATCHES 5
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef SERIAL
#define SERIAL 0
#endif

#define SOURCE 0 /* positions of a batch */
#define SINK   3

/*
 * The state word: lap, position, holder (0: READY). With four positions the next place is
 * the number plus one, from the sink to the next lap's source as well.
 */
#define SLOT(seq)	  ((seq) % SLOTS)
#define PLACE(seq, pos)	  ((seq) / SLOTS * 4 + (pos))
#define READY(seq, pos)	  (PLACE(seq, pos) * 4)
#define BUSY(seq, pos, w) (PLACE(seq, pos) * 4 + 1 + (w))
#define PLACE_OF(word)	  ((word) / 4)
#define HOLDER_OF(word)	  ((word) % 4)

byte state[SLOTS];

#define ring_is_ready(seq, pos) (state[SLOT(seq)] == READY(seq, pos))
#define ring_passed(seq, pos)	(PLACE_OF(state[SLOT(seq)]) > PLACE(seq, pos))

/* A slot's two areas: which batch, after how many stages; 0: half written. */
#define CONTENT(seq, stages) (1 + (seq) * 3 + (stages))
#ifdef ONE_AREA
#define AREA(seq, which) area[SLOT(seq) * 2]
#else
#define AREA(seq, which) area[SLOT(seq) * 2 + (which) % 2]
#endif

byte area[SLOTS * 2];

#define END_UNKNOWN 255

byte end_seq = END_UNKNOWN;
bool stop;

/* Who waits together, on a word: the source, the sink, then the workers. */
#define GROUP_SOURCE 0
#define GROUP_SINK   1
#define NO_GROUP     255
#ifdef PARK
#define GROUP_PARK     3 /* the word that the pool's second worker parks on */
#define N_GROUPS       4
#elif defined POOL
#define N_GROUPS       3
#endif
#ifdef POOL
#define GROUP_OF(w)    2
#define FIRST(w)       1
#define LAST(w)	       2
#define IS_SERIAL(pos) ((pos) == SERIAL)
#ifdef PARK
#define MORTAL(w)      ((w) == 1) /* the one that parks */
#else
#define MORTAL(w)      ((w) == 0) /* the workers of a pool are alike: one is enough */
#endif
#else
#define N_GROUPS       4
#define GROUP_OF(w)    (2 + (w))
#define FIRST(w)       (1 + (w))
#define LAST(w)	       (1 + (w))
#define IS_SERIAL(pos) true
#define MORTAL(w)      true
#endif
#define GROUP_AT(pos)                                                                              \
	((pos) == SOURCE -> GROUP_SOURCE : ((pos) == SINK -> GROUP_SINK : GROUP_OF((pos) - 1)))

#define ME_SOURCE    1
#define ME_SINK	     2
#define ME_WORKER(w) (4 << (w))

/*
 * A wait word is the bit `sleeper` and a count of wake-ups. All that is done with the
 * count is to compare it with a key, an earlier look. So instead of the number there is
 * the set of those whose key still is the word: a count that never runs over, in few
 * states. A futex is the set of those who sleep on it. It may end a sleep without a
 * reason, but that could only hide that a wake-up is missing.
 */
bool sleeper[N_GROUPS];
byte key_holds[N_GROUPS];
byte asleep[N_GROUPS];

#ifdef NO_COUNT
/* Then a word with the bit set again is the word of before. */
#define KEY_HOLDS(group, me) sleeper[group]
#define COUNT(group)	     skip
#else
#define KEY_HOLDS(group, me) (key_holds[group] & (me))
#define COUNT(group)	     key_holds[group] = 0
#endif
/* The bit is cleared when nobody depends on it; the code leaves it, and wakes nobody then. */
#define FORGET_KEY(group, me)                                                                      \
	key_holds[group] = key_holds[group] & ~(me);                                               \
	sleeper[group] = sleeper[group] && (key_holds[group] | asleep[group])

#ifdef PARK
bool limit_is_one = true;
#define LIMIT_ALLOWS(w) (!limit_is_one || (w) == 0)
#else
#define LIMIT_ALLOWS(w) true
#endif

bool may_run[2] = true; /* otherwise dead, until another is started under this number */
byte deaths;		/* that may still come */
byte n_gone;
bool all_retired;

/* An alternative to every step of a worker. */
#ifdef DOUBT
#define MAY_DIE(w) false
#else
#define MAY_DIE(w) (deaths && MORTAL(w))
#endif
#define DIES atomic { MAY_DIE(w) -> die() }

inline notify_prepare(group, me)
{
	sleeper[group] = true;
	key_holds[group] = key_holds[group] | (me)
}

/* The kernel compares and queues in one step. */
inline notify_sleep(group, me)
{
	if
	:: KEY_HOLDS(group, me) -> asleep[group] = asleep[group] | (me)
	:: else
	fi;
	FORGET_KEY(group, me)
}

#define IS_AWAKE(group, me) (!(asleep[group] & (me)))

inline notify_count(group)
{
	sleeper[group] = false;
	COUNT(group)
}

inline notify_wake(group)
{
	if
	:: d_step { sleeper[group] -> notify_count(group); asleep[group] = 0 }
	:: !sleeper[group]
	fi
}

/* By a worker, who may die between the count and the futex_wake. */
inline notify_wake_mortal(group)
{
	if
	:: DIES -> goto dead
	:: d_step { sleeper[group] && !MAY_DIE(w) -> notify_count(group); asleep[group] = 0 }
	:: d_step { sleeper[group] && MAY_DIE(w) -> notify_count(group) }
	   if
	   :: DIES -> goto dead
	   :: asleep[group] = 0 /* futex_wake_all */
	   fi
	:: !sleeper[group]
	fi
}

/*
 * For what happens seldom: wakes even where the bit is not set. Who has cleared it may
 * have died before his futex_wake, and others leave the waking to him.
 */
inline notify_rouse(group)
{
#ifdef NO_ROUSE
	if
	:: sleeper[group] -> asleep[group] = 0
	:: else
	fi;
#else
	asleep[group] = 0;
#endif
	notify_count(group)
}

inline ring_rouse()
{
	notify_rouse(0);
	notify_rouse(1);
	notify_rouse(2);
#if N_GROUPS > 3 && !defined NO_PARK_ROUSE
	notify_rouse(3);
#endif
}

/* A place never goes back. */
inline move(seq, word)
{
	assert(PLACE_OF(word) >= PLACE_OF(state[SLOT(seq)]));
	state[SLOT(seq)] = word
}

inline ring_skip_passed(pos)
{
	seq = 0;
	do
	:: ring_passed(seq, pos) -> seq++
	:: else -> break
	od
}

/* What a serial stage rests on: all before it are through, so it is alone, and in order. */
inline check_serial(pos)
{
	if
	:: IS_SERIAL(pos) ->
		i = 0;
		do
		:: i < seq -> assert(ring_passed(i, pos)); i++
		:: else -> i = 0; break
		od
	:: else
	fi
}

/* Takes the batch that is READY, and begins with it: reads one area, writes the other. */
inline ring_claim_this(w)
{
	move(seq, BUSY(seq, pos, w));
	check_serial(pos);
#ifndef DOUBT
	assert(AREA(seq, pos + 1) == CONTENT(seq, pos - 1));
	AREA(seq, pos) = 0;
#endif
	looks = 0;
	FORGET_KEY(GROUP_OF(w), ME_WORKER(w))
}

#ifdef NO_PREDECESSOR
#define IN_ORDER(pos) false
#else
#define IN_ORDER(pos) IS_SERIAL(pos)
#endif

/* What is in slot i, and whether it is there for a worker to take. */
#define SEQ_IN(i)      (PLACE_OF(state[i]) / 4 * SLOTS + (i))
#define POSITION_IN(i) (PLACE_OF(state[i]) % 4)
#define IS_CLAIMABLE(w, i)                                                                         \
	(HOLDER_OF(state[i]) == 0 && POSITION_IN(i) >= FIRST(w) && POSITION_IN(i) <= LAST(w) &&    \
	    (!IN_ORDER(POSITION_IN(i)) || SEQ_IN(i) == 0 ||                                        \
		ring_passed(SEQ_IN(i) - 1, POSITION_IN(i))))

/* Whether ring_claim, or ring_claim_any, has seen enough at this position. */
#define IS_LAST_LOOK(pos)                                                                          \
	(IN_ORDER(pos) || looks == SLOTS - 1 || !ring_passed(seq, SOURCE))

inline take_from(w, i)
{
	seq = SEQ_IN(i);
	pos = POSITION_IN(i);
	ring_claim_this(w)
}

#ifdef NO_CAS
#define IS_HELD(w) true
#else
#define IS_HELD(w) (state[SLOT(seq)] == BUSY(seq, pos, w))
#endif

inline forget()
{
	seq = 0;
	pos = 0;
	looks = 0;
#ifdef PARK
	FORGET_KEY(GROUP_PARK, ME_WORKER(w));
#endif
	FORGET_KEY(GROUP_OF(w), ME_WORKER(w))
}

inline die()
{
	d_step {
		deaths--;
		asleep[GROUP_OF(w)] = asleep[GROUP_OF(w)] & ~ME_WORKER(w);
#ifdef PARK
		asleep[GROUP_PARK] = asleep[GROUP_PARK] & ~ME_WORKER(w);
#endif
		forget();
		may_run[w] = false
	}
}

proctype worker(byte w)
{
	byte seq, pos, looks, i;
	bool taken;
turn:
	/* worker_wait: a first look, which takes any batch or none. */
	if
	:: DIES -> goto dead
	:: stop -> goto finish
#ifndef NO_SECOND_LOOK
	:: d_step { LIMIT_ALLOWS(w) && IS_CLAIMABLE(w, 0) -> take_from(w, 0) }
	   goto work
	:: d_step { LIMIT_ALLOWS(w) && IS_CLAIMABLE(w, 1) -> take_from(w, 1) }
	   goto work
	:: d_step { LIMIT_ALLOWS(w) && IS_CLAIMABLE(w, 2) -> take_from(w, 2) }
	   goto work
#if SLOTS > 3
	:: d_step { LIMIT_ALLOWS(w) && IS_CLAIMABLE(w, 3) -> take_from(w, 3) }
	   goto work
#endif
#endif
#ifdef PARK
	:: d_step { !LIMIT_ALLOWS(w) -> notify_prepare(GROUP_PARK, ME_WORKER(w)) }
	   goto park
#endif
	:: d_step {
		LIMIT_ALLOWS(w) ->
		notify_prepare(GROUP_OF(w), ME_WORKER(w));
		pos = LAST(w)
	   }
	fi;
#ifndef NO_SECOND_LOOK
look:
	/* The second look: ring_stopped, then worker_claim, a batch a step. */
	if
	:: DIES -> goto dead
	:: stop -> goto finish
	:: atomic {
		!stop || looks || pos < LAST(w);
		d_step {
			if
			:: looks == 0 -> ring_skip_passed(pos)
			:: else
			fi;
			if
			:: ring_is_ready(seq, pos) -> ring_claim_this(w); taken = true
			:: else ->
				if
				:: IS_LAST_LOOK(pos) -> pos--; seq = 0; looks = 0
				:: else -> seq++; looks++
				fi
			fi
		};
		if
		:: taken -> taken = false; goto work
		:: !taken && pos >= FIRST(w) -> goto look
		:: !taken && pos < FIRST(w) -> pos = 0
		fi
	   }
	fi;
#endif
	if
	:: DIES -> goto dead
	:: d_step { notify_sleep(GROUP_OF(w), ME_WORKER(w)) }
	fi;
	if
	:: DIES -> goto dead
	:: IS_AWAKE(GROUP_OF(w), ME_WORKER(w)) -> goto turn
	fi;
#ifdef PARK
park:
	/* limit_park: the second look at the limit, and at the stop, which stays. */
	if
	:: DIES -> goto dead
	:: d_step { LIMIT_ALLOWS(w) || stop -> forget() }
	   goto turn
	:: !LIMIT_ALLOWS(w)
	fi;
	if
	:: DIES -> goto dead
	:: d_step { stop -> forget() }
	   goto finish
	:: d_step { !stop -> notify_sleep(GROUP_PARK, ME_WORKER(w)) }
	fi;
	if
	:: DIES -> goto dead
	:: IS_AWAKE(GROUP_PARK, ME_WORKER(w)) -> goto turn
	fi;
#endif
work:
	/* ring_commit */
	if
	:: DIES -> goto dead
	:: d_step {
		IS_HELD(w) ->
#ifndef DOUBT
		AREA(seq, pos) = CONTENT(seq, pos);
#endif
		move(seq, READY(seq, pos + 1));
		seq = 0
	   }
	:: d_step { !IS_HELD(w) -> forget() } /* -ESTALE */
	   goto turn
	fi;
#ifndef NO_WAKE
	notify_wake_mortal(GROUP_AT(pos + 1));
#endif
#ifndef NO_OWN_WAKE
	notify_wake_mortal(GROUP_AT(pos));
#endif
	pos = 0;
	goto turn;
dead:
	if
	:: may_run[w] -> goto turn
	:: stop /* crew_reap: it is not replaced any more */
	fi;
finish:
	atomic { forget(); n_gone++ }
}

inline source_fill()
{
	FORGET_KEY(GROUP_SOURCE, ME_SOURCE);
#ifndef DOUBT
	AREA(seq, 0) = CONTENT(seq, 0);
#endif
	move(seq, READY(seq, SOURCE + 1));
	seq++
}

proctype source()
{
	byte seq;
wait:
	/*
	 * source_wait_slot. Only the source moves a slot that is READY for it: it may as well
	 * do so, in ring_advance, when it sees it.
	 */
	if
	:: seq == BATCHES || stop -> goto over
	:: d_step { seq < BATCHES && ring_is_ready(seq, SOURCE) -> source_fill() }
	   goto filled
	:: d_step {
		seq < BATCHES && !ring_is_ready(seq, SOURCE) ->
		notify_prepare(GROUP_SOURCE, ME_SOURCE)
	   }
	fi;
	if
	:: d_step { ring_is_ready(seq, SOURCE) -> source_fill() }
	   goto filled
	:: stop -> goto over
	:: d_step { !ring_is_ready(seq, SOURCE) && !stop -> notify_sleep(GROUP_SOURCE, ME_SOURCE) }
	fi;
	IS_AWAKE(GROUP_SOURCE, ME_SOURCE) -> goto wait;
filled:
	notify_wake(GROUP_AT(SOURCE + 1));
	goto wait;
over:
	atomic { FORGET_KEY(GROUP_SOURCE, ME_SOURCE); end_seq = seq }
	/* ring_end */
	d_step { ring_rouse(); n_gone++ }
}

/* Only the sink moves a slot that is READY for it: it may as well do so when it sees it. */
inline sink_retire()
{
	FORGET_KEY(GROUP_SINK, ME_SINK);
#ifndef DOUBT
	assert(AREA(seq, 0) == CONTENT(seq, 2));
	AREA(seq, 0) = 0;
	AREA(seq, 1) = 0;
#endif
	move(seq, READY(seq, SINK + 1));
	seq++
}

proctype sink()
{
	byte seq;
wait:
	/* sink_wait */
	if
	:: d_step { ring_is_ready(seq, SINK) -> sink_retire() }
	   goto retired
	:: d_step { !ring_is_ready(seq, SINK) -> notify_prepare(GROUP_SINK, ME_SINK) }
	fi;
#ifndef NO_SECOND_LOOK
	if
	:: d_step { ring_is_ready(seq, SINK) -> sink_retire() }
	   goto retired
	:: !ring_is_ready(seq, SINK) && seq >= end_seq -> goto over
	:: d_step { !ring_is_ready(seq, SINK) && seq < end_seq -> notify_sleep(GROUP_SINK, ME_SINK) }
	fi;
#else
	d_step { notify_sleep(GROUP_SINK, ME_SINK) }
#endif
	IS_AWAKE(GROUP_SINK, ME_SINK) -> goto wait;
retired:
	notify_wake(GROUP_SOURCE);
#ifdef FAILING
	if
	:: goto over
	:: skip
	fi;
#endif
	goto wait;
over:
	/* ring_stop */
	atomic { FORGET_KEY(GROUP_SINK, ME_SINK); all_retired = seq == BATCHES; stop = true }
	d_step { ring_rouse(); n_gone++ }
}

#ifdef PARK
/* limit_set, now and then. */
proctype balance()
{
	byte changes = PARK;
	do
	:: changes > 0 -> atomic { limit_is_one = !limit_is_one; changes-- }
	   notify_wake(GROUP_PARK)
	:: break
	od
}
#endif

/* ring_held, ring_take_back: what is found is still so at the CAS, or nothing happens. */
inline take_back()
{
#ifndef NO_TAKE_BACK
	do
	:: i < SLOTS && HOLDER_OF(state[i]) != 1 + w -> i++
	:: else -> break
	od;
	if
	:: i < SLOTS -> group = GROUP_AT(POSITION_IN(i)); state[i] = state[i] - 1 - w
	:: else
	fi;
#endif
	i = 0
}

/* crew_reap and recovery_host_died, some time after the death. */
proctype supervisor()
{
	byte w, i, group = NO_GROUP;
	/*
	 * Decided beforehand: otherwise a death that might still come would always get the
	 * run out of a wait that nothing else ends.
	 */
	if
	:: deaths = 0
	:: CRASHES > 0 -> deaths = 1
	:: CRASHES > 1 -> deaths = 2
	fi;
idle:
	if
#ifdef DOUBT
	:: d_step { deaths && !stop -> w = 0; deaths--; take_back() }
	:: d_step { deaths && !stop -> w = 1; deaths--; take_back() }
#else
	:: d_step { !may_run[0] && !stop -> w = 0; take_back() }
	:: d_step { !may_run[1] && !stop -> w = 1; take_back() }
#endif
	:: n_gone == 4 -> goto over
	fi;
#if defined DOUBT || defined NO_DEATH_WAKE
	/* ring_take_back's wake-up; otherwise it is part of the one that follows. */
	if
	:: group != NO_GROUP -> notify_wake(group)
	:: else
	fi;
#endif
	d_step {
		/* Even if it held nothing: it may have died between its commit and a wake-up. */
#if !defined DOUBT && !defined NO_DEATH_WAKE
		ring_rouse();
#endif
		/* crew_start_host */
#ifndef DOUBT
		may_run[w] = true;
#endif
		w = 0;
		group = NO_GROUP
	}
	goto idle;
over:
#ifndef FAILING
	assert(all_retired);
#endif
	skip
}

init {
	atomic {
		run source();
		run sink();
		run worker(0);
		run worker(1);
#ifdef PARK
		run balance();
#endif
		run supervisor()
	}
}
