/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "server/rules.h"

static const struct {
	bool goes;
	const char *words;
} verdicts[] = {
#define AERO_X(verdict, goes, words) [AERO_VERDICT_##verdict] = {goes, words},
	AERO_VERDICT_MAP(AERO_X)
#undef AERO_X
};

bool aero_verdict_goes(enum aero_verdict verdict)
{
	return verdicts[verdict].goes;
}

const char *aero_verdict_words(enum aero_verdict verdict)
{
	return verdicts[verdict].words;
}

/* It was absent in enough passes, and for long enough. */
static bool gone(
	const struct aero_rules *rules, const struct aero_candidate *c, int64_t now_ms)
{
	return c->sight == AERO_SIGHT_ABSENT && c->tally.absent >= rules->absent_passes &&
	       now_ms - c->tally.absent_ms >= rules->absent_ms;
}

/* A pass that says nothing neither counts nor begins the count anew: what was known
 * before it is still so. */
static void judge_none(struct aero_candidate *v, size_t n, enum aero_verdict verdict)
{
	for (size_t i = 0; i < n; i++)
		v[i].verdict = v[i].judgeable ? verdict : AERO_VERDICT_FOREIGN;
}

static void count(struct aero_candidate *c, int64_t now_ms)
{
	switch (c->sight) {
	case AERO_SIGHT_ABSENT:
		if (c->tally.absent++ == 0)
			c->tally.absent_ms = now_ms;
		c->tally.dead = 0;
		break;
	case AERO_SIGHT_DEAD:
		c->tally.dead++;
		c->tally.absent = 0;
		break;
	case AERO_SIGHT_RUNS:
		c->tally.absent = c->tally.dead = 0;
		break;
	}
}

static enum aero_verdict judge(const struct aero_rules *rules,
	const struct aero_candidate *c, bool guarded, int64_t now_ms)
{
	if (!c->judgeable)
		return AERO_VERDICT_FOREIGN;
	if (c->sight == AERO_SIGHT_RUNS)
		return AERO_VERDICT_RUNS;
	if (c->sight == AERO_SIGHT_DEAD)
		return guarded && c->tally.dead < AERO_RULES_AGREE
			       ? AERO_VERDICT_HELD
			       : AERO_VERDICT_DEAD_TOLD;
	if (!gone(rules, c, now_ms))
		return AERO_VERDICT_ABSENT;
	if (now_ms - c->tally.since_ms < rules->grace_ms)
		return AERO_VERDICT_YOUNG;
	return guarded ? AERO_VERDICT_HELD : AERO_VERDICT_DEAD_ABSENT;
}

size_t aero_rules_cap(const struct aero_rules *rules, size_t n)
{
	size_t cap = n * rules->cap_percent / 100;

	return cap < rules->cap_min ? rules->cap_min : cap;
}

struct aero_judgement aero_rules_judge(const struct aero_rules *rules, bool listed,
	struct aero_candidate *v, size_t n, int64_t now_ms)
{
	struct aero_judgement ret = {0};
	size_t ours = 0;

	for (size_t i = 0; i < n; i++) {
		ret.judged += v[i].judgeable;
		ours += v[i].judgeable && v[i].sight != AERO_SIGHT_ABSENT;
		if (v[i].tally.since_ms == 0)
			v[i].tally.since_ms = now_ms;
	}
	if (!listed || ours == 0) {
		judge_none(v, n,
			listed ? AERO_VERDICT_NONE_OF_OURS : AERO_VERDICT_NO_LISTING);
		return ret;
	}
	for (size_t i = 0; i < n; i++) {
		count(&v[i], now_ms);
		ret.proposed += v[i].judgeable && (v[i].sight == AERO_SIGHT_DEAD ||
							  gone(rules, &v[i], now_ms));
	}
	ret.cap = aero_rules_cap(rules, ret.judged);
	ret.guarded = ret.proposed > ret.cap && !rules->force;
	for (size_t i = 0; i < n; i++) {
		v[i].verdict = judge(rules, &v[i], ret.guarded, now_ms);
		ret.going += aero_verdict_goes(v[i].verdict);
	}
	return ret;
}
