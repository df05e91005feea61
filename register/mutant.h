/* SPDX-License-Identifier: MIT */
/*
 * Faults that the search of the naming steps has to find (doc/naming.md): each leaves one
 * rule of the protocol out. They are there in the tests' second build of the steps alone
 * (-DAERO_MUTANTS); in what is shipped AERO_MUTANT(x) is false and nothing of it is left.
 */
#ifndef AERO_REGISTER_MUTANT_H
#define AERO_REGISTER_MUTANT_H

/* clang-format off */
/* X(mutant, what it leaves out) */
#define AERO_MUTANT_MAP(X)                                                               \
	X(NONE, "the protocol as it is")                                                 \
	X(NO_CONTROL_BEFORE_V, "no control read before the vacate")                      \
	X(VACATE_WITHOUT_REG, "vacate without reg")                                      \
	X(REAP_WITHOUT_REG, "reap without reg")                                          \
	X(RENEW_KEEPS_REG, "registration keeps an old reg")                              \
	X(NO_FENCE, "no fence F")                                                        \
	X(NO_S3_AFTER_F, "no place for m after F")                                       \
	X(NO_MASTER_EPOCH, "no epoch on the master")                                     \
	X(NO_LEFT, "no left")                                                            \
	X(CERTIFICATE_WITHOUT_GEN, "certificates without gen")                           \
	X(DEAD_MAY_REGISTER, "a dead id may register")                                   \
	X(NO_INSTANCE_INDEX, "no unique instance index")                                 \
	X(STRING_ORDER, "string order")                                                  \
	X(LAID_DOWNWARDS, "several slots laid out from the highest")                     \
	X(NO_W2, "no write of the same session after a lost answer (W2)")                \
	X(OVER_ANY_NODE, "a transaction whatever became of p")                           \
	X(OVER_ANY_MASTER, "a transaction whoever is master by now")                     \
	X(OVER_ANY_CONTROL, "a transaction beside an open op")
/* clang-format on */

#ifdef AERO_MUTANTS
enum aero_mutant {
#define AERO_X(mutant, words) AERO_MUTANT_##mutant,
	AERO_MUTANT_MAP(AERO_X)
#undef AERO_X
		AERO_N_MUTANTS
};
extern enum aero_mutant aero_mutant;
#define AERO_MUTANT(mutant) (aero_mutant == AERO_MUTANT_##mutant)
#else
#define AERO_MUTANT(mutant) false
#endif

#endif
