/* SPDX-License-Identifier: MIT */
/* aerostat import: JSON lines into the naming store, all of a file or nothing of it. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/import.h"
#include "lib/store.h"

/* What would be put in: `web-3 (new|replaced) i-0abc 10.0.0.7 aliases a,b`. */
static void print_slot(FILE *out, const struct aero_slot *slot, bool exists)
{
	bool address = *slot->who.ip != '\0' || *slot->who.ip6 != '\0';

	(void)fprintf(out, "dry run: would import %s (%s) %s", slot->hostname,
		exists ? "replaced" : "new",
		!aero_slot_blank(slot) ? slot->who.instance_id
		: address              ? "static"
				       : "gap");
	if (*slot->who.ip != '\0')
		(void)fprintf(out, " %s", slot->who.ip);
	if (*slot->who.ip6 != '\0')
		(void)fprintf(out, " %s", slot->who.ip6);
	for (size_t i = 0; i < slot->who.aliases.n; i++)
		(void)fprintf(
			out, "%s%s", i == 0 ? " aliases " : ",", slot->who.aliases.v[i]);
	(void)fputc('\n', out);
}

static int try_all(struct aero_store *store, const struct aero_slots *slots, FILE *out,
	struct aero_err *err)
{
	for (size_t i = 0; i < slots->n; i++) {
		struct aero_slot old = {0};
		int rc = aero_store_by_hostname(store, slots->v[i].hostname, &old, err);

		aero_slot_clear(&old);
		if (rc == AERO_REFUSED) /* damaged, but there */
			rc = AERO_OK;
		if (rc != AERO_OK && rc != AERO_MISS)
			return rc;
		print_slot(out, &slots->v[i], rc == AERO_OK);
	}
	(void)fprintf(out, "dry run: %zu slot%s, nothing written\n", slots->n,
		slots->n == 1 ? "" : "s");
	return AERO_OK;
}

static int import_all(struct aero_store *store, const char *file,
	const struct aero_cli_import *import, FILE *out, struct aero_err *err)
{
	for (size_t i = 0; i < import->slots.n; i++) {
		const struct aero_slot *slot = &import->slots.v[i];
		int rc = aero_store_slot_import(store, slot, err);

		/* Trying again would not help: somebody else's slot holds it. */
		if (rc == AERO_DUP_INSTANCE)
			rc = AERO_BAD;
		if (rc != AERO_OK)
			return aero_err_prefix(err, rc,
				"%s:%zu: %zu of %zu taken (a rerun takes all again)",
				file, import->lines[i], i, import->slots.n);
	}
	(void)fprintf(out, "imported %zu slot%s into %s\n", import->slots.n,
		import->slots.n == 1 ? "" : "s", aero_store_name(store));
	return AERO_OK;
}

static int read_file(const struct aero_cli *cli, const char *file,
	struct aero_cli_import *ret, struct aero_err *err)
{
	bool is_stdin = strcmp(file, "-") == 0;
	FILE *in = is_stdin ? cli->in : fopen(file, "re");
	int rc;

	if (in == NULL)
		return aero_err_set(err,
			errno == ENOENT ? AERO_MISS : aero_rc_of_errno(errno), "%s: %s",
			file, strerror(errno));
	rc = aero_cli_import_read(cli->conf, in, ret, err);
	if (rc != AERO_OK)
		rc = aero_err_prefix(err, rc, "%s", file);
	else if (ret->n_bad > 0)
		rc = aero_err_set(err, AERO_BAD, "0 of %zu taken, %zu bad: %s:%zu: %s",
			ret->n_records, ret->n_bad, file, ret->bad_line, ret->bad.msg);
	if (!is_stdin)
		(void)fclose(in);
	return rc;
}

int aero_cli_import(const struct aero_cli *cli, struct aero_err *err)
{
	const struct aero_conf *conf = cli->conf;
	struct aero_cli_import import = {0};
	struct aero_store *store = NULL;
	int rc = read_file(cli, cli->words[0], &import, err);

	if (rc == AERO_OK)
		rc = aero_store_open_conf(conf, "import", conf->dryrun, &store, err);
	if (rc != AERO_OK)
		goto out;
	rc = conf->dryrun ? try_all(store, &import.slots, cli->out, err)
			  : import_all(store, cli->words[0], &import, cli->out, err);
out:
	aero_store_close(store);
	aero_cli_import_clear(&import);
	return rc;
}
