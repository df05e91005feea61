/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "lib/log.h"
#include "lib/loop.h"
#include "syncd/guard.h"

static int64_t grace_ms(const struct aero_mirror *m)
{
	return (int64_t)m->conf->shrink_grace * 1000;
}

void aero_guard_take(struct aero_mirror *m, int64_t full_at)
{
	if (full_at != m->full_at)
		m->full_clock = aero_clock_ms();
	m->full_at = full_at;
	m->full_counted = false;
}

void aero_guard_resume(struct aero_mirror *m, int64_t full_at)
{
	int64_t age = aero_unix_ms() - full_at;

	if (full_at == 0)
		return;
	if (age < 0) { /* the clock was put back: it begins now */
		full_at += age;
		age = 0;
	}
	m->full_at = full_at;
	m->full_clock = aero_clock_ms() - age;
}

void aero_guard_count(struct aero_mirror *m)
{
	struct aero_answer_set set = {0};
	struct aero_err err;

	if (m->full_at == 0 || m->full_counted)
		return;
	if (aero_answers_make(m->answers, &set, &err) != AERO_OK)
		return; /* no memory: then it is judged with what follows */
	m->full_names = set.n_hosts;
	m->full_counted = true;
}

bool aero_guard_holds(struct aero_mirror *m, size_t names, int64_t *ret_wait_ms)
{
	const struct aero_conf *conf = m->conf;
	int64_t wait = m->full_clock + grace_ms(m) - aero_clock_ms();

	if (m->full_counted && m->full_names > names)
		names = m->full_names;
	if (!m->published || m->full_at == 0 || m->accept_shrink ||
		!aero_shrink_holds(
			m->n_published, names, conf->shrink_min, conf->shrink_percent))
		return false;
	if (wait <= 0) {
		aero_log(AERO_WARNING,
			"shrink guard: %zu names of %zu left for %d s: published now",
			names, m->n_published, conf->shrink_grace);
		return false;
	}
	if (m->status.shrink_held_since == 0)
		aero_log(AERO_CRITICAL,
			"shrink guard: the store has %zu names, %zu are published: the "
			"old "
			"ones stay for %lld s; --accept-shrink takes the new ones",
			names, m->n_published, (long long)(wait + 999) / 1000);
	m->status.shrink_held_since = m->full_at;
	*ret_wait_ms = wait;
	return true;
}
