/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "legacy/paths.h"

static const struct {
	size_t offset;
	const char *path;
} table[] = {
	{offsetof(struct aero_hosts_paths, root), ""},
	{offsetof(struct aero_hosts_paths, hosts), "/etc/hosts"},
	{offsetof(struct aero_hosts_paths, bak), "/etc/hosts.bak"},
	{offsetof(struct aero_hosts_paths, aside), "/etc/hosts.bak.tmp"},
	{offsetof(struct aero_hosts_paths, before), "/etc/hosts.before-aerostat"},
	{offsetof(struct aero_hosts_paths, legacy), "/etc/hosts.legacy"},
	{offsetof(struct aero_hosts_paths, good), "/var/lib/aerostat/hosts.legacy.good"},
	{offsetof(struct aero_hosts_paths, lock), "/run/aerostat/hosts.lock"},
};

static char **field(struct aero_hosts_paths *paths, size_t row)
{
	return (char **)(void *)((char *)paths + table[row].offset);
}

int aero_hosts_paths_make(
	const char *root, struct aero_hosts_paths *ret, struct aero_err *err)
{
	struct aero_hosts_paths paths = {0};
	size_t len = strlen(root);

	while (len > 0 && root[len - 1] == '/')
		len--;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (asprintf(field(&paths, i), "%.*s%s", (int)len, root, table[i].path) <
			0) {
			*field(&paths, i) = NULL;
			aero_hosts_paths_clear(&paths);
			return aero_err_set(err, AERO_NOMEM, "paths: out of memory");
		}
	}
	*ret = paths;
	return AERO_OK;
}

void aero_hosts_paths_clear(struct aero_hosts_paths *paths)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		free(*field(paths, i));
	*paths = (struct aero_hosts_paths){0};
}
