/* Verification and view change (docs/protocol.md V1 to V9, docs/design.md) as a model for spin.
 * models/README.md says what is abstracted, and why what holds here holds for the protocol.
 *
 *   VIEWS    views 0 .. VIEWS-1 (2 to 4)
 *   U, R     the fault model: 2U+R+1 verifiers, of which R lie
 *   RESTARTS how often a verifier may lose its promises and return (V9)
 *   PROPHECY 1: votes may rest on commits of later views
 *   EXECUTORS 1: tokens are explicit, R of the 2U+1 executors lie. 0: any token may be certified
 *   MUTANT_* one rule broken; scripts/model expects each of them to fail
 */
#ifndef VIEWS
#define VIEWS 3
#endif
#ifndef U
#define U 1
#endif
#ifndef R
#define R 1
#endif
#ifndef RESTARTS
#define RESTARTS 1
#endif
#ifndef EXECUTORS
#define EXECUTORS 0
#endif

#ifndef PROPHECY
#define PROPHECY 1
#endif

/* Verifiers that do not lie, and how many of them complete a quorum of U+R+1: liars vote for
 * anything, at any time, so their votes are not state. */
#define CORRECT (2 * U + 1)
#ifdef MUTANT_QUORUM_MINUS_ONE
#define QUORUM U
#else
#define QUORUM (U + 1)
#endif

/* A token says its whole prefix. A place is a number and a token, as one value:
 *   1: number 0     2, 3: number 1, tokens A B     4 .. 7: number 2, tokens AA AB BA BB
 * and a certificate is 8 * view + place; 0 is genesis, which ranks below all. */
#define PLACES 8

#define NUMBER(place) (((place) > 3) + ((place) > 1))
#define BEFORE(place) ((place) / 2)
#define PLACE(certificate) ((certificate) == 0 -> 1 : (certificate) % PLACES)
#define RANK(certificate) \
  ((certificate) == 0 -> 0 : 1 + 3 * ((certificate) / PLACES) + NUMBER((certificate) % PLACES))
#define NONE 255

byte view;             /* the one whose messages are being exchanged */
byte layer;            /* ... of which only those of one kind; whose turn it is: */
byte turn;
byte restarts;         /* so far */
byte certified[VIEWS]; /* for each view: places that have a certificate, one bit each */
byte final[3];         /* by number: the place that was reported to executors, 0: none yet */
byte below[3];         /* the same as it was when this view began */
byte named;            /* bit p: place p was voted for (names are given in the order of use) */
byte foretold;         /* place of number 1 that a vote rests on and a later view will commit */
byte foretold_in;      /* ... the last view with such a vote */
bit void_unless;       /* an invariant broke, if what was foretold comes true */

/* Of the current view: how many correct verifiers sent PREPARE, COMMIT. START marks the PREPARE
 * of a start point, whose `previous` is zero: another vote than an ordinary one for that place. */
#define START 8
byte prepares[16];
byte commits[PLACES];

/* A verifier that does not lie. */
byte start[CORRECT];   /* place that it entered the current view with; 0: it did not */
byte vote1[CORRECT];   /* its PREPARE for number 1 (place, START added), 0: none */
byte vote2[CORRECT];
byte commit[CORRECT];  /* its COMMITs of this view: a bit for each place */
byte held[CORRECT];    /* its highest certificate */
byte change[CORRECT];  /* certificate in its VIEW-CHANGE for the current view, NONE: did not ask */
byte asked[CORRECT];   /* certificate in its VIEW-CHANGE for the next view, NONE: has not asked */
byte lost[CORRECT];    /* 1: recovering; 2: and not to join the next view, which it asked for */
#ifdef REPLAY /* in the trace of a counterexample verifiers keep their names (see sort) */
byte name[CORRECT];
#define NAME(i) name[i]
#else
#define NAME(i) 0
#endif

#if EXECUTORS
#define TELLERS (2 * U + 1 - R) /* executors that do not lie */
byte token1[TELLERS];
byte token2[TELLERS];
#ifdef MUTANT_TOKENS_OF_U
#define MATCHING (U - R)
#else
#define MATCHING (U + 1 - R)
#endif
/* What r+1 PREPAREs vouch for, one of them rests on tokens for: those tokens will do. */
#ifdef MUTANT_VOUCHED_BY_R
#define BY_LIARS true
#else
#define BY_LIARS false
#endif
#endif

/* What happened, for a person: scripts/model turns @4 into "2:AA". */
/* An invariant. What rests on a prophecy counts when that has come true. */
#define HOLDS(condition) \
  if \
  :: (condition) \
  :: else -> \
     if \
     :: foretold == 0 -> assert(condition) \
     :: else -> void_unless = 1 \
     fi \
  fi

/* Invariants 3 and 4. A mutant is to show what harm comes of breaking them. */
#ifdef ONLY_AGREEMENT
#define PROMISED(condition) skip
#else
#define PROMISED(condition) assert(condition)
#endif

/* ---- Agreement in a view (V2 to V4, V8) ------------------------------------------------------ */

#define VOTES(i) (start[i] != 0 && lost[i] == 0)

#define COMMITTED_TO(i, place) ((commit[i] >> (place)) & 1)
#define CERTIFIED(v, place) ((certified[v] >> (place)) & 1)

/* V2: what a PREPARE for number 2 extends. A certificate outranks the own vote. */
#if defined(MUTANT_NO_PREDECESSOR)
#define EXTENDS(i, place) true
#else
#define EXTENDS(i, place) \
  ((commit[i] & 12) != 0 -> COMMITTED_TO(i, place) : vote1[i] % START == (place) && vote1[i] != 0)
#endif
/* Names are equal but for their order of use, so the first of two is used first. Without explicit
 * tokens it is votes that use them. */
#define NAMED(place) ((place) % 2 == 0 || ((named >> ((place) - 1)) & 1))

#if EXECUTORS
#define TOLD(e, place) (token1[e] == (place) || token2[e] == (place))
#if R == 0
#define TOKENS(place) (TOLD(0, place) + TOLD(1, place) + TOLD(2, place))
#else
#define TOKENS(place) (TOLD(0, place) + TOLD(1, place))
#endif
#define BACKED(place) (TOKENS(place) >= MATCHING || BY_LIARS)
#else
#define BACKED(place) NAMED(place)
#endif

/* PREPAREs may start at number 1 where the view starts from genesis: by what it entered with, or
 * by what the others committed as start while its leader had told this one another. */
#define FROM_GENESIS(i) (start[i] == 1 || CERTIFIED(view, 1))

#define MAY_PREPARE1(i, place) \
  (VOTES(i) && (vote1[i] == 0 || AGAIN(vote1[i], place)) && FROM_GENESIS(i) && BACKED(place))
#define MAY_PREPARE2(i, place) \
  (VOTES(i) && (vote2[i] == 0 || AGAIN(vote2[i], place)) && BACKED(place) && \
   (EXTENDS(i, BEFORE(place)) || CERTIFIED(view, BEFORE(place)) || final[1] == BEFORE(place)))
/* A commit of a view above this one may be learnt, and voted on, before that view is explored. */
#define MAY_FORETELL(i, place) \
  (PROPHECY && VOTES(i) && vote2[i] == 0 && BACKED(place) && final[1] == 0 && view < VIEWS - 1 && \
   NAMED(BEFORE(place)) && (foretold == 0 || foretold == BEFORE(place)))
#ifdef MUTANT_SECOND_PREPARE
#define AGAIN(vote, place) ((vote) < (place))
#else
#define AGAIN(vote, place) false
#endif

inline count_prepare(i, vote) {
  prepares[vote]++;
  named = named | (1 << ((vote) % START));
  if
  :: prepares[vote] == QUORUM ->
     certified[view] = certified[view] | (1 << ((vote) % START))
  :: else
  fi
}

inline prepare(i, vote) {
  printf("view %d: verifier %d sends PREPARE @%d\n", view, NAME(i), (vote) % START);
  if
  :: NUMBER((vote) % START) == 1 -> PROMISED(vote1[i] == 0); vote1[i] = vote
  :: NUMBER((vote) % START) == 2 -> PROMISED(vote2[i] == 0); vote2[i] = vote
  :: else
  fi;
#if EXECUTORS
  assert((vote) >= START || TOKENS(vote) > 0); /* a correct executor has it */
#endif
  count_prepare(i, vote)
}

inline foretell(i, place) {
  printf("view %d: (a later view commits @%d, and this is known)\n", view, BEFORE(place));
  foretold = BEFORE(place);
  foretold_in = view;
  named = named | (1 << BEFORE(place));
  prepare(i, place)
}

/* What correct verifiers report to executors as final: invariants 1 and 2 of the page. */
inline report(place) {
  if
  :: NUMBER(place) == 1 && place == foretold && view > foretold_in ->
     foretold = 0;
     foretold_in = 0;
     assert(void_unless == 0)
  :: else
  fi;
  HOLDS(final[NUMBER(place)] == 0 || final[NUMBER(place)] == place);
  if
  :: NUMBER(place) == 2 ->
     HOLDS(final[1] == 0 || final[1] == BEFORE(place));
     final[1] = BEFORE(place)
  :: NUMBER(place) == 1 -> HOLDS(final[2] == 0 || BEFORE(final[2]) == place)
  :: else
  fi;
  final[NUMBER(place)] = place
}

/* V3: prepared, the certificate is kept, COMMIT is sent. V4: committed. */
inline send_commit(i, place) {
  printf("view %d: verifier %d sends COMMIT @%d\n", view, NAME(i), place);
  commit[i] = commit[i] | (1 << place);
  if
  :: RANK(PLACES * view + place) > RANK(held[i]) -> held[i] = PLACES * view + place
  :: else
  fi;
  commits[place]++;
  if
  :: commits[place] == QUORUM ->
     printf("view %d: committed @%d\n", view, place);
     report(place)
  :: else
  fi
}

#ifdef MUTANT_COMMIT_UNPREPARED
#define PREPARED(i, place) \
  (CERTIFIED(view, place) || vote1[i] % START == (place) || vote2[i] % START == (place))
#else
#define PREPARED(i, place) CERTIFIED(view, place)
#endif

#define OF_NUMBER(place) (NUMBER(place) == 0 -> 2 : (NUMBER(place) == 1 -> 12 : 240))
#define MAY_COMMIT(i, place) \
  (VOTES(i) && PREPARED(i, place) && (commit[i] & OF_NUMBER(place)) == 0)

/* ---- Views (V6, V7, V9) ---------------------------------------------------------------------- */

#if U == 1
#define COUNT(what) (what(0) + what(1) + what(2))
#else
#define COUNT(what) (what(0) + what(1) + what(2) + what(3) + what(4))
#endif

/* What a leader may propose and others accept: `chosen` is the highest of U+R+1 VIEW-CHANGEs. All
 * correct ones that are not above it can be among them; a liar's brings any certificate there is. */
#if defined(MUTANT_NOT_RECOMPUTED)
#define COVERED(j) (change[j] != NONE)
#elif defined(MUTANT_LOWEST_VIEW)
#define COVERED(j) (change[j] != NONE && RANK(change[j]) >= RANK(chosen))
#elif defined(MUTANT_NUMBER_BEFORE_VIEW)
#define BY_NUMBER(c) (NUMBER(PLACE(c)) * VIEWS + (c) / PLACES)
#define COVERED(j) (change[j] != NONE && BY_NUMBER(change[j]) <= BY_NUMBER(chosen))
#else
#define COVERED(j) (change[j] != NONE && RANK(change[j]) <= RANK(chosen))
#endif
#define BRINGS(j) (change[j] == chosen)
#if defined(MUTANT_BARE_CLAIM)
#define LIAR_BRINGS true
#elif R > 0
#define LIAR_BRINGS (chosen == 0 || CERTIFIED(chosen / PLACES, chosen % PLACES))
#else
#define LIAR_BRINGS false
#endif
#define MAY_BE_PROPOSED (COUNT(COVERED) >= QUORUM && (COUNT(BRINGS) > 0 || LIAR_BRINGS))
/* V9: a view above what it may have promised. */
#define MAY_JOIN(i) (view > 0 && view >= lost[i])

inline join(i, chosen) {
  printf("view %d: verifier %d joins with start point @%d of view %d\n", view, NAME(i),
         PLACE(chosen), chosen / PLACES);
#ifndef ONLY_AGREEMENT
  HOLDS(below[2] == 0 || PLACE(chosen) == below[2]);
  HOLDS(below[1] == 0 || PLACE(chosen) == below[1] || BEFORE(PLACE(chosen)) == below[1]);
#endif
  start[i] = PLACE(chosen);
  lost[i] = 0;
#ifndef MUTANT_NO_ADOPTION
  if
  :: RANK(chosen) > RANK(held[i]) -> held[i] = chosen
  :: else
  fi;
#endif
#ifdef MUTANT_START_NOT_AGREED
  report(start[i]);
#endif
  prepare(i, START + start[i])
}

inline ask(i) {
  printf("view %d: verifier %d asks for the next view, holding @%d of view %d\n", view, NAME(i),
         PLACE(held[i]), held[i] / PLACES);
  asked[i] = held[i]
}

/* What it sent is under way for ever; it keeps the highest view that it asked for or joined, which
 * is this view or, if it had asked, the next. */
inline restart(i) {
  printf("view %d: verifier %d restarts without its promises\n", view, NAME(i));
  restarts++;
  vote1[i] = 0;
  vote2[i] = 0;
  commit[i] = 0;
  held[i] = 0;
#ifndef MUTANT_LOST_FORGOTTEN
  lost[i] = (asked[i] == NONE -> view + 1 : view + 2);
  start[i] = 0
#endif
}

/* Mutants that do what belongs to the end of a view, and go on. */
#if defined(MUTANT_VOTE_AFTER_ASKING)
#define MAY_ASK_EARLY(i) (asked[i] == NONE && lost[i] == 0)
#elif defined(MUTANT_READMITTED) /* asks, restarts, gets its own votes back from the others (VR) */
#define MAY_ASK_EARLY(i) (asked[i] == NONE && lost[i] == 0 && restarts < RESTARTS)
#else
#define MAY_ASK_EARLY(i) false
#endif
#ifdef MUTANT_LOST_FORGOTTEN
#define MAY_RESTART_EARLY(i) (restarts < RESTARTS && start[i] != 0)
#else
#define MAY_RESTART_EARLY(i) false
#endif
inline ask_early(i) {
#ifdef MUTANT_READMITTED
  printf("view %d: verifier %d restarts, and is readmitted in this view\n", view, NAME(i));
  restarts++;
#endif
  ask(i)
}

/* ---- Exploring view after view, layer after layer -------------------------------------------- */

#define TELL 0
#define JOIN 1
#define COMMIT0 2 /* of a start point at genesis */
#define PREPARE1 3
#define COMMIT1 4
#define PREPARE2 5
#define COMMIT1_LATE 6 /* by those who voted for number 2 without that certificate */
#define COMMIT2 7
#define LEAVE 8
#define END 9

/* A certificate that U+R+1 VIEW-CHANGEs always outrank is of no use to a liar, in this view or a
 * later one: what a verifier holds grows, and who comes back brings at least a start point. Names
 * that nothing refers to are free again. */
#define BELOW(j) (change[j] != NONE && RANK(change[j]) <= RANK(chosen))
inline prune() {
  chosen = 1;
  do
  :: chosen < PLACES * view ->
     if
     :: chosen % PLACES > 0 && CERTIFIED(chosen / PLACES, chosen % PLACES) && COUNT(BELOW) < QUORUM ->
        certified[chosen / PLACES] = certified[chosen / PLACES] & (255 - (1 << (chosen % PLACES)))
     :: else
     fi;
     chosen++
  :: else -> break
  od;
  chosen = 0;
  named = 1 << final[1] | 1 << final[2] | 1 << foretold;
  do
  :: turn > 0 -> turn--;
     if
     :: change[turn] != NONE -> named = named | 1 << PLACE(change[turn])
     :: else
     fi;
     named = named | 1 << PLACE(held[turn])
  :: else -> break
  od;
  do
  :: turn < view -> named = named | certified[turn]; turn++
  :: else -> break
  od;
  named = named & 252;
  named = named | (named & 168) >> 1
}

/* Asked for by all that did not lose it: a VIEW-CHANGE more adds behaviours and takes none. */
inline next_view() {
  view++;
  below[1] = final[1];
  below[2] = final[2];
  turn = 0;
  do
  :: turn < CORRECT ->
     change[turn] =
         (asked[turn] != NONE -> asked[turn] : (lost[turn] != 0 -> NONE : held[turn]));
     asked[turn] = NONE;
     start[turn] = 0;
     commit[turn] = 0;
     lost[turn] = (lost[turn] != 0 && lost[turn] <= view -> 1 : lost[turn]);
     turn++
  :: else -> break
  od;
  commits[4] = 0; commits[5] = 0; commits[6] = 0; commits[7] = 0;
  prune()
}

/* What nobody looks at any more is forgotten, so that states are one that do not differ else. */
inline forget() {
  turn = 0;
  do
  :: turn < CORRECT ->
     if
     :: layer == JOIN -> change[turn] = NONE; below[1] = 0; below[2] = 0
     :: layer == PREPARE1 -> start[turn] = (start[turn] != 0)
#ifndef MUTANT_COMMIT_UNPREPARED
     :: layer == PREPARE2 -> vote1[turn] = 0; vote2[turn] = 0
#endif
     :: layer == COMMIT1_LATE -> commit[turn] = 0
     :: layer == COMMIT2 -> vote1[turn] = 0; vote2[turn] = 0
     :: else
     fi;
     turn++
  :: else -> break
  od;
  if
  :: layer == JOIN -> prepares[START + 1] = 0
  :: layer == COMMIT0 -> commits[1] = 0
  :: layer == PREPARE1 ->
     prepares[2] = 0; prepares[3] = 0; prepares[START + 2] = 0; prepares[START + 3] = 0
  :: layer == PREPARE2 ->
     turn = 4;
     do
     :: turn < PLACES -> prepares[turn] = 0; prepares[START + turn] = 0; turn++
     :: else -> break
     od
  :: layer == COMMIT1_LATE -> commits[2] = 0; commits[3] = 0
  :: else
  fi
}

/* Correct verifiers are alike: states that differ in their order only are one. */
#define KEY1(i) (start[i] | vote1[i] << 3 | vote2[i] << 7 | commit[i] << 11 | held[i] << 19)
#define KEY2(i) (change[i] | asked[i] << 8 | lost[i] << 16)
#define LATER(i, j) (KEY1(i) > KEY1(j) || (KEY1(i) == KEY1(j) && KEY2(i) > KEY2(j)))
byte swapped;
#define SWAP(of, i, j) swapped = of[i]; of[i] = of[j]; of[j] = swapped
#ifdef REPLAY
#define INITIAL_NAME(i) name[i] = i
#define SWAP_NAMES(i, j) SWAP(name, i, j)
#else /* as many statements: a trail is a list of their numbers */
#define INITIAL_NAME(i) skip
#define SWAP_NAMES(i, j) skip; skip; skip
#endif
#define ORDER(i, j) \
  if \
  :: LATER(i, j) -> \
     SWAP(start, i, j); SWAP(vote1, i, j); SWAP(vote2, i, j); SWAP(commit, i, j); \
     SWAP(held, i, j); SWAP(change, i, j); SWAP(asked, i, j); SWAP(lost, i, j); \
     SWAP_NAMES(i, j); \
     swapped = 0 \
  :: else \
  fi

inline sort() {
  ORDER(0, 1); ORDER(1, 2);
#if U > 1
  ORDER(2, 3); ORDER(3, 4); ORDER(0, 1); ORDER(1, 2); ORDER(2, 3); ORDER(0, 1); ORDER(1, 2);
#endif
  ORDER(0, 1);
#if EXECUTORS
#define TOLD_ALL(e) (token1[e] | token2[e] << 3)
#define ORDER_TOKENS(e, f) \
  if \
  :: TOLD_ALL(e) > TOLD_ALL(f) -> SWAP(token1, e, f); SWAP(token2, e, f); swapped = 0 \
  :: else \
  fi
  ORDER_TOKENS(0, 1);
#if R == 0
  ORDER_TOKENS(1, 2); ORDER_TOKENS(0, 1);
#endif
#endif
}

#if EXECUTORS
/* An executor's tokens in this view: for number 1, or for 1 and 2, or (after a repair) for 2. */
#define MAY_TELL(e, place) \
  ((place) > 1 && NAMED(place) && (NUMBER(place) == 1 || NAMED(BEFORE(place))))
inline tell(e, place) {
  printf("view %d: an executor sends the token @%d\n", view, place);
  named = named | (1 << place);
  if
  :: NUMBER(place) == 1 -> token1[e] = place
  :: else -> token1[e] = BEFORE(place); token2[e] = place; named = named | (1 << BEFORE(place))
  fi
}
#endif

/* After everybody's turn in a layer: the next one, of the next view after the last. */
inline pass() {
  turn++;
  if
#if EXECUTORS
  :: turn < (layer == TELL -> TELLERS : CORRECT)
#else
  :: turn < CORRECT
#endif
  :: else ->
     forget();
     if
     :: layer == LEAVE -> next_view(); layer = (EXECUTORS -> TELL : JOIN)
     :: layer == COMMIT2 && view == VIEWS - 1 -> layer = END
     :: else -> layer++
     fi;
     turn = 0;
     sort()
  fi
}
#if defined(MUTANT_SECOND_PREPARE) || defined(MUTANT_LOST_FORGOTTEN)
#define VOTED skip
#else
#define VOTED pass()
#endif

#define MAY_ACT(in, what) (layer == (in) && what)
#define VOTE1(place) \
  MAY_ACT(PREPARE1, MAY_PREPARE1(turn, place)) -> d_step { prepare(turn, place); VOTED }
#define VOTE2(place) \
  MAY_ACT(PREPARE2, MAY_PREPARE2(turn, place)) -> d_step { prepare(turn, place); VOTED }
#define VOTE2_FORETELLING(place) \
  MAY_ACT(PREPARE2, MAY_FORETELL(turn, place)) -> d_step { foretell(turn, place); VOTED }
#define CERTIFY(in, place) \
  MAY_ACT(in, MAY_COMMIT(turn, place)) -> d_step { send_commit(turn, place); pass() }
#define MAY_RESTART (restarts < RESTARTS && lost[turn] == 0)

active proctype agreement() {
  byte chosen;
  d_step {
    do
    :: turn < CORRECT ->
       start[turn] = 1;
       asked[turn] = NONE;
       change[turn] = NONE;
       INITIAL_NAME(turn);
       turn++
    :: else -> break
    od;
    turn = 0;
    layer = (EXECUTORS -> TELL : COMMIT0)
  }
  do
  :: atomic {
       layer != END ->
       if
#if EXECUTORS
       :: layer == TELL && token1[turn] == 0 ->
          do
          :: chosen < 7 -> chosen++
          :: break
          od;
          if
          :: MAY_TELL(turn, chosen) -> d_step { tell(turn, chosen); chosen = 0; pass() }
          :: else -> chosen = 0
          fi
#endif
       :: MAY_ACT(JOIN, MAY_JOIN(turn)) ->
          do
          :: chosen < PLACES * view - 1 -> chosen++
          :: break
          od;
          if
          :: MAY_BE_PROPOSED -> d_step { join(turn, chosen); chosen = 0; pass() }
          :: else -> chosen = 0
          fi
       :: CERTIFY(COMMIT0, 1)
       :: VOTE1(2) :: VOTE1(3)
       :: CERTIFY(COMMIT1, 2) :: CERTIFY(COMMIT1, 3)
       :: VOTE2(4) :: VOTE2(5) :: VOTE2(6) :: VOTE2(7)
       :: VOTE2_FORETELLING(4) :: VOTE2_FORETELLING(5)
       :: VOTE2_FORETELLING(6) :: VOTE2_FORETELLING(7)
       :: CERTIFY(COMMIT1_LATE, 2) :: CERTIFY(COMMIT1_LATE, 3)
       :: CERTIFY(COMMIT2, 4) :: CERTIFY(COMMIT2, 5) :: CERTIFY(COMMIT2, 6) :: CERTIFY(COMMIT2, 7)
       :: MAY_ACT(LEAVE, MAY_RESTART) -> d_step { restart(turn); pass() }
       :: MAY_ACT(LEAVE, MAY_RESTART) -> d_step { ask(turn); restart(turn); pass() }
       :: MAY_ASK_EARLY(turn) -> d_step { ask_early(turn) }
       :: MAY_RESTART_EARLY(turn) -> d_step { restart(turn) }
       :: d_step { pass() }
       fi
     }
  od
}
