/* The end of an epoch and the beginning of the next (docs/membership.md, M2 to M12) as a model for
 * spin. models/README.md says what is abstracted.
 *
 *   R        0 or 1, with u = 1: how many verifiers lie, of 3 + R
 *   MUTANT_* one rule broken; scripts/model expects each of them to fail
 *
 * Epoch 0 has one view, and numbers 1 and 2; a change F may be number 1 or 2. Epoch 1 begins after
 * it, has two views, and another node at seat 0.
 */
#ifndef R
#define R 1
#endif

/* Correct verifiers: seats 0 to 2 (in epoch 1 another node sits at 0). The node that is not a
 * member any more, or not yet, is OTHER; mutants let it act. Liars vote for anything at any time:
 * no state. */
#define SEATS 3
#define VOTERS 4
#define OTHER 3
/* How many correct ones complete u+R+1. */
#define QUORUM 2

/* Tokens, by their prefix; F is a change. */
#define A 1
#define F 2
#define AA 3
#define AB 4
#define AF 5
#define FA 6
#define FB 7
#define NUMBER(token) ((token) == 0 -> 0 : ((token) < AA -> 1 : 2))
#define BEFORE(token) ((token) < AA -> 0 : ((token) < FA -> A : F))
#define FINAL(token) ((token) == F || (token) == AF)

/* Phases of voting: 0 is epoch 0; 1 and 2 are the views of epoch 1. What a node does in one rests
 * on what was said in earlier ones, so they are explored one after the other (as in agreement.pml),
 * and in each the layers. */
#define FIRST0 0 /* votes for number 1 */
#define VOTE0 1
#define BEGIN 2
#define VOTE1 3
#define COMMIT1 4
#define JOIN 5
#define VOTE2 6
#define COMMIT2 7
#define END 8
byte layer;

/* Messages, one bit a token: sets that only grow. */
byte prepares[12]; /* [4 * phase + verifier] */
byte commits[12];  /* of phases 1, 2. In phase 0 a quorum of PREPAREs is final: see agreement.pml */
byte farewells[SEATS];
byte asked[VOTERS];  /* VIEW-CHANGE of epoch 1: 0 none, 1 with no certificate, or the token of that */
byte certified;      /* in view 0 of epoch 1 */

/* Nodes. */
byte voted[8];       /* in the phase at hand: [2 * verifier + number - 1] */
byte held[VOTERS];   /* in epoch 1: the token that it holds a certificate for */
byte began[VOTERS];  /* in epoch 1, from there */
byte joined[VOTERS]; /* view 1 of epoch 1, from there */
byte losses;

byte final[3]; /* by number: what was committed */

#define HAS(set, token) (((set) >> (token)) & 1)
#define THREE(of, phase, t) \
  (HAS(of[4 * (phase)], t) + HAS(of[4 * (phase) + 1], t) + HAS(of[4 * (phase) + 2], t))

/* Who is counted besides the seats: nobody. */
#if defined(MUTANT_REMOVED_COUNTED)
#define COUNTED_TOO(phase) ((phase) > 0)
#elif defined(MUTANT_EARLY_MEMBER)
#define COUNTED_TOO(phase) ((phase) == 0)
#else
#define COUNTED_TOO(phase) false
#endif
#define VOTES(of, phase, t) \
  (THREE(of, phase, t) + (COUNTED_TOO(phase) -> HAS(of[4 * (phase) + OTHER], t) : 0))
#define PREPARED(phase, t) (VOTES(prepares, phase, t) >= QUORUM)
#define COMMITTED(phase, t) (VOTES(commits, phase, t) >= QUORUM)

#if defined(MUTANT_LINK_OF_LIARS)
#define NEEDED (1 - R)
#else
#define NEEDED QUORUM
#endif
#define LINK(t) (HAS(farewells[0], t) + HAS(farewells[1], t) + HAS(farewells[2], t) >= NEEDED)

/* Everything that is ever committed. */
inline report(t) {
  assert(final[NUMBER(t)] == 0 || final[NUMBER(t)] == t);
  final[NUMBER(t)] = t;
  if
  :: NUMBER(t) == 2 ->
     assert(final[1] == 0 || final[1] == BEFORE(t));
     final[1] = BEFORE(t)
  :: else -> assert(final[2] == 0 || BEFORE(final[2]) == t)
  fi
}

/* Tokens that u+1 executors may send in a phase; at several verifiers different ones. M2, M4:
 * nothing after the change in its own epoch. M7: what follows the start in the next one. */
#if defined(MUTANT_BEYOND_END)
#define TOLD0(t) true
#else
#define TOLD0(t) ((t) != FA && (t) != FB)
#endif
#define TOLD1(t) ((t) == FA || (t) == FB)
#define TOLD(phase, t) ((phase) == 0 -> TOLD0(t) : TOLD1(t))

#define VOTED(v, number) voted[2 * (v) + (number) - 1]
#define SITS(phase, v) \
  ((v) != OTHER || COUNTED_TOO(phase)) && \
  ((phase) == 0 || (began[v] != 0 && ((phase) == 1 || joined[v] != 0)))

/* M7, V2: what a PREPARE extends. */
#if defined(MUTANT_START_FORGOTTEN)
#define START(v, t) true
#else
#define START(v, t) (began[v] == BEFORE(t))
#endif
#define EXTENDS(phase, v, t) \
  (NUMBER(t) == 1 -> (phase) == 0 : \
   ((phase) == 0 -> VOTED(v, 1) == BEFORE(t) || PREPARED(0, BEFORE(t)) : \
    ((phase) == 1 -> START(v, t) : joined[v] == BEFORE(t))))
#define MAY_PREPARE(phase, v, t) \
  ((t) != 0 && SITS(phase, v) && VOTED(v, NUMBER(t)) == 0 && EXTENDS(phase, v, t) && \
   TOLD(phase, t))
#define MAY_COMMIT(phase, v, t) \
  (SITS(phase, v) && PREPARED(phase, t) && !HAS(commits[4 * (phase) + (v)], t))

/* M5: evidence is everywhere; the token is known to be committed. */
#if defined(MUTANT_FAREWELL_UNCOMMITTED)
#define KNOWN(t) (THREE(prepares, 0, t) > 0)
#else
#define KNOWN(t) (final[NUMBER(t)] == (t))
#endif

/* V7 in epoch 1: the start point is the highest of some u+R+1 VIEW-CHANGEs; a liar's brings any
 * certificate that there is. M8: those of epoch 0 are not among them. */
#if defined(MUTANT_OLD_VIEW_CHANGE)
#define ASKS(v, t) true
#else
#define ASKS(v, t) COVERED(v, t)
#endif
#define COVERED(v, t) (asked[v] != 0 && ((t) != F || asked[v] == 1))
#define ASKING(t) \
  (ASKS(0, t) + ASKS(1, t) + ASKS(2, t) + (COUNTED_TOO(1) -> ASKS(OTHER, t) : 0))
#define BROUGHT(t) \
  ((t) == F || asked[0] == (t) || asked[1] == (t) || asked[2] == (t) || \
   asked[OTHER] == (t) || (R == 1 && HAS(certified, t)))
#define MAY_JOIN(v, t) \
  (((t) == F || (t) == FA || (t) == FB) && began[v] == F && SITS(1, v) && joined[v] == 0 && \
   ASKING(t) >= QUORUM && BROUGHT(t))

#define PICK(variable, most) \
  variable = 0; \
  do \
  :: variable < most -> variable++ \
  :: break \
  od

/* Who may say farewell, ask for the next view, or begin, does: messages more take no behaviour
 * away, and who does not act any more is one that died. What is not looked at again is forgotten. */
inline say_farewell() {
  who = 0;
  do
  :: who < SEATS ->
     if
     :: KNOWN(F) -> farewells[who] = farewells[who] | (1 << F)
     :: else
     fi;
     if
     :: KNOWN(AF) -> farewells[who] = farewells[who] | (1 << AF)
     :: else
     fi;
     who++
  :: else -> break
  od;
  who = 0;
  do
  :: who < VOTERS -> prepares[who] = 0; who++
  :: else -> break
  od
}

inline leave_view() {
  certified = (PREPARED(1, FA) << FA) | (PREPARED(1, FB) << FB);
  who = 0;
  do
  :: who < VOTERS ->
     asked[who] = (SITS(1, who) && began[who] == F -> (held[who] != 0 -> held[who] : 1) : 0);
     who++
  :: else -> break
  od;
  who = 0;
  do
  :: who < 8 -> prepares[who] = 0; commits[who] = 0; who++
  :: else -> break
  od;
}

inline forget_votes() {
  who = 0;
  do
  :: who < 8 -> voted[who] = 0; who++
  :: else -> break
  od
}

inline next_layer() {
  layer++;
  if
  :: layer == BEGIN -> say_farewell(); forget_votes()
  :: layer == VOTE1 -> farewells[0] = 0; farewells[1] = 0; farewells[2] = 0
  :: layer == COMMIT1 -> forget_votes()
  :: layer == JOIN -> leave_view()
  :: layer == VOTE2 ->
     who = 0;
     do
     :: who < VOTERS -> asked[who] = 0; held[who] = 0; began[who] = (began[who] != 0); who++
     :: else -> break
     od;
     certified = 0
  :: layer == COMMIT2 -> forget_votes()
  :: else
  fi;
  who = 0
}

inline prepare(phase, numbers) {
  PICK(who, VOTERS - 1); PICK(p, FB);
  if
  :: NUMBER(p) == numbers && MAY_PREPARE(phase, who, p) ->
     printf("epoch %d: verifier %d sends PREPARE @%d\n", phase > 0, who, p);
     VOTED(who, NUMBER(p)) = p;
     prepares[4 * phase + who] = prepares[4 * phase + who] | (1 << p);
     if
     :: phase == 0 && PREPARED(0, p) -> printf("epoch 0: committed @%d\n", p); report(p)
     :: else
     fi
  :: else
  fi
}

inline commit(phase) {
  PICK(who, VOTERS - 1); PICK(p, FB);
  if
  :: NUMBER(p) == 2 && MAY_COMMIT(phase, who, p) ->
     printf("epoch 1: verifier %d sends COMMIT @%d\n", who, p);
     commits[4 * phase + who] = commits[4 * phase + who] | (1 << p);
     held[who] = p;
     if
     :: COMMITTED(phase, p) -> printf("epoch 1: committed @%d\n", p); report(p)
     :: else
     fi
  :: else
  fi
}

/* M12: a new life that does not know what it promised in epoch 1 is silent there, and that is the
 * same as not to act any more. */
inline forget() {
  losses++;
  VOTED(who, 1) = 0;
  VOTED(who, 2) = 0;
  held[who] = 0
}

active proctype membership() {
  byte p, who;
  do
  :: layer < END -> d_step { next_layer() }
  :: layer == FIRST0 -> atomic { prepare(0, 1); p = 0; who = 0 }
  :: layer == VOTE0 -> atomic { prepare(0, 2); p = 0; who = 0 }
  :: layer == BEGIN ->
     atomic {
       PICK(who, VOTERS - 1); PICK(p, AF);
       if
       :: FINAL(p) && LINK(p) && began[who] == 0 && (who != OTHER || COUNTED_TOO(1)) ->
          printf("epoch 1: verifier %d begins at @%d\n", who, p);
          began[who] = p
       :: else
       fi;
       p = 0; who = 0
     }
  :: layer == VOTE1 -> atomic { prepare(1, 2); p = 0; who = 0 }
  :: layer == COMMIT1 -> atomic { commit(1); p = 0; who = 0 }
#if defined(MUTANT_EPOCH_FORGOTTEN)
  :: layer == VOTE1 && losses == 0 -> atomic { PICK(who, SEATS - 1); forget(); p = 0; who = 0 }
#endif
  :: layer == JOIN ->
     atomic {
       PICK(who, VOTERS - 1); PICK(p, FB);
       if
       :: MAY_JOIN(who, p) ->
          printf("epoch 1: verifier %d joins view 1 at @%d\n", who, p);
          joined[who] = p;
          if
          :: NUMBER(p) == 2 -> prepares[8 + who] = prepares[8 + who] | (1 << p)
          :: else
          fi
       :: else
       fi;
       p = 0; who = 0
     }
  :: layer == VOTE2 -> atomic { prepare(2, 2); p = 0; who = 0 }
  :: layer == COMMIT2 -> atomic { commit(2); p = 0; who = 0 }
  :: layer == END -> break
  od
}
