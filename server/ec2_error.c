/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "server/ec2_error.h"

#define SKEW_S 300 /* EC2 itself refuses beyond 900 */

#define KEYS "look at the keys (credentials_file, environment, profile, role)"

/* A code that ends in * is the beginning of one. */
static const struct {
	const char *code;
	enum aero_ec2_act act;
	int rc;
	bool skew; /* a wrong clock looks like this */
	const char *words;
} rows[] = {
	{"RequestLimitExceeded", AERO_EC2_RETRY, AERO_NET, false, "too many requests"},
	{"Throttling*", AERO_EC2_RETRY, AERO_NET, false, "too many requests"},
	{"EC2ThrottledException", AERO_EC2_RETRY, AERO_NET, false, "too many requests"},
	{"ServiceUnavailable", AERO_EC2_RETRY, AERO_NET, false, "EC2 is out of order"},
	{"Unavailable", AERO_EC2_RETRY, AERO_NET, false, "EC2 is out of order"},
	{"InternalError", AERO_EC2_RETRY, AERO_NET, false, "EC2 is out of order"},
	{"InternalFailure", AERO_EC2_RETRY, AERO_NET, false, "EC2 is out of order"},
	{"AuthFailure", AERO_EC2_RENEW, AERO_CONFIG, true,
		"it knows these keys not; " KEYS},
	{"SignatureDoesNotMatch", AERO_EC2_RENEW, AERO_CONFIG, true,
		"the secret key is not that of the key id; " KEYS},
	{"InvalidClientTokenId", AERO_EC2_RENEW, AERO_CONFIG, false,
		"there is no such key id; " KEYS},
	{"RequestExpired", AERO_EC2_RENEW, AERO_CONFIG, true,
		"the keys have expired, or a clock is wrong; " KEYS},
	{"ExpiredToken*", AERO_EC2_RENEW, AERO_CONFIG, false,
		"the keys have expired; " KEYS},
	{"UnauthorizedOperation", AERO_EC2_FAIL, AERO_PERM, false,
		"these keys lack the permission ec2:DescribeInstances on *"},
	{"AccessDenied*", AERO_EC2_FAIL, AERO_PERM, false,
		"these keys lack the permission ec2:DescribeInstances on *"},
	{"Blocked", AERO_EC2_FAIL, AERO_PERM, false, "this account is blocked"},
	{"OptInRequired", AERO_EC2_FAIL, AERO_CONFIG, false,
		"this account has not enabled that region; look at `regions`"},
	{"PendingVerification", AERO_EC2_FAIL, AERO_CONFIG, false,
		"this account is not yet verified"},
	{"InvalidAction", AERO_EC2_FAIL, AERO_CONFIG, false,
		"it does not know DescribeInstances; is `endpoint` right?"},
};

static bool matches(const char *pattern, const char *code)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(pattern, code, len - 1) == 0;
	return strcmp(pattern, code) == 0;
}

static void word_time(int64_t at, char buf[static 32])
{
	time_t t = (time_t)at;
	struct tm tm = {0};

	if (gmtime_r(&t, &tm) == NULL ||
		strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(buf, 32, "?");
}

/* Whether it is the clock; then both times are named. It is set by itself, as a rule: a
 * daemon that starts before that has to go on. */
static bool word_skew(
	const struct aero_ec2_fault *fault, int *ret_rc, struct aero_err *err)
{
	int64_t skew = fault->ours_s - fault->theirs_s;
	char ours[32], theirs[32];

	if (fault->theirs_s == 0 || (skew < SKEW_S && skew > -SKEW_S))
		return false;
	word_time(fault->ours_s, ours);
	word_time(fault->theirs_s, theirs);
	*ret_rc = aero_err_set(err, AERO_AGAIN,
		"%s (%ld): the clock of this machine says %s, that of EC2 %s; set ours "
		"(chrony, systemd-timesyncd)",
		fault->code, fault->status, ours, theirs);
	return true;
}

enum aero_ec2_act aero_ec2_fault(
	const struct aero_ec2_fault *fault, int *ret_rc, struct aero_err *err)
{
	for (size_t i = 0; *fault->code != '\0' && i < sizeof(rows) / sizeof(rows[0]);
		i++) {
		if (!matches(rows[i].code, fault->code))
			continue;
		*ret_rc = rows[i].rc;
		if (rows[i].skew && word_skew(fault, ret_rc, err))
			return AERO_EC2_FAIL;
		(void)aero_err_set(err, rows[i].rc, "%s (%ld): %s", fault->code,
			fault->status, rows[i].words);
		return rows[i].act;
	}
	*ret_rc = AERO_NET;
	if (*fault->code != '\0') {
		(void)aero_err_set(err, AERO_NET, "%s (%ld)", fault->code, fault->status);
	} else if (fault->status >= 300 && fault->status < 400) {
		*ret_rc = AERO_CONFIG;
		(void)aero_err_set(err, AERO_CONFIG,
			"it answered %ld and sends us elsewhere, which is not followed; "
			"is "
			"`endpoint` right?",
			fault->status);
	} else {
		(void)aero_err_set(err, AERO_NET, "it answered %ld", fault->status);
	}
	return fault->status >= 500 || fault->status == 429 ? AERO_EC2_RETRY
							    : AERO_EC2_FAIL;
}
