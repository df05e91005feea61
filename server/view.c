/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/store_doc.h"
#include "server/view.h"

static int no_memory(struct aero_err *err)
{
	return aero_err_set(err, AERO_NOMEM, "out of memory");
}

/* _id, or NULL where it is no text: then nothing of ours wrote the document. */
static char *id_of(const bson_t *doc)
{
	bson_iter_t it;

	return bson_iter_init_find(&it, doc, "_id") && BSON_ITER_HOLDS_UTF8(&it)
		       ? strdup(bson_iter_utf8(&it, NULL))
		       : NULL;
}

static int take_node(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct aero_view *view = arg;
	struct aero_view_node node = {.id = id_of(doc)};
	void *v = aero_array_room(view->nodes, view->n_nodes, sizeof(node));

	if (v != NULL)
		view->nodes = v;
	if (node.id == NULL)
		return AERO_OK;
	if (v == NULL) {
		free(node.id);
		return no_memory(err);
	}
	aero_doc_node_of_bson(doc, &node.node);
	view->nodes[view->n_nodes++] = node;
	return AERO_OK;
}

static int take_op(const bson_t *doc, void *arg, struct aero_err *err)
{
	struct aero_view *view = arg;
	struct aero_control control = {0};
	struct aero_view_op op = {.service = id_of(doc)};
	void *v = aero_array_room(view->ops, view->n_ops, sizeof(op));
	int rc = AERO_OK;

	if (v != NULL)
		view->ops = v;
	if (op.service == NULL)
		return AERO_OK;
	if (!aero_doc_control_of_bson(doc, &control))
		rc = no_memory(err);
	if (rc == AERO_OK && control.open && !control.odd) {
		op.promote = strdup(control.promote.instance_id);
		if (op.promote == NULL || v == NULL) {
			rc = no_memory(err);
		} else {
			view->ops[view->n_ops++] = op;
			op = (struct aero_view_op){0}; /* now owned by the view */
		}
	}
	free(op.service);
	free(op.promote);
	aero_control_clear(&control);
	return rc;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct aero_view_node *)a)->id,
		((const struct aero_view_node *)b)->id);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int index_held(struct aero_view *view, struct aero_err *err)
{
	view->held = calloc(view->slots.n + 1, sizeof(*view->held));
	if (view->held == NULL)
		return no_memory(err);
	for (size_t i = 0; i < view->slots.n; i++)
		if (!aero_slot_blank(&view->slots.v[i]))
			view->held[view->n_held++] = view->slots.v[i].who.instance_id;
	qsort(view->held, view->n_held, sizeof(*view->held), by_text);
	return AERO_OK;
}

int aero_view_nodes(struct aero_store *store, struct aero_view *ret, struct aero_err *err)
{
	int rc = aero_store_walk(store, AERO_TABLE_NODES, take_node, ret, err);

	if (ret->n_nodes > 1)
		qsort(ret->nodes, ret->n_nodes, sizeof(*ret->nodes), by_id);
	return rc;
}

int aero_view_read(struct aero_store *store, struct aero_view *ret, struct aero_err *err)
{
	int rc = aero_store_slots(store, NULL, &ret->slots, err);

	if (rc == AERO_OK)
		rc = aero_view_nodes(store, ret, err);
	if (rc == AERO_OK)
		rc = aero_store_walk(store, AERO_TABLE_CONTROL, take_op, ret, err);
	if (rc == AERO_OK)
		rc = index_held(ret, err);
	return rc;
}

struct aero_node aero_view_node(const struct aero_view *view, const char *id)
{
	union {
		const char *in;
		char *out;
	} cast = {.in = id}; /* only compared */
	struct aero_view_node key = {.id = cast.out}, *found = NULL;

	if (view->n_nodes > 0)
		found = bsearch(
			&key, view->nodes, view->n_nodes, sizeof(*view->nodes), by_id);
	return found != NULL ? found->node : (struct aero_node){0};
}

bool aero_view_held(const struct aero_view *view, const char *id)
{
	return view->n_held > 0 && bsearch(&id, view->held, view->n_held,
					   sizeof(*view->held), by_text) != NULL;
}

void aero_view_clear(struct aero_view *view)
{
	aero_slots_clear(&view->slots);
	for (size_t i = 0; i < view->n_nodes; i++)
		free(view->nodes[i].id);
	free(view->nodes);
	for (size_t i = 0; i < view->n_ops; i++) {
		free(view->ops[i].service);
		free(view->ops[i].promote);
	}
	free(view->ops);
	free(view->held);
	*view = (struct aero_view){0};
}
