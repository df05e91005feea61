/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "syncd/sorted.h"

bool aero_sorted_room(struct aero_sorted *s, size_t n)
{
	size_t room = s->n + n;
	void *v;

	if (room <= s->room)
		return true;
	/* a little more, for changes that come one by one */
	room += s->n / 16 + 16;
	v = reallocarray(s->v, room, s->size);
	if (v == NULL)
		return false;
	s->v = v;
	s->room = room;
	return true;
}

static unsigned char *at(const struct aero_sorted *s, size_t i)
{
	return s->v + i * s->size;
}

/* The first element from `from` on that is not less than x; near from, if x is near. */
static size_t first_from(const struct aero_sorted *s, size_t from, const void *x)
{
	size_t step = 1, low = from, high = from, mid;

	while (high < s->n && s->cmp(at(s, high), x) < 0) {
		low = high + 1;
		high += step;
		step *= 2;
	}
	if (high > s->n)
		high = s->n;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->cmp(at(s, mid), x) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* How many of the first n elements are less than x; near n, if x is near. */
static size_t less_than(const struct aero_sorted *s, size_t n, const void *x)
{
	size_t step = 1, low = n, high = n, mid;

	while (low > 0 && s->cmp(at(s, low - 1), x) > 0) {
		high = low - 1;
		low = low > step ? low - step : 0;
		step *= 2;
	}
	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->cmp(at(s, mid), x) > 0)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void aero_sorted_drop(struct aero_sorted *s, void *v, size_t n)
{
	const unsigned char *drop = v;
	size_t from = 0, to = 0, end;

	if (n == 0)
		return;
	qsort(v, n, s->size, s->cmp);
	for (size_t i = 0; i < n; i++) {
		end = first_from(s, from, drop + i * s->size);
		if (end == s->n || s->cmp(at(s, end), drop + i * s->size) != 0)
			continue; /* it is not there */
		if (to != from)
			memmove(at(s, to), at(s, from), (end - from) * s->size);
		to += end - from;
		from = end + 1;
	}
	if (to != from)
		memmove(at(s, to), at(s, from), (s->n - from) * s->size);
	s->n -= from - to;
}

void aero_sorted_add(struct aero_sorted *s, void *v, size_t n)
{
	const unsigned char *add = v;
	size_t end = s->n, to = s->n + n, where;

	if (n == 0)
		return;
	qsort(v, n, s->size, s->cmp);
	s->n += n;
	while (n-- > 0) {
		where = less_than(s, end, add + n * s->size);
		to -= end - where;
		if (to != where)
			memmove(at(s, to), at(s, where), (end - where) * s->size);
		memcpy(at(s, --to), add + n * s->size, s->size);
		end = where;
	}
}
