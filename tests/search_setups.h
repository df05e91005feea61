/* SPDX-License-Identifier: MIT */
/* The set-ups that are searched, and those that catch the mutants. */
#ifndef AERO_TESTS_SEARCH_SETUPS_H
#define AERO_TESTS_SEARCH_SETUPS_H

#include "tests/search_model.h"

extern const struct s_setup search_setups[];
extern const size_t n_search_setups;

#endif
