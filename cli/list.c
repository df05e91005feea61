/* SPDX-License-Identifier: MIT */
/* aerostat list: from the store if --server is given, else from this node's mirror, else
 * from the configured store. */
#include "config.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/hosts.h"
#include "lib/log.h"

static int collect(const struct aero_conf *conf, const char *service,
	struct aero_cli_hosts *ret, struct aero_err *err)
{
	struct aero_err of_mirror;
	int rc;

	if (aero_conf_from(conf, "server") == AERO_FROM_FLAG ||
		aero_conf_from(conf, "server_file") == AERO_FROM_FLAG)
		return aero_cli_hosts_of_store(conf, service, ret, err);
	rc = aero_cli_hosts_of_mirror(conf, service, ret, err);
	if (rc == AERO_OK || rc == AERO_NOMEM)
		return rc;
	if (err != NULL)
		of_mirror = *err;
	aero_cli_hosts_clear(ret);
	rc = aero_cli_hosts_of_store(conf, service, ret, err);
	if (rc != AERO_OK && err != NULL)
		rc = aero_err_prefix(err, rc, "%s; and the store", of_mirror.msg);
	return rc;
}

int aero_cli_list(const struct aero_cli *cli, struct aero_err *err)
{
	const char *service = cli->n_words > 0 ? cli->words[0] : NULL;
	const char *name = cli->conf->format;
	const struct aero_cli_format *format = NULL;
	struct aero_cli_hosts hosts = {0};
	struct aero_cli_listing listing = {&hosts, service != NULL ? service : ""};
	char shown[80];
	int rc;

	if (cli->conf->json && *name != '\0' && strcmp(name, "json") != 0)
		return aero_err_set(err, AERO_USAGE, "--json and --format=%s", name);
	rc = aero_cli_format_find(cli->conf->json ? "json" : name, &format, err);
	if (rc == AERO_OK)
		rc = collect(cli->conf, service, &hosts, err);
	if (rc != AERO_OK)
		goto out;
	aero_cli_hosts_sort(&hosts);
	if (format->answering)
		rc = aero_cli_hosts_answering(cli->conf, &hosts, err);
	if (rc == AERO_OK)
		rc = format->print(cli->out, &listing, err);
	if (rc == AERO_OK && service != NULL && hosts.n == 0)
		rc = aero_err_set(err, AERO_MISS, "there is no node of service %s",
			aero_quote(service, shown, sizeof(shown)));
out:
	aero_cli_hosts_clear(&hosts);
	return rc;
}
