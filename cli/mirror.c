/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mirror.h"

#define MIRROR_FILE "/var/lib/aerostat/hosts.mdb"

int aero_cli_mirror_fail(const struct aero_conf *conf, enum aero_read why, int read_errno,
	struct aero_err *err)
{
	char *path = aero_conf_path(conf, MIRROR_FILE);
	const char *name = path != NULL ? path : MIRROR_FILE;
	int rc;

	switch (why) {
	case AERO_READ_ABSENT:
		rc = aero_err_set(err, AERO_DB,
			"no mirror here (%s): start aerostat-syncd, or run `aerostat "
			"--update` once",
			name);
		break;
	case AERO_READ_DENIED:
		rc = aero_err_set(err, AERO_DB,
			"%s cannot be read, or others may write it: chmod 644 it, and "
			"its "
			"directory 755",
			name);
		break;
	case AERO_READ_DAMAGED:
		rc = aero_err_set(err, AERO_DB,
			"%s is damaged or of another version: `aerostat --update` writes "
			"it "
			"anew",
			name);
		break;
	case AERO_READ_BUSY:
		rc = aero_err_set(err, AERO_AGAIN, "%s: %s", name, strerror(read_errno));
		break;
	case AERO_READ_OK:
	case AERO_READ_MISS:
	case AERO_READ_FAILED:
	default:
		rc = aero_err_set(err, AERO_DB, "%s: %s", name, strerror(read_errno));
		break;
	}
	free(path);
	return rc;
}

int aero_cli_mirror_open(
	const struct aero_conf *conf, struct aero_reader *ret, struct aero_err *err)
{
	char *path = aero_conf_path(conf, MIRROR_FILE);
	enum aero_read result;

	if (path == NULL)
		return aero_err_set(err, AERO_NOMEM, "mirror: out of memory");
	result = aero_reader_open(ret, path);
	free(path);
	return result == AERO_READ_OK ? AERO_OK
				      : aero_cli_mirror_fail(conf, result, ret->err, err);
}

bool aero_cli_address(
	const struct aero_rec *rec, size_t i, char ret[static INET6_ADDRSTRLEN])
{
	const void *bytes;
	int family;

	if (i >= (size_t)rec->n4 + rec->n6)
		return false;
	family = i < rec->n4 ? AF_INET : AF_INET6;
	bytes = family == AF_INET ? rec->addr4 + i * 4 : rec->addr6 + (i - rec->n4) * 16;
	return inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN) != NULL;
}

bool aero_cli_strings(const char *strings, size_t n, struct aero_list *ret)
{
	for (; n > 0; n--, strings += strlen(strings) + 1)
		if (!aero_list_add(ret, strings))
			return false;
	return true;
}
