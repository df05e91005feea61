/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/search_setups.h"
#include "tests/support.h"

/* clang-format off */
#define ACTS(...) .acts = {__VA_ARGS__}, .n_acts = AERO_COUNT(((enum s_act[]){__VA_ARGS__}))
#define DB(id, ...) {.node = id, .service = "db", ACTS(__VA_ARGS__)}
#define HEALER(id, ...) {.node = id, .service = "db", .heals = true, ACTS(__VA_ARGS__)}
#define HEALS(id) {.node = id, .service = "db", .heals = true}
#define WEB(id, ...) {.node = id, .service = "web", .iterative = true, ACTS(__VA_ARGS__)}
#define ALIAS(id, name, ...) {.node = id, .service = "db", .alias = name, ACTS(__VA_ARGS__)}
#define SERVER {.node = "", .service = ""}
#define HELPER {.node = "", .service = "", .only_helps = true}
#define ONE .slots = {"db-master=a"}
#define TWO .slots = {"db-master=a", "db-slave-1=b"}
#define THREE .slots = {"db-master=a", "db-slave-1=b", "db-slave-2=c"}
#define FOUR .slots = {"db-master=a", "db-slave-1=b", "db-slave-2=c", "db-slave-3=d"}
#define WEATHER .ambiguous = 1, .late = 1, .crashes = 1

const struct s_setup search_setups[] = {
	/* Registrations. */
	{"3-on-nothing", "3 newcomers on nothing", .states = 13016,
		.roles = {DB("a", S_REGISTER), DB("b", S_REGISTER), DB("c", S_REGISTER)}},
	{"append", "2 newcomers, crash and late write", .states = 8592, ONE,
		.roles = {DB("b", S_REGISTER), DB("c", S_REGISTER)}, WEATHER},
	{"iterative", "newcomers of an iterative service", .states = 2699, .slots = {"web-0=a", "web-1="},
		.roles = {WEB("b", S_REGISTER), WEB("c", S_REGISTER)}, WEATHER},
	{"late-claim", "claim, release, certificate", .states = 3414, ONE,
		.roles = {HEALER("b", S_REGISTER, S_RELEASE), SERVER}, WEATHER},
	{"fence", "claim and release, replica set, no server", .states = 293, ONE,
		.roles = {DB("b", S_REGISTER, S_RELEASE)}, .ambiguous = 2, .late = 2, .replica_set = true},
	{"torn", "2 newcomers, reads that miss a slot", .states = 6963, .slots = {"db-master=a", "db-slave-1=", "db-slave-2=d"},
		.roles = {DB("b", S_REGISTER), DB("c", S_REGISTER)}, WEATHER, .torn = 1},
	{"string-order", "2 before 10", .states = 65, .slots = {"db-master=a", "db-slave-10=", "db-slave-2="},
		.roles = {DB("b", S_REGISTER), DB("c", S_REGISTER)}, .holes = true},
	{"aliases", "one alias, two newcomers, a change-over", .states = 20571, TWO,
		.roles = {ALIAS("c", "x", S_REGISTER), ALIAS("d", "x", S_REGISTER),
			DB("b", S_CHANGE)}},
	/* Change-overs. */
	{"2-callers", "2 callers", .states = 1170, THREE,
		.roles = {DB("b", S_CHANGE), DB("c", S_CHANGE)}},
	{"2-callers-late", "2 callers, late write", .states = 37966, THREE,
		.roles = {DB("b", S_CHANGE), DB("c", S_CHANGE)}, .ambiguous = 1, .late = 1},
	{"newcomer", "newcomer and caller", .states = 13878, TWO,
		.roles = {DB("b", S_CHANGE), DB("c", S_REGISTER)}, .ambiguous = 1, .late = 1},
	{"back", "promote and back", .states = 14602, TWO,
		.roles = {DB("b", S_CHANGE), DB("a", S_CHANGE), HELPER}},
	{"blank-master", "newcomer and caller want a blank master", .states = 40696, .slots = {"db-master=", "db-slave-1=b"},
		.roles = {DB("b", S_CHANGE), DB("c", S_REGISTER), HELPER}, .crashes = 1},
	{"other-service", "p goes over to another service", .states = 235264, TWO,
		.roles = {HEALER("b", S_CHANGE, S_RELEASE), WEB("b", S_REGISTER), SERVER}, WEATHER, .refusals = true},
	{"txn-steps", "transaction, steps, newcomer", .states = 224594, THREE,
		.roles = {DB("b", S_CHANGE), DB("c", S_TXN), DB("d", S_REGISTER), HELPER}},
	{"2-txns", "2 transactions", .states = 3633, THREE,
		.roles = {DB("b", S_TXN), DB("c", S_TXN)}, WEATHER},
	{"txn-back", "transaction, and back by steps", .states = 24951, TWO,
		.roles = {DB("b", S_TXN), DB("a", S_CHANGE), HELPER}, .ambiguous = 1, .late = 1},
	{"txn-newcomer", "transaction and newcomer", .states = 77715, .slots = {"db-master=", "db-slave-1=b"},
		.roles = {DB("b", S_TXN), DB("c", S_REGISTER), HELPER}, WEATHER},
	{"txn-release", "transaction, p and m are released", .states = 29407, TWO,
		.roles = {HEALER("b", S_TXN, S_RELEASE), DB("a", S_RELEASE), SERVER}, .ambiguous = 1, .late = 1},
	{"txn-fence", "transaction and release, replica set, no server", .states = 4896, TWO,
		.roles = {DB("b", S_TXN, S_RELEASE), DB("a", S_TXN)}, .ambiguous = 2, .late = 2, .replica_set = true},
	{"txn-p-or-m-dies", "transaction, p or m dies and boots", .states = 678442, TWO,
		.roles = {HEALER("b", S_TXN), HEALS("a"), SERVER}, .deaths = 1, .boots = 1, .ambiguous = 1, .late = 1},
	{"heal", "a caller and the master heal themselves", .states = 61921, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), DB("c", S_REGISTER)}, .crashes = 1},
	/* Releases. */
	{"release-p", "p is released", .states = 59895, TWO,
		.roles = {HEALER("b", S_CHANGE, S_RELEASE), SERVER}, WEATHER},
	{"release-m", "m is released", .states = 39370, TWO,
		.roles = {DB("b", S_CHANGE), DB("a", S_RELEASE), SERVER}, .crashes = 1},
	{"release-both", "p and m are released", .states = 20585, TWO,
		.roles = {DB("b", S_CHANGE, S_RELEASE), DB("a", S_RELEASE), SERVER}},
	{"release-back", "release, registration, a second op", .states = 273846, THREE,
		.roles = {DB("b", S_CHANGE, S_RELEASE, S_REGISTER), DB("c", S_CHANGE), SERVER}},
	/* Deaths. */
	{"certificates", "certificate races, 2 servers", .states = 6936, .slots = {"db-master=b"},
		.roles = {HEALS("b"), SERVER, SERVER}, .deaths = 1, .boots = 1},
	{"p-or-m-dies", "p or m dies and boots", .states = 416155, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), SERVER}, .deaths = 1, .boots = 1},
	{"release-death", "release, death, change-over", .states = 4618, TWO,
		.roles = {HEALER("b", S_RELEASE, S_REGISTER), HEALER("a", S_CHANGE), SERVER},
		.deaths = 1, .crashes = 1},
	{"false-death", "p or m is called dead and runs", .states = 145286, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), SERVER}, .lies = 1},
	/* Old data, originals. */
	{"nameless", "a nameless document of b", .states = 26819, .slots = {"db-master=a", "=b"},
		.roles = {HEALER("b", S_REGISTER), DB("c", S_REGISTER), HELPER}, WEATHER, .no_regs = true},
	{"twice", "b is in two slots", .states = 3262, .slots = {"db-master=a", "db-slave-1=b", "db-slave-2=b"},
		.roles = {DB("b", S_RELEASE), SERVER}, WEATHER, .no_regs = true, .twice = true},
	{"original", "an original registers beside ours", .states = 410,
		.slots = {"db-master=a", "db-slave-1=b", "db-slave-2=", "db-slave-3="},
		.roles = {HEALS("a"), HEALS("b"), HEALER("c", S_REGISTER), DB("d", S_OLD_REGISTER)},
		.originals = true, .ambiguous = 1, .late = 1},
	{"original-change", "an original's change-over", .states = 65638, TWO,
		.roles = {HEALS("a"), HEALS("b"), DB("b", S_OLD_CHANGE), HELPER},
		.originals = true, .no_lock = true},
	{"original-both", "an original's change-over and ours", .states = 3989895, THREE,
		.roles = {HEALS("a"), HEALER("c", S_CHANGE), DB("b", S_OLD_CHANGE), HEALS("b")},
		.originals = true, .no_lock = true, .length = S_LONG},
	{"original-change+", "an original's change-over, late write", .states = 2520298, TWO,
		.roles = {HEALS("a"), HEALS("b"), DB("b", S_OLD_CHANGE), HELPER},
		.originals = true, .ambiguous = 1, .late = 1, .no_lock = true, .length = S_LONG},
	{"no-lock", "three sessions of one node at once", .states = 438029, TWO,
		.roles = {HEALER("b", S_CHANGE), DB("b", S_REGISTER), DB("b", S_CHANGE), HELPER},
		.no_lock = true, .refusals = true},
	{"3-callers+", "3 callers, late write", .states = 9469410, FOUR,
		.roles = {DB("b", S_CHANGE), DB("c", S_CHANGE), DB("d", S_CHANGE)}, .ambiguous = 1, .late = 1, .length = S_LONG},
	{"aliases+", "the aliases, a lost answer", .states = 185954, TWO,
		.roles = {ALIAS("c", "x", S_REGISTER), ALIAS("d", "x", S_REGISTER), DB("b", S_CHANGE)},
		.ambiguous = 1, .length = S_LONG},
	{"append++", "2 newcomers, 2 late writes, 2 crashes", .states = 177724, ONE,
		.roles = {DB("b", S_REGISTER), DB("c", S_REGISTER)}, .ambiguous = 2, .late = 2, .crashes = 2},
	{"late-claim++", "claim and release, 2 late writes, 2 crashes", .states = 88647, ONE,
		.roles = {HEALER("b", S_REGISTER, S_RELEASE, S_REGISTER), SERVER}, .ambiguous = 2, .late = 2, .crashes = 2},
	{"3-callers", "3 callers", .states = 146256, FOUR,
		.roles = {DB("b", S_CHANGE), DB("c", S_CHANGE), DB("d", S_CHANGE)}},
	{"3-on-nothing+", "3 newcomers on nothing, bad weather", .states = 6000001,
		.roles = {DB("a", S_REGISTER), DB("b", S_REGISTER), DB("c", S_REGISTER), HELPER}, WEATHER, .cut = 6000000, .length = S_LONG},
	{"heal+", "2 callers that heal themselves, bad weather", .states = 6000001, THREE,
		.roles = {HEALER("b", S_CHANGE), HEALER("c", S_CHANGE), HEALS("a")}, WEATHER, .cut = 6000000, .length = S_LONG},
	{"blank-master+", "a blank master, bad weather", .states = 1416005, .slots = {"db-master=", "db-slave-1=b"},
		.roles = {DB("b", S_CHANGE), DB("c", S_REGISTER), HELPER}, WEATHER, .length = S_LONG},
	{"release-m+", "m is released, bad weather", .states = 984468, TWO,
		.roles = {DB("b", S_CHANGE), DB("a", S_RELEASE), SERVER}, WEATHER, .length = S_LONG},
	{"p-or-m-dies-c", "p or m dies and boots, a crash", .states = 1910830, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), SERVER}, .deaths = 1, .boots = 1, .crashes = 1, .length = S_LONG},
	{"p-or-m-dies-l", "p or m dies and boots, late write", .states = 13884148, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), SERVER}, .deaths = 1, .boots = 1, .ambiguous = 1, .late = 1, .length = S_LONG},
	{"p-or-m-dies+", "p or m dies and boots, bad weather", .states = 6000000, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALS("a"), SERVER}, .deaths = 1, .boots = 1, WEATHER, .cut = 6000000, .length = S_LONG},
	{"p-dies+", "p dies and boots, 2 servers", .states = 624728, TWO,
		.roles = {HEALER("b", S_CHANGE), SERVER, SERVER}, .deaths = 1, .boots = 1, .length = S_LONG},
	{"certificates+", "certificate races, bad weather", .states = 380656, .slots = {"db-master=b"},
		.roles = {HEALS("b"), SERVER, SERVER}, .deaths = 1, .boots = 1, WEATHER},
	{"death-newcomer", "a death, a newcomer, a change-over", .states = 728802, TWO,
		.roles = {HEALER("b", S_CHANGE), HEALER("c", S_REGISTER), SERVER}, .deaths = 1, .boots = 1, .length = S_LONG},
	{"death-callers", "a death and 2 callers", .states = 514201, THREE,
		.roles = {HEALER("b", S_CHANGE), HEALER("c", S_CHANGE), SERVER}, .deaths = 1, .length = S_LONG},
	{"back+", "promote and back, bad weather", .states = 4756632, TWO,
		.roles = {DB("b", S_CHANGE), DB("a", S_CHANGE), HELPER}, WEATHER, .length = S_LONG},
};
const size_t n_search_setups = AERO_COUNT(search_setups);
