/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/identity_command.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/program.h"
#include "lib/server.h"

/* What syncd would refuse to start with. */
static int check_zones(const struct aero_conf *conf, struct aero_err *err)
{
	const char *why = NULL;
	char *domain = aero_domain_trim(conf->domain);
	int rc = AERO_OK;

	if (domain == NULL)
		return aero_err_set(err, AERO_NOMEM, "options: out of memory");
	if (*domain != '\0' && (why = aero_zone_refuse(domain)) != NULL)
		rc = aero_err_set(
			err, AERO_CONFIG, "domain '%.100s': %s", conf->domain, why);
	for (size_t i = 0; rc == AERO_OK && i < conf->zones.n; i++)
		if ((why = aero_zone_refuse(conf->zones.v[i])) != NULL)
			rc = aero_err_set(err, AERO_CONFIG, "zone '%.100s': %s",
				conf->zones.v[i], why);
	free(domain);
	return rc;
}

/* Where registration would take from what this node runs. */
static void say_service(const struct aero_conf *conf, FILE *out)
{
	const char *info = *conf->info != '\0' ? conf->info : "/etc/aerostat_info";

	(void)fputs("service: ", out);
	if (*conf->service != '\0') {
		(void)fprintf(out, "%s, from %s\n", conf->service,
			aero_conf_from_words(conf, "service"));
		return;
	}
	if (*conf->identity_command != '\0')
		(void)fprintf(out, "if identity_command %s says it, from there, else ",
			conf->identity_command);
	if (conf->info_source == AERO_INFO_TAGS)
		(void)fputs("from the tags of the instance (info_source: tags)\n", out);
	else
		(void)fprintf(out, "from %s\n", info);
}

int aero_check_config(const struct aero_conf *conf, FILE *out, struct aero_err *err)
{
	struct aero_server parsed = {0};
	char *server = NULL;
	int rc = aero_conf_server(conf, &server, err);

	if (rc == AERO_OK)
		rc = aero_server_parse(server, conf->port, &parsed, err);
	if (rc == AERO_OK)
		rc = check_zones(conf, err);
	if (rc == AERO_OK && conf->cloud == AERO_CLOUD_COMMAND &&
		*conf->cloud_command == '\0')
		rc = aero_err_set(err, AERO_CONFIG,
			"cloud: command needs a cloud_command, the program that prints "
			"the ids of the living nodes");
	if (rc == AERO_OK && *conf->identity_command != '\0')
		rc = aero_identity_command_check(conf->identity_command, err);
	if (rc == AERO_OK) {
		(void)fputs("the configuration is right\n", out);
		say_service(conf, out);
	}
	aero_server_clear(&parsed);
	free(server);
	return rc;
}

static int run(
	const struct aero_main *m, const struct aero_conf *conf, struct aero_err *err)
{
	if (conf->words.n > 0)
		return aero_err_set(err, AERO_USAGE,
			"'%.64s': %s takes no words; see %s --help", conf->words.v[0],
			m->name, m->name);
	if (conf->check_config)
		return aero_check_config(conf, stdout, err);
	return m->run(conf, err);
}

int aero_program_main(const struct aero_main *m, int argc, char *const argv[])
{
	struct aero_conf conf;
	struct aero_err err = {""};
	int rc = aero_conf_load(m->program, argc, argv, &conf, &err);

	if (rc == AERO_OK) {
		aero_log_level((enum aero_level)conf.loglevel);
		for (size_t i = 0; i < conf.warnings.n; i++)
			aero_log(AERO_WARNING, "options: %s", conf.warnings.v[i]);
		if (conf.help)
			aero_conf_help(m->program, m->usage);
		else if (conf.version)
			(void)printf("%s %s\n", m->name, PACKAGE_VERSION);
		else
			rc = run(m, &conf, &err);
	}
	if ((fflush(stdout) != 0 || ferror(stdout)) && rc == AERO_OK)
		rc = aero_err_set(&err, AERO_IO, "standard output: %s", strerror(errno));
	if (rc != AERO_OK)
		aero_log(AERO_ERROR, "%s: %s", rc == AERO_USAGE ? "usage" : m->what,
			err.msg);
	aero_conf_clear(&conf);
	return (int)aero_exit_code(rc);
}
