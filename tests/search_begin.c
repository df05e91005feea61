/* SPDX-License-Identifier: MIT */
/* A set-up read: the state that a search begins with. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "tests/search_model.h"
#include "tests/support.h"

struct s_run s_run;

/* `name=node`, `name=node:service` */
static void put_slot(struct s_state *state, const char *text, uint8_t reg)
{
	const struct s_role *first = &s_run.setup->roles[0];
	char name[64], node[64], service[64];
	const char *equals = strchr(text, '='), *colon = strchr(text, ':');
	struct w_slot slot = {.reg = reg};

	assert_non_null(equals);
	if (colon == NULL)
		colon = text + strlen(text);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	(void)snprintf(node, sizeof(node), "%.*s", (int)(colon - equals - 1), equals + 1);
	(void)snprintf(service, sizeof(service), "%s",
		*colon == ':' ? colon + 1 : first->service);
	slot.name = w_number(W_NAME, name);
	slot.service = w_number(W_SERVICE, service);
	slot.type = w_number(W_TYPE, first->iterative ? "iterative" : "masterful");
	slot.who.id = w_number(W_ID, node);
	if (slot.who.id != 0) {
		slot.who.ip = w_number(W_IP, s_run.ips[slot.who.id][0]);
		state->hosts[slot.who.id] = (struct s_host){
			.running = 1, .identity = 1, .promised = name[0] != '\0'};
	}
	w_add(&state->world, &slot);
}

static void put_role(struct s_state *state, int i, const struct s_role *role)
{
	struct aero_occupant *me = &s_run.me[i];
	uint8_t id = w_number(W_ID, role->node);

	s_run.node[i] = id;
	s_run.service[i] = w_number(W_SERVICE, role->service);
	s_run.server = s_run.server || (id == 0 && !role->only_helps);
	me->instance_id = strdup(role->node);
	me->ip6 = strdup("");
	assert_true(me->instance_id != NULL && me->ip6 != NULL);
	if (role->alias != NULL)
		assert_true(aero_list_add(&me->aliases, role->alias));
	state->actors[i].act = S_NOTHING;
	if (id != 0)
		state->hosts[id].running = 1;
}

void s_begin(const struct s_setup *setup, struct s_state *ret)
{
	memset(ret, 0, sizeof(*ret));
	s_run.setup = setup;
	s_run.server = false;
	s_run.n_roles = 0;
	w_rules.no_instance_index = w_rules.mutant_index || setup->twice;
	for (int n = 0; n <= W_NODES; n++)
		for (int boot = 0; boot < 2; boot++) {
			char ip[32];

			(void)snprintf(ip, sizeof(ip), "10.%d.0.%d", boot, n);
			s_run.ips[n][boot] = strdup(ip);
			assert_non_null(s_run.ips[n][boot]);
		}
	for (uint8_t i = 0; i < W_SLOTS && setup->slots[i] != NULL; i++)
		put_slot(ret, setup->slots[i], setup->no_regs ? 0 : (uint8_t)(i + 1));
	while (s_run.n_roles < S_ACTORS && setup->roles[s_run.n_roles].node != NULL) {
		put_role(ret, s_run.n_roles, &setup->roles[s_run.n_roles]);
		s_run.n_roles++;
	}
	ret->ambiguous = setup->ambiguous;
	ret->lates = setup->late;
	ret->crashes = setup->crashes;
	ret->deaths = setup->deaths;
	ret->boots = setup->boots;
	ret->torn = setup->torn;
	ret->lies = setup->lies;
	s_canonical(ret);
}

void s_end(void)
{
	for (int i = 0; i < s_run.n_roles; i++) {
		s_run.me[i].ip = NULL; /* one of ips */
		aero_occupant_clear(&s_run.me[i]);
	}
	for (int n = 0; n <= W_NODES; n++)
		for (int boot = 0; boot < 2; boot++) {
			free(s_run.ips[n][boot]);
			s_run.ips[n][boot] = NULL;
		}
}
